"""Several label sets at once: what is in the same pictures, where they are, and so on, each with classes and a board.

A label set is a session of its own beside the session's first one, so it has fields, prompts, a dial, a lesson and a run.
What it is called, and whose it is, stands in its state under `set`.
"""

from collections.abc import Iterable

from clipcore import BadInput, TooMany

from ..names import clean_name
from ..records import SessionRecord
from ..tables import now
from ..vectors.opened import Opened
from .sessions import SHARED, members, put_in, the_session, write, write_used

MOST = 20
FIRST = "Set 1"


class LabelSets:
    """The label sets of the sessions of a library."""

    def __init__(self, opened: Opened) -> None:
        self._database = opened.database

    def of(self, session_id: int) -> list[SessionRecord]:
        """All sets of a session, the first one first, by the id of any. Raises NotFound."""
        with self._database.reading() as connection:
            return members(connection, the_session(connection, session_id))

    def add(self, session_id: int, name: str, first: str = FIRST) -> SessionRecord:
        """One more set over the same pictures, empty otherwise; where there was one set only, that is called `first` now.
        Raises NotFound, TooMany, BadInput for a bad name or one that is taken."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id, lock=True)
            there = members(connection, known)
            if len(there) >= MOST:
                raise TooMany(f"A session has at most {MOST} label sets; remove one, or begin a new session.")
            if not there[0].label_set:
                called = clean_name(first, "A label set")
                write(connection, known.first, {"state": {**there[0].state, "set": {"name": called}}})
                there = members(connection, known)
            state = {field: known.state[field] for field in SHARED if field in known.state}
            own = {"of": known.first, "name": _own(there, name)}
            return put_in(connection, name=known.name, state={**state, "set": own})

    def rename(self, session_id: int, name: str) -> SessionRecord:
        """Call a set something else. Raises NotFound, BadInput for a bad name or one that is taken."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id, lock=True)
            others = [one for one in members(connection, known) if one.id != session_id]
            own = {**known.state.get("set", {}), "name": _own(others, name)}
            return write_used(connection, session_id, {"state": {**known.state, "set": own}})

    def remove(self, session_id: int) -> SessionRecord:
        """Take a set out of its session; its labels stay with the pictures, and `Sessions.restore` has it back. Gives a set
        that is left. Raises NotFound, BadInput for the only one."""
        with self._database.writing() as connection:
            known = the_session(connection, session_id, lock=True)
            left = [one for one in members(connection, known) if one.id != session_id]
            if not left:
                raise BadInput("This is the only label set; delete the session instead.")
            first = known.first
            if first == session_id:  # the next one takes its place
                first = left[0].id
                write(connection, first, {"state": {**left[0].state, "set": {"name": left[0].label_set}}})
                for one in [*left[1:], known]:
                    write(connection, one.id, {"state": {**one.state, "set": {"of": first, "name": one.label_set}}})
            write(connection, session_id, {"deleted": now()})
            return the_session(connection, first)


def _own(others: Iterable[SessionRecord], name: str) -> str:
    name = clean_name(name, "A label set")
    if name.casefold() in {one.label_set.casefold() for one in others}:
        raise BadInput(f"There is a label set “{name}” already; choose another name.")
    return name
