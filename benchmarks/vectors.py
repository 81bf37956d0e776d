"""Searching a library of 100,000 vectors: ours, database check included, against FAISS and NumPy used plainly."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from sqlalchemy import insert

from clipcore import Space
from storage import migrate
from storage.database import Database
from storage.tables import Embedding, SpaceRow
from storage.vectors.index import VectorIndex, to_blob

from .pairs import Row, timed_pair

OTHER = "a FAISS flat index with IDSelectorBatch, or NumPy, as named"
DIM, BEST = 512, 20


def run(quick: bool) -> list[Row]:
    """Random unit vectors, one query at a time, the nearest 20; each time is that of ten queries."""
    count = 20_000 if quick else 100_000
    random = np.random.default_rng(0)
    rows = _unit(random.standard_normal((count, DIM), dtype=np.float32))
    queries = _unit(random.standard_normal((10, DIM), dtype=np.float32))
    plain = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))
    plain.add_with_ids(rows, np.arange(1, count + 1))
    with tempfile.TemporaryDirectory() as home:
        database = _filled(Path(home), rows)
        index = _index(database, Path(home))

        def each(search: Callable[[np.ndarray], object]) -> Callable[[], object]:
            return lambda: [search(query) for query in queries]

        def filtered(allowed: np.ndarray) -> Callable[[np.ndarray], object]:
            def search(query: np.ndarray) -> object:
                selector = faiss.IDSelectorBatch(allowed)
                return plain.search(query[None], BEST, params=faiss.SearchParameters(sel=selector))

            return search

        def numpy_search(query: np.ndarray) -> object:
            scores = rows @ query
            best = np.argpartition(-scores, BEST)[:BEST]
            return best[np.argsort(-scores[best])]

        table = [
            timed_pair(
                f"{count:,} vectors, FAISS",
                each(lambda q: index.search(q, BEST)),
                each(lambda q: plain.search(q[None], BEST)),
                5,
            ),
            timed_pair(f"{count:,} vectors, NumPy", each(lambda q: index.search(q, BEST)), each(numpy_search), 5),
        ]
        for share in (0.01, 0.5, 0.95):
            allowed = np.sort(random.permutation(count)[: int(share * count)]) + 1
            ours = each(lambda q, allowed=allowed: index.search(q, BEST, allowed))
            table.append(timed_pair(f"{share:.0%} of them allowed, FAISS", ours, each(filtered(allowed)), 5))
        index.save()
        opened = timed_pair(
            "opening, against a build from an array",
            lambda: len(_index(database, Path(home))),
            lambda: faiss.IndexIDMap2(faiss.IndexFlatIP(DIM)).add_with_ids(rows, np.arange(count)),
            5,
        )
        database.close()
        return [*table, opened]


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _filled(home: Path, rows: np.ndarray) -> Database:
    database = Database.at(home / "sayso.db")
    migrate.upgrade(database, home)
    with database.writing() as connection:
        connection.execute(insert(SpaceRow).values(key="0" * 64, name="random", dim=DIM, token="benchmark"))
    for start in range(0, len(rows), 5000):
        some = enumerate(rows[start : start + 5000], start)
        values = [{"space_id": 1, "content_hash": f"{i:064}", "vector": to_blob(row)} for i, row in some]
        with database.writing() as connection:
            connection.execute(insert(Embedding), values)
    return database


def _index(database: Database, home: Path) -> VectorIndex:
    return VectorIndex(database, 1, Space("0" * 64, "random", DIM), home / "index")
