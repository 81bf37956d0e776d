"""Labels that come in: rows of (path, label) from CSV, class folders, XMP sidecars, COCO and Label Studio.

A classifier's guesses that an export of Sayso wrote are not read back: they never become a person's word.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from clipcore import BadInput
from clipcore.letters import letters
from clipcore.pictures.finding import display_path, find_images
from clipcore.pictures.reading import content_hash, read_bytes
from clipcore.plain import parsed_json, read_plain, read_plain_text

from ..export.tables import labels_in, undefused
from ..export.xmp import LIMIT, keywords, sidecar_paths
from ..records import ImageRecord, SkippedRecord

Rows = list[tuple[str, str]]  # path as the file gives it, made absolute; label
PATH_COLUMNS = ("path", "image", "file", "filename", "file_name", "filepath")
LABEL_COLUMNS = ("your label", "label", "class", "category")
PARTS = {"train", "val", "valid", "validation", "test"}


def read_csv(file: str | Path) -> Rows:
    """Columns `path` and `label`, with a heading; of a table that Sayso wrote, only what a person said. Raises BadInput."""
    table = csv.reader(io.StringIO(_text(file).lstrip("\ufeff"), newline=""))
    try:
        heading = [cell.strip().lower() for cell in next(table, [])]
        path, label = (
            next((heading.index(name) for name in names if name in heading), None) for names in (PATH_COLUMNS, LABEL_COLUMNS)
        )
        if path is None or label is None:
            raise BadInput(f"{display_path(file)} has no columns path and label; name them in its first line.")
        several = heading[label] == "your label"  # a table of ours
        rows = [
            (_absolute(undefused(row[path]), file), word)
            for row in table
            if len(row) > max(path, label)
            for word in (labels_in(undefused(row[label])) if several else [undefused(row[label])])
            if row[path].strip() and word.strip()
        ]
    except csv.Error as error:
        raise BadInput(f"{display_path(file)} is not a CSV table ({error}); save it as CSV with commas.") from error
    return _some(rows, file)


def read_folders(root: str | Path) -> Rows:
    """ROOT/<label>/.../<picture>: the folder's name is the label; folders train, val and test are looked into.

    A link to a picture, such as an export of Sayso makes, stands for the picture.
    """
    rows = []
    for file in find_images(root, links=True):
        parts = file.parent.relative_to(root).parts
        if parts and parts[0].lower() in PARTS:
            parts = parts[1:]
        if parts:
            rows.append((os.path.realpath(file), display_path(parts[0])))
    return _some(sorted(rows), root)


def read_xmp(images: Iterable[ImageRecord]) -> tuple[Rows, list[SkippedRecord]]:
    """The keywords of the pictures' sidecars (photo.jpg.xmp and photo.xmp), and the sidecars that could not be read."""
    rows: Rows = []
    skipped = []
    for image in images:
        for path in sidecar_paths(image.path, "both"):
            try:
                rows += [(image.path, word) for word in keywords(read_plain(path, LIMIT))]
            except FileNotFoundError:
                continue
            except (OSError, BadInput) as error:
                skipped.append(SkippedRecord(display_path(path), str(error)))
    return list(dict.fromkeys(rows)), skipped


def read_coco(file: str | Path) -> Rows:
    """Images, categories and annotations, boxes or not; annotations with a `score` are guesses. Raises BadInput."""
    data = _json(file)
    try:
        names = {row["id"]: str(row["name"]) for row in data["categories"]}
        paths = {row["id"]: _absolute(str(row["file_name"]), file) for row in data["images"]}
        marks = [row for row in data["annotations"] if row.get("score") is None]
        rows = [(paths[row["image_id"]], names[row["category_id"]]) for row in marks]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{display_path(file)} is not COCO: it needs images, categories and annotations.") from error
    return _some(list(dict.fromkeys(rows)), file)


