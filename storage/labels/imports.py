"""Labels that come in: rows of (path, label) from tables, class folders, XMP sidecars, COCO and Label Studio.

A classifier's guesses that an export of Sayso wrote are not read back: they never become a person's word.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clipcore import BadImage, BadInput
from clipcore.pictures.archives import open_archive, read_packed
from clipcore.pictures.classes import NO_CLASS, clean_folder, find_classes, find_labelled_images
from clipcore.pictures.finding import Skipped, display_path
from clipcore.pictures.keywords import plain_keywords, xmp_packets
from clipcore.pictures.places import ByName, address
from clipcore.pictures.reading import content_hash, read_bytes
from clipcore.pictures.tables import PictureRows, from_objects, picture_column, read_objects, read_pictures
from clipcore.plain import TEXT, open_plain, parsed_json, read_plain, read_plain_text

from ..export.xmp import LIMIT, keywords, sidecar_paths
from ..records import ImageRecord, SkippedRecord


class Rows(list[tuple[str, str]]):
    """Pairs of a path, as the file gives it, made absolute, and a label; `notes` say what else to know of the file."""

    notes: list[str]

    def __init__(self, rows: Iterable[tuple[str, str]] = (), notes: Iterable[str] = ()) -> None:
        super().__init__(rows)
        self.notes = list(notes)


def read_labels(file: str | Path) -> Rows:
    """Labels from a file of any of these kinds, known by what is in it: JSON, or else a table. Raises BadInput."""
    try:
        with open_plain(file) as opened:
            is_json = opened.read(1000).decode("utf-8-sig", "replace").lstrip()[:1] in ("[", "{")
    except OSError as error:
        raise BadInput(f"The file {display_path(file)} cannot be read ({error.strerror or error}); check it.") from error
    return read_json(file) if is_json else read_csv(file)


def read_csv(file: str | Path) -> Rows:
    """A table of pictures and labels, see `clipcore.pictures.tables`; of one that Sayso wrote, only what a person said.

    Raises BadInput.
    """
    return _rows(read_pictures(file, captions=False, most=TEXT), file)


def read_folders(root: str | Path, known: Iterable[str] = ()) -> Rows:
    """A folder of class folders, or a ZIP file of one, see `clipcore.pictures.classes`; all its parts. Raises BadInput.

    A link to a picture, such as an export of Sayso makes, stands for the picture. A class that is called as one of the
    `known` labels, but for `_` in the place of spaces, is that label.
    """
    spelt = {clean_folder(label): label for label in known}
    if Path(root).suffix.lower() == ".zip":
        with open_archive(root) as archive:
            found = find_classes(archive.pictures)
        skipped = [NO_CLASS] * len(found.unlabelled)
        labels = found.labels
        rows = [(os.path.join(os.path.abspath(root), str(path)), label) for path, label in labels.items()]
    else:
        passed_over: list[Skipped] = []
        found = find_labelled_images(root, passed_over, links=True)
        skipped = [bad.reason for bad in passed_over]
        rows = [(os.path.realpath(path), label) for path, label in found.labels.items()]
    notes = [*found.notes, *(f"skipped {count} x {reason}" for reason, count in Counter(skipped).items())]
    return _some(sorted((path, spelt.get(label, label)) for path, label in rows), root, notes)


def read_xmp(images: Iterable[ImageRecord]) -> tuple[Rows, list[SkippedRecord]]:
    """The keywords of the pictures' sidecars (photo.jpg.xmp and photo.xmp), and the sidecars that could not be read."""
    rows = Rows()
    skipped = []
    for image in images:
        for path in sidecar_paths(image.path, "both"):
            try:
                rows += [(image.path, word) for word in keywords(read_plain(path, LIMIT))]
            except FileNotFoundError:
                continue
            except (OSError, BadInput) as error:
                skipped.append(SkippedRecord(display_path(path), str(error)))
    return Rows(dict.fromkeys(rows)), skipped


def read_embedded(images: Iterable[ImageRecord]) -> tuple[Rows, list[SkippedRecord]]:
    """The keywords inside the pictures' files (XMP, IPTC, Windows's tags), and the files that could not be read."""
    rows = Rows()
    skipped = []
    for image in images:
        try:
            data = read_bytes(image.path)
        except BadImage as error:
            skipped.append(SkippedRecord(image.shown_path, str(error)))
            continue
        words = plain_keywords(data)
        for packet in xmp_packets(data):
            try:
                words += keywords(packet)
            except BadInput:  # of a part of the file that only looks so
                continue
        rows += [(image.path, word) for word in words]
    return Rows(dict.fromkeys(rows)), skipped


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
    """Labels from a JSON file of any kind: Label Studio's is a list; COCO and Sayso's own are objects. Raises BadInput."""
    data = _json(file)
    if isinstance(data, list):
        return read_label_studio(file)
    if isinstance(data, dict) and "images" in data and "annotations" not in data:
        return _read_ours(data, file)
    if isinstance(data, dict) and data and not {"images", "annotations", "categories"} & data.keys():
        return _rows(from_objects(display_path(Path(file).name), read_objects(file), captions=False), file)
    return read_coco(file)


