"""A promise: of the pictures that get an answer at most so many are wrong, tested on labels that taught nothing.

`Unseen` is what a classifier said of labelled pictures that it had not learned from. Settings of the dial are tested from
a strict one down, each by the exact binomial test of "more than the promised share of the answers are wrong"; the last one
that passes is used, and the first that does not ends it (fixed sequence testing; Learn then Test, Angelopoulos et al.,
2021). It begins where the figures alone lead one to expect the clearest test: the strictest have too few answers for any.
So the promise is kept with a `confidence` of 90 % over draws of the labels, whatever the model and however far off its
figures, if the labelled pictures are drawn like those to be answered: `drift` tests that. Given the figures each test is on
the safe side (Hoeffding, 1956: errors of unequal chances spread less than a binomial), so its beginning may depend on them.

`sets` has the other promise: a set of names for each picture. docs/promises.md has how both hold on four sets.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..errors import BadInput, TooFewLabels
from .answers import energy, figures_of, stand_alone
from .classifier import Classifier
from .figure import reaches

WRONG = 0.05
CONFIDENCE = 0.9
SETTINGS = tuple(step / 100 for step in range(99, 0, -1))  # of the dial, the strictest first
SAID = 10  # answers that tell something of how often they are wrong, where more labels are asked for
NAMED = 8  # classes in a sentence
MOST = 100_000  # labels; more are never asked for
ONE_OF_SEVERAL = "A promise needs two classes or more of which each image has one; change the classes."
DAMAGED = "What this classifier was tested on is damaged; teach it again."
UNSEEN = "unseen"  # the name among a classifier's metrics


@dataclass(frozen=True, eq=False)
class Unseen:
    """What a classifier says of n labelled pictures that it had not learned from.

    figure  float [n], in whole hundredths: how likely its best label is right
    guess   int [n], the place of its best label
    truth   int [n], the place of the right one; -1 where it is none of the labels
    share   float [n], the share of the right label; 0 where there is none
    fit     float [n], the energy of the picture by the words alone: how well the labels fit it all together
    named   int [n], the place of the best label by the words alone; both are for `drift`, for no label has moved them
    """

    figure: np.ndarray
    guess: np.ndarray
    truth: np.ndarray
    share: np.ndarray
    fit: np.ndarray
    named: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def wrong(self) -> np.ndarray:
        """bool [n], whether the best label is wrong."""
        return np.asarray(self.guess != self.truth)

    def take(self, rows: np.ndarray) -> "Unseen":
        """Some of the pictures: indices, or a mask of n booleans."""
        parts = (self.figure, self.guess, self.truth, self.share, self.fit, self.named)
        return Unseen(*(part[rows] for part in parts))

    def beside(self, other: "Unseen") -> "Unseen":
        """These pictures and others."""

        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self, name), getattr(other, name)])

        return Unseen(both("figure"), both("guess"), both("truth"), both("share"), both("fit"), both("named"))

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        rounded = {name: np.round(getattr(self, name).astype(float), 5).tolist() for name in ("figure", "share", "fit")}
        return {**rounded, **{name: getattr(self, name).tolist() for name in ("guess", "truth", "named")}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Unseen":
        """The inverse of `to_json`. Raises BadInput for what is not of one length and finite."""
        try:
            numbers = [np.array(data[name], float) for name in ("figure", "share", "fit")]
            places = [np.array(data[name], int) for name in ("guess", "truth", "named")]
        except (KeyError, TypeError, ValueError):
            numbers, places = [np.array([np.nan])], []
        if len({part.shape for part in numbers + places}) != 1 or not all(np.isfinite(part).all() for part in numbers):
            raise BadInput(DAMAGED)
        (figure, share, fit), (guess, truth, named) = numbers, places
        return cls(figure, guess, truth, share, fit, named)


@dataclass(frozen=True)
class Promise:
    """At most a share `wrong` of the answers are wrong, if the dial stands at `sure` or above.

    labels, answered, mistakes  what it was tested on: labelled pictures, those answered there, and wrong ones of these
    """

    wrong: float
    confidence: float
    sure: float
    labels: int
    answered: int
    mistakes: int

    @property
    def sentence(self) -> str:
        """The promise in words, with what it was tested on."""
        return (
            f"At most {per_cent(self.wrong)} of the answers are wrong, {per_cent(self.confidence)} sure: "
            f"{self.mistakes} of {self.answered} were, on {self.labels:,} labelled images it had not seen"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def unseen(classifier: Classifier, logits: np.ndarray, truth: np.ndarray, words: np.ndarray | None = None) -> Unseen:
    """What `classifier` says with logits [n, n labels] of pictures that it had not learned from, whose right places are
    truth [n], -1 for none of its labels. `words` are the logits by the words alone; left out, they are these. Raises
    BadInput where labels do not exclude each other."""
    if stand_alone(classifier):
        raise BadInput(ONE_OF_SEVERAL)
    figures, _, shares = figures_of(classifier, logits)
    rows, known = np.arange(len(truth)), truth >= 0
    share = np.where(known, shares[rows, np.maximum(truth, 0)], 0)
    words = logits if words is None else words
    return Unseen(figures.max(1, initial=0), logits.argmax(1), truth, share, energy(words), words.argmax(1))


def with_unseen(classifier: Classifier, found: Unseen) -> Classifier:
    """`classifier` with what it was tested on in its file."""
    return replace(classifier, metrics={**classifier.metrics, UNSEEN: found.to_json()})


def unseen_of(classifier: Classifier) -> Unseen | None:
    """What a classifier was tested on, from its file; None where it never was. Raises BadInput for a damaged one."""
    kept = classifier.metrics.get(UNSEEN)
    if kept is None:
        return None
    found, most = Unseen.from_json(kept), len(classifier.labels)
    places = np.stack([found.guess, found.named, found.truth])
    if (places < np.array([[0], [0], [-1]])).any() or (places >= most).any():
        raise BadInput(DAMAGED)
    return found


def require_unseen(classifier: Classifier) -> Unseen:
    """As `unseen_of`. Raises BadInput where there is nothing that a promise could be tested on."""
    if stand_alone(classifier):
        raise BadInput(ONE_OF_SEVERAL)
    found = unseen_of(classifier)
    if found is None:
        raise BadInput("A promise is tested on labelled images; label some of them first, chosen at random.")
    return found


def promise(found: Unseen, wrong: float = WRONG, confidence: float = CONFIDENCE) -> Promise:
    """The loosest setting of the dial that keeps the promise. Raises TooFewLabels, which says how many more are needed, and
    BadInput where more of them would not help."""
    checked(wrong, confidence)
    chosen = _lowest(found.figure, found.wrong, wrong, confidence)
    if chosen is None:
        raise _refused(found, wrong, confidence)
    sure, answered, mistakes = chosen
    return Promise(wrong, confidence, sure, len(found), answered, mistakes)


def by_class(
    found: Unseen, labels: Sequence[str], wrong: float = WRONG, confidence: float = CONFIDENCE
) -> dict[str, Promise]:
    """The promise for each class by itself, of the pictures that are given its name (Mondrian); classes with too few labels
    are left out."""
    checked(wrong, confidence)
    kept = {}
    for place, label in enumerate(labels):
        own = found.take(found.guess == place)
        if chosen := _lowest(own.figure, own.wrong, wrong, confidence):
            kept[label] = Promise(wrong, confidence, chosen[0], len(own), *chosen[1:])
    return kept


def in_words(classifier: Classifier, wrong: float) -> str:
    """The promise of a classifier, and of which classes it holds by themselves. Raises as `keeping`."""
    found = require_unseen(classifier)
    made = promise(found, wrong)
    own = [label for label, each in by_class(found, classifier.labels, wrong).items() if each.sure <= made.sure]
    if not own or len(own) == len(classifier.labels):
        return f"{made.sentence}{'; each class by itself, too' if own else ''}."
    more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
    return f"{made.sentence}; by themselves, too: {', '.join(own[:NAMED])}{more}."


def keeping(classifier: Classifier, wrong: float) -> tuple[Classifier, Promise]:
    """`classifier` with the dial where a promise is kept, and that. Raises as `require_unseen` and `promise`."""
    made = promise(require_unseen(classifier), wrong)
    return with_promise(classifier, made), made


def with_promise(classifier: Classifier, made: Promise) -> Classifier:
    """`classifier` with the dial where the promise is kept."""
    return classifier.with_decision(replace(classifier.decision, sure=made.sure, promise=made.wrong))


def checked(wrong: float, confidence: float = CONFIDENCE) -> None:
    """Raise BadInput for a promise that cannot be meant."""
    if not (0 < wrong < 0.5 and 0.5 <= confidence < 1):
        raise BadInput("A promise is a share above 0.5 and below 1; choose one, such as 0.95 for at most 5 % wrong.")


def least(wrong: float, confidence: float) -> int:
    """How many answers must all be right for the promise to be kept: 45 for 5 % with a confidence of 90 %."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - wrong) - 1e-9)


