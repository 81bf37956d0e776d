"""From shares to probabilities: the temperature, and how to see whether it is right.

docs/answers.md has what was tried, and how well it holds.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from clipcore import Classifier, Examples
from clipcore.classify.answers import energy

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
    """`classifier` with the temperature that fits labelled pictures which it was not taught with best.

    Fewer than LEAST pictures change nothing. Raises as `Examples.targets` and `Space.require` do.
    """
    classifier.space.require(examples.space, "These examples")
    return settled(classifier, classifier.logits(examples.embeddings), examples.targets(classifier.labels))


def settled(classifier: Classifier, logits: np.ndarray, y: np.ndarray) -> Classifier:
    """`classifier` with temperature and level from logits [n, n labels] of pictures it was not taught with, of places y [n].

    The level is the energy that nine of ten of them reach. Fewer than LEAST pictures change nothing, and a sigmoid model
    answers as it was trained.
    """
    if len(y) < LEAST or classifier.activation == "sigmoid":
        return classifier
    level = float(np.quantile(energy(logits), BELOW))
    temperature = fit_temperature(logits, y)
    return classifier.with_decision(replace(classifier.decision, temperature=temperature, calibrated=len(y), level=level))


def held_out_curve(logits: np.ndarray, y: np.ndarray, parts: int = 5) -> Reliability | None:
    """The curve of logits [n, n labels] of pictures not learned from, of places y [n]; each part of them at the temperature
    that the others ask for. None for fewer than LEAST pictures."""
    if len(y) < LEAST:
        return None
    part = np.random.default_rng(0).permutation(len(y)) % parts
    confidence = np.zeros(len(y))
    for each in range(parts):
        own = part == each
        scaled = logits[own] / fit_temperature(logits[~own], y[~own])
        confidence[own] = np.exp(scaled.max(1) - energy(scaled))
    return reliability_curve(confidence, logits.argmax(1) == y, bins=10)


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
