"""What a label set says of pictures."""

from dataclasses import dataclass

import numpy as np

from ...classify.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Answered:
    """What a label set says of n pictures: `shares` float32 [n, labels], and `guess` int [n], the best one's place."""

    classifier: Classifier
    shares: np.ndarray
    guess: np.ndarray
