"""The undo file: what an export is about to change, written before anything is changed and again at the end.

It is enough to take the export back, and to finish one that the program was killed in. JSON:
{"sayso_undo": 1, "state", "changes": [{"do", "source", "target", "content", "image", "before", "data"}], "rest": the same,
"folders": [...]}.
"""

import base64
import glob
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from clipcore import BadInput
from clipcore.pictures.finding import display_path
from clipcore.plain import read_json

from ..files import write_beside
from .plan import Change

FORMAT = 1
MOST = 2_000_000_000  # bytes of an undo file: sidecars as they were, of a large library
State = Literal["under way", "stopped", "over"]  # under way, and nobody at work: it was killed


@dataclass(frozen=True)
class Journal:
    """What an undo file holds: changes that were made, or, under way, may have been; the folders that they make; and the
    changes that are still to be made where the export was stopped."""

    state: State
    changes: list[Change]
    folders: list[str]
    rest: list[Change] = field(default_factory=list)


def new_undo_file(home: Path) -> Path:
    """Where the undo file of an export that begins now goes, in the home folder."""
    return home / "exports" / f"undo-{datetime.now():%Y-%m-%d-%H%M%S-%f}.json"


def undo_files(home: Path) -> list[Path]:
    """The undo files in the home folder that were not taken back yet, the newest first."""
    return sorted((home / "exports").glob("undo-*.json"), reverse=True)


def under_way(home: Path) -> list[Path]:
    """Those of exports that have not come to an end, and were not stopped by anybody either; the newest first."""
    found = []
    for path in undo_files(home):
        try:
            if read_journal(path).state == "under way":
                found.append(path)
        except BadInput:
            continue
    return found


def write_journal(path: Path, journal: Journal) -> None:
    """Raises BadInput if it cannot be written."""

    def row(change: Change) -> dict[str, Any]:
        values = {"do": change.do, "source": change.source, "target": change.target, "content": change.content}
        data = None if journal.state == "over" else change.data
        return {**values, "image": change.image_id, "before": _text(change.before), "data": _text(data)}

    # ASCII: a name that is not valid UTF-8 comes back as it was
    rows = {"changes": [row(change) for change in journal.changes], "rest": [row(change) for change in journal.rest]}
    text = json.dumps({"sayso_undo": FORMAT, "state": journal.state, **rows, "folders": journal.folders})
    try:
        write_beside(path, text.encode("ascii"))
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):  # by a writer that was killed; there is but one
            left.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(
            f"The undo file {display_path(path)} cannot be written ({error.strerror}); nothing more is changed without it."
        ) from error


def read_journal(path: Path) -> Journal:
    """Raises BadInput if it is no undo file."""
    try:
        said = read_json(path, MOST)
        if said["sayso_undo"] > FORMAT:
            raise BadInput("This undo file was made by a newer Sayso; update Sayso to read it.")
        changes, rest = ([_change(row) for row in said.get(name, ())] for name in ("changes", "rest"))
        return Journal(said.get("state", "over"), changes, [str(folder) for folder in said["folders"]], rest)
    except BadInput:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{display_path(path)} is not an undo file of Sayso, or it is damaged; name the one the export wrote."
        ) from error


def _change(row: dict[str, Any]) -> Change:
    if row["do"] not in ("copy", "link", "symlink", "move", "write"):
        raise ValueError(row["do"])
    places = (str(row["source"]), str(row["target"]), str(row["content"]))
    image = None if row["image"] is None else int(row["image"])
    return Change(row["do"], *places, image, _bytes(row.get("data")), _bytes(row["before"]))


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
