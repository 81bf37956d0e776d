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
from clipcore.classify.answers import dial_for, grounded
from clipcore.classify.classifier import _checksum
from clipcore.classify.figure import LEEWAY, Odds, estimated, measured, reaches, told, whole
from clipcore.classify.reasons import WORDS, reasons
from tests.support.fakes import FakeEncoder
from tests.support.sentences import assert_sentence

SPACE = Space("k" * 64, "tiny", 4)
# with these odds the figure of two labels is the best one's odds among them, less what `none` takes away
PLAIN = Decision(odds=Odds(0.0, 1.0, 0.0, 1.0))
HEAD = Classifier(("red", "green"), np.eye(4, dtype=np.float32)[:2], np.zeros(2, np.float32), 10.0, SPACE, decision=PLAIN)
BANK = np.eye(4, dtype=np.float32)[2:]  # captions about blue and about grey
RED, GREEN, BLUE, GREY = np.eye(4, dtype=np.float32)
BETWEEN = np.array([1, 1, 0, 0], np.float32) / math.sqrt(2)


def answered(sure, *pictures, head=HEAD, bank=BANK):
    return decide(head.with_decision(replace(head.decision, sure=sure)), np.stack(pictures), bank)


def test_label_unsure_and_none():
    answers = answered(0.6, RED, GREEN, BETWEEN, BLUE)
    assert answers.places.tolist() == [0, 1, UNSURE, NONE]
    # the captions' mean energy on blue is log((e^10 + 1) / 2), on the others 0; for two labels log 2 is added
    level = math.log((math.exp(10) + 1) / 2) / 4 + math.log(2)
    assert answers.none[3] == pytest.approx(1 / (1 + math.exp(math.log(2) - level + LEEWAY)), rel=1e-4)
    assert answers.none[:3].max() < 0.1
    odds = math.exp(math.log(1 - answers.none[2]))  # two equal shares
    assert answers.figure[2] == pytest.approx(round(odds / (1 + odds), 2))
    assert answers.figure.tolist() == pytest.approx([0.99, 0.99, answers.figure[2], answers.figure[3]])
    assert answers.chosen.tolist() == [[True, False], [False, True], [False, False], [False, False]]


def test_the_figure_by_hand():
    # three labels, scores 2, 1 and 0: share e^2 / (e^1 + e^0), lead 1, and none 0.2
    odds = Odds(-0.5, 0.8, 0.3, 2.0)
    expected = -0.5 + 0.8 * math.log(math.exp(2) / (math.e + 1)) + 0.3 * 1 + 2 * math.log(0.8)
    found = told(np.array([[2.0, 0.0, 1.0]]), np.array([0.2])) @ odds.exclusive
    assert found[0] == pytest.approx(expected)
    assert whole(found)[0] == pytest.approx(round(1 / (1 + math.exp(-expected)), 2))
    assert whole(np.array([-1e9, 1e9])).tolist() == pytest.approx([0.01, 0.99])


@pytest.mark.parametrize("mode", ["exclusive", "taught", "many", "one", "sigmoid"])
def test_nothing_at_or_above_the_dial_is_without_an_answer(mode):
    """And nothing below it has one; the figure as it is shown, in whole per cent, is what is compared."""
    head = {
        "exclusive": HEAD,
        "taught": HEAD.with_decision(replace(PLAIN, temperature=3.0, calibrated=30, level=4.0)),
        "many": HEAD.with_decision(replace(PLAIN, many=True, thresholds=(0.2, 0.7))),
        "one": replace(HEAD, labels=("red",), weight=HEAD.weight[:1], bias=HEAD.bias[:1]),
        "sigmoid": replace(HEAD, activation="sigmoid", bias=np.full(2, -5, np.float32)),
    }[mode]
    rng = np.random.default_rng(0)
    X = np.abs(rng.standard_normal((400, 4))).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    seen = set()
    for percent in range(0, 101):
        answers = decide(head.with_decision(replace(head.decision, sure=percent / 100)), X, BANK)
        shown = [int(f"{100 * figure:.0f}") for figure in answers.figure]
        assert [place >= 0 for place in answers.places] == [figure >= percent for figure in shown]
        why = reasons(answers, head.labels, mode in ("many", "one"))
        assert [bool(words) for words in why] == [figure < percent for figure in shown]
        assert max(len(words.split()) for words in why) <= WORDS
        seen |= {words.split(":")[0] for words in why}
    assert len(seen) > 2


