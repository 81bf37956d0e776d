"""`kill -9` in the middle of `add`: nothing is lost but the batch in flight, and nothing is embedded twice."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from storage import Library
from tests.support.fakes import FakeEncoder, photo

PICTURES, BATCH = 40, 4

# Says how many are kept after each batch, and takes a little time for each, so that there is a middle to be killed in: the
# batch after the one that brings it to `last`. There it stands still, so that a late kill does not find it at its end.
SCRIPT = """
import sys, time
from storage import Jobs, Library
from tests.support.fakes import FakeEncoder

home, folder, how, last = sys.argv[1:]

class Slow(FakeEncoder):
    def embed_prepared(self, batch):
        time.sleep(60 if kept + self.embedded > int(last) else 0.03)
        return super().embed_prepared(batch)

library = Library(home, Slow())
kept = library.count()
def work(payload):
    for step in library.iter_add(folder):
        print(step.done, flush=True)
        yield step
    print("finished", flush=True)
    return {}
if how == "add":
    for step in work({}): pass
else:
    jobs = Jobs(library)
    jobs.register("add", work)
    jobs.submit("add", {}) if how == "submit" else None
    jobs.start()
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path):
    for i in range(PICTURES):
        photo(tmp_path / "photos" / f"{i:02}.png", (6 * i, 255 - 6 * i, 0), size=(16, 12))
    return tmp_path / "photos"


def start(home: Path, folder: Path, how: str = "add", last: int = PICTURES) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home), str(folder), how, str(last)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def kill_after(process: subprocess.Popen, done: int) -> int:
    """Kill -9 once `done` pictures are in, between two steps; returns the last number it said."""
    said = 0
    for line in process.stdout:
        said = int(line)
        if said >= done:
            time.sleep(0.01)  # into the next batch
            process.send_signal(signal.SIGKILL)
            break
    said = max([said, *map(int, process.stdout)])
    process.wait(10)
    return said


def check(library: Library, encoder: FakeEncoder) -> None:
    """Every picture once, each with the vector that its file gives, in the database and in the index."""
    images, vectors = library.embeddings()
    assert [image.name for image in images] == [f"{i:02}.png" for i in range(PICTURES)]
    np.testing.assert_array_equal(vectors, encoder.embed_images([image.path for image in images]))
    assert len(library.search("red", PICTURES + 10)) == PICTURES
    assert library.search("red", 1)[0].image.name == f"{PICTURES - 1}.png"
    assert library.search("green", 1)[0].image.name == "00.png"
    with library.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_kill_in_the_middle_of_add(tmp_path, folder):
    home = tmp_path / "home"
    kept = 0
    for at in (4, 16, 28):
        said = kill_after(start(home, folder, last=at), at)
        with Library(home, FakeEncoder()) as library:
            kept = library.count()
            assert said <= kept <= said + BATCH  # what was said is kept; a batch may be in that was not said yet
            assert len(library.embeddings()[1]) == kept
    assert 28 <= kept < PICTURES

    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        added = library.add(folder)
        assert (added.new, added.known, encoder.embedded) == (PICTURES - kept, kept, PICTURES - kept)
        check(library, encoder)


def test_kill_in_the_middle_of_a_job(tmp_path, folder):
    home = tmp_path / "home"
    kill_after(start(home, folder, "submit", last=8), 8)
    with Library(home) as library:
        from sqlalchemy import text

        with library.database.writing() as connection:  # 15 seconds later
            connection.execute(text("UPDATE jobs SET heartbeat = heartbeat - 15"))
    process = start(home, folder, "resume")
    assert "finished\n" in iter(process.stdout.readline, "")
    process.kill()
    process.wait(10)
    with Library(home, FakeEncoder()) as library:
        check(library, FakeEncoder())


def test_two_processes_add_the_same_folder(tmp_path, folder):
    home = tmp_path / "home"
    processes = [start(home, folder) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [lines[-1] for lines in said] == ["finished", "finished"]
    assert [process.returncode for process in processes] == [0, 0]
    with Library(home, FakeEncoder()) as library:
        assert len(library.folders()) == 1
        check(library, FakeEncoder())
