"""The trainings of a home, each in HOME/models/NAME: `log.jsonl`, checkpoints, and when it is over `model`, which is a model
like any other. No Gradio."""

import json
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipcore import BadInput

from ..studio import Studio

NAME = re.compile(r"[\w][\w .-]{0,59}")


@dataclass(frozen=True)
class Training:
    """A training by its name: where it lies, how it went so far, and whether its model can be used."""

    name: str
    folder: Path

    @property
    def model(self) -> str | None:
        """The name of its model, for `clipcore.load`; None before there is one."""
        folder = self.folder / "model"
        return f"local-dir:{folder}" if (folder / "open_clip_model.safetensors").is_file() else None

    @property
    def table(self) -> Path:
        """Where the labels that it learns from are written down. The whole name counts: pets.v1 is not pets.v2."""
        return self.folder.with_name(f"{self.folder.name}.csv")

    @property
    def sweep(self) -> dict[float, dict[str, dict[str, float]]]:
        """Mixture -> set -> accuracy, low, high and n; empty before the end, and for pre-training."""
        return {float(alpha): sets for alpha, sets in self._said().get("sweep", {}).items()}

    @property
    def mixable(self) -> bool:
        """Whether something was learned that can be mixed with what was there before."""
        return len(self.sweep) > 1

    @property
    def sentence(self) -> str:
        """What came of a fine-tuning, in words; "" before its end."""
        return str(self._said().get("sentence", ""))

    @property
    def alpha(self) -> float:
        """The mixture that its model is."""
        return float(self._said().get("alpha", 0.5))

    def log(self) -> list[dict[str, float]]:
        """What was written down on the way, by step."""
        try:
            lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        rows = []
        for line in lines:
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue  # being written just now
        return rows

    def _said(self) -> dict[str, Any]:
        try:
            return json.loads((self.folder / "tune.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


def trainings(studio: Studio) -> list[Training]:
    """Every training of this home, the newest first."""
    folders = [folder for folder in (studio.library.home / "models").glob("*") if folder.is_dir()]
    return [Training(f.name, f) for f in sorted(folders, key=lambda f: f.stat().st_ctime, reverse=True)]


def stamp(studio: Studio) -> str:
    """Another one whenever a training has written something down."""
    newest = 0
    for file in (studio.library.home / "models").glob("*/*.json*"):
        with suppress(OSError):  # deleted just now
            newest = max(newest, file.stat().st_mtime_ns)
    return str(newest)


def training(studio: Studio, name: str) -> Training:
    """A training by its name. Raises BadInput for a name that can be none."""
    if not NAME.fullmatch(name or ""):
        raise BadInput("Type a name of at most 60 letters, digits, spaces, dots and dashes.")
    return Training(name, studio.library.home / "models" / name)


def new_training(studio: Studio, name: str) -> Training:
    """A name for a training that is not there yet. Raises BadInput."""
    found = training(studio, name.strip())
    waiting = any(
        job.payload.get("name") == found.name for job in studio.jobs.active() if job.kind in ("finetune", "pretrain")
    )
    if found.folder.exists() or waiting:
        raise BadInput(f"There is a model called “{found.name}” already; choose another name.")
    return found


def delete_training(studio: Studio, name: str) -> None:
    """Delete a training with its model. Raises BadInput while it is at work or its model is in use."""
    gone = training(studio, name)
    if any(job.payload.get("name") == name for job in studio.jobs.active()):
        raise BadInput(f"“{name}” is still at work; stop it first.")
    if studio.model == gone.model:
        raise BadInput(f"“{name}” is in use; use another model first.")
    shutil.rmtree(gone.folder, ignore_errors=True)
    gone.table.unlink(missing_ok=True)
