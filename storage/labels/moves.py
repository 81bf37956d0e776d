"""What people say of pictures: labels, and the log of their moves, from which each person's own can be taken back.

On a board with some classes a picture has one place: the class that is 1; NONE if every class is -1; UNSURE if every class
is 0; else it has none, and the classifier's guess is shown. A move changes a picture only if it still is where its mover saw
it (compare and set), and an undo only what still is as the step left it. So two people cannot overwrite each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, text

from clipcore import NONE, UNSURE, BadInput

from ..database import Database, chunks
from ..tables import AnyRow, Image, LabelRow, LabelStep, now

Place = str | int | None
Values = dict[str, int]  # of one picture: label -> 1, -1 or 0
Change = tuple[tuple[str, int | None, int | None], ...]  # of one picture: (label, value before, value after), by label

CLIENT_LIMIT = 64  # letters in a client's or a step's own number
ROWS = 5000  # written at once


@dataclass(frozen=True)
class Moved:
    """The library's newest step, the contents that a step changed, and those it left alone because someone was faster."""

    step: int
    changed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def place_of(values: Mapping[str, int], among: Sequence[str]) -> Place:
    """Where a picture with these labels is on a board of the classes `among`; None where nobody has said."""
    true = [label for label, value in values.items() if value == 1 and label in among]
    if true:
        return min(true, key=among.index)
    if len(values) < len(among):  # by far the most pictures: nobody has said anything
        return None
    said = {values.get(label) for label in among}
    return NONE if said == {-1} else UNSURE if said == {0} else None


def values_at(place: Place, among: Sequence[str]) -> Values:
    """The labels that put a picture there; the inverse of `place_of`. Raises BadInput for a place the board has not."""
    if place is None:
        return {}
    if place in (UNSURE, NONE):
        return dict.fromkeys(among, 0 if place == UNSURE else -1)
    if place not in among:
        raise BadInput(f"There is no class “{place}” on this board; load it again.")
    return {str(place): 1}


def truth_of(values: Mapping[str, int], among: Sequence[str]) -> list[bool] | None:
    """Where several labels can be true: which of `among` are, for a picture with these labels; None where nobody has said.

    A picture that someone has looked at has the labels that were said of it and no others.
    """
    said = [values.get(label) for label in among]
    return [value == 1 for value in said] if {1, -1} & set(said) else None


# reading


def values_of(connection: Connection, hashes: Iterable[str]) -> dict[str, Values]:
    """All labels of these contents, by content hash; those without any are left out."""
    found: dict[str, Values] = {}
    columns = (LabelRow.content_hash, LabelRow.label, LabelRow.value)
    for some in chunks(dict.fromkeys(hashes)):
        for content, label, value in connection.execute(select(*columns).where(LabelRow.content_hash.in_(some))):
            found.setdefault(content, {})[label] = value
    return found


def all_values(connection: Connection) -> dict[str, Values]:
    """The labels of every content that has any, by content hash."""
    found: dict[str, Values] = {}
    for content, label, value in connection.execute(select(LabelRow.content_hash, LabelRow.label, LabelRow.value)):
        found.setdefault(content, {})[label] = value
    return found


def positives(connection: Connection, labels: Sequence[str] | None) -> dict[str, str]:
    """Content hash -> its label, for contents that are exactly one of these labels, or of all there are; by hash."""
    rows = select(LabelRow.content_hash, LabelRow.label).where(LabelRow.value == 1).order_by(LabelRow.content_hash)
    wanted = None if labels is None else set(labels)
    found: dict[str, list[str]] = {}
    for content, label in connection.execute(rows):
        if wanted is None or label in wanted:
            found.setdefault(content, []).append(label)
    return {content: labels[0] for content, labels in found.items() if len(labels) == 1}


