"""A lesson: what labels are worth, measured by cross-validation on pictures that were not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipcore import Classifier, Examples

from .calibration import settled
from .fewshot import checked, few_shot

FOLDS = 5


@dataclass(frozen=True)
class Measured:
    """Accuracy on `n` pictures with its 95 % Wilson interval."""

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, right: np.ndarray) -> "Measured":
        """From whether each answer was right, bool [n]."""
        from scipy.stats import binomtest

        low, high = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "wilson")
        return cls(float(right.mean()), float(low), float(high), len(right))


@dataclass(frozen=True, eq=False)
class Lesson:
    """A taught classifier and whether to use it.

    before and after are measured on the same pictures; for `after` each was answered by a head that had not seen it.
    """

    classifier: Classifier
    adopt: bool
    before: Measured
    after: Measured
    labels: int
    sentence: str


def teach(examples: Examples, start: Classifier) -> Lesson:
    """Teach `start` with `examples`; adopted only if cross-validation says that it is not worse than `start`."""
    y = checked(examples, start)
    logits = out_of_fold(examples, start)
    before = start.logits(examples.embeddings).argmax(1) == y
    after = logits.argmax(1) == y
    several = np.bincount(y)[y] > 1  # the only picture of its class says nothing of a head that has seen one
    taught = settled(few_shot(examples, start), logits[several], y[several])
    adopt = bool(after.sum() >= before.sum())
    measured = Measured.of(before), Measured.of(after)
    return Lesson(taught, adopt, *measured, len(y), _sentence(*measured, adopt))


def out_of_fold(examples: Examples, start: Classifier) -> np.ndarray:
    """Logits float32 [n, n labels], each row from a head that was taught without that picture."""
    logits = start.logits(examples.embeddings)
    for learned, tested in examples.folds(FOLDS):
        logits[tested] = few_shot(examples.take(learned), start).logits(examples.embeddings[tested])
    return logits


def _sentence(before: Measured, after: Measured, adopt: bool) -> str:
    many = "label" if after.n == 1 else "labels"
    told = f"With your {after.n} {many}: {before.accuracy:.0%} → {after.accuracy:.0%} on images it had not seen"
    told = f"{told} ({100 * after.low:.0f} to {100 * after.high:.0f})".replace("%", " %")
    return told if adopt else f"{told}; what you have stays in use"


@dataclass(frozen=True)
class ShotsRow:
    """What so many labels per class are worth: mean accuracies over seeds, on the pictures that were not learned from."""

    shots: int
    before: float
    after: float
    n: int


def evaluate_shots(
    examples: Examples, start: Classifier, shots: Sequence[int] = (1, 2, 4, 8, 16), seeds: int = 5
) -> list[ShotsRow]:
    """The learning curve: `start` taught with 1, 2, 4, ... pictures per class and measured on the others."""
    y = checked(examples, start)
    rows = []
    for shot in shots:
        results = []
        for seed in range(seeds):
            learned = examples.few_shot(shot, seed)
            rest = ~np.isin(np.array(examples.keys), learned.keys)
            if rest.any():
                X, truth = examples.embeddings[rest], y[rest]
                heads = start, few_shot(learned, start)
                results.append([*((head.logits(X).argmax(1) == truth).mean() for head in heads), rest.sum()])
        if results:
            before, after, n = np.mean(results, 0)
            rows.append(ShotsRow(shot, float(before), float(after), int(n)))
    return rows
