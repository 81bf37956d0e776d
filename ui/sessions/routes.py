"""The switcher's routes: the list, what is typed, and where someone is. Another session is put on the page by `switcher`."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import FastAPI

from clipcore import NotFound, Overtaken, SaysoError, parse_labels

from ..ids import Id
from ..studio import Studio
from .fields import Fields, as_plain
from .label_sets import sets_of

SETTLING = timedelta(seconds=4)  # in which a window shows the end of its own job
GONE = {"gone": True}  # no mistake of the window that asks: another has deleted what it shows


@dataclass
class Kept:
    """What stands in the fields. `expected` is the edition that the window knows; without one it overwrites whatever is
    there, which someone has chosen."""

    fields: Fields
    expected: Id | None = None


@dataclass
class View:
    """Where someone is: the tab, and what the library was asked."""

    tab: str = ""
    search: dict[str, str | bool] = field(default_factory=dict)


@dataclass
class Shown:
    """The run on a window's board."""

    run: str


@dataclass
class Name:
    name: str


def add_session_routes(app: FastAPI, studio: Studio) -> None:
    """Hang the switcher's routes on the app. They are plain functions, so each runs in a worker thread."""
    sessions = studio.library.sessions
    path = "/api/sessions/{session_id}"

    @app.get("/api/sessions")
    def every() -> list[dict[str, Any]]:
        """Each session with its name, how many classes its field names, and when it was last used."""
        return [
            {
                "id": one.id,
                "first": one.first,  # by which a window knows another label set of its own session
                "name": one.name,
                "classes": _classes(Fields.of(one.state).names),
                "used": one.used.isoformat(timespec="seconds"),
            }
            for one in sessions.all()
        ]

    @app.get(path)
    def whole(session_id: Id) -> dict[str, Any]:
        return as_plain(sessions.get(session_id)) | {"sets": sets_of(studio, session_id)}

    @app.get(path + "/pulse")
    def pulse(session_id: Id) -> dict[str, Any]:
        """What another window may have changed. `busy` while the end of a job may not be on its own window's page yet."""
        try:
            session = sessions.get(session_id)
        except NotFound:
            return GONE
        late = datetime.now(UTC) - SETTLING
        jobs = [job for job in studio.jobs.recent(20) if job.payload.get("session") == session_id]
        busy = any(not job.over or (job.finished and job.finished > late) for job in jobs)
        sets = sets_of(studio, session_id)
        return {"name": session.name, "edition": session.edition, "run": session.run or "", "busy": busy, "sets": sets}

    @app.post(path)
    def keep(session_id: Id, kept: Kept) -> dict[str, Any]:
        try:
            return {"session": as_plain(sessions.save(session_id, asdict(kept.fields), kept.expected))}
        except Overtaken as error:  # no mistake: the window asks which of the two to keep
            return {"overtaken": as_plain(sessions.get(session_id)), "words": error.page}
        except NotFound:
            return GONE

    @app.post(path + "/view")
    def look(session_id: Id, view: View) -> dict[str, Any]:
        try:
            sessions.look(session_id, asdict(view))
        except NotFound:
            return GONE
        return {}

    @app.post(path + "/board")
    def show(session_id: Id, shown: Shown) -> dict[str, Any]:
        """A board that was sorted in the first moment of a load, before the window knew its session."""
        return as_plain(sessions.show(session_id, shown.run))

    @app.post(path + "/name")
    def rename(session_id: Id, name: Name) -> dict[str, Any]:
        return as_plain(sessions.rename(session_id, name.name))

    @app.post(path + "/{what}")
    def change(session_id: Id, what: Literal["duplicate", "delete", "restore"]) -> dict[str, Any]:
        return as_plain(getattr(sessions, what)(session_id))


def _classes(names: str) -> int:
    try:
        return len(parse_labels(names)[0]) if names.strip() else 0
    except SaysoError:  # being typed
        return 0
