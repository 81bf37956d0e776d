"""Label, unsure, or none of these: what to answer when being sure matters.

A picture gets its best label if its figure, how likely that label is right (`figure`), is at or above the dial,
`Decision.sure`; nothing else is asked. So no picture at or above the dial is without an answer. A picture below it is "none
of these" if `none` is above one half, and otherwise unsure; `reasons` says why in a few words.

`none` looks at the energy of a picture, the logarithm of the sum of the exponentials of its logits (Liu et al., 2020): how
well the labels fit it all together. It is held against the energy that as many generic captions (`generic_bank`) have on
average over the pictures at hand, `Decision.level`. So the zero needs no tuning, for one label as for a hundred. Who types
several labels means to sort by them, so there most pictures are expected to have one (LEEWAY). A taught classifier has a
level by what its labelled pictures have.

With its level and odds a classifier answers for a picture the same wherever it is asked, alone or among thousands;
`grounded` gives it both. It is imperfect: docs/answers.md has the figures of all this and what was tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInput
from . import figure as number
from .classifier import Classifier, Predictions
from .decision import Decision
from .figure import LEEWAY, fitted, reaches, told, whole

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

UNSURE, NONE = -1, -2  # places beside those of the labels
NEAR = 0.8  # a caption with this cosine to a label means the same, and says nothing against it


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier answers for n pictures.

    places  int [n], the place of the label in the classifier's labels, UNSURE or NONE
    figure  float32 [n], 0.01 to 0.99 in whole hundredths: how likely the best label is right, whether it was answered or not
    none    float32 [n], 0 to 1, how much the picture looks like none of the labels
    chosen  bool [n, n labels], the labels answered; with `Decision.many` there can be several
    shares  float32 [n, n labels], what to show beside each label: its share among the labels, or, where labels do not
            exclude each other or there is but one, how likely it is, alone
    """

    places: np.ndarray
    figure: np.ndarray
    none: np.ndarray
    chosen: np.ndarray
    shares: np.ndarray

    def verdicts(self, labels: Sequence[str]) -> list[tuple[str, ...] | int]:
        """For each picture the labels answered, or UNSURE, or NONE."""
        return [
            tuple(labels[i] for i in np.flatnonzero(chosen).tolist()) or int(place)
            for chosen, place in zip(self.chosen, self.places, strict=True)
        ]

    def predictions(self, labels: Sequence[str]) -> Predictions:
        """The shares as predictions."""
        return Predictions(tuple(labels), self.shares)


@cache
def generic_captions() -> tuple[str, ...]:
    """Short captions of what photos commonly show."""
    return tuple(Path(__file__).with_name("generic_captions.txt").read_text(encoding="utf-8").splitlines())


def generic_bank(encoder: "Encoder") -> np.ndarray:
    """Vectors float32 [m, dim] of the generic captions, for `decide`."""
    return encoder.embed_texts(generic_captions())


def decide(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None = None) -> Answers:
    """Answers for pictures X [n, dim] of the classifier's space; give the whole library, or the folder, if there is one.

    `bank` [m, dim] is that of `generic_bank`; only a classifier that is not `grounded` yet asks for it. Without it, such a
    one does not know "none of these", and with one label it raises BadInput, for its share among one label says nothing.
    """
    figures, none, shares = _figures(grounded(classifier, X, bank), X)
    return _answered(classifier.decision, figures, none, classifier.decision.sure, shares)


def dial(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None, sures: Sequence[float]) -> np.ndarray:
    """How many of the pictures X [n, dim] get each answer for each setting of the dial: int [len(sures), n labels + 2].

    The last two columns count UNSURE and NONE. With `Decision.many` a picture counts for each of its labels.
    """
    classifier = grounded(classifier, X, bank)
    figures, none, _ = _figures(classifier, X)
    labels, best = figures.shape[1], figures.argmax(1)
    top = figures.max(1, initial=0)
    counts = np.zeros((len(sures), labels + 2), int)
    for row, sure in enumerate(sures):
        enough = reaches(top, sure)
        several = reaches(figures, sure).sum(0) if classifier.decision.many else np.bincount(best[enough], minlength=labels)
        counts[row] = [*several, (~enough & (none <= 0.5)).sum(), (~enough & (none > 0.5)).sum()]
    return counts


def dial_for(figures: np.ndarray, answered: int, near: float) -> float:
    """The setting of the dial, in whole hundredths, at which closest to so many of the figures [n] are answered; of equally
    close ones the nearest to `near`."""
    settings = np.arange(1, 100) / 100
    off = np.array([abs(int(reaches(figures, setting).sum()) - answered) for setting in settings])
    return float(min(settings[off == off.min()], key=lambda setting: abs(setting - near)))


