"""Many sets at once, as the CLIP paper's tables have them: each set's score, their mean and the mean rank, with intervals.

A score is what the paper measured on the set, accuracy or the mean over classes (appendix A.1). Intervals are bootstrapped:
the pictures of each set are drawn anew, the same ones for all that are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .answers import Judged
from .intervals import points

REDRAWS = 500
PER_CLASS, ACCURACY = "mean per class", "accuracy"


@dataclass(frozen=True)
class SuiteSet:
    """One set of the table. `scores` and their 95 % `intervals` by arm; `paper` is the largest CLIP's, as a share, where the
    paper measured the same; `advice` is what is known of such sets."""

    name: str
    called: str
    n: int
    classes: int
    measure: str
    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    paper: float | None = None
    advice: str = ""

    @property
    def chance(self) -> float:
        """The score of guessing."""
        return 1 / self.classes


@dataclass(frozen=True)
class Suite:
    """The whole table: for each arm the mean over the sets and its mean rank (1 is the best on every set), with 95 %
    intervals; `skipped` says what could not be measured."""

    sets: tuple[SuiteSet, ...]
    means: Mapping[str, float]
    mean_intervals: Mapping[str, tuple[float, float]]
    ranks: Mapping[str, float]
    rank_intervals: Mapping[str, tuple[float, float]]
    skipped: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What came of it."""
        best = min(self.ranks, key=lambda arm: (self.ranks[arm], -self.means[arm]))
        low, high = self.mean_intervals[best]
        sets = "set" if len(self.sets) == 1 else "sets"
        told = f"{points(self.means[best])} on the mean of {len(self.sets)} {sets} ({points(low)} to {points(high)})"
        if len(self.ranks) == 1:
            return f"“{best}”: {told}."
        first, last = self.rank_intervals[best]
        return f"“{best}” has the best mean rank, {self.ranks[best]:.2f} ({first:.2f} to {last:.2f}); {told}."

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True, eq=False)
class Measured:
    """What the arms answered on one set: who is right on which picture, bool [n] by arm, and the right classes, int [n]."""

    name: str
    called: str
    classes: int
    truth: np.ndarray
    right: Mapping[str, np.ndarray]
    measure: str = ACCURACY
    paper: float | None = None
    advice: str = ""

    @classmethod
    def of(cls, name: str, called: str, judged: Mapping[str, Judged], **about: Any) -> "Measured":
        """From what was judged on the same pictures."""
        first = next(iter(judged.values()))
        right = {arm: one.right for arm, one in judged.items()}
        return cls(name, called, len(first.labels), first.truth, right, **about)

    @property
    def weights(self) -> np.ndarray:
        """What each picture counts for, [n]; together 1."""
        if self.measure != PER_CLASS:
            return np.full(len(self.truth), 1 / len(self.truth))
        _, of, support = np.unique(self.truth, return_inverse=True, return_counts=True)
        return 1 / (support[of] * len(support))


def suite_table(measured: Sequence[Measured], skipped: Sequence[str] = (), seed: int = 0) -> Suite:
    """The table of sets that the same arms were judged on."""
    arms = list(measured[0].right)
    rng = np.random.default_rng(seed)
    sets, scores, drawn = [], [], []
    for one in measured:
        right = np.stack([one.right[arm] for arm in arms]) * one.weights  # [arms, n]
        n = right.shape[1]
        again = np.stack([right[:, rng.integers(0, n, n)].sum(1) for _ in range(REDRAWS)])  # [redraws, arms]
        ends = {arm: _ends(again[:, i]) for i, arm in enumerate(arms)}
        own = dict(zip(arms, right.sum(1).tolist(), strict=True))
        sets.append(SuiteSet(one.name, one.called, n, one.classes, one.measure, own, ends, one.paper, one.advice))
        scores.append(right.sum(1))
        drawn.append(again)
    table, every = np.stack(scores), np.stack(drawn)  # [sets, arms], [sets, redraws, arms]
    means, ranks = every.mean(0), _ranks(every).mean(0)
    return Suite(
        tuple(sets),
        dict(zip(arms, table.mean(0).tolist(), strict=True)),
        {arm: _ends(means[:, i]) for i, arm in enumerate(arms)},
        dict(zip(arms, _ranks(table).mean(0).tolist(), strict=True)),
        {arm: _ends(ranks[:, i]) for i, arm in enumerate(arms)},
        tuple(skipped),
    )


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the highest; equal ones share theirs."""
    above = (scores[..., None, :] > scores[..., :, None]).sum(-1)
    same = (scores[..., None, :] == scores[..., :, None]).sum(-1)
    return above + (same + 1) / 2


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
