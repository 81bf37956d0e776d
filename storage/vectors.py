"""The vector index. The database is the truth; FAISS holds a copy in memory, and a checksummed file spares reading it anew.

A file that is missing, damaged or older than the database costs a moment, never a wrong answer: FAISS itself loads a file
with a flipped bit without a word, so the file's sha256 is kept beside it.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from sqlalchemy import Connection, func, select

from clipcore import Space

from .database import Database
from .files import write_beside
from .tables import Embedding, SpaceRow

log = logging.getLogger(__name__)


class VectorIndex:
    """Exact search by inner product among the picture vectors of one space. Threads may share it.

    What another process or thread has added or removed is seen by the next search.
    """

    def __init__(self, database: Database, space_id: int, space: Space, folder: Path) -> None:
        """Nothing is read before the first search. `folder` takes the file."""
        self._database = database
        self._space_id = space_id
        self._space = space
        self._file = folder / f"{space.key[:16]}.faiss"
        self._lock = threading.Lock()
        self._index: Any = None
        self._ids = np.zeros(0, np.int64)  # of the index, row by row
        self._seen: int | None = None  # the database's version when the index was compared with it
        self._last = 0  # the highest id in the index; a row with a higher one is not in it yet
        self._saved: tuple[int, int] | None = None  # count and last id of what the file holds

    def search(
        self, query: np.ndarray, k: int, allowed: Collection[int] | np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ids (int64 [m]) and scores (float32 [m]) of the m <= k nearest rows, best first, to a unit vector [dim].

        `allowed` are the only ids that may be found; None allows all.
        """
        query = np.ascontiguousarray(query, np.float32)
        with self._lock:
            self._refresh()
            # One matrix product and a partition: for a single query FAISS's own flat search takes twice as long, and its
            # filter longer still.
            every = _rows(self._index)
            if allowed is None:
                rows, scores = None, every @ query
            else:
                rows = self._rows_of(allowed)
                # few are gathered; for many it is quicker to score all than to copy them together
                scores = every[rows] @ query if 4 * len(rows) < len(every) else (every @ query)[rows]
            best = _highest(scores, k)
            return self._ids[best if rows is None else rows[best]], scores[best]

    def vectors(self, ids: Collection[int] | np.ndarray) -> np.ndarray:
        """The vectors with these ids, float32 [n, dim], by id; ids that are not there are left out."""
        with self._lock:
            self._refresh()
            return _rows(self._index)[self._rows_of(ids)]

    def _rows_of(self, ids: Collection[int] | np.ndarray) -> np.ndarray:
        """Where these ids stand in the index, in order, each once."""
        wanted = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64, len(ids))
        is_wanted = np.zeros(self._last + 1, bool)
        is_wanted[wanted[(wanted >= 0) & (wanted <= self._last)]] = True
        return np.flatnonzero(is_wanted[self._ids])

    @property
    def state(self) -> tuple[int, int]:
        """How many vectors there are and the highest id: it differs whenever vectors have come or gone."""
        with self._lock:
            self._refresh()
            return self._state

    def __len__(self) -> int:
        with self._lock:
            self._refresh()
            return int(self._index.ntotal)

    def save(self) -> None:
        """Write the file if the index has changed since it was read or written. Failing costs time later, nothing else."""
        with self._lock:
            if self._index is None or self._saved == (self._index.ntotal, self._last):
                return
            try:
                data = faiss.serialize_index(self._index)
                card = {
                    **self._identity(self._last),
                    "sha256": _sha256(data),
                    "ntotal": self._index.ntotal,
                    "last_id": self._last,
                }
                write_beside(self._file, data.data)
                write_beside(self._card, json.dumps(card).encode())  # last: until it is there the file does not count
                self._saved = (self._index.ntotal, self._last)
            except OSError as error:
                log.warning("the index file was not written: %s", error)

    @property
    def _card(self) -> Path:
        return self._file.with_suffix(".json")

    @property
    def _state(self) -> tuple[int, int]:
        return int(self._index.ntotal), self._last

    def _refresh(self) -> None:
        """Bring the index to the database's state."""
        version = self._database.version()
        if version is not None and version == self._seen:
            return  # nothing at all was committed: counting a hundred thousand rows is spared
        if self._index is None:
            self._load()
        with self._database.reading() as connection:
            if self._size(connection) != self._state:
                self._append(connection)
                if self._size(connection) != self._state:  # rows were removed
                    self._index, self._last = _empty(self._space.dim), 0
                    self._append(connection)
                self._ids = _ids(self._index)
        self._seen = version

    def _size(self, connection: Connection) -> tuple[int, int]:
        rows = select(func.count(), func.max(Embedding.id)).where(Embedding.space_id == self._space_id)
        count, last = connection.execute(rows).one()
        return count, last or 0

    def _append(self, connection: Connection) -> None:
        rows = (
            select(Embedding.id, Embedding.vector)
            .where(Embedding.space_id == self._space_id, Embedding.id > self._last)
            .order_by(Embedding.id)
        )
        for part in connection.execute(rows).partitions(10_000):
            ids = np.array([row.id for row in part], np.int64)
            self._index.add_with_ids(from_blobs([row.vector for row in part], self._space.dim), ids)
            self._last = int(ids[-1])

    def _load(self) -> None:
        """Take the file if it is exactly what was written for this database, else start empty."""
        self._index, self._last, self._ids = _empty(self._space.dim), 0, np.zeros(0, np.int64)
        try:
            card = json.loads(self._card.read_bytes())
            data = np.fromfile(self._file, np.uint8)
            if card["sha256"] != _sha256(data) or {**card, **self._identity(card["last_id"])} != card:
                raise ValueError("not the file that was written for this library")
            index = faiss.deserialize_index(data)
            if (index.d, index.ntotal) != (self._space.dim, card["ntotal"]):
                raise ValueError("not the size that was written")
        except FileNotFoundError:
            return
        except Exception as error:  # FAISS raises RuntimeError, JSON ValueError, and a stranger's file anything
            log.info("the index is built again from the database: %s", error)
            return
        self._index, self._last, self._ids = index, int(card["last_id"]), _ids(index)
        self._saved = (index.ntotal, self._last)

    def _identity(self, last_id: int) -> dict[str, Any]:
        """What ties a file to this database and this state of it, also after a backup was put back."""
        with self._database.reading() as connection:
            token = connection.scalar(select(SpaceRow.token).where(SpaceRow.id == self._space_id))
            last_hash = connection.scalar(select(Embedding.content_hash).where(Embedding.id == last_id))
        return {"space": self._space.key, "dim": self._space.dim, "token": token, "last_hash": last_hash}


