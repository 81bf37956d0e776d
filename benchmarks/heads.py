"""A head after one more label: few_shot on 1,000 labelled pictures of 100 classes against logistic regression's refit."""

import numpy as np

from clipcore import Classifier, Examples, Space
from training import few_shot

from .pairs import Row, timed_pair

OTHER = "scikit-learn's LogisticRegression with its defaults"


def run(quick: bool) -> list[Row]:
    """Random classes: speed does not depend on what they are."""
    from sklearn.linear_model import LogisticRegression

    rows = []
    for dim in (256,) if quick else (256, 512):
        rng = np.random.default_rng(0)
        places = np.repeat(np.arange(100), 10)
        means = rng.standard_normal((100, dim))
        X = _unit(means[places] + 2 * rng.standard_normal((1000, dim)))
        space = Space("0" * 64, "random", dim)
        names = tuple(f"class {i}" for i in range(100))
        start = Classifier(names, _unit(means), np.zeros(100, np.float32), 100.0, space)
        examples = Examples(X, tuple(names[i] for i in places), space)

        def ours(examples: Examples = examples, start: Classifier = start) -> object:
            return few_shot(examples, start)

        def other(examples: Examples = examples) -> object:
            return LogisticRegression().fit(examples.embeddings, examples.labels)

        rows.append(timed_pair(f"1,000 labelled x 100 classes, {dim} dimensions", ours, other, 5))
    return rows


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
