"""Bringing pictures in: a look at every file, then decoding and embedding for those that are new.

Each batch is one transaction. `kill -9` loses the batch in flight; the next run finds what is done and goes on.
"""

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from clipcore import BadImage, BadInput, Step
from clipcore.encoding.stream import Batch, Picture, embed_files
from clipcore.pictures.exif import Facts
from clipcore.pictures.finding import Skipped, display_path, find_images
from clipcore.pictures.named_dates import named_date
from clipcore.pictures.pixels import pixel_hash
from clipcore.pictures.reading import content_hash, picture_facts, read_bytes
from clipcore.pictures.towns import Position, place_names

from ..database import IN_LIMIT, Database, chunks
from ..records import Added, SkippedRecord
from ..tables import Embedding, Image, file_date
from ..tables import Skipped as SkippedRow
from ..vectors.index import to_blob
from ..vectors.spaces import Model
from . import ratings
from .folders import below, find_folder, open_folder
from .identity import keep_pixels, kept_labels, settle, unlooked

MOST_AT_HAND = 300_000  # contents, in 40 MB; to ask for one takes 0.3 ms, of the 10 or more that embedding a picture takes
AT_HAND_FOR_EACH = 100  # file that is read: for a handful a large library is not read through

EMPTIED = (
    "The folder {} has no picture any more, but had {:,}, which are kept in the library; connect its disk and add it again, "
    "or remove the folder from the library if they are gone for good."
)


@dataclass(frozen=True)
class _Listed:
    """What the library knows of a file."""

    id: int
    content_hash: str
    state: tuple[int, int]  # size and time of change, which tell that a file need not be read again
    missing: bool
    looked_at: bool  # whether its date, camera, orientation, place and stars are known
    embedded: bool  # whether its content has a vector of the model in use


@dataclass
class Read:
    """What reading files has given so far: pictures embedded, pictures whose vector was there, and what to tell of files.

    `under_way` are files that somebody else has read and not told of yet.
    """

    new: int = 0
    known: int = 0
    skipped: list[SkippedRecord] = field(default_factory=list)
    replaced: list[SkippedRecord] = field(default_factory=list)
    noted: list[SkippedRecord] = field(default_factory=list)
    under_way: int = 0

    @property
    def done(self) -> int:
        return self.new + self.known + len(self.skipped) + self.under_way


# Has files read otherwise than here and now, see `storage.pieces`: a folder's id and paths; what it has given so far
Share = Callable[[int, Sequence[str]], Iterator[Read]]


def add_folder(
    database: Database,
    model: Model,
    folder: str | Path,
    name: str | None,
    ignore: Path,
    again: bool = False,
    share: Share | None = None,
) -> Generator[Step, None, Added]:
    """Add every picture below a folder, or look at it again. Pictures that are gone are hidden until they come back.

    With `again` every file is read, also where size and time say that it is the same: some programs keep both.

    What lies below `ignore` is left out. Nothing is known of a folder below that may not be read, nor of a disk that is not
    there: what the library has of them stays as it is. Raises BadInput if the folder is not there.
    """
    if not str(folder).strip():
        raise BadInput("No folder was named; give the path of a folder with pictures.")
    try:
        root = os.path.abspath(Path(folder).expanduser())
        passed_over: list[Skipped] = []
        found = find_images(root, passed_over)
    except (OSError, RuntimeError, ValueError) as error:  # a name of 10,000 letters, or ~nobody
        raise BadInput(f"The folder cannot be opened ({error.__class__.__name__}); check the path.") from error
    yield Step(0, 0, "looking for pictures")
    files = [str(path) for path in found if not path.is_relative_to(ignore)]
    folder_id = open_folder(database, root, name)
    with database.reading() as connection:
        listed = _listed(connection, model.space_id, below(Image.path, root))
        skipped = set(connection.scalars(select(SkippedRow.path).where(below(SkippedRow.path, root))))
    gone = [path for path, row in listed.items() if not row.missing]
    if gone and not files and not passed_over:  # most likely a disk that is not connected
        return Added(0, 0, [], folder_id, note=EMPTIED.format(display_path(root), len(gone)))
    added = yield from _add(database, model, files, folder_id, listed, again, share)
    present = set(files)
    shut = tuple(str(bad.path) + os.sep for bad in passed_over)
    with database.writing() as connection:
        hidden = [path for path in gone if path not in present and not path.startswith(shut)]
        _set_missing(connection, [listed[path].id for path in hidden], True)
        _put_skipped(database, connection, folder_id, passed_over)
        for paths in chunks(skipped - present - {str(bad.path) for bad in passed_over}):
            connection.execute(delete(SkippedRow).where(SkippedRow.path.in_(paths)))
    return replace(
        added, skipped=[*(SkippedRecord(display_path(bad.path), bad.reason) for bad in passed_over), *added.skipped]
    )


