"""Stars from 1 to 5: those that another program wrote into a picture or its sidecar, and those that are given here.

What is given here goes before what a file says, also where it is none; it hangs on the picture, as labels do, and is never
written into a picture's own file, but into the sidecars of an export.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, func, select

from clipcore import BadInput
from clipcore.pictures.exif import STARS, xmp_rating
from clipcore.plain import read_plain

from ..database import Database, chunks
from ..tables import Image, Rating

LIMIT = 5_000_000  # bytes of a sidecar


def found(path: str, in_file: int) -> int:
    """The stars of a picture file: its sidecar's, which programs that leave pictures alone write, else those `in_file`."""
    file = Path(path)
    for name in (file.name, file.stem):  # digiKam's and darktable's, Lightroom's
        for ending in ("xmp", "XMP"):
            with suppress(OSError, BadInput):
                if (stars := xmp_rating(read_plain(file.with_name(f"{name}.{ending}"), LIMIT))) is not None:
                    return stars
    return in_file


def rate(database: Database, image_ids: Sequence[int], stars: int) -> int:
    """Give pictures 1 to 5 stars, or none with 0; returns how many pictures those are. Raises BadInput."""
    if not 0 <= stars <= STARS:
        raise BadInput(f"A rating is a number from 0, for none, to {STARS}.")
    pictures: set[str] = set()
    with database.writing() as connection:
        for some in chunks(image_ids):
            pictures.update(connection.scalars(select(Image.picture).where(Image.id.in_(some))))
        insert = database.insert(Rating)
        change = insert.on_conflict_do_update(index_elements=["picture"], set_={"stars": insert.excluded.stars})
        if pictures:
            connection.execute(change, [{"picture": picture, "stars": stars} for picture in sorted(pictures)])
    return len(pictures)


def of_image(connection: Connection, image_id: int) -> int:
    """The stars that an image shows, 0 for none."""
    return connection.execute(select(_shown()).where(Image.id == image_id)).scalar() or 0


def given(connection: Connection, pictures: Iterable[str]) -> Mapping[str, int]:
    """The stars that were given here, of those among these pictures that got some; 0 where they were taken away."""
    values: dict[str, int] = {}
    for some in chunks(sorted(set(pictures))):
        rows = connection.execute(select(Rating.picture, Rating.stars).where(Rating.picture.in_(some)))
        values.update((row.picture, row.stars) for row in rows)
    return values


def at_least(stars: int) -> ColumnElement[bool]:
    """Whether an image shows so many stars."""
    return _shown() >= stars


def _shown() -> ColumnElement[int]:
    own = select(Rating.stars).where(Rating.picture == Image.picture).scalar_subquery()
    return func.coalesce(own, Image.rating, 0)
