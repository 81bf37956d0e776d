"""How far people agree on the same pictures, beyond what chance would give: Cohen's kappa for two, Fleiss' for all.

Intervals are of 95 %, by drawing the pictures anew (percentile bootstrap).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

REDRAWS = 1000
SEED = 7


@dataclass(frozen=True)
class Kappa:
    """How far `people` agree on `n` pictures: the share on which they say the same (`same`), and `kappa`, 1 for always and 0
    for as often as by chance; nan where all say one thing throughout, so that chance gives as much."""

    people: tuple[str, ...]
    n: int
    same: float
    kappa: float
    interval: tuple[float, float]


def cohen(first: Sequence[str], second: Sequence[str], people: tuple[str, str] = ("", "")) -> Kappa:
    """Cohen's kappa (1960) of two people's answers on the same pictures, [n] each."""
    kinds, codes = np.unique([*first, *second], return_inverse=True)
    codes = codes.reshape(2, -1)

    def kappa(rows: np.ndarray) -> float:  # as sklearn.metrics.cohen_kappa_score, which takes a millisecond for each redraw
        a, b = codes[:, rows]
        same = float((a == b).mean())
        shares = [np.bincount(each, minlength=len(kinds)) / len(rows) for each in (a, b)]
        chance = float(shares[0] @ shares[1])
        return (same - chance) / (1 - chance) if chance < 1 else float("nan")

    n = codes.shape[1]
    return Kappa(people, n, float((codes[0] == codes[1]).mean()), kappa(np.arange(n)), _interval(kappa, n))


def fleiss(answers: Sequence[Sequence[str]], people: Sequence[str] = ()) -> Kappa:
    """Fleiss' kappa (1971) of the answers to each picture, two or more each. How many may differ from picture to picture: a
    picture's agreement is then that of its own pairs, and all its answers count towards chance."""
    kinds = {answer: code for code, answer in enumerate(sorted({one for each in answers for one in each}))}
    counts = np.zeros((len(answers), len(kinds)))
    for row, each in enumerate(answers):
        for answer in each:
            counts[row, kinds[answer]] += 1
    given = counts.sum(1)
    agreeing = (counts * (counts - 1)).sum(1) / (given * (given - 1))

    def kappa(rows: np.ndarray) -> float:
        shares = counts[rows].sum(0) / given[rows].sum()
        chance = float((shares**2).sum())
        return (float(agreeing[rows].mean()) - chance) / (1 - chance) if chance < 1 else float("nan")

    n = len(answers)
    return Kappa(tuple(people), n, float(agreeing.mean()), kappa(np.arange(n)), _interval(kappa, n))


def agreement(said: Mapping[str, Mapping[str, str]]) -> tuple[list[Kappa], Kappa | None]:
    """Each pair of people's kappa, and that of all, from picture -> person -> answer; None where no picture has two."""
    people = sorted({person for by in said.values() for person in by})
    pairs = []
    for one, other in combinations(people, 2):
        both = [(by[one], by[other]) for by in said.values() if one in by and other in by]
        if both:
            pairs.append(cohen([a for a, _ in both], [b for _, b in both], (one, other)))
    several = [list(by.values()) for by in said.values() if len(by) > 1]
    return pairs, fleiss(several, people) if several else None


def _interval(kappa: Callable[[np.ndarray], float], n: int) -> tuple[float, float]:
    dice = np.random.default_rng(SEED)
    drawn = np.array([kappa(dice.integers(0, n, n)) for _ in range(REDRAWS)])
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