def test_reasons_by_hand():
    between = np.array([1, 0.99, 0, 0], np.float32) / math.hypot(1, 0.99)
    answers = answered(0.9, RED, between, BLUE)
    first, second, third = reasons(answers, HEAD.labels, False)
    assert first == ""
    share = 100 * answers.shares[1]
    assert second == f"two names fit: red {share[0]:.0f}, green {share[1]:.0f}"
    assert third == "none of your names fits well"
    long = ("a very long name of a class", "another one of some more words")
    assert reasons(answers, long, False)[1] == "two names fit about as well"
    middling = answers.__class__(
        *(np.array([UNSURE]), np.array([0.4]), np.zeros(1), np.zeros((1, 2), bool)), np.array([[0.9, 0.1]])
    )
    assert reasons(middling, HEAD.labels, False) == ["red fits best, but not well"]


def test_a_classifier_answers_for_a_picture_the_same_alone_and_among_others():
    """And so does its file: what it was held against goes with it."""
    pictures = np.stack([RED, GREEN, BETWEEN, BLUE])
    ground = Classifier.from_bytes(grounded(HEAD, pictures, BANK).to_bytes())
    together = decide(ground, pictures, BANK)
    for row, picture in enumerate(pictures):
        alone = decide(ground, picture[None])  # and needs no captions any more
        assert (alone.places[0], alone.figure[0]) == (together.places[row], together.figure[row])
    np.testing.assert_array_equal(together.figure, decide(HEAD, pictures, BANK).figure)


def test_the_dial_for_as_many_answers_as_before():
    figures = np.array([0.2, 0.4, 0.4, 0.6, 0.9])
    for answered_, near, expected in ((1, 0.5, 0.61), (2, 0.5, 0.5), (4, 0.5, 0.4), (3, 0.5, 0.5), (0, 0.5, 0.91)):
        assert dial_for(figures, answered_, near) == pytest.approx(expected)
        off = abs(int(reaches(figures, expected).sum()) - answered_)
        assert off == min(abs(int(reaches(figures, at / 100).sum()) - answered_) for at in range(1, 100))


def test_labels_move_the_odds_by_what_was_measured():
    rng = np.random.default_rng(0)
    features = told(3 * rng.standard_normal((4000, 3)), np.full(4000, 0.1))
    begin = Odds(0.0, 1.0, 0.0, 1.0)
    truth = 1 / (1 + np.exp(-(0.5 * (features @ begin.exclusive) - 1)))  # half as sure, and less often right
    right = rng.random(4000) < truth
    found = measured(begin, features, right)
    assert found.share == pytest.approx(0.5, abs=0.05)
    assert found.constant == pytest.approx(-1, abs=0.15)
    few = measured(begin, features[:5], right[:5])
    assert 0.6 < few.share < 1
    assert measured(begin, features[:0], right[:0]) == begin


@pytest.mark.parametrize("scale", [15.0, 60.0])
def test_odds_of_a_space_of_which_nothing_is_known(scale):
    """Without a label, from pictures and captions alone, figures come out true where the model knows what it knows: pictures
    are drawn round captions as its scores say (von Mises and Fisher), and one in ten shows none of the names."""
    from scipy.stats import vonmises_fisher

    from clipcore.measure.calibration import reliability

    rng = np.random.default_rng(0)
    captions = rng.standard_normal((60, 8))
    captions = (captions / np.linalg.norm(captions, axis=1, keepdims=True)).astype(np.float32)
    shown = np.repeat(np.arange(60), 40)
    pictures = [vonmises_fisher(caption, scale).rvs(40, random_state=rng) for caption in captions.astype(float)]
    X = np.concatenate(pictures).astype(np.float32)
    odds = estimated(scale, X, captions)
    assert odds == estimated(scale, X, captions)
    figures, right = [], []
    for _ in range(20):
        names = rng.permutation(60)[:6]
        rows = np.concatenate([np.flatnonzero(np.isin(shown, names)), rng.integers(0, len(X), 27)])
        head = Classifier(tuple("abcdef"), captions[names], np.zeros(6, np.float32), scale, Space("x" * 64, "new", 8))
        answers = decide(head.with_decision(Decision(odds=odds)), X[rows], captions)
        figures.append(answers.figure)
        right.append(names[answers.shares.argmax(1)] == shown[rows])
    assert reliability(np.concatenate(figures), np.concatenate(right), 10).error < 0.06
    assert grounded(HEAD.with_decision(Decision()), np.stack([RED]), BANK).decision.odds == estimated(1.0, X[:0], captions)


def test_none_by_hand():
    # one picture: its energy log(e^10 + e^0) against that of two captions, both cosine 0: log 2, for 2 labels of 2 captions
    answers = answered(0.5, RED)
    surplus = math.log(math.exp(10) + 1) - math.log(2) + LEEWAY
    assert answers.none[0] == pytest.approx(1 / (1 + math.exp(surplus)), rel=1e-4)


