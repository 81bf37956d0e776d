"""CLIP as a calm library: NumPy at its border, torch inside. It knows no database and no page.

    clip = clipcore.load()
    pets = clipcore.zero_shot_classifier(clip, ["cat", "dog", "rabbit"])
    print(pets.predict(clip.embed_images(["kitten.jpg"]))[0])

Importing it is cheap: torch and open_clip come in when a model is loaded.
"""

from typing import TYPE_CHECKING

from .classify.answers import NONE, UNSURE, Answers, decide, dial, generic_bank
from .classify.classifier import Classifier, Prediction, Predictions
from .classify.decision import Decision
from .classify.examples import Examples
from .classify.prompts import PACKS, PromptSet, pack, parse_descriptions, parse_templates
from .classify.typed import format_labels, parse_labels
from .classify.zeroshot import iter_zero_shot_classifier, search_classifier, zero_shot_classifier
from .errors import (
    BadClassifierFile,
    BadImage,
    BadInput,
    ModelError,
    ModelNotHere,
    NotFound,
    Overtaken,
    SaysoError,
    SpaceMismatch,
    TooFewLabels,
    TooMany,
    UnknownModel,
)
from .progress import Step, drain, watch
from .space import Space

if TYPE_CHECKING:
    from .encoding.encoder import Encoder

__all__ = [
    "NONE",
    "PACKS",
    "UNSURE",
    "Answers",
    "BadClassifierFile",
    "BadImage",
    "BadInput",
    "Classifier",
    "Decision",
    "Examples",
    "ModelError",
    "ModelNotHere",
    "NotFound",
    "Overtaken",
    "Prediction",
    "Predictions",
    "PromptSet",
    "SaysoError",
    "Space",
    "SpaceMismatch",
    "Step",
    "TooFewLabels",
    "TooMany",
    "UnknownModel",
    "decide",
    "dial",
    "drain",
    "format_labels",
    "generic_bank",
    "iter_zero_shot_classifier",
    "load",
    "pack",
    "parse_descriptions",
    "parse_labels",
    "parse_templates",
    "search_classifier",
    "watch",
    "zero_shot_classifier",
]


def load(name: str = "starter", device: str = "auto", precision: str = "auto") -> "Encoder":
    """A model as an `Encoder`; the names are explained in `clipcore.models`."""
    from . import models

    return models.load(name, device, precision)
