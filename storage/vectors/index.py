"""The vector index. The database is the truth; FAISS holds a copy in memory, and a checksummed file spares reading it anew.

A file that is missing, damaged or older than the database costs a moment, never a wrong answer: FAISS itself loads a file
with a flipped bit without a word, so the file's sha256 is kept beside it. Beyond 200,000 vectors the copy is reduced (see
`indexes`): it names candidates, and their scores are computed from the database's own vectors.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sqlalchemy import Connection, func, select

from clipcore import Space

from ..database import Database, chunks
from ..files import beside, write_beside
from ..records import IndexInfo
from ..tables import Embedding, SpaceRow
from . import faiss_indexes
from .faiss_indexes import Flat, Held, Kind, Lists, highest

log = logging.getLogger(__name__)
_callbacks: Any = faiss  # reading and writing by Python's own file objects, which FAISS's type hints leave out

BLOCK = 10_000  # vectors that are read at once
RECALL_AT = 10
GROWN = 1.5  # how much larger a library must be than when its recall was measured for the figure to be measured again


class VectorIndex:
    """Search by inner product among the picture vectors of one space; the scores are exact. Threads may share it.

    What another process or thread has added or removed is seen by the next search.
    """

    def __init__(
        self,
        database: Database,
        space_id: int,
        space: Space,
        folder: Path,
        queries: Callable[[], np.ndarray] = lambda: np.zeros((0, 0), np.float32),
    ) -> None:
        """Nothing is read before the first search. `folder` takes the file; `queries` gives unit vectors [m, dim], such as
        people search with, by which a reduced index is measured."""
        self._database = database
        self._space_id = space_id
        self._space = space
        self.file = folder / f"{space.key[:16]}.faiss"
        self._queries = queries
        self._lock = threading.RLock()
        self._held: Held | None = None
        self._seen: int | None = None  # the database's version when the index was compared with it
        self._last = 0  # the highest id in the index; a row with a higher one is not in it yet
        self._saved: tuple[Any, ...] | None = None  # what the file holds
        self._recall: tuple[float, int] | None = None  # what was measured, and among how many vectors
        self._answer: tuple[bytes, int, np.ndarray, np.ndarray] | None = None  # the last search of everything
        self._sorter: threading.Thread | None = None
        self._leaving = threading.Event()

    def search(
        self, query: np.ndarray, k: int, allowed: Collection[int] | np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids (int64 [m]) and scores (float32 [m]) of the m <= k nearest rows, best first, to a unit vector [dim].

        `allowed` are the only ids that may be found; None allows all.
        """
        query = np.ascontiguousarray(query, np.float32)
        with self._lock:
            held = self._refreshed()
            if allowed is not None:
                return self._nearest(held, query, k, held.rows_of(_array(allowed)))
            # The best score of all is asked for first, then the pictures that go with it: the same search twice.
            if self._answer is None or self._answer[0] != query.tobytes() or self._answer[1] < k:
                self._answer = (query.tobytes(), k, *self._nearest(held, query, k, None))
            return self._answer[2][: max(0, k)].copy(), self._answer[3][: max(0, k)].copy()

    def _nearest(self, held: Held, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if held.exact:
            return held.nearest(query, k, rows)
        ids, _ = held.nearest(query, 2 * k + 40, rows)
        ids, vectors = self._stored(ids)
        scores = vectors @ query
        best = highest(scores, k)
        return ids[best], scores[best]

    def vectors(self, ids: Collection[int] | np.ndarray) -> np.ndarray:
        """The vectors with these ids, float32 [n, dim], by id; ids that are not there are left out."""
        return self.vectors_by_id(ids)[1]

    def vectors_by_id(self, ids: Collection[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those of these ids that are there, int64 [n] in order, and their vectors, float32 [n, dim]."""
        with self._lock:
            held = self._refreshed()
            rows = held.rows_of(_array(ids))
            if isinstance(held, Flat):
                return held.ids[rows], held.vectors(rows)
            wanted = held.ids[rows]
        return self._stored(wanted)

    def sample(self, most: int) -> np.ndarray:
        """Vectors [n, dim] of at most this many rows, always the same ones as long as nothing changes."""
        with self._lock:
            ids = self._refreshed().ids
        return self.vectors(np.random.default_rng(0).choice(ids, most, replace=False) if len(ids) > most else ids)

    def _stored(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The database's own vectors, with their ids, in order."""
        found: list[int] = []
        vectors = np.empty((len(ids), self._space.dim), np.float32)
        with self._database.reading() as connection:
            for some in chunks(np.sort(ids).tolist()):
                rows = select(Embedding.id, Embedding.vector).where(Embedding.id.in_(some)).order_by(Embedding.id)
                part = connection.execute(rows).all()
                vectors[len(found) : len(found) + len(part)] = from_blobs([row.vector for row in part], self._space.dim)
                found += [row.id for row in part]
        return np.array(found, np.int64), vectors[: len(found)]

    @property
    def state(self) -> tuple[int, int]:
        """How many vectors there are and the highest id: it differs whenever vectors have come or gone."""
        with self._lock:
            return len(self._refreshed()), self._last

    def __len__(self) -> int:
        return self.state[0]

    # what it is, and how good

    def info(self) -> IndexInfo:
        """How the vectors are held, and what searches find of the ten nearest. Takes seconds where it must be measured."""
        with self._lock:
            held = self._refreshed()
            if held.exact:
                return IndexInfo(held.kind, len(held), 1.0, 0)
            if self._recall is None or len(held) > GROWN * self._recall[1]:
                self._measure(held)
            recall, among = self._recall or (None, 0)
            return IndexInfo(held.kind, len(held), recall, among)

    def _measure(self, held: Held) -> None:
        """Hold what searches find against an exact search; for `lists`, look at more of them until that is good."""
        queries = self._queries()
        if not len(queries) or not len(held):
            return
        exact = self._exact(queries, RECALL_AT)
        while True:
            found = [self._nearest(held, query, RECALL_AT, None)[0] for query in queries]
            hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, exact, strict=True))
            self._recall = hits / sum(map(len, exact)), len(held)
            if not isinstance(held, Lists) or self._recall[0] >= faiss_indexes.GOOD_RECALL:
                return
            if held.lists_searched >= held.index.nlist:
                return
            held.lists_searched *= 2

    def _exact(self, queries: np.ndarray, k: int) -> list[np.ndarray]:
        """The ids of the k rows nearest to each query [m, dim], from the database."""
        ids, scores = np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        with self._database.reading() as connection:
            for some, vectors in self._read(connection, after=0):
                fresh = queries @ vectors.T
                best = np.argpartition(-fresh, min(k, len(some)) - 1, axis=1)[:, :k]
                ids, scores = np.hstack([ids, some[best]]), np.hstack([scores, np.take_along_axis(fresh, best, 1)])
                best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
                ids, scores = np.take_along_axis(ids, best, 1), np.take_along_axis(scores, best, 1)
        return list(ids)

    # the file

    def save(self) -> None:
        """Write the file if the index has changed since it was read or written. Failing costs time later, nothing else."""
        with self._lock:
            held = self._held
            if held is None or self._saved == (now := self._identified(held)):
                return
            try:
                digest = hashlib.sha256()
                with beside(self.file) as file:

                    def write(data: bytes) -> int:
                        digest.update(data)
                        return file.write(data)

                    faiss.write_index(held.index, _callbacks.PyCallbackIOWriter(write))
                card = {**self._identity(self._last), "sha256": digest.hexdigest(), "last_id": self._last}
                card |= {"ntotal": len(held), "recall": self._recall}
                write_beside(self._card, json.dumps(card).encode())  # last: until it is there the file does not count
                self._saved = now
            except OSError as error:
                log.warning("the index file was not written: %s", error)

    def close(self) -> None:
        """Write the file, and stop what runs beside."""
        self._leaving.set()
        if self._sorter is not None:
            self._sorter.join()
        self.save()

    @property
    def _card(self) -> Path:
        return self.file.with_suffix(".json")

    def _identified(self, held: Held) -> tuple[Any, ...]:
        return held.kind, len(held), self._last, self._recall

    def file_fault(self) -> str | None:
        """Why the file would not be taken, or which of its vectors are not the database's; None where all is right, or there
        is no file. One that is merely older is right: what is new is read when it is opened."""
        try:
            held, card = self._read_file()
        except FileNotFoundError:
            return None
        except Exception as error:
            return str(error).splitlines()[0][:100]
        try:
            with self._database.reading() as connection:
                for ids, vectors in self._read(connection, after=0):
                    rows = held.rows_of(ids)
                    if len(rows) != np.count_nonzero(ids <= card["last_id"]):
                        return "vectors are missing in it"
                    if isinstance(held, Flat) and not np.array_equal(held.vectors(rows), vectors[np.isin(ids, held.ids)]):
                        return "vectors differ"
        except ValueError:
            return "the database holds vectors of another length"
        return None

    def forget_file(self) -> None:
        """Delete the file; it is written again."""
        self._card.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)

    def _load(self) -> Held:
        """Take the file if it is exactly what was written for this database, else start empty."""
        self._last = 0
        try:
            held, card = self._read_file()
        except FileNotFoundError:
            return self._empty("flat")
        except Exception as error:  # FAISS raises RuntimeError, JSON ValueError, and a stranger's file anything
            log.info("the index is built again from the database: %s", error)
            return self._empty("flat")
        self._recall = tuple(card["recall"]) if card.get("recall") else None
        self._last = int(card["last_id"])
        self._saved = self._identified(held)
        return held

    def _read_file(self) -> tuple[Held, dict[str, Any]]:
        """What the file holds, and its card. Raises whatever a file that is not ours makes FAISS raise."""
        card = json.loads(self._card.read_bytes())
        with open(self.file, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if card["sha256"] != digest or {**card, **self._identity(card["last_id"])} != card:
                raise ValueError("not the file that was written for this library")
            file.seek(0)
            held = faiss_indexes.opened(faiss.read_index(_callbacks.PyCallbackIOReader(file.read)))
        if (held.dim, len(held), len(held.ids)) != (self._space.dim, card["ntotal"], card["ntotal"]):
            raise ValueError("not the size that was written")
        return held, card

    def _identity(self, last_id: int) -> dict[str, Any]:
        """What ties a file to this database and this state of it, also after a backup was put back."""
        with self._database.reading() as connection:
            token = connection.scalar(select(SpaceRow.token).where(SpaceRow.id == self._space_id))
            last_hash = connection.scalar(select(Embedding.content_hash).where(Embedding.id == last_id))
        return {"space": self._space.key, "dim": self._space.dim, "token": token, "last_hash": last_hash}

    # keeping up with the database

    def _refreshed(self) -> Held:
        """The index in the database's state."""
        version = self._database.version()
        if self._held is not None and version is not None and version == self._seen:
            return self._held  # nothing at all was committed: counting a hundred thousand rows is spared
        held = self._held or self._load()
        with self._database.reading() as connection:
            state = self._size(connection)
            if state != (len(held), self._last):
                self._answer = None
                held = self._followed(connection, held, state[0])
        self._held, self._seen = held, version
        if held.kind in ("flat", "scan") and faiss_indexes.kind_for(len(held)) == "lists" and self._sorter is None:
            # takes a minute for a million: searches go on as they are until it is done
            self._sorter = threading.Thread(target=self._sort_into_lists, name="vector-lists", daemon=True)
            self._sorter.start()
        return held

    def _followed(self, connection: Connection, held: Held, count: int) -> Held:
        """The index with what has come and without what has gone."""
        kind: Kind = "scan" if count > faiss_indexes.FLAT_MOST else "flat"
        if isinstance(held, Flat) and kind != "flat":
            held = self._made(connection, kind, count)
        self._last = self._append(connection, held, self._last)
        if len(held) != count:
            present = np.array(connection.scalars(self._of_space(Embedding.id)).all(), np.int64)
            held.remove(np.setdiff1d(held.ids, present, assume_unique=True))
            if len(held) != count:  # a row that came in late with a lower id, as a server's database may have it
                held = self._made(connection, held.kind, count)
                self._last = self._append(connection, held, self._last)
            self._last = int(held.ids[-1]) if len(held) else 0
        return held

    def _made(self, connection: Connection, kind: Kind, count: int) -> Held:
        """An index, empty yet, for all of the database's vectors."""
        self._last, self._recall = 0, None
        if kind == "flat":
            return self._empty(kind)
        return faiss_indexes.make(kind, self._space.dim, self._training(connection, kind, count), count)

    def _empty(self, kind: Kind) -> Held:
        return faiss_indexes.make(kind, self._space.dim, np.zeros((0, self._space.dim), np.float32), 0)

    def _training(self, connection: Connection, kind: Kind, count: int) -> np.ndarray:
        ids = np.array(connection.scalars(self._of_space(Embedding.id)).all(), np.int64)
        size = faiss_indexes.training_size(kind, count)
        return self._stored(np.random.default_rng(0).choice(ids, min(size, len(ids)), replace=False))[1]

    def _sort_into_lists(self) -> None:
        """Build the index of lists beside the one in use, measure it, and put it in its place."""
        try:
            with self._database.reading() as connection:
                count, _ = self._size(connection)
                held = faiss_indexes.make("lists", self._space.dim, self._training(connection, "lists", count), count)
                last = self._append(connection, held, 0)
            if self._leaving.is_set():
                return
            with self._lock:
                self._held, self._last, self._seen, self._answer = held, last, None, None
                self._measure(held)
                self.save()
        except Exception:
            log.exception("the vectors could not be sorted into lists; searching goes on without")

    def _append(self, connection: Connection, held: Held, after: int) -> int:
        """Take in the rows with a higher id than `after`; returns the highest."""
        for ids, vectors in self._read(connection, after):
            held.add(ids, vectors)
            after = int(ids[-1])
            if self._leaving.is_set():
                break
        return after

    def _read(self, connection: Connection, after: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Ids and vectors of the rows with a higher id, in order, a block at a time."""
        rows = select(Embedding.id, Embedding.vector).where(Embedding.space_id == self._space_id, Embedding.id > after)
        in_blocks = {"yield_per": BLOCK}  # else a server's driver would take them all in at once
        for part in connection.execute(rows.order_by(Embedding.id), execution_options=in_blocks).partitions():
            ids = np.array([row.id for row in part], np.int64)
            yield ids, from_blobs([row.vector for row in part], self._space.dim)

    def _size(self, connection: Connection) -> tuple[int, int]:
        count, last = connection.execute(self._of_space(func.count(), func.max(Embedding.id))).one()
        return count, last or 0

    def _of_space(self, *columns: Any) -> Any:
        return select(*columns).where(Embedding.space_id == self._space_id)


def to_blob(vector: np.ndarray) -> bytes:
    """A vector as the database keeps it: float32, little-endian."""
    return np.ascontiguousarray(vector, "<f4").tobytes()


def from_blobs(blobs: Collection[bytes], dim: int) -> np.ndarray:
    """Kept vectors as one array, float32 [n, dim]."""
    # a bytearray, because an array on top of bytes could not be written to
    return np.frombuffer(bytearray().join(blobs), "<f4").reshape(-1, dim).astype(np.float32, copy=False)


def _array(ids: Collection[int] | np.ndarray) -> np.ndarray:
    return ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64, len(ids))
