"""The tables. They are typed and mapped, but rows are read and written with Core: no object is tracked, none leaves storage.

folders ── images          one row per path, with the content its file had at the last look and the picture that it is
   └────── skipped         files that could not be read, and why
contents                   which picture each content ever seen is of, see `storage.pictures.identity`
spaces ──┬ embeddings      one vector per picture content and model; its id is its number in the FAISS index
         └ prompts         one vector per text and model
classifiers                immutable versions of a name
runs                       one classification kept for the page
sessions                   what someone works on: names, prompts, which pictures, and the run on the board
labels                     what people said of a picture: it is a dog, it is no cat
label_steps                every move of labels, in order, so that each can be taken back
people ──┬ opinions        what each of them said of a picture, where several people label
         └ tokens          what proves who asks: signed-in browsers and programs, as hashes
webhooks                   addresses that are told when a job ends
   └────── deliveries      of which job each is to be told, and what came of it
albums                     searches under a name, run again whenever they are opened; lists of pictures made by hand
apart                      pictures that are no duplicates, though they look alike
ratings                    stars that were given here; those of a file are with its image
reports                    what was measured, with all its figures
jobs                       long work, from the click to the result
"""

import os
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    LargeBinary,
    MetaData,
    Row,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class PathBytes(TypeDecorator[str]):
    """A path, kept as the bytes the file system has: a name that is not valid UTF-8 is a file like any other."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else os.fsdecode(value if isinstance(value, bytes) else bytes(value))


class Moment(TypeDecorator[datetime]):
    """A point in time, in UTC: SQLite drops the time zone, so it is put back; a server gives its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


PLAIN = JSON(none_as_null=True)
AnyRow = Row[*tuple[Any, ...]]


class Base(DeclarativeBase):
    """Names for every constraint, because a migration can only change what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: PLAIN, list[Any]: PLAIN, bytes: LargeBinary}  # noqa: RUF012


class Folder(Base):
    """A folder that was added. An empty path is a collection of single files, such as dropped images.

    `every` so many minutes it is looked at again by itself (NULL: only when asked), the last time when `looked`; what is new
    is then labelled by what the saved classifier called `sorter` is sure of.
    """

    __tablename__ = "folders"
    __table_args__ = (UniqueConstraint("path", "name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(PathBytes)
    name: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(default=now)
    every: Mapped[int | None]
    sorter: Mapped[str | None] = mapped_column(Text)
    looked: Mapped[datetime | None]


def file_date(mtime_ns: int) -> datetime:
    """A file's time of change, in nanoseconds since 1970, by this computer's clock, as cameras write the time."""
    try:
        return datetime.fromtimestamp(mtime_ns / 1e9)
    except (OverflowError, ValueError, OSError):  # a file system that makes up dates
        return datetime(1970, 1, 1)


def _own_content(context: Any) -> str:
    """The picture of a file of which nothing is known: it is named by its own content."""
    return str(context.get_current_parameters()["content_hash"])


class Image(Base):
    """One file. `size` and `mtime_ns` tell whether it must be read again; `missing` hides it until it comes back.

    `picture` is the picture that the file's content is of, as `contents` has it; it never changes while the content stays.

    `taken` is the camera's own clock, with no time zone. `dated`, by which pictures are sorted and filtered, is `taken`, or
    else the file's time of change by this computer's clock. `orientation` is EXIF's, 1 to 8; NULL means that nobody has
    looked for these facts yet: the row is older than the columns. `latitude` and `longitude` are degrees north
    and east by the camera's GPS; `place` is the nearest town in words, empty where there is none, NULL as above. `rating` is
    the file's or its sidecar's, 0 to 5, NULL as above.
    """

    __tablename__ = "images"
    # Ids are never used twice, here and below: a page that is still open must not show another picture for an old id.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folders.id"), index=True)
    path: Mapped[str] = mapped_column(PathBytes, unique=True)
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    picture: Mapped[str] = mapped_column(String(64), index=True, default=_own_content)
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    taken: Mapped[datetime | None] = mapped_column(DateTime, index=True)
    dated: Mapped[datetime] = mapped_column(DateTime, index=True)
    camera: Mapped[str | None] = mapped_column(Text)
    orientation: Mapped[int | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    place: Mapped[str | None] = mapped_column(Text, index=True)
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    missing: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)


class Content(Base):
    """A content that was seen, and the `picture` that it is of: the content hash under which that picture first came.

    `pixels` is its `clipcore.pictures.pixels.pixel_hash`: empty where the format has none, NULL where nobody has looked.
    `replaced` says that it came in the place of a picture that looks otherwise and was given a copy of its labels, and that
    nobody has labelled it since.
    """

    __tablename__ = "contents"

    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    picture: Mapped[str] = mapped_column(String(64), index=True)
    pixels: Mapped[str | None] = mapped_column(String(64), index=True)
    replaced: Mapped[bool] = mapped_column(default=False)


class Rating(Base):
    """The stars, 0 to 5, that somebody gave a picture here."""

    __tablename__ = "ratings"

    picture: Mapped[str] = mapped_column(String(64), primary_key=True)
    stars: Mapped[int] = mapped_column(SmallInteger)


class Skipped(Base):
    """One file that could not be read, and the reason as a sentence."""

    __tablename__ = "skipped"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int] = mapped_column(ForeignKey("folders.id"), index=True)
    path: Mapped[str] = mapped_column(PathBytes, unique=True)
    reason: Mapped[str] = mapped_column(Text)


class SpaceRow(Base):
    """An embedding space. `token` differs in every database, so that an index file of another one is not taken for ours."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Text)
    dim: Mapped[int]
    token: Mapped[str] = mapped_column(String(32))


