"""Folders that are looked at again by themselves: how often, what sorts the new pictures, and which are due."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from clipcore import BadInput

from ..tables import Folder
from .folders import find_folder

SHORTEST, LONGEST = 1, 60 * 24 * 7  # minutes


def watch(connection: Connection, folder_id: int, every: int | None, sorter: str | None = None) -> None:
    """Look at a folder every so many minutes; None: no more. Raises NotFound, and BadInput for what cannot be watched."""
    folder = find_folder(connection, folder_id)
    if every is not None and not SHORTEST <= every <= LONGEST:
        raise BadInput("A folder is looked at every 1 minute to every 7 days; choose a time between these.")
    if every is not None and not folder.path:
        raise BadInput(f"“{folder.name}” is a collection and no folder on the disk; new photos come into it only by hand.")
    values = {"every": every, "sorter": sorter if every is not None else None}
    connection.execute(update(Folder).where(Folder.id == folder_id).values(values))


def due(connection: Connection, at: datetime) -> list[int]:
    """The folders at which somebody should look by now."""
    rows = connection.execute(select(Folder.id, Folder.every, Folder.looked).where(Folder.every.is_not(None)))
    return [row.id for row in rows if row.looked is None or at - row.looked >= timedelta(minutes=row.every)]


def looked(connection: Connection, folder_id: int, at: datetime) -> None:
    """Keep when a folder was looked at."""
    connection.execute(update(Folder).where(Folder.id == folder_id).values(looked=at))
