"""A library moves from its home's file to a PostgreSQL server, or back: all of it in one transaction, or nothing.

Ids stay, so that indexes, open pages and links stay right, and what was given out once is not given again. Each table is
read back before anything counts: as many rows, and the same digest of their values.

    HOME/moved.json   says where a library went; until it comes back its file in the home is not opened by mistake
"""

import hashlib
import json
import os
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Integer, Table, func, insert, select, text

from clipcore import BadInput, NotFound, Step
from clipcore.pictures.finding import display_path
from clipcore.plain import read_json

from . import migrate, postgres
from .database import FILE, Database, LibraryError
from .files import alone, write_beside
from .restoring import BESIDE, IN_USE, REPLACED
from .tables import Base

HOME = "home"  # the address of the home's own file
NOTE = "moved.json"
ROWS = 2000  # written at once; a vector of 512 numbers has 2 kB


def refuse_moved(home: Path) -> None:
    """Raise LibraryError if the library of this home was moved to a server."""
    try:
        where = str(read_json(home / NOTE)["to"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    raise LibraryError(
        f"This library was moved to {where}: give that address with --database or SAYSO_DATABASE. To have the file of "
        f"before in {display_path(home)} instead, delete {NOTE} there."
    )


def iter_move(home: Path, source: str | None, target: str) -> Generator[Step, None, dict[str, int]]:
    """Move a library from `source`, a server's address or None for the home's own file, to `target`, an address or HOME.

    Returns how many rows each table has. What was in the source stays there as it was. Raises BadInput for a target that is
    not empty, NotFound where there is no library, and LibraryError.
    """
    file = home / FILE
    if (source is None) == (target == HOME):
        raise BadInput("A library moves between the home and a server; name a server's address, or “home” and --database.")
    if source is None:
        refuse_moved(home)
        if not file.is_file():
            raise NotFound(f"There is no library in {display_path(home)}; name its home with --home.")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    yield Step(0, 0, "opening both databases")
    with alone(home / IN_USE) as is_alone:
        if not is_alone:
            raise LibraryError("The library is in use; end Sayso and every command that works with it, then move it.")
        if target == HOME and (home / NOTE).exists():
            _set_aside(home)
        before = Database(source) if source else Database.at(file)
        after = Database.at(file) if target == HOME else Database(target)
        try:
            if source:
                _require_library(before)
            migrate.upgrade(before, home)
            _require_empty(after)
            migrate.upgrade(after, home)
            _require_empty(after)
            # nobody writes into the one meanwhile, nor into the other
            with before.writing() as reading, after.writing() as writing:
                counts = yield from _copied(reading, writing)
            if target != HOME:
                write_beside(home / NOTE, json.dumps({"to": postgres.shown(after.engine.url)}).encode())
            else:
                (home / NOTE).unlink(missing_ok=True)
        finally:
            before.close()
            after.close()
    return counts


def _require_library(database: Database) -> None:
    with database.reading() as connection:
        if not database.engine.dialect.has_table(connection, "alembic_version"):
            raise NotFound("There is no library in the database that --database names; correct the address.")


def _require_empty(database: Database) -> None:
    """Raise BadInput where any of our tables has a row."""
    with database.reading() as connection:
        has = database.engine.dialect.has_table
        tables = [table for table in Base.metadata.sorted_tables if has(connection, table.name)]
        full = next((t for t in tables if connection.execute(select(func.count()).select_from(t)).scalar_one()), None)
    if full is not None:
        raise BadInput(
            "There is a library already where this one should go, and nothing is put on top of another; name an empty "
            "database, or a new home."
        )


def _copied(source: Connection, target: Connection) -> Generator[Step, None, dict[str, int]]:
    tables = Base.metadata.sorted_tables
    size = {table.name: source.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}
    total, done = 2 * sum(size.values()), 0
    for table in tables:
        digests = []
        for connection in (source, target):
            digest, count = hashlib.sha256(), 0
            for rows in _rows(connection, table):
                if connection is source:
                    target.execute(insert(table), rows)
                for row in rows:
                    digest.update(repr([_plain(value) for value in row.values()]).encode("utf-8", "surrogatepass"))
                count, done = count + len(rows), done + len(rows)
                yield Step(done, total, f"{'copying' if connection is source else 'checking'} {table.name}")
            digests.append((count, digest.hexdigest()))
        if digests[0] != digests[1]:
            raise LibraryError(f"The table {table.name} did not arrive as it was, so nothing was moved; report this.")
        _go_on_counting(source, target, table)
    return size


def _rows(connection: Connection, table: Table) -> Iterable[list[dict[str, Any]]]:
    query = select(table).order_by(*table.primary_key.columns)
    for some in connection.execute(query, execution_options={"yield_per": ROWS}).partitions():
        yield [dict(row._mapping) for row in some]


def _plain(value: Any) -> Any:
    """A value as it is the same from every driver."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value.replace("\0", "")  # see storage.postgres
    if isinstance(value, dict | list):
        return postgres.finite(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _go_on_counting(source: Connection, target: Connection, table: Table) -> None:
    """The next row gets the id that it would have got in the source."""
    if "id" not in table.c or not isinstance(table.c.id.type, Integer):
        return
    last = source.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
    counted = table.kwargs.get("sqlite_autoincrement", False)
    if source.dialect.name == "sqlite" and counted:
        there = source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar()
        last = max(last, there or 0)
    elif source.dialect.name != "sqlite":
        name = source.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
        given = source.exec_driver_sql(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}").scalar_one()
        last = max(last, given)
    if target.dialect.name != "sqlite":
        name = target.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
        target.execute(
            text("SELECT setval(CAST(:name AS text), :last, :called)"),
            {"name": name, "last": max(last, 1), "called": last > 0},
        )
    elif counted and last:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), {"name": table.name, "last": last})


def _set_aside(home: Path) -> None:
    """The file that stayed in the home when the library went to a server gives place to the one that comes back."""
    files = [home / (FILE + ending) for ending in ("", *BESIDE) if (home / (FILE + ending)).exists()]
    if files:
        folder = home / REPLACED / f"{datetime.now():%Y-%m-%d-%H%M%S-%f}"
        folder.mkdir(mode=0o700, parents=True)
        for path in files:
            os.replace(path, folder / path.name)
