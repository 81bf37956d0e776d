"""What people say of pictures: labels, and the log of their moves, from which each person's own can be taken back.

On a board with some classes a picture has one place: the class that is 1; NONE if every class is -1; UNSURE if every class
is 0; else it has none, and the classifier's guess is shown. A move changes a picture only if it still is where its mover saw
it (compare and set), and an undo only what still is as the step left it. So two people cannot overwrite each other.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from clipcore import NONE, UNSURE, BadInput

from ..database import Database, chunks
from ..people import author as who_acts
from ..pictures.identity import seen_to
from ..tables import AnyRow, Image, LabelRow, LabelStep, now
from . import opinions

Place = str | int | None
Values = dict[str, int]  # of one picture: label -> 1, -1 or 0
Change = tuple[tuple[str, int | None, int | None], ...]  # of one picture: (label, value before, value after), by label

CLIENT_LIMIT = 64  # letters in a client's or a step's own number
ROWS = 5000  # written at once


@dataclass(frozen=True)
class Entry:
    """What a step goes by in the log: whose it is, its own number, and its first part, where it has several. `author` is the
    person who acts, None where there are no accounts; `settles` says that they decide where people differ."""

    client: str
    op: str
    part_of: int | None = None
    author: int | None = field(default_factory=who_acts)
    settles: bool = False

    def part(self, number: int, first: int | None) -> "Entry":
        """The entry of a further part of this step, with the same number whenever it is asked for."""
        return replace(self, op=hashlib.sha256(f"{self.op}/{number}".encode()).hexdigest(), part_of=first)


@dataclass(frozen=True)
class Moved:
    """The library's newest step, the pictures that a step changed, and those it left alone because someone was faster."""

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


def values_of(connection: Connection, pictures: Iterable[str]) -> dict[str, Values]:
    """All labels of these pictures, by picture; those without any are left out."""
    found: dict[str, Values] = {}
    columns = (LabelRow.picture, LabelRow.label, LabelRow.value)
    for some in chunks(dict.fromkeys(pictures)):
        for picture, label, value in connection.execute(select(*columns).where(LabelRow.picture.in_(some))):
            found.setdefault(picture, {})[label] = value
    return found


def all_values(connection: Connection) -> dict[str, Values]:
    """The labels of every picture that has any, by picture."""
    found: dict[str, Values] = {}
    for picture, label, value in connection.execute(select(LabelRow.picture, LabelRow.label, LabelRow.value)):
        found.setdefault(picture, {})[label] = value
    return found


def positives(connection: Connection, labels: Sequence[str] | None) -> dict[str, str]:
    """Picture -> its label, for those of which a file is there and that are exactly one of these labels, or of all."""
    rows = select(LabelRow.picture, LabelRow.label).where(LabelRow.value == 1, _there()).order_by(LabelRow.picture)
    wanted = None if labels is None else set(labels)
    found: dict[str, list[str]] = {}
    for picture, label in connection.execute(rows):
        if wanted is None or label in wanted:
            found.setdefault(picture, []).append(label)
    return {picture: labels[0] for picture, labels in found.items() if len(labels) == 1}


def counts(connection: Connection) -> dict[str, int]:
    """How many pictures of which a file is there each label is true of, by label."""
    query = select(LabelRow.label, func.count()).where(LabelRow.value == 1, _there()).group_by(LabelRow.label)
    return dict(connection.execute(query.order_by(LabelRow.label)).all())


def pictures_of(connection: Connection, image_ids: Iterable[int]) -> dict[int, str]:
    """Image id -> picture, for those that are known."""
    return {
        image_id: picture
        for some in chunks(dict.fromkeys(image_ids))
        for image_id, picture in connection.execute(select(Image.id, Image.picture).where(Image.id.in_(some)))
    }


def _there() -> ColumnElement[bool]:
    return select(Image.id).where(Image.picture == LabelRow.picture, ~Image.missing).exists()


def newest(connection: Connection) -> int:
    """The number of the last step; 0 before the first."""
    return connection.scalar(select(func.max(LabelStep.id))) or 0


def changed_since(connection: Connection, step: int) -> set[str]:
    """The pictures whose labels changed in the steps after this one."""
    steps = connection.scalars(select(LabelStep.changes).where(LabelStep.id > step))
    return {picture for groups in steps for pictures, _ in groups for picture in pictures}


# moving


