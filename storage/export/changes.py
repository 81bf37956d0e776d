"""What an export changes on the disk: a plan that can be read first, carried out without ever overwriting, and undone.

The undo file is written before anything is changed and again at the end, so that `kill -9` in between can be undone, too.
It is JSON: {"sayso_undo": 1, "changes": [{"do", "source", "target", "content", "image", "before"}], "folders": [...]}.
"""

import base64
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from clipcore import BadInput, SaysoError, Step
from clipcore.pictures.reading import content_hash, display_path
from clipcore.plain import read_json, read_plain

from ..files import write_beside
from ..records import SkippedRecord

How = Literal["copy", "link", "symlink", "move"]
Moved = Callable[[Sequence[tuple[int, str]]], None]
FORMAT = 1
UNDO = 2_000_000_000  # bytes of an undo file: sidecars as they were, of a large library
BATCH = 200  # moved pictures whose new paths are told at once


@dataclass(frozen=True)
class Change:
    """One file that an export makes: a copy, link or move of `source`, or a text of its own (`do` is write).

    content   sha256 of what `target` will hold
    image_id  the picture that is moved
    data      what to write, and `before`, what it replaces; None where there is nothing yet
    """

    do: How | Literal["write"]
    source: str
    target: str
    content: str
    image_id: int | None = None
    data: bytes | None = None
    before: bytes | None = None

    def __str__(self) -> str:
        arrow = f"{display_path(self.source)} -> " if self.source else ""
        return f"{self.do} {arrow}{display_path(self.target)}"


@dataclass(frozen=True)
class Plan:
    """What would change, and what is left as it is, with the reason."""

    changes: list[Change]
    left: list[SkippedRecord]


@dataclass(frozen=True)
class Done:
    """How many changes were made, and those that could not be."""

    changed: int
    failed: list[SkippedRecord]


def new_undo_file(home: Path) -> Path:
    """Where the undo file of an export that begins now goes, in the home folder."""
    return home / "exports" / f"undo-{datetime.now():%Y-%m-%d-%H%M%S-%f}.json"


def undo_files(home: Path) -> list[Path]:
    """The undo files in the home folder that were not taken back yet, the newest first."""
    return sorted((home / "exports").glob("undo-*.json"), reverse=True)


def iter_carry_out(plan: Plan, undo: str | Path, moved: Moved) -> Generator[Step, None, Done]:
    """Make the changes of a plan; what it takes to undo them goes to the file `undo`, which must not be there yet.

    `moved` is told the new paths of moved pictures. A change whose target has meanwhile come to be is left out, with the
    reason. Stopped half-way, the undo file holds what was done. Raises BadInput if the undo file cannot be written.
    """
    undo = Path(undo)
    if undo.exists():
        raise BadInput(f"There is already a file {display_path(undo)}; give the undo file another name.")
    folders = _missing_folders(plan.changes)
    _write_undo(undo, plan.changes, folders)
    done: list[Change] = []
    failed: list[SkippedRecord] = []
    told = 0
    try:
        for number, change in enumerate(plan.changes):
            yield Step(number, len(plan.changes), f"{change.do} files")
            try:
                done.append(_carry_out(change))
            except (OSError, SaysoError) as error:
                failed.append(SkippedRecord(display_path(change.source or change.target), _reason(error)))
            if len(done) - told >= BATCH:
                _tell(moved, done[told:])
                told = len(done)
    finally:
        _tell(moved, done[told:])
        _write_undo(undo, done, folders)
    yield Step(len(plan.changes), len(plan.changes), "done")
    return Done(len(done), failed)


def iter_undo(undo: str | Path, moved: Moved) -> Generator[Step, None, Done]:
    """Take back what an undo file tells, last first. What was changed since is left alone, with the reason.

    The file is renamed to <name>.done when nothing is left to undo. Raises BadInput if it is no undo file.
    """
    undo = Path(undo)
    changes, folders = _read_undo(undo)
    failed: list[SkippedRecord] = []
    back: list[Change] = []
    try:
        for number, change in enumerate(reversed(changes)):
            yield Step(number, len(changes), "undoing")
            try:
                if _take_back(change):
                    back.append(change)
            except (OSError, SaysoError) as error:
                failed.append(SkippedRecord(display_path(change.target), _reason(error)))
    finally:
        _tell(moved, back, back=True)
    for folder in sorted(folders, key=len, reverse=True):
        with suppress(OSError):  # not empty: something else is in it
            os.rmdir(folder)
    if not failed:
        with suppress(OSError):
            os.replace(undo, f"{undo}.done")
    yield Step(len(changes), len(changes), "done")
    return Done(len(back), failed)


# one change