def add_files(database: Database, model: Model, files: Sequence[str | Path], name: str) -> Generator[Step, None, Added]:
    """Add single files to the collection called `name`; the result names their ids, in order."""
    paths = list(dict.fromkeys(os.path.abspath(file) for file in files))
    folder_id = open_folder(database, "", name)
    listed: dict[str, _Listed] = {}
    with database.reading() as connection:
        for some in chunks(paths):
            listed.update(_listed(connection, model.space_id, Image.path.in_(some)))
    added = yield from _add(database, model, paths, folder_id, listed)
    ids: dict[str, int] = {}
    with database.reading() as connection:
        for some in chunks(paths):
            rows = select(Image.path, Image.id).where(Image.path.in_(some), ~Image.missing)
            ids.update((row.path, row.id) for row in connection.execute(rows))
    image_ids = tuple(ids[path] for path in paths if path in ids)
    return replace(added, image_ids=image_ids)


def add_piece(database: Database, model: Model, folder_id: int, files: Sequence[str]) -> Generator[Step, None, Read]:
    """Read some files of a folder that another process is adding; those that were read before it was cut off stay.

    Raises NotFound if the folder was removed meanwhile.
    """
    listed: dict[str, _Listed] = {}
    with database.reading() as connection:
        for some in chunks(files):
            listed.update(_listed(connection, model.space_id, Image.path.in_(some)))
    states = {path: _state(path) for path in files}
    todo = [path for path in files if not _is_same(listed.get(path), states[path])]
    before, read = len(files) - len(todo), Read()
    yield Step(before, len(files), "embedding")
    for read in _read(database, model, folder_id, todo, states):
        yield Step(before + read.done, len(files), "embedding")
    return replace(read, new=read.new + before)


def _add(
    database: Database,
    model: Model,
    files: Sequence[str],
    folder_id: int,
    listed: dict[str, _Listed],
    again: bool = False,
    share: Share | None = None,
) -> Generator[Step, None, Added]:
    start = time.perf_counter()
    states = {path: _state(path) for path in files}
    same = set() if again else {path for path in files if _is_same(listed.get(path), states[path])}
    back = [listed[path].id for path in same if listed[path].missing]
    if back:
        with database.writing() as connection:
            _set_missing(connection, back, False)

    for done, total in _look_at(database, {path: listed[path].id for path in same if not listed[path].looked_at}):
        yield Step(done, total, "reading dates")
    for done, total in _look_at_pixels(database, same):
        yield Step(done, total, "looking at labelled pictures")

    def step(read: Read) -> Step:
        per_second = round((read.new + read.under_way) / (time.perf_counter() - start), 1)
        metrics = {"new": read.new, "known": len(same) + read.known, "skipped": len(read.skipped), "per_second": per_second}
        return Step(len(same) + read.done, len(files), "embedding", metrics)

    read = Read()
    yield step(read)
    todo = [path for path in files if path not in same]
    with closing(share(folder_id, todo) if share else _read(database, model, folder_id, todo, states)) as parts:  # type: ignore[type-var]
        for read in parts:
            yield step(read)
    replaced, noted = tuple(read.replaced), tuple(read.noted)
    return Added(read.new, len(same) + read.known, read.skipped, folder_id, replaced=replaced, noted=noted)


def _is_same(row: _Listed | None, state: tuple[int, int]) -> bool:
    """Whether a file need not be read: it is as it was, and has its vector."""
    return row is not None and row.state == state and row.embedded


