"""The one number: how likely the answer to a picture is right, in whole per cent. What is shown is what the dial compares.

Before any label it is estimated. Where labels exclude each other, three things tell:

    share   the log odds of the best label's share among the labels
    lead    how far its score lies above that of the second one
    fit     the logarithm of one minus `none`, how well any of the labels fits at all

and a logistic regression puts them together. Where labels do not, or there is one, it is how far the label's own score lies
above what generic captions reach. The few numbers of both are fitted for a space: those of the starter stand beside its
weights (`python -m benchmarks.one_number`), for another space they are estimated from the pictures at hand and the generic
captions, without labels (`estimated`). Labels then move them by what was measured (`measured`).
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..errors import BadInput
from ..space import Space

STARTER_FILE = Path(__file__).parents[1] / "starter" / "figure.json"
LEEWAY = 2.0  # by which labels that exclude each other may fit worse than the captions: right if a fifth have no label
BELIEF = 25.0  # pictures without labels that say as much about the numbers as the first guess does
MOVED, STRETCHED = 1.0, 0.3  # spread of what labels are expected to do to the log odds: add to them, multiply them
LOOKED_AT = 1000  # pictures of a library that numbers are estimated on
SIZES = (2, 4, 8, 16, 32)  # of the label sets that are tried for that
STRANGERS = 0.1  # share of pictures that have none of the names, where numbers are estimated
SEED = 0


@dataclass(frozen=True)
class Odds:
    """What gives the log odds that an answer is right: `constant + share * ... + lead * ... + fit * ...` where labels
    exclude each other, `alone_constant + alone * ...` where each stands alone."""

    constant: float
    share: float
    lead: float
    fit: float
    alone_constant: float = 0.0
    alone: float = 1.0

    def __post_init__(self) -> None:
        """Raise BadInput for what is no number."""
        if not np.isfinite([self.constant, self.share, self.lead, self.fit, self.alone_constant, self.alone]).all():
            raise BadInput("The numbers behind “how likely is it right” are not finite; make the classifier again.")

    @property
    def exclusive(self) -> np.ndarray:
        """The first four, float [4]: they go with the columns of `told`."""
        return np.array([self.constant, self.share, self.lead, self.fit])


@cache
def _starter() -> tuple[str, Odds]:
    kept = json.loads(STARTER_FILE.read_text(encoding="utf-8"))
    return kept["space"], Odds(**kept["odds"])


def fitted(space: Space) -> Odds | None:
    """What was fitted for a space on labelled pictures; None for all but the starter's."""
    key, odds = _starter()
    return odds if key == space.key else None


def first_guess() -> Odds:
    """The odds to begin with in a space of which nothing is known: those of the starter, for scores are in the same unit
    everywhere, natural logarithms of odds."""
    return _starter()[1]


def told(logits: np.ndarray, none: np.ndarray) -> np.ndarray:
    """What tells whether the best label is right, from logits [n, n labels >= 2] over their temperature and none [n]: float
    [n, 4], one, share, lead and fit."""
    sorted_ = np.sort(np.asarray(logits, np.float64), axis=1)
    best, rest = sorted_[:, -1], sorted_[:, :-1]
    top = rest[:, -1]
    share = best - top - np.log(np.exp(rest - top[:, None]).sum(1))
    fit = np.log(np.maximum(1 - none.astype(np.float64), 1e-9))
    return np.stack([np.ones(len(best)), share, best - top, fit], axis=1)


def whole(log_odds: np.ndarray) -> np.ndarray:
    """Log odds as whole per cent, float32 from 0.01 to 0.99: nobody is entirely sure."""
    share = 1 / (1 + np.exp(-np.clip(log_odds, -30, 30)))
    return (np.clip(np.round(100 * share), 1, 99) / 100).astype(np.float32)


def reaches(figure: np.ndarray, dial: float | np.ndarray) -> np.ndarray:
    """Whether figures are at or above the dial, bool; as they are read, in per cent."""
    return np.round(100 * figure) >= 100 * np.asarray(dial, np.float64) - 1e-6


