"""Putting a backup back. Whenever the program dies in it, the library is either the one before or the one from the backup.

HOME/sayso.db.restored   a backup, copied and looked through: from here on there is no way but forward
HOME/replaced            the library files that were replaced, as they were
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from clipcore import BadInput, NotFound
from clipcore.pictures.finding import display_path

from .backups import copy_file
from .damage import find_damage
from .database import FILE, LibraryError
from .files import alone, only_one

OPENING = ".opening.lock"  # held by whoever opens the library, or changes its file
IN_USE = ".in-use.lock"  # shared by whoever has it open
REPLACED = "replaced"
REVISIONS = Path(__file__).with_name("migrations") / "versions"
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file
NOT_RUN = "A backup of the library was put back while this waited; start it again if it is still wanted."


def restore(home: Path, backup: Path) -> Path | None:
    """Make a backup the library of `home`; returns where the library before is now, if there was one.

    Nothing else may have the library open. Jobs that the backup finds under way are cancelled: the world has moved on.
    Raises NotFound, BadInput for a file that is no whole library, and LibraryError.
    """
    backup = backup.expanduser().absolute()
    path = home / FILE
    _require_library(backup, path)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with only_one(home / OPENING), alone(home / IN_USE) as is_alone:
            if not is_alone:
                raise LibraryError("The library is in use; end Sayso and every command that works with it, then restore.")
            finish_restoring(path, home)  # an earlier one
            part = path.with_name(f"{path.name}.part")
            part.unlink(missing_ok=True)
            copy_file(backup, part)
            _settle(part)
            os.replace(part, _decided(path))
            return finish_restoring(path, home)
    except sqlite3.Error as error:
        raise LibraryError(f"The backup could not be put back ({error}); nothing was changed.") from error
    except OSError as error:
        raise LibraryError(
            f"The backup could not be put back ({error.strerror}); free some space or end what uses the library, and "
            "restore again."
        ) from error


def finish_restoring(path: Path, home: Path) -> Path | None:
    """Put a backup that was decided on into the library's place; returns where the file before it is now, if there was one.
    What is made from the library is made again. Does nothing in the usual case."""
    decided = _decided(path)
    if not decided.exists():
        return None
    folder = home / REPLACED / f"{datetime.fromtimestamp(decided.stat().st_mtime):%Y-%m-%d-%H%M%S-%f}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (path.name, *(path.name + ending for ending in BESIDE)):
        if (home / name).exists():  # the log goes, too: SQLite would replay it into the new file
            os.replace(home / name, folder / name)
    shutil.rmtree(home / "index", ignore_errors=True)
    os.replace(decided, path)
    if (folder / path.name).exists():
        return folder / path.name
    with suppress(OSError):
        folder.rmdir()
    return None


def _decided(path: Path) -> Path:
    return path.with_name(f"{path.name}.restored")


def _require_library(backup: Path, path: Path) -> None:
    if not backup.is_file():
        raise NotFound(f"There is no file {display_path(backup)}; “restore” alone lists the backups there are.")
    if path.exists() and os.path.samefile(backup, path):
        raise BadInput("This is the library's own file; name a backup of it.")
    try:
        with closing(sqlite3.connect(backup)) as connection:
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            connection.execute("SELECT count(*) FROM images").fetchone()
    except (sqlite3.Error, TypeError):
        raise BadInput(f"{display_path(backup)} is no library of Sayso, or is damaged; choose another backup.") from None
    if not any(REVISIONS.glob(f"{revision}_*.py")):
        raise BadInput("This backup was made by a newer Sayso; update Sayso to put it back.")
    if find_damage(backup, thorough=True):
        raise BadInput(f"The backup {display_path(backup)} is damaged; choose another backup.")


def _settle(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "UPDATE jobs SET state = 'cancelled', error = ?, finished = strftime('%Y-%m-%d %H:%M:%f', 'now') "
            "WHERE state IN ('queued', 'running')",
            [NOT_RUN],
        )