def _read(
    database: Database, model: Model, folder_id: int, files: Sequence[str], states: dict[str, tuple[int, int]]
) -> Iterator[Read]:
    """Read files and write what they give, a batch at a time."""
    read, embedded = Read(), _Embedded(database, model.space_id, len(files))
    todo = [Path(path) for path in files]
    with closing(embed_files(model.encoder, todo, known=embedded.__contains__)) as batches:  # type: ignore[type-var]  # a generator
        for batch in batches:
            read.replaced += _keep(database, model, folder_id, batch, states)
            fresh = embedded.add(picture.content_hash for picture in batch.pictures if picture.vector is not None)
            read.new += fresh
            read.known += len(batch.pictures) - fresh
            read.skipped += [SkippedRecord(display_path(bad.path), bad.reason) for bad in batch.skipped]
            read.noted += [SkippedRecord(display_path(bad.path), bad.reason) for bad in batch.notes]
            yield read


class _Embedded:
    """The contents that have a vector of the model in use: all of them at hand where many files are read and the library is
    not huge, else asked for one by one. Threads may share it."""

    def __init__(self, database: Database, space_id: int, files: int) -> None:
        self._database, self._fresh = database, set[str]()
        self._rows = select(Embedding.content_hash).where(Embedding.space_id == space_id)
        with database.reading() as connection:
            most = min(MOST_AT_HAND, AT_HAND_FOR_EACH * files)
            at_hand = connection.scalars(self._rows.limit(most + 1)).all()
        self._all = set(at_hand) if len(at_hand) <= most else None

    def __contains__(self, content: str) -> bool:
        if content in self._fresh:
            return True
        if self._all is not None:
            return content in self._all
        with self._database.reading() as connection:
            return connection.scalar(self._rows.where(Embedding.content_hash == content)) is not None

    def add(self, contents: Iterable[str]) -> int:
        """Take in contents that have theirs now; returns how many are new."""
        before = len(self._fresh)
        self._fresh.update(contents if self._all is None else set(contents) - self._all)
        return len(self._fresh) - before


def _look_at(database: Database, ids: dict[str, int]) -> Iterator[tuple[int, int]]:
    """Read the date, camera, place and so on of pictures added before Sayso kept them: only the file's header."""
    for start, paths in zip(count(0, IN_LIMIT), chunks(ids), strict=False):
        yield start, len(ids)
        rows = []
        for path in paths:
            with suppress(BadImage):  # out of reach just now: asked again at the next look
                facts = picture_facts(path)
                dated = facts.taken or named_date(path) or file_date(_state(path)[1])
                at = {"north": facts.latitude, "east": facts.longitude, "near": place_names([_position(facts)])[0]}
                also = {"with": facts.camera, "up": facts.orientation, "stars": ratings.found(path, facts.rating)}
                rows.append({"image": ids[path], "when": facts.taken, "date": dated, **also, **at})
        if rows:
            values: dict[str, Any] = {
                "taken": bindparam("when"),
                "dated": bindparam("date"),
                "camera": bindparam("with"),
                "orientation": bindparam("up"),
                "latitude": bindparam("north"),
                "longitude": bindparam("east"),
                "place": bindparam("near"),
                "rating": bindparam("stars"),
            }
            with database.writing() as connection:
                connection.execute(update(Image).where(Image.id == bindparam("image")).values(values), rows)


def _look_at_pixels(database: Database, same: set[str]) -> Iterator[tuple[int, int]]:
    """Read the stored pixels of labelled pictures that were added before Sayso kept their hash, see `.identity`."""
    with database.reading() as connection:
        todo = {path: content for path, content in unlooked(connection).items() if path in same}
    paths = sorted(todo)
    for start in range(0, len(paths), 100):
        yield start, len(todo)
        found: dict[str, str] = {}
        for path in paths[start : start + 100]:
            with suppress(BadImage):  # out of reach just now: asked again at the next look
                if content_hash(data := read_bytes(path)) == todo[path]:
                    found[todo[path]] = pixel_hash(data)
        with database.writing() as connection:
            keep_pixels(connection, found)


