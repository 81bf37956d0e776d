"""Three ways to hold vectors in FAISS, by how many there are. All answer which are nearest; two of them nearly.

flat   up to 200,000      every number in full; exact
scan   up to a million    a byte for each number: a quarter of the memory, twice as fast; every vector is looked at
lists  beyond             the same bytes, sorted into lists by a coarse clustering; only the nearest lists are looked at

Measured with generated vectors of 512 numbers (`benchmarks/filled.py`) on one core, queries as of texts, recall@10 after the
candidates were scored again exactly: at 200,000 `scan` 4.6 ms and 1.0 (full numbers: 12.6 ms), at a million 27 ms and 1.0
(59 ms), where the ten best by bytes alone are 98 % right.
"""

from typing import Any, Literal

import faiss
import numpy as np

Kind = Literal["flat", "scan", "lists", "milvus"]  # the last one is not FAISS's: see `milvus`
FLAT_MOST = 200_000
SCAN_MOST = 1_000_000
GOOD_RECALL = 0.995  # of the ten nearest, which `lists` must find: as many of them are looked at as that takes
TRAINING_PER_LIST = 64


def kind_for(count: int) -> Kind:
    """The way to hold this many vectors."""
    return "flat" if count <= FLAT_MOST else "scan" if count <= SCAN_MOST else "lists"


def training_size(kind: Kind, count: int) -> int:
    """How many of `count` vectors `make` should be shown."""
    return 0 if kind == "flat" else min(count, 20_000 if kind == "scan" else TRAINING_PER_LIST * _lists(count))


def make(kind: Kind, dim: int, sample: np.ndarray, count: int) -> "Held":
    """An empty index for about `count` vectors; `sample` [n, dim] are some of those to come."""
    if kind == "flat":
        return Flat(faiss.IndexIDMap(faiss.IndexFlatIP(dim)))
    if kind == "scan":
        codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        codes.sq.rangestat_arg = 0.1  # a tenth of room above and below what the sample shows
        codes.train(sample)
        return Scan(faiss.IndexIDMap(codes))
    lists = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim), dim, _lists(count), faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    lists.cp.niter, lists.cp.max_points_per_centroid, lists.cp.min_points_per_centroid = 8, TRAINING_PER_LIST, 1
    lists.sq.rangestat_arg = 0.1
    lists.train(sample)
    return Lists(lists)


def opened(index: Any) -> "Held":
    """What holds an index that FAISS has read from a file. Raises ValueError for one that is none of ours."""
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return Lists(index)
    if isinstance(index, faiss.IndexIDMap):  # also IndexIDMap2, which was written once
        inner = faiss.downcast_index(index.index)
        if isinstance(inner, faiss.IndexFlatIP):
            return Flat(index)
        if isinstance(inner, faiss.IndexScalarQuantizer):
            return Scan(index)
    raise ValueError("not an index of Sayso")


def _lists(count: int) -> int:
    return max(1, round(2 * count**0.5))


