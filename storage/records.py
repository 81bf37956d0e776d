"""What leaves storage: frozen records, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from clipcore import Classifier
from clipcore.images import display_path


@dataclass(frozen=True)
class ImageRecord:
    """One picture file. `path` opens the file, whatever its name; `name` and `shown_path` are safe to show.

    `taken` is the camera's own clock, with no time zone; it and `camera` are None where the file does not say.
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

    rank     share of the generic queries that score lower on this picture
    margin   score above this query's cut-off, see `storage.relevance`; a picture `matches` from 0 on

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
    """A folder of the library and how many pictures it shows. `path` is empty for a collection such as dropped images."""

    id: int
    path: str
    name: str
    images: int


@dataclass(frozen=True)
class SkippedRecord:
    """A file that could not be read, as text, and why, as a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class Added:
    """What adding did: pictures embedded now, pictures whose vector was there already, files skipped.

    `image_ids` go with the files that were named one by one, in their order, those that could be read.
    """

    new: int
    known: int
    skipped: list[SkippedRecord]
    folder_id: int
    image_ids: tuple[int, ...] = ()


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


@dataclass(frozen=True)
class Run:
    """One classification kept for the page: a classifier and either the pictures or the folder it was used on."""

    id: str
    classifier: Classifier
    image_ids: tuple[int, ...] | None
    folder_id: int | None
    created: datetime
    skipped: list[SkippedRecord]


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

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")