def move(
    database: Database, connection: Connection, seen: Mapping[str, Place], to: Place, among: Sequence[str], entry: Entry
) -> Moved:
    """Put the pictures that still are where they were `seen` (picture -> place) at `to`, as one step or a part of one.

    The same entry again is answered and not done twice. Raises BadInput for a place that is not on the board.
    """
    target = values_at(to, among)
    if done := begin(connection, entry):
        left = {picture for picture, values in _among(connection, seen, among).items() if place_of(values, among) != to}
        changed = _pictures(done)
        return Moved(newest(connection), tuple(changed), tuple(sorted(left - set(changed))))
    before = _among(connection, seen, among)
    skipped = [p for p, place in seen.items() if place_of(before[p], among) not in (place, to)]
    moved = seen.keys() - set(skipped)
    seen_to(connection, moved)
    changes = {p: _change(before[p], target) for p in moved}
    return _step(database, connection, changes, entry, skipped, saying=(dict.fromkeys(moved, target), among))


def set_values(database: Database, connection: Connection, wanted: Mapping[str, Mapping[str, int]], entry: Entry) -> Moved:
    """Set labels of pictures (picture -> label -> value) and leave their other labels as they are, as `move` does."""
    if done := begin(connection, entry):
        return Moved(newest(connection), tuple(_pictures(done)))
    before = values_of(connection, wanted)
    changes = {p: _change({k: before.get(p, {})[k] for k in v if k in before.get(p, {})}, v) for p, v in wanted.items()}
    seen_to(connection, wanted)
    return _step(database, connection, changes, entry, saying=(wanted, None))


def replace_values(
    database: Database, connection: Connection, wanted: Mapping[str, Values], among: Sequence[str], entry: Entry
) -> Moved:
    """Give pictures (picture -> label -> value) these labels and no other of `among`, as `move` does."""
    if done := begin(connection, entry):
        return Moved(newest(connection), tuple(_pictures(done)))
    before = _among(connection, wanted, among)
    seen_to(connection, wanted)
    moved = _step(database, connection, {p: _change(before[p], values) for p, values in wanted.items()}, entry)
    if entry.settles:
        opinions.settle(connection, wanted)
    return moved


# taking back


def say(
    database: Database, connection: Connection, wanted: Mapping[str, Values], among: Sequence[str], entry: Entry
) -> Moved:
    """Keep what a person says of pictures (picture -> label -> value, no other of `among`) without seeing what others said.
    A picture that has a label of `among` keeps it: where they differ, somebody decides (`settles`)."""
    if done := begin(connection, entry):
        return Moved(newest(connection), tuple(_pictures(done)))
    before = _among(connection, wanted, among)
    seen_to(connection, wanted)
    changes = {p: _change({}, values) for p, values in wanted.items() if not before[p]}
    return _step(database, connection, changes, entry, saying=(wanted, among))


def reverse(database: Database, connection: Connection, part: int, entry: Entry, undoes: int | None) -> Moved:
    """Take back a part of a step, or a part of an undo; the first part says which step it `undoes`.

    A picture that someone has labelled since stays as it is. The reversal is a step of its own.
    """
    if done := begin(connection, entry):
        return Moved(newest(connection), tuple(_pictures(done)))
    last = connection.execute(select(LabelStep.changes, LabelStep.said).where(LabelStep.id == part)).one()
    back = {picture: change for pictures, change in last.changes for picture in pictures}
    now_there = values_of(connection, back)
    skipped = {
        picture
        for picture, change in back.items()
        if any(now_there.get(picture, {}).get(label) != after for label, _, after in change)
    }
    changes = {
        picture: tuple((label, after, before) for label, before, after in change)
        for picture, change in back.items()
        if picture not in skipped
    }
    unsaid = opinions.backwards(last.said) if last.said else None
    return _step(database, connection, changes, entry, tuple(skipped), undoes, unsaid=unsaid)


def stacks(connection: Connection, client: str) -> tuple[list[int], list[int]]:
    """A client's steps that can be taken back, and its undos that can; the last of each list is the next to go. They are
    those of the person who acts: nobody takes back what somebody else did.

    A new move ends what could be done again.
    """
    done: list[int] = []
    undone: list[int] = []
    whose = LabelStep.author_id == who_acts() if who_acts() is not None else LabelStep.author_id.is_(None)
    mine = (LabelStep.client == client, whose, LabelStep.part_of.is_(None))
    steps = select(LabelStep.id, LabelStep.undoes).where(*mine)
    for step, undoes in connection.execute(steps.order_by(LabelStep.id)):
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


