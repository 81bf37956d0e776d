"""Why a picture has no answer, in at most eight words."""

from collections.abc import Sequence

import numpy as np

from .answers import NONE, Answers

WORDS = 8
CLOSE = 0.5  # a name whose share is at least this part of the best one's fits, too


def reasons(answers: Answers, labels: Sequence[str], alone: bool) -> list[str]:
    """For each picture why it has no label, or "" where it has one; `alone` is what `stand_alone` says."""
    silent = np.flatnonzero(answers.places < 0)
    found = [""] * len(answers.places)
    for row in silent.tolist():
        found[row] = _reason(answers.places[row] == NONE, answers.shares[row], labels, alone)
    return found


def _reason(none: bool, shares: np.ndarray, labels: Sequence[str], alone: bool) -> str:
    if len(labels) == 1:
        return _short(f"{'does not look' if none else 'may not be enough'} like {labels[0]}", "the name does not fit well")
    if none:
        return "none of your names fits well"
    order = np.argsort(-shares, kind="stable")
    best = labels[order[0]]
    close = int((shares >= CLOSE * shares[order[0]]).sum())
    if alone or close < 2:
        return _short(f"{best} fits best, but not well", "the best name does not fit well")
    many = "two names fit" if close == 2 else "several names fit"
    first, second = (f"{labels[i]} {100 * shares[i]:.0f}" for i in order[:2])
    plain = f"{many}: {best}, {labels[order[1]]}"
    return _short(f"{many}: {first}, {second}", plain, f"{many} about as well")


def _short(*ways: str) -> str:
    """The first way to say it that is short enough; the last always is."""
    return next(way for way in ways if len(way.split()) <= WORDS)
