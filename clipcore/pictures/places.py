"""Which file a path from elsewhere means: from another computer or program, without its ending, or spelt otherwise."""

import os
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from ..letters import letters
from .finding import find_images, is_picture_name

T = TypeVar("T")
_MOST = 1_000_000  # pictures of a folder that are looked through for one that is not where a table says
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what Label Studio puts before the names of files that were uploaded to it
_DRIVE = re.compile(r"^[A-Za-z]:[/\\]")


def address(cell: str, strict: bool = False) -> str:
    """The path that a cell names: of a file:// or web address its path, of Label Studio's its file; else the cell itself.

    Raises ValueError, if `strict`, for an address that is none, such as http://[::1.
    """
    cell = cell.strip()
    try:
        parts = urlsplit(cell)
    except ValueError:
        if strict:
            raise
        return cell
    if "://" not in cell and not cell.startswith("/data/"):
        return cell
    if local := parse_qs(parts.query, errors="surrogateescape").get("d"):  # a local file, below the disk's root
        return os.path.join(os.path.abspath(os.sep), local[0])
    path = unquote(parts.path, errors="surrogateescape")
    if "/upload/" in path:
        return _UPLOAD.sub("", PurePosixPath(path).name)
    if parts.scheme.lower() == "file":
        path = path[1:] if _DRIVE.match(path[1:]) else path
        return f"//{parts.netloc}{path}" if parts.netloc not in ("", "localhost") else path
    return path if parts.scheme else cell


def posix(path: str) -> str:
    """A path with slashes and in one spelling, without ./ before it."""
    return letters(path.strip().replace("\\", "/")).removeprefix("./")


class ByName(Generic[T]):
    """Items by the paths of their files, found by what paths from elsewhere share with these."""

    def __init__(self, items: Iterable[tuple[str, T]] = ()) -> None:
        self._exact: dict[str, T] = {}
        self._named: dict[str, list[tuple[str, T]]] = {}
        for path, item in items:
            self.add(path, item)

    def add(self, path: str, item: T) -> None:
        """One more; of two with the same path the first counts."""
        path = posix(path)
        if path in self._exact:
            return
        self._exact[path] = item
        name = path.rpartition("/")[2].casefold()
        stem = os.path.splitext(name)[0]
        for key in dict.fromkeys([name, f"{stem}/", f"{_stored(name)}//"]):  # no name has a slash in it
            self._named.setdefault(key, []).append((path, item))

    def find(self, path: str) -> T | None:
        """The item whose path is meant, or None where there is none or it could be several.

        The same name, and of several the one whose folders fit best; a name without an ending, as in many tables of ids, is
        the one before the ending; and a name as Label Studio keeps uploads, with letters before it and without spaces.
        """
        path = posix(path)
        if path in self._exact:
            return self._exact[path]
        name = path.rpartition("/")[2]
        keys = [name.casefold(), _stored(name).casefold() + "//"]
        if (plain := _UPLOAD.sub("", name)) != name:
            keys += [plain.casefold(), plain.casefold() + "//"]
        keys += [] if is_picture_name(name) else [name.casefold() + "/"]
        for key in keys:
            if found := self._named.get(key):
                return _clearest(path, found)
        return None


def _clearest(path: str, found: list[tuple[str, T]]) -> T | None:
    """The one that fits best, unless several do."""
    name = path.rpartition("/")[2]
    fits = sorted(((_alike(other, path), other.endswith(name), i) for i, (other, _) in enumerate(found)), reverse=True)
    if len(fits) > 1 and fits[0][:2] == fits[1][:2]:
        return None
    return found[fits[0][2]][1]


def _alike(one: str, other: str) -> int:
    """How many folders two paths share, counted from the end."""
    pairs = zip(reversed(one.split("/")[:-1]), reversed(other.split("/")[:-1]), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(one.count("/"), other.count("/")))


def _stored(name: str) -> str:
    """A name as Django, and with it Label Studio, stores it."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


class OnDisk:
    """Finds the pictures of a table on the disk: where the table says, else below the table's folder by their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._below: ByName[Path] | None = None

    def find(self, path: str) -> Path | None:
        """The file, or None where there is none or it could be several."""
        spelt = [form for text in (path, path.replace("\\", "/")) for form in _spellings(str(self._folder / text))]
        if there := next((file for file in map(Path, dict.fromkeys(spelt)) if _is_file(file)), None):
            return there
        if self._below is None:
            files = islice(find_images(self._folder, links=True), _MOST)
            self._below = ByName((str(file), file) for file in files)
        return self._below.find(path)


def _spellings(path: str) -> list[str]:
    return [path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False
