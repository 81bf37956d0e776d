"""A large import that several workers do together: the files to read are divided into pieces, and each is a job of its own.

Whoever adds the folder divides it and then takes pieces like everybody else, so it comes to its end also where nobody helps.
Workers are processes that have the same library open on a server, with the same model; each takes a piece that no other has.
The piece of a worker that died goes to another, which reads on where that one was cut off. Pieces are of different files and
vectors are written once for each content, so nothing is there twice.

On SQLite nothing is divided: there is one computer, and one process uses all of it.
"""

import hashlib
import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update

from clipcore import SaysoError, Step
from clipcore.pictures.finding import display_path

from .jobs import PIECE, POLL_SECONDS, Elsewhere, Jobs
from .library import Library
from .pictures.adding import Read, Share
from .records import Added, SkippedRecord
from .tables import Job

FILES = 400  # of a piece: some seconds to a minute of work
AHEAD = 24  # pieces that wait: enough that no worker runs dry, few enough that the queue stays small


class Pieces:
    """Takes part in the imports of a library, by the queue `jobs` of it."""

    def __init__(self, library: Library, jobs: Jobs) -> None:
        self._library, self._database, self._jobs = library, library.database, jobs

    def register(self) -> None:
        """Have the workers of this queue take pieces for the model that is in use now. Without a model they take none."""
        self._jobs.forget(PIECE)
        if self._library.encoder is not None and not self._database.is_sqlite:
            self._jobs.register(self._kind, self._work, lane="long")

    def iter_add(self, folder: str | Path, name: str | None = None, again: bool = False) -> Generator[Step, None, Added]:
        """`Library.iter_add`, with whoever else has the library open on a server."""
        if self._database.is_sqlite:
            return (yield from self._library.iter_add(folder, name, again))
        self.register()
        root = os.path.abspath(Path(folder).expanduser())
        yield from self._finish(root)
        return (yield from self._library.iter_add(folder, name, again, self._sharing(root)))

    @property
    def _kind(self) -> str:
        """Pieces of one model: a worker with another one must not take them."""
        encoder = self._library.encoder
        return f"{PIECE}{encoder.space.key[:32] if encoder else ''}"

    def _work(self, payload: dict[str, Any]) -> Generator[Step, None, dict[str, Any]]:
        root = payload["root"]
        if not os.path.isdir(root):
            raise Elsewhere(f"The folder {display_path(root)} is not there for this worker; show all of them the same.")
        read = yield from self._library.iter_add_piece(payload["folder"], payload["files"])
        return asdict(read)

    def _finish(self, root: str) -> Iterator[Step]:
        """See to the end of what an adding of this folder that was cut off has left, or another one that is at work."""
        owner = _owner(root)
        while True:
            mine = (Job.kind == self._kind, Job.owner == owner, Job.state.in_(("queued", "running")))
            with self._database.reading() as connection:
                left = connection.scalar(select(func.count()).select_from(Job).where(*mine))
            if not left:
                return
            yield Step(0, 0, "finishing what was begun")
            helped = yield from self._jobs.iter_help(self._kind, owner)
            if not helped:
                self._jobs.requeue_dead()
                time.sleep(POLL_SECONDS)

    def _sharing(self, root: str) -> Share:
        return lambda folder_id, files: self._share(root, folder_id, files)

    def _share(self, root: str, folder_id: int, files: Sequence[str]) -> Iterator[Read]:
        """Have files read in pieces, here and by others; what all of them have given so far."""
        owner, left = _owner(root), iter(files)
        mine: set[int] = set()
        total, failed = Read(), ""
        looked = 0.0
        try:
            while True:
                while len(mine) < AHEAD and (some := list(islice(left, FILES))):
                    payload = {"root": root, "folder": folder_id, "files": some}
                    mine.add(self._jobs.submit(self._kind, payload, owner))
                if not mine:
                    break
                waits = True
                with closing(self._jobs.iter_help(self._kind, owner)) as steps:
                    for _ in steps:
                        waits = False
                        if time.monotonic() - looked >= POLL_SECONDS:
                            failed = self._gather(mine, total) or failed
                            looked = time.monotonic()
                            yield total
                failed = self._gather(mine, total) or failed
                yield total
                if waits and mine:
                    self._jobs.requeue_dead()
                    time.sleep(POLL_SECONDS)
        finally:
            self._drop(mine)
        if failed:
            raise SaysoError(failed)

    def _gather(self, mine: set[int], total: Read) -> str | None:
        """Take in what pieces have given that are over; why one of them failed."""
        failed, over, total.under_way = None, [], 0
        with self._database.reading() as connection:
            rows = connection.execute(
                select(Job.id, Job.state, Job.done, Job.error, Job.result).where(Job.id.in_(mine))
            ).all()
        mine.intersection_update(row.id for row in rows)
        for row in rows:
            if row.state in ("queued", "running"):
                total.under_way += row.done
                continue
            over.append(row.id)
            if row.state == "done":
                _add(total, row.result)
            failed = row.error or failed
        if over:
            with self._database.writing() as connection:
                connection.execute(delete(Job).where(Job.id.in_(over)))
            mine.difference_update(over)
        return failed

    def _drop(self, mine: set[int]) -> None:
        """Nobody is to begin with these any more; what was read stays."""
        if mine:
            with self._database.writing() as connection:
                connection.execute(delete(Job).where(Job.id.in_(mine), Job.state != "running"))
                connection.execute(update(Job).where(Job.id.in_(mine), Job.state == "running").values(cancel_asked=True))


def _owner(root: str) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:32]


def _add(total: Read, result: dict[str, Any]) -> None:
    total.new += result["new"]
    total.known += result["known"]
    for name in ("skipped", "replaced", "noted"):
        getattr(total, name).extend(SkippedRecord(**record) for record in result[name])
