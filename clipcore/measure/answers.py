"""What a classifier said of each labelled picture: kept, so that every figure leads to its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..classify.classifier import Classifier
from ..classify.examples import Examples
from ..classify.tree import leaf, right_above
from ..errors import BadInput
from .intervals import points

BLOCK = 1024  # pictures that are asked about at once: with many classes the scores of all would not fit a processor's cache


@dataclass(frozen=True, eq=False)
class Judged:
    """A classifier's answers on n labelled pictures.

    labels      the classifier's classes
    keys        content hashes, one for each picture; the same key is the same picture, whoever judged it
    truth       int [n], the right class
    guess       int [n], the class with the highest score; never the right one where that is only tied for the first place
    rank        int [n], how many other classes do not score lower than the right one
    confidence  float32 [n], the share of the guess
    names       what to call each picture: a file's name, or nothing
    """

    labels: tuple[str, ...]
    keys: tuple[str, ...]
    truth: np.ndarray
    guess: np.ndarray
    rank: np.ndarray
    confidence: np.ndarray
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def right(self) -> np.ndarray:
        """bool [n]."""
        return self.rank == 0

    def name(self, row: int) -> str:
        """What to call a picture."""
        return self.names[row] if self.names else self.keys[row]

    def cell(self, truth: str, guess: str) -> list[int]:
        """The rows of one cell of the confusion matrix, the surest first. Raises BadInput for a class that is not there."""
        if unknown := {truth, guess} - set(self.labels):
            raise BadInput(f"There is no class “{min(unknown)}” in this report.")
        t, g = self.labels.index(truth), self.labels.index(guess)
        rows = np.flatnonzero((self.truth == t) & (self.guess == g))
        return rows[np.argsort(-self.confidence[rows], kind="stable")].tolist()

    def mistakes(self) -> np.ndarray:
        """The rows that are wrong, int [m], the surest first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidence[wrong], kind="stable")]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        arrays = {name: getattr(self, name).tolist() for name in ("truth", "guess", "rank")}
        confidence = [round(float(c), 5) for c in self.confidence]
        texts = {"labels": list(self.labels), "keys": list(self.keys), "names": list(self.names)}
        return {**texts, **arrays, "confidence": confidence}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Judged":
        """The inverse of `to_json`."""
        arrays = {name: np.array(data[name], int) for name in ("truth", "guess", "rank")}
        labels, keys, names = (tuple(data[name]) for name in ("labels", "keys", "names"))
        confidence = np.array(data["confidence"], np.float32)
        return cls(labels, keys, arrays["truth"], arrays["guess"], arrays["rank"], confidence, names)


def judge(classifier: Classifier, examples: Examples, names: Sequence[str] = ()) -> Judged:
    """Ask a classifier about labelled pictures.

    Ties and NaN count against it, so that a constant or a broken head gains nothing. Raises SpaceMismatch, and BadInput if
    there are no pictures or a label that the classifier does not have (see `known`).
    """
    if not len(examples):
        raise BadInput("There are no labelled images to measure on; name a folder with one folder of images per class.")
    examples.space.require(classifier.space, "This classifier")
    truth = examples.targets(classifier.labels)
    n = len(truth)
    rank, guess, confidence = np.empty(n, int), np.empty(n, int), np.empty(n, np.float32)
    for start in range(0, n, BLOCK):
        part = slice(start, start + BLOCK)
        logits = classifier.logits(examples.embeddings[part])
        rows, right = np.arange(len(logits)), truth[part]
        rank[part] = (~(logits < logits[rows, right][:, None])).sum(axis=1) - 1
        # A guess of the first place that the right class shares is one of the others.
        scores = np.where(np.isnan(logits), -np.finfo(np.float32).max, logits)
        shared = rank[part] > 0
        scores[rows[shared], right[shared]] = -np.inf
        guess[part] = scores.argmax(axis=1)
        confidence[part] = np.nan_to_num(classifier.shares_of(logits)[rows, guess[part]])
    return Judged(classifier.labels, examples.keys, truth, guess, rank, confidence, tuple(names))


def known(examples: Examples, labels: Sequence[str]) -> tuple[np.ndarray, Examples, dict[str, int]]:
    """The rows [m] whose label a classifier knows, those pictures with the label as the classifier spells it, and how many
    were left out, by label. Case and underscores do not matter: a folder Golden_Retriever is the class "golden retriever",
    and "dog > golden retriever" of a tree.
    """
    spelled = {_plain(name): label for label in labels for name in (leaf(label), label)}
    exact = set(labels)
    found = [label if label in exact else spelled.get(_plain(label)) for label in examples.labels]
    rows = np.array([row for row, label in enumerate(found) if label is not None], int)
    left: dict[str, int] = {}
    for label, match in zip(examples.labels, found, strict=True):
        if match is None:
            left[label] = left.get(label, 0) + 1
    some = examples.take(rows)
    return rows, Examples(some.embeddings, tuple(str(found[row]) for row in rows), some.space, some.keys), left


def _plain(label: str) -> str:
    return " ".join(label.replace("_", " ").split()).casefold()


def above(judged: Judged) -> list[str]:
    """Of a tree of labels, how often the answer is right at each level above their own, in a sentence; else nothing."""
    found = right_above(judged.labels, judged.truth, judged.guess)
    if not found:
        return []
    told = ", ".join(f"{points(share)} at level {level}" for level, share in found)
    return [f"Right further up the tree of labels: {told}."]
