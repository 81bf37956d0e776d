"""What leaves storage: frozen records, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from clipcore import NONE, UNSURE, Classifier, Prediction
from clipcore.pictures.finding import display_path

from .filters import Filters

Verdict = tuple[str, ...] | int | None  # the labels of a picture; clipcore.UNSURE or NONE; None where nobody said


@dataclass(frozen=True)
class ImageRecord:
    """One picture file. `path` opens the file, whatever its name; `name` and `shown_path` are safe to show.

    `content_hash` names the file's bytes, `picture` the picture that they are of, see `storage.pictures.identity`.

    `taken` is the camera's own clock, with no time zone; it and `camera` are None where the file does not say. `dated` is
    the picture's date: `taken`, or else the one in the file's name, or when it was last changed, by this computer's clock.
    `place` is the nearest town with its region and country; empty where there is none, None where nobody has looked yet.
    """

    id: int
    path: str
    content_hash: str
    width: int
    height: int
    folder_id: int
    taken: datetime | None = None
    camera: str | None = None
    mtime_ns: int = 0
    dated: datetime = datetime(1970, 1, 1)
    picture: str = ""
    place: str | None = None

    @property
    def modified(self) -> datetime:
        """When the file was last changed, in the computer's own time zone."""
        return datetime.fromtimestamp(self.mtime_ns / 1e9).astimezone()

    @property
    def name(self) -> str:
        """The file's name as text."""
        return display_path(Path(self.path).name)

    @property
    def shown_path(self) -> str:
        """The path as text."""
        return display_path(self.path)


@dataclass(frozen=True)
class Hit:
    """A picture that was found; `score` is the cosine with the query, so 1 at most.

    In an album without words it is the share that the album's classifier gives, and 1 where filters alone decide.

    rank     share of the generic queries that score lower on this picture
    margin   score above the cut-off, see `storage.vectors.relevance`; a picture `matches` from 0 on

    They are None where there is nothing to hold the score against: a query with a picture or a minus, or not asked for.
    """

    image: ImageRecord
    score: float
    rank: float | None = None
    margin: float | None = None

    @property
    def matches(self) -> bool | None:
        return None if self.margin is None else self.margin >= 0

    @property
    def id(self) -> int:
        return self.image.id

    @property
    def path(self) -> str:
        return self.image.path


@dataclass(frozen=True)
class Found:
    """The answer to a search: some of the `total` pictures that were found, in the order asked for.

    clear        whether anything reaches the query's cut-off; None where there is none
    suggestions  generic words that do match something, if nothing is clear
    """

    hits: list[Hit]
    total: int
    clear: bool | None
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class FolderRecord:
    """A folder of the library and how many pictures it shows. `path` is empty for a collection such as dropped images.

    `every` so many minutes it is looked at again by itself, None where it is not, and what is new is sorted by the saved
    classifier `sorter`.
    """

    id: int
    path: str
    name: str
    images: int
    every: int | None = None
    sorter: str | None = None