class Embedding(Base):
    """A picture's vector: float32, little-endian, `dim` numbers. Ids are never used twice, so a higher id is a newer row."""

    __tablename__ = "embeddings"
    __table_args__ = (UniqueConstraint("space_id", "content_hash"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"))
    content_hash: Mapped[str] = mapped_column(String(64))
    vector: Mapped[bytes]


class Prompt(Base):
    """A text's vector, found by the sha256 of the text: a prompt may be longer than an index entry."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("space_id", "text_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    vector: Mapped[bytes]


class ClassifierRow(Base):
    """One version of a classifier, never changed; `parent_id` is the version it replaced. `file` is its safetensors file.
    `about`, a person's own words on it, is that of the name, the same in each version."""

    __tablename__ = "classifiers"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("classifiers.id"))
    created: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(Text)
    labels: Mapped[list[Any]]
    space_key: Mapped[str] = mapped_column(String(64))
    space_name: Mapped[str] = mapped_column(Text)
    file: Mapped[bytes]
    about: Mapped[str] = mapped_column(Text, default="", server_default="")


class RunRow(Base):
    """One classification: which classifier (as a file, it may have no name) met which pictures."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    classifier: Mapped[bytes]
    selection: Mapped[dict[str, Any]]


class SessionRow(Base):
    """What someone works on, under a name. `state` is what stands in the page's fields, and `edition` goes up with it, so
    that two windows do not overwrite each other; `run_id` is the board. `deleted` says since when it can be had back."""

    __tablename__ = "sessions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    edition: Mapped[int] = mapped_column(default=0)
    created: Mapped[datetime] = mapped_column(default=now)
    used: Mapped[datetime] = mapped_column(default=now, index=True)
    deleted: Mapped[datetime | None]


class PersonRow(Base):
    """Somebody with an account; never deleted, for labels name them. `key` is the name as it is compared; `password` an
    argon2 hash, NULL for who comes by a proxy's header or has not chosen one; `role` is of `storage.people.ROLES`."""

    __tablename__ = "people"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, unique=True)
    password: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(default=now)
    disabled: Mapped[datetime | None]


class TokenRow(Base):
    """A secret somebody was given, of which only the sha256 is kept: as a `kind` "api" for programs, "page" for a browser
    that signed in, "invitation" for who may choose a password. Nobody's (NULL) is of the one person alone."""

    __tablename__ = "tokens"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime | None]
    last_used: Mapped[datetime | None]


