"""Labelled pictures to learn from and to measure on: where storage, which has them, and training, which needs them, meet."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import BadInput
from ..space import Space


@dataclass(frozen=True, eq=False)
class Examples:
    """n pictures of one embedding space with their labels.

    embeddings  float32 [n, dim], unit length
    labels      n class names
    space       where the embeddings live
    keys        n content hashes; pictures with the same one are the same picture. Left out, every row is its own picture
    """

    embeddings: np.ndarray
    labels: tuple[str, ...]
    space: Space
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise BadInput unless the parts have the same length."""
        if not self.keys:
            object.__setattr__(self, "keys", tuple(map(str, range(len(self.labels)))))
        if not len(self.embeddings) == len(self.labels) == len(self.keys):
            raise BadInput(
                f"There are {len(self.embeddings)} vectors, {len(self.labels)} labels and {len(self.keys)} keys; "
                "examples need one of each for every picture."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many pictures each label has, by label."""
        return dict(sorted(Counter(self.labels).items()))

    def take(self, rows: Sequence[int] | np.ndarray) -> "Examples":
        """Some of the pictures: indices, or a mask of n booleans."""
        rows = np.arange(len(self))[np.asarray(rows)] if len(rows) else np.zeros(0, int)
        return Examples(
            self.embeddings[rows], tuple(self.labels[i] for i in rows), self.space, tuple(self.keys[i] for i in rows)
        )

    def only(self, labels: Sequence[str]) -> "Examples":
        """Those whose label is one of these."""
        wanted = set(labels)
        return self.take([i for i, label in enumerate(self.labels) if label in wanted])

    def targets(self, labels: Sequence[str]) -> np.ndarray:
        """The place of each picture's label in `labels`, int [n]. Raises BadInput for a label that is not there."""
        column = {label: i for i, label in enumerate(labels)}
        if unknown := set(self.labels) - column.keys():
            raise BadInput(f"There is no class “{min(unknown)}”; add it, or leave its images out.")
        return np.array([column[label] for label in self.labels], int)

    def split(self, share: float, seed: int = 0) -> tuple["Examples", "Examples"]:
        """About a `share` held out, by content hash: (the rest, the held-out part). A picture never is in both, and stays
        in its part when others come or go."""
        held = np.array([split_place(key, seed) < share for key in self.keys], bool)
        return self.take(~held), self.take(held)

    def folds(self, k: int, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """k pairs of (rows to learn from, rows to test on), each class spread over the folds; the same picture is always
        in the same fold."""
        fold = np.zeros(len(self), int)
        dealt: Counter[str] = Counter()
        placed: dict[str, int] = {}
        for i in sorted(range(len(self)), key=lambda i: (split_place(self.keys[i], seed), i)):
            if self.keys[i] not in placed:
                placed[self.keys[i]] = dealt[self.labels[i]] % k
                dealt[self.labels[i]] += 1
            fold[i] = placed[self.keys[i]]
        for part in range(k):
            if (fold == part).any() and (fold != part).any():
                yield np.flatnonzero(fold != part), np.flatnonzero(fold == part)

    def few_shot(self, shots: int, seed: int = 0) -> "Examples":
        """At most `shots` pictures of each label, drawn by chance."""
        rng = np.random.default_rng(seed)
        taken: Counter[str] = Counter()
        rows = []
        for i in rng.permutation(len(self)):
            if taken[self.labels[i]] < shots:
                taken[self.labels[i]] += 1
                rows.append(int(i))
        return self.take(sorted(rows))


def split_place(key: str, seed: int) -> float:
    # where in [0, 1) a picture lies, by its hash alone
    return int(hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()[:8], 16) / 2**32
