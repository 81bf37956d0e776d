"""Whether a classifier knows what it knows: its confidence against how often it is right."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .intervals import wilson

BINS = 15  # as Guo et al. (2017) take
POINTS = 200  # of a curve, at most


@dataclass(frozen=True)
class Bin:
    """Answers with a confidence above `low` and up to `high`: how many, their mean confidence, how many are right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Reliability:
    """`error` is the expected calibration error: the mean distance of confidence and accuracy, weighted by the bins' sizes
    (Guo et al., 2017, equation 3). Few pictures make it look larger than it is. `worst` is the largest distance of a bin.
    Empty bins are left out.
    """

    error: float
    worst: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Coverage:
    """What is gained by staying silent when in doubt: with only the surest `share[i]` of the answers given, those of at
    least `confidence[i]`, `accuracy[i]` of them are right. `area` is the mean share of wrong answers over all coverages
    (the area under the risk-coverage curve of El-Yaniv and Wiener, 2010): 0 is best.
    """

    share: tuple[float, ...]
    accuracy: tuple[float, ...]
    confidence: tuple[float, ...]
    area: float

    def at(self, share: float) -> float:
        """The accuracy where about this share is answered."""
        return self.accuracy[int(np.abs(np.array(self.share) - share).argmin())]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Compare confidence [n] with right [n] in bins of the same width."""
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    n = np.bincount(place, minlength=bins)
    some = np.flatnonzero(n)
    mean = np.bincount(place, confidence, bins)[some] / n[some]
    hits = np.bincount(place, right, bins)[some]
    gap = np.abs(hits / n[some] - mean)
    low, high = wilson(hits, n[some])
    found = tuple(
        Bin(float(edges[b]), float(edges[b + 1]), int(n[b]), float(m), float(h / n[b]), (float(lo), float(hi)))
        for b, m, h, lo, hi in zip(some, mean, hits, low, high, strict=True)
    )
    return Reliability(float((gap * n[some]).sum() / n.sum()), float(gap.max()), found)


def coverage(confidence: np.ndarray, right: np.ndarray) -> Coverage:
    """The risk-coverage curve of answers [n]. Answers of one confidence are given together or not at all."""
    order = np.argsort(-confidence, kind="stable")
    sure, hits = confidence[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))  # of each confidence
    accuracy = hits[last] / (last + 1)
    steps = np.diff(np.concatenate([[0], last + 1]))
    area = float(((1 - accuracy) * steps).sum() / len(sure))
    kept = np.unique(np.linspace(0, len(last) - 1, min(POINTS, len(last))).round().astype(int))
    share = (last[kept] + 1) / len(sure)
    return Coverage(_rounded(share), _rounded(accuracy[kept]), _rounded(sure[last[kept]]), area)


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(np.round(values.astype(float), 5).tolist())
