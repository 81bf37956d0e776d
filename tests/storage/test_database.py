"""The engine: no update is lost, and upgrades change all or nothing."""

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from clipcore import BadInput
from storage import Library, LibraryError, migrate
from storage.database import Database
from storage.tables import Base


@pytest.fixture
def database(tmp_path):
    database = Database.at(tmp_path / "sayso.db")
    migrate.upgrade(database, tmp_path)
    yield database
    database.close()


def test_eight_writers_lose_nothing(database):
    with database.writing() as connection:
        connection.execute(text("INSERT INTO folders (path, name, created) VALUES ('', '0', '2026-01-01')"))

    def read_then_write(_):
        for _ in range(25):
            with database.writing() as connection:
                value = int(connection.scalar(text("SELECT name FROM folders")))
                connection.execute(text("UPDATE folders SET name = :name"), {"name": str(value + 1)})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(read_then_write, range(8)))
    with database.reading() as connection:
        assert connection.scalar(text("SELECT name FROM folders")) == "200"


def test_readers_do_not_wait_for_a_writer(database):
    with database.writing() as writer:
        writer.execute(text("INSERT INTO folders (path, name, created) VALUES ('', 'new', '2026-01-01')"))
        with database.reading() as reader:  # would wait 30 seconds, then fail, if it asked for the write lock
            assert reader.scalar(text("SELECT count(*) FROM folders")) == 0


def test_an_exception_rolls_back(database):
    def fail_half_way():
        with database.writing() as connection:
            connection.execute(text("INSERT INTO folders (path, name, created) VALUES ('', 'half', '2026-01-01')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM folders")) == 0


@pytest.mark.sqlite
def test_settings(database):
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("page_size", "journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"page_size": 16384, "journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30000}


def test_the_revisions_lead_to_the_tables(database):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_current_head() == migrate.HEAD


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "url", ["nonsense", "oracle+nothing://", "mysql://me:secret@host/name", "postgresql://me:secret@host:x/n"]
)
def test_a_bad_address_is_said_plainly(url, tmp_path):
    with pytest.raises(BadInput, match=r"database.*postgresql\+psycopg://") as told:
        Library(tmp_path, database=url)
    assert "secret" not in f"{told.value}{told.value.__cause__}"


NEXT = f"{int(migrate.HEAD) + 1:04}"


def next_revision(tmp_path: Path, body: str) -> Path:
    """The migrations of a Sayso to come."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    header = f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = {NEXT!r}, {migrate.HEAD!r}\n"
    body = textwrap.indent(textwrap.dedent(body), "    ")
    (scripts / "versions" / f"{NEXT}_next.py").write_text(f"{header}def upgrade():\n{body}\n")
    return scripts


def backups(home: Path) -> list[Path]:
    return sorted((home / "backups").glob("*.db"))


@pytest.mark.sqlite
def test_an_upgrade_keeps_rows_and_makes_a_backup(database, tmp_path):
    scripts = next_revision(
        tmp_path,
        """
        with op.batch_alter_table('folders') as table:  # copies the table and drops the old one
            table.add_column(sa.Column('colour', sa.Text(), server_default='red', nullable=False))
            table.alter_column('name', nullable=True)
        """,
    )
    with database.writing() as connection:
        connection.execute(text("INSERT INTO folders (path, name, created) VALUES (x'00', 'mine', '2026-01-01')"))
        connection.execute(text("INSERT INTO skipped (folder_id, path, reason) VALUES (1, x'00', 'why')"))
    assert not backups(tmp_path)  # a new library needs none

    migrate.upgrade(database, tmp_path, scripts, NEXT)

    with database.reading() as connection:
        assert connection.execute(text("SELECT name, colour FROM folders")).all() == [("mine", "red")]
        assert connection.scalar(text("SELECT count(*) FROM skipped")) == 1  # foreign keys did not cascade
    with closing(sqlite3.connect(backups(tmp_path)[0])) as copy:
        assert copy.execute("SELECT name FROM folders").fetchall() == [("mine",)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.HEAD,)]
    assert len(backups(tmp_path)) == 1
    migrate.upgrade(database, tmp_path, scripts, NEXT)
    assert len(backups(tmp_path)) == 1  # nothing to do, nothing copied


def test_a_failing_upgrade_changes_nothing(database, tmp_path):
    scripts = next_revision(tmp_path, "op.add_column('folders', sa.Column('colour', sa.Text()))\nraise KeyError('oh')")
    copy = "; a copy is in " if database.is_sqlite else ""
    with pytest.raises(LibraryError, match=f"nothing was changed{copy}.*KeyError"):
        migrate.upgrade(database, tmp_path, scripts, NEXT)
    with database.reading() as connection:
        assert "colour" not in {column["name"] for column in inspect(connection).get_columns("folders")}
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == migrate.HEAD
    migrate.upgrade(database, tmp_path)  # and it still opens


def test_a_newer_library_is_refused(database, tmp_path):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LibraryError, match="newer Sayso"):
        Library(tmp_path)
    assert not backups(tmp_path)


@pytest.mark.sqlite
def test_a_file_that_is_no_library_is_refused_and_kept(tmp_path):
    (tmp_path / "sayso.db").write_bytes(b"my thesis, a long text" * 1000)
    with pytest.raises(LibraryError, match=r"damaged.*backups"):
        Library(tmp_path)
    assert (tmp_path / "sayso.db").read_bytes().startswith(b"my thesis")


def test_a_home_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="choose another home"):
        Library(tmp_path / "file" / "home")


@pytest.mark.sqlite
def test_a_home_with_odd_letters(tmp_path):
    home = tmp_path / os.fsdecode("100% ? #1 \N{ROCKET}; ".encode() + b"\xff")
    with Library(home) as library:
        assert library.count() == 0
    assert (home / "sayso.db").stat().st_size > 0


@pytest.mark.sqlite
def test_a_full_disk_is_said_plainly(database):
    def fill():
        with database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(1000000)")

    with pytest.raises(LibraryError, match=r"disk .* is full.*free some space"):
        fill()


@pytest.mark.sqlite
def test_many_openings_at_once(tmp_path):
    errors = []

    def open_it():
        try:
            Library(tmp_path / "home").close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    code = f"from storage import Library\nLibrary({str(tmp_path / 'home')!r}).close()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=Path(__file__).parents[2])
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.sqlite
def test_opening_loads_no_alembic_and_no_torch(tmp_path):
    Library(tmp_path).close()
    code = f"import sys, storage; storage.Library({str(tmp_path)!r}); print({{'alembic', 'torch'}} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "set()"
