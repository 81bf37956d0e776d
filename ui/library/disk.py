"""The folders of the computer that runs Sayso, for choosing one: names of folders and how many pictures lie in each.

Nothing is opened, and nothing but folders is named. The path that comes in is looked at here and nowhere kept; adding a
folder goes the way that a typed path goes.
"""

import os
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request

from clipcore import BadInput
from clipcore.pictures.finding import display_path, is_no_photo, is_picture_name

from ..guard.here import require_here
from ..studio import Studio

MOST_FOLDERS = 2_000  # that are listed
MOST_ENTRIES = 50_000  # that are looked at for counting


def add_disk_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's route on the app."""

    @app.get("/api/disk")
    def disk(request: Request, at: str = "") -> dict[str, Any]:
        require_here(request)
        there = {folder.path for folder in studio.library.folders()}
        found = listed(Path(at) if at else _home())
        return {**found, "known": found["path"] in there, "places": _places()}


def listed(folder: Path) -> dict[str, Any]:
    """What a folder holds: `folders` [name, path], `pictures` directly in it, `up`, the folder above. Raises BadInput."""
    shown = display_path(folder)
    try:
        folder = Path(os.path.abspath(folder.expanduser()))
        folders, pictures = [], 0
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= MOST_ENTRIES:
                    break
                is_folder = _is_folder(entry)
                if is_no_photo(entry.name, is_folder) or not _can_be_said(entry.name):
                    continue
                if is_folder:
                    folders.append([entry.name, entry.path])
                pictures += not is_folder and is_picture_name(entry.name)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        raise BadInput(f"The folder {shown[:200]} cannot be looked at ({why}); choose another one.") from None
    except RuntimeError:  # ~somebody
        raise BadInput(f"There is no folder {shown[:200]}; choose another one.") from None
    folders.sort(key=lambda one: one[0].casefold())
    up = str(folder.parent) if folder.parent != folder else None
    return {
        "path": str(folder),
        "folders": folders[:MOST_FOLDERS],
        "more": len(folders) > MOST_FOLDERS,
        "pictures": pictures,
        "up": up,
    }


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _can_be_said(name: str) -> bool:
    """Whether a name can go through JSON and back; others are added by typing the folder above."""
    return name.isprintable() and name.encode("utf-8", "replace").decode() == name


def _home() -> Path:
    pictures = Path.home() / "Pictures"
    return pictures if pictures.is_dir() else Path.home()


def _places() -> list[list[str]]:
    """Where to begin: the home folder, its pictures, and other disks."""
    home = Path.home()
    found = [("Home", home), ("Pictures", home / "Pictures")]
    if sys.platform == "win32":
        found += [(f"{letter}:", Path(f"{letter}:\\")) for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ"]
    else:
        found += [("Computer", Path("/"))]
        found += [(name, Path(path)) for name, path in (("Disks", "/Volumes"), ("Disks", "/media"), ("Mounted", "/mnt"))]
    return [[name, str(path)] for name, path in found if path.is_dir()]
