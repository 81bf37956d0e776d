"""Pictures to label first: typical, diverse, balanced, and no two nearly the same."""

import numpy as np
import pytest

from clipcore import BadInput
from tests.support.fakes import unit
from tests.support.sentences import assert_sentence
from training.heads.choosing import choose


@pytest.fixture
def groups():
    """Three groups of 30, 15 and 5 pictures around an axis each, and one picture that is like no other (row 50)."""
    rng = np.random.default_rng(0)
    axes = np.repeat(np.eye(8)[:3], (30, 15, 5), axis=0)
    return unit(np.vstack([axes + rng.normal(0, 0.12, axes.shape), np.eye(8)[7]]).astype(np.float32))


def group(rows):
    return sorted(np.digitize(rows, (30, 45, 50)).tolist())


def test_typical_takes_one_of_each_kind_and_near_its_middle(groups):
    rows = choose(groups, 4, "typical")
    assert group(rows) == [0, 1, 2, 3]
    for row, axis in zip(sorted(rows)[:3], np.eye(8), strict=False):
        assert groups[row] @ axis > 0.9
    assert rows[0] < 30  # what most are like comes first


def test_diverse_takes_what_is_like_nothing_else(groups):
    assert 50 in choose(groups, 4, "diverse")
    assert group(choose(groups, 4, "diverse")) == [0, 1, 2, 3]


def test_balanced_takes_as_many_of_each_answer(groups):
    answers = np.repeat([0, 1, 2], (30, 15, 6))
    rows = choose(groups, 9, "balanced", answers)
    assert np.bincount(answers[rows]).tolist() == [3, 3, 3]


@pytest.mark.parametrize("how", ["typical", "diverse", "balanced"])
def test_near_duplicates_are_left_out(how):
    same = np.repeat(np.eye(8, dtype=np.float32)[:3], 10, axis=0)
    rows = choose(same, 20, how, np.zeros(30, int))
    assert sorted(rows // 10) == [0, 1, 2]


def test_what_cannot_be_chosen_is_said(groups):
    for n, how, X, says in (
        (0, "typical", groups, "at least one"),
        (3, "odd", groups, "no way"),
        (3, "typical", groups[:0], "no pictures"),
        (3, "balanced", groups, "give class names"),
    ):
        with pytest.raises(BadInput, match=says) as caught:
            choose(X, n, how)
        assert_sentence(caught.value)
