"""What the CLIP paper found models of this kind to be poor at, said where class names ask for it: digits, tumours,
countries, variants of aircraft, crowds, expressions of faces."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..classify.tasks import Task, folded, tasks
from .said import Advice

_DIGITS = re.compile(r"\d|zero|one|two|three|four|five|six|seven|eight|nine", re.IGNORECASE)
_OF_DIGITS = re.compile(r"(?:the )?(?:digit|number|numeral)s? ", re.IGNORECASE)
_MAKERS = re.compile(
    r"\b(boeing|airbus|cessna|embraer|fokker|bombardier|gulfstream|tupolev|antonov|mcdonnell|beechcraft|atr|dornier)\b"
    r"|\bA3\d{2}(-\d{2,3})?\b|\b7[0-8]7(-\d{2,3})?\b",
    re.IGNORECASE,
)
_COUNTRIES = {"usa", "us", "uk", "england", "scotland", "wales", "america", "holland", "czechia", "ivory coast"}
_HOW_MANY = re.compile(
    r"\b(empty|few|people|persons?|nobody|one|many|some|busy|quiet|small|medium|large|huge)\b", re.IGNORECASE
)


def known_limits(labels: Sequence[str]) -> Iterator[Advice]:
    """Names of a task that CLIP is known to be poor at, each task once, with its figure and what to do instead."""
    if len(labels) < 2:
        return
    known = tasks()
    for name, found in {
        "digits": _digits(labels),
        "medical": _with_words(known["medical"], labels),
        "countries": _countries(known["countries"], labels),
        "aircraft": _aircraft(known["aircraft"], labels),
        "crowds": _crowds(known["crowds"], labels),
        "emotions": _emotions(known["emotions"], labels),
    }.items():
        if found:
            yield Advice("task", tuple(found), f"{known[name].limit} {known[name].instead}")


def _digits(labels: Sequence[str]) -> list[str]:
    return list(labels) if all(_DIGITS.fullmatch(_OF_DIGITS.sub("", label)) for label in labels) else []


def _with_words(task: Task, labels: Sequence[str]) -> list[str]:
    return [label for label in labels if task.words & _phrases(label)]


def _countries(task: Task, labels: Sequence[str]) -> list[str]:
    names = {folded(label) for known in task.sets for label in known.labels} | _COUNTRIES
    found = [label for label in labels if folded(label) in names]
    return found if len(found) > 1 and 2 * len(found) >= len(labels) else []


def _aircraft(task: Task, labels: Sequence[str]) -> list[str]:
    names = {folded(label) for known in task.sets for label in known.labels}
    listed = [label for label in labels if folded(label) in names]
    found = [label for label in labels if label in listed or (_MAKERS.search(label) and re.search(r"\d", label))]
    return found if len(found) > 1 else []


def _crowds(task: Task, labels: Sequence[str]) -> list[str]:
    crowded = _with_words(task, labels)
    found = [label for label in labels if label in crowded or _HOW_MANY.search(label)]
    return found if crowded and len(found) > 1 else []


def _emotions(task: Task, labels: Sequence[str]) -> list[str]:
    found = _with_words(task, labels)
    of_people = any(task.faces & _phrases(label) for label in labels)
    alone = all(label.casefold() in task.words for label in labels) and len(found) > 2
    return found if len(found) > 1 and (of_people or alone) else []


def _phrases(label: str) -> set[str]:
    """The words of a name, and each two that stand side by side."""
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", label.casefold())
    return {*words, *(" ".join(pair) for pair in pairwise(words))}
