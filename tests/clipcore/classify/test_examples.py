import numpy as np
import pytest

from clipcore import BadInput, Examples
from tests.support.fakes import FakeEncoder

SPACE = FakeEncoder().space


def examples(labels, keys=()):
    X = np.eye(SPACE.dim, dtype=np.float32)[np.arange(len(labels)) % SPACE.dim]
    return Examples(X, tuple(labels), SPACE, tuple(keys))


def test_parts_of_different_length_are_refused():
    with pytest.raises(BadInput, match="one of each"):
        Examples(np.zeros((2, SPACE.dim), np.float32), ("cat",), SPACE)


def test_the_same_picture_is_never_on_both_sides_of_a_split_or_a_fold():
    keys = [f"picture {i // 2}" for i in range(200)]
    both = examples(["cat", "dog"] * 100, keys)
    rest, held = both.split(0.3)
    assert len(rest) + len(held) == 200
    assert 30 <= len(held) <= 90
    assert not set(rest.keys) & set(held.keys)
    for learn, test in both.folds(5):
        assert not {keys[i] for i in learn} & {keys[i] for i in test}


def test_a_split_keeps_its_pictures_when_others_come():
    few, many = examples(["cat"] * 50), examples(["cat"] * 90)
    assert set(few.split(0.5)[1].keys) <= set(many.split(0.5)[1].keys)
    assert few.split(0.5, seed=1)[1].keys != few.split(0.5)[1].keys


def test_folds_test_every_picture_once_and_spread_each_class():
    labels = ["cat"] * 10 + ["dog"] * 5
    data = examples(labels)
    tested = [test for _, test in data.folds(5)]
    assert sorted(np.concatenate(tested)) == list(range(15))
    assert all(sorted(labels[i] for i in test) == ["cat", "cat", "dog"] for test in tested)


def test_few_shot_takes_so_many_of_each_class_or_all_there_are():
    data = examples(["cat"] * 10 + ["dog"])
    assert data.few_shot(3).counts == {"cat": 3, "dog": 1}
    assert data.few_shot(3, seed=0).keys == data.few_shot(3, seed=0).keys != data.few_shot(3, seed=1).keys


def test_targets_name_the_class_that_is_missing():
    data = examples(["cat", "dog", "cat"])
    assert data.targets(["dog", "cat"]).tolist() == [1, 0, 1]
    with pytest.raises(BadInput, match="“cat”"):
        data.targets(["dog"])
    assert data.only(["dog"]).keys == ("1",)
    assert len(data.take([])) == 0
