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


def duration(seconds: float) -> str:
    """A length of time as one says it: 40 s, 12 min, 2 h 5 min."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


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


def watch(steps: Generator[Step, None, T]) -> T:
    """`drain` with a progress bar, in a terminal or in a notebook: `watch(library.iter_add("photos"))`."""
    from tqdm.auto import tqdm

    with tqdm(leave=False) as bar:

        def show(step: Step) -> None:
            bar.total = step.total or None
            bar.set_description(step.message, refresh=False)
            bar.update(step.done - bar.n)

        return drain(steps, show)
