"""Long work as rows: it outlives the page that asked for it and the process that runs it.

A job is a kind, a payload and how far it is. Each lane has one worker thread, which takes the lane's oldest queued job and
runs its generator of Steps: what takes seconds has a lane of its own and never waits behind an import of hours.

Servers and workers may share a library: a job is claimed by one UPDATE, so only one of them runs it, and on PostgreSQL none
waits for another that is claiming (FOR UPDATE SKIP LOCKED). A worker that has died, which its heartbeat shows by the
database's clock, loses its job to the next.
"""

import logging
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, delete, false, func, insert, or_, select, true, update

from clipcore import NotFound, SaysoError, Step
from clipcore.errors import unexpected

from .library import Library
from .people import acting, author
from .records import JobRecord
from .tables import AnyRow, Job, now
from .webhooks import owe

Work = Callable[[dict[str, Any]], Generator[Step, None, dict[str, Any]]]
Lane = Literal["long", "short"]
LANES: tuple[Lane, ...] = get_args(Lane)

WRITE_SECONDS = 0.3  # progress is written no more often than this
POLL_SECONDS = 0.5  # how soon a job is seen that another process has put in
HEARTBEAT_SECONDS = 3.0
STALE_SECONDS = 15.0  # without a heartbeat a worker counts as dead
MAX_ATTEMPTS = 3  # without getting further: a job that takes the process with it must not do so at every start for ever
MOST_PHASES = 50
KEPT_JOBS = 1000
PIECE = "piece:"  # how kinds of jobs begin that are parts of another one (see `storage.pieces`), and stand in no list

_WHOLE = ~Job.kind.startswith(PIECE)
_BOOT = secrets.token_hex(4)  # a process of a later boot may have our number

log = logging.getLogger(__name__)


class Furthest:
    """How far a job has ever been, by the phase of its work: its message, whatever the numbers in it."""

    def __init__(self, before: Mapping[str, int]) -> None:
        self._before, self._now = before, dict(before)

    def see(self, step: Step) -> bool:
        """Take a step into account; True for the first of this attempt that goes further than all before."""
        phase = re.sub(r"[0-9]+", "#", step.message)
        if step.done <= self._now.get(phase, -1) or (phase not in self._now and len(self._now) >= MOST_PHASES):
            return False
        first = self._now == self._before
        self._now[phase] = step.done
        return first

    def values(self) -> dict[str, Any]:
        """What is to be written of it: nothing, or that the attempts are counted anew."""
        return {} if self._now == self._before else {"furthest": dict(self._now), "attempts": 0}


class Elsewhere(SaysoError):
    """A job cannot be done here, but perhaps by another worker: it waits for that one."""