@dataclass(frozen=True)
class SkippedRecord:
    """A file that could not be read, as text, and why, as a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class Added:
    """What adding did: pictures embedded now, pictures whose vector was there already, files skipped.

    `image_ids` go with the files that were named one by one, in their order, those that could be read. `replaced` are files
    that look otherwise than the labelled picture that was in their place, with a sentence about the labels. `noted` are
    files that are used though something is wrong with them. `note` says what else to know: that a folder is empty which was
    not.
    """

    new: int
    known: int
    skipped: list[SkippedRecord]
    folder_id: int
    image_ids: tuple[int, ...] = ()
    replaced: tuple[SkippedRecord, ...] = ()
    note: str = ""
    noted: tuple[SkippedRecord, ...] = ()


@dataclass(frozen=True)
class Imported:
    """What importing labels did: pictures that the labels are for, how many changed, paths that are not here, and what else
    to know of the file."""

    pictures: int
    changed: int
    labels: tuple[str, ...]
    unknown: list[SkippedRecord]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassifierRecord:
    """One saved version of a classifier."""

    id: int
    name: str
    version: int
    created: datetime
    kind: str
    labels: tuple[str, ...]
    space_name: str
    space_key: str
    parent_id: int | None = None
    about: str = ""  # a person's own words on it


@dataclass(frozen=True)
class AlbumRecord:
    """A smart album: pictures found by `words`, that the filters leave, and that a classifier calls `label`; or one that was
    put together by hand: `pictures`, by their own names and in their order, None for a smart album.

    `words` may be empty; `classifier` is the name of a saved one, or None.
    """

    id: int
    name: str
    words: str
    filters: "Filters"
    classifier: str | None
    label: str
    created: datetime
    pictures: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Run:
    """One classification kept for the page: a classifier and either the pictures or the folder it was used on.

    edition   goes up whenever the classifier of the run changes
    before    whether there is a classifier to go back to, see `Library.change_run`
    """

    id: str
    classifier: Classifier
    image_ids: tuple[int, ...] | None
    folder_id: int | None
    created: datetime
    skipped: list[SkippedRecord]
    edition: int = 0
    before: bool = False


@dataclass(frozen=True)
class SessionRecord:
    """What someone works on, under a name; where it has several label sets over the same pictures, one of these.

    state    what stands in the page's fields, as plain JSON
    run      the run on its board, None while nothing is sorted
    edition  goes up with each change of `state`
    used     when it was last worked on
    """

    id: int
    name: str
    state: Mapping[str, Any]
    run: str | None
    edition: int
    used: datetime

    @property
    def first(self) -> int:
        """The id of the session's first label set, by which all of them know each other; its own where it is that one."""
        return int(self.state.get("set", {}).get("of") or self.id)

    @property
    def label_set(self) -> str:
        """What the label set is called; "" where the session has had only one."""
        return str(self.state.get("set", {}).get("name", ""))


@dataclass(frozen=True)
class IndexInfo:
    """How the vectors of the model in use are held: `kind` is flat, scan or lists (see
    `storage.vectors.faiss_indexes`), or milvus.

    `recall` is the share of the ten truly nearest that searches find, measured with generic queries by words among
    `measured_among` vectors; 1 where the search is exact, None if nothing could be measured.
    """

    kind: str
    vectors: int
    recall: float | None
    measured_among: int


@dataclass(frozen=True)
class Answer:
    """What is known of one picture, for whoever writes it down: a person's word goes before the classifier's.

    said        the person's verdict
    found       the classifier's, by its dial
    prediction  the classifier's shares of all its labels; None where no classifier was asked
    figure      0.01 to 0.99, how likely the classifier's best label is right; None where none was asked
    why         why the classifier gives no answer, in a few words; "" where it gives one
    author      who with an account said it, and `when`; "" where there are no accounts
    """

    image: ImageRecord
    said: Verdict = None
    found: Verdict = None
    prediction: Prediction | None = None
    figure: float | None = None
    why: str = ""
    author: str = ""
    when: datetime | None = None

    @property
    def verdict(self) -> Verdict:
        return self.found if self.said is None else self.said

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the picture; several where they do not exclude each other."""
        return self.verdict if isinstance(self.verdict, tuple) else ()

    @property
    def by(self) -> str:
        """Whose verdict it is: you, classifier, or nobody's."""
        return "you" if self.said is not None else "classifier" if self.found is not None else ""

    @property
    def runner_up(self) -> tuple[str, float] | None:
        """The classifier's second label with its share."""
        top = self.prediction.top(2) if self.prediction else []
        return top[1] if len(top) > 1 else None


def in_words(verdict: Verdict) -> str:
    """A verdict as text: the labels, unsure, none of these, or nothing."""
    if isinstance(verdict, tuple):
        return "; ".join(verdict)
    return {UNSURE: "unsure", NONE: "none of these"}.get(verdict, "") if verdict is not None else ""


@dataclass(frozen=True)
class ReportRecord:
    """Something measured: `kind` says what, `summary` is what a list shows. `report`, all figures, comes one at a time."""

    id: int
    kind: str
    name: str
    summary: Mapping[str, Any]
    created: datetime
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobRecord:
    """Long work as it stands: `state` is queued, running, done, failed or cancelled."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    message: str
    result: dict[str, Any] | None
    error: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    owner: str = ""  # who asked for it

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")
