"""The pictures that filters leave: all of them for a search, or page by page."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, extract, func, select

from clipcore import BadInput
from clipcore.classify.prompts import clean_label

from ..filters import ORDERS, ORIENTATIONS, Filters, Order
from ..records import ImageRecord
from ..tables import Embedding, Image, LabelRow
from .folders import IMAGE_COLUMNS, find_folder, inside, to_record
from .lookup import images_with_ids
from .ratings import at_least


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


def months(connection: Connection, filters: Filters, order: Order) -> list[tuple[int, int, int]]:
    """The months of the pictures that the filters leave: year, month and how many, the newest or the oldest first."""
    conditions = _conditions(connection, filters)
    year, month = extract("year", Image.dated), extract("month", Image.dated)
    if filters.name:
        rows = connection.execute(select(year, month, Image.path).where(*conditions))
        counts = Counter((int(y), int(m)) for y, m, path in rows if filters.fits_name(path))
    else:
        grouped = select(year, month, func.count()).where(*conditions).group_by(year, month)
        counts = Counter({(int(y), int(m)): count for y, m, count in connection.execute(grouped)})
    return [(y, m, counts[y, m]) for y, m in sorted(counts, reverse=order == "newest")]


def _sorted(order: Order) -> list[Any]:
    if order not in ORDERS:
        raise BadInput(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    by_date: dict[Order, list[Any]] = {"relevance": [], "newest": [Image.dated.desc()], "oldest": [Image.dated]}
    return [*by_date[order], Image.id]


def _conditions(connection: Connection, filters: Filters) -> list[ColumnElement[bool]]:
    """What SQL can check. Names are checked afterwards: they are kept as bytes, and databases compare bytes by case."""
    found = [~Image.missing]
    if filters.folder_id is not None:
        found.append(inside(Image, find_folder(connection, filters.folder_id)))
    if filters.since:
        found.append(Image.dated >= _midnight(filters.since))
    if filters.until:
        found.append(Image.dated < _midnight(filters.until, 1))
    if filters.label:
        given = LabelRow.label == clean_label(filters.label), LabelRow.value == 1
        found.append(Image.picture.in_(select(LabelRow.picture).where(*given)))
    if filters.place:
        places = connection.scalars(select(Image.place).where(Image.place != "").distinct())
        found.append(Image.place.in_([place for place in places if filters.fits_place(place or "")]))
    if filters.stars:
        found.append(at_least(filters.stars))
    if filters.orientation:
        found.append(_turned(filters.orientation))
    return found


def _turned(orientation: str) -> ColumnElement[bool]:
    if orientation not in ORIENTATIONS:
        raise BadInput(f"There is no orientation {orientation!r}; choose one of {', '.join(ORIENTATIONS)}.")
    if orientation == "square":
        return Image.width == Image.height
    return Image.width > Image.height if orientation == "landscape" else Image.width < Image.height


def _midnight(day: date, later: int = 0) -> datetime:
    """The start of a day, or of one `later`."""
    try:
        return datetime.combine(day + timedelta(later), time())
    except OverflowError:
        raise BadInput(f"The day {day} is too far away; choose one of the last hundred years.") from None
