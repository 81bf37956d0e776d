"""Kappa on tables whose answer is in the literature, or can be worked out by hand."""

import math

import pytest
from sklearn.metrics import cohen_kappa_score

from clipcore.measure.agreement import agreement, cohen, fleiss

# Fleiss (1971), the example of the encyclopedias: ten subjects, fourteen raters, five categories; kappa 0.210
FLEISS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]


def test_cohen_by_hand():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen(first, second, ("Ana", "Bo"))
    assert (found.n, found.same) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert 0.1 < found.interval[0] < 0.4 < found.interval[1] < 0.7


def test_fleiss_of_the_book():
    answers = [[str(kind) for kind, count in enumerate(row) for _ in range(count)] for row in FLEISS]
    found = fleiss(answers)
    assert found.kappa == pytest.approx(0.210, abs=5e-4)
    assert found.interval[0] < found.kappa < found.interval[1]


def test_pairs_and_all():
    said = {"a": {"Ana": "dog", "Bo": "dog"}, "b": {"Ana": "cat", "Bo": "cat", "Cy": "dog"}, "c": {"Ana": "cat"}}
    pairs, everybody = agreement(said)
    assert [(pair.people, pair.n) for pair in pairs] == [(("Ana", "Bo"), 2), (("Ana", "Cy"), 1), (("Bo", "Cy"), 1)]
    assert pairs[0].kappa == 1
    assert everybody.n == 2
    assert everybody.same == pytest.approx((1 + 1 / 3) / 2)
    assert agreement({"a": {"Ana": "dog"}}) == ([], None)


def test_who_says_one_thing_throughout_has_no_kappa():
    assert math.isnan(cohen(["dog"] * 5, ["dog"] * 5).kappa)
    assert math.isnan(fleiss([["dog", "dog"]] * 5).interval[0])