def _carry_out(change: Change) -> Change:
    """Make one change; the answer says what the target holds now."""
    target = Path(change.target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if change.do == "write":
        assert change.data is not None
        if _bytes_of(target) != change.before:
            raise BadInput("It was changed meanwhile and is left as it is; export again.")
        write_beside(target, change.data, durable=False, private=False)
        return change
    if change.do == "link":
        os.link(change.source, target)
    elif change.do == "symlink":
        os.stat(change.source)  # no link into nothing
        os.symlink(change.source, target)
    elif change.do == "move":
        _move(Path(change.source), target)
    else:
        _copy(Path(change.source), target)
        return Change(change.do, change.source, change.target, content_hash(target.read_bytes()))
    return change


def _move(source: Path, target: Path) -> None:
    """Rename without overwriting: a second name first, then the old one goes. Across disks it is a copy."""
    if source.is_symlink():
        raise BadInput("It is a symbolic link, which could point elsewhere from another place; copy it.")
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        _copy(source, target, durable=True)
    os.unlink(source)


def _copy(source: Path, target: Path, durable: bool = False) -> None:
    """A copy with its times that appears whole or not at all, and never in the place of another file."""
    part = target.with_name(f".{secrets.token_hex(6)}.part")
    try:
        shutil.copyfile(source, part)
        shutil.copystat(source, part)
        if durable:
            with open(part, "rb") as file:
                os.fsync(file.fileno())
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError:  # a disk without hard links
            if target.exists():
                raise FileExistsError(errno.EEXIST, "the name is taken") from None
            os.rename(part, target)
    finally:
        part.unlink(missing_ok=True)


def _take_back(change: Change) -> bool:
    """Undo one change. False if it was never made. Raises BadInput where something else is there now."""
    target = Path(change.target)
    if not os.path.lexists(target):
        if change.do == "move" and not os.path.lexists(change.source):
            raise BadInput("It is neither at its old place nor at its new one; look for it where it was moved since.")
        return False
    if change.do == "move":
        if os.path.lexists(change.source):
            raise BadInput(f"There is another file at {display_path(change.source)} now; it stays where it was moved to.")
        Path(change.source).parent.mkdir(parents=True, exist_ok=True)
        _move(target, Path(change.source))
        return True
    if change.do == "symlink":
        if not target.is_symlink() or os.readlink(target) != change.source:
            raise BadInput("It is not the link that was made; it is left as it is.")
    elif change.do == "link":
        if not (os.path.exists(change.source) and os.path.samefile(change.source, target)):
            raise BadInput("It is not the same file as the original any more; it is left as it is.")
    else:
        now = target.read_bytes()
        if change.do == "write" and now == change.before:
            return False
        if content_hash(now) != change.content:
            raise BadInput("It was changed since and is left as it is.")
        if change.before is not None:
            write_beside(target, change.before, durable=False, private=False)
            return True
    target.unlink()
    return True


def _bytes_of(path: Path) -> bytes | None:
    try:
        return read_plain(path)
    except FileNotFoundError:
        return None


def _tell(moved: Moved, changes: Sequence[Change], back: bool = False) -> None:
    moves = [change for change in changes if change.do == "move"]
    paths = [(move.image_id, move.source if back else move.target) for move in moves if move.image_id is not None]
    if paths:
        moved(paths)


def _reason(error: Exception) -> str:
    if isinstance(error, FileExistsError):
        return "There is another file of this name now; it was not overwritten."
    if isinstance(error, OSError) and error.errno == errno.EXDEV:
        return "A hard link cannot reach another disk; use --symlink or --copy."
    if isinstance(error, OSError):
        return f"It could not be done ({error.strerror})."
    return str(error)


# the undo file


def _missing_folders(changes: Sequence[Change]) -> list[str]:
    """The folders that the changes will make."""
    missing: dict[str, None] = {}
    for parent in {Path(change.target).parent for change in changes}:
        for folder in (parent, *parent.parents):
            if folder.exists():
                break
            missing[str(folder)] = None
    return list(missing)


def _write_undo(path: Path, changes: Sequence[Change], folders: Sequence[str]) -> None:
    def row(change: Change) -> dict[str, Any]:
        before = None if change.before is None else base64.b64encode(change.before).decode()
        values = {"do": change.do, "source": change.source, "target": change.target, "content": change.content}
        return {**values, "image": change.image_id, "before": before}

    # ASCII: a name that is not valid UTF-8 comes back as it was
    text = json.dumps({"sayso_undo": FORMAT, "changes": [row(change) for change in changes], "folders": list(folders)})
    try:
        write_beside(path, text.encode("ascii"))
    except OSError as error:
        raise BadInput(
            f"The undo file {display_path(path)} cannot be written ({error.strerror}); nothing more is changed without it."
        ) from error


def _read_undo(path: Path) -> tuple[list[Change], list[str]]:
    try:
        data = read_json(path, UNDO)
        if data["sayso_undo"] > FORMAT:
            raise BadInput("This undo file was made by a newer Sayso; update Sayso to read it.")
        changes = []
        for row in data["changes"]:
            if row["do"] not in ("copy", "link", "symlink", "move", "write"):
                raise ValueError(row["do"])
            before = None if row["before"] is None else base64.b64decode(row["before"])
            places = (str(row["source"]), str(row["target"]), str(row["content"]))
            changes.append(Change(row["do"], *places, None if row["image"] is None else int(row["image"]), None, before))
        return changes, [str(folder) for folder in data["folders"]]
    except BadInput:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{display_path(path)} is not an undo file of Sayso, or it is damaged; name the one the export wrote."
        ) from error
