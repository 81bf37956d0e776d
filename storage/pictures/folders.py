"""Folders and the pictures in them. A picture has one row, whichever of nested folders listed it first; each shows it."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from clipcore import NotFound
from clipcore.pictures.finding import display_path

from ..database import Database
from ..records import FolderRecord, ImageRecord, SkippedRecord
from ..tables import AnyRow, Embedding, Folder, Image, Skipped

IMAGE_COLUMNS = (
    *(Image.id, Image.path, Image.content_hash, Image.width, Image.height, Image.folder_id),
    *(Image.taken, Image.camera, Image.mtime_ns, Image.dated, Image.picture, Image.place),
)


def below(column: Any, folder: str) -> ColumnElement[bool]:
    """Whether a path lies below `folder`: a range, so that the path's index answers it."""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return and_(column >= start, column < start[:-1] + chr(ord(os.sep) + 1))


def inside(table: type[Image] | type[Skipped], folder: AnyRow) -> ColumnElement[bool]:
    """Whether a row belongs to a folder: listed by it, or below it though another folder listed it first."""
    listed = table.folder_id == folder.id
    return or_(listed, below(table.path, folder.path)) if folder.path else listed


def find_folder(connection: Connection, folder_id: int) -> AnyRow:
    """The folder's id, path and name. Raises NotFound."""
    row = connection.execute(select(Folder.id, Folder.path, Folder.name).where(Folder.id == folder_id)).one_or_none()
    if row is None:
        raise NotFound("That folder is not in the library any more; reload the list of folders.")
    return row


def open_folder(database: Database, path: str, name: str | None) -> int:
    """The id of a folder's row, made if need be. An empty path means the collection called `name`."""
    name = name and name.encode("utf-8", "replace").decode()
    with database.writing() as connection:
        wanted = select(Folder.id, Folder.name).where(Folder.path == path).order_by(Folder.id)
        row = connection.execute(wanted if path else wanted.where(Folder.name == name)).first()
        if row is None:
            shown = name or display_path(Path(path).name or path)
            new = database.insert(Folder).values(path=path, name=shown).returning(Folder.id)
            return int(connection.execute(new).scalar_one())
        if name and name != row.name:
            connection.execute(update(Folder).where(Folder.id == row.id).values(name=name))
        return int(row.id)


def list_folders(connection: Connection) -> list[FolderRecord]:
    """Every folder with the number of pictures it shows, by name."""
    rows = connection.execute(select(Folder.id, Folder.path, Folder.name, Folder.every, Folder.sorter)).all()
    count = partial(count_images, connection)
    folders = [FolderRecord(row.id, row.path, row.name, count(row.id), row.every, row.sorter) for row in rows]
    return sorted(folders, key=lambda folder: (folder.name.casefold(), folder.id))


def count_images(connection: Connection, folder_id: int | None = None, space_id: int | None = None) -> int:
    """How many pictures a folder shows, or all of them; with a space, those that have a vector in it."""
    count = select(func.count()).select_from(Image).where(~Image.missing)
    if space_id is not None:
        vectors = select(Embedding.id).where(Embedding.space_id == space_id, Embedding.content_hash == Image.content_hash)
        count = count.where(vectors.exists())
    if folder_id is not None:
        count = count.where(inside(Image, find_folder(connection, folder_id)))
    return connection.execute(count).scalar_one()


def list_skipped(connection: Connection, folder_id: int | None) -> list[SkippedRecord]:
    """The files that could not be read, by path."""
    rows = select(Skipped.path, Skipped.reason).order_by(Skipped.path)
    if folder_id is not None:
        rows = rows.where(inside(Skipped, find_folder(connection, folder_id)))
    return [SkippedRecord(display_path(path), reason) for path, reason in connection.execute(rows)]


def remove_folder(connection: Connection, folder_id: int) -> set[str]:
    """Forget a folder and its pictures, but for those that another folder shows; returns the contents no longer known.

    Only rows go: no file is touched.
    """
    folder = find_folder(connection, folder_id)
    others = connection.execute(select(Folder.id, Folder.path).where(Folder.id != folder_id)).all()
    for table in (Image, Skipped):
        for other in others:
            if other.path:
                theirs = and_(table.folder_id == folder_id, below(table.path, other.path))
                connection.execute(update(table).where(theirs).values(folder_id=other.id))
    gone = set(connection.scalars(select(Image.content_hash).where(Image.folder_id == folder.id)))
    for table in (Image, Skipped):
        connection.execute(delete(table).where(table.folder_id == folder_id))
    connection.execute(delete(Folder).where(Folder.id == folder_id))
    unused = ~select(Image.id).where(Image.content_hash == Embedding.content_hash).exists()
    kept = set(connection.scalars(select(Image.content_hash).distinct())) if gone else set()
    connection.execute(delete(Embedding).where(unused))
    return gone - kept


def to_record(row: AnyRow) -> ImageRecord:
    """A row of IMAGE_COLUMNS, or one that begins with them, as a record."""
    return ImageRecord(*row[: len(IMAGE_COLUMNS)])
