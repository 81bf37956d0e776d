"""The library's labels: moves on a board, undo, and the labelled pictures as Examples for training."""

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import select

from clipcore import BadInput, Examples, NotFound
from clipcore.pictures.reading import display_path

from ..pictures import lookup
from ..tables import Image
from ..vectors.opened import Opened
from . import moves as board
from .moves import Moved, Place, Values

ME = "library"  # the client of steps that come from Python or the command line


class Labels:
    """The labels of a library. A label belongs to a picture's content: every copy of a file has it."""

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
        with self._database.writing() as connection:
            contents = board.hashes_of(connection, image_ids)
            if gone := set(image_ids) - contents.keys():
                raise NotFound(f"There is no picture {min(gone)} in the library any more; load the page again.")
            if held is None:
                values = board.values_of(connection, contents.values())
                seen = {content: board.place_of(values.get(content, {}), among) for content in contents.values()}
            else:
                seen = {content: held.get(image_id) for image_id, content in contents.items()}
            return board.move(self._database, connection, seen, to, among, client, op or secrets.token_hex(16))

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
        if not label.strip() or value not in (1, -1, 0):
            raise BadInput("A label needs a name, and the value 1 (it is), -1 (it is not) or 0 (cannot be told).")
        with self._database.writing() as connection:
            contents = board.hashes_of(connection, image_ids)
            if gone := set(image_ids) - contents.keys():
                raise NotFound(f"There is no picture {min(gone)} in the library.")
            wanted = {content: {label: value} for content in contents.values()}
            return board.set_values(self._database, connection, wanted, client, op or secrets.token_hex(16))

    def mark(self, marks: Mapping[int, Values], client: str = ME, op: str | None = None) -> Moved:
        """Set labels of pictures (id -> label -> value) where several can be true, as one step. Raises NotFound."""
        with self._database.writing() as connection:
            contents = board.hashes_of(connection, list(marks))
            if gone := marks.keys() - contents.keys():
                raise NotFound(f"There is no picture {min(gone)} in the library any more; load the page again.")
            wanted = {content: marks[image_id] for image_id, content in contents.items()}
            return board.set_values(self._database, connection, wanted, client, op or secrets.token_hex(16))

    def undo(self, client: str = ME, op: str | None = None) -> Moved | None:
        """Take this client's last step back; None if there is none. What others have moved since stays, and is `skipped`."""
        with self._database.writing() as connection:
            return board.reverse(self._database, connection, client, op or secrets.token_hex(16))

    def redo(self, client: str = ME, op: str | None = None) -> Moved | None:
        """Do again what `undo` took back last; None if there is nothing, or a new move came between."""
        with self._database.writing() as connection:
            return board.reverse(self._database, connection, client, op or secrets.token_hex(16), redo=True)

    def undo_counts(self, client: str) -> tuple[int, int]:
        """How many steps of this client can be undone, and how many done again."""
        with self._database.reading() as connection:
            done, undone = board.stacks(connection, client)
        return len(done), len(undone)

    # reading

    def of(self, image_ids: Sequence[int] | None = None) -> dict[int, Values]:
        """Image id -> label -> value (1, -1, 0), for these pictures or all; those without labels are left out."""
        with self._database.reading() as connection:
            if image_ids is None:
                values = board.all_values(connection)
                labelled = select(Image.id, Image.content_hash).where(~Image.missing).order_by(Image.id)
                contents = {image_id: content for image_id, content in connection.execute(labelled) if content in values}
            else:
                contents = board.hashes_of(connection, image_ids)
                values = board.values_of(connection, contents.values())
        return {image_id: dict(values[content]) for image_id, content in contents.items() if content in values}

    def of_contents(self, contents: Iterable[str]) -> dict[str, Values]:
        """Content hash -> label -> value, for these contents; those without labels are left out."""
        with self._database.reading() as connection:
            return board.values_of(connection, contents)

    def counts(self) -> dict[str, int]:
        """How many different pictures each label is true of, by label."""
        with self._database.reading() as connection:
            return board.counts(connection)

    def last_step(self) -> int:
        """The number of the newest step; 0 before the first."""
        with self._database.reading() as connection:
            return board.newest(connection)

    def changes_since(self, step: int) -> tuple[int, set[str]]:
        """The newest step, and the content hashes whose labels changed after `step`."""
        with self._database.reading() as connection:
            return board.newest(connection), board.changed_since(connection, step)

    def examples(self, labels: Sequence[str] | None = None) -> Examples:
        """The labelled pictures to learn from: those that are exactly one of `labels` (or of all labels there are).

        With their vectors of the model in use; pictures without one are left out. Keys are content hashes.
        """
        model = self._opened.in_use
        with self._database.reading() as connection:
            known = board.positives(connection, labels)
            vectors = lookup.vectors_of(connection, model.space_id, model.space.dim, list(known))
        keys = tuple(content for content in known if content in vectors)
        embeddings = np.stack([vectors[key] for key in keys]) if keys else np.zeros((0, model.space.dim), np.float32)
        return Examples(embeddings, tuple(known[key] for key in keys), model.space, keys)

    def truths(self, labels: Sequence[str]) -> tuple[list[int], np.ndarray]:
        """Where several labels can be true: ids of the labelled pictures, one of each content, and bool [n, n labels]."""
        contents: dict[str, tuple[int, list[bool]]] = {}
        with self._database.reading() as connection:
            values = board.all_values(connection)
            for image_id, content in connection.execute(select(Image.id, Image.content_hash).where(~Image.missing)):
                truth = board.truth_of(values.get(content, {}), labels)
                if truth is not None:
                    contents.setdefault(content, (image_id, truth))
        ids = [image_id for image_id, _ in contents.values()]
        return ids, np.array([truth for _, truth in contents.values()], bool).reshape(len(ids), len(labels))

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