def counts(connection: Connection) -> dict[str, int]:
    """How many contents each label is true of, by label."""
    query = select(LabelRow.label, func.count()).where(LabelRow.value == 1).group_by(LabelRow.label)
    return dict(connection.execute(query.order_by(LabelRow.label)).all())


def hashes_of(connection: Connection, image_ids: Iterable[int]) -> dict[int, str]:
    """Image id -> content hash, for those that are there."""
    return {
        image_id: content
        for some in chunks(dict.fromkeys(image_ids))
        for image_id, content in connection.execute(select(Image.id, Image.content_hash).where(Image.id.in_(some)))
    }


def newest(connection: Connection) -> int:
    """The number of the last step; 0 before the first."""
    return connection.scalar(select(func.max(LabelStep.id))) or 0


def changed_since(connection: Connection, step: int) -> set[str]:
    """The contents whose labels changed in the steps after this one."""
    steps = connection.scalars(select(LabelStep.changes).where(LabelStep.id > step))
    return {content for groups in steps for contents, _ in groups for content in contents}


# moving


def move(
    database: Database,
    connection: Connection,
    seen: Mapping[str, Place],
    to: Place,
    among: Sequence[str],
    client: str,
    op: str,
) -> Moved:
    """Put the contents that still are where they were `seen` (hash -> place) at `to`, as one step.

    The same `op` again is answered and not done twice. Raises BadInput for a place that is not on the board.
    """
    target = values_at(to, among)
    if done := _begin(database, connection, client, op):
        left = {content for content, values in _among(connection, seen, among).items() if place_of(values, among) != to}
        changed = _contents(done)
        return Moved(newest(connection), tuple(changed), tuple(sorted(left - set(changed))))
    before = _among(connection, seen, among)
    skipped = [c for c, place in seen.items() if place_of(before[c], among) not in (place, to)]
    changes = {c: _change(before[c], target) for c in seen.keys() - set(skipped)}
    return _step(database, connection, changes, client, op, skipped)


def set_values(
    database: Database, connection: Connection, wanted: Mapping[str, Mapping[str, int]], client: str, op: str
) -> Moved:
    """Set labels of contents (hash -> label -> value) and leave their other labels as they are, as one step."""
    if done := _begin(database, connection, client, op):
        return Moved(newest(connection), tuple(_contents(done)))
    before = values_of(connection, wanted)
    changes = {c: _change({k: before.get(c, {})[k] for k in v if k in before.get(c, {})}, v) for c, v in wanted.items()}
    return _step(database, connection, changes, client, op)


def replace_values(
    database: Database, connection: Connection, wanted: Mapping[str, Values], among: Sequence[str], client: str, op: str
) -> Moved:
    """Give contents (hash -> label -> value) these labels and no other of `among`, as one step."""
    if done := _begin(database, connection, client, op):
        return Moved(newest(connection), tuple(_contents(done)))
    before = _among(connection, wanted, among)
    return _step(database, connection, {c: _change(before[c], values) for c, values in wanted.items()}, client, op)


def reverse(database: Database, connection: Connection, client: str, op: str, redo: bool = False) -> Moved | None:
    """Take back this client's last step, or with `redo` its last undo; None if there is nothing to take back.

    A content that someone has labelled since stays as it is. The reversal is a step of its own.
    """
    if done := _begin(database, connection, client, op):
        return Moved(newest(connection), tuple(_contents(done)))
    stack = stacks(connection, client)[redo]
    if not stack:
        return None
    last = connection.execute(select(LabelStep.changes).where(LabelStep.id == stack[-1])).one()
    back = {content: change for contents, change in last.changes for content in contents}
    now_there = values_of(connection, back)
    skipped = [
        content
        for content, change in back.items()
        if any(now_there.get(content, {}).get(label) != after for label, _, after in change)
    ]
    changes = {
        content: tuple((label, after, before) for label, before, after in change)
        for content, change in back.items()
        if content not in set(skipped)
    }
    return _step(database, connection, changes, client, op, skipped, undoes=stack[-1])


