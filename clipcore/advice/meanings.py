"""What WordNet knows of names: several senses, one thing under two names, classes that contain others."""

from collections.abc import Iterator, Sequence

from .. import wordnet
from ..wordnet import senses
from .said import Advice, quoted

MAIN = 1 / 4  # how common a meaning must be, beside a name's commonest, to stand for the name


def several_senses(labels: Sequence[str], among: Sequence[str]) -> Iterator[Advice]:
    """Names with several common senses, and names to write instead; `among` are all classes."""
    for label in labels:
        found = senses.several(label) if label.islower() else []  # a capital letter is mostly a name: Jaguar, Apple
        if found:
            # the kind that most of the other classes are of is the likeliest
            others = [m.kind for other in among if other != label for m in senses.main_meanings(other, MAIN)[:1]]
            found.sort(key=lambda sense: -others.count(sense[0]))
            meant = " or ".join(f"{_article(hint)} {hint}" for _, hint in found)
            yield Advice(
                "senses",
                (label,),
                f"“{label}” can be {meant}, and the model is not told which: say what you mean.",
                tuple(f"{label} ({hint})" for _, hint in found),
            )


def same_or_broader(labels: Sequence[str]) -> Iterator[Advice]:
    """Names for one thing, and classes that contain others."""
    owner: dict[int, list[str]] = {}  # who has a meaning among the main ones of its name
    main = {label: senses.main_meanings(label, MAIN) for label in labels}
    for label, found in main.items():
        for meaning in found:
            owner.setdefault(meaning.row, []).append(label)
    for same in dict.fromkeys(tuple(names) for names in owner.values() if len(names) > 1):
        yield Advice(
            "synonym",
            same,
            f"{quoted(same)} are names for the same thing: make them one class, written “{' = '.join(same[:2])}”.",
        )
    by_name = {label.lower(): label for label in labels}
    kinds: dict[str, list[str]] = {}
    for label, found in main.items():
        above = [name for meaning in found[:1] for up in wordnet.broader(meaning) for name in owner.get(up.row, ())]
        words = label.lower().split()
        if not found:  # not in WordNet: a red car is a car
            above += [by_name[end] for i in range(1, len(words)) if (end := " ".join(words[i:])) in by_name]
        for name in dict.fromkeys(above):
            if name != label:
                kinds.setdefault(name, []).append(label)
    for name, narrower in kinds.items():
        yield Advice(
            "contains",
            (name, *narrower),
            f"“{name}” contains {quoted(narrower)}, so such pictures fit both: leave “{name}” out, or write which other "
            "kinds it stands for.",
        )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
