"""The curve of few labels: what zero-shot is worth, exactly; and the whole figure on vectors whose answers are known."""

import numpy as np
import pytest

from clipcore import BadInput, Classifier, Examples, Space, drain
from tests.support.fakes import unit
from training.heads.curve import iter_curve, worth_in_labels

SPACE = Space("k" * 64, "m", 8)


@pytest.mark.parametrize(
    ("accuracy", "worth"),
    [(0.5, 1), (0.6, 2**0.5), (0.7, 2), (0.8, 8), (0.75, 4), (0.4, 0.5), (0.9, None)],
)
def test_worth_is_read_off_log_linearly(accuracy, worth):
    found = worth_in_labels(accuracy, [(1, 0.5), (2, 0.7), (8, 0.8)])
    assert found == (worth if worth is None else pytest.approx(worth))


def test_a_curve_of_classes_that_a_probe_learns_and_names_that_know_one_of_two():
    """Four classes on an axis each; the names know two of them and take the others for these, so zero-shot has a half."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 20)
    X = unit((np.eye(8)[y] + rng.normal(0, 0.15, (80, 8))).astype(np.float32))
    labels = tuple("abcd")
    weight = np.eye(8, dtype=np.float32)[[0, 1, 6, 7]]
    head = Classifier((*labels, "rare"), np.vstack([weight, weight[:1]]), np.zeros(5, np.float32), 10.0, SPACE)
    examples = Examples(np.vstack([X, X[:1]]), (*(labels[i] for i in y), "rare"), SPACE)
    found = drain(iter_curve(examples, head))
    assert (found.n, found.classes) == (80, 4)  # a class of one picture is left out
    assert 0.4 < found.zero_shot < 0.75
    assert [row.shots for row in found.rows] == [1, 2, 4, 8, 10]
    assert found.rows[-1].everything
    assert found.rows[-1].probe > 0.95
    assert found.supervised == pytest.approx(found.rows[-1].probe - found.zero_shot)
    low, high = found.supervised_interval
    assert low < found.supervised < high
    assert found.worth is not None
    assert found.worth < 2
    assert "Zero-shot has" in found.sentence
    with pytest.raises(BadInput, match="4 labelled images each"):
        drain(iter_curve(examples.take(list(range(0, 80, 10))), head))