def stacks(connection: Connection, client: str) -> tuple[list[int], list[int]]:
    """A client's steps that can be taken back, and its undos that can; the last of each list is the next to go.

    A new move ends what could be done again.
    """
    done: list[int] = []
    undone: list[int] = []
    steps = select(LabelStep.id, LabelStep.undoes).where(LabelStep.client == client).order_by(LabelStep.id)
    for step, undoes in connection.execute(steps):
        if undoes is None:
            done.append(step)
            undone.clear()
        elif done and done[-1] == undoes:
            done.pop()
            undone.append(step)
        else:
            undone.pop()
            done.append(step)
    return done, undone


# what the moves share


def _begin(database: Database, connection: Connection, client: str, op: str) -> AnyRow | None:
    """See that nobody else is moving labels; the step with this `op`, if it was done before."""
    if not 0 < len(op) <= CLIENT_LIMIT or not 0 < len(client) <= CLIENT_LIMIT:
        raise BadInput(f"A step and its client have names of 1 to {CLIENT_LIMIT} letters; load the page again.")
    if not database.is_sqlite:  # BEGIN IMMEDIATE has done this for SQLite
        connection.execute(text("LOCK TABLE label_steps IN SHARE ROW EXCLUSIVE MODE"))
    return connection.execute(select(LabelStep.changes).where(LabelStep.op == op)).one_or_none()


def _among(connection: Connection, contents: Iterable[str], among: Sequence[str]) -> dict[str, Values]:
    board = set(among)
    found = values_of(connection, contents)
    return {c: {label: value for label, value in found.get(c, {}).items() if label in board} for c in contents}


def _change(before: Mapping[str, int], after: Mapping[str, int]) -> Change:
    labels = sorted(before.keys() | after.keys())
    return tuple((label, before.get(label), after.get(label)) for label in labels if before.get(label) != after.get(label))


def _contents(step: AnyRow) -> list[str]:
    return [content for contents, _ in step.changes for content in contents]


def _step(
    database: Database,
    connection: Connection,
    changes: Mapping[str, Change],
    client: str,
    op: str,
    skipped: Sequence[str] = (),
    undoes: int | None = None,
) -> Moved:
    """Write the changes and their entry in the log. A step that changes nothing is kept only if it is an undo."""
    groups: dict[Change, list[str]] = {}  # a column moved at once is one group, however many pictures and classes it has
    for content, change in changes.items():
        if change:
            groups.setdefault(change, []).append(content)
    if not groups and undoes is None:
        return Moved(newest(connection), (), tuple(skipped))
    for change, contents in groups.items():
        _write(database, connection, contents, change)
    row = {"op": op, "client": client, "undoes": undoes, "changes": [[c, list(change)] for change, c in groups.items()]}
    step = connection.execute(insert(LabelStep).values(row).returning(LabelStep.id)).scalar_one()
    return Moved(step, tuple(c for contents in groups.values() for c in contents), tuple(skipped))


def _write(database: Database, connection: Connection, contents: Sequence[str], change: Change) -> None:
    gone = [label for label, _, after in change if after is None]
    for labels in chunks(gone):
        for some in chunks(contents):
            connection.execute(delete(LabelRow).where(LabelRow.content_hash.in_(some), LabelRow.label.in_(labels)))
    kept = [(label, after) for label, _, after in change if after is not None]
    if not kept:
        return
    upsert = database.insert(LabelRow)
    upsert = upsert.on_conflict_do_update(
        index_elements=["content_hash", "label"],
        set_={"value": upsert.excluded.value, "created": upsert.excluded.created},
    )
    moment, rows = now(), []
    for content in contents:
        for label, value in kept:
            rows.append({"content_hash": content, "label": label, "value": value, "created": moment})
        if len(rows) >= ROWS:
            connection.execute(upsert, rows)
            rows = []
    if rows:
        connection.execute(upsert, rows)
