"""How a classifier answers: the dial, several labels or one, thresholds, temperature; `answers` goes by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput


@dataclass(frozen=True)
class Decision:
    """How a classifier answers; kept in its file.

    sure         the dial: 0 always answers, 1 hardly ever
    many         several labels for a picture, each on its own
    thresholds   with `many`, the confidence each label needs, by label; () means `sure` for all
    temperature  logits are divided by it before the softmax (Guo et al., 2017, section 4.2)
    calibrated   number of labelled pictures the temperature was fitted on; 0: confidence is a share, not a probability
    level        the energy below which a picture is rather none of the labels; None: that of generic captions
    """

    sure: float = 0.5
    many: bool = False
    thresholds: tuple[float, ...] = ()
    temperature: float = 1.0
    calibrated: int = 0
    level: float | None = None

    def __post_init__(self) -> None:
        """Raise BadInput for numbers outside their range."""
        if not 0 <= self.sure <= 1 or not all(0 <= t <= 1 for t in self.thresholds):
            raise BadInput("How sure it must be is a number from 0 to 1; choose one in between.")
        if self.level is not None and not np.isfinite(self.level):
            raise BadInput("The level of “none of these” is not a number; teach the classifier again.")
        if not (np.isfinite(self.temperature) and self.temperature > 0) or self.calibrated < 0:
            raise BadInput("A temperature is a number above 0; calibrate the classifier again.")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Decision":
        """From the plain values of `dataclasses.asdict`."""
        return cls(
            sure=float(data["sure"]),
            many=bool(data["many"]),
            thresholds=tuple(map(float, data["thresholds"])),
            temperature=float(data["temperature"]),
            calibrated=int(data["calibrated"]),
            level=None if data.get("level") is None else float(data["level"]),
        )