class Webhook(Base):
    """An address that is told when jobs end in one of the states `events`, with a signature by `secret`."""

    __tablename__ = "webhooks"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    events: Mapped[list[Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class Delivery(Base):
    """A webhook is to be told of the end of a job, or of none as a test: at `due`, until it is `over`.

    `tries` were made so far; `said` is what the last of them came to, such as "200" or why there was no answer.
    """

    __tablename__ = "deliveries"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"), index=True)
    job_id: Mapped[int | None]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    due: Mapped[datetime] = mapped_column(default=now, index=True)
    said: Mapped[str] = mapped_column(Text, default="")
    over: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime] = mapped_column(default=now)


class LabelRow(Base):
    """What a person said of a picture: it is (1), it is not (-1), or cannot be told (0). No row: nothing was said.

    A picture may be a "dog" on one board and "indoor" on another; "none of these" is -1 for each of a board's classes.
    `author_id` said it, NULL where there are no accounts; what others said is in `opinions`. `settled` says that somebody
    decided this where people differed.
    """

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("picture", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    picture: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(Text, index=True)
    value: Mapped[int] = mapped_column(SmallInteger)
    created: Mapped[datetime] = mapped_column(default=now)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    settled: Mapped[bool] = mapped_column(default=False, server_default=false())


class Opinion(Base):
    """What one person last said of a picture, as `LabelRow` has it for all; it stays when another says otherwise."""

    __tablename__ = "opinions"
    __table_args__ = (UniqueConstraint("picture", "label", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    picture: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    value: Mapped[int] = mapped_column(SmallInteger)
    created: Mapped[datetime] = mapped_column(default=now)


class LabelStep(Base):
    """One move of labels. `op` is the browser's own number of it, so that a repeated request is answered and not done twice;
    `changes` are groups of pictures that changed alike: [[pictures], [[label, value before, value after], ...]], null for
    no row; `undoes` is the step it took back. A step of very many pictures is written in parts, so that others get in
    between: `part_of` is its first part, which stands for all. `author_id` made it, and `said` is what it changed in their
    `opinions`, in the form of `changes`; both NULL where there are no accounts."""

    __tablename__ = "label_steps"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    op: Mapped[str] = mapped_column(String(64), unique=True)
    client: Mapped[str] = mapped_column(String(64), index=True)
    changes: Mapped[list[Any]]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("label_steps.id"))
    part_of: Mapped[int | None] = mapped_column(ForeignKey("label_steps.id"), index=True)
    created: Mapped[datetime] = mapped_column(default=now)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    said: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))


class Album(Base):
    """A search under a name: `query` is what to look for and how it is filtered, or the `pictures` put in by hand."""

    __tablename__ = "albums"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    query: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class Apart(Base):
    """Two pictures, in the order of their names, that somebody said are no duplicates; see `storage.pictures.apart`."""

    __tablename__ = "apart"
    __table_args__ = (UniqueConstraint("picture", "other"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    picture: Mapped[str] = mapped_column(String(64))
    other: Mapped[str] = mapped_column(String(64))


class ReportRow(Base):
    """Something measured. `kind` says what (accuracy, prompts, bias, ...); `summary` is what a list shows of it."""

    __tablename__ = "reports"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(Text)
    summary: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    created: Mapped[datetime] = mapped_column(default=now)


class Job(Base):
    """Long work. `owner` says who asked for it, such as a window of the page; `worker` names the process that runs it, and
    `heartbeat` (seconds since 1970) shows that it still lives. `furthest` is how far it has ever been, by the phase of its
    work, and `attempts` counts how often it was begun since it last got further than that."""

    __tablename__ = "jobs"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    owner: Mapped[str] = mapped_column(Text, default="", server_default="")
    state: Mapped[str] = mapped_column(String(16), index=True, default="queued")
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    message: Mapped[str] = mapped_column(Text, default="")
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None] = mapped_column(Text)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    furthest: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    worker: Mapped[str | None] = mapped_column(Text)
    heartbeat: Mapped[float | None]
    created: Mapped[datetime] = mapped_column(default=now)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