class Jobs:
    """The queue of one library. `register` what can be done, `start` the workers, `submit` work, and ask how it stands."""

    def __init__(self, library: Library) -> None:
        self._database = library.database
        self._kinds: dict[str, tuple[Lane, Work]] = {}
        self._me = f"{socket.gethostname()}:{os.getpid()}:{_BOOT}"
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._wake = {lane: threading.Event() for lane in LANES}
        self._not_here: set[str] = set()  # owners whose jobs cannot be done here
        self.is_ready: Callable[[], bool] = lambda: True  # asked before a job is taken

    # asking

    def submit(self, kind: str, payload: Mapping[str, Any], owner: str = "") -> int:
        """Queue work; the payload must be JSON. `owner` is kept for who asks later whose job it is. Returns the job's id."""
        with self._database.writing() as connection:
            by = {} if author() is None else {"author": author()}  # what the job labels is theirs
            values = {"kind": kind, "payload": {**payload, **by}, "owner": owner}
            job_id = connection.execute(insert(Job).values(values).returning(Job.id)).scalar_one()
            over = Job.state.in_(("done", "failed", "cancelled"))
            connection.execute(delete(Job).where(Job.id <= job_id - KEPT_JOBS, over))
        self._wake_all()
        return job_id

    def get(self, job_id: int) -> JobRecord:
        """A job as it stands. Raises NotFound."""
        rows = self._records(Job.id == job_id)
        if not rows:
            raise NotFound(f"There is no job {job_id}; it may have been cleared away.")
        return rows[0]

    def active(self) -> list[JobRecord]:
        """What runs or waits, oldest first."""
        return self._records(Job.state.in_(("queued", "running")), _WHOLE)[::-1]

    def recent(self, limit: int = 10) -> list[JobRecord]:
        """The last jobs, newest first."""
        return self._records(_WHOLE, limit=limit)

    def newest(self) -> int:
        """The number of the last job that was submitted, 0 before the first."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(Job.id)).where(_WHOLE)) or 0

    def cancel(self, job_id: int) -> None:
        """Stop a job: at once if it waits, after its current step if it runs. What it has done so far stays."""
        with self._database.writing_a_row() as connection:
            waiting = update(Job).where(Job.id == job_id, Job.state == "queued")
            if connection.execute(waiting.values(state="cancelled", finished=now())).rowcount:
                owe(connection, and_(Job.id == job_id, _WHOLE))
            connection.execute(update(Job).where(Job.id == job_id, Job.state == "running").values(cancel_asked=True))

    def wait(self, job_id: int, timeout: float = 60.0) -> JobRecord:
        """The job when it is over, or as it stands after `timeout` seconds."""
        end = time.monotonic() + timeout
        while not (job := self.get(job_id)).over and time.monotonic() < end:
            time.sleep(0.02)
        return job

    # doing

    def register(self, kind: str, work: Work, lane: Lane = "long") -> None:
        """Say how a kind of job is done: `work(payload)` streams Steps and returns a JSON-able result.

        Jobs of one lane run one after the other; the short lane is for what takes seconds.
        """
        self._kinds[kind] = (lane, work)

    def forget(self, beginning: str) -> None:
        """Take no more jobs of the kinds that begin like this."""
        self._kinds = {kind: how for kind, how in self._kinds.items() if not kind.startswith(beginning)}

    def keep(self, kinds: Collection[str]) -> None:
        """Take jobs of these kinds alone, of those that are registered."""
        self._kinds = {kind: how for kind, how in self._kinds.items() if kind in kinds}

    def start(self) -> None:
        """Start the worker threads. Jobs of dead workers are queued again, now and whenever one is idle."""
        if not self._threads:
            self._stopping.clear()
            self._requeue_dead()
            self._threads = [
                threading.Thread(target=self._work, args=(lane,), name=f"jobs-{lane}", daemon=True) for lane in LANES
            ]
            for thread in self._threads:
                thread.start()

    @property
    def alive(self) -> bool:
        """Whether the workers are at work, or wait for some."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads) and not self._stopping.is_set()

    def stop(self, timeout: float = 30.0) -> None:
        """Let the current steps finish, queue their jobs again for the next start, and end the workers."""
        end = time.monotonic() + timeout
        self._stopping.set()
        self._wake_all()
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._threads = []

    def _wake_all(self) -> None:
        for wake in self._wake.values():
            wake.set()

    def _work(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            try:
                self._requeue_dead()
                while not self._stopping.is_set() and (job := self._claim(lane)) is not None:
                    self._run(job)
            except SaysoError as error:  # a full disk, a library kept busy: the next round may do better
                log.warning("the job queue: %s", error)
            except Exception:
                log.exception("the job queue")
                self._stopping.wait(STALE_SECONDS)  # a mistake of ours does not go away by trying at once, but fills the log
            self._wake[lane].wait(POLL_SECONDS)
            self._wake[lane].clear()

    def _claim(self, lane: Lane) -> AnyRow | None:
        """Take the lane's oldest queued job that we know how to do."""
        kinds = [kind for kind, (its_lane, _) in self._kinds.items() if its_lane == lane]
        return self._taken(Job.kind.in_(kinds)) if self.is_ready() else None

    def _taken(self, *which: ColumnElement[bool]) -> AnyRow | None:
        """Take the oldest of these jobs that waits."""
        waiting = (Job.state == "queued", Job.owner.not_in(self._not_here), *which)
        with self._database.reading() as connection:
            if connection.scalar(select(Job.id).where(*waiting).limit(1)) is None:
                return None
        oldest = select(Job.id).where(*waiting).order_by(Job.id).limit(1).with_for_update(skip_locked=True)
        claim = update(Job).where(Job.id == oldest.scalar_subquery(), Job.state == "queued")
        mine = {"state": "running", "worker": self._me, "heartbeat": self._database.clock(), "started": now()}
        columns = (Job.id, Job.kind, Job.payload, Job.owner, Job.furthest)
        with self._database.writing_a_row() as connection:
            taken = claim.values(**mine, attempts=Job.attempts + 1).returning(*columns)
            return connection.execute(taken).one_or_none()

    def iter_help(self, kind: str, owner: str) -> Generator[Step, None, bool]:
        """Do one waiting job of a kind and an owner here and now, beside whatever the lanes do; False if none waits."""
        job = self._taken(Job.kind == kind, Job.owner == owner)
        if job is None:
            return False
        over, beat = self._alive(job.id)
        try:
            yield from self._steps(job)
        except GeneratorExit:
            self._write(job.id, state="queued", worker=None, heartbeat=None, attempts=0)
            raise
        except Exception as error:
            self._fail(job, error)
        finally:
            over.set()
            beat.join()
        return True

    def requeue_dead(self) -> None:
        """Queue the jobs of dead workers again, as the lanes do whenever they are idle."""
        self._requeue_dead()

    def _run(self, job: AnyRow) -> None:
        """Do a job and write what became of it."""
        over, beat = self._alive(job.id)
        try:
            self._follow(job)
        except Exception as error:
            self._fail(job, error)
        finally:
            over.set()
            beat.join()

    def _alive(self, job_id: int) -> tuple[threading.Event, threading.Thread]:
        """Show that a job is being done, until the event is set."""
        over = threading.Event()
        beat = threading.Thread(target=self._beat, args=(job_id, over), name="jobs-heartbeat", daemon=True)
        beat.start()
        return over, beat

    def _fail(self, job: AnyRow, error: Exception) -> None:
        if isinstance(error, Elsewhere):
            log.warning("job %s, %s: %s", job.id, job.kind, error)
            self._not_here.add(job.owner)
            self._write(job.id, state="queued", worker=None, heartbeat=None, attempts=0)
        elif isinstance(error, SaysoError):
            self._write(job.id, state="failed", error=error.page, finished=now())
        else:
            log.error("job %s, %s", job.id, job.kind, exc_info=error)
            self._write(job.id, state="failed", error=unexpected(error), finished=now())

    def _follow(self, job: AnyRow) -> None:
        for _ in self._steps(job):
            pass

    def _steps(self, job: AnyRow) -> Iterator[Step]:
        """Run the work to its end, or until it is cancelled, taken from us, or the worker stops."""
        written, further = 0.0, Furthest(job.furthest)
        progress: dict[str, Any] = {}
        _, work = self._kinds[job.kind]
        with acting(job.payload.get("author")), closing(work(job.payload)) as steps:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    self._write(job.id, **progress, state="done", result=end.value, finished=now())
                    return
                progress = {"done": step.done, "total": step.total, "message": step.message, "metrics": dict(step.metrics)}
                if self._stopping.is_set():
                    self._write(job.id, **progress, state="queued", worker=None, heartbeat=None, attempts=0)
                    return
                if self._cancel_asked(job.id):
                    self._write(job.id, **progress, state="cancelled", finished=now())
                    return
                first = further.see(step)
                if first or time.monotonic() - written >= WRITE_SECONDS:
                    if not self._write(job.id, **progress, **further.values()):
                        return
                    written = time.monotonic()
                yield step

    def _write(self, job_id: int, **values: Any) -> bool:
        """Write to a job's row if it is still ours: a computer that slept may find that another worker has taken it."""
        ours = update(Job).where(Job.id == job_id, Job.worker == self._me, Job.state == "running")
        with self._database.writing_a_row() as connection:
            is_ours = connection.execute(ours.values({"heartbeat": self._database.clock(), **values})).rowcount == 1
            if is_ours and "finished" in values:
                owe(connection, and_(Job.id == job_id, _WHOLE))
            return is_ours

    def _cancel_asked(self, job_id: int) -> bool:
        with self._database.reading() as connection:
            return bool(connection.scalar(select(Job.cancel_asked).where(Job.id == job_id)))

    def _beat(self, job_id: int, over: threading.Event) -> None:
        """Show that we live, also while one step takes minutes."""
        while not over.wait(HEARTBEAT_SECONDS):
            try:
                self._write(job_id)
            except SaysoError as error:
                log.warning("heartbeat: %s", error)

    def _requeue_dead(self) -> None:
        """Queue the jobs of dead workers again, but not one that was cancelled or that has ended the program each time."""
        host, number, _ = self._me.rsplit(":", 2)
        earlier_boot = and_(Job.worker.startswith(f"{host}:{number}:", autoescape=True), Job.worker != self._me)
        silent = func.abs(Job.heartbeat - self._database.clock()) > STALE_SECONDS
        if not self._database.is_sqlite:  # containers may share a host's name and each be its process 1
            earlier_boot = false()
        dead = and_(Job.state == "running", or_(earlier_boot, silent))
        with self._database.reading() as connection:
            if connection.scalar(select(Job.id).where(dead).limit(1)) is None:
                return
        deadly = (
            f"The program ended {MAX_ATTEMPTS} times during this, each time without getting further; it may need more "
            "memory: try fewer files at a time."
        )
        with self._database.writing() as connection:
            for which, values in (
                (Job.cancel_asked, {"state": "cancelled", "finished": now()}),
                (Job.attempts >= MAX_ATTEMPTS, {"state": "failed", "error": deadly, "finished": now()}),
                (true(), {"state": "queued", "worker": None, "heartbeat": None}),
            ):
                gone = connection.scalars(update(Job).where(dead, which).values(values).returning(Job.id)).all()
                if gone and "finished" in values:
                    owe(connection, and_(Job.id.in_(gone), _WHOLE))

    def _records(self, *which: ColumnElement[bool], limit: int | None = None) -> list[JobRecord]:
        names = JobRecord.__dataclass_fields__
        query = select(*(getattr(Job, name) for name in names)).where(*which).order_by(Job.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [JobRecord(**row._mapping) for row in connection.execute(query)]
