"""Two classifiers, or one under two models, on the same pictures: is one really better, and which pictures change?"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import BadInput
from .answers import Judged
from .intervals import difference_interval, mcnemar, points, share_interval


@dataclass(frozen=True)
class Change:
    """A picture of which two classifiers say different things. `row` is its place among the first one's answers."""

    row: int
    key: str
    name: str
    truth: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """Two classifiers on the same `n` pictures.

    accuracy     of the first and the second, each with its 95 % interval in `intervals`
    difference   second minus first, with its 95 % paired bootstrap interval
    p            of McNemar's exact test: how likely so uneven a split would be if both were equally good
    gained, lost wrong before and right now, and the other way round
    moved        wrong both times, with another answer
    """

    n: int
    accuracy: tuple[float, float]
    intervals: tuple[tuple[float, float], tuple[float, float]]
    difference: float
    interval: tuple[float, float]
    p: float
    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    moved: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """What to think of it."""
        low, high = (100 * end for end in self.interval)
        size = f"{100 * self.difference:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.2g}"
        if self.p >= 0.05:
            return f"No clear difference on these {self.n:,} images: {size}, {p}."
        better = "second" if self.difference > 0 else "first"
        return f"The {better} is better on these {self.n:,} images: {size}, {p}."

    def __str__(self) -> str:
        first, second = (points(share) for share in self.accuracy)
        return f"{first} and {second}: {self.sentence} {len(self.gained)} gained, {len(self.lost)} lost."

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "sentence": self.sentence}


def compare(first: Judged, second: Judged) -> Comparison:
    """Compare answers on the pictures that both have judged, found by their keys. Raises BadInput if there are none.

    The same picture twice in a set is counted as often as both have it.
    """
    one, other = _paired(first, second)
    if not len(one):
        raise BadInput("These two were not measured on the same images; measure both on one set first.")
    right, right_after = first.right[one], second.right[other]
    if any(first.labels[first.truth[i]] != second.labels[second.truth[j]] for i, j in zip(one, other, strict=True)):
        raise BadInput("Some images have other labels in the second report; measure both again on one set.")
    n = len(one)

    def changes(mask: np.ndarray) -> tuple[Change, ...]:
        return tuple(
            Change(
                int(i),
                first.keys[i],
                first.name(i),
                first.labels[first.truth[i]],
                first.labels[first.guess[i]],
                second.labels[second.guess[j]],
            )
            for i, j in zip(one[mask], other[mask], strict=True)
        )

    gained, lost = ~right & right_after, right & ~right_after
    answers = (
        np.array([first.labels[g] for g in first.guess[one]]),
        np.array([second.labels[g] for g in second.guess[other]]),
    )
    return Comparison(
        n=n,
        accuracy=(float(right.mean()), float(right_after.mean())),
        intervals=(share_interval(right.sum(), n), share_interval(right_after.sum(), n)),
        difference=float(right_after.mean() - right.mean()),
        interval=difference_interval(right_after.astype(int) - right.astype(int)),
        p=mcnemar(int(gained.sum()), int(lost.sum())),
        gained=changes(gained),
        lost=changes(lost),
        moved=changes(~right & ~right_after & (answers[0] != answers[1])),
    )


def other_classes(first: Judged, second: Judged) -> str:
    """A warning where the two choose among different classes, since more of them are harder; else nothing."""
    one, other = set(first.labels), set(second.labels)
    if one == other:
        return ""
    return (
        f"They choose among different classes, the first among {len(one):,} and the second among {len(other):,}, "
        f"{len(one & other):,} of them the same: the fewer, the easier, so this compares more than the two classifiers."
    )


def _paired(first: Judged, second: Judged) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both with the same key, in the first one's order."""
    places: dict[str, list[int]] = {}
    for j, key in enumerate(second.keys):
        places.setdefault(key, []).append(j)
    pairs = []
    used: dict[str, int] = {}
    for i, key in enumerate(first.keys):
        at = used.get(key, 0)
        if at < len(places.get(key, ())):
            pairs.append((i, places[key][at]))
            used[key] = at + 1
    both = np.array(pairs, int).reshape(-1, 2)
    return both[:, 0], both[:, 1]
