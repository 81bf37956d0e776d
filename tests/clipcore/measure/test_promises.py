"""A promise as a claim: kept, missed by what may be chance, not kept, and on pictures of another kind."""

from dataclasses import replace

import numpy as np
import pytest

from clipcore import Decision, Examples, zero_shot_classifier
from clipcore.classify.promise import unseen, with_unseen
from clipcore.measure.promises import claims
from tests.support.fakes import FakeEncoder, unit


@pytest.fixture
def promised():
    rng = np.random.default_rng(0)
    start = zero_shot_classifier(FakeEncoder(), ["red", "green"])
    y = rng.integers(2, size=100)
    X = unit(np.eye(4)[y] + 0.2 * rng.standard_normal((100, 4))).astype(np.float32)
    return with_unseen(start.with_decision(Decision(sure=0.0, promise=0.1, level=0.0)), unseen(start, start.logits(X), y))


def examples(promised, wrong, n=100):
    rng = np.random.default_rng(1)
    y = rng.integers(2, size=n)
    X = unit(np.eye(4)[y] + 0.2 * rng.standard_normal((n, 4))).astype(np.float32)
    y = promised.logits(X).argmax(1)  # what it says, but for so many
    y[:wrong] = 1 - y[:wrong]
    return Examples(X, tuple(promised.labels[place] for place in y), promised.space)


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [(3, "3 of 100 are (95 % interval 1.0 % to 8.5 %): kept."), (12, "chance."), (40, "not kept.")],
)
def test_a_promise_is_held_against_labelled_pictures(promised, wrong, verdict):
    first, *others = claims(promised, examples(promised, wrong))
    assert first.startswith("Promised: at most 10 % of the answers are wrong. Here ")
    assert first.endswith(verdict)
    assert [told for told in others if told.startswith("Sets of names for 90 %: they hold the right one of ")]


def test_where_nothing_is_promised_or_can_be(promised):
    silent = promised.with_decision(replace(promised.decision, sure=1.0))
    assert claims(silent, examples(promised, 0))[0].endswith("None of these images gets an answer.")
    assert claims(zero_shot_classifier(FakeEncoder(), ["red", "green"]), examples(promised, 0)) == []
    assert claims(promised.with_decision(replace(promised.decision, many=True)), examples(promised, 0)) == []
    one_sided = examples(promised, 0).only(["red"])
    assert any("The promise does not hold here" in told for told in claims(promised, one_sided))
