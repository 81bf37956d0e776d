"""Accuracy of a classifier on labelled images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import binomtest

from ..classifier import Classifier
from ..errors import BadInput


@dataclass(frozen=True)
class Report:
    """Accuracy on `n` images. `interval` is the 95 % Wilson interval of `top1`; recall and n per class by label."""

    n: int
    top1: float
    top5: float
    interval: tuple[float, float]
    mean_per_class_recall: float
    recall: Mapping[str, float]
    support: Mapping[str, int]

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"top-1 {self.top1:6.1%} (95 % interval {low:.1%} to {high:.1%})  top-5 {self.top5:6.1%}  "
            f"mean recall {self.mean_per_class_recall:6.1%}  {self.n:,} images, {len(self.support)} classes"
        )

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def evaluate(classifier: Classifier, embeddings: np.ndarray, labels: Sequence[str]) -> Report:
    """Measure a classifier on embeddings [n, dim] whose right labels are known.

    Raises BadInput if there are no images or a label that the classifier does not have.
    """
    if not len(labels):
        raise BadInput("There are no labelled images to measure on; name a folder with one folder of images per class.")
    unknown = sorted(set(labels) - set(classifier.labels))
    if unknown:
        raise BadInput(f"The classifier has no class “{unknown[0]}”; add it or leave its images out.")
    column = {label: i for i, label in enumerate(classifier.labels)}
    truth = np.array([column[label] for label in labels])
    logits = classifier.logits(embeddings)
    # The rank of the right label: how many others do not score lower. Ties count against us, and so does NaN, so that
    # a constant or a broken head gains nothing.
    own = logits[np.arange(len(truth)), truth]
    rank = (~(logits < own[:, None])).sum(axis=1) - 1
    right = rank == 0
    support = np.bincount(truth, minlength=len(classifier.labels))
    present = np.flatnonzero(support)
    recall = np.bincount(truth, weights=right, minlength=len(classifier.labels))[present] / support[present]
    low, high = binomtest(int(right.sum()), len(truth)).proportion_ci(0.95, "wilson")
    return Report(
        n=len(truth),
        top1=float(right.mean()),
        top5=float((rank < 5).mean()),
        interval=(float(low), float(high)),
        mean_per_class_recall=float(recall.mean()),
        recall={classifier.labels[i]: float(r) for i, r in zip(present, recall, strict=True)},
        support={classifier.labels[i]: int(support[i]) for i in present},
    )
