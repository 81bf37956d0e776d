"""Accuracy, worked out by hand."""

import math

import numpy as np
import pytest

from clipcore import BadInput, Classifier, Space
from clipcore.measure import evaluate


def identity_head(*labels: str) -> Classifier:
    """The logits of a vector are the vector itself."""
    n = len(labels)
    return Classifier(labels, np.eye(n, dtype=np.float32), np.zeros(n, np.float32), 1.0, Space("k", "m", n))


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval after Wilson (1927), as in the textbook."""
    z, p = 1.959963984540054, right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def test_hand_computed():
    head = identity_head("a", "b", "c", "d", "e", "f")
    scores = [
        [9, 1, 1, 1, 1, 1],  # a: right
        [1, 9, 0, 0, 0, 0],  # a: second
        [5, 4, 3, 2, 1, 0],  # f: sixth, not among five
        [0, 1, 2, 9, 4, 5],  # d: right
        [5, 4, 3, 2, 1, 0],  # e: fifth
    ]
    report = evaluate(head, np.array(scores, np.float32), ["a", "a", "f", "d", "e"])
    assert (report.n, report.top1, report.top5) == (5, 2 / 5, 4 / 5)
    assert report.recall == {"a": 0.5, "d": 1.0, "e": 0.0, "f": 0.0}
    assert report.support == {"a": 2, "d": 1, "e": 1, "f": 1}
    assert report.mean_per_class_recall == 1.5 / 4  # b and c have no images and do not count
    assert report.interval == pytest.approx(wilson(2, 5), abs=1e-12)
    assert report.to_json()["top1"] == 0.4


@pytest.mark.parametrize(("right", "n"), [(0, 3), (3, 3), (50, 80), (7990, 8000)])
def test_interval_is_wilsons(right, n):
    head = identity_head("a", "b")
    embeddings = np.array([[1, 0]] * right + [[0, 1]] * (n - right), np.float32)
    assert evaluate(head, embeddings, ["a"] * n).interval == pytest.approx(wilson(right, n), abs=1e-12)


@pytest.mark.parametrize("constant", [0.0, np.nan])
def test_a_head_that_says_nothing_gains_nothing(constant):
    """Ties and NaN count against us, and recall tells the same story as accuracy."""
    labels = "abcdef"
    report = evaluate(identity_head(*labels), np.full((6, 6), constant, np.float32), list(labels))
    assert (report.top1, report.top5, report.mean_per_class_recall) == (0, 0, 0)


def test_bad_input():
    head = identity_head("a", "b")
    with pytest.raises(BadInput, match="no labelled images"):
        evaluate(head, np.zeros((0, 2), np.float32), [])
    with pytest.raises(BadInput, match="no class “z”"):
        evaluate(head, np.zeros((2, 2), np.float32), ["a", "z"])
    with pytest.raises(BadInput, match="needs 2"):
        evaluate(head, np.zeros((1, 3), np.float32), ["a"])
