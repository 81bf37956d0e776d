"""A worker without a page: it takes the long work, follows the model of the page, and ends when it is asked to."""

import json
import sys
import threading
import time

import pytest

from storage import Jobs, Library
from tests.support.fakes import FakeEncoder
from tests.support.processes import fork
from ui.work import Worker


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "home") as library:
        yield library


@pytest.fixture
def worker(library, monkeypatch):
    monkeypatch.setattr("ui.work.LOOK", 0.02)
    monkeypatch.setattr("storage.jobs.POLL_SECONDS", 0.02)
    worker = Worker(library, FakeEncoder, "fake")
    worker._studio.load_other = lambda name: FakeEncoder(name)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.end()
    thread.join(20)
    assert not thread.is_alive()


def test_it_does_long_work_and_leaves_the_page_its_own(library, worker, photos):
    queue = Jobs(library)
    own = queue.submit("switch", {"model": "other"})
    done = queue.wait(queue.submit("add", {"folder": str(photos)}), 20)
    assert (done.state, done.result["new"], library.count()) == ("done", 4, 4)
    assert queue.get(own).state == "queued"


def test_it_follows_the_model_that_is_chosen_on_the_page(library, worker, photos):
    (library.home / "model.json").write_text(json.dumps({"model": "other"}))
    queue = Jobs(library)
    queue.wait(queue.submit("add", {"folder": str(photos)}), 20)
    assert library.encoder.space.name == "other"
    assert library.count(embedded=True) == 4


def run(*words: str) -> None:
    import app

    sys.argv = ["app.py", *words]
    app.main()


def test_the_command_ends_as_it_is_told(tmp_path, photos):
    home, log = tmp_path / "home", tmp_path / "log"
    with Library(home) as library:
        queue = Jobs(library)
        job = queue.submit("add", {"folder": str(photos)})
        process = fork(run, "work", "--home", str(home), output=log)
        try:
            assert queue.wait(job, 60).state == "done", log.read_text()
            process.terminate()
            process.join(30)
        finally:
            process.kill()
        assert process.exitcode == -15, "by the signal, when all was tidied up"
        assert "working for the library in" in log.read_text()
        assert "Traceback" not in log.read_text()
        end = time.monotonic() + 5
        assert [job.state for job in queue.active()] == [] or time.monotonic() > end
