"""Progress as a value: long work is a generator of `Step`s that returns its result.

Tests assert on the steps, the command line draws them, the page reads them from a job's row. Work that streams is called
`iter_x()`; its twin `x()` drains it.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One report from long work: `done` of `total` (0 while unknown), a sentence, and numbers worth drawing."""

    done: int
    total: int = 0
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


def drain(steps: Generator[Step, None, T], on_step: Callable[[Step], None] | None = None) -> T:
    """Run the work to its end and return its result, handing each step to `on_step` on the way."""
    with closing(steps):  # if `on_step` raises, the work is stopped and not left hanging
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if on_step:
                on_step(step)
