"""What moves when classes are added, taken out or renamed (Radford et al., 2021, section 7.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...classify.prompts import clean_label
from ..intervals import wilson
from .answered import Answered
from .design import Design, LabelSet
from .groups import Groups
from .statistics import holm, mcnemar
from .tables import Row, members, plain, rows_of


@dataclass(frozen=True, eq=False)
class Change:
    """A label set before and after an edit, on the same pictures. Arrays are [rows, groups] unless said otherwise.

    before, after  the sets; `rows` are the classes and categories of either, under their new names
    sizes          pictures of each group
    had, has       pictures of a group that the row had and has; `was_there`, `is_there` say whether the set has the row
    p              that so uneven a coming and going is chance, McNemar's exact test, corrected for all of them (Holm);
                   NaN for groups smaller than the design asks for
    moved          the pictures in groups whose class changes, int [m]; a new name alone is no change
    was, now       their classes, [m]
    """

    before: LabelSet
    after: LabelSet
    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    sizes: np.ndarray
    small: np.ndarray
    had: np.ndarray
    has: np.ndarray
    was_there: np.ndarray
    is_there: np.ndarray
    p: np.ndarray
    moved: np.ndarray
    was: tuple[str, ...]
    now: tuple[str, ...]

    @property
    def pairs(self) -> list[tuple[str, str, int]]:
        """How many pictures went from which class to which, the most first."""
        found: dict[tuple[str, str], int] = {}
        for pair in zip(self.was, self.now, strict=True):
            found[pair] = found.get(pair, 0) + 1
        return [(was, now, n) for (was, now), n in sorted(found.items(), key=lambda item: -item[1])]

    def to_json(self) -> dict[str, Any]:
        """As plain values, without the list of pictures."""
        n = np.maximum(self.sizes, 1)
        (low, high), (new_low, new_high) = (
            wilson(counts, np.broadcast_to(self.sizes, counts.shape)) for counts in (self.had, self.has)
        )
        return {
            "label_set": self.before.name,
            "after": self.after.to_json(),
            "typed": self.after.typed,
            "rows": [{"name": row.name, "kind": row.kind} for row in self.rows],
            "groups": [
                {"name": name, "n": int(size), "small": bool(small)}
                for name, size, small in zip(self.groups, self.sizes, self.small, strict=True)
            ],
            "was": {"share": plain(self.had / n), "low": plain(low), "high": plain(high), "there": self.was_there.tolist()},
            "now": {
                "share": plain(self.has / n),
                "low": plain(new_low),
                "high": plain(new_high),
                "there": self.is_there.tolist(),
            },
            "p": plain(self.p),
            "n": int(self.sizes.sum()),
            "moved": len(self.moved),
            "pairs": [list(pair) for pair in self.pairs],
        }


def change(
    design: Design,
    groups: Groups,
    before: tuple[LabelSet, Answered],
    after: tuple[LabelSet, Answered],
    rename: Mapping[str, str],
) -> Change:
    """Hold two answers to the same pictures against each other. A class renamed from A to B that keeps its pictures has not
    moved them, and B is in the categories of A."""
    (old, old_answers), (new, new_answers) = before, after
    renamed = {label: clean_label(rename[label]) if label in rename else label for label in old.labels}
    categories = {
        name: tuple(dict.fromkeys([*some, *(renamed[label] for label in some if label in renamed)]))
        for name, some in design.categories.items()
    }
    old_labels = [renamed[label] for label in old.labels]
    rows = rows_of(list(dict.fromkeys([*old_labels, *new.labels])), categories)
    inside = groups.place >= 0
    one_hot = np.eye(len(groups.names), dtype=np.float32)[groups.place[inside]]
    was_in = members(rows, old_labels)[:, old_answers.guess[inside]]
    is_in = members(rows, new.labels)[:, new_answers.guess[inside]]

    def counted(mask: np.ndarray) -> np.ndarray:
        return (mask.astype(np.float32) @ one_hot).round().astype(int)

    small = groups.sizes < design.small
    p = mcnemar(counted(was_in & ~is_in), counted(is_in & ~was_in))
    p[:, small] = np.nan
    was = np.array(old_labels, object)[old_answers.guess]
    now = np.array(new.labels, object)[new_answers.guess]
    moved = np.flatnonzero(inside & (was != now))
    moved = moved[np.argsort(-new_answers.shares[moved].max(1), kind="stable")]
    return Change(
        old,
        new,
        rows,
        groups.names,
        groups.sizes,
        small,
        counted(was_in),
        counted(is_in),
        np.array([bool(set(row.labels) & set(old_labels)) for row in rows]),
        np.array([bool(set(row.labels) & set(new.labels)) for row in rows]),
        holm(p),
        moved,
        tuple(was[moved]),
        tuple(now[moved]),
    )
