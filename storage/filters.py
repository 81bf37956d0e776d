"""Which pictures a search or a look around is about: those of a folder, with a name, from some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from clipcore import BadInput
from clipcore.images import display_path

from .folders import IMAGE_COLUMNS, find_folder, inside, to_record
from .records import Hit, ImageRecord
from .tables import Embedding, Image

Order = Literal["relevance", "newest", "oldest"]
ORDERS: Sequence[Order] = ("relevance", "newest", "oldest")
Dated = TypeVar("Dated", Hit, ImageRecord)


@dataclass(frozen=True)
class Filters:
    """All that are set must hold. `name` is looked for in the file's name, in any case; the days count from 00:00 to 24:00.

    A picture's date is its file's time of change.
    """

    folder_id: int | None = None
    name: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def any(self) -> bool:
        return self != Filters()

    def fits_name(self, path: str) -> bool:
        return self.name.casefold() in display_path(Path(path).name).casefold()


def parse_day(typed: str) -> date | None:
    """A day typed as 2024-05-31, or None for nothing. Raises BadInput."""
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput(f"“{typed.strip()[:40]}” is not a day; write it as in 2024-05-31.") from None


def chosen(connection: Connection, filters: Filters, space_id: int) -> dict[int, int]:
    """The pictures that the filters leave, by id, each with the id of its vector. Raises NotFound for the folder."""
    conditions = _conditions(connection, filters)
    rows = select(Image.id, Image.content_hash, Image.path).where(*conditions)
    # Two questions and not a join: a join begins with every vector there is, also for a folder of ten pictures.
    hashes = Embedding.content_hash.in_(select(Image.content_hash).where(*conditions))
    vectors = select(Embedding.content_hash, Embedding.id).where(Embedding.space_id == space_id, hashes)
    vector_of = dict(connection.execute(vectors).all())
    return {
        image: vector_of[content_hash]
        for image, content_hash, path in connection.execute(rows)
        if content_hash in vector_of and filters.fits_name(path)
    }


def browse(connection: Connection, filters: Filters, order: Order) -> list[ImageRecord]:
    """Every picture that the filters leave, by id or by date."""
    rows = select(*IMAGE_COLUMNS).where(*_conditions(connection, filters)).order_by(Image.id)
    images = [to_record(row) for row in connection.execute(rows) if filters.fits_name(row.path)]
    return ordered(images, order)


def ordered(items: list[Dated], order: Order) -> list[Dated]:
    """The same items in the order asked for; relevance is the order they come in. Raises BadInput for an unknown order."""
    if order not in ORDERS:
        raise BadInput(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    if order == "relevance":
        return items
    return sorted(items, key=_changed, reverse=order == "newest")


def _changed(item: Hit | ImageRecord) -> int:
    return (item.image if isinstance(item, Hit) else item).mtime_ns


def _conditions(connection: Connection, filters: Filters) -> list[ColumnElement[bool]]:
    """What SQL can check. Names are checked afterwards: they are kept as bytes, and databases compare bytes by case."""
    found = [~Image.missing]
    if filters.folder_id is not None:
        found.append(inside(Image, find_folder(connection, filters.folder_id)))
    if filters.since:
        found.append(Image.mtime_ns >= _midnight(filters.since))
    if filters.until:
        found.append(Image.mtime_ns < _midnight(filters.until, 1))
    return found


def _midnight(day: date, later: int = 0) -> int:
    """The start of a day in the computer's time zone, in nanoseconds since 1970."""
    try:
        return int(datetime.combine(day + timedelta(later), time()).timestamp()) * 1_000_000_000
    except (OverflowError, ValueError, OSError):
        raise BadInput(f"The day {day} is too far away; choose one of the last hundred years.") from None
