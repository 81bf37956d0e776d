"""A PostgreSQL server of the tests' own: one for each test process, in a temporary folder, with nothing to be kept safe.

Where there is none the tests that need it are left out and say so; with SAYSO_REQUIRE_POSTGRES=1 they fail instead.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

try:
    import psycopg
except ImportError:
    psycopg = None  # type: ignore[assignment]

from storage import migrate
from storage.database import Database
from storage.tables import Base
from tests.support.processes import free_port

PASSWORD = "kept-to-itself"
# What costs time and helps nobody here: waiting for the disk, and processes beside.
SETTINGS = {
    **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit"), "off"),
    **{"shared_buffers": "32MB", "max_connections": "60", "max_wal_size": "2GB", "wal_level": "minimal"},
    **{"max_wal_senders": "0", "log_min_messages": "fatal", "listen_addresses": "127.0.0.1"},
}


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps those of the server out of the path."""
    found = shutil.which("initdb")
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return Path(found).parent if found else there[-1].parent if there else None


class Server:
    """A server that runs. `database` lends a database with Sayso's empty tables, `empty` makes one without any."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._free: list[str] = []
        self._made = 0
        self._at_hand: dict[str, psycopg.Connection] = {}
        self._user = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._user = next((name for name in ("postgres", "nobody") if _is_user(name)), None)
            shutil.chown(folder, self._user)
        words = folder / "password"
        words.write_text(PASSWORD)
        words.chmod(0o644)
        how = [
            f"-D{folder}/data",
            "-Usayso",
            "--no-sync",
            "-Atrust",
            "--auth-host=scram-sha-256",
            f"--pwfile={words}",
            "-EUTF8",
        ]
        # sorted as people do, as most servers are, and not by bytes, as SQLite does
        self._run(bin / "initdb", *how, "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with open(folder / "log", "w") as log:
            self._process = subprocess.Popen(
                [bin / "postgres", f"-D{folder}/data", f"-k{folder}", f"-p{self.port}", *settings],
                user=self._user,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=_end_with_me,
            )
        self._template()

    def _run(self, *words: object) -> None:
        done = subprocess.run(
            [str(word) for word in words], user=self._user, cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def url(self, name: str = "postgres", host: str = "") -> str:
        """The address of a database: by the socket, which asks for no password, or by the network."""
        if host:
            return f"postgresql+psycopg://sayso:{PASSWORD}@{host}:{self.port}/{name}"
        return f"postgresql+psycopg://sayso@/{name}?host={self.folder}&port={self.port}"

    def do(self, sql: str, name: str = "postgres") -> list[tuple]:
        """Run SQL outside of any transaction."""
        if name not in self._at_hand:
            where = {"host": str(self.folder), "port": self.port, "user": "sayso", "dbname": name}
            connection = psycopg.connect(**where, autocommit=True)
            if name == "template":  # with a connection to it nobody could copy it
                with connection:
                    connection.execute(sql)
                return []
            self._at_hand[name] = connection
        done = self._at_hand[name].execute(sql)
        return done.fetchall() if done.description else []

    def _template(self) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                self.do("CREATE DATABASE template")
                break
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < end, "PostgreSQL did not start"
                time.sleep(0.02)
        database = Database(self.url("template"))
        migrate.upgrade(database, self.folder)
        database.close()
        lines = "".join(f"DELETE FROM {table.name};" for table in reversed(Base.metadata.sorted_tables))
        lines += "PERFORM setval(pg_get_serial_sequence(t.relname::text, 'id'), 1, false) FROM pg_class t JOIN pg_depend d"
        lines += " ON d.refobjid = t.oid JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' AND d.deptype = 'a';"
        self.do(f"CREATE PROCEDURE emptied() LANGUAGE plpgsql AS $$ BEGIN {lines} END $$", "template")

    def empty(self) -> str:
        """The address of a database in which there is nothing."""
        self._made += 1
        self.do(f"CREATE DATABASE empty{self._made} TEMPLATE template0 STRATEGY FILE_COPY")
        return self.url(f"empty{self._made}")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a database with Sayso's tables, in which there is no row."""
        if self._free:
            name = self._free.pop()
        else:
            self._made += 1
            name = f"library{self._made}"
            self.do(f"CREATE DATABASE {name} TEMPLATE template")
        yield self.url(name)
        try:
            self.do("SET lock_timeout = '5s'; CALL emptied()", name)
            if self.do("SELECT version_num FROM alembic_version", name) == [(migrate.HEAD,)]:
                self._free.append(name)
        except psycopg.Error:
            pass  # a test that broke it, or holds on to it: nobody else gets it

    def stop(self) -> None:
        """At once: nothing is to be kept."""
        for connection in self._at_hand.values():
            connection.close()
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this test process."""
    bin = programs()
    missing = "PostgreSQL is not installed (apt-get install postgresql)" if bin is None else ""
    if psycopg is None:
        missing = missing or "psycopg is not installed (pip install -r requirements-extras/postgres.txt)"
    if missing or bin is None:
        if os.environ.get("SAYSO_REQUIRE_POSTGRES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = Path(tempfile.mkdtemp(prefix="sayso-pg-"))  # a short path: that of a socket has 107 letters at most
    server = None
    try:
        server = Server(bin, folder)
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _is_user(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _end_with_me() -> None:
    """Where the test process is killed its server goes with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
