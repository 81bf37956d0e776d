"""Label, unsure or none of these: worked out by hand in a space of four colours."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save

from clipcore import (
    NONE,
    UNSURE,
    BadInput,
    Classifier,
    Decision,
    Space,
    decide,
    dial,
    generic_bank,
    zero_shot_classifier,
)
from clipcore.classify.answers import LEEWAY
from clipcore.classify.classifier import _checksum
from tests.support.fakes import FakeEncoder
from tests.support.sentences import assert_sentence

SPACE = Space("k" * 64, "tiny", 4)
HEAD = Classifier(("red", "green"), np.eye(4, dtype=np.float32)[:2], np.zeros(2, np.float32), 10.0, SPACE)
BANK = np.eye(4, dtype=np.float32)[2:]  # captions about blue and about grey
RED, GREEN, BLUE, GREY = np.eye(4, dtype=np.float32)
BETWEEN = np.array([1, 1, 0, 0], np.float32) / math.sqrt(2)


def answered(sure, *pictures, head=HEAD, bank=BANK):
    return decide(head.with_decision(replace(head.decision, sure=sure)), np.stack(pictures), bank)


def test_label_unsure_and_none():
    answers = answered(0.6, RED, GREEN, BETWEEN, BLUE)
    assert answers.places.tolist() == [0, 1, UNSURE, NONE]
    full = math.log(
        math.exp(10) + 1
    )  # the captions' energy on blue; on the others it is log 2, as that of the labels on blue
    mean = (3 * math.log(2) + full) / 4
    assert answers.none[3] == pytest.approx(1 / (1 + math.exp(math.log(2) - mean - 0.2 * (full - mean) + LEEWAY)), rel=1e-4)
    assert answers.none[:3].max() < 0.1
    assert answers.confidence[2] == pytest.approx(0.5 * (1 - answers.none[2]), abs=1e-6)  # two equal shares
    assert answers.chosen.tolist() == [[True, False], [False, True], [False, False], [False, False]]


def test_none_by_hand():
    # one picture: its energy log(e^10 + e^0) against that of two captions, both cosine 0: log 2, for 2 labels of 2 captions
    answers = answered(0.5, RED)
    surplus = math.log(math.exp(10) + 1) - math.log(2) + LEEWAY
    assert answers.none[0] == pytest.approx(1 / (1 + math.exp(surplus)), rel=1e-4)


def test_only_labels_that_exclude_each_other_have_leeway():
    # blue fits neither the labels nor, but for its own, the captions: each time log(e^0 + ...) against the same captions
    nothing = np.array([0, 0, -1, 0], np.float32)  # all cosines are 0 but one caption's, so the energies are nearly equal
    one = Classifier(("red",), HEAD.weight[:1], HEAD.bias[:1], 10.0, SPACE)
    captions = math.log((1 + math.exp(-10)) / 2)  # of two captions, for each label
    assert decide(one, nothing[None], BANK).none[0] == pytest.approx(1 / (1 + math.exp(-captions)), rel=1e-3)
    several = decide(HEAD, nothing[None], BANK).none[0]
    assert several == pytest.approx(1 / (1 + math.exp(LEEWAY - captions)), rel=1e-3)
    taught = HEAD.with_decision(Decision(level=math.log(2)))
    assert decide(taught, nothing[None]).none[0] == pytest.approx(0.5)  # whose level is what pictures were seen to have


def test_dial_ends():
    pictures = (RED, GREEN, BETWEEN, BLUE, GREY)
    assert (answered(0, *pictures).places >= 0).all()
    assert (answered(1, *pictures).places < 0).all()


def test_dial_counts_are_those_of_decide():
    pictures = np.stack([RED, RED, GREEN, BETWEEN, BLUE])
    sures = (0, 0.3, 0.6, 1)
    counts = dial(HEAD, pictures, BANK, sures)
    assert counts.shape == (4, 4)
    for row, sure in zip(counts, sures, strict=True):
        places = answered(sure, *pictures).places
        assert row.tolist() == [(places == place).sum() for place in (0, 1, UNSURE, NONE)]
    assert counts[2].tolist() == [2, 1, 1, 1]


def test_a_caption_that_means_the_label_does_not_speak_against_it():
    assert answered(0.5, RED, bank=np.stack([RED, BLUE])).places.tolist() == [0]


def test_without_captions_nothing_is_none():
    answers = answered(0.9, RED, BLUE, bank=None)
    assert answers.places.tolist() == [0, UNSURE]
    assert answers.none.tolist() == [0, 0]


def test_one_class_is_held_against_the_captions():
    one = Classifier(("red",), HEAD.weight[:1], HEAD.bias[:1], 10.0, SPACE)
    assert decide(one, np.stack([RED, BLUE]), BANK).places.tolist() == [0, NONE]
    with pytest.raises(BadInput) as caught:
        decide(one, RED[None])
    assert_sentence(caught.value)


def test_taught_level_tells_none_without_captions():
    head = HEAD.with_decision(Decision(level=5.0))
    answers = decide(head, np.stack([RED, BLUE]))
    assert answers.places.tolist() == [0, NONE]  # energies log(e^10 + 1) and log 2
    assert answers.none[1] == pytest.approx(1 / (1 + math.exp(math.log(2) - 5)), rel=1e-4)


def test_many_labels_with_thresholds():
    both = HEAD.with_decision(Decision(many=True))
    answers = decide(both, np.stack([RED, BETWEEN, BLUE]), BANK)
    assert answers.chosen.tolist() == [[True, False], [True, True], [False, False]]
    assert answers.places.tolist()[2] == NONE
    strict = HEAD.with_decision(Decision(many=True, thresholds=(0.5, 0.9999)))
    assert decide(strict, np.stack([BETWEEN, BLUE]), BANK).chosen.tolist()[0] == [True, False]


def test_sigmoid_labels_stand_alone():
    head = replace(HEAD, activation="sigmoid", bias=np.full(2, -5, np.float32))
    answers = decide(head, np.stack([RED, BLUE]))
    assert answers.confidence[0] == pytest.approx(1 / (1 + math.exp(-5)), rel=1e-5)
    assert answers.places.tolist() == [0, NONE]


def test_no_pictures():
    assert decide(HEAD, np.zeros((0, 4), np.float32), BANK).places.tolist() == []
    assert dial(HEAD, np.zeros((0, 4), np.float32), BANK, [0.5]).tolist() == [[0, 0, 0, 0]]


def test_temperature_makes_shares_modest_and_the_file_keeps_it():
    calm = HEAD.with_decision(Decision(sure=0.25, temperature=10.0, calibrated=30, level=1.5))
    assert calm.shares(RED)[0, 0] == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-6)
    assert Classifier.from_bytes(calm.to_bytes()).decision == calm.decision


def test_older_file_has_the_usual_decision():
    calm = HEAD.with_decision(Decision(sure=0.25))
    tensors = {"weight": calm.weight, "bias": calm.bias}
    data = calm.to_bytes()
    header = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["sayso"])
    del header["decision"], header["checksum"]
    older = save(tensors, {"sayso": json.dumps(header | {"checksum": _checksum(header, tensors)})})
    assert Classifier.from_bytes(older).decision == Decision()


@pytest.mark.parametrize(
    "wrong",
    [{"sure": 1.5}, {"sure": math.nan}, {"thresholds": (2.0,)}, {"temperature": 0.0}, {"level": math.inf}],
)
def test_impossible_decisions(wrong):
    with pytest.raises(BadInput) as caught:
        Decision(**wrong)
    assert_sentence(caught.value)


def test_thresholds_fit_the_labels():
    with pytest.raises(BadInput) as caught:
        HEAD.with_decision(Decision(many=True, thresholds=(0.5,)))
    assert_sentence(caught.value)


def test_generic_bank():
    encoder = FakeEncoder()
    bank = generic_bank(encoder)
    assert bank.shape[1] == 4
    assert len(bank) > 100
    head = zero_shot_classifier(encoder, ["red", "green"])
    assert decide(head, np.stack([RED, GREEN]), bank).places.tolist() == [0, 1]
