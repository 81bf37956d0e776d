"""The linear probe against scikit-learn's: seconds on 50,000 made-up pictures, accuracy on real ones if there are some."""

import os

import numpy as np

from clipcore import Examples, Space
from training import linear_probe

from .pairs import Row, timed_pair

OTHER = "scikit-learn's LogisticRegression (L-BFGS), the same C"
C = 10.0


def run(quick: bool) -> list[Row]:
    """Classes that overlap, so that neither is done at once."""
    from sklearn.linear_model import LogisticRegression

    count, dim = (5_000, 256) if quick else (50_000, 512)
    rng = np.random.default_rng(0)
    places = rng.integers(0, 100, count)
    spread = rng.standard_normal((dim, dim)) * np.linspace(0.2, 2, dim)[:, None] / np.sqrt(dim)
    X = 0.25 * rng.standard_normal((100, dim))[places] + 1.5 * rng.standard_normal((count, dim)) @ spread
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    names = [f"class {i}" for i in range(100)]
    examples = Examples(X, tuple(names[i] for i in places), Space("0" * 64, "random", dim))
    rows = [
        timed_pair(
            f"{count:,} x {dim}, 100 classes, C = {C:g}",
            lambda: linear_probe(examples, names, C),
            lambda: LogisticRegression(C=C, max_iter=1000).fit(X, places),
            3 if quick else 5,
        )
    ]
    if os.environ.get("SAYSO_SETS"):
        from .labelled import CIFAR, TINY, labelled

        for name in (CIFAR, TINY):
            pictures, start = labelled(name)
            rest, held = pictures.split(0.25)
            probe = linear_probe(rest, start.labels, C).logits(held.embeddings).argmax(1)
            ours = float((probe == held.targets(start.labels)).mean())
            other = LogisticRegression(C=C, max_iter=1000).fit(rest.embeddings, rest.labels)
            right = other.score(held.embeddings, held.labels)
            half = 1.96 * np.sqrt(ours * (1 - ours) / len(held))
            case = f"{name}, interval {ours - half:.1%} to {ours + half:.1%}"
            rows.append(Row(case, round(100 * ours, 2), round(100 * right, 2), round(ours / right, 2), "% right", len(held)))
    return rows
