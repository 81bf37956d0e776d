"""What moves when a label set changes: other classes, thresholds, distractors (Radford et al., 2021, 7.1 and 7.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import BadInput
from ...prompts import clean_label
from ..intervals import wilson
from .design import Categories, Design, LabelSet
from .groups import Groups
from .statistics import holm, mcnemar
from .tables import Row, members, plain, rows_of

if TYPE_CHECKING:
    from ...encoder import Encoder
    from .bench import Answered

# From the lowest share that anyone would show to certainty; 0.5 % and 4 % are those of the paper's Congress experiment.
THRESHOLDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, *(step / 20 for step in range(2, 20)), 0.99)
MOST_CAPTIONS = 20


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
    before: "tuple[LabelSet, Answered]",
    after: "tuple[LabelSet, Answered]",
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


@dataclass(frozen=True, eq=False)
class Sweep:
    """How many pictures of each group show a row at each threshold. `share` is [rows, groups, thresholds]: a picture shows
    a class if its share of the set is at least the threshold, a category if any of its classes does. Several may show."""

    label_set: str
    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    sizes: np.ndarray
    thresholds: tuple[float, ...]
    share: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """As plain values, shares to four digits after the point."""
        return {
            "label_set": self.label_set,
            "rows": [{"name": row.name, "kind": row.kind} for row in self.rows],
            "groups": [{"name": name, "n": int(n)} for name, n in zip(self.groups, self.sizes, strict=True)],
            "thresholds": list(self.thresholds),
            "share": np.round(self.share, 4).tolist(),
        }


def sweep(
    label_set: LabelSet,
    shares: np.ndarray,
    groups: Groups,
    categories: Categories,
    thresholds: Sequence[float] = THRESHOLDS,
) -> Sweep:
    """Count, for shares [n, labels], which rows reach which threshold in each group."""
    rows = rows_of(label_set.labels, categories)
    found = np.zeros((len(rows), len(groups.names), len(thresholds)))
    belongs = members(rows, label_set.labels)
    levels = np.asarray(thresholds, np.float32)
    for j, name in enumerate(groups.names):
        own = shares[groups.rows(name)]
        for i in range(len(rows)):
            best = np.sort(own[:, belongs[i]].max(1))
            found[i, j] = (len(best) - np.searchsorted(best, levels)) / len(best)
    return Sweep(label_set.name, rows, groups.names, groups.sizes, tuple(thresholds), found)


@dataclass(frozen=True, eq=False)
class Stress:
    """What near-miss captions draw away. Each caption competes by itself; `any` is all of them together, in the last row.

    taken    pictures of each group that prefer the caption to every class of the set, [captions + 1, groups]
    by_class of the pictures that a class had, how many it loses, [captions + 1, labels]; `had` is how many it had [labels]
    """

    label_set: str
    captions: tuple[str, ...]
    groups: tuple[str, ...]
    sizes: np.ndarray
    taken: np.ndarray
    labels: tuple[str, ...]
    had: np.ndarray
    by_class: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """As plain values, with 95 % Wilson intervals."""
        n = int(self.sizes.sum())
        low, high = wilson(self.taken.sum(1), n)
        return {
            "label_set": self.label_set,
            "captions": [*self.captions, "any of them"] if len(self.captions) > 1 else list(self.captions),
            "n": n,
            "taken": self.taken.sum(1).tolist(),
            "low": plain(low),
            "high": plain(high),
            "groups": [{"name": name, "n": int(size)} for name, size in zip(self.groups, self.sizes, strict=True)],
            "by_group": plain(self.taken / np.maximum(self.sizes, 1)),
            "labels": [{"name": name, "n": int(had)} for name, had in zip(self.labels, self.had, strict=True)],
            "by_class": plain(self.by_class / np.maximum(self.had, 1)),
        }


def stress(
    encoder: "Encoder",
    label_set: LabelSet,
    answered: "Answered",
    X: np.ndarray,
    groups: Groups,
    captions: Sequence[str],
) -> Stress:
    """Put each caption, as it stands, beside the classes of a set. Raises BadInput for none, or too many."""
    captions = list(dict.fromkeys(clean_label(caption) for caption in captions if caption.strip()))
    if not 1 <= len(captions) <= MOST_CAPTIONS:
        raise BadInput(
            f"Type one to {MOST_CAPTIONS} captions that are nearly right, one a line, such as: a photo of an empty street."
        )
    head = answered.classifier
    best = head.logits(X).max(1)
    rival = head.scale * (X @ encoder.embed_texts(captions).T) + (encoder.logit_bias or 0.0)
    inside = np.flatnonzero(groups.place >= 0)
    wins = rival[inside] > best[inside, None]
    if len(captions) > 1:
        wins = np.concatenate([wins, wins.any(1, keepdims=True)], 1)
    place, guess = groups.place[inside], answered.guess[inside]
    taken = np.array([np.bincount(place[won], minlength=len(groups.names)) for won in wins.T])
    by_class = np.array([np.bincount(guess[won], minlength=len(label_set.labels)) for won in wins.T])
    had = np.bincount(guess, minlength=len(label_set.labels))
    return Stress(label_set.name, tuple(captions), groups.names, groups.sizes, taken, label_set.labels, had, by_class)
