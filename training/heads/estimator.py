"""Sayso as a classifier of scikit-learn: `fit`, `predict`, `predict_proba`, in pipelines, grid searches, cross-validation.

    from training import SaysoClassifier
    GridSearchCV(SaysoClassifier(), {"prompts": ["one", "seven"]}).fit(paths, names)

It begins at the class names, so that it is of use from the first labelled picture on, and without any: `fit(None, names)`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

import clipcore
from clipcore import BadInput, Classifier, Examples, PromptSet, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK

from .fewshot import few_shot
from .probe import linear_probe

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

HEADS = ("few-shot", "probe", "zero-shot")
FEW = 64  # pictures that are read without a progress bar


class SaysoClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A CLIP classifier with scikit-learn's interface.

    X of all methods is vectors of the model, float [n, dim], or n pictures as paths or PIL images, which are then embedded.

    model    a model's name, as in `clipcore.load`, or an encoder
    prompts  a prompt pack's name, or a PromptSet
    head     few-shot begins at the names; probe learns from the pictures alone; zero-shot from the names alone
    C        the probe's inverse penalty; None: chosen by validation
    names    for classes that are not words, what each is called: {0: "cat", 1: "dog"}

    After `fit` there are `classes_` [n classes], sorted, and `classifier_`, a `clipcore.Classifier` to save and to share.
    """

    def __init__(
        self,
        model: "str | Encoder" = "starter",
        prompts: str | PromptSet = DEFAULT_PACK,
        head: str = "few-shot",
        C: float | None = None,
        names: dict[Any, str] | None = None,
    ) -> None:
        self.model = model
        self.prompts = prompts
        self.head = head
        self.C = C
        self.names = names

    def fit(self, X: Any, y: Sequence[Any] | np.ndarray) -> Self:
        """Learn from pictures with their classes y [n]; without pictures (X None) y is just the classes. Raises BadInput."""
        if self.head not in HEADS:
            raise BadInput(f"There is no head {self.head!r}; use {', '.join(HEADS)}.")
        self.classes_ = np.unique(np.asarray(y))
        labels = tuple(self._name(each) for each in self.classes_.tolist())
        encoder = _encoder(self.model)
        start = zero_shot_classifier(encoder, labels, self.prompts)
        self.classifier_: Classifier = start
        self.n_features_in_ = encoder.space.dim
        if X is None or self.head == "zero-shot":
            return self
        vectors = self._vectors(X)
        examples = Examples(vectors, tuple(self._name(each) for each in np.asarray(y).tolist()), encoder.space)
        self.classifier_ = few_shot(examples, start) if self.head == "few-shot" else linear_probe(examples, labels, self.C)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The class of each picture, [n]."""
        places = self.decision_function(X).argmax(1)
        return np.asarray(self.classes_[places])

    def predict_proba(self, X: Any) -> np.ndarray:
        """The share of each class, float [n, n classes], in the order of `classes_`."""
        check_is_fitted(self, "classifier_")
        shares = self.classifier_.shares(self._vectors(X)).astype(np.float64)
        return np.asarray(shares / shares.sum(1, keepdims=True))

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores before the softmax, float [n, n classes]."""
        check_is_fitted(self, "classifier_")
        return self.classifier_.logits(self._vectors(X))

    def __sklearn_clone__(self) -> Self:
        return type(self)(**self.get_params(deep=False))  # with the same encoder: a copy of it would take its memory again

    def _name(self, each: Any) -> str:
        return str((self.names or {}).get(each, each))

    def _vectors(self, X: Any) -> np.ndarray:
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f":
            norms = np.linalg.norm(X, axis=1, keepdims=True)
            return np.asarray(X / np.maximum(norms, 1e-12), np.float32)
        encoder, pictures = _encoder(self.model), list(X)
        if len(pictures) <= FEW:
            return encoder.embed_images(pictures)
        from tqdm.auto import tqdm

        parts = [pictures[start : start + FEW] for start in range(0, len(pictures), FEW)]
        return np.concatenate([encoder.embed_images(part) for part in tqdm(parts, "embedding", leave=False)])


def _encoder(model: "str | Encoder") -> "Encoder":
    return _loaded(model) if isinstance(model, str) else model


@lru_cache(maxsize=2)
def _loaded(model: str) -> "Encoder":
    return clipcore.load(model)