def regression(
    features: np.ndarray, right: np.ndarray, guess: np.ndarray, held: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Logistic regression of `right` [n], 0 to 1, on features [n, k] with a normal prior: round `guess` [k] with precisions
    `held` [k]. Newton's method; the loss is convex, and steps that do not lower it are halved."""
    X, y = np.asarray(features, np.float64), np.asarray(right, np.float64)
    w = np.ones(len(y)) if weights is None else weights

    def loss(at: np.ndarray) -> float:
        scores = X @ at
        return float(w @ (np.logaddexp(0, scores) - y * scores) + 0.5 * held @ (at - guess) ** 2)

    at = np.array(guess, np.float64)
    for _ in range(50):
        share = 1 / (1 + np.exp(-np.clip(X @ at, -30, 30)))
        slope = X.T @ (w * (share - y)) + held * (at - guess)
        bend = (X * (w * share * (1 - share))[:, None]).T @ X + np.diag(held + 1e-9)
        step, size = np.linalg.solve(bend, slope), 1.0
        while size > 1e-4 and loss(at - size * step) > loss(at):
            size /= 2
        at = at - size * step
        if np.abs(size * step).max() < 1e-6:
            break
    return at


def measured(odds: Odds, features: np.ndarray, right: np.ndarray) -> Odds:
    """`odds` moved by labels: features [n, 4] of `told` for pictures that were not learned from, and whether the best label
    was right, bool [n]. Two numbers are fitted, what is added to the log odds and what they are multiplied by; few labels
    move them little."""
    if not len(right):
        return odds
    before = features @ odds.exclusive
    both = np.stack([np.ones(len(before)), before], axis=1)
    added, times = regression(both, right, np.array([0.0, 1.0]), np.array([MOVED, STRETCHED]) ** -2)
    times = max(times, 0.05)  # what looks surer is never said to be less so
    found = times * odds.exclusive + np.array([added, 0, 0, 0])
    return _odds(found, odds)


def usual(scale: float, X: np.ndarray, captions: np.ndarray) -> float:
    """How well generic captions [m, dim] fit pictures X [n, dim] on average; 0 without pictures."""
    if not len(X):
        return 0.0
    logits = scale * (X @ captions.T).astype(np.float64)
    top = logits.max(1)
    return float((top + np.log(np.exp(logits - top[:, None]).mean(1))).mean())


def estimated(scale: float, X: np.ndarray, bank: np.ndarray | None) -> Odds:
    """Odds for a space of which nothing was measured, from pictures X [n, dim] and the generic captions [m, dim], no labels.

    The captions play the names. What a picture shows is known as far as the model knows it, by the shares of all captions;
    sets of some of them are drawn, the answer of each set is right with the share of the caption it names. Pictures that fit
    several captions alike, or none of a set, so teach how far share, lead and fit can be trusted in this space; those of
    none weigh as much as if they were STRANGERS of all. It begins at `first_guess`, which few pictures hardly move.
    """
    guess = first_guess()
    if bank is None or not len(X) or len(bank) <= max(SIZES):
        return guess
    rng = np.random.default_rng(SEED)
    X = X[rng.permutation(len(X))[:LOOKED_AT]]
    logits = scale * (X @ bank.T).astype(np.float64)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    beliefs = powers / powers.sum(1, keepdims=True)
    features, right, weights = [], [], []
    for size in SIZES:
        order = rng.permutation(len(bank))
        names, others = order[:size], order[size:]
        own = logits[:, names]
        level = usual(scale, X, bank[others]) + np.log(size)
        top = own.max(1)
        energies = top + np.log(np.exp(own - top[:, None]).sum(1))
        none = 1 / (1 + np.exp(np.clip(energies - level + LEEWAY, -30, 30)))
        features.append(told(own, none))
        known = beliefs[:, names].sum(1)
        rare = STRANGERS / (1 - STRANGERS) * known.sum() / max(float((1 - known).sum()), 1e-9)
        weights.append(known + rare * (1 - known))
        right.append(beliefs[np.arange(len(X)), names[own.argmax(1)]] / weights[-1])
        weights[-1] *= len(X) / weights[-1].sum()
    held = BELIEF * np.array([1.0, 4.0, 4.0, 4.0])
    weight = len(SIZES)  # the same picture again says less than another one
    told_, seen = np.concatenate(features), np.clip(np.concatenate(right), 0, 1)
    found = regression(told_, seen, guess.exclusive, weight * held, np.concatenate(weights))
    found[1:] = np.maximum(found[1:], 0)  # what fits better is never said to be less likely
    return _odds(found, guess)


def _odds(found: np.ndarray, other: Odds) -> Odds:
    """Odds with the four numbers `found`; those of labels that stand alone are the `other` one's."""
    constant, share, lead, fit = (round(float(number), 6) for number in found)
    return Odds(constant, share, lead, fit, other.alone_constant, other.alone)