def _keep(
    database: Database, model: Model, folder_id: int, batch: Batch, states: dict[str, tuple[int, int]]
) -> list[SkippedRecord]:
    """Write one batch, all of it or nothing; the files that replaced a labelled picture. Raises NotFound if the folder was
    removed meanwhile."""
    replaced: Mapping[str, tuple[str, ...]] = {}
    with database.writing() as connection:
        find_folder(connection, folder_id)
        _insert_vectors(database, connection, model.space_id, [p for p in batch.pictures if p.vector is not None])
        if batch.pictures:
            settled = settle(database, connection, model, batch.pictures)
            replaced = settled.replaced
            _put_images(database, connection, folder_id, batch.pictures, states, settled.pictures)
        if batch.skipped:
            _put_skipped(database, connection, folder_id, batch.skipped)
    return [SkippedRecord(display_path(path), kept_labels(labels)) for path, labels in replaced.items()]


def _insert_vectors(database: Database, connection: Connection, space_id: int, pictures: Iterable[Picture]) -> None:
    rows = [
        {"space_id": space_id, "content_hash": picture.content_hash, "vector": to_blob(picture.vector)}
        for picture in pictures
        if picture.vector is not None
    ]
    if rows:
        connection.execute(database.insert(Embedding).on_conflict_do_nothing(), rows)


def _put_images(
    database: Database,
    connection: Connection,
    folder_id: int,
    pictures: list[Picture],
    states: dict[str, tuple[int, int]],
    picture_of: Mapping[str, str],
) -> None:
    places = place_names([_position(picture.facts) for picture in pictures])
    rows = [
        {
            "folder_id": folder_id,
            "path": str(picture.path),
            "content_hash": picture.content_hash,
            "picture": picture_of[picture.content_hash],
            **asdict(picture.facts),
            "rating": ratings.found(str(picture.path), picture.facts.rating),
            "size": states[str(picture.path)][0],
            "mtime_ns": states[str(picture.path)][1],
            "dated": picture.facts.taken or named_date(picture.path) or file_date(states[str(picture.path)][1]),
            "place": place,
            "missing": False,
        }
        for picture, place in zip(pictures, places, strict=True)
    ]
    insert = database.insert(Image)
    changed = (
        "content_hash",
        "picture",
        "size",
        "mtime_ns",
        "dated",
        "place",
        "missing",
        *(fact.name for fact in fields(Facts)),
    )
    connection.execute(
        insert.on_conflict_do_update(index_elements=["path"], set_={name: insert.excluded[name] for name in changed}), rows
    )
    connection.execute(delete(SkippedRow).where(SkippedRow.path.in_([row["path"] for row in rows])))


def _put_skipped(database: Database, connection: Connection, folder_id: int, skipped: list[Skipped]) -> None:
    if not skipped:
        return
    rows = [{"folder_id": folder_id, "path": str(bad.path), "reason": bad.reason} for bad in skipped]
    insert = database.insert(SkippedRow)
    update_reason = insert.on_conflict_do_update(index_elements=["path"], set_={"reason": insert.excluded.reason})
    connection.execute(update_reason, rows)
    # a picture that was good before and is damaged now
    for paths in chunks([row["path"] for row in rows]):
        connection.execute(update(Image).where(Image.path.in_(paths)).values(missing=True))


def _set_missing(connection: Connection, ids: list[int], missing: bool) -> None:
    if ids:
        change = update(Image).where(Image.id == bindparam("image")).values(missing=missing)
        connection.execute(change, [{"image": image_id} for image_id in ids])


def _listed(connection: Connection, space_id: int, which: object) -> dict[str, _Listed]:
    looked_at = Image.orientation.is_not(None) & Image.place.is_not(None) & Image.rating.is_not(None)
    vector = select(Embedding.id).where(Embedding.space_id == space_id, Embedding.content_hash == Image.content_hash)
    columns = (Image.path, Image.id, Image.content_hash, Image.size, Image.mtime_ns, Image.missing)
    rows = connection.execute(select(*columns, looked_at, vector.exists()).where(which))  # type: ignore[arg-type]
    return {
        path: _Listed(image_id, digest, (size, mtime), missing, bool(looked), bool(embedded))
        for path, image_id, digest, size, mtime, missing, looked, embedded in rows
    }


def _position(facts: Facts) -> Position | None:
    return None if facts.latitude is None or facts.longitude is None else (facts.latitude, facts.longitude)


def _state(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (-1, -1)  # reading it will say why
    return status.st_size, status.st_mtime_ns
