"""Bring a library's tables to what this Sayso knows: at every opening, with a backup before anything changes.

A new revision, after editing `tables.py`:  python -m storage.migrations "what it does"
Then read what it wrote, and raise HEAD, which spares loading Alembic at every start.
"""

import logging
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.pool import NullPool

from .backups import backup
from .damage import require_whole
from .database import Database, LibraryError, make_engine
from .files import only_one
from .restoring import OPENING, finish_restoring

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0011"  # the newest file in migrations/versions
SCRIPTS = Path(__file__).with_name("migrations")
PAGE_SIZE = 16384  # a vector of 512 numbers takes 2.3 kB on disk; with SQLite's 4096 it takes 4.1 kB

log = logging.getLogger(__name__)


def upgrade(database: Database, home: Path, scripts: Path = SCRIPTS, head: str = HEAD) -> None:
    """Create the tables or bring them to `head`. Two processes may do this at once: the second waits and finds it done.

    Raises LibraryError, and leaves the library as it was, if the file is damaged, is from a newer Sayso, or if the upgrade
    fails.
    """
    with only_one(home / OPENING):
        if database.path:
            finish_restoring(database.path, home)
            require_whole(database.path)
            _prepare_file(database)
        present = _revision(database)
        if present == head:
            return
        if present is not None and not _is_known(present, scripts):
            raise LibraryError("This library was made by a newer Sayso; update Sayso to open it.")
        kept = backup(database, home, f"before-{head}") if present is not None else None
        try:
            with _bare_connection(database) as connection:
                _run(connection, scripts, head)
        except LibraryError:
            raise
        except Exception as error:
            log.exception("upgrade from %s to %s", present, head)
            copy = f"; a copy is in {kept}" if kept else ""
            raise LibraryError(
                f"The library could not be brought up to date, so nothing was changed{copy}: use the Sayso of before and "
                f"report this ({type(error).__name__}: {error})."
            ) from error


def new_revision(message: str) -> None:
    """Write a revision file with the difference between the revisions so far and `tables.py`."""
    from alembic import command

    with tempfile.TemporaryDirectory() as folder:
        database = Database.at(Path(folder) / "empty.db")
        upgrade(database, Path(folder))
        with _bare_connection(database) as connection:
            command.revision(_config(connection, SCRIPTS), message, autogenerate=True, rev_id=f"{int(HEAD) + 1:04}")
        database.close()


def _prepare_file(database: Database) -> None:
    """Settings that stay in the file: the page size, which only an empty one takes, and WAL: readers beside a writer."""
    with database.reading():
        pass  # a file that cannot be opened is reported in plain words
    raw = database.engine.raw_connection()
    try:
        raw.cursor().execute(f"PRAGMA page_size = {PAGE_SIZE}")
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    except sqlite3.DatabaseError:
        pass  # not a database, or a disk that refuses: the first transaction says it in plain words
    finally:
        raw.close()


def _revision(database: Database) -> str | None:
    """The revision the tables are at; None where there are none."""
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(text("SELECT version_num FROM alembic_version"))


def _is_known(revision: str, scripts: Path) -> bool:
    return any(path.name.startswith(f"{revision}_") for path in (scripts / "versions").glob("*.py"))


@contextmanager
def _bare_connection(database: Database) -> Iterator[Connection]:
    """One transaction without foreign keys, see `make_engine`; all of an upgrade happens in it or nothing does."""
    engine = make_engine(database.engine.url, foreign_keys=False, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _run(connection: Connection, scripts: Path, head: str) -> None:
    from alembic import command

    command.upgrade(_config(connection, scripts), head)
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"{len(broken)} rows point at nothing")


def _config(connection: Connection, scripts: Path) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