def _read_ours(data: Mapping[str, Any], file: str | Path) -> Rows:
    """What a person said, from the JSON that `storage.export.to_json` writes."""
    try:
        said = [(str(row["path"]), row["said"]) for row in data["images"] if isinstance(row["said"], list)]
    except (KeyError, TypeError) as error:
        raise BadInput(f"{display_path(file)} is neither COCO nor an export of Sayso; export it once more.") from error
    return _some([(_absolute(path, file), str(label)) for path, labels in said for label in labels], file)


def read_label_studio(file: str | Path) -> Rows:
    """What people chose in Label Studio, exported as JSON, JSON-MIN or CSV; predictions are guesses. Raises BadInput."""
    try:
        is_table = open_plain(file).read(1000).decode("utf-8-sig", "replace").lstrip()[:1] not in ("[", "{", "")
    except OSError:
        is_table = False  # reading it says why
    tasks = None if is_table else _json(file)
    if tasks is None:
        return read_csv(file)
    try:
        if isinstance(tasks, list) and tasks and all(isinstance(task, dict) and "data" not in task for task in tasks):
            return _rows(from_objects(display_path(Path(file).name), tasks, captions=False), file)
        rows = [
            (_absolute(address(_picture_of(task["data"]), strict=True), file), str(choice))
            for task in tasks
            for annotation in task.get("annotations") or task.get("completions") or ()
            if not annotation.get("was_cancelled")
            for result in annotation["result"]
            for choice in _choices(result)
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(
            f"{display_path(file)} is not Label Studio's JSON with choices of an image; export it as JSON, JSON-MIN or CSV."
        ) from error
    if not rows and any(task.get("predictions") for task in tasks):
        raise BadInput(f"{display_path(file)} has predictions alone; submit some tasks in Label Studio and export it again.")
    return _some(list(dict.fromkeys(rows)), file)


def _picture_of(data: Mapping[str, Any]) -> str:
    """The picture of a task, whatever the project calls it. Raises KeyError if there is none."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    if len(texts) == 1:
        return next(iter(texts.values()))
    heading = list(texts)
    place = picture_column(heading, [list(texts.values())])
    if place is None:
        raise KeyError("image")
    return texts[heading[place]]


def _choices(result: Mapping[str, Any]) -> list[str]:
    """The labels of one result: choices, the leaves of a taxonomy, or the labels of marked regions, as those of COCO."""
    kind = str(result.get("type", ""))
    if kind != "choices" and kind != "taxonomy" and not kind.endswith("labels"):
        return []
    found = result["value"].get(kind) or []
    return [str(item[-1] if isinstance(item, list) else item) for item in found]


class Finder:
    """Finds the library's picture that a path from outside means: by path, by content, or by the end of the path."""

    def __init__(self, images: Iterable[ImageRecord]) -> None:
        self._by_path: dict[str, ImageRecord] = {}
        self._by_content: dict[str, ImageRecord] = {}
        self._by_name: ByName[ImageRecord] = ByName()
        for image in images:
            self._by_path[image.path] = image
            self._by_path.setdefault(image.shown_path, image)  # a name that is no UTF-8 stands so in our tables
            self._by_content.setdefault(image.content_hash, image)
            self._by_name.add(image.path, image)

    def find(self, path: str) -> ImageRecord | None:
        """The picture, or None where there is none or it could be several."""
        if path in self._by_path:
            return self._by_path[path]
        if copy := self._by_content.get(_content(path)):
            return copy
        return self._by_name.find(path)  # a table from another computer


def _content(path: str) -> str:
    try:
        if os.path.isfile(path):
            return content_hash(read_bytes(path))
        packed = read_packed(path)
        return content_hash(packed) if packed else ""
    except Exception:  # no picture, or not ours to read: then it is not found by its content
        return ""


def _absolute(path: str, file: str | Path) -> str:
    """A path of a table, which is relative to the table's folder."""
    if re.match(r"[A-Za-z]:[/\\]|\\\\", path):  # of Windows
        return path
    return os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), path))


def _rows(pictures: PictureRows, file: str | Path) -> Rows:
    """The labels of a table. Raises BadInput."""
    rows, without = [], 0
    for row in pictures:
        rows += [(_absolute(row.picture, file), label) for label in row.labels if row.picture]
        without += bool(row.labels and not row.picture)
    notes = [pictures.note] if pictures.note else []
    notes += [f"skipped {count} x {reason}" for reason, count in pictures.left_out.items()]
    notes += [f"skipped {without} x no picture"] if without else []
    return _some(rows, file, notes)


def _some(rows: Iterable[tuple[str, str]], file: str | Path, notes: Iterable[str] = ()) -> Rows:
    found = Rows(rows, notes)
    if not found:
        raise BadInput(f"There are no labels in {display_path(file)}; check that it is the right one.")
    return found


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
