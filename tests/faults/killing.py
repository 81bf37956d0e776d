"""Processes that are killed with -9 at a random moment of their work.

They come from a fork server, which has imported everything once: a process takes milliseconds to start instead of seconds.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
PRELOADED = ("tests.faults.work", "alembic.command", "training", "tests.training.towers.test_contrastive")
CONTEXT.set_forkserver_preload(list(PRELOADED))
PATIENCE = 600  # seconds


@dataclass
class Toll:
    """What was killed, and when: for the figures."""

    kills: int = 0
    ended: int = 0  # before the blow fell
    seconds: list[float] = field(default_factory=list)


def _run(work: Callable[..., None], writer: Any, *args: Any) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    work(writer.send, *args)
    writer.send("end")


def _start(work: Callable[..., None], *args: Any) -> tuple[Any, Any]:
    reader, writer = CONTEXT.Pipe(False)
    process = CONTEXT.Process(target=_run, args=(work, writer, *args))
    process.start()
    writer.close()
    assert reader.poll(PATIENCE), "it never began"
    assert reader.recv() == "begin"
    return process, reader


def _heard(reader: Any) -> list[Any]:
    said = []
    try:
        while True:
            said.append(reader.recv())
    except EOFError:
        return said


def finished(work: Callable[..., None], *args: Any) -> tuple[list[Any], float]:
    """Run to the end; what it said, and the seconds it took."""
    process, reader = _start(work, *args)
    began = time.monotonic()
    said = _heard(reader)
    took = time.monotonic() - began
    process.join(PATIENCE)
    assert process.exitcode == 0, f"{work.__name__} ended with {process.exitcode}"
    assert said.pop() == "end"
    return said, took


def killed(toll: Toll, work: Callable[..., None], *args: Any, within: float, rng: random.Random) -> list[Any]:
    """Kill -9 at a random moment `within` so many seconds of its beginning; what it had said until then."""
    process, reader = _start(work, *args)
    moment = rng.uniform(0, within)
    process.join(moment)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGKILL)
        toll.kills += 1
        toll.seconds.append(moment)
    else:
        toll.ended += 1
    process.join(PATIENCE)
    assert process.exitcode in (0, -signal.SIGKILL), f"{work.__name__} ended with {process.exitcode}"
    said = _heard(reader)
    return said[:-1] if said and said[-1] == "end" else said
