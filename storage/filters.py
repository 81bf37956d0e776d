"""Which pictures a search or a look around is about: of a folder, with a name, from some days, with a label, upright."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, func, select

from clipcore import BadInput
from clipcore.images import display_path
from clipcore.prompts import clean_label

from .folders import IMAGE_COLUMNS, find_folder, inside, to_record
from .pictures import images_with_ids
from .records import Hit, ImageRecord
from .tables import Embedding, Image, LabelRow

Order = Literal["relevance", "newest", "oldest"]
ORDERS: Sequence[Order] = ("relevance", "newest", "oldest")
Orientation = Literal["", "landscape", "portrait", "square"]
ORIENTATIONS: Sequence[Orientation] = ("landscape", "portrait", "square")
Dated = TypeVar("Dated", Hit, ImageRecord)


@dataclass(frozen=True)
class Filters:
    """All that are set must hold. `name` is looked for in the file's name, in any case; the days count from 00:00 to 24:00.

    A picture's date is its file's time of change; `label` is one that a person has given it; `orientation` is of the picture
    as it is shown, turned upright.
    """

    folder_id: int | None = None
    name: str = ""
    since: date | None = None
    until: date | None = None
    label: str = ""
    orientation: Orientation = ""

    @property
    def any(self) -> bool:
        """Whether anything is set."""
        return self != Filters()

    def to_json(self) -> dict[str, Any]:
        """What is set, as plain values."""
        values = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Filters":
        """The inverse of `to_json`."""
        days = {name: date.fromisoformat(data[name]) for name in ("since", "until") if data.get(name)}
        return cls(**{**data, **days})

    def fits_name(self, path: str) -> bool:
        """Whether a file's name has in it what is looked for."""
        return not self.name or self.name.casefold() in display_path(os.path.basename(path)).casefold()


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
    # Two questions and not a join: a join begins with every vector there is, also for a folder of ten pictures.
    hashes = Embedding.content_hash.in_(select(Image.content_hash).where(*conditions))
    vectors = select(Embedding.content_hash, Embedding.id).where(Embedding.space_id == space_id, hashes)
    vector_of = dict(connection.execute(vectors).all())
    if not filters.name:  # the paths, which take the most time to read, are not needed
        rows = connection.execute(select(Image.id, Image.content_hash).where(*conditions))
        return {image: vector_of[content_hash] for image, content_hash in rows if content_hash in vector_of}
    named = connection.execute(select(Image.id, Image.content_hash, Image.path).where(*conditions))
    return {
        image: vector_of[content_hash]
        for image, content_hash, path in named
        if content_hash in vector_of and filters.fits_name(path)
    }


def browse(
    connection: Connection, filters: Filters, order: Order, offset: int = 0, limit: int | None = None
) -> tuple[list[ImageRecord], int]:
    """A page of the pictures that the filters leave, by id or by date, and how many there are. Raises BadInput, NotFound."""
    if filters.name:  # asks for every path; the page's own rows come afterwards
        ids = browse_ids(connection, filters, order)
        page = ids[offset:] if limit is None else ids[offset : offset + limit]
        image_of = {image.id: image for image in images_with_ids(connection, page)}
        return [image_of[image_id] for image_id in page if image_id in image_of], len(ids)
    conditions = _conditions(connection, filters)
    total = connection.execute(select(func.count()).select_from(Image).where(*conditions)).scalar_one()
    rows = select(*IMAGE_COLUMNS).where(*conditions).order_by(*_sorted(order)).offset(offset).limit(limit)
    return [to_record(row) for row in connection.execute(rows)], total


def browse_ids(connection: Connection, filters: Filters, order: Order) -> list[int]:
    """The ids of all pictures that the filters leave, in the same order."""
    conditions = _conditions(connection, filters)
    if not filters.name:
        return list(connection.scalars(select(Image.id).where(*conditions).order_by(*_sorted(order))))
    rows = connection.execute(select(Image.id, Image.path).where(*conditions).order_by(*_sorted(order)))
    return [image_id for image_id, path in rows if filters.fits_name(path)]


def _sorted(order: Order) -> list[Any]:
    if order not in ORDERS:
        raise BadInput(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    by_date: dict[Order, list[Any]] = {"relevance": [], "newest": [Image.mtime_ns.desc()], "oldest": [Image.mtime_ns]}
    return [*by_date[order], Image.id]


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
    if filters.label:
        given = LabelRow.label == clean_label(filters.label), LabelRow.value == 1
        found.append(Image.content_hash.in_(select(LabelRow.content_hash).where(*given)))
    if filters.orientation:
        found.append(_turned(filters.orientation))
    return found


def _turned(orientation: str) -> ColumnElement[bool]:
    if orientation not in ORIENTATIONS:
        raise BadInput(f"There is no orientation {orientation!r}; choose one of {', '.join(ORIENTATIONS)}.")
    if orientation == "square":
        return Image.width == Image.height
    return Image.width > Image.height if orientation == "landscape" else Image.width < Image.height


def _midnight(day: date, later: int = 0) -> int:
    """The start of a day in the computer's time zone, in nanoseconds since 1970."""
    try:
        return int(datetime.combine(day + timedelta(later), time()).timestamp()) * 1_000_000_000
    except (OverflowError, ValueError, OSError):
        raise BadInput(f"The day {day} is too far away; choose one of the last hundred years.") from None
