"""How a classifier answers: the dial, several labels or one, thresholds, temperature; `answers` goes by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput
from .figure import LEEWAY, Odds

DIAL = 0.35  # until somebody turns it: here about as many pictures are answered as answers are right (docs/answers.md)


@dataclass(frozen=True)
class Decision:
    """How a classifier answers; kept in its file.

    sure         the dial: a picture is answered whose figure is at least this. 0 always answers, 1 never
    many         several labels for a picture, each on its own
    thresholds   with `many`, for each label the share that counts as one half, learned or typed; () means one half
    temperature  logits are divided by it before the softmax (Guo et al., 2017, section 4.2)
    calibrated   number of labelled pictures that temperature and odds were fitted on; 0: the figure is estimated
    level        the energy that the labels have on a picture that fits them as well as generic captions do; None: not known
    odds         the numbers behind the figure; None: those of the space, or a first guess
    promise      the share of answers that may be wrong, where the dial was set so that it is kept (`promise`); else None
    """

    sure: float = DIAL
    many: bool = False
    thresholds: tuple[float, ...] = ()
    temperature: float = 1.0
    calibrated: int = 0
    level: float | None = None
    odds: Odds | None = None
    promise: float | None = None

    def __post_init__(self) -> None:
        """Raise BadInput for numbers outside their range."""
        if not 0 <= self.sure <= 1 or not all(0 <= t <= 1 for t in self.thresholds):
            raise BadInput("How sure it must be is a number from 0 to 1; choose one in between.")
        if self.level is not None and not np.isfinite(self.level):
            raise BadInput("The level of “none of these” is not a number; teach the classifier again.")
        if self.promise is not None and not 0 < self.promise < 0.5:
            raise BadInput("A promise is a share of wrong answers between 0 and one half; choose one in between.")
        if not (np.isfinite(self.temperature) and self.temperature > 0) or self.calibrated < 0:
            raise BadInput("A temperature is a number above 0; calibrate the classifier again.")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Decision":
        """From the plain values of `dataclasses.asdict`; also from files of before there were odds, whose level, learned
        from labels, was where a picture is as likely none of them."""
        level = None if data.get("level") is None else float(data["level"])
        odds = data.get("odds")
        return cls(
            sure=float(data["sure"]),
            many=bool(data["many"]),
            thresholds=tuple(map(float, data["thresholds"])),
            temperature=float(data["temperature"]),
            calibrated=int(data["calibrated"]),
            level=level + LEEWAY if level is not None and "odds" not in data else level,
            odds=None if odds is None else Odds(**{name: float(number) for name, number in odds.items()}),
            promise=None if data.get("promise") is None else float(data["promise"]),
        )
