"""From estimates to what was measured: the temperature of the shares, the odds of the figure, and whether it holds.

docs/answers.md has what was tried, and how well it holds.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from clipcore import Classifier, Examples
from clipcore.classify.answers import energy, none_of, sigmoid, stand_alone
from clipcore.classify.figure import LEEWAY, first_guess, measured, told

LEAST = 20  # labelled pictures; fewer say too little about a temperature
SPREAD = 0.2  # of the temperature's logarithm round that of the model, before any label is seen: half lie within
DRAWS = 100  # of what chance would show
BELOW = 0.1  # share of pictures with the labels that may look like none of them


@dataclass(frozen=True, eq=False)
class Reliability:
    """A reliability curve. One entry per bin that is not empty.

    confidence  float [bins], mean confidence in the bin
    accuracy    float [bins], how often it was right there
    counts      int [bins], pictures in it
    error       the expected calibration error, 0 to 1 (Guo et al., 2017, section 2)
    chance      the error that answers with these very confidences would show if these were true, on average: few pictures
                in a bin are hardly ever right just as often as is to be expected
    squared     the mean squared distance of confidence and accuracy with what chance adds to it taken off (Kumar et al.,
                2019, section 4.2); an unbiased estimate, so that it can fall below 0
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    error: float
    chance: float
    squared: float

    @property
    def debiased(self) -> float:
        """The root of `squared`, 0 to 1: how far off confidences are beyond chance. It weighs large distances more than
        `error` does."""
        return math.sqrt(max(0.0, self.squared))


def reliability_curve(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> Reliability:
    """The curve from confidences [n] in 0 to 1 and whether each answer was right, bool [n], in bins of equal width."""
    confidence = np.asarray(confidence, float)
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    kept = counts > 0
    expected = np.bincount(place, weights=confidence, minlength=bins)
    rng = np.random.default_rng(0)

    def error(hits: np.ndarray) -> float:
        return float(np.abs(np.bincount(place, weights=hits, minlength=bins) - expected).sum() / max(1, len(place)))

    chance = float(np.mean([error(rng.random(len(place)) < confidence) for _ in range(DRAWS)]))
    counts, mean = counts[kept], expected[kept] / counts[kept]
    accuracy = np.bincount(place, weights=right, minlength=bins)[kept] / counts
    by_chance = accuracy * (1 - accuracy) / np.maximum(counts - 1, 1)
    beyond = np.where(counts > 1, (mean - accuracy) ** 2 - by_chance, 0)  # one picture says nothing of its own chance
    squared = float(counts @ beyond / max(1, len(place)))
    return Reliability(mean, accuracy, counts, error(right), chance, squared)


def calibrate(classifier: Classifier, examples: Examples) -> Classifier:
    """`classifier` with the temperature and the odds that fit labelled pictures which it was not taught with best.

    Fewer than LEAST pictures change nothing. Raises as `Examples.targets` and `Space.require` do.
    """
    classifier.space.require(examples.space, "These examples")
    return settled(classifier, classifier.logits(examples.embeddings), examples.targets(classifier.labels))


def settled(classifier: Classifier, logits: np.ndarray, y: np.ndarray) -> Classifier:
    """`classifier` with temperature, level and odds from logits [n, n labels] of pictures it was not taught with, of places
    y [n].

    The level is such that nine of ten of them look like one of the labels. Fewer than LEAST pictures change nothing, and a
    sigmoid model's shares stay as it was trained.
    """
    return _settled(classifier, logits, y) if len(y) >= LEAST else classifier


def _settled(classifier: Classifier, logits: np.ndarray, y: np.ndarray) -> Classifier:
    if classifier.activation == "softmax":
        level = float(np.quantile(energy(logits), BELOW)) + LEEWAY
        decision = replace(classifier.decision, temperature=fit_temperature(logits, y), calibrated=len(y), level=level)
        classifier = classifier.with_decision(decision)
    return with_odds(classifier, logits, y)


def with_odds(classifier: Classifier, logits: np.ndarray, y: np.ndarray) -> Classifier:
    """`classifier` with the odds of its figure moved by labels, as `settled`; however few there are. Labels that stand alone
    keep theirs."""
    if stand_alone(classifier) or not len(y):
        return classifier
    odds = classifier.decision.odds or first_guess()
    features = told(logits / classifier.decision.temperature, none_of(classifier, logits))
    moved = measured(odds, features, logits.argmax(1) == y)
    return classifier.with_decision(replace(classifier.decision, odds=moved))


def held_out_curve(classifier: Classifier, logits: np.ndarray, y: np.ndarray, parts: int = 5) -> Reliability | None:
    """The curve of the figures of a classifier for logits [n, n labels] of pictures not learned from, of places y [n]; each
    part of them is settled by the others. None for fewer than LEAST pictures, or for labels that stand alone."""
    if len(y) < LEAST or stand_alone(classifier):
        return None
    part = np.random.default_rng(0).permutation(len(y)) % parts
    figure = np.zeros(len(y))
    for each in range(parts):
        own = part == each
        one = _settled(classifier, logits[~own], y[~own])
        odds = one.decision.odds or first_guess()
        figure[own] = sigmoid(told(logits[own] / one.decision.temperature, none_of(one, logits[own])) @ odds.exclusive)
    return reliability_curve(figure, logits.argmax(1) == y, bins=10)


def fit_temperature(logits: np.ndarray, y: np.ndarray) -> float:
    """The temperature for logits [n, n labels] whose right places are y [n]: that of least cross-entropy, with a prior of
    its logarithm round that of 1: Student's t with one degree of freedom. Little evidence hardly moves it, and strong
    evidence moves it freely, for the prior's tails are heavy."""
    from scipy.interpolate import CubicSpline
    from scipy.optimize import minimize_scalar

    gaps = np.asarray(logits, np.float32) - np.max(logits, axis=1, keepdims=True, initial=-np.inf).astype(np.float32)
    own = float(gaps[np.arange(len(y)), y].sum(dtype=float))
    powers = np.empty_like(gaps)  # float32 and one array for all steps: a few times faster, the same temperature

    def entropy(log_temperature: float) -> float:
        sharpness = math.exp(-log_temperature)
        np.exp(np.multiply(gaps, np.float32(sharpness), out=powers), out=powers)
        return float(np.log(powers.sum(1)).sum(dtype=float)) - sharpness * own

    # The labels alone have one best temperature. Between that and 1 the prior may leave two hollows; what is deepest is
    # read off a spline, since each entropy takes a while.
    free = float(minimize_scalar(entropy, bounds=(-4, 4), method="bounded", options={"xatol": 0.01}).x)
    ends = min(0.0, free) - 0.02, max(0.0, free) + 0.02
    looked_at = np.linspace(*ends, 9)
    between = np.linspace(*ends, 4001)
    loss = CubicSpline(looked_at, list(map(entropy, looked_at)))(between) + np.log1p((between / SPREAD) ** 2)
    return math.exp(between[loss.argmin()])
