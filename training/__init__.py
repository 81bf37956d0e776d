"""How a classifier or an encoder learns. It takes `clipcore.Examples` or pairs and returns a Classifier or an Encoder.

    taught = few_shot(library.examples(), start=pets)

What is named here needs NumPy only; contrastive training, which needs torch, lies in `towers` and `runs`.
"""

from typing import TYPE_CHECKING, Any

from .heads.active_learning import Doubt, check_sample, what_next, wrong_labels
from .heads.calibration import Reliability, calibrate, reliability_curve
from .heads.cross_validation import Lesson, Measured, ShotsRow, evaluate_shots, probe_head, teach, tested, tested_on
from .heads.fewshot import few_shot
from .heads.probe import linear_probe
from .heads.thresholds import fit_thresholds, teach_many

if TYPE_CHECKING:
    from .heads.estimator import SaysoClassifier

__all__ = [
    "Doubt",
    "Lesson",
    "Measured",
    "Reliability",
    "SaysoClassifier",
    "ShotsRow",
    "calibrate",
    "check_sample",
    "evaluate_shots",
    "few_shot",
    "fit_thresholds",
    "linear_probe",
    "probe_head",
    "reliability_curve",
    "teach",
    "teach_many",
    "tested",
    "tested_on",
    "what_next",
    "wrong_labels",
]


def __getattr__(name: str) -> Any:
    if name == "SaysoClassifier":  # late: scikit-learn takes a second
        from .heads.estimator import SaysoClassifier

        return SaysoClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
