"""The vectors in Milvus, a server's or Milvus Lite's folder, instead of in FAISS: for more than one machine's memory holds.

As with FAISS the database is the truth: Milvus names candidates, their scores are computed from the database's vectors, and
what it lacks or has too much is mended from there. Each row has a mark, a checksum of its vector, so that a collection whose
writer was killed, or that belongs to a state before a backup was put back, is mended row by row and never trusted.
"""

import hashlib
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from sqlalchemy import Connection, select

from clipcore import Space
from clipcore.errors import BadInput
from clipcore.pictures.finding import display_path

from ..database import Database, LibraryError, chunks
from ..files import write_beside
from ..tables import Embedding, SpaceRow
from .faiss_indexes import Held, Kind, highest
from .index import VectorIndex

log = logging.getLogger(__name__)

MOST = 16_384  # the most hits that Milvus gives to one search
BATCH = 2_000  # rows in one message: of 2,000 numbers each they stay far below the 64 MB that a server takes
SECONDS = 30  # for a server to answer


class Milvus(Held):
    """A collection of one space. `ids` are those in it as far as this process has seen, int64 [n], ascending."""

    kind: Kind = "milvus"

    def __init__(self, client: Any, name: str, dim: int) -> None:
        self._client, self._name, self._dim = client, name, dim
        self.ids = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dim(self) -> int:
        return self._dim

    def make(self) -> None:
        """Make the collection if there is none, and have it ready to be searched."""
        from pymilvus import DataType, MilvusClient

        if not self._client.has_collection(self._name):
            schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("mark", DataType.INT64)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self._dim)
            index = self._client.prepare_index_params()
            index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
            self._client.create_collection(self._name, schema=schema, index_params=index, consistency_level="Strong")
        self._client.load_collection(self._name)

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Take in vectors, float32 [n, dim]. An id that is there gets the new vector, also one that another process put."""
        for start in range(0, len(ids), BATCH):
            pairs = zip(ids[start : start + BATCH].tolist(), vectors[start : start + BATCH], strict=True)
            rows = [{"id": id_, "mark": mark(vector), "vector": vector} for id_, vector in pairs]
            self._client.upsert(self._name, rows)
        self.ids = np.union1d(self.ids, ids)

    def remove(self, ids: np.ndarray) -> None:
        """Let go of the vectors with these ids."""
        for some in chunks(ids.tolist()):
            self._client.delete(self._name, ids=list(some))
        self.ids = np.setdiff1d(self.ids, ids, assume_unique=True)

    def drop(self) -> None:
        """Delete the collection."""
        self._client.drop_collection(self._name)

    def count(self) -> int:
        """How many rows Milvus itself counts."""
        return int(self._client.query(self._name, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def marks(self) -> dict[int, int]:
        """The mark of every row, by id."""
        marks: dict[int, int] = {}
        pages = self._client.query_iterator(self._name, batch_size=MOST, output_fields=["id", "mark"])
        while page := pages.next():
            marks.update((row["id"], row["mark"]) for row in page)
        pages.close()
        return marks

    def _search(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The k <= MOST nearest of all, or those of them that are among `rows`."""
        [hits] = self._client.search(self._name, list(query), limit=k, anns_field="vector", output_fields=["id"])
        ids = np.array([hit["id"] for hit in hits], np.int64)
        scores = np.array([hit["distance"] for hit in hits], np.float32)
        if rows is not None:
            kept = np.isin(ids, self.ids[rows])
            ids, scores = ids[kept], scores[kept]
        return scores[None], ids[None]


