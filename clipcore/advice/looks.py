"""What a model says of names: which of them nearly coincide for it, and which pictures are nearest to each."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..classify.classifier import Classifier
from ..classify.prompts import PromptSet
from ..classify.zeroshot import zero_shot_classifier
from ..errors import BadInput
from .said import Advice

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

SIMILAR = 0.25  # two classes nearer to each other than this part of the usual distance are said to coincide
ANCHORS = ("dog", "car", "tree", "house", "person", "food", "boat", "flower", "computer", "book", "mountain", "shoe")


def similar(labels: Sequence[str], prompts: PromptSet, encoder: "Encoder") -> Iterator[Advice]:
    """Pairs of classes much nearer to each other than is usual in this list, or, in a short list, among everyday words."""
    if len(labels) < 2:
        return
    templates = PromptSet(prompts.name, prompts.templates)
    anchors = [word for word in ANCHORS if word not in labels] if len(labels) < 5 else []
    kept = {name: texts for name, texts in prompts.class_prompts.items() if name in labels}
    synonyms = {name: names for name, names in prompts.synonyms.items() if name in labels}
    mine = PromptSet(prompts.name, prompts.templates, synonyms, kept)
    rows = [zero_shot_classifier(encoder, labels, mine).weight]
    if anchors:
        rows.append(zero_shot_classifier(encoder, anchors, templates).weight)
    vectors = np.concatenate(rows)
    distances = 1 - vectors @ vectors.T
    usual = float(np.median(distances[np.triu_indices(len(vectors), 1)]))
    near = np.argwhere(np.triu(distances[: len(labels), : len(labels)] < SIMILAR * usual, 1))
    for a, b in sorted(near.tolist(), key=lambda pair: distances[pair[0], pair[1]]):
        yield Advice(
            "similar",
            (labels[a], labels[b]),
            f"“{labels[a]}” and “{labels[b]}” are nearly the same to this model: make them one class, or describe what "
            "looks different.",
        )


def nearest_per_class(classifier: Classifier, X: np.ndarray, k: int = 6) -> np.ndarray:
    """The k pictures that fit each class best on its own, best first: rows of X [n, dim] as int [n classes, min(k, n)].

    A look at them, before anything is classified, shows what the model takes a name for. Raises BadInput for no pictures.
    """
    if not len(X):
        raise BadInput("There are no pictures to look at; add a folder of pictures first.")
    # by likeness to the class alone: shares would also ask how unlike the other classes a picture is
    scores = classifier.logits(X).T
    k = min(k, len(X))
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable"), 1)
