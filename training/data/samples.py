"""A picture and what is said of it, and which part of its set it belongs to; what was left out, counted by reason."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clipcore.letters import one_spelling
from clipcore.pictures.classes import TEST, TRAIN, VAL

Purpose = Literal["all", "learn", "measure"]  # train, or test, else val: see `wanted`


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and what is said of it: sentences in `captions`, or a class `name`. `part` is train, val, test or ""."""

    key: str
    image: bytes | Path
    captions: tuple[str, ...] = ()
    name: str | None = None
    part: str = ""


def wanted(parts: Collection[str], purpose: Purpose, skipped: Counter[str] | None = None) -> Collection[str]:
    """Which of the parts that a set has are read for a purpose; a remark says which, where they are not all."""
    parts = set(parts)
    if purpose == "all" or not is_parted(parts):
        return {*parts, ""}
    part = TRAIN if purpose == "learn" else TEST if TEST in parts else VAL
    others = " and ".join(sorted(parts - {part, ""}))
    count(skipped, f"The part {part} is {'learned from' if purpose == 'learn' else 'measured on'}, {others} left out.", 0)
    return {part}


def is_parted(parts: Collection[str]) -> bool:
    """Whether there is a part to learn from and another one: otherwise all is one set."""
    return TRAIN in parts and len({*parts} - {""}) > 1


def learns(pair: Pair, held_out: bool) -> bool:
    """Whether a pair is learned from: as its set says; where it says nothing, unless it is `held_out`."""
    return pair.part == TRAIN if pair.part else not held_out


def told(pair: Pair, labels: Iterable[str], skipped: Counter[str] | None) -> Iterator[Pair]:
    """The pair with its captions, or one for each label of its picture."""
    named: Sequence[str] = [label for label in labels if label]
    for label in named:
        yield Pair(pair.key, pair.image, name=label, part=pair.part)
    if not named and pair.captions:
        yield pair
    elif not named:
        count(skipped, "no caption")


def clean_name(name: str) -> str:
    """A class name as one would say it: underscores are spaces, no space is doubled, and it has one spelling."""
    return one_spelling(name.replace("_", " "))


def count(skipped: Counter[str] | None, reason: str, number: int = 1) -> None:
    """So many more samples left out for `reason`; 0 for a remark."""
    if skipped is not None:
        skipped[reason] += number


def in_words(skipped: Mapping[str, int]) -> list[str]:
    """What was counted, as lines: remarks, and what was skipped how often."""
    return [f"skipped {number} x {reason}" if number else reason for reason, number in skipped.items()]
