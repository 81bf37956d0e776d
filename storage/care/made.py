"""Checks of what is made from other things: indexes, which are made again at once, and models, which took hours."""

import zipfile
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import numpy as np
from sqlalchemy import select

from clipcore import Space, Step
from clipcore.pictures.finding import display_path

from ..pictures.map import map_fault, map_file
from ..tables import SpaceRow
from ..vectors.spaces import index_of
from .findings import Finding, Patient, deleting

MAP_REMEDY = "It is deleted, and laid out again when the map is opened."


def index(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """The file of each index holds what the database holds, and each map can be read."""
    database, folder, findings = patient.opened.database, patient.home / "index", []
    with database.reading() as connection:
        rows = connection.execute(select(SpaceRow.id, SpaceRow.key, SpaceRow.name, SpaceRow.dim)).all()
    for row in rows:
        yield Step(0, 0, f"index of {row.name}")
        space = Space(row.key, row.name, row.dim)
        kept = index_of(database, row.id, space, folder, lambda: np.zeros((0, 0), np.float32), patient.opened.vectors)
        if fault := kept.file_fault():
            sentence = f"The index of {row.name} is not that of this library ({fault})."
            remedy = "It is deleted, and built again at the next search."
            findings.append(Finding("index", sentence, remedy, kept.forget_file, examples=(display_path(kept.file),)))
        kept.close()
        plane = map_file(folder, row.key)
        if fault := map_fault(plane, row.dim):
            sentence = f"The map of {row.name} cannot be read ({fault})."
            findings.append(Finding("index", sentence, MAP_REMEDY, deleting([plane]), examples=(display_path(plane),)))
    return findings


def models(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """The models that were made here, and the checkpoints from which their trainings go on, can be read."""
    findings = []
    for path in sorted((patient.home / "models").glob("*/**/*")):
        reader = READERS.get(path.suffix)
        if reader is None or not path.is_file():
            continue
        yield Step(0, 0, f"model {path.parent.name}")
        if not reader(path):
            shown = display_path(path)
            remedy = f"Delete {shown} and train again; without a model that is in use, choose another one first."
            findings.append(Finding("models", f"The file {shown} is damaged.", remedy))
    return findings


def _is_whole_model(path: Path) -> bool:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            return bool(file.keys())
    except (SafetensorError, OSError):
        return False


def _is_whole_checkpoint(path: Path) -> bool:
    with suppress(OSError, zipfile.BadZipFile, EOFError, RuntimeError), zipfile.ZipFile(path) as file:
        return file.testzip() is None  # reads all of it
    return False


READERS: dict[str, Callable[[Path], bool]] = {".safetensors": _is_whole_model, ".pt": _is_whole_checkpoint}
