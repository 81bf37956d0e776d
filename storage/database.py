"""The one place where a database is opened: SQLite in the library's folder, or PostgreSQL by URL.

SQLite's defaults lose updates silently when threads read, then write (2000 increments by 8 threads left 474): Python opens a
transaction only at the first write, on top of what was read before it. Here every writing transaction takes the write lock
before it reads anything, and the loser of a race waits. `storage.postgres` gives the same on a server.
"""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    Engine,
    cast,
    create_engine,
    event,
    extract,
    func,
    literal,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

from clipcore.errors import BadInput, NotFound, SaysoError
from clipcore.pictures.finding import display_path

from . import postgres

T = TypeVar("T")

FILE = "sayso.db"  # a library in its home
BUSY_SECONDS = 30  # how long a writer waits for another one; transactions here last milliseconds
ADDRESS = "give it as postgresql+psycopg://user@host/name"
IN_LIMIT = 1000  # values in one IN (...): far below every database's limit, and few enough to compile quickly


class LibraryError(SaysoError):
    """The library's files cannot be read or written: a full disk, a damaged file, missing permission."""


class Database:
    """Connections to one database. `writing` and `reading` are the only ways in; each is one short transaction."""

    def __init__(self, url: str | URL) -> None:
        """Open `url`, in SQLAlchemy's form; nothing is created before `storage.migrate.upgrade`. Raises BadInput."""
        self.engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._watch: sqlite3.Connection | None = None
        self._watch_lock = threading.Lock()
        self.wrote = False  # whether anything was written through this
        self._free = self.engine.execution_options(sayso_locks=False)
        self._reader = self._free if self.is_sqlite else postgres.read_only(self.engine)

    @classmethod
    def at(cls, path: Path) -> "Database":
        """The SQLite file at `path`."""
        return cls(URL.create("sqlite", database=str(path)))

    @property
    def path(self) -> Path | None:
        """The file, where there is one."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back by an exception. Raises LibraryError."""
        with self._plain_errors(), self.engine.begin() as connection:
            yield connection
        self.wrote = True

    @contextmanager
    def writing_a_row(self) -> Iterator[Connection]:
        """`writing` for one statement that guards itself, such as an UPDATE that says what it expects to find: on a server
        it waits for nobody but who writes the same row. Raises LibraryError."""
        with self._plain_errors(), (self.engine if self.is_sqlite else self._free).begin() as connection:
            yield connection
        self.wrote = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view that never waits for a writer. Raises LibraryError."""
        with self._plain_errors(), self._reader.begin() as connection:
            yield connection

    def insert(self, table: Any) -> Any:
        """An INSERT that can say ON CONFLICT: SQLite and PostgreSQL spell it alike, in two classes."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def clock(self) -> ColumnElement[float]:
        """Seconds since 1970 as all who share the database see them: by its server's clock, or this computer's."""
        return literal(time.time()) if self.is_sqlite else cast(extract("epoch", func.clock_timestamp()), Double)

    def version(self) -> int | None:
        """A number that differs after every commit, whoever made it; None for a database in memory."""
        if not self.is_sqlite:
            with self.reading() as connection:
                return postgres.snapshot(connection)
        if self.path is None:
            return None
        with self._plain_errors(), self._watch_lock:
            if self._watch is None:
                # of its own, and never written through: to SQLite only the commits of other connections are news
                self._watch = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Faults of disk, file and server as one sentence; mistakes of ours (IntegrityError, ProgrammingError) pass
        unchanged."""
        try:
            yield
        except IntegrityError:
            raise
        except OverflowError:  # SQLite's driver, of a number beyond 64 bits: no row has it
            raise NotFound("There is nothing with that number here; load the page again.") from None
        except NoConnectionLeft:
            raise LibraryError("More people and jobs than the database can take ask at once; try again shortly.") from None
        except DBAPIError as error:
            if self.is_sqlite:
                sentence = _sentence(error, self.path)
            else:
                sentence = postgres.server_sentence(error, self.engine.url, BUSY_SECONDS)
            if sentence is None:
                raise
            raise LibraryError(sentence) from error

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None


def make_engine(url: str | URL, foreign_keys: bool = True, **options: Any) -> Engine:
    """An engine with the settings that keep rows safe. Raises BadInput for a URL that means no database we know.

    Migrations switch `foreign_keys` off: SQLite changes a table by copying it, and dropping the old one would delete what
    points at it.
    """
    try:
        url = make_url(url)
        if url.get_backend_name() == "postgresql":
            return postgres.make_server_engine(url.set(drivername="postgresql+psycopg"), BUSY_SECONDS, **options)
        if url.get_backend_name() != "sqlite":
            raise BadInput(f"Sayso keeps no library in a database of the kind {url.get_backend_name()}; {ADDRESS}.")
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **options)
    except ImportError:
        raise BadInput(f"A library on PostgreSQL needs psycopg, which is not installed; {postgres.HOW}") from None
    except (ArgumentError, NoSuchModuleError, ValueError):  # what they say may hold the password
        raise BadInput(f"The database address cannot be used; {ADDRESS}.") from None

    @event.listens_for(engine, "connect")
    def settings(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # in WAL mode a power cut may cost the last commits, never the file

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        locks = connection.get_execution_options().get("sayso_locks", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if locks else "BEGIN")

    return engine


def chunks(values: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Values in groups that fit into one IN (...)."""
    remaining = iter(values)
    return iter(lambda: tuple(islice(remaining, IN_LIMIT)), ())


def known_id(number: object) -> int:
    """A number as an id of the database. Raises NotFound for one that no row can have, BadInput for what is no number."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise BadInput("That is not a number of anything here; load the page again.")
    if not -(2**63) <= number < 2**63:
        raise NotFound("There is nothing with that number here; load the page again.")
    return number


def damaged(where: str | Path) -> str:
    """The sentence about a library file that is damaged."""
    return (
        f"The library file {display_path(where)} is damaged: put back one of its backups with “python app.py restore”, "
        "which lists them; the damaged file is kept."
    )


def _is_full(path: Path) -> bool:
    """Whether there is no room for even the smallest of SQLite's files, which it reports as an I/O error."""
    try:
        return shutil.disk_usage(path.parent).free < 1_000_000
    except OSError:
        return False


def _sentence(error: DBAPIError, path: Path | None) -> str | None:
    text = str(error.orig).lower()
    where = display_path(path) if path else "the database"
    if "is full" in text or ("disk i/o" in text and path and _is_full(path)):
        return f"The disk that holds {where} is full: free some space and run it again; what was done is kept."
    if "locked" in text or "busy" in text:
        return f"Another program has kept the library busy for {BUSY_SECONDS} seconds; try again when it has finished."
    if "malformed" in text or "not a database" in text:
        return damaged(where)
    if "readonly" in text or "unable to open" in text or "disk i/o" in text:
        return f"The library file {where} cannot be opened for writing; check the folder's permissions and the disk."
    return None
