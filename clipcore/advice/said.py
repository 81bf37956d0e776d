"""One piece of advice, and class names in its words."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    kind         people, senses, similar, synonym, contains, question, negation, counting, position, order, leftover,
                 task, language, spelling or too long
    labels       the classes it is about
    sentence     what is wrong and what to do, for a person
    suggestions  names to write in place of the only or the first of `labels`; may be empty
    """

    kind: str
    labels: tuple[str, ...]
    sentence: str
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


def quoted(names: Sequence[str]) -> str:
    """Class names in a sentence, at most four of them."""
    shown = [f"“{short(name)}”" for name in names[:4]]
    rest = [f"{len(names) - 4} more"] if len(names) > 4 else []
    *first, last = shown + rest
    return f"{', '.join(first)} and {last}" if first else last


def short(name: str) -> str:
    """A class name that fits into a sentence."""
    return name if len(name) <= 60 else f"{name[:57]}…"
