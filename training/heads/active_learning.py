"""What to label next, which pictures show how good it is, and which labels are likely wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipcore import Classifier, Examples
from clipcore.classify.examples import split_place

from .calibration import fit_temperature
from .cross_validation import out_of_fold
from .fewshot import checked

CHECKED = 20  # pictures of a check sample
CHECK = 1  # the seed by which they are drawn
SURE = 0.8  # of another label, and that much more often than the one given, or nobody is asked
ODDS = 20.0
LEAST = 20  # labels; fewer do not tell how far the shares of taught heads can be trusted


@dataclass(frozen=True, eq=False)
class Doubt:
    """A label that is likely wrong: the row of the picture, its label, the likelier one, and what heads that had not seen
    the picture say of it, `shares` [n labels]; `confidence` is the likelier one's."""

    row: int
    given: str
    likely: str
    confidence: float
    shares: np.ndarray


def check_sample(keys: Sequence[str], count: int = CHECKED) -> list[str]:
    """At most so many of the pictures with these content hashes, drawn by chance: by the hash alone, so that the same ones
    are drawn again tomorrow, and none because it is easy or hard."""
    return sorted(set(keys), key=lambda key: split_place(key, CHECK))[:count]


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
    """Labels that heads taught without their picture find wrong on strong evidence, the surest doubt first.

    Asked is only where another label is SURE and ODDS times as likely as the given one, by shares at the temperature that
    the labels themselves ask for: pictures that are labelled because they are hard would all be asked about otherwise.
    """
    y = checked(examples, start)
    logits = out_of_fold(examples, start)
    if len(y) >= LEAST:
        logits = logits / max(1.0, fit_temperature(logits, y))
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    likely = shares.argmax(1)
    rows = np.arange(len(y))
    strong = (likely != y) & (shares[rows, likely] >= SURE) & (shares[rows, likely] >= ODDS * shares[rows, y])
    doubts = [
        Doubt(int(i), start.labels[y[i]], start.labels[likely[i]], float(shares[i, likely[i]]), shares[i])
        for i in np.flatnonzero(strong)
    ]
    return sorted(doubts, key=lambda doubt: -doubt.confidence)
