"""Label sets under stress: other thresholds, and captions that are nearly right (Radford et al., 2021, 7.1 and 7.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classify.prompts import clean_label
from ...errors import BadInput
from ..intervals import wilson
from .answered import Answered
from .design import Categories, LabelSet
from .groups import Groups
from .tables import Row, members, plain, rows_of

if TYPE_CHECKING:
    from ...encoding.encoder import Encoder

# From the lowest share that anyone would show to certainty; 0.5 % and 4 % are those of the paper's Congress experiment.
THRESHOLDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, *(step / 20 for step in range(2, 20)), 0.99)
MOST_CAPTIONS = 20


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
    answered: Answered,
    X: np.ndarray,
    groups: Groups,
    captions: Sequence[str],
) -> Stress:
    """Put each caption, as it stands, beside the classes of a set. Raises BadInput for none, or too many."""
    captions = list(dict.fromkeys(clean_label(caption) for caption in captions if caption.strip()))
    if not 1 <= len(captions) <= MOST_CAPTIONS:
        raise BadInput(
            f"Type 1 to {MOST_CAPTIONS} captions that are nearly right; one a line, such as: a photo of an empty street."
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
