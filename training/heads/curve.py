"""Zero-shot, few-shot and supervised on one labelled set: the CLIP paper's Figures 5 and 6 for someone's own pictures.

Two halves, each class spread over both; each half is tested with what was learned from the other, so every picture is. Of
few shots several draws are learned from. Probes see no names (section 3.1.5); the taught head starts from the names. What
zero-shot is worth in labels is read off the probes as in the paper's Figure 7: between two numbers of labels the accuracy is
taken to grow with their logarithm.
"""

import math
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clipcore import BadInput, Classifier, Examples, Step
from clipcore.measure.intervals import clustered_interval, difference_interval, points, share_interval

from .fewshot import few_shot
from .probe import linear_probe

SHOTS = (1, 2, 4, 8, 16)
DRAWS = 3
LEAST = 4  # pictures of a class, so that each half has two


@dataclass(frozen=True)
class CurveRow:
    """Accuracy with its 95 % `interval` after learning from `shots` pictures of each class: by a linear probe, and by the
    taught head (`taught`). In the row of all labels `shots` is their mean number for each class."""

    shots: float
    probe: float
    interval: tuple[float, float]
    taught: float
    taught_interval: tuple[float, float]
    everything: bool = False


@dataclass(frozen=True)
class Curve:
    """The whole figure, tested on `n` pictures of `classes`.

    zero_shot  accuracy from the names alone, with its `interval`
    worth      so many labels of each class a probe needs to come up to zero-shot; None where it needs more than there are
    supervised the probe from all labels less zero-shot, with its paired interval: Figure 5
    """

    n: int
    classes: int
    zero_shot: float
    interval: tuple[float, float]
    rows: tuple[CurveRow, ...]
    worth: float | None
    supervised: float
    supervised_interval: tuple[float, float]

    @property
    def sentence(self) -> str:
        """What zero-shot is worth, and what all labels bring."""
        if self.worth is None:
            worth = f"more than the {_labels(self.rows[-1].shots)} of each class that a probe could learn from here"
        elif self.worth < 1:
            worth = "less than one label of each class"
        else:
            worth = f"about {_labels(self.worth)} of each class"
        low, high = (100 * end for end in self.supervised_interval)
        best = max(self.rows, key=lambda row: row.taught)
        told = "all labels" if best.everything else f"{_labels(best.shots)} of each class"
        return (
            f"Zero-shot has {points(self.zero_shot)} right, worth {worth}. A probe on all labels: "
            f"{100 * self.supervised:+.1f} points ({low:+.1f} to {high:+.1f}). The taught head does best with {told}: "
            f"{points(best.taught)}."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "sentence": self.sentence}


def iter_curve(examples: Examples, start: Classifier, draws: int = DRAWS) -> Generator[Step, None, Curve]:
    """Draw the curve of labelled pictures, whose names `start` knows from words alone.

    Raises BadInput unless two classes have at least LEAST pictures; the others are left out.
    """
    enough = [label for label in start.labels if examples.counts.get(label, 0) >= LEAST]
    if len(enough) < 2:
        raise BadInput(f"The curve needs two classes with {LEAST} labelled images each; label more images first.")
    examples, start = examples.only(enough), _among(start, enough)
    y = examples.targets(enough)
    halves = list(examples.folds(2))
    right = start.logits(examples.embeddings).argmax(1) == y
    most = min(int(np.median(np.bincount(y[learned], minlength=len(enough)))) for learned, _ in halves)
    wanted: list[int | None] = [*(shots for shots in SHOTS if shots < most), None]
    rows, all_right = [], right
    for number, shots in enumerate(wanted):
        times = draws if shots else 1
        probe, taught = np.zeros(len(y), int), np.zeros(len(y), int)
        for draw in range(times):
            for learned, tested in halves:
                some = examples.take(learned)
                some = some.few_shot(shots, draw) if shots else some
                X = examples.embeddings[tested]
                probe[tested] += linear_probe(some, enough).logits(X).argmax(1) == y[tested]
                taught[tested] += few_shot(some, start).logits(X).argmax(1) == y[tested]
            yield Step(number * draws + draw + 1, len(wanted) * draws, "learning from few labels")
        tries = np.full(len(y), times)
        each = shots or len(y) / 2 / len(enough)
        ends = clustered_interval(probe, tries), clustered_interval(taught, tries)
        rows.append(
            CurveRow(each, float(probe.mean() / times), ends[0], float(taught.mean() / times), ends[1], shots is None)
        )
        all_right = probe.astype(bool)
    zero = float(right.mean())
    gained = all_right.astype(int) - right.astype(int)
    return Curve(
        n=len(y),
        classes=len(enough),
        zero_shot=zero,
        interval=share_interval(right.sum(), len(y)),
        rows=tuple(rows),
        worth=worth_in_labels(zero, [(row.shots, row.probe) for row in rows]),
        supervised=float(gained.mean()),
        supervised_interval=difference_interval(gained),
    )


def worth_in_labels(accuracy: float, curve: Sequence[tuple[float, float]]) -> float | None:
    """How many labels of each class bring a curve of (labels, accuracy) up to an accuracy, log-linear between its points;
    0.5 where the first point is above it, None where none is."""
    before: tuple[float, float] | None = None
    for shots, reached in curve:
        if reached >= accuracy:
            if before is None:
                return shots if reached == accuracy else shots / 2
            part = (accuracy - before[1]) / (reached - before[1]) if reached > before[1] else 1.0
            return math.exp(math.log(before[0]) + part * (math.log(shots) - math.log(before[0])))
        before = shots, reached
    return None


def _among(start: Classifier, labels: Sequence[str]) -> Classifier:
    from dataclasses import replace

    places = [start.labels.index(label) for label in labels]
    return replace(start, labels=tuple(labels), weight=start.weight[places], bias=start.bias[places])


def _labels(shots: float) -> str:
    number = f"{shots:.1f}".removesuffix(".0") if shots < 10 else f"{shots:.0f}"
    return f"{number} label{'' if number == '1' else 's'}"
