"""What each person said of a picture, beside the label that stands: kept when somebody else says otherwise, so that one can
see how far people agree, and decide where they do not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from ..database import Database, chunks
from ..tables import Image, LabelRow, Opinion, now

Said = list[tuple[list[str], list[tuple[str, int | None, int | None]]]]  # as `LabelStep.changes`


@dataclass(frozen=True)
class Word:
    """What a person said of a picture, and when: `label` is what it is (1), is not (-1), or cannot be told (0)."""

    picture: str
    label: str
    value: int
    person_id: int
    when: datetime


def change(
    connection: Connection, person: int, wanted: Mapping[str, Mapping[str, int]], among: Sequence[str] | None
) -> Said:
    """What a person's opinions change by saying this of pictures; of `among` they then say nothing else."""
    before = of_person(connection, person, wanted)
    groups: dict[tuple[tuple[str, int | None, int | None], ...], list[str]] = {}
    for picture, values in wanted.items():
        was = before.get(picture, {})
        labels = sorted(values.keys() | (was.keys() & set(among or ())))
        changed = tuple((one, was.get(one), values.get(one)) for one in labels if was.get(one) != values.get(one))
        if changed:
            groups.setdefault(changed, []).append(picture)
    return [(pictures, list(changed)) for changed, pictures in groups.items()]


def backwards(said: Said) -> Said:
    """The same changes the other way round."""
    return [(pictures, [(label, after, before) for label, before, after in changed]) for pictures, changed in said]


def write(database: Database, connection: Connection, person: int, said: Said) -> None:
    """Write a person's changes of opinion."""
    moment = now()
    for pictures, changed in said:
        gone = [label for label, _, after in changed if after is None]
        for some in chunks(pictures if gone else ()):
            mine = (Opinion.picture.in_(some), Opinion.label.in_(gone), Opinion.person_id == person)
            connection.execute(delete(Opinion).where(*mine))
        rows = [
            {"picture": picture, "label": label, "person_id": person, "value": after, "created": moment}
            for picture in pictures
            for label, _, after in changed
            if after is not None
        ]
        upsert = database.insert(Opinion)
        upsert = upsert.on_conflict_do_update(
            index_elements=["picture", "label", "person_id"],
            set_={name: upsert.excluded[name] for name in ("value", "created")},
        )
        if rows:
            connection.execute(upsert, rows)


def settle(connection: Connection, pictures: Iterable[str]) -> None:
    """Somebody has decided what these pictures are: whoever said otherwise is not asked again."""
    for some in chunks(pictures):
        connection.execute(update(LabelRow).where(LabelRow.picture.in_(some)).values(settled=True))


def answer(said: Mapping[str, int]) -> str:
    """What a person said of a picture, in words that can be compared: its labels, or none of these, or unsure."""
    true = sorted(label for label, value in said.items() if value == 1)
    if true:
        return "; ".join(true)
    return "unsure" if set(said.values()) == {0} else "none of these"


def differ(said: Iterable[Mapping[str, int]]) -> bool:
    """Whether people (label -> value each) contradict each other: they gave a label different values, or said that a
    picture is different things."""
    every = list(said)
    labels = {label for values in every for label in values}
    true = {frozenset(label for label, value in values.items() if value == 1) for values in every}
    return len(true - {frozenset()}) > 1 or any(
        len({values[label] for values in every if label in values}) > 1 for label in labels
    )


def of_person(connection: Connection, person: int, pictures: Iterable[str]) -> dict[str, dict[str, int]]:
    """Picture -> label -> value, as one person said."""
    found: dict[str, dict[str, int]] = {}
    columns = (Opinion.picture, Opinion.label, Opinion.value)
    for some in chunks(pictures):
        rows = select(*columns).where(Opinion.person_id == person, Opinion.picture.in_(some))
        for picture, label, value in connection.execute(rows):
            found.setdefault(picture, {})[label] = value
    return found


def of_pictures(connection: Connection, pictures: Iterable[str]) -> list[Word]:
    """What anybody said of these pictures, the oldest first."""
    columns = (Opinion.picture, Opinion.label, Opinion.value, Opinion.person_id, Opinion.created)
    return [
        Word(*row)
        for some in chunks(pictures)
        for row in connection.execute(select(*columns).where(Opinion.picture.in_(some)).order_by(Opinion.created))
    ]


def shared(connection: Connection) -> list[Word]:
    """What was said of the pictures of which several people said something, and of which a file is there."""
    several = select(Opinion.picture).group_by(Opinion.picture).having(func.count(Opinion.person_id.distinct()) > 1)
    there = select(Image.id).where(Image.picture == Opinion.picture, ~Image.missing).exists()
    columns = (Opinion.picture, Opinion.label, Opinion.value, Opinion.person_id, Opinion.created)
    rows = select(*columns).where(Opinion.picture.in_(several), there).order_by(Opinion.picture, Opinion.created)
    return [Word(*row) for row in connection.execute(rows)]


def settled(connection: Connection) -> set[str]:
    """The pictures of which somebody has decided what they are."""
    return set(connection.scalars(select(LabelRow.picture).where(LabelRow.settled).distinct()))


def authors(connection: Connection, pictures: Iterable[str]) -> dict[tuple[str, str], tuple[int, datetime]]:
    """(picture, label) -> who said what stands, and when; those that nobody with an account said are left out."""
    columns = (LabelRow.picture, LabelRow.label, LabelRow.author_id, LabelRow.created)
    return {
        (picture, label): (author, when)
        for some in chunks(pictures)
        for picture, label, author, when in connection.execute(
            select(*columns).where(LabelRow.picture.in_(some), LabelRow.author_id.is_not(None))
        )
        if author is not None
    }
