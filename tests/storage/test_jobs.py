"""Jobs: a worker for each lane, several servers, and what is left when a process dies."""

import threading
import time

import pytest
from sqlalchemy import select, update

from clipcore import NotFound, Step
from storage import Jobs, Library, jobs
from storage.tables import Job
from tests.support.fakes import photo


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.05)


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


@pytest.fixture
def queue(library):
    queue = Jobs(library)
    queue.register("count", count)
    yield queue
    queue.stop()


def count(payload):
    for i in range(payload["to"]):
        yield Step(i + 1, payload["to"], "counting", {"i": i})
    return {"sum": sum(range(payload["to"]))}


def change(library, job_id, **values):
    with library.database.writing() as connection:
        connection.execute(update(Job).where(Job.id == job_id).values(**values))


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


class Gate:
    """Work that takes one step, then waits at the gate before each further one."""

    def __init__(self, steps: int = 3) -> None:
        self.open = threading.Event()
        self.began = threading.Event()
        self.closed = False
        self.runs = 0
        self.steps = steps

    def __call__(self, payload):
        self.runs += 1
        try:
            for i in range(self.steps):
                yield Step(i + 1, self.steps, f"step {i + 1}")
                self.began.set()
                assert self.open.wait(10)
        finally:
            self.closed = True
        return {"runs": self.runs}


def test_a_job_from_click_to_result(queue):
    payload = {"to": 3, "path": "caf\udce9"}
    job_id = queue.submit("count", payload)
    job = queue.get(job_id)
    assert (job.state, job.done, job.result, job.started, job.over) == ("queued", 0, None, None, False)
    assert queue.active() == [job]
    queue.start()
    job = queue.wait(job_id, 10)
    assert (job.state, job.done, job.total, job.message, job.metrics) == ("done", 3, 3, "counting", {"i": 2})
    assert (job.kind, job.payload, job.result, job.error, job.over) == ("count", payload, {"sum": 3}, None, True)
    assert job.created <= job.started <= job.finished
    assert job.created.tzinfo is not None
    assert queue.active() == []
    assert queue.recent() == [job]


def test_jobs_run_in_order_and_one_at_a_time(queue):
    gate = Gate()
    queue.register("gate", gate)
    first, second = queue.submit("gate", {}), queue.submit("count", {"to": 1})
    queue.start()
    assert gate.began.wait(10)
    assert [job.state for job in queue.active()] == ["running", "queued"]
    gate.open.set()
    assert queue.wait(second, 10).started >= queue.get(first).finished
    assert [job.id for job in queue.recent(limit=1)] == [second]


def test_a_short_job_does_not_wait_behind_a_long_one(queue):
    gate, later = Gate(), Gate()
    queue.register("import", gate, lane="long")
    queue.register("next import", later, lane="long")
    queue.register("classify", count, lane="short")
    running, waiting = queue.submit("import", {}), queue.submit("next import", {})
    queue.start()
    assert gate.began.wait(10)
    quick = queue.wait(queue.submit("classify", {"to": 2}), 10)
    assert (quick.state, quick.result) == ("done", {"sum": 1})
    assert [job.state for job in queue.active()] == ["running", "queued"]  # one of a lane at a time
    queue.cancel(running)
    gate.open.set()
    later.open.set()
    assert queue.wait(running, 10).state == "cancelled"
    assert queue.wait(waiting, 10).state == "done"


def test_both_lanes_stop_and_go_on(queue, library):
    gates = {lane: Gate() for lane in jobs.LANES}
    for lane, gate in gates.items():
        queue.register(lane, gate, lane=lane)
    ids = [queue.submit(lane, {}) for lane in gates]
    queue.start()
    for gate in gates.values():
        assert gate.began.wait(10)
        threading.Timer(0.1, gate.open.set).start()
    queue.stop()
    assert [queue.get(job_id).state for job_id in ids] == ["queued", "queued"]
    assert all(gate.closed for gate in gates.values())
    queue.start()
    assert [queue.wait(job_id, 10).result for job_id in ids] == [{"runs": 2}, {"runs": 2}]


def test_two_lanes_write_at_once(queue, library, encoder, tmp_path):
    """An import and a drop at the same time: every picture is there once, with its vector."""
    for i in range(12):
        photo(tmp_path / "photos" / f"{i}.png", (20 * i, 0, 0))
    dropped = [str(photo(tmp_path / "dropped" / f"{i}.png", (0, 20 * i, 9))) for i in range(12)]

    def add(payload):
        yield from library.iter_add(tmp_path / "photos")
        return {}

    def drop(payload):
        yield from library.iter_add_files(dropped)
        return {}

    encoder.batch_size = 1
    queue.register("add", add)
    queue.register("drop", drop, lane="short")
    queue.start()
    ids = [queue.submit("add", {}), queue.submit("drop", {})]
    assert [queue.wait(job_id, 20).state for job_id in ids] == ["done", "done"]
    assert (library.count(), len(library.embeddings()[1]), encoder.embedded) == (24, 24, 24)


