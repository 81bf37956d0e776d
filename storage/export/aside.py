"""Copies that are set aside: their files go to HOME/aside, the library shows them no more, and all can be put back.

Nothing is deleted. It is an export that moves (`changes`): a kill at any moment leaves each file at a place that the library
knows, and the undo file says how it was.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, delete, update

from clipcore import BadInput, NotFound, drain
from clipcore.pictures.finding import display_path

from ..database import Database, chunks
from ..pictures.lookup import safe_name
from ..records import ImageRecord
from ..tables import Image
from .changes import Moved, iter_carry_out, iter_undo
from .journal import read_journal
from .plan import Change, Done, Plan

FOLDER = "aside"


def set_aside(database: Database, home: Path, keep: ImageRecord, others: Sequence[ImageRecord]) -> tuple[str, Done]:
    """Move the files of `others` into HOME/aside; returns the name by which they can be `put_back`, and what was done.

    Raises BadInput where the one that is kept cannot be read: it would be the last.
    """
    if not others or any(other.id == keep.id for other in others):
        raise BadInput("Say which image is kept, and which others go.")
    if not Path(keep.path).is_file():
        raise BadInput(f"{keep.shown_path} is not there now, so the others stay; add its folder again first.")
    name = f"{datetime.now():%Y-%m-%d-%H%M%S-%f}"
    folder = home / FOLDER / name
    taken: set[str] = set()
    changes = []
    for image in others:
        change = Change("move", image.path, str(folder / _free(image.path, taken)), image.content_hash, image.id)
        changes.append(change)
    return name, drain(iter_carry_out(Plan(changes, []), _undo_file(home, name), _told(database, hidden=True)))


def put_back(database: Database, home: Path, name: str) -> Done:
    """Move files that were set aside to where they were. Raises NotFound."""
    undo = _undo_file(home, name)
    if not undo.is_file():
        raise NotFound("Those files are not set aside any more; look for duplicates again.")
    done = drain(iter_undo(undo, _told(database, hidden=False)))
    if not done.failed:
        with suppress(OSError):  # something else is in it
            (home / FOLDER / name).rmdir()
    return done


def all_aside(home: Path) -> list[tuple[str, int]]:
    """What can be put back: the names, the newest first, and how many files each."""
    found = []
    for undo in sorted((home / FOLDER).glob("undo-*.json"), reverse=True):
        with suppress(BadInput):
            found.append((undo.stem.removeprefix("undo-"), len(read_journal(undo).changes)))
    return [(name, files) for name, files in found if files]


def _told(database: Database, hidden: bool) -> Moved:
    """What tells the library where files have gone, and whether it shows them."""

    def moved(paths: Sequence[tuple[int, str]]) -> None:
        with database.writing() as connection:
            for some in chunks(paths):
                ids, taken = zip(*some, strict=True)
                connection.execute(delete(Image).where(Image.path.in_(taken), Image.id.notin_(ids)))
            change = update(Image).where(Image.id == bindparam("image")).values(path=bindparam("to"), missing=hidden)
            connection.execute(change, [{"image": image_id, "to": path} for image_id, path in paths])

    return moved


def _undo_file(home: Path, name: str) -> Path:
    if not name or not all(letter in "0123456789-" for letter in name):
        raise NotFound("Those files are not set aside any more; look for duplicates again.")
    return home / FOLDER / f"undo-{name}.json"


def _free(path: str, taken: set[str]) -> str:
    """A name for a file among those of the same folder, that no other has."""
    name = safe_name(display_path(Path(path).name))
    stem, ending, number = Path(name).stem, Path(name).suffix, 2
    while name.casefold() in taken:
        name = f"{stem} ({number}){ending}"
        number += 1
    taken.add(name.casefold())
    return name
