"""Who gets which label: the share of each group in each class and category (Radford et al., 2021, Tables 6 and 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...errors import BadInput
from ..intervals import wilson
from .design import Categories
from .groups import Groups
from .statistics import any_difference, benjamini_hochberg, fisher, holm, newcombe


@dataclass(frozen=True)
class Row:
    """A class or a category of classes; `labels` are the classes of it that the set has."""

    name: str
    kind: Literal["class", "category"]
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """One label set by groups. Arrays are [rows, groups] unless said otherwise; NaN where nothing was tested.

    sizes           pictures of each group, int [groups]; `small` bool [groups], fewer than the design asks for
    counts          pictures of a group that got the row
    low, high       the 95 % Wilson interval of counts / sizes
    overall         pictures of all groups that got the row, int [rows]
    difference      share minus that of the reference group, or of all other pictures; with its 95 % interval (Newcombe)
    p               two-sided, Fisher's exact test of that difference
    holm, bh        p corrected for all the cells of the table that are tested (Holm; Benjamini and Hochberg)
    spread          p that all groups that are not small have one share, Pearson's chi-square, [rows]
    """

    label_set: str
    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    reference: str | None
    sizes: np.ndarray
    small: np.ndarray
    counts: np.ndarray
    low: np.ndarray
    high: np.ndarray
    overall: np.ndarray
    difference: np.ndarray
    difference_low: np.ndarray
    difference_high: np.ndarray
    p: np.ndarray
    holm: np.ndarray
    bh: np.ndarray
    spread: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """The share of each group, [rows, groups]."""
        return self.counts / np.maximum(self.sizes, 1)

    def row(self, name: str, kind: str = "class") -> int:
        """The place of a row. Raises BadInput."""
        for i, row in enumerate(self.rows):
            if (row.name, row.kind) == (name, kind):
                return i
        raise BadInput(f"There is no {kind} “{name}” in {self.label_set}; measure again.")

    def to_json(self) -> dict[str, Any]:
        """As plain values; what was not tested is null."""
        low, high = wilson(self.overall, self.sizes.sum())
        return {
            "label_set": self.label_set,
            "rows": [{"name": row.name, "kind": row.kind, "labels": list(row.labels)} for row in self.rows],
            "groups": [
                {"name": name, "n": int(n), "small": bool(small), "why": why_small(int(n)) if small else ""}
                for name, n, small in zip(self.groups, self.sizes, self.small, strict=True)
            ],
            "reference": self.reference,
            "counts": self.counts.tolist(),
            "overall": {"n": int(self.sizes.sum()), "counts": self.overall.tolist(), "low": plain(low), "high": plain(high)},
            **{
                name: plain(getattr(self, name))
                for name in ("share", "low", "high", "difference", "difference_low", "difference_high", "p", "holm", "bh")
            },
            "spread": plain(self.spread),
        }


def rows_of(labels: Sequence[str], categories: Categories) -> tuple[Row, ...]:
    """The categories that have a class among `labels`, then the classes."""
    there = set(labels)
    found = {name: tuple(label for label in some if label in there) for name, some in categories.items()}
    return (
        *(Row(name, "category", some) for name, some in found.items() if some),
        *(Row(label, "class", (label,)) for label in labels),
    )


def members(rows: Sequence[Row], labels: Sequence[str]) -> np.ndarray:
    """Which class belongs to which row, bool [rows, labels]."""
    return np.array([[label in row.labels for label in labels] for row in rows], bool).reshape(len(rows), len(labels))


def tabulate(
    label_set: str,
    labels: Sequence[str],
    guess: np.ndarray,
    groups: Groups,
    categories: Categories,
    small: int,
    reference: str | None = None,
) -> Table:
    """Count and test. `guess` int [n] is each picture's class as its place in `labels`.

    Pictures in no group are left out. Groups smaller than `small` are counted, also among the others, but not tested.
    Raises BadInput for a reference that is no group or too small to compare with.
    """
    rows = rows_of(labels, categories)
    known = groups.place >= 0
    cells = groups.place[known] * len(labels) + guess[known]
    by_class = np.bincount(cells, minlength=len(groups.names) * len(labels)).reshape(len(groups.names), len(labels))
    counts = members(rows, labels).astype(int) @ by_class.T
    sizes, overall = groups.sizes, counts.sum(1)
    too_small = sizes < small
    tested = ~too_small
    if reference is None:
        other, other_n = overall[:, None] - counts, sizes.sum() - sizes
        tested &= other_n > 0
    else:
        if reference not in groups.names:
            raise BadInput(f"There is no group “{reference}” to compare with; choose one of: {', '.join(groups.names)}.")
        at = groups.names.index(reference)
        if too_small[at]:
            raise BadInput(f"The group “{reference}” has {sizes[at]} images, too few to compare with; choose another.")
        other, other_n = np.repeat(counts[:, [at]], len(sizes), 1), np.full(len(sizes), sizes[at])
        tested[at] = False
    low, high = wilson(counts, np.broadcast_to(sizes, counts.shape))
    difference = np.full((4, *counts.shape), np.nan)
    difference[:3, :, tested] = newcombe(counts[:, tested], sizes[tested], other[:, tested], other_n[tested])
    difference[3][:, tested] = fisher(counts[:, tested], sizes[tested], other[:, tested], other_n[tested])
    return Table(
        label_set,
        rows,
        groups.names,
        reference,
        sizes,
        too_small,
        counts,
        low,
        high,
        overall,
        difference[0],
        difference[1],
        difference[2],
        difference[3],
        holm(difference[3]),
        benjamini_hochberg(difference[3]),
        any_difference(counts[:, ~too_small], sizes[~too_small]),
    )


def why_small(n: int) -> str:
    """Why a small group is greyed: how far off chance alone may put a share of one half."""
    if not n:
        return "No images."
    low, high = wilson(n / 2, n)
    return (
        f"Too few to say much: with {n:,} image{'' if n == 1 else 's'} chance alone moves a share by up to "
        f"{100 * float(high - low) / 2:.0f} points."
    )


def plain(array: np.ndarray) -> Any:
    """An array as lists for JSON, to six digits, null for NaN."""
    if array.ndim > 1:
        return [plain(part) for part in array]
    return [None if np.isnan(value) else float(f"{value:.6g}") for value in np.asarray(array, float)]