def to_blob(vector: np.ndarray) -> bytes:
    """A vector as the database keeps it: float32, little-endian."""
    return np.ascontiguousarray(vector, "<f4").tobytes()


def from_blobs(blobs: Collection[bytes], dim: int) -> np.ndarray:
    """Kept vectors as one array, float32 [n, dim]."""
    # a bytearray, because an array on top of bytes could not be written to
    return np.frombuffer(bytearray().join(blobs), "<f4").reshape(-1, dim).astype(np.float32, copy=False)


def _empty(dim: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dim))


def _highest(scores: np.ndarray, k: int) -> np.ndarray:
    """Where the k highest scores stand, best first; of equal ones the first."""
    k = min(max(0, k), len(scores))
    best = np.argpartition(-scores, k - 1)[:k] if 0 < k < len(scores) else np.arange(len(scores))[:k]
    return best[np.lexsort((best, -scores[best]))]


def _ids(index: Any) -> np.ndarray:
    """The ids in an index, int64 [n], row by row."""
    return np.asarray(faiss.vector_to_array(index.id_map))


def _rows(index: Any) -> np.ndarray:
    """The vectors in an index as they stand in its memory, float32 [n, dim]: nothing is copied."""
    flat: Any = faiss.downcast_index(index.index)
    return faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)


def _sha256(data: np.ndarray) -> str:
    return hashlib.sha256(data.data).hexdigest()
