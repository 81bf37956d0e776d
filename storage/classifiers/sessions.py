"""Sessions: what someone works on, under a name, found again after a reload, a restart, and in another browser.

What stands in the fields of the page is the session's `state`: plain JSON, of which storage knows nothing more. The board is
its run, with the dial and what was taught; labels belong to the pictures and to no session.

A session may have several *label sets* over the same pictures, see `label_sets`: each is a row of its own, and all of them
are renamed, copied and deleted together.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from clipcore import BadInput, NotFound, Overtaken, TooMany

from ..names import NAME_LIMIT, clean_name
from ..records import SessionRecord
from ..tables import AnyRow, SessionRow, now
from ..vectors.opened import Opened
from .runs import copy_run, require_run

FIRST_NAME = "New session"
STATE_LIMIT = 1_000_000  # letters of JSON: names of 20,000 classes take half of that
KEPT_DELETED = timedelta(days=30)  # for which a deleted session can be had back
OWN = ("view", "set")  # parts of a state that are no fields, and stay when these are saved
SHARED = ("source",)  # fields that all label sets of a session have in common: the pictures are the same

_COLUMNS = (
    SessionRow.id,
    SessionRow.name,
    SessionRow.state,
    SessionRow.run_id.label("run"),
    SessionRow.edition,
    SessionRow.used,
)


class Sessions:
    """The sessions of a library."""

    def __init__(self, opened: Opened) -> None:
        self._database = opened.database

    def all(self) -> list[SessionRecord]:
        """Every session once, as the label set that was last used; the last used session first."""
        with self._database.reading() as connection:
            return _every(connection)

    def get(self, session_id: int) -> SessionRecord:
        """A session by its id. Raises NotFound."""
        with self._database.reading() as connection:
            return the_session(connection, session_id)

    def on_board(self, run_id: str) -> SessionRecord | None:
        """The session, or the label set of one, on whose board a run is."""
        there = select(*_COLUMNS).where(SessionRow.run_id == run_id, SessionRow.deleted.is_(None)).order_by(SessionRow.id)
        with self._database.reading() as connection:
            row = connection.execute(there).first()
        return None if row is None else _record(row)

    def start(self, name: str = FIRST_NAME, state: Mapping[str, Any] | None = None) -> SessionRecord:
        """A new session with an empty board; a name that is taken gets a number. Raises BadInput for a bad name."""
        name, kept = clean_name(name, "A session"), _checked(state or {})
        with self._database.writing() as connection:
            return put_in(connection, name=_free(connection, name), state=kept)

    def use(self, session_id: int) -> SessionRecord:
        """Go on with a session, which makes it the last used. Raises NotFound."""
        with self._database.writing() as connection:
            the_session(connection, session_id, lock=True)
            return write_used(connection, session_id, {})

    def save(self, session_id: int, state: Mapping[str, Any], expected: int | None = None) -> SessionRecord:
        """Keep what stands in the fields. Raises NotFound, and Overtaken if the session is not at the `expected` edition any
        more: another window has changed it, and its words are not to be lost."""
        kept = _checked(state)
        with self._database.writing() as connection:
            before = the_session(connection, session_id, lock=True)
            kept = {**{part: before.state[part] for part in OWN if part in before.state}, **kept}
            if before.state == kept:
                return before
            if expected is not None and before.edition != expected:
                raise Overtaken("This session was changed in another window meanwhile; choose which of the two to keep.")
            shared = {field: kept[field] for field in SHARED if field in kept}
            for other in members(connection, before):
                if other.id != session_id and other.state != (common := {**other.state, **shared}):
                    write(connection, other.id, {"state": common, "edition": other.edition + 1})
            return write_used(connection, session_id, {"state": kept, "edition": before.edition + 1})

    def look(self, session_id: int, view: Mapping[str, Any]) -> SessionRecord:
        """Keep where someone is, as `state["view"]`: the last window wins, and the edition stays. Raises NotFound."""
        kept = _checked(view)
        with self._database.writing() as connection:
            before = the_session(connection, session_id, lock=True)
            return write_used(connection, session_id, {"state": {**before.state, "view": kept}})

    def show(self, session_id: int, run_id: str) -> SessionRecord:
        """Put a run on the session's board. Raises NotFound."""
        with self._database.writing() as connection:
            the_session(connection, session_id, lock=True)
            require_run(connection, run_id)
            return write_used(connection, session_id, {"run_id": run_id})

    def rename(self, session_id: int, name: str) -> SessionRecord:
        """Give a session another name. Raises NotFound, and BadInput for a bad name or one that is taken."""
        name = clean_name(name, "A session")
        with self._database.writing() as connection:
            known = the_session(connection, session_id, lock=True)
            if _free(connection, name, but=known.first) != name:
                raise BadInput(f"There is a session “{name}” already; choose another name.")
            for one in members(connection, known):
                write(connection, one.id, {"name": name})
            return write_used(connection, session_id, {})

    def duplicate(self, session_id: int) -> SessionRecord:
        """A copy to try something with, with all label sets: the boards, too, are its own. Raises NotFound."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id)
            name = _free(connection, f"{known.name[: NAME_LIMIT - 15]} copy")
            copies: dict[int, SessionRecord] = {}
            for one in members(connection, known):
                state = dict(one.state)
                if one.id != one.first:
                    state["set"] = {**state["set"], "of": copies[one.first].id}
                run_id = copy_run(connection, one.run) if one.run else None
                copies[one.id] = put_in(connection, name=name, state=state, run_id=run_id)
            return copies[session_id]

    def delete(self, session_id: int) -> SessionRecord:
        """Take a session off the list; labels, pictures and saved classifiers stay. `restore` has it back for
        KEPT_DELETED. Raises NotFound."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id, lock=True)
            connection.execute(delete(SessionRow).where(SessionRow.deleted < now() - KEPT_DELETED))
            moment = now()
            for one in members(connection, known):
                write(connection, one.id, {"deleted": moment})
        return known

    def restore(self, session_id: int) -> SessionRecord:
        """Have a deleted session back, with the label sets that went with it; if its name is taken by now, it gets a number.
        A label set that was taken out of a session goes back into it. Raises NotFound."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id, deleted=True)
            gone = members(connection, known, deleted=True)
            if all(one.id != known.first for one in gone):  # the session itself is there
                name = the_session(connection, known.first).name
            else:
                name = _free(connection, known.name, but=known.first)
            for one in gone:
                write(connection, one.id, {"name": name, "deleted": None})
            return write_used(connection, session_id, {})


def members(connection: Connection, session: SessionRecord, deleted: bool = False) -> list[SessionRecord]:
    """All label sets of a session, the first one first: those that are there, or those that went together with this one."""
    same = (SessionRow.id == session.first) | (SessionRow.state[("set", "of")].as_integer() == session.first)
    moment = select(SessionRow.deleted).where(SessionRow.id == session.id).scalar_subquery()
    there = SessionRow.deleted == moment if deleted else SessionRow.deleted.is_(None)
    rows = connection.execute(select(*_COLUMNS).where(same, there).order_by(SessionRow.id))
    return sorted(map(_record, rows), key=lambda one: one.id != session.first)


def _checked(state: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(state, allow_nan=False)
    if len(text) > STATE_LIMIT:
        raise TooMany("The names and prompts of this session are too long to be kept; use fewer of them.")
    kept: dict[str, Any] = json.loads(text)
    return kept


def _every(connection: Connection) -> list[SessionRecord]:
    rows = select(*_COLUMNS).where(SessionRow.deleted.is_(None)).order_by(SessionRow.used.desc(), SessionRow.id.desc())
    found: dict[int, SessionRecord] = {}
    for row in connection.execute(rows):
        found.setdefault((record := _record(row)).first, record)
    return list(found.values())


def the_session(connection: Connection, session_id: int, deleted: bool = False, lock: bool = False) -> SessionRecord:
    query = select(*_COLUMNS).where(SessionRow.id == session_id)
    query = query.where(SessionRow.deleted.is_not(None) if deleted else SessionRow.deleted.is_(None))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("That session is not there any more; choose another from the list.")
    return _record(row)


def _free(connection: Connection, name: str, but: int | None = None) -> str:
    """The name, or the first numbered one that no other session has; `but` is the first set of one that is not asked."""
    rows = connection.execute(select(*_COLUMNS).where(SessionRow.deleted.is_(None)))
    taken = {record.name for record in map(_record, rows) if record.first != but}
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name[: NAME_LIMIT - 8]} {number}"
    return numbered


def put_in(connection: Connection, **values: Any) -> SessionRecord:
    return _record(connection.execute(insert(SessionRow).values(values).returning(*_COLUMNS)).one())


def write(connection: Connection, session_id: int, values: dict[str, Any]) -> None:
    connection.execute(update(SessionRow).where(SessionRow.id == session_id).values(values))


def write_used(connection: Connection, session_id: int, values: dict[str, Any]) -> SessionRecord:
    changed = update(SessionRow).where(SessionRow.id == session_id).values(used=now(), **values)
    return _record(connection.execute(changed.returning(*_COLUMNS)).one())


def _record(row: AnyRow) -> SessionRecord:
    return SessionRecord(**row._mapping)
