"""How a classifier or an encoder learns. It takes `clipcore.Examples` or pairs and returns a Classifier or an Encoder.

    taught = few_shot(library.examples(), start=pets)

What is named here needs NumPy only; contrastive training, which needs torch, lies in `training.contrastive` and its like.
"""

from .calibration import Reliability, calibrate, reliability_curve
from .fewshot import few_shot
from .lesson import Lesson, Measured, ShotsRow, evaluate_shots, probe_head, teach
from .probe import linear_probe
from .queue import Doubt, what_next, wrong_labels
from .thresholds import fit_thresholds, teach_many

__all__ = [
    "Doubt",
    "Lesson",
    "Measured",
    "Reliability",
    "ShotsRow",
    "calibrate",
    "evaluate_shots",
    "few_shot",
    "fit_thresholds",
    "linear_probe",
    "probe_head",
    "reliability_curve",
    "teach",
    "teach_many",
    "what_next",
    "wrong_labels",
]
