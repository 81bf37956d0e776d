"""Which N pictures to label first: those that stand for a whole folder, chosen before there is any label.

- diverse   each as unlike those already chosen as can be (k-center, Sener and Savarese, 2018): everything odd comes in
- typical   as many clusters as pictures, and the most typical one of each (TypiClust, Hacohen et al., 2022)
- balanced  the same number for each answer that a classifier gives, and within it the typical ones

Which of them gains what over chance, `python -m benchmarks choosing` measures.
"""

import warnings
from typing import Literal, get_args

import numpy as np

from clipcore import BadInput

Way = Literal["diverse", "typical", "balanced"]
WAYS: tuple[Way, ...] = get_args(Way)
SAME = 0.985  # cosine above which two pictures are nearly the same, and one of them is left out
NEIGHBOURS = 20  # by which it is told how typical a picture is
MOST = 20_000  # pictures that are clustered; of more, a sample drawn by chance


def choose(X: np.ndarray, n: int, how: Way = "typical", answers: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """Rows int [at most n] of pictures X [m, dim] to label, in the order in which they stand for the whole.

    answers  int [m], what a classifier says of each, for `balanced`

    Near-duplicates of a chosen picture are left out, so there may be fewer than n. Raises BadInput for no pictures, an n
    below 1, or `balanced` without answers.
    """
    if not len(X):
        raise BadInput("There are no pictures to choose from; add a folder first.")
    if n < 1:
        raise BadInput("Choose at least one picture.")
    if how not in WAYS:
        raise BadInput(f"There is no way {how!r} to choose; it is one of {', '.join(WAYS)}.")
    if how == "balanced" and answers is None:
        raise BadInput("To choose the same number for each answer, give class names.")
    rows = np.arange(len(X))
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(len(X), MOST, replace=False))
    some = np.asarray(X[rows], np.float32)
    if how == "diverse":
        return rows[_farthest(some, n)]
    if how == "typical" or answers is None:
        return rows[_apart(some, _typical(some, n, seed), n)]
    return rows[_apart(some, _balanced(some, n, answers[rows], seed), n)]


def _farthest(X: np.ndarray, n: int) -> np.ndarray:
    """k-center greedily, from the picture nearest to the mean on."""
    chosen = [int((X @ X.mean(0)).argmax())]
    near = X @ X[chosen[0]]
    while len(chosen) < n:
        best = int(near.argmin())
        if near[best] > SAME:
            break
        chosen.append(best)
        near = np.maximum(near, X @ X[best])
    return np.array(chosen, int)


def _typical(X: np.ndarray, n: int, seed: int) -> list[int]:
    """A typical picture of each of n clusters, the largest cluster first; then a second one of each, and so on, for where
    some are left out."""
    from sklearn.cluster import KMeans, MiniBatchKMeans  # late: a second
    from sklearn.exceptions import ConvergenceWarning

    clusters = min(n, len(X))
    if clusters == len(X):
        return list(range(len(X)))
    work = len(X) * clusters
    kind = KMeans if work <= 500_000 else MiniBatchKMeans
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different pictures than clusters: then there are fewer
        of = kind(clusters, n_init=10 if work <= 50_000 else 1, random_state=seed).fit_predict(X)
    ranked = []
    for cluster in sorted(set(of.tolist()), key=lambda c: -int((of == c).sum())):
        rows = np.flatnonzero(of == cluster)
        within = X[rows] @ X[rows].T
        k = min(NEIGHBOURS, len(rows))
        typical = np.partition(within, -k, axis=1)[:, -k:].mean(1)
        ranked.append(rows[np.argsort(-typical, kind="stable")].tolist())
    return [rows[place] for place in range(max(map(len, ranked))) for rows in ranked if place < len(rows)]


def _balanced(X: np.ndarray, n: int, answers: np.ndarray, seed: int) -> list[int]:
    """The typical ones of each answer in turn."""
    found = np.unique(answers)
    share = -(-n // len(found))
    ranked = []
    for answer in found:
        rows = np.flatnonzero(answers == answer)
        ranked.append(rows[_typical(X[rows], share, seed)].tolist())
    return [rows[place] for place in range(max(map(len, ranked))) for rows in ranked if place < len(rows)]


def _apart(X: np.ndarray, ranked: list[int], n: int) -> np.ndarray:
    """The first n that are no near-duplicate of one before."""
    chosen: list[int] = []
    for row in ranked:
        if not chosen or float((X[chosen] @ X[row]).max()) <= SAME:
            chosen.append(row)
        if len(chosen) == n:
            break
    return np.array(chosen, int)
