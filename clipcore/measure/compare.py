"""Two classifiers, or one under two models, on the same pictures: is one really better, and which pictures change?"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..errors import BadInput
from ..examples import Examples
from .answers import Judged
from .intervals import difference_interval, mcnemar, points, share_interval

# Cosine from which on a test picture counts as nearly one that was taught. With an unfinished starter it finds all of 300
# photos resaved as JPEG of quality 60 and 87 % of those that lost a twentieth of their width and height, but few of those
# at half the size; of 700 unrelated photos (Flickr8k) none is so close to another.
ALIKE = 0.97


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
        if self.p >= 0.05:
            return f"No clear difference on these {self.n:,} images: {size}, p = {self.p:.2g}."
        better = "second" if self.difference > 0 else "first"
        return f"The {better} is better on these {self.n:,} images: {size}, p = {self.p:.2g}."

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


@dataclass(frozen=True)
class Leaks:
    """Test pictures that a classifier has learned from: `same` by content, `near` with a cosine of at least `threshold`."""

    same: tuple[int, ...]
    near: tuple[int, ...]
    n: int
    threshold: float

    def __bool__(self) -> bool:
        return bool(self.same or self.near)

    @property
    def sentence(self) -> str:
        """A warning, or nothing."""
        if not self:
            return ""
        parts = [f"{len(self.same):,} were taught"] if self.same else []
        parts += [f"{len(self.near):,} look nearly like one that was taught"] if self.near else []
        return (
            f"Of these {self.n:,} images {' and '.join(parts)}: the accuracy is too good. Measure on images it has not seen."
        )


def find_leaks(test: Examples, taught: Examples, threshold: float = ALIKE) -> Leaks:
    """Test pictures that were taught, or nearly. Raises SpaceMismatch if the two live in different spaces."""
    test.space.require(taught.space, "What was taught")
    hashes = set(taught.keys)
    same = [i for i, key in enumerate(test.keys) if key in hashes]
    seen = set(same)
    near = [i for i in _close(test.embeddings, taught.embeddings, threshold) if i not in seen]
    return Leaks(tuple(same), tuple(near), len(test), threshold)


def _close(X: np.ndarray, Y: np.ndarray, threshold: float, block: int = 1024) -> Sequence[int]:
    if not len(Y):
        return ()
    found = [
        start + np.flatnonzero((X[start : start + block] @ Y.T).max(1) >= threshold) for start in range(0, len(X), block)
    ]
    return np.concatenate(found).tolist() if found else ()
