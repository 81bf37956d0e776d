"""An export carried out without ever overwriting, finished after it was interrupted, and undone.

What moves is in three steps, some pictures at a time: they get their new names, the library is told, their old names go. So
wherever the program is killed, the library knows each picture by a name that it has.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from pathlib import Path

from clipcore import BadInput, SaysoError, Step
from clipcore.pictures.finding import display_path
from clipcore.pictures.reading import content_hash
from clipcore.plain import read_plain

from ..files import write_beside
from ..records import SkippedRecord
from .journal import Journal, read_journal, write_journal
from .plan import Change, Done, Plan

Moved = Callable[[Sequence[tuple[int, str]]], None]
BATCH = 100  # moved pictures whose new paths are told at once


def iter_carry_out(plan: Plan, undo: str | Path, moved: Moved) -> Generator[Step, None, Done]:
    """Make the changes of a plan; what it takes to undo them goes to the file `undo`, which must not be there yet.

    `moved` is told the new paths of moved pictures. A change whose target has meanwhile come to be is left out, with the
    reason. Stopped half-way, `iter_finish` goes on, and `iter_undo` takes back what was done. Raises BadInput if the undo
    file cannot be written.
    """
    undo = Path(undo)
    if undo.exists():
        raise BadInput(f"There is already a file {display_path(undo)}; give the undo file another name.")
    journal = Journal("under way", plan.changes, _missing_folders(plan.changes))
    write_journal(undo, journal)
    return (yield from _carry_out(journal, plan.changes, [], undo, moved, again=False))


def iter_finish(undo: str | Path, moved: Moved) -> Generator[Step, None, Done]:
    """Go on with an export that was interrupted, from its undo file. What it had done is seen and not done twice.

    Raises BadInput if it is no undo file.
    """
    journal = read_journal(Path(undo))
    killed = journal.state == "under way"
    changes, done = (journal.changes, []) if killed else (journal.rest, journal.changes)
    return (yield from _carry_out(journal, changes, list(done), Path(undo), moved, again=True))


def iter_undo(undo: str | Path, moved: Moved) -> Generator[Step, None, Done]:
    """Take back what an undo file tells, last first. What was changed since is left alone, with the reason.

    The file is renamed to <name>.done when nothing is left to undo. Raises BadInput if it is no undo file.
    """
    undo = Path(undo)
    journal = read_journal(undo)
    failed: list[SkippedRecord] = []
    moves, back = list[Change](), 0
    try:
        for number, change in enumerate(reversed(journal.changes)):
            yield Step(number, len(journal.changes), "undoing")
            try:
                if _take_back(change):
                    back += 1
                    if change.do == "move":
                        moves.append(change)
            except (OSError, SaysoError) as error:
                failed.append(SkippedRecord(display_path(change.target), _reason(error)))
            if len(moves) >= BATCH:
                _settle_back(moves, moved)
    finally:
        _settle_back(moves, moved)
    for folder in sorted(journal.folders, key=len, reverse=True):
        with suppress(OSError):  # not empty: something else is in it
            os.rmdir(folder)
    if not failed:
        with suppress(OSError):
            os.replace(undo, f"{undo}.done")
    yield Step(len(journal.changes), len(journal.changes), "done")
    return Done(back, failed)


def _carry_out(
    journal: Journal, changes: Sequence[Change], done: list[Change], undo: Path, moved: Moved, again: bool
) -> Generator[Step, None, Done]:
    """Make `changes`, beside those that were `done`; `again` says that some of them may have been made already."""
    failed, moves = list[SkippedRecord](), list[Change]()
    number, over = 0, False
    try:
        for number, change in enumerate(changes):
            yield Step(number, len(changes), f"{change.do} files")
            try:
                made = _place(change, again)
                (moves if change.do == "move" else done).append(made)
            except (OSError, SaysoError) as error:
                failed.append(SkippedRecord(display_path(change.source or change.target), _reason(error)))
            if len(moves) >= BATCH:
                _settle(moves, moved, done, failed)
        over = True
    finally:  # what raises in here leaves the journal as it was, with all changes
        _settle(moves, moved, done, failed)
        rest = [] if over else list(changes[number:])
        write_journal(undo, Journal("over" if over else "stopped", done, journal.folders, rest))
    yield Step(len(changes), len(changes), "done")
    return Done(len(done), failed)


def _settle(moves: list[Change], moved: Moved, done: list[Change], failed: list[SkippedRecord]) -> None:
    """Tell the new names of what was given one, then take the old ones away; `moves` is empty afterwards."""
    _tell(moved, moves)
    kept = []
    for change in moves:
        try:
            Path(change.source).unlink(missing_ok=True)
            done.append(change)
        except OSError as error:  # it keeps its old name
            kept.append(change)
            failed.append(SkippedRecord(display_path(change.source), _reason(error)))
    _tell(moved, kept, back=True)
    for change in kept:
        Path(change.target).unlink(missing_ok=True)
    moves.clear()


def _settle_back(moves: list[Change], moved: Moved) -> None:
    _tell(moved, moves, back=True)
    for change in moves:
        Path(change.target).unlink(missing_ok=True)
    moves.clear()


def _tell(moved: Moved, moves: Sequence[Change], back: bool = False) -> None:
    paths = [(move.image_id, move.source if back else move.target) for move in moves if move.image_id is not None]
    if paths:
        moved(paths)


# one change


def _place(change: Change, again: bool) -> Change:
    """Make one change, but for the old name of what is moved; the answer says what the target holds now."""
    target = Path(change.target)
    if again and (found := _as_made(change)):
        return found
    target.parent.mkdir(parents=True, exist_ok=True)
    if change.do == "write":
        if change.data is None:
            raise BadInput("What was to be written is not known any more; export again.")
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
        _name_too(Path(change.source), target)
    else:
        _copy(Path(change.source), target)
        return Change(change.do, change.source, change.target, content_hash(target.read_bytes()))
    return change


def _as_made(change: Change) -> Change | None:
    """The change if it was made already, before the program was killed."""
    source, target = Path(change.source), Path(change.target)
    if change.do == "symlink":
        return change if target.is_symlink() and os.readlink(target) == change.source else None
    if not target.is_file():
        return None
    if change.do == "link":
        return change if source.exists() and os.path.samefile(source, target) else None
    if source.is_file() and os.path.samefile(source, target):
        return change
    holds = content_hash(target.read_bytes())
    if change.do == "copy" and source.is_file() and holds == content_hash(source.read_bytes()):
        return Change(change.do, change.source, change.target, holds)
    return change if holds == change.content else None


def _name_too(source: Path, target: Path) -> None:
    """A second name without overwriting. Across disks it is a copy."""
    if source.is_symlink():
        raise BadInput("It is a symbolic link, which could point elsewhere from another place; copy it.")
    if not os.access(source.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        _copy(source, target, durable=True)


def _copy(source: Path, target: Path, durable: bool = False) -> None:
    """A copy with its times that appears whole or not at all, and never in the place of another file."""
    # always the same name, so that what a kill leaves is written over when the export is finished
    part = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]}.part")
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
    """Undo one change, but for the new name of what was moved. False if there is nothing to undo. Raises BadInput where
    something else is there now."""
    target = Path(change.target)
    if not os.path.lexists(target):
        if change.do == "move" and not os.path.lexists(change.source):
            raise BadInput("It is neither at its old place nor at its new one; look for it where it was moved since.")
        return False
    if change.do == "move":
        source = Path(change.source)
        if os.path.lexists(source):
            if _is_same(source, target):  # it has both names: the program was killed
                return True
            raise BadInput(f"There is another file at {display_path(change.source)} now; it stays where it was moved to.")
        source.parent.mkdir(parents=True, exist_ok=True)
        _name_too(target, source)
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


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other) or one.read_bytes() == other.read_bytes()
    except OSError:
        return False


def _bytes_of(path: Path) -> bytes | None:
    try:
        return read_plain(path)
    except FileNotFoundError:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, FileExistsError):
        return "There is another file of this name now; it was not overwritten."
    if isinstance(error, OSError) and error.errno == errno.EXDEV:
        return "A hard link cannot reach another disk; use --symlink or --copy."
    if isinstance(error, OSError):
        return f"It could not be done ({error.strerror})."
    return str(error)


def _missing_folders(changes: Sequence[Change]) -> list[str]:
    """The folders that the changes will make."""
    missing: dict[str, None] = {}
    for parent in {Path(change.target).parent for change in changes}:
        for folder in (parent, *parent.parents):
            if folder.exists():
                break
            missing[str(folder)] = None
    return list(missing)
