"""What only a server does: one writer after another, claims that do not wait, text and figures that it cannot keep."""

import threading
import time

import pytest
from sqlalchemy import insert, select, text

from storage import Jobs, Library, LibraryError, database
from storage.database import Database
from storage.tables import Folder, Job


@pytest.fixture
def library(postgres, tmp_path):
    with postgres.database() as url, Library(tmp_path / "home", database=url) as library:
        yield library


def add(connection, name):
    return connection.execute(insert(Folder).values(path=name, name=name).returning(Folder.id)).scalar_one()


def test_rows_are_committed_in_the_order_of_their_ids(library):
    """Else whoever asks for what is above the last id he knows would miss the row that was slower."""
    done = threading.Event()

    def second():
        with library.database.writing() as connection:
            add(connection, "second")
        done.set()

    with library.database.writing() as connection:
        first = add(connection, "first")
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.2), "it waits for the one before"
        assert library.folders() == []  # nobody who reads waits
    thread.join(10)
    with library.database.reading() as connection:
        assert connection.scalars(select(Folder.name).where(Folder.id > first)).all() == ["second"]


def test_a_writer_that_waits_too_long_is_told(library, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = Database(library.database.engine.url)
    with library.database.writing(), pytest.raises(LibraryError, match=r"kept the database .* busy"), other.writing():
        pass
    other.close()


def test_a_view_is_of_one_moment(library):
    with library.database.reading() as reading:
        before = reading.scalar(text("SELECT count(*) FROM folders"))
        with library.database.writing() as writing:
            add(writing, "new")
        assert reading.scalar(text("SELECT count(*) FROM folders")) == before == 0
    assert len(library.folders()) == 1


def test_its_version_tells_of_every_commit(library):
    before = library.database.version()
    assert library.database.version() == before
    with library.database.writing() as connection:
        add(connection, "new")
    assert library.database.version() != before


def test_a_claim_does_not_wait_for_another(library):
    queue = Jobs(library)
    queue.register("work", lambda payload: iter(()))
    ids = [queue.submit("work", {}) for _ in range(2)]
    with library.database.writing_a_row() as claiming:
        claiming.execute(select(Job.id).where(Job.id == ids[0]).with_for_update())
        start = time.monotonic()
        claimed = queue._claim("long")
        assert claimed is not None
        assert claimed.id == ids[1]
        assert time.monotonic() - start < 5


def test_what_it_cannot_keep_is_left_out(library):
    queue = Jobs(library)
    with library.database.writing() as connection:
        add(connection, "a\0b")
    assert [folder.name for folder in library.folders()] == ["ab"]
    saved = library.reports.save("accuracy", "one", {"loss": float("nan"), "kept": [1, float("inf")]}, {})
    assert library.reports.get(saved.id).summary == {"kept": [1, None]}
    assert queue.get(queue.submit("work", {"path": "\udce9"})).payload == {"path": "\udce9"}
