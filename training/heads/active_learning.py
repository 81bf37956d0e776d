"""What to label next, and which labels are likely wrong."""

from dataclasses import dataclass

import numpy as np

from clipcore import Classifier, Examples

from .cross_validation import out_of_fold
from .fewshot import checked


@dataclass(frozen=True)
class Doubt:
    """A label that is likely wrong: the row of the picture, its label, the likelier one, and the confidence in that."""

    row: int
    given: str
    likely: str
    confidence: float


def what_next(
    classifier: Classifier, X: np.ndarray, taken: np.ndarray, k: int, unsure: np.ndarray | None = None
) -> np.ndarray:
    """Rows int [k] of pictures X [n, dim] worth labelling next: unsure ones, and unlike each other and those already taken.

    taken   bool [n], pictures that have a label. There are fewer than k rows where fewer are left.
    unsure  [n], how unsure the classifier is of each, 0 to 1; left out, how close its two best shares are
    """
    if unsure is None:
        shares = np.sort(classifier.shares(X), axis=1)
        unsure = 1 - (shares[:, -1] - shares[:, -2] if shares.shape[1] > 1 else np.abs(2 * shares[:, -1] - 1))
    near = np.where(taken.any(), (X @ X[taken].T).max(1, initial=-1), -1.0)
    left = ~taken
    rows: list[int] = []
    while len(rows) < k and left.any():
        worth = np.where(left, unsure * (1 - near), -np.inf)
        best = int(worth.argmax())
        rows.append(best)
        left[best] = False
        near = np.maximum(near, X @ X[best])
    return np.array(rows, int)


def wrong_labels(examples: Examples, start: Classifier) -> list[Doubt]:
    """Labels that heads taught without their picture find unlikely, the surest doubt first."""
    y = checked(examples, start)
    logits = out_of_fold(examples, start)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    likely = shares.argmax(1)
    doubts = [
        Doubt(int(i), start.labels[y[i]], start.labels[likely[i]], float(shares[i, likely[i]]))
        for i in np.flatnonzero((likely != y) & (shares.max(1) > 0.5))
    ]
    return sorted(doubts, key=lambda doubt: -doubt.confidence)
