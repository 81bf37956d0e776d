"""The same vectors in Milvus Lite and in FAISS: filling, opening again, searching, and what is found of the ten nearest."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from clipcore import Space
from storage.vectors.index import VectorIndex
from storage.vectors.spaces import index_of

from .pairs import Row
from .vectors import DIM, _filled, _unit

OTHER = "FAISS; both through the library's index, scores from the database"
BEST = 10


def run(quick: bool) -> list[Row]:
    """100,000 unit vectors around 500 centres, 40 queries near them one at a time; a row's recall is in parts of one."""
    count = 10_000 if quick else 100_000
    random = np.random.default_rng(0)
    centres = _unit(random.standard_normal((500, DIM), dtype=np.float32))
    rows = _unit(centres[random.integers(500, size=count)] + 0.04 * random.standard_normal((count, DIM), dtype=np.float32))
    queries = _unit(centres[:40] + 0.04 * random.standard_normal((40, DIM), dtype=np.float32))
    truth = [set((np.argsort(-(rows @ query))[:BEST] + 1).tolist()) for query in queries]
    half = np.arange(1, count + 1, 2)
    with tempfile.TemporaryDirectory() as home:
        database = _filled(Path(home), rows)
        figures: dict[str, list[tuple[str, float, str]]] = {}
        for name, vectors in (("milvus", str(Path(home) / "milvus.db")), ("faiss", None)):

            def opened(vectors: str | None = vectors) -> VectorIndex:
                return index_of(database, 1, Space("0" * 64, "random", DIM), Path(home), lambda: queries, vectors)

            index = opened()
            filled = _seconds(lambda index=index: len(index))
            index.search(queries[0], BEST)
            found = [index.search(query, BEST)[0] for query in queries]
            recall = sum(len(truth[i] & set(ids.tolist())) for i, ids in enumerate(found)) / (BEST * len(queries))
            each = statistics.median(_seconds(lambda q=q, index=index: index.search(q, BEST)) for q in queries)
            some = statistics.median(_seconds(lambda q=q, index=index: index.search(q, BEST, half)) for q in queries[:10])
            index.close()
            index = opened()
            again = _seconds(lambda index=index: len(index))
            index.close()
            figures[name] = [
                ("taken in from the database", filled, "seconds"),
                ("opened again", again, "seconds"),
                ("one search, median", each * 1000, "ms"),
                ("one search, every second id allowed, median", some * 1000, "ms"),
                ("recall of the ten nearest", recall, "of 1"),
            ]
        database.close()
    return [
        Row(f"{count:,} vectors: {case}", round(ours, 4), round(other, 4), round(other / ours, 3), unit, len(queries))
        for (case, ours, unit), (_, other, _) in zip(figures["milvus"], figures["faiss"], strict=True)
    ]


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
