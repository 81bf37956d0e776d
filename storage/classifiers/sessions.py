"""Sessions: what someone works on, under a name, found again after a reload, a restart, and in another browser.

What stands in the fields of the page is the session's `state`: plain JSON, of which storage knows nothing more. The board is
its run, with the dial and what was taught; labels belong to the pictures and to no session.
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
        """Every session, the last used first."""
        with self._database.reading() as connection:
            return _every(connection)

    def get(self, session_id: int) -> SessionRecord:
        """A session by its id. Raises NotFound."""
        with self._database.reading() as connection:
            return _there(connection, session_id)

    def start(self, name: str = FIRST_NAME, state: Mapping[str, Any] | None = None) -> SessionRecord:
        """A new session with an empty board; a name that is taken gets a number. Raises BadInput for a bad name."""
        name, kept = clean_name(name, "A session"), _checked(state or {})
        with self._database.writing() as connection:
            return _insert(connection, name=_free(connection, name), state=kept)

    def use(self, session_id: int) -> SessionRecord:
        """Go on with a session, which makes it the last used. Raises NotFound."""
        with self._database.writing() as connection:
            _there(connection, session_id, lock=True)
            return _update(connection, session_id, {})

    def save(self, session_id: int, state: Mapping[str, Any], expected: int | None = None) -> SessionRecord:
        """Keep what stands in the fields. Raises NotFound, and Overtaken if the session is not at the `expected` edition any
        more: another window has changed it, and its words are not to be lost."""
        kept = _checked(state)
        with self._database.writing() as connection:
            before = _there(connection, session_id, lock=True)
            if "view" in before.state:
                kept = {"view": before.state["view"], **kept}
            if before.state == kept:
                return before
            if expected is not None and before.edition != expected:
                raise Overtaken("This session was changed in another window meanwhile; choose which of the two to keep.")
            return _update(connection, session_id, {"state": kept, "edition": before.edition + 1})

    def look(self, session_id: int, view: Mapping[str, Any]) -> SessionRecord:
        """Keep where someone is, as `state["view"]`: the last window wins, and the edition stays. Raises NotFound."""
        kept = _checked(view)
        with self._database.writing() as connection:
            before = _there(connection, session_id, lock=True)
            return _update(connection, session_id, {"state": {**before.state, "view": kept}})

    def show(self, session_id: int, run_id: str) -> SessionRecord:
        """Put a run on the session's board. Raises NotFound."""
        with self._database.writing() as connection:
            _there(connection, session_id, lock=True)
            require_run(connection, run_id)
            return _update(connection, session_id, {"run_id": run_id})

    def rename(self, session_id: int, name: str) -> SessionRecord:
        """Give a session another name. Raises NotFound, and BadInput for a bad name or one that is taken."""
        name = clean_name(name, "A session")
        with self._database.writing() as connection:
            _there(connection, session_id, lock=True)
            if _free(connection, name, but=session_id) != name:
                raise BadInput(f"There is a session “{name}” already; choose another name.")
            return _update(connection, session_id, {"name": name})

    def duplicate(self, session_id: int) -> SessionRecord:
        """A copy to try something with: the board, too, is its own. Raises NotFound."""
        with self._database.writing() as connection:
            known = _there(connection, session_id)
            name = _free(connection, f"{known.name[: NAME_LIMIT - 15]} copy")
            run_id = copy_run(connection, known.run) if known.run else None
            return _insert(connection, name=name, state=dict(known.state), run_id=run_id)

    def delete(self, session_id: int) -> SessionRecord:
        """Take a session off the list; labels, pictures and saved classifiers stay. `restore` has it back for
        KEPT_DELETED. Raises NotFound."""
        with self._database.writing() as connection:
            known = _there(connection, session_id, lock=True)
            connection.execute(delete(SessionRow).where(SessionRow.deleted < now() - KEPT_DELETED))
            connection.execute(update(SessionRow).where(SessionRow.id == session_id).values(deleted=now()))
        return known

    def restore(self, session_id: int) -> SessionRecord:
        """Have a deleted session back; if its name is taken by now, it gets a number. Raises NotFound."""
        with self._database.writing() as connection:
            known = _there(connection, session_id, deleted=True)
            name = _free(connection, known.name, but=session_id)
            return _update(connection, session_id, {"name": name, "deleted": None})


def _checked(state: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(state, allow_nan=False)
    if len(text) > STATE_LIMIT:
        raise TooMany("The names and prompts of this session are too long to be kept; use fewer of them.")
    kept: dict[str, Any] = json.loads(text)
    return kept


def _every(connection: Connection) -> list[SessionRecord]:
    rows = select(*_COLUMNS).where(SessionRow.deleted.is_(None)).order_by(SessionRow.used.desc(), SessionRow.id.desc())
    return [_record(row) for row in connection.execute(rows)]


def _there(connection: Connection, session_id: int, deleted: bool = False, lock: bool = False) -> SessionRecord:
    query = select(*_COLUMNS).where(SessionRow.id == session_id)
    query = query.where(SessionRow.deleted.is_not(None) if deleted else SessionRow.deleted.is_(None))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("That session is not there any more; choose another from the list.")
    return _record(row)


def _free(connection: Connection, name: str, but: int | None = None) -> str:
    """The name, or the first numbered one that no other session has."""
    taken = set(connection.scalars(select(SessionRow.name).where(SessionRow.deleted.is_(None), SessionRow.id != (but or 0))))
    numbered, number = name, 1
    while numbered in taken:
        number += 1
        numbered = f"{name[: NAME_LIMIT - 8]} {number}"
    return numbered


def _insert(connection: Connection, **values: Any) -> SessionRecord:
    return _record(connection.execute(insert(SessionRow).values(values).returning(*_COLUMNS)).one())


def _update(connection: Connection, session_id: int, values: dict[str, Any]) -> SessionRecord:
    changed = update(SessionRow).where(SessionRow.id == session_id).values(used=now(), **values)
    return _record(connection.execute(changed.returning(*_COLUMNS)).one())


def _record(row: AnyRow) -> SessionRecord:
    return SessionRecord(**row._mapping)
