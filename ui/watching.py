"""Looks at watched folders when they are due: a job brings in what is new, and sorts it where somebody asked for that."""

import logging
import threading
from collections.abc import Generator
from typing import Any

from clipcore import NotFound, SaysoError, Step
from storage import Jobs, Library

EVERY = 20.0  # seconds between two looks which folders are due
MOST_ON_A_BOARD = 10_000

log = logging.getLogger(__name__)


class Watcher:
    """Submits a job `watch` for each folder that is due, while the page is served."""

    def __init__(self, library: Library, jobs: Jobs) -> None:
        self._library, self._jobs = library, jobs
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._watch, name="watched-folders", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> list[int]:
        """The jobs that are begun now; a folder for which one is at work has none beside it."""
        at_work = {job.payload.get("folder") for job in self._jobs.active() if job.kind == "watch"}
        due = [folder for folder in self._library.due_folders() if folder not in at_work]
        return [self._jobs.submit("watch", {"folder": folder}) for folder in due]

    def _watch(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self.look()
            except SaysoError as error:  # a library kept busy: the next round
                log.warning("watched folders: %s", error)
            except Exception:
                log.exception("watched folders")


def iter_watch(library: Library, folder_id: int) -> Generator[Step, None, dict[str, Any]]:
    """Bring in what is new in a watched folder, and sort it on the board of a session of its own."""
    folder = next((one for one in library.folders() if one.id == folder_id), None)
    if folder is None or folder.every is None:
        return {"folder_id": folder_id, "new": 0, "known": 0, "skipped": [], "sorted": 0}
    library.looked_at(folder_id)  # first: a folder that cannot be read must not be tried without end
    last = max((image.id for image in library.images(folder_id, limit=folder.images)), default=0)
    added = yield from library.iter_add(folder.path)
    new = [image.id for image in library.images(folder_id, after=last, limit=MOST_ON_A_BOARD)]
    counts = {"new": added.new, "known": added.known, "skipped": [[one.path, one.reason] for one in added.skipped]}
    sorted_ = _sort(library, folder.name, folder.sorter, new) if folder.sorter and new else ""
    return {"folder_id": folder_id, **counts, "replaced": len(added.replaced), "note": sorted_ or added.note}


def _sort(library: Library, name: str, sorter: str, new: list[int]) -> str:
    """Put new pictures on the board of the session “New in ...”, beside those that lie there. Says what was done."""
    title = f"New in {name}"[:150]
    try:
        classifier = library.classifiers.get(sorter)
    except NotFound:
        return f"{len(new):,} new images in {name}. The classifier “{sorter}” is gone, so they are not sorted."
    sessions = library.sessions.all()
    mine = next((one for one in sessions if one.name == title), None)
    before = library.runs.get(mine.run).image_ids or () if mine and mine.run else ()
    run = library.runs.start(classifier, image_ids=[*before, *new][-MOST_ON_A_BOARD:])
    session = mine or library.sessions.start(title, {"names": ", ".join(classifier.labels)})
    library.sessions.show(session.id, run.id)
    if sessions:  # who opens the page goes on where somebody has worked
        library.sessions.use(sessions[0].id)
    return f"{len(new):,} new images in {name}, sorted by “{sorter}”: see the session “{title}”."