class Held:
    """Vectors in FAISS. `ids` are their ids, int64 [n], ascending; `exact` says whether the scores are true."""

    kind: Kind
    exact = False

    def __init__(self, index: Any) -> None:
        self.index = index
        self.ids = self._read_ids()

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def dim(self) -> int:
        return int(self.index.d)

    def add(self, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Take in vectors, float32 [n, dim]; their ids ascend and are higher than all before."""
        self.index.add_with_ids(vectors, ids)
        self.ids = np.concatenate([self.ids, ids])

    def remove(self, ids: np.ndarray) -> None:
        """Let go of the vectors with these ids; the others stay as they are."""
        self.index.remove_ids(faiss.IDSelectorBatch(ids))
        self.ids = self.ids[~np.isin(self.ids, ids, assume_unique=True)]

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Where those of these ids that are here stand in `ids`, in order, each once."""
        last = int(self.ids[-1]) if len(self.ids) else -1
        is_wanted = np.zeros(last + 1, bool)
        is_wanted[ids[(ids >= 0) & (ids <= last)]] = True
        return np.flatnonzero(is_wanted[self.ids])

    def nearest(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Ids and scores of the at most k nearest to a unit vector [dim], best first; `rows` of `ids` are the only ones."""
        k = min(k, len(self) if rows is None else len(rows))
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        scores, ids = self._search(query[None], k, rows)
        found = ids[0] >= 0
        return ids[0][found], scores[0][found]

    def _read_ids(self) -> np.ndarray:
        return np.asarray(faiss.vector_to_array(self.index.id_map))

    def _search(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


class Flat(Held):
    """Every number in full."""

    kind: Kind = "flat"
    exact = True

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Copies of the vectors in these rows, float32 [n, dim]."""
        return self._every()[rows]

    def nearest(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        # One matrix product and a partition: for a single query FAISS's own flat search takes twice as long, and its
        # filter longer still.
        every = self._every()
        if rows is None:
            scores = every @ query
        else:  # few are gathered; for many it is quicker to score all than to copy them together
            scores = every[rows] @ query if 4 * len(rows) < len(every) else (every @ query)[rows]
        best = highest(scores, k)
        return self.ids[best if rows is None else rows[best]], scores[best]

    def _every(self) -> np.ndarray:
        """The vectors as they stand in the index's memory, float32 [n, dim]: nothing is copied."""
        flat: Any = faiss.downcast_index(self.index.index)
        return np.asarray(faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d)).reshape(flat.ntotal, flat.d)


class Scan(Held):
    """A byte for each number; every vector is looked at."""

    kind: Kind = "scan"

    def _search(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        parameters: Any = faiss.SearchParameters
        params = None if rows is None else parameters(sel=_bitmap(rows, len(self)))
        scores, found = self.index.index.search(query, k, params=params)  # by row: quicker than through the map of ids
        return scores, np.where(found >= 0, self.ids[found], -1)


class Lists(Held):
    """A byte for each number, in lists of like vectors; the lists nearest to the query are looked at."""

    kind: Kind = "lists"

    @property
    def lists_searched(self) -> int:
        """How many of the lists a search looks at; kept in the file."""
        return int(self.index.nprobe)

    @lists_searched.setter
    def lists_searched(self, count: int) -> None:
        self.index.nprobe = min(count, self.index.nlist)

    def _read_ids(self) -> np.ndarray:
        lists = self.index.invlists
        sizes = [(number, lists.list_size(number)) for number in range(self.index.nlist)]
        parts = [faiss.rev_swig_ptr(lists.get_ids(number), size).copy() for number, size in sizes if size]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def _search(self, query: np.ndarray, k: int, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        parameters: Any = faiss.SearchParametersIVF
        if rows is None:
            params = parameters(nprobe=self.index.nprobe)
        else:  # the nearest of a third lie in three times as many lists, a third of each: the same work
            lists = min(self.index.nlist, -(-self.index.nprobe * len(self) // len(rows)))
            params = parameters(nprobe=lists, sel=_bitmap(self.ids[rows], int(self.ids[-1]) + 1))
        scores, ids = self.index.search(query, k, params=params)
        return scores, ids


def highest(scores: np.ndarray, k: int) -> np.ndarray:
    """Where the k highest scores stand, best first; of equal ones the first."""
    k = min(max(0, k), len(scores))
    best = np.argpartition(-scores, k - 1)[:k] if 0 < k < len(scores) else np.arange(len(scores))[:k]
    return best[np.lexsort((best, -scores[best]))]


def _bitmap(numbers: np.ndarray, size: int) -> Any:
    """A selector of these numbers, all below `size`."""
    is_in = np.zeros(size, bool)
    is_in[numbers] = True
    selector: Any = faiss.IDSelectorBitmap
    return selector(np.packbits(is_in, bitorder="little"))
