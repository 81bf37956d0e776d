"""A natural shift: two labelled sets of one label space, photos and sketches say, and how much accuracy goes from one to
the other. Effective robustness (Taori et al., 2020; Radford et al., 2021, section 3.3) is what is left beyond that which a
model's accuracy on the first set leads one to expect, going by other models."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..classify.classifier import Classifier
from ..classify.examples import Examples
from ..errors import BadInput
from .answers import judge, known
from .intervals import points, share_interval

REDRAWS = 2000


@dataclass(frozen=True)
class Shift:
    """A model on both sets: `accuracy` on the first with `n` pictures, `shifted` on the second with `shifted_n`, each with
    its 95 % interval."""

    name: str
    n: int
    accuracy: float
    interval: tuple[float, float]
    shifted_n: int
    shifted: float
    shifted_interval: tuple[float, float]

    @property
    def sentence(self) -> str:
        """What to think of it, from this model alone."""
        lost = 100 * (self.accuracy - self.shifted)
        low, high = (points(end) for end in self.shifted_interval)
        name = f"{self.name[:1].upper()}{self.name[1:]}"
        return (
            f"{name} is right on {points(self.accuracy)} of the first set and on {points(self.shifted)} of the second "
            f"(95 % interval {low} to {high}): {abs(lost):.1f} points {'less' if lost >= 0 else 'more'}."
        )

    def __str__(self) -> str:
        return f"{points(self.accuracy)} of {self.n:,}, then {points(self.shifted)} of {self.shifted_n:,}"


@dataclass(frozen=True)
class EffectiveRobustness:
    """A model's accuracy on the shifted set against what the line through the others leads one to expect.

    expected  accuracy on the shifted set, from `logit(shifted) = slope * logit(accuracy) + intercept` fitted to `others`
    value     shifted accuracy minus expected, with its 95 % interval over redrawn pictures
    """

    model: Shift
    others: tuple[Shift, ...]
    slope: float
    intercept: float
    expected: float
    value: float
    interval: tuple[float, float]

    @property
    def sentence(self) -> str:
        """What to think of it."""
        low, high = (100 * end for end in self.interval)
        verdict = "more robust than" if low > 0 else "less robust than" if high < 0 else "about as robust as"
        return (
            f"{self.model.name} is {verdict} its accuracy leads one to expect: effective robustness {100 * self.value:+.1f} "
            f"points (95 % interval {low:+.1f} to {high:+.1f}), fitted to {len(self.others)} other models."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "sentence": self.sentence}


def measure_shift(name: str, classifier: Classifier, first: Examples, second: Examples) -> Shift:
    """A classifier on both sets, on the classes that both have. Raises BadInput if they share none of its classes."""
    sets = [known(examples, classifier.labels)[1] for examples in (first, second)]
    common = set(sets[0].labels) & set(sets[1].labels)
    if not common:
        raise BadInput("The two sets have none of the classifier's classes in common; give both the same class names.")
    judged = [judge(classifier, examples.only(sorted(common))) for examples in sets]
    (n, right), (shifted_n, shifted_right) = ((len(j), int(j.right.sum())) for j in judged)
    return Shift(
        name,
        n,
        right / n,
        share_interval(right, n),
        shifted_n,
        shifted_right / shifted_n,
        share_interval(shifted_right, shifted_n),
    )


def effective_robustness(model: Shift, others: Sequence[Shift], seed: int = 0) -> EffectiveRobustness:
    """How far `model` lies above (or below) the line through the others, after Taori et al.

    The line is straight in logits; accuracies of 0 and 1 are moved in by half a picture. Raises BadInput for fewer than two
    others, or others of the same accuracy, through which no line goes.
    """
    others = tuple(others)
    if len({round(other.accuracy, 12) for other in others}) < 2:
        raise BadInput("Effective robustness needs two or more other models of different accuracy; measure more of them.")
    everyone = (model, *others)
    size = np.array([[m.n, m.shifted_n] for m in everyone], float)
    share = np.array([[m.accuracy, m.shifted] for m in everyone])
    slope, intercept, expected = (float(part) for part in _fit(share, size))
    redrawn = np.random.default_rng(seed).binomial(size.astype(int), share, (REDRAWS, *share.shape)) / size
    redrawn = redrawn[np.ptp(redrawn[:, 1:, 0], axis=1) > 0]  # through models of one accuracy goes no line
    low, high = np.quantile(redrawn[:, 0, 1] - _fit(redrawn, size)[2], (0.025, 0.975))
    value = float(share[0, 1] - expected)
    return EffectiveRobustness(model, others, slope, intercept, expected, value, (float(low), float(high)))


def kept_shift(model: Shift, others: Sequence[Shift]) -> dict[str, Any]:
    """A shift as plain values, with the effective robustness if there are other models enough for it."""
    robust = effective_robustness(model, others) if others else None
    sentence = f"{model.sentence} {robust.sentence}" if robust else model.sentence
    return {
        "models": [asdict(one) for one in (model, *others)],
        "effective": robust.to_json() if robust else None,
        "sentence": sentence,
    }


def _fit(share: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares through all models but the first, of share [..., m, 2]: slope, intercept and what they expect of the
    first, each [...]."""
    inside = np.clip(share, 0.5 / size, 1 - 0.5 / size)
    logits = np.log(inside / (1 - inside))
    x, y = logits[..., 1:, 0], logits[..., 1:, 1]
    centred = x - x.mean(-1, keepdims=True)
    slope = (centred * y).sum(-1) / (centred**2).sum(-1)
    intercept = y.mean(-1) - slope * x.mean(-1)
    return slope, intercept, 1 / (1 + np.exp(-(slope * logits[..., 0, 0] + intercept)))
