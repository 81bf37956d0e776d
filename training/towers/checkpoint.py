"""A run on disk: a checkpoint that a crash cannot damage, a log that never tells of steps that were lost."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from clipcore.errors import BadInput
from clipcore.plain import open_plain

CHECKPOINT = "checkpoint.pt"


def save_checkpoint(out: Path, state: dict[str, Any]) -> None:
    """Write beside, then rename: whenever the process dies, the last checkpoint or this one is whole."""
    with (out / "checkpoint.part").open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    (out / "checkpoint.part").replace(out / CHECKPOINT)


def load_checkpoint(out: Path) -> dict[str, Any] | None:
    """The state that was saved last, on the CPU, or None. Raises BadInput if the file is damaged."""
    path = out / CHECKPOINT
    if not path.exists():
        return None
    try:
        with open_plain(path) as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise BadInput(f"The checkpoint {path} is damaged; delete it to begin again.") from error


class Log:
    """`log.jsonl`: one object a logged step. Opened at `step`, it forgets what was logged after that step was saved."""

    def __init__(self, path: Path, step: int) -> None:
        kept = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line + "\n")
                except (ValueError, KeyError):
                    continue  # cut off by the crash
        path.with_suffix(".part").write_text("".join(kept), encoding="utf-8")
        path.with_suffix(".part").replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Add one step; numbers keep five decimals."""
        self._file.write(json.dumps({"step": step, **{name: round(value, 5) for name, value in metrics.items()}}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
