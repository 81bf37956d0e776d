"""The library's labels: moves on a board, undo, and the labelled pictures as Examples for training."""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection, select

from clipcore import BadInput, Examples, NotFound
from clipcore.classify.prompts import clean_label
from clipcore.pictures.finding import display_path

from ..database import Database
from ..people import People, author
from ..people.shares import whose
from ..pictures import lookup
from ..tables import Image
from ..vectors.opened import Opened
from . import moves as board
from . import opinions
from .moves import Entry, Moved, Place, Values

Item = TypeVar("Item")

ME = "library"  # the client of steps that come from Python or the command line
LOCKED = 5_000  # labels written in one transaction, a fraction of a second
PAUSE = 0.11  # seconds between two of them: SQLite lets who waits for the lock ask again every 0.1 seconds


class Labels:
    """The labels of a library. A label belongs to a picture: every file of it has the label, whatever
    other programs write into the files. Which picture a file is, `storage.pictures.identity` says."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self._database = opened, opened.database

    def move(
        self,
        image_ids: Sequence[int],
        to: Place,
        among: Sequence[str],
        client: str = ME,
        op: str | None = None,
        held: Mapping[int, Place] | None = None,
    ) -> Moved:
        """Move pictures on a board of the classes `among`, as one step that can be undone.

        to      a class; clipcore.UNSURE or NONE; or None, which takes the labels of these classes away
        client  whose step it is, for undo
        op      the step's own number: the same one again is answered, not done twice
        held    where the mover saw each picture (None: without a label); a picture that is elsewhere by now is left alone
                and is in the answer's `skipped`. Left out, all are moved

        Raises BadInput for a place that is not on the board, NotFound for a picture; then nothing is changed.
        """
        moved = list(self._known(image_ids))
        width = 1 if isinstance(to, str) else len(among)

        def part(connection: Connection, ids: Sequence[int], entry: Entry) -> Moved:
            known = board.pictures_of(connection, ids)
            if held is None:
                values = board.values_of(connection, known.values())
                seen = {picture: board.place_of(values.get(picture, {}), among) for picture in known.values()}
            else:
                seen = {picture: held.get(image_id) for image_id, picture in known.items()}
            return board.move(self._database, connection, seen, to, among, entry)

        return self.in_parts(moved, width, part, client, op)

    def label(self, picture: str | Path | int, label: str, value: int = 1) -> Moved:
        """Say of a picture that it is a `label` (1), is not (-1), or that it cannot be told (0).

        It is given by its path or id; a folder stands for all its pictures.
        What was said of it with other labels stays; `move` is for classes that exclude each other.
        """
        return self.label_many([picture] if isinstance(picture, int) else self.ids_at([picture]), label, value)

    def label_many(
        self, image_ids: Sequence[int], label: str, value: int = 1, client: str = ME, op: str | None = None
    ) -> Moved:
        """`label` for many pictures at once, as one step. Raises BadInput for a bad name or value, NotFound."""
        if value not in (1, -1, 0):
            raise BadInput(
                "A label has the value 1, -1 or 0; these say that it is, that it is not, and that nobody can tell."
            )
        label = clean_label(label)
        return self.mark({image_id: {label: value} for image_id in image_ids}, client, op)

    def mark(self, marks: Mapping[int, Values], client: str = ME, op: str | None = None) -> Moved:
        """Set labels of pictures (id -> label -> value) where several can be true, as one step. Raises NotFound."""

        def part(connection: Connection, ids: Sequence[int], entry: Entry) -> Moved:
            known = board.pictures_of(connection, ids)
            wanted = {picture: marks[image_id] for image_id, picture in known.items()}
            return board.set_values(self._database, connection, wanted, entry)

        width = max(map(len, marks.values()), default=1)
        return self.in_parts(list(self._known(marks)), width, part, client, op)

    def rename(self, renamed: Mapping[str, str], client: str = ME, op: str | None = None) -> Moved:
        """Give labels (key) other names, for every picture that has them, as one step. A name that is there already takes
        them in: what is true of either is true of it. Raises BadInput for a bad name."""
        renamed = {old: clean_label(new) for old, new in renamed.items()}
        among = sorted({*renamed, *renamed.values()})
        with self._database.reading() as connection:
            said = {p: v for p, v in board.all_values(connection).items() if v.keys() & renamed.keys()}

        def part(connection: Connection, pictures: Sequence[str], entry: Entry) -> Moved:
            wanted: dict[str, Values] = {}
            for picture in pictures:
                values = wanted.setdefault(picture, {})
                for label, value in said[picture].items():
                    if label in among:
                        name = renamed.get(label, label)
                        values[name] = max(value, values.get(name, value))
            return board.replace_values(self._database, connection, wanted, among, entry)

        return self.in_parts(sorted(said), len(among), part, client, op)

    def undo(self, client: str = ME, op: str | None = None) -> Moved | None:
        """Take this client's last step back; None if there is none. What others have moved since stays, and is `skipped`."""
        return self._reverse(client, op, redo=False)

    def redo(self, client: str = ME, op: str | None = None) -> Moved | None:
        """Do again what `undo` took back last; None if there is nothing, or a new move came between."""
        return self._reverse(client, op, redo=True)

    def _known(self, image_ids: Iterable[int]) -> dict[int, str]:
        """Image id -> picture. Raises NotFound unless all are there."""
        wanted = dict.fromkeys(image_ids)
        with self._database.reading() as connection:
            known = board.pictures_of(connection, wanted)
        if gone := wanted.keys() - known.keys():
            raise NotFound(f"There is no picture {min(gone)} in the library any more; load the page again.")
        return known

    def in_parts(
        self,
        items: Sequence[Item],
        width: int,
        part: Callable[[Connection, Sequence[Item], Entry], Moved],
        client: str,
        op: str | None,
    ) -> Moved:
        """One step in as many transactions as it takes to hold the write lock for half a second at most each time; `width`
        labels are written for each of the items. Done again under the same `op`, it goes on where it stopped."""
        size = max(1, LOCKED // width)
        some = [items[start : start + size] for start in range(0, len(items), size)] or [items]
        return self._carry_out([partial(_with_items, part, few) for few in some], Entry(client, op or secrets.token_hex(16)))

    def _reverse(self, client: str, op: str | None, redo: bool) -> Moved | None:
        entry = Entry(client, op or secrets.token_hex(16))
        with self._database.writing() as connection:
            done = board.begin(connection, entry)
            stack = board.stacks(connection, client)[redo]
            step = done.undoes if done else stack[-1] if stack else None
            if step is None:
                return None
            parts = board.parts_of(connection, step)
            begun = board.reverse(self._database, connection, parts[0], entry, step)  # before anyone else can
            first = board.step_of(connection, entry)
        return self._carry_out([partial(_reversed, self._database, part) for part in parts[1:]], entry, [begun], first)

    def _carry_out(
        self,
        works: Sequence[Callable[[Connection, Entry], Moved]],
        entry: Entry,
        begun: Sequence[Moved] = (),
        first: int | None = None,
    ) -> Moved:
        """Do the parts of a step that are left, each in a transaction of its own; `first` is the step of the one before."""
        moved = list(begun)
        for work in works:
            if number := len(moved):
                time.sleep(PAUSE if self._database.is_sqlite else 0)  # on a server those who wait come in turn
            mine = entry.part(number, first) if number else entry
            with self._database.writing() as connection:
                moved.append(work(connection, mine))
                first = first or board.step_of(connection, mine)
        changed = tuple(picture for each in moved for picture in each.changed)
        return Moved(moved[-1].step, changed, tuple(picture for each in moved for picture in each.skipped))

    def undo_counts(self, client: str) -> tuple[int, int]:
        """How many steps of this client can be undone, and how many done again."""
        with self._database.reading() as connection:
            done, undone = board.stacks(connection, client)
        return len(done), len(undone)

    def say(
        self, image_ids: Sequence[int], to: Place, among: Sequence[str], client: str = ME, op: str | None = None
    ) -> Moved:
        """Say where pictures belong on a board of the classes `among` without having seen what others said: a label that is
        there stays, and where it is another one the picture is among `differing`. Raises BadInput, NotFound."""
        moved = list(self._known(image_ids))
        values = board.values_at(to, among)

        def part(connection: Connection, ids: Sequence[int], entry: Entry) -> Moved:
            pictures = board.pictures_of(connection, ids).values()
            return board.say(self._database, connection, dict.fromkeys(pictures, values), among, entry)

        return self.in_parts(moved, len(among), part, client, op)

    def decide(self, image_ids: Sequence[int], to: Place, among: Sequence[str], client: str = ME) -> Moved:
        """Decide what pictures are on which people differ; as `move`, and they are `differing` no more."""
        moved = list(self._known(image_ids))
        values = board.values_at(to, among)

        def part(connection: Connection, ids: Sequence[int], entry: Entry) -> Moved:
            pictures = board.pictures_of(connection, ids).values()
            wanted = dict.fromkeys(pictures, values)
            return board.replace_values(self._database, connection, wanted, among, replace(entry, settles=True))

        return self.in_parts(moved, len(among), part, client, None)

    # reading

    def not_mine(self, pictures: Sequence[str]) -> np.ndarray:
        """Which pictures others are to label, not the person who acts, bool [n]: nothing where nobody acts or nobody else
        labels (`storage.people.shares`)."""
        me = author()
        team = [one.id for one in People(self._database).all() if one.may("labeller") and not one.disabled] if me else []
        if len(team) < 2 or me not in team:
            return np.zeros(len(pictures), bool)
        return np.array([me not in whose(picture, team) for picture in pictures], bool)

    def words(self) -> list[opinions.Word]:
        """What was said of the pictures of which several people said something."""
        with self._database.reading() as connection:
            return opinions.shared(connection)

    def answers_by_person(self) -> dict[str, dict[int, str]]:
        """Picture -> person's id -> what they said it is, of the pictures of which several people said something."""
        said: dict[str, dict[int, Values]] = {}
        for word in self.words():
            said.setdefault(word.picture, {}).setdefault(word.person_id, {})[word.label] = word.value
        return {picture: {person: opinions.answer(values) for person, values in by.items()} for picture, by in said.items()}

    def words_of(self, picture: str) -> list[opinions.Word]:
        """What anybody with an account said of a picture, the oldest first."""
        with self._database.reading() as connection:
            return opinions.of_pictures(connection, [picture])

    def differing(self) -> list[int]:
        """Ids of the pictures, one file of each, of which people said different things and nobody has decided."""
        with self._database.reading() as connection:
            said: dict[str, dict[int, dict[str, int]]] = {}
            for word in opinions.shared(connection):
                said.setdefault(word.picture, {}).setdefault(word.person_id, {})[word.label] = word.value
            open_ones = [picture for picture, by in said.items() if opinions.differ(by.values())]
            open_ones = sorted(set(open_ones) - opinions.settled(connection))
            return sorted(image.id for image in lookup.images_of(connection, open_ones).values())

    def authors(self, pictures: Iterable[str]) -> dict[tuple[str, str], tuple[int, datetime]]:
        """(picture, label) -> the id of who said what stands, and when."""
        with self._database.reading() as connection:
            return opinions.authors(connection, pictures)

    def of(self, image_ids: Sequence[int] | None = None) -> dict[int, Values]:
        """Image id -> label -> value (1, -1, 0), for these pictures or all; those without labels are left out."""
        with self._database.reading() as connection:
            if image_ids is None:
                values = board.all_values(connection)
                labelled = select(Image.id, Image.picture).where(~Image.missing).order_by(Image.id)
                known = {image_id: picture for image_id, picture in connection.execute(labelled) if picture in values}
            else:
                known = board.pictures_of(connection, image_ids)
                values = board.values_of(connection, known.values())
        return {image_id: dict(values[picture]) for image_id, picture in known.items() if picture in values}

    def of_pictures(self, wanted: Iterable[str]) -> dict[str, Values]:
        """Picture -> label -> value, for these pictures; those without labels are left out."""
        with self._database.reading() as connection:
            return board.values_of(connection, wanted)

    def counts(self) -> dict[str, int]:
        """How many different pictures that are there each label is true of, by label; several files of one count once."""
        with self._database.reading() as connection:
            return board.counts(connection)

    def last_step(self) -> int:
        """The number of the newest step; 0 before the first."""
        with self._database.reading() as connection:
            return board.newest(connection)

    def changes_since(self, step: int) -> tuple[int, set[str]]:
        """The newest step, and the pictures whose labels changed after `step`."""
        with self._database.reading() as connection:
            return board.newest(connection), board.changed_since(connection, step)

    def examples(self, labels: Sequence[str] | None = None) -> Examples:
        """The labelled pictures to learn from: those that are exactly one of `labels` (or of all labels there are).

        With their vectors of the model in use, as the pictures are now; those without one are left out. Keys are pictures.
        """
        model = self._opened.in_use
        with self._database.reading() as connection:
            known = board.positives(connection, labels)
            contents = lookup.contents_of(connection, known)
            hashes = [content for each in contents.values() for content in each]
            by_content = lookup.vectors_of(connection, model.space_id, model.space.dim, hashes)
        vectors = {
            picture: by_content[content]
            for picture, each in contents.items()
            for content in reversed(each)
            if content in by_content
        }
        keys = tuple(picture for picture in known if picture in vectors)
        embeddings = np.stack([vectors[key] for key in keys]) if keys else np.zeros((0, model.space.dim), np.float32)
        return Examples(embeddings, tuple(known[key] for key in keys), model.space, keys)

    def truths(self, labels: Sequence[str]) -> tuple[list[int], np.ndarray]:
        """Where several labels can be true: ids of the labelled pictures, one file of each, and bool [n, n labels]."""
        found: dict[str, tuple[int, list[bool]]] = {}
        with self._database.reading() as connection:
            values = board.all_values(connection)
            rows = select(Image.id, Image.picture).where(~Image.missing).order_by(Image.id)
            for image_id, picture in connection.execute(rows):
                truth = board.truth_of(values.get(picture, {}), labels)
                if truth is not None:
                    found.setdefault(picture, (image_id, truth))
        ids = [image_id for image_id, _ in found.values()]
        return ids, np.array([truth for _, truth in found.values()], bool).reshape(len(ids), len(labels))

    def ids_at(self, paths: Iterable[str | Path]) -> list[int]:
        """The ids of the library's pictures at these paths; a folder stands for all below it. Raises NotFound."""
        found: dict[int, None] = {}
        with self._database.reading() as connection:
            rows = select(Image.id).where(~Image.missing).order_by(Image.id)
            for path in paths:
                wanted = os.path.abspath(Path(path).expanduser())
                # paths are kept as bytes, so those below a folder lie between its name with a separator and the next letter
                below = (Image.path > wanted + os.sep) & (Image.path < wanted + chr(ord(os.sep) + 1))
                ids = connection.scalars(rows.where((Image.path == wanted) | below)).all()
                if not ids:
                    raise NotFound(f"{display_path(Path(path))} is not in the library; add its folder first.")
                found.update(dict.fromkeys(ids))
        return list(found)


def _with_items(
    part: Callable[[Connection, Sequence[Item], Entry], Moved], items: Sequence[Item], connection: Connection, entry: Entry
) -> Moved:
    return part(connection, items, entry)


def _reversed(database: Database, part: int, connection: Connection, entry: Entry) -> Moved:
    return board.reverse(database, connection, part, entry, None)
