"""Albums made by hand: which pictures, in which order. A picture stands there once, whichever of its files was put in.

Each is kept by its own name, as labels are (`storage.pictures.identity`): it stays in the album when the file is moved, or
another program writes into it; where the picture has left the library it is passed over, and comes back with it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import Connection, select

from clipcore import BadInput, NotFound

from ..database import Database, chunks
from ..filters import ORDERS, Order
from ..pictures.folders import IMAGE_COLUMNS, to_record
from ..records import Found, Hit, ImageRecord
from ..tables import Image

MOST = 10_000  # pictures of an album: a list that a person made
# add: at the end; the others are of pictures that are in it: take out, or move, one place or to an end
Change = Literal["add", "remove", "first", "earlier", "later", "last"]


def pictures_of(connection: Connection, image_ids: Sequence[int]) -> list[str]:
    """The names of the pictures with these ids, in their order. Raises NotFound."""
    known: dict[int, str] = {}
    for some in chunks(dict.fromkeys(image_ids)):
        known |= dict(connection.execute(select(Image.id, Image.picture).where(Image.id.in_(some))).all())
    if gone := set(image_ids) - known.keys():
        raise NotFound(f"There is no picture {min(gone)} in the library any more; load the page again.")
    return list(dict.fromkeys(known[image_id] for image_id in image_ids))


def changed(pictures: Sequence[str], some: Sequence[str], how: Change) -> list[str]:
    """The list after a change. Raises BadInput for more than an album may hold."""
    chosen = set(some)
    others = [picture for picture in pictures if picture not in chosen]
    within = [picture for picture in pictures if picture in chosen]
    if how == "add":
        there = set(pictures)
        return checked([*pictures, *(picture for picture in some if picture not in there)])
    if how == "remove":
        return others
    if how in ("first", "last"):
        return [*within, *others] if how == "first" else [*others, *within]
    places = [number for number, picture in enumerate(pictures) if picture in chosen]
    if not places:
        return list(pictures)
    # all go together, to one place before where the first of them is, or behind the last one
    before = places[0] - 1 if how == "earlier" else places[-1] + 2 - len(places)
    before = min(max(0, before), len(others))
    return [*others[:before], *within, *others[before:]]


def checked(pictures: Iterable[str]) -> list[str]:
    """A list as an album keeps it. Raises BadInput for what is none."""
    found = list(dict.fromkeys(pictures))
    if any(not isinstance(one, str) or len(one) > 64 for one in found):
        raise BadInput("This album cannot be read; make it anew.")
    if len(found) > MOST:
        raise BadInput(f"An album made by hand holds at most {MOST:,} images, not {len(found):,}; start another.")
    return found


def opened(database: Database, pictures: Sequence[str], order: Order, offset: int, limit: int) -> Found:
    """A page of the pictures that are there: in their own order, or by date."""
    if order not in ORDERS:
        raise BadInput(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    first: dict[str, ImageRecord] = {}
    with database.reading() as connection:
        for some in chunks(pictures):
            rows = select(*IMAGE_COLUMNS).where(Image.picture.in_(some), ~Image.missing).order_by(Image.id)
            for image in map(to_record, connection.execute(rows)):
                first.setdefault(image.picture, image)
    images = [first[picture] for picture in pictures if picture in first]
    if order != "relevance":
        images.sort(key=lambda image: image.dated, reverse=order == "newest")
    page = images[max(0, offset) : max(0, offset) + max(0, limit)]
    return Found([Hit(image, 1.0) for image in page], len(images), None)
