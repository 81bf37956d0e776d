"""Copies of the library's file: one each day that brought something new, kept for a week, looked through before they count.

    HOME/backups/sayso-20261130-124500-daily.db       by itself
    HOME/backups/sayso-20261130-124500-before-0006.db before the tables change
    HOME/backups/sayso-20261130-124500-by-hand.db     when asked for

A copy is taken while the library is in use, of one moment, and is one file. One of a damaged library is not kept, so that it
pushes no good one out.
"""

import os
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import select

from clipcore import BadInput
from clipcore.pictures.finding import display_path

from .damage import BACKUPS, find_damage
from .database import BUSY_SECONDS, Database, LibraryError, damaged
from .files import only_one
from .tables import ClassifierRow, Folder, ReportRow

KEPT = 7  # of those made by themselves, and of the others
EVERY = timedelta(days=1)
LATE = timedelta(days=2)  # from when on it is said
ROOM = 50_000_000  # bytes that a backup leaves free
PAGES = 1000  # copied at once
DAILY, BY_HAND = "daily", "by-hand"
MOMENT = "%Y%m%d-%H%M%S"


@dataclass(frozen=True)
class Backup:
    """A copy in HOME/backups: when it was made, by this computer's clock, why, and its bytes."""

    path: Path
    made: datetime
    why: str
    size: int


class Stopped(Exception):
    """A backup was left off, because the program ends."""


def list_backups(home: Path) -> list[Backup]:
    """The backups of a home, the newest first."""
    found = []
    for path in (home / BACKUPS).glob("sayso-*.db"):
        _, day, time, why = [*path.stem.split("-", 3), "", "", ""][:4]
        with suppress(OSError):  # deleted just now
            status = path.stat()
            try:
                made = datetime.strptime(f"{day}-{time}", MOMENT)
            except ValueError:  # renamed by hand
                made = datetime.fromtimestamp(status.st_mtime)
            found.append(Backup(path, made, why.partition(".")[0] or BY_HAND, status.st_size))
    return sorted(found, key=lambda backup: (backup.made, backup.path.name), reverse=True)


def backup(
    database: Database, home: Path, why: str = BY_HAND, to: Path | None = None, stop: threading.Event | None = None
) -> Path | None:
    """Copy a SQLite library, also while it is in use, to HOME/backups, where the newest few stay, or to the file or into the
    folder `to`. None for a server's database, which has tools of its own.

    Raises LibraryError if there is no room or the library is damaged, BadInput for a file that is there already, and Stopped
    where `stop` is set meanwhile.
    """
    if database.path is None:
        return None
    folder = home / BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    with only_one(home / ".backup.lock"):
        for left in folder.glob("*.part*"):  # of one that was killed
            left.unlink(missing_ok=True)
        target = _target(folder, why, to)
        _make(database.path, target, stop)
    if to is None:
        alike = [old for old in list_backups(home) if (old.why == DAILY) == (why == DAILY)]
        for old in alike[KEPT:]:
            old.path.unlink(missing_ok=True)
    return target


def daily(database: Database, home: Path, stop: threading.Event | None = None) -> Path | None:
    """Make the backup of the day if it is due: the last one is a day old, and the library has changed since."""
    return backup(database, home, DAILY, stop=stop) if is_due(database, home) else None


class Backups:
    """The backups of one library."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database, self._home = database, home

    def make(self, to: str | Path | None = None) -> Path | None:
        """Copy HOME/sayso.db as it is at this moment, to HOME/backups or `to` (a new file, or a folder); returns where.

        Other folders of the home are not in it. None where the library is on a server, whose own tools do this. Raises
        LibraryError without room, or for a damaged library; BadInput for a place that cannot be.
        """
        return backup(self._database, self._home, to=Path(to) if to else None)

    def daily(self, stop: threading.Event | None = None) -> Path | None:
        """Make the backup of the day if one is due. Raises LibraryError, and Stopped where `stop` is set meanwhile."""
        return daily(self._database, self._home, stop)

    def all(self) -> list[Backup]:
        """The backups in HOME/backups, the newest first."""
        return list_backups(self._home)


def is_due(database: Database, home: Path, after: timedelta = EVERY) -> bool:
    """Whether what is new has waited for a backup longer than `after`; what is new in a library without any has."""
    path = database.path
    if path is None:
        return False
    newest = next(iter(list_backups(home)), None)
    if newest is None:
        return not _is_empty(database)
    files = (file.stat() for file in (path, _wal(path)) if file.exists())
    changed = max((status.st_mtime for status in files if status.st_size), default=0.0)  # an opening makes an empty log
    # abs: a clock that was wrong and set right must not stop backups for years
    return abs(datetime.now() - newest.made) >= after and changed > newest.path.stat().st_mtime


def copy_file(source: Path, target: Path, stop: threading.Event | None = None) -> None:
    """Copy a SQLite file as it is at this moment, with what is still in its write-ahead log, to one new file on the disk.

    Raises sqlite3.Error, OSError, Stopped.
    """

    def look(*_: int) -> None:
        if stop is not None and stop.is_set():
            raise Stopped

    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(source, timeout=BUSY_SECONDS, isolation_level=None)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")
        reading.execute("BEGIN")  # one moment for all of it: else each commit would make it begin again
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(copy, pages=PAGES, progress=look)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
    with open(target, "r+b") as file:
        os.fsync(file.fileno())


def _make(source: Path, target: Path, stop: threading.Event | None) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        _require_room(source, target.parent)
        copy_file(source, part, stop)
        if find_damage(part, thorough=True):
            raise LibraryError(damaged(source))
        os.replace(part, target)
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise LibraryError(_no_room(target.parent)) from error
        if "malformed" in str(error) or "not a database" in str(error):
            raise LibraryError(damaged(source)) from error
        raise LibraryError(
            f"The backup could not be made ({error}); try again, and look at the disk if that fails."
        ) from error
    except OSError as error:
        where = display_path(target)
        raise LibraryError(
            f"The backup {where} cannot be written ({error.strerror}); check the folder's permissions and the disk."
        ) from error
    finally:
        for left in (part, part.with_name(f"{part.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _target(folder: Path, why: str, to: Path | None) -> Path:
    names = (f"sayso-{datetime.now():{MOMENT}}-{why}{f'.{number}' if number else ''}.db" for number in count())
    if to is None:
        return next(path for name in names if not (path := folder / name).exists())
    to = to.expanduser().absolute()
    if to.is_dir():
        return next(path for name in names if not (path := to / name).exists())
    if to.exists():
        raise BadInput(f"There is already a file {display_path(to)}; give the backup another name.")
    if not to.parent.is_dir():
        raise BadInput(f"There is no folder {display_path(to.parent)}; make it first, or name another place.")
    return to


def _require_room(source: Path, folder: Path) -> None:
    needed = source.stat().st_size + (_wal(source).stat().st_size if _wal(source).exists() else 0)
    if shutil.disk_usage(folder).free < needed + ROOM:
        raise LibraryError(_no_room(folder))


def _no_room(folder: Path) -> str:
    return f"There is no room for a backup in {display_path(folder)}: free some space and try again."


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _is_empty(database: Database) -> bool:
    with database.reading() as connection:
        tables = (Folder, ClassifierRow, ReportRow)
        return all(connection.scalar(select(table.id).limit(1)) is None for table in tables)
