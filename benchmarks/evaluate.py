"""Evaluating images that are already embedded: one call of ours against the scikit-learn calls for the same figures."""

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

from clipcore import Classifier, Examples, Space
from clipcore.measure import judge, summarise

from .pairs import Row, timed_pair

OTHER = (
    "scikit-learn: confusion matrix, table of classes, top-1 and top-5, balanced accuracy, calibration curve; no intervals"
)


def run(quick: bool) -> list[Row]:
    """10,000 random vectors of 512 numbers; ours also gives intervals, coverage and the surest mistakes."""
    rng = np.random.default_rng(0)
    rows = []
    for classes in (100,) if quick else (10, 100, 1000):
        weight = rng.normal(size=(classes, 512)).astype(np.float32)
        labels = tuple(f"class {i}" for i in range(classes))
        head = Classifier(labels, weight, np.zeros(classes, np.float32), 1.0, Space("0" * 64, "random", 512))
        truth = rng.integers(0, classes, 10_000)
        X = weight[truth] + 4 * rng.normal(size=(10_000, 512)).astype(np.float32)
        X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
        examples = Examples(X, tuple(labels[t] for t in truth), head.space)

        def ours(head: Classifier = head, examples: Examples = examples) -> object:
            return summarise(judge(head, examples))

        def other(head: Classifier = head, X: np.ndarray = X, truth: np.ndarray = truth) -> object:
            shares = head.shares(X)
            guess = shares.argmax(1)
            every = np.arange(len(head.labels))
            return (
                metrics.confusion_matrix(truth, guess, labels=every),
                metrics.precision_recall_fscore_support(truth, guess, labels=every, zero_division=0),
                metrics.accuracy_score(truth, guess),
                metrics.top_k_accuracy_score(truth, shares, k=5, labels=every),
                metrics.balanced_accuracy_score(truth, guess),
                calibration_curve(truth == guess, shares.max(1), n_bins=15),
            )

        rows.append(timed_pair(f"10,000 images, {classes:,} classes", ours, other, 5))
    return rows