def chance_of(mistakes: int, answered: int, wrong: float) -> float:
    """How likely so few mistakes are if a share `wrong` of all answers are: P(Binomial(answered, wrong) <= mistakes)."""
    k = np.arange(mistakes + 1)
    terms = [math.lgamma(answered + 1) - math.lgamma(i + 1) - math.lgamma(answered - i + 1) for i in k.tolist()]
    return float(min(1.0, np.exp(np.array(terms) + k * math.log(wrong) + (answered - k) * math.log1p(-wrong)).sum()))


def _counts(figure: np.ndarray, mistaken: np.ndarray) -> list[tuple[float, int, int]]:
    """(setting, answered, mistakes) for each setting of the dial, the strictest first, without those that change nothing."""
    rows, last = [], 0
    for sure in SETTINGS:
        said = reaches(figure, sure)
        if (answered := int(said.sum())) > last:
            rows.append((sure, answered, int(mistaken[said].sum())))
            last = answered
    return rows


def _start(figure: np.ndarray, rows: Sequence[tuple[float, int, int]], wrong: float, confidence: float) -> int:
    """The row at which testing begins: where the figures alone, no label, lead one to expect the clearest test."""
    total = np.sort(1 - figure).cumsum()

    def expected(answered: int) -> float:
        mistakes = math.ceil(float(total[answered - 1]) - 1e-9)
        if answered < least(wrong, confidence):
            return 2.0
        return chance_of(mistakes, answered, wrong) if mistakes <= wrong * answered else 1.0

    return int(np.argmin([expected(answered) for _, answered, _ in rows])) if rows else 0


