"""Whether a library's file is whole: a look at every opening, which costs less than a second, and a thorough one.

SQLite notices a damaged page when it comes to it, which may be weeks later, and then every backup holds the damage, too.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from clipcore.pictures.finding import display_path

from .database import BUSY_SECONDS, LibraryError, damaged

BACKUPS = "backups"  # the folder in the home

LARGE = 256_000_000  # bytes; 100,000 vectors of 512 numbers. Beyond, only a thorough look reads what can be made again
MADE_AGAIN = ("embeddings", "prompts")  # by far the largest tables


def require_whole(path: Path) -> None:
    """Raise LibraryError, which names the way back, if the SQLite file at `path` is damaged, or has vanished or been emptied
    where there was a library before."""
    if not path.exists() or path.stat().st_size == 0:
        if any((path.parent / BACKUPS).glob("sayso-*.db")):
            what = "is empty" if path.exists() else "is gone"
            raise LibraryError(
                f"The library file {display_path(path)} {what}, but it has backups: put one back with “python app.py "
                f"restore”, which lists them, or move the folder “{BACKUPS}” away to begin anew."
            )
        return
    if find_damage(path):
        raise LibraryError(damaged(path))


def find_damage(path: Path, thorough: bool = False) -> str | None:
    """What is wrong with a SQLite file, in SQLite's words, or None. `thorough` also holds tables against their indexes and
    reads all of a large file; without it that of the vectors is left out, and what takes longest is their reading."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            if thorough:
                found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
                return None if found == "ok" else found
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            if path.stat().st_size > LARGE:
                tables = [table for table in tables if table not in MADE_AGAIN]
            for table in tables:
                found = connection.execute(f'PRAGMA quick_check("{table}")').fetchone()[0]
                if found != "ok":
                    return found
    except sqlite3.OperationalError as error:  # busy, or the disk: the first transaction says it in plain words
        return str(error) if "malformed" in str(error) else None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None
