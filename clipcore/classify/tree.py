"""Trees of labels: `animal > dog` is a dog, and a dog is an animal. Answers at every level, with shares pooled upwards.

A name says itself where it stands, so a tree goes wherever class names go: boards, files, exports. The text tower reads the
last part alone. A picture that may be a dog or a cat is unsure among these, and yet surely an animal.
"""

from collections.abc import Sequence

import numpy as np

BETWEEN = " > "  # with its spaces: a name may have the mark in it


def path_of(label: str) -> tuple[str, ...]:
    """The names from the top down to the label's own; one where it stands in no tree."""
    return tuple(part for name in label.split(BETWEEN) if (part := name.strip())) or (label,)


def leaf(label: str) -> str:
    """The label's own name."""
    return path_of(label)[-1]


def is_tree(labels: Sequence[str]) -> bool:
    """Whether any of the labels stands below another name."""
    return any(len(path_of(label)) > 1 for label in labels)


def levels(labels: Sequence[str], shares: np.ndarray) -> list[tuple[str, float]]:
    """From the top down: the best name at each level within the one above, and its share, that of all below it together.

    shares  [n labels] of one picture
    """
    paths = [path_of(label) for label in labels]
    found: list[tuple[str, float]] = []
    here: tuple[str, ...] = ()
    while True:
        pooled: dict[tuple[str, ...], float] = {}
        for path, share in zip(paths, shares.tolist(), strict=True):
            if len(path) > len(here) and path[: len(here)] == here:
                below = path[: len(here) + 1]
                pooled[below] = pooled.get(below, 0.0) + share
        if not pooled:
            return found
        here = max(pooled, key=lambda node: pooled[node])
        found.append((BETWEEN.join(here), pooled[here]))


def sure_above(labels: Sequence[str], shares: np.ndarray, sure: float) -> tuple[str, float] | None:
    """The lowest name above the labels' own that has this share or more, and the share it has; None where none has.

    shares  [n labels] of one picture that is unsure between labels
    """
    there = [(name, share) for name, share in levels(labels, shares) if name not in labels and share >= sure]
    return there[-1] if there else None


def right_above(labels: Sequence[str], truth: np.ndarray, guess: np.ndarray) -> list[tuple[int, float]]:
    """How often the answer is right at each level above the labels' own: (level from the top, share)."""
    paths = [path_of(label) for label in labels]
    deepest = max(map(len, paths))
    found = []
    for level in range(1, deepest):
        same = [paths[t][:level] == paths[g][:level] for t, g in zip(truth.tolist(), guess.tolist(), strict=True)]
        found.append((level, float(np.mean(same))))
    return found