def _lowest(figure: np.ndarray, mistaken: np.ndarray, wrong: float, confidence: float) -> tuple[float, int, int] | None:
    rows, chosen = _counts(figure, mistaken), None
    for row in rows[_start(figure, rows, wrong, confidence) :]:
        if chance_of(row[2], row[1], wrong) > 1 - confidence:
            break
        chosen = row
    return chosen


def _refused(found: Unseen, wrong: float, confidence: float) -> BadInput:
    more = needed(found, wrong, confidence)
    told = f"at most {per_cent(wrong)} wrong"
    if more is None:
        return BadInput(f"Even its surest answers are too often wrong for {told}; allow more, or teach it first.")
    are = "1 more label is" if more == 1 else f"{more:,} more labels are"
    return TooFewLabels(f"For {told} there are too few labels; about {are} needed, of images chosen at random.", more)


def needed(found: Unseen, wrong: float, confidence: float) -> int | None:
    """About how many more labels a promise needs, if answers are as often wrong as on these; None where no number of them
    would help."""
    enough, now = least(wrong, confidence), len(found)
    tries = []
    for _, answered, mistakes in _counts(found.figure, found.wrong):
        n = _answers_needed(answered, mistakes, wrong, confidence) if answered >= SAID else None
        if n is not None:
            tries.append(math.ceil(now * n / answered) - now)
    if tries:
        return max(1, min(tries))
    return enough - now if now < enough else None


def _answers_needed(answered: int, mistakes: int, wrong: float, confidence: float) -> int | None:
    """The least number of answers, as often wrong as these, that would pass; None where none would."""
    rate = mistakes / answered

    def passes(n: int) -> bool:
        return chance_of(math.ceil(rate * n - 1e-9), n, wrong) <= 1 - confidence

    high = answered
    while not passes(high):
        high *= 2
        if rate >= wrong or high > MOST:
            return None
    low = max(answered, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle + 1, high)
    return low


def per_cent(share: float) -> str:
    """A share as it is read: 5 %, 2.5 %."""
    return f"{100 * share:.4g} %"