def test_a_mistake_of_the_user_is_one_sentence(queue, library):
    def work(payload):
        yield from library.iter_add(payload["folder"])
        return {}

    queue.register("add", work)
    queue.start()
    job = queue.wait(queue.submit("add", {"folder": "/no/such/folder"}), 10)
    assert (job.state, job.error) == ("failed", "The folder /no/such/folder does not exist. Check the path.")


@pytest.mark.parametrize("result", ["crash", {"not": {1, 2}}])
def test_a_mistake_of_ours_is_one_sentence_and_in_the_log(queue, caplog, result):
    def work(payload):
        yield Step(1, 2)
        if result == "crash":
            raise ZeroDivisionError("secret details")
        return result

    queue.register("broken", work)
    queue.start()
    job = queue.wait(queue.submit("broken", {}), 10)
    assert job.state == "failed"
    assert job.error.endswith("see the log and report it.")
    assert "secret" not in job.error
    assert "Traceback" in caplog.text
    assert queue.wait(queue.submit("count", {"to": 1}), 10).state == "done"  # the worker lives on


def test_a_waiting_job_is_cancelled_at_once(queue):
    job_id = queue.submit("count", {"to": 1})
    queue.cancel(job_id)
    job = queue.get(job_id)
    assert (job.state, job.over) == ("cancelled", True)
    queue.start()
    assert queue.wait(queue.submit("count", {"to": 1}), 10).state == "done"
    assert queue.get(job_id).state == "cancelled"
    queue.cancel(job_id)  # again, and when it is over: no harm
    queue.cancel(999)


def test_a_running_job_is_cancelled_at_its_next_step(queue):
    gate = Gate()
    queue.register("gate", gate)
    job_id = queue.submit("gate", {})
    queue.start()
    assert gate.began.wait(10)
    queue.cancel(job_id)
    gate.open.set()
    job = queue.wait(job_id, 10)
    assert (job.state, job.done, job.result) == ("cancelled", 2, None)
    assert gate.closed


def test_stop_puts_the_job_back(queue, library):
    gate = Gate()
    queue.register("gate", gate)
    job_id = queue.submit("gate", {})
    queue.start()
    assert gate.began.wait(10)
    threading.Timer(0.1, gate.open.set).start()
    queue.stop()
    job = queue.get(job_id)
    assert (job.state, job.done, gate.closed) == ("queued", 2, True)

    later = Jobs(library)
    later.register("gate", gate)
    later.start()
    assert later.wait(job_id, 10).result == {"runs": 2}
    later.stop()


def test_an_add_that_was_stopped_goes_on(queue, library, encoder, photos):
    began = threading.Event()

    def work(payload):
        for step in library.iter_add(payload["folder"]):
            yield step
            if step.done and not began.is_set():
                began.set()
                assert queue._stopping.wait(10)
        return {}

    encoder.batch_size = 1
    queue.register("add", work)
    job_id = queue.submit("add", {"folder": str(photos)})
    queue.start()
    assert began.wait(10)
    queue.stop()
    assert 1 <= library.count() < 4
    queue.start()
    assert queue.wait(job_id, 10).state == "done"
    assert library.count() == 4
    assert encoder.embedded <= 5  # at most one batch was in flight


def test_jobs_of_a_dead_process_are_taken_up(queue, library):
    silent, rebooted, alive = (queue.submit("count", {"to": 2}) for _ in range(3))
    host, number, _ = queue._me.rsplit(":", 2)
    change(library, silent, state="running", worker="elsewhere:1:00", heartbeat=time.time() - 16)
    change(library, rebooted, state="running", worker=f"{host}:{number}:earlier", heartbeat=time.time())
    change(library, alive, state="running", worker="elsewhere:1:00", heartbeat=time.time())
    queue.start()
    assert queue.wait(silent, 10).state == "done"
    if library.database.is_sqlite:
        assert queue.wait(rebooted, 10).state == "done"
    else:  # where several machines may have one name, only silence tells
        assert queue.get(rebooted).state == "running"
    assert queue.get(alive).state == "running"
    change(library, alive, heartbeat=time.time() - 16)  # dies while we run
    assert queue.wait(alive, 10).state == "done"


def test_a_cancelled_job_of_a_dead_process_is_over(queue, library):
    job_id = queue.submit("count", {"to": 2})
    change(library, job_id, state="running", worker="elsewhere:1:00", heartbeat=0.0, cancel_asked=True)
    queue.start()
    assert queue.wait(job_id, 10).state == "cancelled"


