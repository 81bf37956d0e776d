"""Sets of names: as many names for a picture as hold the right one in a promised share of cases.

A score says how badly a name fits a picture, and a picture's set is all names up to a level. The level is an order statistic
of the right names' scores on labelled pictures that were not learned from (split conformal prediction; Vovk et al., 2005):

    LAC   one minus the share: the smallest sets on average (Sadinle et al., 2019)
    APS   the sum of the shares of all names at least as good: larger where the picture is hard (Romano et al., 2020)
    RAPS  the same with a price for names of low rank (Angelopoulos et al., 2021)

With a `confidence` the statistic is high enough that the level itself holds, over draws of the labels (Vovk, 2012,
Proposition 2b); without one it holds on average over them, which half of the draws miss by a little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import BadInput, TooFewLabels
from .classifier import Classifier, Prediction
from .promise import CONFIDENCE, chance_of, per_cent, require_unseen

Method = Literal["lac", "aps", "raps"]
PRICE, FREE = 0.01, 5  # RAPS: what each name beyond so many costs
MOST = 100_000


def scores(shares: np.ndarray, method: Method = "lac", rng: np.random.Generator | None = None) -> np.ndarray:
    """How badly each name fits, float [n, n labels], from shares [n, n labels]. Between APS's steps chance decides with
    `rng`, as it was published; without it the sets are a little larger."""
    shares = np.asarray(shares, np.float64)
    if method == "lac":
        return 1 - shares
    order = np.argsort(-shares, axis=1, kind="stable")
    sorted_ = np.take_along_axis(shares, order, 1)
    total = np.cumsum(sorted_, axis=1)
    if rng is not None:
        total -= rng.random((len(shares), 1)) * sorted_
    if method == "raps":
        total += PRICE * np.maximum(np.arange(1, shares.shape[1] + 1) - FREE, 0)
    elif method != "aps":
        raise BadInput(f"There is no score {method!r}; use lac, aps or raps.")
    found = np.empty_like(total)
    np.put_along_axis(found, order, total, 1)
    return found


@dataclass(frozen=True)
class Level:
    """Names with a score up to `level` are in the set; `labels` pictures told it. `own` has the levels of classes that had
    labels enough for one of their own, by place: then their pictures are promised by themselves."""

    coverage: float
    confidence: float | None
    level: float
    labels: int
    own: Mapping[int, float]

    def holds(self, found: np.ndarray) -> np.ndarray:
        """The sets for scores [n, n labels], bool [n, n labels]. The best name is always in it."""
        levels = np.full(found.shape[1], self.level)
        levels[list(self.own)] = list(self.own.values())
        inside = found <= levels
        inside[np.arange(len(found)), found.argmin(1)] = True
        return np.asarray(inside)

    def names(self, prediction: Prediction) -> list[str]:
        """The names for one picture, the best first."""
        inside = self.holds(1 - prediction.shares[None])[0]
        return [prediction.labels[i] for i in prediction.order if inside[i]]

    @property
    def sentence(self) -> str:
        """The promise in words."""
        sure = "on average" if self.confidence is None else f"{per_cent(self.confidence)} sure"
        held = f"The names hold the right one in {per_cent(self.coverage)} of cases, {sure}"
        return f"{held}: tested on {self.labels:,} labelled images it had not seen"

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"coverage": self.coverage, "confidence": self.confidence, "level": self.level, "labels": self.labels}


def level(
    right: np.ndarray, coverage: float = 0.9, confidence: float | None = CONFIDENCE, places: Sequence[int] | np.ndarray = ()
) -> Level:
    """The level from the scores [n] of the right names of labelled pictures. With their `places` [n] each class that has
    enough of them gets its own, conditional on the class. Raises TooFewLabels, BadInput."""
    if not 0.5 <= coverage < 1 or not (confidence is None or 0.5 <= confidence < 1):
        raise BadInput("Names hold the right one in a share of cases; choose one from 0.5 to below 1.")
    place = _rank(len(right), coverage, confidence)
    if place is None:
        more = _enough(coverage, confidence) - len(right)
        raise TooFewLabels(
            f"There are too few labels for names that hold the right one in {per_cent(coverage)}; {more:,} more "
            "are needed, of images chosen at random.",
            more,
        )
    pooled, own = float(np.sort(right)[place - 1]), dict[int, float]()
    places = np.asarray(places, int)
    for each in np.unique(places).tolist():
        mine = np.sort(right[places == each])
        rank = _rank(len(mine), coverage, confidence)
        if rank is not None and each >= 0:
            own[each] = float(mine[rank - 1])
    # all classes with one of their own must not leave the others to a level that was told by all
    rest = np.sort(right[~np.isin(places, list(own))]) if own else right
    if own and not len(rest):
        return Level(coverage, confidence, pooled, len(right), own)
    if own and (rank := _rank(len(rest), coverage, confidence)) is not None:
        return Level(coverage, confidence, float(rest[rank - 1]), len(right), own)
    return Level(coverage, confidence, pooled, len(right), {each: max(value, pooled) for each, value in own.items()})


def level_of(classifier: Classifier, coverage: float = 0.9, by_class: bool = False) -> Level:
    """The level for a classifier, from what it was tested on, by LAC; `by_class` gives classes that have labels enough one
    of their own, with larger sets. Raises as `require_unseen` and `level`. Pictures that have none of the names no set can
    hold; they are left out."""
    found = require_unseen(classifier)
    found = found.take(found.truth >= 0)
    return level(1 - found.share, coverage, places=found.truth if by_class else ())


def _rank(n: int, coverage: float, confidence: float | None) -> int | None:
    """Which of n sorted scores the level is, from 1; None where all n are too few."""
    if confidence is None:
        rank = int(np.ceil((n + 1) * coverage - 1e-9))
        return rank if 0 < rank <= n else None
    # coverage given the labels is Beta(k, n + 1 - k), and that is below `coverage` as often as Binomial(n, coverage) >= k
    first = int(n * coverage)
    return next((k for k in range(max(1, first), n + 1) if chance_of(n - k, n, 1 - coverage) <= 1 - confidence), None)


def _enough(coverage: float, confidence: float | None) -> int:
    return next(n for n in range(1, MOST) if _rank(n, coverage, confidence) is not None)
