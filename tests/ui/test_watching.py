"""Watched folders: new photos come in by themselves and are sorted by a saved classifier, in a session of their own."""

from datetime import timedelta

import pytest

from clipcore import BadInput, NotFound, drain, zero_shot_classifier
from storage import Library
from storage.pictures import watched
from storage.tables import now
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.studio import Studio


@pytest.fixture
def library(tmp_path):
    for n in range(2):
        photo(tmp_path / "photos" / f"{n}.png", (250 - n, 0, 0))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        library.save(zero_shot_classifier(encoder, ["red", "blue"]), "colours")
        yield library


@pytest.fixture
def studio(library):
    return Studio(library, lambda: library.encoder, "fake")


def run(studio):
    """Let the folders that are due be looked at; the results."""
    jobs = [studio.jobs.wait(job) for job in studio.watcher.look()]
    assert all(job.state == "done" for job in jobs), [job.error for job in jobs]
    return [job.result for job in jobs]


def test_new_photos_come_in_and_are_sorted(library, studio, tmp_path):
    mine = library.sessions.start("My work")
    with answering(studio) as client:
        assert client.post("/api/folders/1/watch", json={"every": 15, "sorter": "colours"}).status_code == 200
        (first,) = [job.id for job in studio.jobs.recent() if job.kind == "watch"]
        assert studio.jobs.wait(first).result["new"] == 0
        assert library.sessions.all() == [mine]  # nothing was new, and nothing is said
        assert client.get("/api/places").json()["watched"] == {"1": [15, "colours"]}
        assert run(studio) == []  # looked at just now
        photo(tmp_path / "photos" / "new.png", "blue")
        studio.jobs.wait(studio.jobs.submit("watch", {"folder": 1}))
        photo(tmp_path / "photos" / "newer.png", (9, 0, 250))
        job = studio.jobs.wait(studio.jobs.submit("watch", {"folder": 1}))
        assert job.result["note"] == "1 new images in photos, sorted by “colours”: see the session “New in photos”."
    before, session = library.sessions.all()
    assert (before.name, session.name, session.state) == ("My work", "New in photos", {"names": "red, blue"})
    images, said = library.runs.predictions(session.run)
    assert [image.name for image in images] == ["new.png", "newer.png"]
    assert [one.label for one in said] == ["blue", "blue"]


def test_which_folders_are_due(library, tmp_path):
    with library.database.writing() as connection:
        watched.watch(connection, 1, 10)
        assert watched.due(connection, now()) == [1]
        watched.looked(connection, 1, now())
        assert watched.due(connection, now()) == []
        assert watched.due(connection, now() + timedelta(minutes=10, seconds=1)) == [1]
        watched.watch(connection, 1, None)
        assert watched.due(connection, now() + timedelta(days=9)) == []
    assert (library.folders()[0].every, library.folders()[0].sorter) == (None, None)


def test_what_cannot_be_watched_is_one_sentence(library, tmp_path):

    drain(library.iter_add_files([photo(tmp_path / "single.png", "green")], "Dropped"))
    dropped = next(folder.id for folder in library.folders() if folder.name == "Dropped")
    with pytest.raises(BadInput, match="no folder on the disk"):
        library.watch(dropped, 15)
    with pytest.raises(BadInput, match="every 1 minute"):
        library.watch(1, 0)
    with pytest.raises(NotFound):
        library.watch(1, 15, "nobody")
    with pytest.raises(NotFound):
        library.watch(99, 15)


def test_a_classifier_that_is_gone_is_said_and_the_photos_are_in(library, studio, tmp_path):
    library.watch(1, 15, "colours")
    library.classifiers.delete("colours")
    photo(tmp_path / "photos" / "new.png", "blue")
    with answering(studio):
        (result,) = run(studio)
    assert "is gone, so they are not sorted" in result["note"]
    assert library.count() == 3


def test_one_job_at_a_time_for_a_folder(library, studio):
    library.watch(1, 15)
    assert len(studio.watcher.look()) == 1  # no worker is started: it waits
    assert studio.watcher.look() == []