def parts_of(connection: Connection, step: int) -> list[int]:
    """A step and its further parts, in order."""
    mine = (LabelStep.id == step) | (LabelStep.part_of == step)
    return list(connection.scalars(select(LabelStep.id).where(mine).order_by(LabelStep.id)))


def step_of(connection: Connection, entry: Entry) -> int | None:
    """The step that was made under this entry; None if there is none, because nothing changed."""
    return connection.scalar(select(LabelStep.id).where(LabelStep.op == entry.op))


# what the moves share


def begin(connection: Connection, entry: Entry) -> AnyRow | None:
    """What was done under this entry before, if anything. Nobody else is moving labels: `database.writing` sees to that.

    Raises BadInput.
    """
    if not 0 < len(entry.op) <= CLIENT_LIMIT or not 0 < len(entry.client) <= CLIENT_LIMIT:
        raise BadInput(f"A step and its client have names of 1 to {CLIENT_LIMIT} letters; load the page again.")
    return connection.execute(select(LabelStep.changes, LabelStep.undoes).where(LabelStep.op == entry.op)).one_or_none()


def _among(connection: Connection, pictures: Iterable[str], among: Sequence[str]) -> dict[str, Values]:
    board = set(among)
    found = values_of(connection, pictures)
    return {c: {label: value for label, value in found.get(c, {}).items() if label in board} for c in pictures}


def _change(before: Mapping[str, int], after: Mapping[str, int]) -> Change:
    labels = sorted(before.keys() | after.keys())
    return tuple((label, before.get(label), after.get(label)) for label in labels if before.get(label) != after.get(label))


def _pictures(step: AnyRow) -> list[str]:
    return [picture for pictures, _ in step.changes for picture in pictures]


def _step(
    database: Database,
    connection: Connection,
    changes: Mapping[str, Change],
    entry: Entry,
    skipped: Sequence[str] = (),
    undoes: int | None = None,
    saying: tuple[Mapping[str, Mapping[str, int]], Sequence[str] | None] | None = None,
    unsaid: opinions.Said | None = None,
) -> Moved:
    """Write the changes and their entry in the log. A step that changes nothing is kept only if it is an undo, a decision,
    or a person's word that others said already. `saying` is what the author says (picture -> label -> value) and among which
    labels they say nothing else; `unsaid` what they take back."""
    groups: dict[Change, list[str]] = {}  # a column moved at once is one group, however many pictures and classes it has
    for picture, change in changes.items():
        if change:
            groups.setdefault(change, []).append(picture)
    said = unsaid
    if saying is not None and entry.author is not None:
        said = opinions.change(connection, entry.author, *saying)
    if not groups and undoes is None and not said and not entry.settles:
        return Moved(newest(connection), (), tuple(skipped))
    for change, pictures in groups.items():
        _write(database, connection, pictures, change, entry.author)
    if said and entry.author is not None:
        opinions.write(database, connection, entry.author, said)
    row = {
        **{"op": entry.op, "client": entry.client, "part_of": entry.part_of, "undoes": undoes},
        **{"author_id": entry.author, "said": said or None},
        "changes": [[pictures, list(change)] for change, pictures in groups.items()],
    }
    step = connection.execute(insert(LabelStep).values(row).returning(LabelStep.id)).scalar_one()
    return Moved(step, tuple(c for pictures in groups.values() for c in pictures), tuple(skipped))


def _write(database: Database, connection: Connection, pictures: Sequence[str], change: Change, by: int | None) -> None:
    gone = [label for label, _, after in change if after is None]
    for labels in chunks(gone):
        for some in chunks(pictures):
            connection.execute(delete(LabelRow).where(LabelRow.picture.in_(some), LabelRow.label.in_(labels)))
    kept = [(label, after) for label, _, after in change if after is not None]
    if not kept:
        return
    upsert = database.insert(LabelRow)
    upsert = upsert.on_conflict_do_update(
        index_elements=["picture", "label"],
        set_={name: upsert.excluded[name] for name in ("value", "created", "author_id", "settled")},
    )
    moment, rows = now(), []
    for picture in pictures:
        for label, value in kept:
            row = {"picture": picture, "label": label, "value": value, "created": moment}
            rows.append({**row, "author_id": by, "settled": False})
        if len(rows) >= ROWS:
            connection.execute(upsert, rows)
            rows = []
    if rows:
        connection.execute(upsert, rows)
