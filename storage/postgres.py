"""What PostgreSQL needs that SQLite does not: one writer at a time, views of one moment, and its errors in plain words.

Two things that SQLite's write lock gives are relied on everywhere: what a transaction has read is still true when it writes,
and ids are committed in the order in which they were given, so that whoever asks for rows above the last id he knows misses
none. Here a lock of the whole database gives the same: an advisory one, freed at the end of the transaction, also if its
process dies. Writers wait in order, so nobody starves, and two can never wait for each other. Readers never wait.
"""

import json
import math
import sqlite3
from functools import cache
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

WRITERS = 0x5361_7973_6F  # the number of the writers' lock: "Sayso"
POOL, MORE = 5, 35  # connections that stay open, and those that a rush of visitors adds; a server usually takes 100

HOW = "install it with: pip install -r requirements-extras/postgres.txt"

# SQLSTATE -> what it means and what to do; {} is the server and the database, without a password
SENTENCES = {
    "28P01": "The database {} refuses this user or password; correct the address, or set PGPASSWORD.",
    "28000": "The database {} lets this user in from nowhere near here; see its pg_hba.conf, or use another user.",
    "3D000": "There is no database {}; create it first (createdb), or correct the name.",
    "42501": "This user may not change the database {}; make it the owner of the database.",
    "53300": "The database {} has no connection left; end other programs, or raise its max_connections.",
    "53100": "The disk of the database {} is full: free some space and run it again; what was done is kept.",
    "25006": "The database {} can only be read, as a copy in waiting; use the address of the one that takes changes.",
    "55P03": "Another program has kept the database {} busy for {seconds} seconds; try again when it has finished.",
    "57P01": "The database {} was stopped; try again when it is back.",
    "57P03": "The database {} is starting or stopping; try again in a moment.",
    "54000": "The database {} cannot keep a name as long as this; give files and folders shorter names.",
}


def make_server_engine(url: URL, busy_seconds: float, **options: Any) -> Engine:
    """An engine for a PostgreSQL server. Raises ImportError without its driver."""
    if "poolclass" not in options:
        options = {"pool_size": POOL, "max_overflow": MORE, **options}
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, json_serializer=strict_json, **options)

    @event.listens_for(engine, "connect")
    def settings(connection: Any, _record: object) -> None:
        before, connection.autocommit = connection.autocommit, True
        connection.execute(f"SET lock_timeout = {int(busy_seconds * 1000)}")
        connection.execute("SET timezone = 'UTC'")
        connection.autocommit = before
        _allow_nul(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("sayso_locks", True):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")

    return engine


def strict_json(value: Any) -> str:
    """JSON as the standard has it: Python's NaN and Infinity, such as the loss of a training that failed, are left out."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value))


def finite(value: Any) -> Any:
    """Plain values without what `strict_json` leaves out."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items() if not _is_endless(one)}
    if isinstance(value, list | tuple):
        return [None if _is_endless(one) else finite(one) for one in value]
    return value


def _is_endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def read_only(engine: Engine) -> Engine:
    """The same engine for transactions that see one moment, write nothing and wait for nobody."""
    return engine.execution_options(sayso_locks=False, isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _allow_nul(connection: Any) -> None:
    """Text with a NUL, which PostgreSQL cannot keep, loses it; a damaged file may have one in its camera's name."""
    for dumper in _dumpers():
        connection.adapters.register_dumper(str, dumper)


@cache
def _dumpers() -> tuple[type, ...]:
    from psycopg.types.string import StrDumper, StrDumperUnknown

    def without(base: type) -> type:
        class Dumper(base):  # type: ignore[misc]
            def dump(self, value: str) -> Any:
                return super().dump(value.replace("\0", "") if "\0" in value else value)

        return Dumper

    return without(StrDumper), without(StrDumperUnknown)  # the last one that is registered is the one that is usual


def snapshot(connection: Connection) -> int:
    """A number that differs after every commit: which transactions can be seen from here."""
    return hash(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())


def shown(url: URL) -> str:
    """An address as it can be shown: without the password, wherever it stands in it."""
    return url.set(query={}).render_as_string()


def server_sentence(error: DBAPIError, url: URL, busy_seconds: float) -> str | None:
    """What a server's error means and what to do, as one sentence without a password; None for a mistake of ours."""
    if isinstance(error.orig, sqlite3.Error):
        return None
    host = str(url.host or url.query.get("host") or "/")
    place = "this machine" if host.startswith("/") else f"{host}:{url.port}" if url.port else host
    where = f"“{url.database}” at {place}"
    state = getattr(error.orig, "sqlstate", None)
    text = str(error.orig)
    if state is None:  # while connecting the driver gives the server's words alone
        for code, sign in (
            ("28P01", "password authentication failed"),
            ("28P01", "no password supplied"),
            ("28000", "no pg_hba.conf entry"),
            ("28P01", 'role "'),
            ("3D000", "does not exist"),
            ("53300", "too many"),
            ("53300", "remaining connection slots"),
            ("57P03", "is starting up"),
            ("57P03", "is shutting down"),
        ):
            if sign in text:
                state = code
                break
    if state in SENTENCES:
        return SENTENCES[state].format(where, seconds=f"{busy_seconds:.0f}")
    if state is None or state.startswith("08"):
        return f"The database {where} does not answer; see that its server runs and that the address is right."
    return None