class MilvusIndex(VectorIndex):
    """`VectorIndex` with its vectors in Milvus. Of many ids that are allowed, searches may look at all of the database.

    Beyond 8,000 hits, and where few of the nearest are allowed, the database is read: exact, and seconds for a million.
    """

    def __init__(
        self,
        database: Database,
        space_id: int,
        space: Space,
        folder: Path,
        queries: Callable[[], np.ndarray],
        address: str,
    ) -> None:
        """`address` is a server's http(s)://host:port or a file's name that ends in .db. Raises BadInput for another."""
        super().__init__(database, space_id, space, folder, queries)
        self.file = folder / f"{space.key[:16]}.milvus.npz"  # which ids Milvus has: spares listing them
        self._address = checked(address)
        self._client: Any = None

    def close(self) -> None:
        """Write the list of ids, and let go of the server or the folder."""
        super().close()
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._held = None

    def save(self) -> None:
        """Write which ids Milvus has. Failing costs time later, nothing else."""
        with self._lock:
            held = self._held
            if held is None or self._saved == (now := self._identified(held)):
                return
            try:
                card = {**self._identity(self._last), "last_id": self._last, "recall": self._recall}
                data = io.BytesIO()
                np.savez(data, ids=held.ids, card=np.array(json.dumps(card)))
                write_beside(self.file, data.getvalue())
                self._saved = now
            except OSError as error:
                log.warning("the list of vectors was not written: %s", error)

    def file_fault(self) -> str | None:
        """Which of Milvus's vectors are not the database's; None where all that are there are right."""
        with self._lock, self._plain():
            there = self._connected().marks()
            return "vectors differ" if len(self._right(there)) < len(there) else None

    def forget_file(self) -> None:
        """Drop the collection; it is filled again from the database."""
        with self._lock, self._plain():
            self._connected().drop()
            self.file.unlink(missing_ok=True)
            self._client.close()
            self._client = self._held = self._seen = None

    def _nearest(self, held: Held, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        wanted = min(2 * k + 40, len(held) if rows is None else len(rows))
        if rows is not None and len(rows) <= MOST:
            return self._scored(held.ids[rows], query, k)
        share = 1.0 if rows is None else len(rows) / len(held)
        fetched = int(wanted if rows is None else 1.5 * wanted / share + 100)
        if k > 0 and wanted > 0 and fetched <= MOST:
            with self._plain():
                _, [ids] = held._search(query[None], fetched, rows)
            if len(ids) >= min(wanted, len(held)):
                return self._scored(ids, query, k)
        return self._read_through(query, k, None if rows is None else held.ids[rows])

    def _scored(self, ids: np.ndarray, query: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        ids, vectors = self._stored(ids)
        scores = vectors @ query
        best = highest(scores, k)
        return ids[best], scores[best]

    def _read_through(self, query: np.ndarray, k: int, allowed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The exact answer from all of the database's vectors."""
        ids, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
        with self._database.reading() as connection:
            for some, vectors in self._read(connection, after=0):
                among = np.ones(len(some), bool) if allowed is None else np.isin(some, allowed)
                ids, scores = np.append(ids, some[among]), np.append(scores, vectors[among] @ query)
                best = highest(scores, k)
                ids, scores = ids[best], scores[best]
        return ids, scores.astype(np.float32)

    def _refreshed(self) -> Held:
        with self._plain():
            return super()._refreshed()

    def _load(self) -> Held:
        """The collection with those of its rows that are the database's; the others are taken out of it."""
        held = self._connected()
        try:
            with np.load(self.file) as kept:
                ids, card = kept["ids"], json.loads(str(kept["card"]))
            if {**card, **self._identity(card["last_id"])} == card and held.count() == len(ids):
                held.ids, self._last = ids, int(card["last_id"])
                self._recall = tuple(card["recall"]) if card["recall"] else None
                self._saved = self._identified(held)
                return held
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            log.info("what Milvus holds is compared with the database")
        there = held.marks()
        right = self._right(there)
        held.remove(np.setdiff1d(np.array(list(there), np.int64), right))
        held.ids, self._last = right, int(right[-1]) if len(right) else 0
        return held

    def _right(self, marks: dict[int, int]) -> np.ndarray:
        """The ids, int64 [n] in order, whose marks are those of the database's vectors."""
        right = [np.zeros(0, np.int64)]
        if marks:
            with self._database.reading() as connection:
                for ids, vectors in self._read(connection, after=0):
                    same = [marks.get(id_) == mark(vector) for id_, vector in zip(ids.tolist(), vectors, strict=True)]
                    right.append(ids[np.array(same, bool)])
        return np.concatenate(right)

    def _followed(self, connection: Connection, held: Held, count: int) -> Held:
        """The collection with what has come and without what has gone."""
        self._last = self._append(connection, held, self._last)
        if len(held) != count:
            present = np.array(connection.scalars(self._of_space(Embedding.id)).all(), np.int64)
            held.remove(np.setdiff1d(held.ids, present, assume_unique=True))
            for some in chunks(np.setdiff1d(present, held.ids, assume_unique=True).tolist()):
                held.add(*self._stored(np.array(some, np.int64)))
        self._last = int(held.ids[-1]) if len(held) else 0
        return held

    def _connected(self) -> "Milvus":
        """This space's collection; it is named after the library, since one server may have those of several."""
        if self._client is None:
            self._client = client(self._address)
        with self._database.reading() as connection:
            token = connection.scalar(select(SpaceRow.token).where(SpaceRow.id == self._space_id))
        held = Milvus(self._client, f"sayso_{self._space.key[:16]}_{token}", self._space.dim)
        held.make()
        return held

    @contextmanager
    def _plain(self) -> Iterator[None]:
        """Milvus's faults as one sentence; the next search connects anew. Raises LibraryError."""
        try:
            from pymilvus.exceptions import MilvusException
        except ImportError:
            raise BadInput(MISSING, page=ASK) from None
        try:
            yield
        except MilvusException as error:
            self._held = self._seen = self._client = None
            reason = str(getattr(error, "message", error)).splitlines()[0][:100]
            raise LibraryError(sentence(self._address, reason)) from error


MISSING = "Vectors in Milvus need a package that is not installed; run pip install -r requirements-extras/milvus.txt."
ASK = "Vectors in Milvus need a package. Whoever installed Sayso can add it."  # the same on the page


def mark(vector: np.ndarray) -> int:
    """A checksum of a vector, 64 bits with a sign."""
    data = np.ascontiguousarray(vector, "<f4").tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little", signed=True)


def is_server(address: str) -> bool:
    return "://" in address


def checked(address: str) -> str:
    """An address that Milvus's client can use. Raises BadInput."""
    if is_server(address):
        if urlsplit(address).scheme in ("http", "https") and urlsplit(address).hostname:
            return address
    elif address.endswith(".db"):
        return str(Path(address).expanduser().absolute())
    raise BadInput(
        "Vectors are kept at a Milvus server, http://host:19530; or name a file of Milvus Lite, such as vectors.db."
    )


def client(address: str) -> Any:
    """A connection; SAYSO_VECTORS_TOKEN is the server's token, `user:password`. Raises BadInput, MilvusException."""
    try:
        if not is_server(address):
            import milvus_lite  # noqa: F401  asked for here, since the client only prints that it is missing

            Path(address).parent.mkdir(parents=True, exist_ok=True)
        from pymilvus import MilvusClient
    except ImportError:
        raise BadInput(MISSING, page=ASK) from None
    for name in ("pymilvus", "milvus_lite"):  # they log the traceback of each fault that is a sentence here
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return MilvusClient(address, token=os.environ.get("SAYSO_VECTORS_TOKEN", ""), timeout=SECONDS)


def sentence(address: str, reason: str) -> str:
    """What a person reads when Milvus fails; an address is shown without a password."""
    if is_server(address):
        parts = urlsplit(address)
        where = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        return f"Milvus at {where} does not answer as it should ({reason}); check that it runs, then search again."
    shown = display_path(Path(address))
    if "open local milvus" in reason.lower():
        return f"Another process has {shown} open, and Milvus Lite serves one at a time; end that one or use a server."
    return f"Milvus Lite cannot use {shown} ({reason}); delete it, and it is filled again from the library."
