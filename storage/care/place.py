"""Checks of where the home lies: the disk, who may read it, and what was left lying."""

import os
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

from clipcore import Step
from clipcore.pictures.finding import display_path

from ..database import FILE
from .findings import Finding, Patient, counted, deleting, some

SCARCE = 1_000_000_000  # bytes
OLD = 3600  # seconds after which a file that is half written belongs to nobody


def disk(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Room for what the library does: at least a gigabyte, and twice its file."""
    yield Step(0, 0, "the disk")
    path = patient.home / FILE
    needed = max(SCARCE, 2 * path.stat().st_size if path.exists() else 0)
    free = shutil.disk_usage(patient.home).free
    if free >= needed:
        return []
    sentence = f"Only {free / 1e9:.1f} GB are free on the disk of {display_path(patient.home)}."
    return [Finding("disk", sentence, f"Free some space there: at least {needed / 1e9:.1f} GB.")]


def permissions(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """The home can be read and written. That nobody else can, each opening of the library sees to."""
    yield Step(0, 0, "permissions")
    home, findings = patient.home, []
    shut = [path for path in _tree(home) if not os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0))]
    if shut:
        findings.append(
            Finding(
                "permissions",
                f"{counted(len(shut), 'file')} of the home cannot be read and written by Sayso.",
                "Give them to the user that runs Sayso.",
                count=len(shut),
                examples=some(shut),
            )
        )
    return findings


def leftovers(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Files that were being written when the program was killed."""
    yield Step(0, 0, "leftovers")
    left = []
    for path in _tree(patient.home):
        with suppress(OSError):
            if ".part" in path.suffixes and path.is_file() and time.time() - path.stat().st_mtime > OLD:
                left.append(path)
    if not left:
        return []
    sentence = f"{counted(len(left), 'file')} half written, from when the program was killed."
    return [Finding("leftovers", sentence, "They are deleted.", deleting(left), len(left), some(left))]


def _tree(home: Path) -> Iterator[Path]:
    """All that Sayso keeps, but for thumbnails, of which there are too many to look at each."""
    for path in home.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink() and path.name != "thumbs":
            yield from path.rglob("*")
