"""Tests of differences between shares, for whole tables at once; the project's tests hold each against scipy's."""

import numpy as np

from ..intervals import wilson

TIES = 1e-7  # tables whose probability differs by less than this part are equally likely, as in R's fisher.test


def fisher(hits: np.ndarray, n: np.ndarray, other_hits: np.ndarray, other_n: np.ndarray) -> np.ndarray:
    """Two-sided p of Fisher's exact test, hits of n against other_hits of other_n; arrays of one shape give one each.

    How likely a split at least as improbable would be if both had the same chance, given how many hits there are in all.
    scipy's own takes about a millisecond for each; a bias table has thousands.
    """
    parts = np.broadcast_arrays(hits, n, other_hits, other_n)
    tables, place = np.unique(np.stack([np.ravel(part) for part in parts]).astype(int), axis=1, return_inverse=True)
    most = int((tables[1] + tables[3]).max(initial=0))
    log = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])  # of the factorials
    values = np.array([_fisher(log, *map(int, table)) for table in tables.T])
    return values[place.ravel()].reshape(parts[0].shape) if values.size else np.ones(parts[0].shape)


def _fisher(log: np.ndarray, a: int, n: int, c: int, m: int) -> float:
    if not n or not m:
        return 1.0
    total = a + c
    x = np.arange(max(0, total - m), min(n, total) + 1)  # every number of hits that the first could have had
    chance = -(log[x] + log[n - x] + log[total - x] + log[m - total + x])
    constant = log[n] + log[m] + log[total] + log[n + m - total] - log[n + m]
    probability = np.exp(chance + constant)
    own = probability[a - x[0]]
    return float(min(1.0, probability[probability <= own * (1 + TIES)].sum()))


def newcombe(
    hits: np.ndarray, n: np.ndarray, other_hits: np.ndarray, other_n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The difference of two shares, hits / n - other_hits / other_n, and its 95 % interval (Newcombe, 1998, method 10)."""
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(other_hits, other_n)
    share = np.asarray(hits, float) / np.maximum(n, 1)
    other = np.asarray(other_hits, float) / np.maximum(other_n, 1)
    difference = share - other
    below = np.sqrt((share - low) ** 2 + (other_high - other) ** 2)
    above = np.sqrt((high - share) ** 2 + (other - other_low) ** 2)
    return difference, difference - below, difference + above


def any_difference(hits: np.ndarray, n: np.ndarray) -> np.ndarray:
    """p of Pearson's chi-square test that all groups have the same share: hits [rows, groups] of n [groups], so [rows].

    1 where there is nothing to tell apart. With few expected hits it is rough; the cells' own tests are exact.
    """
    from scipy.special import chdtrc  # late: a tenth of a second

    hits, n = np.asarray(hits, float), np.asarray(n, float)
    kept = n > 0
    if kept.sum() < 2:
        return np.ones(len(hits))
    hits, n = hits[:, kept], n[kept]
    share = hits.sum(1) / n.sum()
    spread = share * (1 - share)
    square = ((hits - np.outer(share, n)) ** 2 / n).sum(1) / np.where(spread > 0, spread, 1)
    return np.where(spread > 0, chdtrc(len(n) - 1, square), 1.0)


def mcnemar(left: np.ndarray, came: np.ndarray) -> np.ndarray:
    """Two-sided p of McNemar's exact test for each pair of counts: pictures that left a row, and that came to it."""
    from scipy.special import bdtr

    left, came = np.asarray(left, int), np.asarray(came, int)
    moved = left + came
    p = 2 * bdtr(np.minimum(left, came).astype(float), np.maximum(moved, 1), 0.5)
    return np.where(moved > 0, np.minimum(p, 1.0), 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """p values corrected so that the chance of even one false alarm among them stays what it says (Holm, 1979).

    NaN, where nothing was tested, stays and does not count. The shape is kept.
    """
    return _stepwise(p, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """p values corrected so that of what is called a difference at most that share is expected to be none (Benjamini and
    Hochberg, 1995). NaN stays and does not count. The shape is kept."""

    def correct(ordered: np.ndarray) -> np.ndarray:
        scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return np.minimum.accumulate(scaled[::-1])[::-1]

    return _stepwise(p, correct)


def _stepwise(p: np.ndarray, correct: "object") -> np.ndarray:
    assert callable(correct)
    p = np.asarray(p, float)
    corrected = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p.ravel()[tested], kind="stable")]
    if len(order):
        corrected.ravel()[order] = np.minimum(correct(p.ravel()[order]), 1.0)
    return corrected
