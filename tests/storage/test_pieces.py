"""An import in pieces: several workers on one PostgreSQL, none of whose pictures is there twice or lost."""

import signal
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from storage import Jobs, Library, Pieces, jobs, pieces
from storage.pictures.folders import open_folder
from storage.tables import Embedding, Job
from tests.support.fakes import FakeEncoder, photo
from tests.support.processes import fork

COUNT = 60


@pytest.fixture
def address(postgres):
    with postgres.database() as url:
        yield url


@pytest.fixture
def small(monkeypatch):
    """Pieces of five files, and workers that are given up soon."""
    hurry(monkeypatch.setattr)


def hurry(set_=setattr):
    for where, name, value in (
        *((pieces, "FILES", 5), (pieces, "AHEAD", 6), (pieces, "POLL_SECONDS", 0.02)),
        *((jobs, "POLL_SECONDS", 0.02), (jobs, "STALE_SECONDS", 0.6), (jobs, "HEARTBEAT_SECONDS", 0.1)),
    ):
        set_(where, name, value)


@pytest.fixture
def folder(tmp_path):
    for i in range(COUNT):
        photo(tmp_path / "photos" / f"{i % 3}" / f"{i:03}.png", (i + 1, 3 * i, 2), (8, 8))
    return tmp_path / "photos"


class Slow(FakeEncoder):
    """Writes down what it embeds, one picture at a time; with a `sign` it stops at the third batch, until it is killed."""

    def __init__(self, log: Path, sign: Path | None = None) -> None:
        super().__init__(batch_size=2)
        self._log, self._sign, self._batches = log, sign, 0

    def embed_prepared(self, batch):
        self._batches += 1
        if self._sign and self._batches == 3:
            self._sign.touch()
            time.sleep(60)
        with open(self._log, "a") as file:
            file.writelines(f"{vector.tobytes().hex()}\n" for vector in batch)
        time.sleep(0.004)
        return super().embed_prepared(batch)


def helping(home: str, address: str, log: str, sign: str | None) -> None:
    """A worker process: it takes pieces until it is ended."""
    hurry()
    with Library(home, Slow(Path(log), Path(sign) if sign else None), address) as library:
        queue = Jobs(library)
        Pieces(library, queue).register()
        queue.start()
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        ended.wait(60)
        queue.stop()


def rows(library, *columns):
    with library.database.reading() as connection:
        return connection.execute(select(*columns)).all()


def embedded(*logs: Path) -> list[str]:
    return [line for log in logs if log.exists() for line in log.read_text().splitlines()]


def test_two_workers_share_an_import_also_where_one_is_killed(address, small, folder, tmp_path):
    home, sign = tmp_path / "home", tmp_path / "sign"
    logs = [tmp_path / name for name in ("mine", "helper", "killed")]
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    with Library(home, Slow(logs[0]), address) as library:
        helper = fork(helping, str(home), address, str(logs[1]), None)
        victim = fork(helping, str(home), address, str(logs[2]), str(sign))
        queue = Jobs(library)
        try:
            steps = Pieces(library, queue).iter_add(folder)
            seen = []
            while True:
                try:
                    seen.append(next(steps))
                except StopIteration as end:
                    added = end.value
                    break
                if len(seen) == 3:  # only then, so that each of them has come to a piece
                    end = time.monotonic() + 30
                    while not (sign.exists() and logs[1].exists()):
                        assert time.monotonic() < end
                        time.sleep(0.01)
                    victim.kill()
        finally:
            helper.terminate()
            helper.join(20)
            victim.kill()
        assert (library.count(), added.new, [Path(bad.path).name for bad in added.skipped]) == (COUNT, COUNT, ["broken.png"])
        assert helper.exitcode == 0
        assert len(embedded(logs[1])) >= 5, "the other one has helped"
        vectors = embedded(*logs)
        assert len(set(vectors)) == COUNT, "none is lost"
        assert len(vectors) - COUNT <= 2, "none was done twice, but for the batch that was in flight when one was killed"
        assert len(rows(library, Embedding.content_hash)) == len(set(rows(library, Embedding.content_hash))) == COUNT
        assert [step.done for step in seen if step.message == "embedding"][-1] == COUNT + 1
        assert rows(library, Job.id) == [], "no piece is left"


def test_pieces_stand_in_no_list_and_go_when_the_import_is_stopped(address, small, folder, tmp_path):
    with Library(tmp_path / "home", FakeEncoder(batch_size=1), address) as library:
        queue = Jobs(library)
        own = queue.submit("add", {})
        steps = Pieces(library, queue).iter_add(folder)
        while len(rows(library, Job.id)) < 3:
            next(steps)
        assert [job.id for job in (*queue.active(), *queue.recent())] == [own, own]
        assert queue.newest() == own
        steps.close()
        assert [row.id for row in rows(library, Job.id)] == [own]
        before = library.count()
        for _ in Pieces(library, queue).iter_add(folder):
            pass
        assert before < library.count() == COUNT
        assert library.encoder.embedded <= COUNT + 5


def test_what_a_dead_import_has_left_is_finished_first(address, small, folder, tmp_path):
    with Library(tmp_path / "home", FakeEncoder(), address) as library:
        dead, other = Jobs(library), Jobs(library)
        files = sorted(map(str, folder.rglob("*.png")))
        payload = {"root": str(folder), "folder": open_folder(library.database, str(folder), None), "files": files[:7]}
        share = Pieces(library, other)
        left = [dead.submit(share._kind, payload, pieces._owner(str(folder))) for _ in range(2)]  # the same by two imports
        messages = [step.message for step in share.iter_add(folder)]
        assert messages[0] == "finishing what was begun"
        assert [dead.get(job).state for job in left] == ["done", "done"]
        assert library.encoder.embedded == library.count() == COUNT


def test_a_worker_that_does_not_see_the_folder_leaves_it_to_others(address, small, tmp_path):
    with Library(tmp_path / "home", FakeEncoder(), address) as library:
        blind = Jobs(library)
        share = Pieces(library, blind)
        share.register()
        job = blind.submit(share._kind, {"root": str(tmp_path / "away"), "folder": 1, "files": []}, "owner")
        blind.start()
        end = time.monotonic() + 10
        while not blind._not_here:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.1)
        blind.stop()
        assert (blind.get(job).state, rows(library, Job.attempts)) == ("queued", [(0,)])


def test_on_sqlite_nothing_is_divided(folder, tmp_path, small):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        for _ in Pieces(library, Jobs(library)).iter_add(folder):
            assert rows(library, Job.id) == []
        assert library.count() == COUNT
