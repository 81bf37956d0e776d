"""Who is in which group: what is known of each picture, cut into bins where it is a number, and crossed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...errors import BadInput

UNKNOWN = ""  # a picture of which a column says nothing
MOST_GROUPS = 200
CROSS = " · "
# How the field bins ages (FairFace; Radford et al., 2021, Table 7).
AGES = (0.0, 3.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0)

Bins = Mapping[str, tuple[float, ...]]  # by column: where each bin begins


@dataclass(frozen=True)
class Facts:
    """What is known of n pictures: by column, one value each, as text; "" where nothing is known.

    notes  sentences about what was left out on the way
    """

    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    def take(self, rows: Sequence[int]) -> "Facts":
        """Some of the pictures."""
        return Facts({name: tuple(values[i] for i in rows) for name, values in self.columns.items()}, self.notes)

    def values(self, column: str) -> tuple[str, ...]:
        """One column. Raises BadInput, which names what there is."""
        if column not in self.columns:
            there = ", ".join(self.columns) or "none"
            raise BadInput(f"There is no column “{column}” in the groups; the columns are: {there}.")
        return self.columns[column]

    def numbers(self, column: str) -> np.ndarray | None:
        """A column as numbers [n], NaN where nothing is known; None if any value is no number."""
        try:
            found = np.array([float(value) if value != UNKNOWN else np.nan for value in self.values(column)])
        except ValueError:
            return None
        return found if np.isfinite(found).any() and not np.isinf(found).any() else None

    def suggested_bins(self, column: str) -> tuple[float, ...]:
        """Where bins of a column of numbers could begin: the field's for ages, else quarters of the pictures. () if it has
        no numbers, or so few different ones that each can be a group."""
        numbers = self.numbers(column)
        if numbers is None:
            return ()
        known = numbers[~np.isnan(numbers)]
        if "age" in re.findall(r"[a-z]+", column.casefold()) and known.min() >= 0:
            return tuple(begin for begin in AGES if begin <= known.max())
        if len(np.unique(known)) <= 10:
            return ()
        return tuple(dict.fromkeys(float(f"{quarter:.4g}") for quarter in np.quantile(known, (0, 0.25, 0.5, 0.75))))


@dataclass(frozen=True, eq=False)
class Groups:
    """n pictures in groups. `place` int [n] is each one's place in `names`, -1 where a column says nothing of it."""

    by: tuple[str, ...]
    names: tuple[str, ...]
    place: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many pictures each group has, int [n groups]."""
        return np.bincount(self.place[self.place >= 0], minlength=len(self.names))

    def rows(self, name: str | None) -> np.ndarray:
        """The pictures of a group, or of all groups. Raises BadInput."""
        if name is None:
            return np.flatnonzero(self.place >= 0)
        if name not in self.names:
            raise BadInput(f"There is no group “{name}”; measure again.")
        return np.flatnonzero(self.place == self.names.index(name))


def group(facts: Facts, by: Sequence[str], bins: Bins | None = None) -> Groups:
    """Pictures grouped by one column, or by several crossed. Columns of numbers are cut where `bins` says.

    Raises BadInput for no column, one that is not there, bins that do not ascend, or too many groups.
    """
    if not by:
        raise BadInput("Choose at least one column to group by.")
    columns = [_binned(facts, name, (bins or {}).get(name)) for name in dict.fromkeys(by)]
    crossed = [CROSS.join(parts) if UNKNOWN not in parts else UNKNOWN for parts in zip(*columns, strict=True)]
    order = {parts: tuple(map(_natural, parts)) for parts in set(zip(*columns, strict=True)) if UNKNOWN not in parts}
    names = [CROSS.join(parts) for parts in sorted(order, key=lambda parts: order[parts])]
    if len(names) > MOST_GROUPS:
        raise BadInput(
            f"{' and '.join(by)} give {len(names):,} groups, more than {MOST_GROUPS}; bin the numbers, or use fewer columns."
        )
    if not names:
        raise BadInput(f"No image has a value for {' and '.join(by)}; choose another column.")
    at = {name: i for i, name in enumerate(names)}
    return Groups(tuple(dict.fromkeys(by)), tuple(names), np.array([at.get(name, -1) for name in crossed], int))


def parse_bins(text: str) -> tuple[float, ...]:
    """Where bins begin, typed with commas: 0, 3, 10, 20. Raises BadInput."""
    try:
        begins = tuple(float(part) for part in re.split(r"[,;\s]+", text.strip()) if part)
    except ValueError:
        raise BadInput(
            f"The bins “{text.strip()[:60]}” are not numbers; type where each begins, such as 0, 3, 10, 20."
        ) from None
    _check_bins(begins)
    return begins


def bin_names(begins: Sequence[float], whole: bool) -> list[str]:
    """What bins are called: 0-2, 3-9 and 10 and over for whole numbers, 0 to under 3 for others."""

    def shown(number: float) -> str:
        return f"{number:g}"

    def between(low: float, high: float) -> str:
        if not whole:
            return f"{shown(low)} to under {shown(high)}"
        return shown(low) if high - low == 1 else f"{shown(low)}-{shown(high - 1)}"

    return [*(between(low, high) for low, high in pairwise(begins)), f"{shown(begins[-1])} and over"]


def _binned(facts: Facts, column: str, begins: Sequence[float] | None) -> list[str]:
    values = facts.values(column)
    if not begins:
        return list(values)
    _check_bins(begins)
    numbers = facts.numbers(column)
    if numbers is None:
        raise BadInput(f"The column “{column}” holds words and not numbers, so it needs no bins; take them out.")
    known = numbers[~np.isnan(numbers)]
    whole = bool((known == known.round()).all()) and all(begin == round(begin) for begin in begins)
    names = [UNKNOWN, *bin_names(begins, whole)]  # a number before the first bin is in no group
    place = np.where(np.isnan(numbers), 0, np.searchsorted(begins, numbers, side="right"))
    return [names[i] for i in place]


def _check_bins(begins: Sequence[float]) -> None:
    if not begins or not np.isfinite(begins).all() or any(high <= low for low, high in pairwise(begins)):
        raise BadInput("Bins must be numbers that ascend; type where each begins, such as 0, 3, 10, 20.")


def _natural(text: str) -> tuple[float, str]:
    # "3-9" before "10-19", "more than 70" and words after all numbers
    number = re.match(r"-?\d+(\.\d+)?", text)
    return (float(number[0]) if number else np.inf, text.casefold())
