"""A plane on which alike pictures lie together: t-SNE by openTSNE, or the two main directions where that is not installed.

What is fitted first is at most FITTED vectors, drawn by chance; each of the others, and whatever comes later, is put where
the fitted vectors that are nearest to it lie. So a library of a million takes minutes and not hours, and new pictures take
their places at once, while everything else stays where a person has learnt to find it.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from clipcore import Step

FITTED = 30_000
FEWEST = 30  # vectors; of fewer t-SNE has nothing to say
DIMENSIONS = 50  # that are left for finding neighbours, as is usual before t-SNE
NEIGHBOURS = 15  # whom a picture is drawn to, each alike; like UMAP's default
BESIDE = 7  # fitted vectors that say where another one goes
CALLS = 25  # iterations in one step
EARLY, LATE = 250, 500  # iterations, as in openTSNE's defaults
BLOCK = 20_000
FEW = 5_000
SAME = 1e-5  # between any two numbers of vectors that are all alike, but for rounding: nothing tells them apart

Read = Callable[[np.ndarray], np.ndarray]  # some of the numbers 0 to count -> their vectors, float32 [n, dim]


@dataclass(frozen=True, eq=False)
class Layout:
    """How a vector finds its place.

    method  "t-SNE" or "PCA"
    mean    [dim], basis [dim, p]: what is taken from a vector, and the directions that are left of it
    marks   [m, p], what was fitted, and `lies` [m, 2], where; for "PCA" there are none: the basis leads onto the plane
    """

    method: str
    mean: np.ndarray
    basis: np.ndarray
    marks: np.ndarray
    lies: np.ndarray

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """Where vectors [n, dim] go: float32 [n, 2], most of them within -1 and 1."""
        reduced = np.ascontiguousarray((vectors - self.mean) @ self.basis, np.float32)
        if not len(self.marks) or not len(reduced):
            return reduced[:, :2]
        _, near = _nearest(self.marks, reduced, min(BESIDE, len(self.marks)))
        around = self.lies[near]
        # the median is among those that agree, where a mean would lie between two groups; a little to the nearest, so that
        # what is new does not all lie on one point
        middle = np.median(around, axis=1)
        return np.asarray(middle + 0.3 * (around[:, 0] - middle), np.float32)


def has_tsne() -> bool:
    """Whether openTSNE is installed."""
    from importlib.util import find_spec

    return find_spec("openTSNE") is not None


def iter_layout(count: int, read: Read, seed: int = 0) -> Generator[Step, None, tuple[Layout, np.ndarray]]:
    """Lay out so many vectors; returns how, and the places float32 [count, 2]. The same vectors are laid out alike again."""
    chance = np.random.default_rng(seed)
    fitted = np.sort(chance.permutation(count)[:FITTED])
    yield Step(0, 0, "reading vectors")
    vectors = read(fitted)
    mean = vectors.mean(0, dtype=np.float64).astype(np.float32) if count else np.zeros(vectors.shape[1], np.float32)
    centred = vectors - mean
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1].astype(np.float32)  # the largest first
    directions *= np.sign(directions.sum(0)) + (directions.sum(0) == 0)  # else their sign is any
    if count < FEWEST or not has_tsne() or np.ptp(centred) < SAME:
        basis = np.zeros((vectors.shape[1], 2), np.float32)
        basis[:, : min(2, directions.shape[1])] = directions[:, :2]
        far = np.abs(centred @ basis).max(initial=1e-9)
        layout = Layout("PCA", mean, basis / far, np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
    else:
        basis = np.ascontiguousarray(directions[:, :DIMENSIONS])
        marks = np.ascontiguousarray(centred @ basis)
        lies = yield from _tsne(marks)
        layout = Layout("t-SNE", mean, basis, marks, lies)
    del vectors, centred
    places = np.zeros((count, 2), np.float32)
    places[fitted] = layout.lies if len(layout.lies) else layout.place(read(fitted))
    others = np.setdiff1d(np.arange(count), fitted, assume_unique=True)
    for start in range(0, len(others), BLOCK):
        yield Step(start, len(others), "placing the others")
        some = others[start : start + BLOCK]
        places[some] = layout.place(read(some))
    return layout, places


def _tsne(rows: np.ndarray) -> Generator[Step, None, np.ndarray]:
    """The places of rows [n, p], float32 [n, 2], within -1 and 1."""
    import time

    from openTSNE import TSNEEmbedding, affinity, initialization, nearest_neighbors

    yield Step(0, 0, "looking for neighbours")
    count = min(NEIGHBOURS, len(rows) - 1)
    distances, near = _nearest(rows, rows, count + 1)
    known = nearest_neighbors.PrecomputedNeighbors(near[:, 1:], np.sqrt(np.maximum(distances[:, 1:], 0)))
    jobs = faiss.omp_get_max_threads() if len(rows) > FEW else 1  # threads that wait for each other cost more than few take
    drawn = affinity.Uniform(knn_index=known, k_neighbors=count, n_jobs=jobs)
    flat = rows[:, :2].astype(np.float64)
    flat += np.random.default_rng(0).normal(0, 1e-6, flat.shape)  # or pictures that are all the same would have no width
    start = initialization.rescale(flat)
    embedding: Any = TSNEEmbedding(start, drawn, n_jobs=jobs, random_state=0)
    began = time.monotonic()
    for done in range(0, EARLY + LATE, CALLS):
        rate = done / max(time.monotonic() - began, 1e-9)
        yield Step(done, EARLY + LATE, "laying out the map", {"per_second": rate} if done else {})
        is_early = done < EARLY
        embedding.optimize(CALLS, exaggeration=12 if is_early else 1, momentum=0.5 if is_early else 0.8, inplace=True)
    places = np.asarray(embedding, np.float64)
    low, high = places.min(0), places.max(0)
    return ((places - (low + high) / 2) / max((high - low).max() / 2, 1e-9)).astype(np.float32)


def _nearest(marks: np.ndarray, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances and numbers of the nearest marks to each row, exactly: with 50 numbers each that is quick."""
    index = faiss.IndexFlatL2(marks.shape[1])
    index.add(marks)
    distances, near = index.search(rows, count)
    return distances, near.astype(np.int64)
