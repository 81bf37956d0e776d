"""Intervals, calibration, comparison: against scikit-learn, scipy, hand-worked cases and, for intervals, simulation."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from clipcore import BadInput, Classifier, Examples, Space, SpaceMismatch
from clipcore.measure import Judged, compare, find_leaks, judge, known, other_classes, sketch_of, summarise
from clipcore.measure.calibration import coverage, reliability
from clipcore.measure.intervals import (
    difference_interval,
    mcnemar,
    points,
    recall_interval,
    share_interval,
    wilson,
)

LABELS = tuple("abcdefgh")


def head(rng: np.random.Generator, labels: tuple[str, ...] = LABELS, dim: int = 16, scale: float = 6.0) -> Classifier:
    weight = rng.normal(size=(len(labels), dim)).astype(np.float32)
    return Classifier(labels, weight, np.zeros(len(labels), np.float32), scale, Space("k", "m", dim))


def pictures(rng: np.random.Generator, classifier: Classifier, n: int, noise: float = 4.0) -> Examples:
    """Near their class, with classes of different sizes."""
    truth = rng.choice(len(classifier.labels), n, p=np.arange(1, len(classifier.labels) + 1) / 36)
    X = classifier.weight[truth] + noise * rng.normal(size=(n, classifier.space.dim))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    return Examples(X, tuple(classifier.labels[t] for t in truth), classifier.space)


@pytest.fixture
def judged() -> Judged:
    rng = np.random.default_rng(0)
    classifier = head(rng)
    return judge(classifier, pictures(rng, classifier, 700))


# agreement with scikit-learn and scipy


def test_figures_are_scikit_learns(judged: Judged) -> None:
    report = summarise(judged)
    truth, guess = judged.truth, judged.guess
    assert 0.3 < report.top1 < 0.95
    assert report.top1 == pytest.approx(metrics.accuracy_score(truth, guess))
    assert report.mean_per_class_recall == pytest.approx(metrics.balanced_accuracy_score(truth, guess))
    matrix = np.zeros((8, 8), int)
    for label, answer, times in report.confusion:
        matrix[LABELS.index(label), LABELS.index(answer)] = times
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(truth, guess, labels=range(8)))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, guess)
    for row in report.classes:
        i = LABELS.index(row.label)
        assert (row.precision, row.recall, row.f1) == pytest.approx((precision[i], recall[i], f1[i]))
        assert row.support == support[i]
        off = np.delete(matrix[i], i)
        assert row.times == off.max()
        assert matrix[i, LABELS.index(row.taken_for)] == row.times


def test_top5_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    classifier = head(rng)
    examples = pictures(rng, classifier, 400, noise=9)
    shares = classifier.shares(examples.embeddings)
    expected = metrics.top_k_accuracy_score(examples.targets(LABELS), shares, k=5)
    assert summarise(judge(classifier, examples)).top5 == pytest.approx(expected)


def test_reliability_is_scikit_learns(judged: Judged) -> None:
    found = reliability(judged.confidence, judged.right)
    accuracy, confidence = calibration_curve(judged.right, judged.confidence, n_bins=15)
    assert [b.accuracy for b in found.bins] == pytest.approx(accuracy.tolist())
    assert [b.confidence for b in found.bins] == pytest.approx(confidence.tolist(), rel=1e-5)
    weights = np.array([b.n for b in found.bins]) / len(judged)
    assert found.error == pytest.approx(float(weights @ np.abs(accuracy - confidence)), rel=1e-5)
    assert found.worst == pytest.approx(float(np.abs(accuracy - confidence).max()), rel=1e-5)


@pytest.mark.parametrize(("right", "n"), [(0, 3), (3, 3), (50, 80), (7990, 8000), (1, 1)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    assert share_interval(right, n) == pytest.approx(tuple(binomtest(right, n).proportion_ci(0.95, "wilson")), abs=1e-12)


# worked by hand


def test_calibration_by_hand() -> None:
    found = reliability(np.array([0.95, 0.95, 0.55, 0.55]), np.array([1, 1, 0, 1]), bins=10)
    assert found.error == pytest.approx(0.05)
    assert [(b.n, b.accuracy) for b in found.bins] == [(2, 0.5), (2, 1.0)]
    exact = reliability(np.array([0.2, 1.0, 0.0]), np.array([0, 1, 0]), bins=5)  # edges belong to the bin below
    assert [(b.low, b.n) for b in exact.bins] == [(0.0, 2), (0.8, 1)]


def test_coverage_by_hand() -> None:
    curve = coverage(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0]))
    assert curve.share == (0.25, 0.75, 1.0)
    assert curve.accuracy == pytest.approx((1, 2 / 3, 0.5), abs=1e-5)
    assert curve.area == pytest.approx((0 * 1 + 2 * (1 / 3) + 1 * 0.5) / 4)
    assert curve.at(0.8) == pytest.approx(2 / 3, abs=1e-5)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == mcnemar(9, 1) == pytest.approx(2 * (1 + 10) / 1024)


def test_per_cent_never_rounds_up_to_all() -> None:
    assert [points(x) for x in (0.9996, 1.0, 0.5, 0.0)] == ["99.9 %", "100.0 %", "50.0 %", "0.0 %"]


# simulation: intervals hold the truth in 95 of 100 cases


def test_wilson_holds_the_truth_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.98, 40_000)
    low, high = wilson(rng.binomial(200, truth), 200)
    assert np.mean((low <= truth) & (truth <= high)) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(
    ("support", "least", "most"),
    [([5, 8, 12, 20, 30, 30, 40, 60, 10, 15, 25, 50], 0.3, 0.95), ([10] * 20, 0.5, 0.95), ([40] * 10, 0.9, 0.995)],
    ids=["uneven", "even", "good"],
)
def test_recall_interval_holds_the_truth_in_95_of_100_cases(support: list[int], least: float, most: float) -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(8000):
        truth = rng.uniform(least, most, len(support))
        low, high = recall_interval(rng.binomial(support, truth), np.array(support))
        inside.append(low <= truth.mean() <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)


def test_difference_interval_holds_the_truth_in_95_of_100_cases() -> None:
    rng = np.random.default_rng(0)
    inside = []
    for seed in range(4000):
        gain, loss = rng.uniform(0.05, 0.3, 2)
        counts = rng.multinomial(300, [gain, loss, 1 - gain - loss])
        low, high = difference_interval(np.repeat([1, -1, 0], counts), seed, redraws=1000)
        inside.append(low <= gain - loss <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)


def test_recall_interval_at_the_edges() -> None:
    all_right = recall_interval(np.array([5, 5]), np.array([5, 5]))
    assert all_right == pytest.approx(share_interval(10, 10))
    low, high = recall_interval(np.ones(40) * (np.arange(40) < 30), np.ones(40, int))  # one picture each
    assert low < 0.75 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), abs=0.03)
    assert recall_interval(np.array([0]), np.array([1])) == pytest.approx(share_interval(0, 1))


# comparing


def test_compare_by_hand() -> None:
    space = Space("k", "m", 2)
    eye = np.eye(2, dtype=np.float32)
    classifier = Classifier(("a", "b"), eye, np.zeros(2, np.float32), 5.0, space)
    swapped = Classifier(("b", "a"), eye, np.zeros(2, np.float32), 5.0, space)  # the other way round, in another order
    X = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    examples = Examples(X, ("a", "b", "b", "b"), space, ("h1", "h2", "h3", "h4"))
    found = compare(judge(classifier, examples), judge(swapped, examples, ["1", "2", "3", "4"]))
    assert found.accuracy == (0.75, 0.25)
    assert found.difference == -0.5
    assert [(c.key, c.first, c.second) for c in found.lost] == [("h1", "a", "b"), ("h3", "b", "a"), ("h4", "b", "a")]
    assert [(c.key, c.first, c.second) for c in found.gained] == [("h2", "a", "b")]
    assert found.p == pytest.approx(mcnemar(1, 3))
    assert "No clear difference" in found.sentence
    json.dumps(found.to_json())


def test_different_classes_are_no_fair_comparison(judged: Judged) -> None:
    fewer = Judged(LABELS[:3], judged.keys, judged.truth % 3, judged.guess % 3, judged.rank, judged.confidence)
    assert other_classes(judged, judged) == ""
    assert "the first among 8 and the second among 3, 3 of them the same" in other_classes(judged, fewer)


def test_compare_finds_the_same_pictures_whatever_their_order(judged: Judged) -> None:
    rows = np.random.default_rng(3).permutation(len(judged))[:500]
    other = Judged(
        judged.labels,
        tuple(judged.keys[i] for i in rows),
        *(getattr(judged, name)[rows] for name in ("truth", "guess", "rank", "confidence")),
    )
    found = compare(judged, other)
    assert (found.n, found.difference, found.p) == (500, 0, 1)
    assert (found.gained, found.lost, found.moved) == ((), (), ())
    with pytest.raises(BadInput, match="same images"):
        compare(
            judged,
            Judged(judged.labels, ("x",), *(getattr(judged, n)[:1] for n in ("truth", "guess", "rank", "confidence"))),
        )


def test_a_real_difference_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    classifier = head(rng)
    examples = pictures(rng, classifier, 2000)
    noisy = Classifier(LABELS, classifier.weight + 2 * rng.normal(size=classifier.weight.shape).astype(np.float32),
                       classifier.bias, 6.0, classifier.space)  # fmt: skip
    found = compare(judge(noisy, examples), judge(classifier, examples))
    assert found.p < 1e-6
    assert 0 < found.interval[0] < found.difference < found.interval[1]
    assert found.sentence.startswith("The second is better")


def test_taught_pictures_are_noticed() -> None:
    rng = np.random.default_rng(0)
    classifier = head(rng)
    test, taught = pictures(rng, classifier, 60), pictures(rng, classifier, 50)
    test = Examples(test.embeddings, test.labels, test.space, tuple(f"t{i}" for i in range(60)))
    apart = find_leaks(test, Examples(taught.embeddings, taught.labels, taught.space, tuple(f"l{i}" for i in range(50))))
    assert not apart
    assert apart.sentence == ""
    near = taught.embeddings.copy()
    near[4] = test.embeddings[7] + 0.001
    found = find_leaks(test, Examples(near, taught.labels, taught.space, ("t3", *(f"l{i}" for i in range(1, 50)))))
    assert (found.same, found.near) == ((3,), (7,))
    assert found.sentence.startswith("Of these 60 images 1 were taught and 1 look nearly")
    with pytest.raises(SpaceMismatch):
        find_leaks(test, Examples(near, taught.labels, Space("other", "o", 16)))


def test_a_sketch_finds_what_the_vectors_would() -> None:
    rng = np.random.default_rng(1)
    space = Space("k", "m", 256)
    taught = rng.normal(size=(500, 256)).astype(np.float32)
    taught /= np.linalg.norm(taught, axis=1, keepdims=True)

    def at(cosine: float) -> np.ndarray:
        """Vectors with this cosine to each of those taught."""
        away = rng.normal(size=taught.shape).astype(np.float32)
        away -= (away * taught).sum(1, keepdims=True) * taught
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        return cosine * taught + np.sqrt(1 - cosine**2) * away

    labels, keys = ("a",) * 500, tuple(f"{i:064x}" for i in range(500))
    sketch = sketch_of(Examples(taught, labels, space, tuple(f"{i:0<64x}" for i in range(1, 501))))
    weight, bias = np.eye(2, 256, dtype=np.float32), np.zeros(2, np.float32)
    knows = Classifier(("a", "b"), weight, bias, 1, space, metrics={"taught": sketch})
    nothing = Examples(taught[:0], (), space)
    found = {c: find_leaks(Examples(at(c), labels, space, keys), nothing, knows).near for c in (0.99, 0.97, 0.9, 0.5)}
    share = {cosine: len(rows) / 500 for cosine, rows in found.items()}
    assert share[0.99] > 0.99
    assert share[0.97] > 0.9
    assert share[0.9] < 0.02
    assert share[0.5] == 0
    assert knows == Classifier.from_bytes(knows.to_bytes())


# what surrounds it


def test_labels_are_found_whatever_their_spelling() -> None:
    examples = Examples(np.eye(4, dtype=np.float32), ("Golden_Retriever", "cat", "truck", "truck"), Space("k", "m", 4))
    rows, some, left = known(examples, ["cat", "golden retriever"])
    assert rows.tolist() == [0, 1]
    assert some.labels == ("golden retriever", "cat")
    assert left == {"truck": 2}


def test_judged_survives_json(judged: Judged) -> None:
    again = Judged.from_json(json.loads(json.dumps(judged.to_json())))
    before, after = summarise(judged), summarise(again)
    assert (after.confusion, after.classes, after.top5, after.recall_interval) == (
        (before.confusion, before.classes, before.top5, before.recall_interval)
    )
    assert after.reliability.error == pytest.approx(before.reliability.error, abs=1e-4)


def test_cells_and_mistakes_lead_to_pictures(judged: Judged) -> None:
    report = summarise(judged)
    for label, answer, times in report.confusion:
        rows = judged.cell(label, answer)
        assert len(rows) == times
        assert all(judged.labels[judged.guess[i]] == answer for i in rows)
    wrong = judged.mistakes()
    assert len(wrong) == round((1 - report.top1) * len(judged))
    assert (np.diff(judged.confidence[wrong]) <= 0).all()
    assert report.mistakes[0][0] == judged.keys[wrong[0]]
    with pytest.raises(BadInput, match="no class “z”"):
        judged.cell("a", "z")


def test_ties_are_wrong_in_the_matrix_too() -> None:
    classifier = Classifier(LABELS, np.zeros((8, 4), np.float32), np.zeros(8, np.float32), 1.0, Space("k", "m", 4))
    judged = judge(classifier, Examples(np.ones((8, 4), np.float32), LABELS, Space("k", "m", 4)))
    assert not judged.right.any()
    assert all(label != answer for label, answer, _ in summarise(judged).confusion)
