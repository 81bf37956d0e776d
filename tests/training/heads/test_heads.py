"""Few-shot heads, probes, lessons, calibration and the queue, on vectors whose answers are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from clipcore import BadInput, Classifier, Decision, Examples, Space, SpaceMismatch
from tests.support.fakes import unit
from tests.support.sentences import assert_sentence
from training import (
    calibrate,
    check_sample,
    evaluate_shots,
    few_shot,
    fit_thresholds,
    linear_probe,
    probe_head,
    reliability_curve,
    teach,
    teach_many,
    what_next,
    wrong_labels,
)
from training.heads.calibration import SPREAD, fit_temperature
from training.heads.cross_validation import is_better
from training.heads.fewshot import fit
from training.heads.thresholds import f1

SPACE = Space("k" * 64, "tiny", 8)
NAMES = ("a", "b", "c", "d")
AXES = np.eye(8, dtype=np.float32)


def pictures(per_class, classes=4, noise=0.25, seed=0, labels=NAMES):
    """`per_class` (a number, or one for each) pictures round the first axes."""
    rng = np.random.default_rng(seed)
    counts = [per_class] * classes if isinstance(per_class, int) else per_class
    y = np.repeat(np.arange(len(counts)), counts)
    X = unit(AXES[y] + noise * rng.standard_normal((len(y), 8))).astype(np.float32)
    return Examples(X, tuple(labels[i] for i in y), SPACE, tuple(f"{seed}/{i}" for i in range(len(y))))


def head(order=(0, 1, 2, 3), scale=20.0):
    """A text head that takes class i for axis order[i]."""
    return Classifier(NAMES, AXES[list(order)], np.zeros(4, np.float32), scale, SPACE)


GOOD = head()
WRONG = head((1, 2, 3, 0))  # every word means something else here


def accuracy(classifier, examples):
    return float((classifier.logits(examples.embeddings).argmax(1) == examples.targets(classifier.labels)).mean())


# few-shot heads


@pytest.mark.parametrize("shots", [1, 2, 8])
def test_good_text_is_kept(shots):
    test = pictures(200, seed=1)
    assert accuracy(few_shot(pictures(shots), GOOD), test) >= accuracy(GOOD, test) - 0.01


@pytest.mark.parametrize("shots", [2, 8, 30])
def test_wrong_text_is_overcome(shots):
    test = pictures(200, seed=1)
    assert accuracy(WRONG, test) < 0.1
    taught = few_shot(pictures(shots), WRONG)
    assert accuracy(taught, test) > 0.9
    assert taught.kind == "few-shot"
    assert taught.labels == NAMES
    assert taught.metrics["text"] < 0.5


def test_pictures_teach_though_the_text_is_sure_and_right_of_them():
    """Each class shows in two places, of which the words know the first. Pictures that show only the second are at chance by
    the words, and are known by what labelled pictures, all of them surely right by the words, have in that place."""
    second = np.roll(AXES, -4, axis=0)
    labels = tuple(NAMES[i] for i in range(4) for _ in range(8))
    both, alone = np.repeat(unit(AXES[:4] + second[:4]), 8, axis=0), np.repeat(second[:4], 8, axis=0)
    noise = 0.02 * np.random.default_rng(0).standard_normal((32, 8))
    known, others = (Examples(unit(X + noise).astype(np.float32), labels, SPACE) for X in (both, alone))
    start = head(scale=20.0)
    assert accuracy(start, known) == 1
    assert accuracy(start, others) < 0.6
    assert accuracy(few_shot(known, start), others) > 0.9


def test_labels_without_pictures_are_still_found():
    test = pictures(200, seed=1)
    known = pictures((8, 8, 0, 0))
    taught = few_shot(known, GOOD)
    others = test.only(("c", "d"))
    assert accuracy(taught, others) >= accuracy(GOOD, others) - 0.02


def test_one_labelled_class_alone_changes_little():
    test = pictures(200, seed=1)
    assert accuracy(few_shot(pictures((5, 0, 0, 0)), GOOD), test) >= accuracy(GOOD, test) - 0.02


def test_many_pictures_of_one_class_do_not_drown_the_others():
    test = pictures(200, noise=0.35, seed=1)
    taught = few_shot(pictures((100, 3, 3, 3), noise=0.35), WRONG)
    rare = test.only(("b", "c", "d"))
    assert accuracy(taught, rare) > 0.8


def test_two_classes():
    start = Classifier(("a", "b"), AXES[[1, 0]], np.zeros(2, np.float32), 20.0, SPACE)
    taught = few_shot(pictures((6, 6)), start)
    assert accuracy(taught, pictures((100, 100), seed=1)) > 0.95


def test_left_out_the_only_picture_of_a_class_leaves_it_the_words():
    examples = pictures((4, 4, 4, 1), noise=0.4)
    found = fit(examples, WRONG)
    trust = found.classifier.metrics["text"]
    expected = trust * WRONG.logits(examples.embeddings[-1])[0, 3]
    assert found.held_out[-1, 3] == pytest.approx(expected, abs=1e-3)
    assert found.classifier.logits(examples.embeddings[-1])[0, 3] > expected + 0.1  # the head itself has seen it


def test_a_few_shot_lesson_is_settled_by_leaving_one_out():
    examples = pictures(8, noise=0.5)
    lesson = teach(examples, GOOD)
    assert lesson.classifier.decision == few_shot(examples, GOOD).decision


def test_held_out_logits_are_those_of_heads_without_the_picture():
    # leave-one-out in closed form against leaving out in earnest, at the same strengths
    examples = pictures(10, noise=0.4)
    held_out = fit(examples, GOOD).held_out.argmax(1)
    by_hand = []
    for i in range(len(examples)):
        rest = examples.take([j for j in range(len(examples)) if j != i])
        by_hand.append(int(few_shot(rest, GOOD).logits(examples.embeddings[i]).argmax()))
    assert (held_out == np.array(by_hand)).mean() > 0.9


def test_sigmoid_model_keeps_its_bias_and_activation():
    start = replace(GOOD, activation="sigmoid", bias=np.full(4, -10, np.float32))
    taught = few_shot(pictures(5), start)
    assert taught.activation == "sigmoid"
    assert accuracy(taught, pictures(100, seed=1)) > 0.95
    assert taught.shares(-AXES[0]).max() < 0.01  # nothing fits the opposite of a picture


def test_taught_twice_from_a_taught_head():
    once = few_shot(pictures(5), WRONG)
    assert accuracy(few_shot(pictures(10, seed=2), once), pictures(100, seed=1)) > 0.9


def test_the_file_keeps_a_taught_head():
    taught = few_shot(pictures(10), GOOD)
    assert Classifier.from_bytes(taught.to_bytes()) == taught
    assert taught.decision.calibrated == 40
    assert taught.decision.level is not None


@pytest.mark.parametrize("learn", [few_shot, teach, wrong_labels, fit])
def test_what_cannot_be_learned_from(learn):
    with pytest.raises(BadInput) as none:
        learn(pictures(0), GOOD)
    with pytest.raises(BadInput) as unknown:
        learn(pictures(2, labels=("a", "b", "c", "zebra")), GOOD)
    with pytest.raises(SpaceMismatch):
        learn(replace(pictures(2), space=Space("x" * 64, "other", 8)), GOOD)
    assert_sentence(none.value)
    assert_sentence(unknown.value)


# linear probe


def test_probe_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    examples, test = pictures(60, noise=0.5), pictures(300, noise=0.5, seed=1)
    probe = linear_probe(examples, C=10.0)
    other = LogisticRegression(C=10.0, max_iter=1000).fit(examples.embeddings, examples.labels)
    assert (np.array(NAMES)[probe.logits(test.embeddings).argmax(1)] == other.predict(test.embeddings)).mean() > 0.98
    assert probe.kind == "linear probe"


def test_probe_chooses_C_and_takes_the_labels_order():
    probe = linear_probe(pictures(30), ("d", "never", "b", "a", "c"))
    assert probe.labels == ("d", "never", "b", "a", "c")
    test = pictures(100, seed=1)
    assert accuracy(probe, test) > 0.95
    assert (probe.logits(test.embeddings).argmax(1) != 1).all()
    assert probe.decision.calibrated == 24  # a fifth of them


def test_probe_with_one_picture_a_class():
    assert accuracy(linear_probe(pictures(1)), pictures(100, seed=1)) > 0.7


def test_probe_needs_two_classes():
    with pytest.raises(BadInput) as caught:
        linear_probe(pictures((3,)))
    assert_sentence(caught.value)
    with pytest.raises(BadInput):
        linear_probe(pictures(3), C=0.0)


# lessons


def test_lesson_that_helps_is_adopted():
    lesson = teach(pictures(10), WRONG)
    assert lesson.adopt
    assert lesson.labels == 40
    assert lesson.before.accuracy < 0.1 < lesson.after.low
    assert lesson.after.low <= lesson.after.accuracy <= lesson.after.high
    assert lesson.sentence.startswith("With your 40 labels: ")
    right = [round(each.accuracy * 40) for each in (lesson.after, lesson.before)]
    assert f"right on {right[0]} of 40 instead of {right[1]}, on images it had not seen" in lesson.sentence
    assert lesson.better
    assert [each.sum() for each in lesson.right] == right[::-1]


def test_labels_that_contradict_each_other_are_seen_through():
    examples = pictures(6)
    mixed = Examples(
        np.concatenate([examples.embeddings, examples.embeddings]),
        examples.labels + tuple(NAMES[(NAMES.index(label) + 1) % 4] for label in examples.labels),
        SPACE,
    )
    lesson = teach(mixed, GOOD)
    assert lesson.before.accuracy == pytest.approx(0.5, abs=0.05)
    assert lesson.after.accuracy < 0.55  # half of the labels contradict the other half
    assert not lesson.better


def test_what_was_learned_is_not_what_is_measured():
    # Labels by chance: a head measured on what it learned would look good, by cross-validation it cannot.
    rng = np.random.default_rng(0)
    X = unit(rng.standard_normal((80, 8))).astype(np.float32)
    labels = tuple(NAMES[i] for i in rng.integers(0, 4, 80))
    assert teach(Examples(X, labels, SPACE), GOOD).after.accuracy < 0.45


@pytest.mark.parametrize(
    ("won", "lost", "better"),
    [
        (0, 0, False),
        (5, 0, False),
        (6, 0, True),
        (10, 3, False),
        (12, 3, True),
        (3, 12, False),
    ],  # p 1, 0.06, 0.03, 0.09, 0.04
)
def test_better_is_better_beyond_chance(won, lost, better):
    before = np.repeat([False, True, True, False], [won, lost, 20, 5])
    after = np.repeat([True, False, True, False], [won, lost, 20, 5])
    assert is_better(before, after) == better


def test_a_lesson_that_wins_one_picture_is_adopted_and_not_praised():
    lesson = teach(pictures(8, noise=0.3), GOOD)
    assert lesson.adopt
    assert not lesson.better
    assert lesson.sentence.endswith("That may be chance; a few more labels will tell")


def test_one_label():
    lesson = teach(pictures((1,)), GOOD)
    assert lesson.sentence.startswith("With your 1 label: ")
    assert lesson.before == lesson.after


def test_learning_curve():
    rows = evaluate_shots(pictures(30), WRONG, shots=(1, 8), seeds=3)
    assert [row.shots for row in rows] == [1, 8]
    assert rows[1].after > 0.9 > rows[1].before
    assert rows[1].n == 120 - 32


# calibration


def test_temperature_by_hand():
    # logits of 2 and 0, right three times in four: the odds 3 want a difference of log 3, so the temperature is 2 / log 3
    logits = np.tile(np.array([[2.0, 0.0]], np.float32), (40_000, 1))
    assert fit_temperature(logits, np.repeat([0, 1], [30_000, 10_000])) == pytest.approx(2 / math.log(3), rel=1e-3)


def uncertain(n):
    """Logits [n, 2] of 2 and 0, right three times in four: labels that ask for a temperature of 2 / log 3."""
    return np.tile(np.array([[2.0, 0.0]], np.float32), (n, 1)), np.repeat([0, 1], [3 * n // 4, n // 4])


def test_few_labels_move_the_temperature_less():
    # With t the logarithm of the temperature and u = 2 / e^t, 40 such pictures have the loss 40 log(1 + e^-u) + 10 u, and
    # the prior adds log(1 + (t / SPREAD)^2): at the least of both the slopes add up to nothing.
    t = math.log(fit_temperature(*uncertain(40)))
    assert 0 < t < math.log(2 / math.log(3))
    u = 2 / math.exp(t)
    slope = 2 * t / (SPREAD**2 + t**2)
    assert -u * (10 - 40 / (1 + math.exp(u))) + slope == pytest.approx(0, abs=1e-2)
    logits, y = uncertain(40)
    assert fit_temperature(logits[:0], y[:0]) == pytest.approx(1, abs=1e-3)


def test_strong_evidence_moves_the_temperature_freely():
    # A normal prior of the same spread would hold the temperature of 160 such pictures to 1.48; they ask for 1.82.
    assert 1.65 < fit_temperature(*uncertain(160)) < 2 / math.log(3)


@pytest.mark.parametrize(
    ("n", "wrong", "gap"),
    [(20, 3, 0.2), (30, 5, 0.5), (8, 2, 6.0), (40, 10, 6.0), (400, 100, 20.0)],  # the first two have two hollows
)
def test_the_deepest_of_two_hollows_is_found(n, wrong, gap):
    """Against trying every temperature, on pictures whose right logit is `gap` above the other, but for `wrong` of n."""
    t = np.linspace(-4, 4, 80_001)
    u = gap / np.exp(t)
    loss = n * np.log1p(np.exp(-u)) + wrong * u + np.log1p((t / SPREAD) ** 2)
    logits = np.tile(np.array([[gap, 0.0]], np.float32), (n, 1))
    found = math.log(fit_temperature(logits, np.repeat([0, 1], [n - wrong, wrong])))
    assert np.interp(found, t, loss) <= loss.min() + 0.02


def test_calibration_from_twenty_labels_up():
    few, enough = pictures(4), pictures(5, noise=0.8)
    assert calibrate(GOOD, few) is GOOD
    calibrated = calibrate(GOOD, enough)
    assert calibrated.decision.calibrated == 20
    assert calibrated.decision.temperature > 1.5  # scale 20 is far too sure with so much noise


def test_calibration_lowers_the_error():
    test = pictures(500, noise=0.8, seed=1)

    def error(classifier):
        shares = classifier.shares(test.embeddings)
        return reliability_curve(shares.max(1), shares.argmax(1) == test.targets(NAMES)).error

    assert error(calibrate(GOOD, pictures(25, noise=0.8))) < 0.06 < error(GOOD)


def test_reliability_by_hand():
    curve = reliability_curve(np.array([0.9, 0.9, 0.9, 0.9, 0.3]), np.array([1, 1, 1, 0, 0], bool), bins=10)
    assert curve.counts.tolist() == [1, 4]
    assert curve.confidence.tolist() == pytest.approx([0.3, 0.9])
    assert curve.accuracy.tolist() == pytest.approx([0, 0.75])
    assert curve.error == pytest.approx((0.3 + 4 * 0.15) / 5)
    empty = reliability_curve(np.zeros(0), np.zeros(0, bool))
    assert (empty.error, empty.chance) == (0, 0)


def test_what_chance_would_show_by_hand():
    # one picture of confidence 0.8: right with 0.8, then off by 0.2, wrong with 0.2, then off by 0.8: 0.32 on average
    one = reliability_curve(np.array([0.8]), np.array([True]))
    assert one.chance == pytest.approx(0.32, abs=0.1)
    # a hundred bins' worth of such pictures in one bin: the mean distance of a binomial share from its mean
    many = np.full(100, 0.8)
    k = np.arange(101)
    expected = float((binom.pmf(k, 100, 0.8) * abs(k / 100 - 0.8)).sum())
    assert reliability_curve(many, np.ones(100, bool)).chance == pytest.approx(expected, rel=0.2)
    assert reliability_curve(np.ones(50), np.ones(50, bool)).chance == 0


def test_error_beyond_chance_by_hand():
    # bins: one right of one at 0.3, which says nothing; four at 0.9, three right: 0.15 squared less 3/4 * 1/4 / 3
    curve = reliability_curve(np.array([0.9, 0.9, 0.9, 0.9, 0.3]), np.array([1, 1, 1, 0, 1], bool), bins=10)
    assert curve.squared == pytest.approx(4 / 5 * (0.15**2 - 0.0625))
    assert curve.debiased == 0  # no more than chance
    off = reliability_curve(np.full(10, 0.9), np.arange(10) < 3)
    assert off.squared == pytest.approx(0.6**2 - 0.21 / 9)
    assert off.debiased == pytest.approx(math.sqrt(off.squared))


@pytest.mark.parametrize("said", [0.7, 0.8])
def test_error_beyond_chance_is_unbiased(said, monkeypatch):
    """Ten pictures at a time, right with 0.7: the mean over many is what is wrong with the confidence, nothing if it is
    true, though the plain error is never small."""
    monkeypatch.setattr("training.heads.calibration.DRAWS", 1)  # `chance`, which is slow to draw, is not asked for
    rng = np.random.default_rng(0)
    curves = [reliability_curve(np.full(10, said), rng.random(10) < 0.7) for _ in range(2000)]
    assert np.mean([curve.squared for curve in curves]) == pytest.approx((said - 0.7) ** 2, abs=0.003)
    assert np.mean([curve.error for curve in curves]) > 0.1


# what to label next, and labels that are likely wrong


def test_next_are_unsure_and_varied():
    between = unit(np.stack([AXES[0] + AXES[1], AXES[0] + 0.99 * AXES[1], AXES[2] + AXES[3], AXES[0], AXES[3]]))
    none_taken = np.zeros(5, bool)
    assert set(what_next(GOOD, between, none_taken, 2)) == {0, 2}  # 0 and 1 are nearly the same picture
    taken = np.array([True, False, False, False, False])
    assert what_next(GOOD, between, taken, 1).tolist() == [2]
    assert sorted(what_next(GOOD, between, taken, 10)) == [1, 2, 3, 4]
    assert what_next(GOOD, between, np.ones(5, bool), 3).tolist() == []


def test_a_check_sample_is_chance_and_stays():
    keys = [f"{i:03}" for i in range(200)]
    sample = check_sample(keys)
    assert len(sample) == len(set(sample)) == 20
    assert check_sample(keys[::-1]) == sample  # whatever the order
    assert set(check_sample(keys[:100])) >= set(sample) & set(keys[:100])  # and what goes takes nothing else along
    assert len(check_sample(keys[:7])) == 7
    assert 60 < np.mean([int(key) for key in check_sample(keys, 100)]) < 140


def test_right_labels_of_hard_pictures_are_hardly_asked_about():
    """41 labels, all right, of the pictures that the queue asks for: those between the classes."""
    for seed in range(5):
        pool = pictures(60, noise=0.6, seed=seed)
        rows = what_next(GOOD, pool.embeddings, np.zeros(len(pool), bool), 41)
        hard = pool.take(rows)
        assert accuracy(GOOD, hard) < 0.75
        assert len(wrong_labels(hard, GOOD)) <= 3


def test_wrong_labels_are_found():
    examples = pictures(12, noise=0.15)
    labels = list(examples.labels)
    labels[0], labels[30] = "c", "a"
    doubts = wrong_labels(replace(examples, labels=tuple(labels)), GOOD)
    assert {doubt.row for doubt in doubts[:2]} == {0, 30}
    assert {(doubt.given, doubt.likely) for doubt in doubts[:2]} == {("c", "a"), ("a", "c")}
    assert all(doubt.confidence == doubt.shares.max() for doubt in doubts)
    assert wrong_labels(examples, GOOD) == []


# several labels a picture


def test_thresholds_by_hand():
    confidence = np.array([[0.1], [0.2], [0.3], [0.4], [0.6], [0.7], [0.8], [0.9]])
    truth = np.array([[False]] * 3 + [[True]] * 5)
    assert fit_thresholds(confidence, truth, np.array([0.5])) == pytest.approx([0.5])  # three without it are too few
    more, true = np.concatenate([confidence, [[0.05]]]), np.concatenate([truth, [[False]]])
    assert fit_thresholds(more, true, np.array([0.5])) == pytest.approx([0.35])  # between 0.3 and 0.4: F1 is 1
    equal = np.full((10, 1), 0.4)
    half = np.arange(10)[:, None] < 5
    assert fit_thresholds(equal, half, np.array([0.5])) == pytest.approx([0.2])  # all or none, and none is right of none


def test_several_labels_are_learned_and_measured_on_others():
    rng = np.random.default_rng(0)
    truth = rng.random((200, 3)) < 0.3
    # the second label's confidences are far too low, the third's mean nothing
    confidence = np.clip(np.where(truth, 0.7, 0.3) + rng.normal(0, 0.1, truth.shape), 0.01, 0.99) * [1, 0.2, 1]
    confidence[:, 2] = rng.random(200)
    start = Classifier(
        ("a", "b", "c"), np.eye(3, 4, dtype=np.float32), np.zeros(3, np.float32), 10.0, Space("k" * 64, "s", 4)
    )
    start = start.with_decision(Decision(many=True, sure=0.5))
    keys = tuple(map(str, range(200)))
    lesson = teach_many(start, confidence, truth, keys)
    assert lesson.adopt
    assert lesson.after.accuracy > lesson.before.accuracy + 0.1
    assert lesson.classifier.decision.thresholds[1] < 0.2
    assert "F1" in lesson.sentence
    same = teach_many(lesson.classifier, confidence, truth, keys)
    assert same.classifier.decision.thresholds == pytest.approx(lesson.classifier.decision.thresholds, abs=0.05)
    with pytest.raises(BadInput, match="no labelled images"):
        teach_many(start, confidence[:0], truth[:0], ())


def test_f1_by_hand():
    found = f1(np.array([[True, False], [True, True]]), np.array([[True, True], [False, True]]))
    assert found.accuracy == pytest.approx(2 * 2 / (3 + 3))
    assert found.low <= found.accuracy <= found.high


def test_a_lesson_settles_what_is_in_use_and_shows_how_well_that_holds():
    examples, start = pictures(8), GOOD
    lesson = teach(examples, start)
    assert teach(examples, start, probe_head).classifier.kind == "linear probe"
    assert lesson.start.decision.calibrated == len(examples)
    assert lesson.curve is not None
    assert 0 <= lesson.curve.error <= 1
    assert lesson.kept is (lesson.classifier if lesson.adopt else lesson.start)
    few = examples.take(range(10))
    assert teach(few, start).curve is None
