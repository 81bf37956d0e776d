"""Processes of their own that start at once: forks of one that has imported torch, Gradio and Sayso, which takes a new
Python ten seconds of work. What shows only in a Python that starts anew is left to the few tests that start one."""

import contextlib
import multiprocessing
import os
import random
import socket
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FORKS = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
FORKS.set_forkserver_preload(["tests.support.preloaded"])


def fork(work: Callable[..., object], *arguments: Any, output: Path | None = None, **env: str) -> BaseProcess:
    """Start `work` in the checkout, with this environment and `env`; all that it writes goes to the file `output`.

    The process is stopped by its `terminate` and `kill`; `exitcode` is what it ended with, minus the signal if one ended it.
    """
    process = FORKS.Process(target=_run, args=(work, arguments, output, {**os.environ, **env}))
    with contextlib.chdir(ROOT):
        process.start()
    return process


def _run(work: Callable[..., object], arguments: tuple[Any, ...], output: Path | None, env: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    if output:  # a pipe that nobody reads would fill up and stop the process
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
    work(*arguments)


def free_port() -> int:
    """A port that nobody listens at, below those that the system gives to whoever connects: nobody takes it by chance."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
