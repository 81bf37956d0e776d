"""Pictures of the library read back: records, vectors, thumbnails, and files that were handed to it."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from clipcore import BadImage, BadInput, Classifier, NotFound, Predictions
from clipcore.pictures.reading import content_hash, read_bytes, small_copy

from ..database import chunks
from ..files import write_beside
from ..records import ImageRecord
from ..tables import Embedding, Image
from ..vectors.index import from_blobs
from ..vectors.opened import Opened
from .folders import IMAGE_COLUMNS, find_folder, inside, to_record

MANY = 20_000
SIDES = range(16, 2049)  # of a thumbnail, in pixels
SEAL = 8  # bytes of a thumbnail's checksum


def get_image(connection: Connection, image_id: int) -> ImageRecord:
    """A picture by its id, also while its file is missing. Raises NotFound."""
    row = connection.execute(select(*IMAGE_COLUMNS).where(Image.id == image_id)).one_or_none()
    if row is None:
        raise NotFound("That picture is not in the library any more; reload the page.")
    return to_record(row)


def page_of_images(connection: Connection, folder_id: int | None, after: int, limit: int) -> list[ImageRecord]:
    """The next `limit` pictures whose id is above `after`, by id."""
    rows = select(*IMAGE_COLUMNS).where(Image.id > after, ~Image.missing).order_by(Image.id).limit(limit)
    if folder_id is not None:
        rows = rows.where(inside(Image, find_folder(connection, folder_id)))
    return [to_record(row) for row in connection.execute(rows)]


def images_with_vectors(
    opened: Opened, image_ids: Sequence[int] | None = None, folder_id: int | None = None
) -> tuple[list[ImageRecord], np.ndarray]:
    """Pictures and their vectors in the space of the model in use, float32 [n, dim], by id: those of a folder, those named,
    or all; never missing ones, and only those that have a vector."""
    model = opened.in_use
    query = select(*IMAGE_COLUMNS).where(~Image.missing).order_by(Image.id)
    with opened.database.reading() as connection:
        if folder_id is not None:
            query = query.where(inside(Image, find_folder(connection, folder_id)))
        if image_ids is None:
            queries = iter([query])
        else:
            wanted = sorted({int(image_id) for image_id in image_ids})
            queries = (query.where(Image.id.in_(ids)) for ids in chunks(wanted))
        images = [to_record(row) for part in queries for row in connection.execute(part)]
        vector_of = vector_ids(connection, model.space_id, [image.content_hash for image in images])
    images = [image for image in images if image.content_hash in vector_of]
    of_image = np.array([vector_of[image.content_hash] for image in images], np.int64)
    ids, vectors = model.index.vectors_by_id(of_image)
    place = np.searchsorted(ids, of_image)
    there = np.flatnonzero(ids[np.minimum(place, len(ids) - 1)] == of_image) if len(ids) else np.zeros(0, np.intp)
    if len(there) < len(images):  # a vector has gone meanwhile
        images, place = [images[i] for i in there], place[there]
    return images, vectors if np.array_equal(place, np.arange(len(ids))) else vectors[place]


def classified(
    opened: Opened, classifier: Classifier, folder_id: int | None = None, image_ids: Sequence[int] | None = None
) -> tuple[list[ImageRecord], Predictions]:
    """What a classifier says of pictures, by id. Raises SpaceMismatch if another model made it."""
    opened.in_use.space.require(classifier.space, "This classifier")
    images, vectors = images_with_vectors(opened, image_ids, folder_id)
    return images, classifier.predict(vectors)


def vector_ids(connection: Connection, space_id: int, hashes: Sequence[str]) -> dict[str, int]:
    """The ids of the vectors of these contents, where there are any. Not a join, which takes three times as long for all."""
    rows = select(Embedding.content_hash, Embedding.id).where(Embedding.space_id == space_id)
    if len(hashes) > MANY:  # perhaps more than are wanted, but read in one go
        return dict(connection.execute(rows).all())
    parts = (connection.execute(rows.where(Embedding.content_hash.in_(some))) for some in chunks(dict.fromkeys(hashes)))
    return {row.content_hash: row.id for part in parts for row in part}


def vectors_of(connection: Connection, space_id: int, dim: int, hashes: Sequence[str]) -> dict[str, np.ndarray]:
    """The vectors [dim] of pictures by content hash. Not a join: SQLite would read every vector of the space for it."""
    found: dict[str, np.ndarray] = {}
    for some in chunks(dict.fromkeys(hashes)):
        rows = select(Embedding.content_hash, Embedding.vector).where(
            Embedding.space_id == space_id, Embedding.content_hash.in_(some)
        )
        found.update((row.content_hash, from_blobs([row.vector], dim)[0]) for row in connection.execute(rows))
    return found


def images_with_ids(connection: Connection, image_ids: Sequence[int]) -> list[ImageRecord]:
    """Those of these pictures that are there, by id."""
    rows = select(*IMAGE_COLUMNS).where(~Image.missing).order_by(Image.id)
    wanted = chunks(sorted(set(image_ids)))
    return [to_record(row) for ids in wanted for row in connection.execute(rows.where(Image.id.in_(ids)))]


def images_of(connection: Connection, wanted: Iterable[str]) -> dict[str, ImageRecord]:
    """The first file that is there of each of these pictures, by picture."""
    rows = select(*IMAGE_COLUMNS).where(~Image.missing).order_by(Image.id)
    found: dict[str, ImageRecord] = {}
    for some in chunks(dict.fromkeys(wanted)):
        for row in connection.execute(rows.where(Image.picture.in_(some))):
            found.setdefault(row.picture, to_record(row))
    return found


def contents_of(connection: Connection, wanted: Iterable[str]) -> dict[str, list[str]]:
    """The contents of the files that are there of each of these pictures, the file that came first leading."""
    rows = select(Image.picture, Image.content_hash).where(~Image.missing).order_by(Image.id)
    found: dict[str, list[str]] = {}
    for some in chunks(dict.fromkeys(wanted)):
        for picture, content in connection.execute(rows.where(Image.picture.in_(some))):
            found.setdefault(picture, []).append(content)
    return found


def dates_of(connection: Connection, image_ids: Sequence[int]) -> dict[int, datetime]:
    """When those of these pictures that are there were taken, by id."""
    rows = select(Image.id, Image.dated).where(~Image.missing)
    parts = (connection.execute(rows.where(Image.id.in_(ids))) for ids in chunks(sorted(set(image_ids))))
    return {row.id: row.dated for part in parts for row in part}


def ids_of_embeddings(connection: Connection, embedding_ids: Sequence[int]) -> dict[int, list[int]]:
    """The ids of the pictures that are there, by the id of their vector; copies of one picture share it."""
    found: dict[int, list[int]] = {}
    query = select(Embedding.id, Image.id).join(Embedding, Embedding.content_hash == Image.content_hash)
    query = query.where(~Image.missing).order_by(Image.id)
    for ids in chunks(embedding_ids):
        for embedding_id, image_id in connection.execute(query.where(Embedding.id.in_(ids))):
            found.setdefault(embedding_id, []).append(image_id)
    return found


def cached_thumbnail(image: ImageRecord, folder: Path, side: int) -> bytes:
    """The picture as WebP, no side longer than `side`, made once per content. Raises BadImage and BadInput.

    One that was kept without a checksum, by an earlier Sayso, is made again; it is given only where that cannot be done.
    """
    if side not in SIDES:
        raise BadInput(f"A thumbnail has between {SIDES.start} and {SIDES.stop - 1} pixels; ask for such a size.")
    file = folder / str(side) / image.content_hash[:2] / f"{image.content_hash}.webp"
    try:
        kept = file.read_bytes()
    except OSError:
        kept = b""  # not made yet
    if (whole := unsealed(kept)) is not None:
        return whole
    try:
        data = read_bytes(image.path)
    except BadImage:
        if _is_whole_webp(kept):
            return kept
        raise
    small = small_copy(data, side)
    if content_hash(data) == image.content_hash:  # else the file has changed since it was added: show it, keep nothing
        with suppress(OSError):  # a full disk only means making it again
            write_beside(file, sealed(small), durable=False)
    return small


def sealed(thumbnail: bytes) -> bytes:
    """A thumbnail as it is kept: behind the picture, where no program looks, stand eight bytes of its checksum."""
    return thumbnail + hashlib.blake2b(thumbnail, digest_size=SEAL).digest()


def unsealed(kept: bytes) -> bytes | None:
    """The inverse of `sealed`; None for what is damaged, or was kept without a checksum."""
    thumbnail, seal = kept[:-SEAL], kept[-SEAL:]
    return thumbnail if thumbnail and hashlib.blake2b(thumbnail, digest_size=SEAL).digest() == seal else None


def forget_thumbnails(folder: Path, hashes: set[str]) -> None:
    """Delete the thumbnails of these contents, in every size."""
    for size in folder.glob("*"):
        for digest in hashes:
            (size / digest[:2] / f"{digest}.webp").unlink(missing_ok=True)


def is_whole_thumbnail(file: Path) -> bool:
    """Whether a kept thumbnail can be shown."""
    try:
        kept = file.read_bytes()
    except OSError:
        return False
    return unsealed(kept) is not None or _is_whole_webp(kept)  # an earlier Sayso kept it without a checksum


def _is_whole_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) == 8 + int.from_bytes(data[4:8], "little")


def keep_upload(folder: Path, data: bytes, filename: str) -> Path:
    """Write the bytes of a file that was handed over below `folder`, once per content and name."""
    path = folder / hashlib.sha256(data).hexdigest()[:16] / safe_name(filename)
    if not (path.is_file() and path.stat().st_size == len(data)):
        write_beside(path, data)
    return path


def safe_name(filename: str) -> str:
    """The last part of a name from outside, as every file system takes it; the ending stays."""
    name = filename.encode("utf-8", "replace").decode()  # what cannot be encoded becomes "?"
    name = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", re.split(r"[/\\]", name)[-1]).strip(" .")
    stem, ending = os.path.splitext(name)
    while len(f"{stem}{ending}".encode()) > 150:  # bytes; file systems take 255, and a part needs room for its own ending
        stem, ending = stem[:-1], ending[:20]
    return f"{stem}{ending}" or "image"
