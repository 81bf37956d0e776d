"""Which pictures of a board change column from one classifier to another."""

from collections import Counter
from typing import Any

import numpy as np

from clipcore import decide
from storage import ImageRecord

from ..library.search import card
from ..studio import Studio
from .board import Boards

MOST = 2000  # pictures listed


def compare(studio: Studio, boards: Boards, run_id: str, name: str, version: int, other: int | None) -> dict[str, Any]:
    """What changes from a version of a saved classifier to another one, or to the board's own classifier, on the board's
    pictures. Raises NotFound, SpaceMismatch."""
    board = boards.get(run_id)
    before = studio.library.classifier(name, version)
    after = board.run.classifier if other is None else studio.library.classifier(name, other)
    labels = tuple(dict.fromkeys([*before.labels, *after.labels]))  # versions may have other classes
    places = []
    for classifier in (before, after):
        board.run.classifier.space.require(classifier.space, f"“{name}”")
        there = np.array([*(labels.index(label) for label in classifier.labels), -2, -1])  # the last two: NONE, UNSURE
        places.append(there[decide(classifier, board.X, studio.bank()).places])
    return changed(board.images, labels, *places)


def changed(
    images: list[ImageRecord], labels: tuple[str, ...], before: np.ndarray, after: np.ndarray, free: np.ndarray | None = None
) -> dict[str, Any]:
    """Pictures whose place differs, most frequent change first: [picture, place before, place after]."""
    differs = (before != after) if free is None else (before != after) & free
    rows = np.flatnonzero(differs)
    pairs = [(int(before[row]), int(after[row])) for row in rows]
    often = Counter(pairs)
    order = sorted(range(len(rows)), key=lambda i: (-often[pairs[i]], pairs[i], i))
    return {
        "labels": labels,
        "total": len(rows),
        "of": len(images) if free is None else int(free.sum()),
        "changes": [[*card(images[rows[i]]), *pairs[i]] for i in order[:MOST]],
    }
