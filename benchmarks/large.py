"""Libraries of 10,000 to a million images: opening, search and recall, against FAISS used plainly on the same vectors.

Rows and vectors are generated (`filled.Law`), queries are as of texts, no model runs. What is compared with, as named: a
flat FAISS index, a byte for each number (SQ8) and inverted lists of such bytes, all read from a file and searched for the
same number of vectors, without a database or records.
"""

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from clipcore import Space
from storage import Library
from storage.vectors.index import VectorIndex

from .filled import Law, filled
from .pairs import Row, timed_pair
from .search import SHOWN, Texts

OTHER = "FAISS alone, as named"
QUERIES, BEST = 24, 10


def run(quick: bool) -> list[Row]:
    """10,000 and 100,000 images; without `quick` a million, too, which takes 8 GB of memory and as much of disk."""
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    return [row for size in sizes for row in _of_size(size)]


def _of_size(size: int) -> list[Row]:
    law = Law(size)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        filled(home, law).close()
        rows = np.concatenate(list(Law(size).pictures()))  # the same again
        queries = law.texts(QUERIES)
        truth = [set(best.tolist()) for best in np.argsort(-(queries @ rows.T), axis=1)[:, :BEST]]
        encoder: Any = Texts(law)
        numbers = count()
        with Library(home, encoder) as library:  # builds the index and keeps it
            library.find("the first search")
            index = VectorIndex(library.database, 1, Space("0" * 64, "random", law.dim), home / "index")
            index.info()  # sorted into lists, where it comes to that
            mine = _recall([index.search(query, BEST)[0] - 1 for query in queries], truth)
            table = []
            for name, other in _choices(rows):
                theirs = _recall([other.search(query[None], BEST)[1][0] for query in queries], truth)
                table.append(
                    timed_pair(
                        f"{size:,}: words to {SHOWN} hits, recall@10 {mine:.3f}; {name} {theirs:.3f}",
                        lambda: library.find(f"text {next(numbers)}", limit=SHOWN, everything=True),
                        lambda other=other: other.search(law.texts(1), SHOWN),
                        9,
                    )
                )
            index.save()
        file = home / "flat.faiss"
        faiss.write_index(_flat(rows), str(file))

        def opened() -> None:
            with Library(home, encoder) as library:
                library.find("the first search", limit=SHOWN)

        def read() -> object:
            return faiss.read_index(str(file)).search(queries[:1], SHOWN)

        return [*table, timed_pair(f"{size:,}: opening and the first search, against reading a flat index", opened, read, 5)]


def _choices(rows: np.ndarray) -> list[tuple[str, Any]]:
    """What one would build with FAISS alone."""
    dim = rows.shape[1]
    codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    codes.train(rows[:20_000])
    codes.add(rows)
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, 256, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    lists.train(rows[:20_000])
    lists.add(rows)
    lists.nprobe = 8
    return [("flat", _flat(rows)), ("SQ8", codes), ("IVF256-SQ8, 8 lists", lists)]


def _flat(rows: np.ndarray) -> Any:
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index


def _recall(found: list[np.ndarray], truth: list[set[int]]) -> float:
    return float(np.mean([len(best.intersection(ids.tolist())) / BEST for ids, best in zip(found, truth, strict=True)]))
