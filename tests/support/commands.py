"""The command line for tests: in this process, for starting one takes seconds, or in one of its own where that matters.

In this process a command finds what a new one would give it: the checkout as its folder, an environment and warnings of its
own, and no logging set up. What it may leave behind is what importing and caching leave; `cli/test_commands.py` keeps real
processes beside it.
"""

import contextlib
import copy
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any
from unittest import mock

import torch
from typer.testing import CliRunner

import app
import clipcore
from cli.rows import kind_of_row
from clipcore.encoding.text_cache import MemoryCache
from clipcore.models import STARTER
from tests.support.server import ROOT

LOAD = clipcore.load


def sayso(*arguments: object, home: object = None, code: int = 0) -> tuple[list[Any], str]:
    """Run a command here; its standard output, as objects if it is JSON, and its standard error.

    Every object is of a kind that `cli.rows` tells of: what programs read is documented, field by field.
    """
    out, said = invoke(*arguments, home=home, code=code)
    lines = out.splitlines()
    if "--json" not in arguments:
        return lines, said
    rows = [json.loads(line) for line in lines]
    for row in rows:
        assert kind_of_row(str(arguments[0]), row), f"{arguments[0]} printed a row that cli/rows.py does not tell of: {row}"
    return rows, said


def invoke(*arguments: object, home: object = None, code: int = 0) -> tuple[str, str]:
    """Run a command here; its standard output and its standard error, kept apart."""
    with as_if_new():
        done = CliRunner().invoke(app.commands, words(arguments, home))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    assert done.exit_code == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def process(*arguments: object, home: object = None, code: int = 0) -> tuple[str, str]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "app.py", *words(arguments, home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def words(arguments: tuple[object, ...], home: object) -> list[str]:
    return [*map(str, arguments), *(["--home", str(home)] if home else [])]


@contextlib.contextmanager
def as_if_new() -> Iterator[None]:
    """What pytest, or an earlier command, has changed in this process is put back for a while, and nothing new stays.

    Pytest takes log records and warnings for itself; in a process of its own both go to standard error.
    """
    handlers, threads = logging.root.handlers[:], torch.get_num_threads()
    load = starter_once if clipcore.load is LOAD else clipcore.load  # else a test has put another in its place
    with (
        contextlib.chdir(ROOT),
        mock.patch.dict(os.environ),
        mock.patch("clipcore.load", load),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)  # as Python does
        warnings.filterwarnings("ignore", module=r"PIL\.")  # as clipcore.pictures.reading does
        warnings.showwarning = lambda *told: print(warnings.formatwarning(*told[:4]), file=sys.stderr)  # type: ignore[assignment]
        logging.root.handlers[:] = []
        try:
            yield
        finally:
            logging.root.handlers[:] = handlers
            torch.set_num_threads(threads)


def starter_once(name: str = STARTER, device: str = "auto", precision: str = "auto") -> Any:
    """As `clipcore.load`; but the starter's weights are read once for all commands, each of which caches texts by itself."""
    if name != STARTER:
        return LOAD(name, device, precision)
    encoder = copy.copy(starter(device, precision, os.environ.get("SAYSO_PRECISION")))
    encoder.text_cache = MemoryCache()
    return encoder


@cache
def starter(device: str, precision: str, variable: str | None) -> Any:
    return LOAD(STARTER, device, precision)