def read_json(file: str | Path) -> Rows:
    """Labels from a JSON file of either kind: Label Studio's is a list, COCO an object. Raises BadInput."""
    return read_label_studio(file) if isinstance(_json(file), list) else read_coco(file)


def read_label_studio(file: str | Path) -> Rows:
    """Choices of finished annotations in Label Studio's JSON; predictions are guesses. Raises BadInput."""
    tasks = _json(file)
    try:
        rows = [
            (_absolute(_label_studio_path(str(task["data"]["image"])), file), str(choice))
            for task in tasks
            for annotation in task.get("annotations") or ()
            if not annotation.get("was_cancelled")
            for result in annotation["result"]
            if result.get("type") == "choices"
            for choice in result["value"]["choices"]
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # ValueError: an address such as http://[::1
        raise BadInput(
            f"{display_path(file)} is not Label Studio's JSON with choices of an image; export it as JSON, not JSON-MIN."
        ) from error
    return _some(list(dict.fromkeys(rows)), file)


def _label_studio_path(address: str) -> str:
    """The file behind an address: a local file below the disk's root, or an upload, whose name it put letters before."""
    parts = urlsplit(address)
    if local := parse_qs(parts.query, errors="surrogateescape").get("d"):
        return os.path.join(os.path.abspath(os.sep), local[0])
    name = unquote(parts.path, errors="surrogateescape")
    return re.sub(r"^[0-9a-f]{8}-", "", PurePosixPath(name).name) if "/upload/" in name else name


class Finder:
    """Finds the library's picture that a path from outside means: by path, by content, or by the end of the path."""

    def __init__(self, images: Iterable[ImageRecord]) -> None:
        self._by_path: dict[str, ImageRecord] = {}
        self._by_content: dict[str, ImageRecord] = {}
        self._by_name: dict[str, list[ImageRecord]] = {}
        for image in images:
            self._by_path[image.path] = image
            self._by_content.setdefault(image.content_hash, image)
            self._by_name.setdefault(_name(image.path), []).append(image)

    def find(self, path: str) -> ImageRecord | None:
        """The picture, or None where there is none or it could be several."""
        if path in self._by_path:
            return self._by_path[path]
        if copy := self._by_content.get(_content(path)):
            return copy
        # a table from another computer: the same name, and of several the one whose folders fit best
        fits = sorted(self._by_name.get(_name(path), ()), key=lambda image: -_alike(image.path, path))
        clear = len(fits) == 1 or (fits and _alike(fits[0].path, path) > _alike(fits[1].path, path))
        return fits[0] if clear else None


def _alike(one: str, other: str) -> int:
    """How many parts two paths share, counted from the end."""
    pairs = zip(reversed(re.split(r"[/\\]", letters(one))), reversed(re.split(r"[/\\]", letters(other))), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(one.count("/"), other.count("/")) + 1)


def _name(path: str) -> str:
    return letters(re.split(r"[/\\]", path)[-1])


def _content(path: str) -> str:
    try:
        return content_hash(read_bytes(path)) if os.path.isfile(path) else ""
    except Exception:  # no picture, or not ours to read: then it is not found by its content
        return ""


def _absolute(path: str, file: str | Path) -> str:
    """A path of a table, which is relative to the table's folder."""
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), path))


def _some(rows: Rows, file: str | Path) -> Rows:
    if not rows:
        raise BadInput(f"There are no labels in {display_path(file)}; check that it is the right one.")
    return rows


def _text(file: str | Path) -> str:
    try:
        return read_plain_text(file, newline="")  # line breaks in a cell stay what they are
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The file {display_path(file)} cannot be read ({error}); it should be UTF-8 text.") from error


def _json(file: str | Path) -> Any:
    try:
        return parsed_json(_text(file))
    except ValueError as error:
        raise BadInput(f"{display_path(file)} is not JSON; export it once more.") from error


def by_picture(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Rows as (path, its labels), each path once."""
    found: dict[str, list[str]] = {}
    for path, label in rows:
        found.setdefault(path, []).append(label)
    yield from found.items()
