"""Everything Sayso raises on purpose. Each message is one sentence that names the remedy; `page` is how a web page says it.

SaysoError
├── BadInput          something a person typed or chose: class names, templates, options, folders
│   ├── TooMany           more at once than one request may ask for
│   ├── TooFewLabels      a promise for which more labelled pictures are needed; it says how many
│   └── Overtaken         someone else has changed it meanwhile
├── BadImage          a file that is not a picture we can read
├── BadClassifierFile a classifier file that is damaged or is something else
├── ModelError        a model that cannot be had
│   ├── UnknownModel      no model of that name
│   └── ModelNotHere      known, but its weights are not on this computer
├── SpaceMismatch     vectors or classifiers of two different models meet
└── NotFound          nothing of that name or number in the library
"""


class SaysoError(Exception):
    """An error meant to be read by a person; its text is one plain sentence.

    `page` is for where the remedy differs on a web page, which has no command line: it says what to do there.
    """

    def __init__(self, message: str = "", page: str = "") -> None:
        super().__init__(message)
        self._page = page

    @property
    def page(self) -> str:
        """The sentences that a web page shows: what is wrong, then what to do."""
        return self._page or sentences(str(self))


class BadInput(SaysoError):
    """A value that a person gave cannot be used."""


class TooMany(BadInput):
    """More things are named than can be done in one request."""


class TooFewLabels(BadInput):
    """A promise cannot be tested yet; about `more` labelled pictures are needed beside those there are."""

    def __init__(self, message: str, more: int, page: str = "") -> None:
        super().__init__(message, page)
        self.more = more


class Overtaken(BadInput):
    """What is to be changed was changed by someone else after it was looked at."""


class BadImage(SaysoError):
    """A file or a block of bytes is not a picture that can be read safely."""


class BadClassifierFile(SaysoError):
    """A file does not hold a classifier."""


class ModelError(SaysoError):
    """A model cannot be loaded."""


class UnknownModel(ModelError):
    """There is no model of that name."""


class ModelNotHere(ModelError):
    """The model is known, but its weights have not been fetched."""


class SpaceMismatch(SaysoError):
    """Vectors of one model meet a classifier or an index of another."""


class NotFound(SaysoError):
    """The library holds nothing of that name or number."""


def sentences(text: str) -> str:
    """A message with its remedy, which stands behind the last semicolon, as a sentence of its own."""
    wrong, mark, remedy = text.rpartition("; ")
    return f"{wrong}. {remedy[0].upper()}{remedy[1:]}" if mark and remedy else text


def unexpected(error: Exception) -> str:
    """The sentence for an error that is not a SaysoError: a mistake of ours, whose traceback is in the log."""
    return f"Something unexpected went wrong ({type(error).__name__}); see the log and report it."