def test_only_labels_that_exclude_each_other_have_leeway():
    # blue fits neither the labels nor, but for its own, the captions: each time log(e^0 + ...) against the same captions
    nothing = np.array([0, 0, -1, 0], np.float32)  # all cosines are 0 but one caption's, so the energies are nearly equal
    one = Classifier(("red",), HEAD.weight[:1], HEAD.bias[:1], 10.0, SPACE, decision=PLAIN)
    captions = math.log((1 + math.exp(-10)) / 2)  # of two captions, for each label
    assert decide(one, nothing[None], BANK).none[0] == pytest.approx(1 / (1 + math.exp(-captions)), rel=1e-3)
    several = decide(HEAD, nothing[None], BANK).none[0]
    assert several == pytest.approx(1 / (1 + math.exp(LEEWAY - captions)), rel=1e-3)
    taught = HEAD.with_decision(replace(PLAIN, level=math.log(2) + LEEWAY))
    assert decide(taught, nothing[None]).none[0] == pytest.approx(0.5)  # whose level is what pictures were seen to have


def test_dial_ends():
    pictures = (RED, GREEN, BETWEEN, BLUE, GREY)
    assert (answered(0, *pictures).places >= 0).all()
    assert (answered(1, *pictures).places < 0).all()


def test_dial_counts_are_those_of_decide():
    pictures = np.stack([RED, RED, GREEN, BETWEEN, BLUE])
    sures = (0, 0.3, 0.7, 1)
    counts = dial(HEAD, pictures, BANK, sures)
    assert counts.shape == (4, 4)
    for row, sure in zip(counts, sures, strict=True):
        places = answered(sure, *pictures).places
        assert row.tolist() == [(places == place).sum() for place in (0, 1, UNSURE, NONE)]
    assert counts[2].tolist() == [2, 1, 2, 0]  # captions fit one of five so well that it is not clear of them


def test_a_caption_that_means_the_label_does_not_speak_against_it():
    assert answered(0.5, RED, bank=np.stack([RED, BLUE])).places.tolist() == [0]


def test_without_captions_nothing_is_none():
    answers = answered(0.9, RED, BLUE, bank=None)
    assert answers.places.tolist() == [0, UNSURE]
    assert answers.none.tolist() == [0, 0]


def test_one_class_is_held_against_the_captions():
    one = Classifier(("red",), HEAD.weight[:1], HEAD.bias[:1], 10.0, SPACE, decision=PLAIN)
    assert decide(one, np.stack([RED, BLUE]), BANK).places.tolist() == [0, NONE]
    with pytest.raises(BadInput) as caught:
        decide(one, RED[None])
    assert_sentence(caught.value)


def test_taught_level_tells_none_without_captions():
    head = HEAD.with_decision(replace(PLAIN, level=5.0 + LEEWAY))
    answers = decide(head, np.stack([RED, BLUE]))
    assert answers.places.tolist() == [0, NONE]  # energies log(e^10 + 1) and log 2
    assert answers.none[1] == pytest.approx(1 / (1 + math.exp(math.log(2) - 5)), rel=1e-4)


def test_many_labels_with_thresholds():
    both = HEAD.with_decision(replace(PLAIN, many=True))
    answers = decide(both, np.stack([RED, BETWEEN, BLUE]), BANK)
    assert answers.chosen.tolist() == [[True, False], [True, True], [False, False]]
    assert answers.places.tolist()[2] == NONE
    strict = HEAD.with_decision(replace(PLAIN, many=True, thresholds=(0.5, 0.9999)))
    assert decide(strict, np.stack([BETWEEN, BLUE]), BANK).chosen.tolist()[0] == [True, False]


def test_sigmoid_labels_stand_alone():
    head = replace(HEAD, activation="sigmoid", bias=np.full(2, -5, np.float32))
    answers = decide(head, np.stack([RED, BLUE]))
    assert answers.shares[0, 0] == pytest.approx(1 / (1 + math.exp(-5)), rel=1e-5)
    assert answers.places.tolist() == [0, NONE]


def test_no_pictures():
    assert decide(HEAD, np.zeros((0, 4), np.float32), BANK).places.tolist() == []
    assert dial(HEAD, np.zeros((0, 4), np.float32), BANK, [0.5]).tolist() == [[0, 0, 0, 0]]


def test_temperature_makes_shares_modest_and_the_file_keeps_it():
    calm = HEAD.with_decision(replace(PLAIN, sure=0.25, temperature=10.0, calibrated=30, level=1.5))
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


def test_a_level_of_before_there_were_odds_says_the_same_of_none():
    old = {"sure": 0.5, "many": False, "thresholds": [], "temperature": 1.0, "calibrated": 30, "level": 5.0}
    head = HEAD.with_decision(Decision.from_json(old))
    assert decide(head, BLUE[None]).none[0] == pytest.approx(1 / (1 + math.exp(math.log(2) - 5)), rel=1e-4)


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