def test_a_job_that_ends_the_program_each_time_is_given_up(queue, library):
    job_id = queue.submit("count", {"to": 2})
    change(library, job_id, state="running", worker="elsewhere:1:00", heartbeat=0.0, attempts=3)
    queue.start()
    job = queue.wait(job_id, 10)
    assert job.state == "failed"
    assert "3 times" in job.error


def test_attempts_are_counted_without_progress(queue, library):
    """Killed ten times, and a little further each time; then at the same place. That it got there is written once."""
    reached = [*range(1, 11), 10, 10, 10, 10]

    class Killed(BaseException):
        pass

    def work(payload):
        for done in range(reached.pop(0) + 1):
            yield Step(done, 100, f"file {done} of 100")
        raise Killed

    queue.register("import", work)
    job_id = queue.submit("import", {})
    for attempt in range(14):
        claimed = queue._claim("long")
        assert claimed is not None, f"given up at attempt {attempt}"
        with pytest.raises(Killed):
            queue._follow(claimed)
        change(library, job_id, heartbeat=0.0)
        queue._requeue_dead()
    assert queue._claim("long") is None
    job = queue.get(job_id)
    assert job.state == "failed"
    assert "without getting further" in job.error


def test_a_long_step_shows_that_it_lives(queue, library, monkeypatch):
    monkeypatch.setattr(jobs, "STALE_SECONDS", 1.0)
    gate = Gate()
    queue.register("gate", gate)

    def heartbeat():
        with library.database.reading() as connection:
            return connection.scalar(select(Job.heartbeat).where(Job.id == job_id))

    other = Jobs(library)
    other.register("gate", gate)
    job_id = queue.submit("gate", {})
    queue.start()
    assert gate.began.wait(10)
    other.start()
    first = heartbeat()
    until(lambda: heartbeat() > first + jobs.STALE_SECONDS)  # one step, longer than a dead worker would be given
    gate.open.set()
    job = queue.wait(job_id, 10)
    other.stop()
    assert (job.state, gate.runs) == ("done", 1)


def test_a_job_that_was_taken_from_us_is_left_alone(queue, library, monkeypatch):
    monkeypatch.setattr(jobs, "WRITE_SECONDS", 0.0)
    gate = Gate()
    queue.register("gate", gate)
    job_id = queue.submit("gate", {})
    queue.start()
    assert gate.began.wait(10)
    change(library, job_id, worker="elsewhere:1:00", message="theirs")  # as after a computer has slept
    gate.open.set()
    until(lambda: gate.closed)
    assert queue.wait(queue.submit("count", {"to": 1}), 10).state == "done"
    job = queue.get(job_id)
    assert (job.state, job.message) == ("running", "theirs")


def test_two_servers_run_a_job_once(library):
    ran = []

    def work(payload):
        ran.append(payload["i"])
        yield Step(1, 1)
        return {}

    with Library(library.home) as second:
        servers = [Jobs(library), Jobs(second)]
        ids = [servers[0].submit("work", {"i": i}) for i in range(30)]
        for server in servers:
            server.register("work", work)
            server.register("quick", work, lane="short")
            server.start()
        ids += [servers[1].submit("quick", {"i": 30 + i}) for i in range(30)]
        assert {servers[1].wait(job_id, 20).state for job_id in ids} == {"done"}
        for server in servers:
            server.stop()
    assert sorted(ran) == list(range(60))


def test_a_kind_that_nobody_knows_waits(queue):
    unknown = queue.submit("from a newer Sayso", {})
    queue.start()
    assert queue.wait(queue.submit("count", {"to": 1}), 10).state == "done"
    assert queue.get(unknown).state == "queued"


def test_progress_is_written_now_and_then(queue, monkeypatch):
    written = []
    original = Jobs._write
    monkeypatch.setattr(Jobs, "_write", lambda *args, **values: written.append(values) or original(*args, **values))
    queue.start()
    job = queue.wait(queue.submit("count", {"to": 300}), 20)
    assert job.done == 300
    assert len([values for values in written if "done" in values]) < 30


def test_asking_for_what_is_not_there(queue):
    with pytest.raises(NotFound, match="no job 7"):
        queue.get(7)
    assert queue.wait(queue.submit("count", {"to": 1}), timeout=0.01).state == "queued"


def test_old_jobs_go(queue, monkeypatch):
    monkeypatch.setattr(jobs, "KEPT_JOBS", 3)
    queue.start()
    for _ in range(6):
        queue.wait(queue.submit("count", {"to": 1}), 10)
    assert [job.id for job in queue.recent()] == [6, 5, 4]