def grounded(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None) -> Classifier:
    """`classifier` with the level and the odds that it will answer by, from now on and everywhere, if it has none.

    The level is what generic captions, `bank` [m, dim], reach on pictures X [n, dim]. A linear probe and a sigmoid model
    have no scale in common with captions.
    """
    decision, others = classifier.decision, captions_against(classifier, bank)
    level, odds = decision.level, decision.odds
    X = np.atleast_2d(X)
    if level is None and others is not None:
        level = round(number.usual(classifier.scale, X, others) + float(np.log(len(classifier.labels))), 6)
    if odds is None:
        odds = fitted(classifier.space) or number.estimated(classifier.scale, X, bank)
    return classifier.with_decision(replace(decision, level=level, odds=odds))


def thresholds(decision: Decision, labels: int, sure: float | None = None) -> np.ndarray:
    """The share that each label needs where labels do not exclude each other, float32 [labels], at a setting of the dial;
    left out, where it is. At one half it is what was learned or typed."""
    sure = decision.sure if sure is None else sure
    halves = _log_odds(
        np.array(decision.thresholds if decision.many and decision.thresholds else [0.5] * labels, np.float64)
    )
    return sigmoid(halves + _log_odds(np.array(sure, np.float64))).round(4)


def energy(logits: np.ndarray) -> np.ndarray:
    """log(sum(exp(logits))) of each row [n, m]: [n]."""
    top = logits.max(1)
    return top + np.log(np.exp(logits - top[:, None]).sum(1))


def none_of(classifier: Classifier, logits: np.ndarray) -> np.ndarray:
    """How much pictures with these logits [n, n labels] look like none of them, float32 [n]; 0 where no level tells."""
    decision = classifier.decision
    if classifier.activation == "sigmoid":  # trained to stand on their own, so what they leave is none
        return 1 - classifier.shares_of(logits).max(1)
    if decision.level is None:
        return np.zeros(len(logits), np.float32)
    if decision.many or len(classifier.labels) == 1:
        return 1 - sigmoid(_alone(classifier, logits)).max(1)
    return sigmoid((decision.level - LEEWAY - energy(logits)) / decision.temperature)


def stand_alone(classifier: Classifier) -> bool:
    """Whether each label is judged by itself: several can be true, or there is no other."""
    return classifier.decision.many or len(classifier.labels) == 1


def _alone(classifier: Classifier, logits: np.ndarray) -> np.ndarray:
    """Log odds [n, n labels] of each label by itself, held against as many captions as there are labels, shared out."""
    decision = classifier.decision
    odds = decision.odds or number.first_guess()
    if classifier.activation == "sigmoid":  # trained to be right by itself
        return logits / decision.temperature
    if decision.level is None:
        return _log_odds(classifier.shares_of(logits))
    above = (logits - (decision.level - np.log(len(classifier.labels)))) / decision.temperature
    return odds.alone_constant + odds.alone * above


def _figures(classifier: Classifier, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return figures_of(classifier, classifier.logits(X))


def figures_of(classifier: Classifier, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For logits [n, n labels] of pictures: figures [n, n labels], of all labels or, where they exclude each other, of the
    best one alone; none [n], shares [n, n labels]."""
    decision = classifier.decision
    none = none_of(classifier, logits).astype(np.float32)
    if stand_alone(classifier):
        if decision.level is None and classifier.activation == "softmax" and len(classifier.labels) == 1:
            raise BadInput("One class alone needs something to be held against; add a second class.")
        alone = _alone(classifier, logits)
        halves = _log_odds(thresholds(decision, len(classifier.labels), 0.5))
        return whole(alone - halves), none, sigmoid(alone)
    shares = classifier.shares_of(logits)
    odds = decision.odds or number.first_guess()
    figures = np.zeros(logits.shape, np.float32)
    log_odds = told(logits / decision.temperature, none) @ odds.exclusive
    figures[np.arange(len(logits)), logits.argmax(1)] = whole(log_odds)
    return figures, none, shares


def captions_against(classifier: Classifier, bank: np.ndarray | None) -> np.ndarray | None:
    """The captions of a bank [m, dim] that the labels are held against: those that mean none of them; None without any."""
    if bank is None or classifier.kind == "linear probe":  # whose scale is not that of the text
        return None
    weight = classifier.weight / np.maximum(np.linalg.norm(classifier.weight, axis=1, keepdims=True), 1e-9)
    others = bank[(bank @ weight.T).max(1, initial=-1.0) < NEAR]
    return others if len(others) else None


def _log_odds(share: np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(share, np.float64), 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), float32, without overflow."""
    return np.exp(-np.logaddexp(0, -x)).astype(np.float32)


def _answered(decision: Decision, figures: np.ndarray, none: np.ndarray, sure: float, shares: np.ndarray) -> Answers:
    best = figures.argmax(1)
    rows = np.arange(len(figures))
    enough = reaches(figures, sure)
    places = np.where(enough[rows, best], best, np.where(none > 0.5, NONE, UNSURE))
    chosen = np.zeros(figures.shape, bool)
    if decision.many:
        chosen = enough
    else:
        chosen[rows[places >= 0], best[places >= 0]] = True
    return Answers(places, figures[rows, best], none, chosen, shares)
