"""Accuracy of a classifier on labelled images, and what a person asks next: how sure, which classes, which images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classify.classifier import Classifier
from ..classify.examples import Examples
from ..notebook import SHOWN, frame, table
from .answers import Judged, judge
from .calibration import Coverage, Reliability, coverage, reliability
from .intervals import points, recall_interval, share_interval, wilson

if TYPE_CHECKING:
    from pandas import DataFrame

MISTAKES = 24


@dataclass(frozen=True)
class ClassRow:
    """One class that has images: `support` of them, the share found (recall) with its 95 % interval, the share of the
    answers with this class that are right (precision; None if there is none), their harmonic mean, and what it is taken for
    most often, how often."""

    label: str
    support: int
    recall: float
    interval: tuple[float, float]
    precision: float | None
    f1: float
    taken_for: str | None
    times: int


@dataclass(frozen=True)
class Report:
    """What a classifier is worth on `n` images.

    interval, top5_interval  the 95 % Wilson intervals of `top1` and `top5`
    recall_interval          the 95 % interval of `mean_per_class_recall`, a mean over classes that have images
    recall, support          by class
    classes                  the table of classes, the worst recall first
    confusion                [right class, answer, how many], only what occurs
    mistakes                 the surest wrong answers: [name, right class, answer, confidence]
    """

    n: int
    top1: float
    top5: float
    interval: tuple[float, float]
    mean_per_class_recall: float
    recall: Mapping[str, float]
    support: Mapping[str, int]
    top5_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    reliability: Reliability
    coverage: Coverage
    classes: tuple[ClassRow, ...]
    confusion: tuple[tuple[str, str, int], ...]
    mistakes: tuple[tuple[str, str, str, float], ...]

    def __str__(self) -> str:
        def shown(share: float, ends: tuple[float, float]) -> str:
            return f"{share:6.1%} ({ends[0]:.1%} to {ends[1]:.1%})"

        return (
            f"top-1 {shown(self.top1, self.interval)}  top-5 {shown(self.top5, self.top5_interval)}  mean recall "
            f"{shown(self.mean_per_class_recall, self.recall_interval)}  calibration error {self.reliability.error:.3f}  "
            f"{self.n:,} images, {len(self.support)} classes; 95 % intervals"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def to_pandas(self) -> "DataFrame":
        """The table of classes as a data frame, the worst recall first."""
        rows = [asdict(row) for row in self.classes]
        return frame({name: [row[name] for row in rows] for name in ClassRow.__dataclass_fields__})

    def _repr_html_(self) -> str:
        rows = [
            (
                row.label,
                row.support,
                points(row.recall),
                points(row.interval[0]),
                points(row.interval[1]),
                row.taken_for or "",
            )
            for row in self.classes[:SHOWN]
        ]
        head = ("class, the worst first", "images", "recall", "from", "to", "taken for")
        return table(str(self), head, rows, len(self.classes))


def evaluate(classifier: Classifier, embeddings: np.ndarray, labels: Sequence[str], keys: Sequence[str] = ()) -> Report:
    """Measure a classifier on embeddings [n, dim] of its own space, whose right labels are known.

    Raises BadInput if there are no images or a label that the classifier does not have.
    """
    return summarise(judge(classifier, Examples(embeddings, tuple(labels), classifier.space, tuple(keys))))


def summarise(judged: Judged) -> Report:
    """The figures of what a classifier answered."""
    labels, truth, guess, right = judged.labels, judged.truth, judged.guess, judged.right
    count, n = len(labels), len(judged)
    support = np.bincount(truth, minlength=count)
    hits = np.bincount(truth, right, count)
    present = np.flatnonzero(support)
    recall = hits[present] / support[present]
    top5 = judged.rank < 5
    cells, times = np.unique(truth * count + guess, return_counts=True)
    confusion = tuple((labels[c // count], labels[c % count], int(t)) for c, t in zip(cells, times, strict=True))
    wrong = judged.mistakes()[:MISTAKES]
    return Report(
        n=n,
        top1=float(right.mean()),
        top5=float(top5.mean()),
        interval=share_interval(right.sum(), n),
        mean_per_class_recall=float(recall.mean()),
        recall={labels[i]: float(r) for i, r in zip(present, recall, strict=True)},
        support={labels[i]: int(support[i]) for i in present},
        top5_interval=share_interval(top5.sum(), n),
        recall_interval=recall_interval(hits[present], support[present]),
        reliability=reliability(judged.confidence, right),
        coverage=coverage(judged.confidence, right),
        classes=_class_table(judged, support, hits, confusion),
        confusion=confusion,
        mistakes=tuple(
            (judged.name(i), labels[truth[i]], labels[guess[i]], round(float(judged.confidence[i]), 5)) for i in wrong
        ),
    )


def _class_table(
    judged: Judged, support: np.ndarray, hits: np.ndarray, confusion: Sequence[tuple[str, str, int]]
) -> tuple[ClassRow, ...]:
    answered = np.bincount(judged.guess, minlength=len(judged.labels))
    low, high = wilson(hits, support)
    taken: dict[str, tuple[str | None, int]] = {}
    for label, answer, times in confusion:
        if label != answer and times > taken.get(label, (None, 0))[1]:
            taken[label] = (answer, times)
    rows = [
        ClassRow(
            label=label,
            support=int(support[i]),
            recall=float(hits[i] / support[i]),
            interval=(float(low[i]), float(high[i])),
            precision=float(hits[i] / answered[i]) if answered[i] else None,
            f1=float(2 * hits[i] / (support[i] + answered[i])),
            taken_for=taken.get(label, (None, 0))[0],
            times=taken.get(label, (None, 0))[1],
        )
        for i, label in enumerate(judged.labels)
        if support[i]
    ]
    return tuple(sorted(rows, key=lambda row: (row.recall, row.label)))
