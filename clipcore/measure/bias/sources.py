"""Where groups come from: a table beside the pictures, file names as UTKFace writes them, folders.

Everything is as somebody wrote it down. Nothing is ever guessed from a face.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import BadInput
from ...letters import letters
from ...pictures.finding import display_path, is_picture_name
from ...plain import read_plain_text
from .groups import UNKNOWN, Facts

# FairFace says file; the others are usual elsewhere.
KEYS = ("file", "path", "image", "file_name", "filename", "filepath", "file_path", "image_path", "img", "img_path", "name")
MAX_TABLE = 200_000_000  # bytes
_UTKFACE = re.compile(r"^(\d{1,3})_([01])_([0-4])_\d")
_GENDERS = ("male", "female")
_RACES = ("White", "Black", "Asian", "Indian", "Others")


@dataclass(frozen=True)
class PictureTable:
    """A table with a row for each picture: `rows` by what the table calls the picture, a value for each of `columns`."""

    name: str
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]
    repeated: int = 0  # rows that name a picture again and say something else; the first one counts


def read_table(path: str | Path) -> PictureTable:
    """A CSV or TSV file, UTF-8, whose first line names the columns; one of them says which picture a row is about.

    FairFace's own (file, age, gender, race, service_test) is such a file. Raises BadInput.
    """
    path = Path(path).expanduser()
    try:
        return parse_table(read_plain_text(path, MAX_TABLE, "utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"The table {display_path(path)} cannot be read ({why}); save it as CSV in UTF-8.") from None


def parse_table(text: str, name: str = "table") -> PictureTable:
    """The text of a table; see `read_table`."""
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    try:
        lines = [line for line in csv.reader(text.splitlines(), delimiter=delimiter, strict=False) if any(line)]
    except csv.Error as error:
        raise BadInput(f"The table {name} cannot be read ({error}); save it as CSV once more.") from None
    if len(lines) < 2:
        raise BadInput(
            f"The table {name} has no rows; its first line names the columns, and one line follows for each image."
        )
    head = [" ".join(cell.split()) or f"column {i + 1}" for i, cell in enumerate(lines[0])]
    if len(set(head)) < len(head):
        twice = next(column for column, count in Counter(head).items() if count > 1)
        raise BadInput(f"The table {name} has two columns “{twice}”; give each a name of its own.")
    key = _key_column(name, head, lines[1:])
    columns = [i for i in range(len(head)) if i != key]
    if not columns:
        raise BadInput(f"The table {name} has no column beside “{head[key]}”; add one such as age, gender or group.")
    rows: dict[str, tuple[str, ...]] = {}
    repeated = 0
    for line in lines[1:]:
        cells = [" ".join(cell.split()) for cell in line] + [UNKNOWN] * (len(head) - len(line))
        said = tuple(cells[i] for i in columns)
        repeated += rows.setdefault(_posix(cells[key]), said) != said
    return PictureTable(name, tuple(head[i] for i in columns), rows, repeated)


def _key_column(name: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> int:
    folded = [column.casefold() for column in head]
    for key in KEYS:
        if key in folded:
            return folded.index(key)
    for i in range(len(head)):
        if all(is_picture_name(line[i]) for line in lines[:20] if len(line) > i and line[i]):
            return i
    raise BadInput(
        f"The table {name} does not say which image a row is about; call that column file. It has: {', '.join(head)}."
    )


def match_table(table: PictureTable, paths: Sequence[str | Path]) -> Facts:
    """What a table says of these files. A row finds its file by the path, by the end of the path, or by the name alone
    if only one row has it. Raises BadInput if no row finds one."""
    by_name: dict[str, str | None] = {}
    for key in table.rows:
        for short in {PurePosixPath(key).name, PurePosixPath(key).stem}:
            by_name[short] = None if short in by_name else key  # None: several rows, so the name says nothing

    def row_of(path: str) -> str | None:
        parts = PurePosixPath(path).parts
        if path in table.rows:
            return path
        for start in range(len(parts)):
            if (end := "/".join(parts[start:])) in table.rows:
                return end
        name = PurePosixPath(path)
        return by_name.get(name.name) or by_name.get(name.stem)

    found = [row_of(_posix(str(path))) for path in paths]
    if not any(found):
        example = next(iter(table.rows), "")
        raise BadInput(
            f"No row of {table.name} names an image of this folder; it has names such as “{example}”, the folder "
            f"“{Path(paths[0]).name if paths else 'nothing'}”."
        )
    nothing = (UNKNOWN,) * len(table.columns)
    said = [table.rows[key] if key is not None else nothing for key in found]
    notes = []
    if missing := found.count(None):
        notes.append(f"{_images(missing)} of the folder {'is' if missing == 1 else 'are'} not in {table.name} and left out.")
    if spare := len(table.rows) - len(set(found) - {None}):
        notes.append(f"{spare:,} {'row' if spare == 1 else 'rows'} of {table.name} without an image in the folder.")
    if table.repeated:
        occur = "occurs" if table.repeated == 1 else "occur"
        notes.append(f"{_images(table.repeated)} of {table.name} {occur} again with other values; the first row counts.")
    return Facts(dict(zip(table.columns, zip(*said, strict=True), strict=True)), tuple(notes))


def facts_from_names(paths: Sequence[str | Path]) -> Facts:
    """Age, gender and race from file names as UTKFace writes them, [age]_[gender]_[race]_[date].jpg.

    Raises BadInput if none is written so.
    """
    found = [_UTKFACE.match(Path(path).name) for path in paths]
    if not any(found):
        raise BadInput("No file name here is written as UTKFace does, such as 25_1_0_20170116.jpg; use a table instead.")
    columns = {
        "age": tuple(str(int(one[1])) if one else UNKNOWN for one in found),
        "gender": tuple(_GENDERS[int(one[2])] if one else UNKNOWN for one in found),
        "race": tuple(_RACES[int(one[3])] if one else UNKNOWN for one in found),
    }
    missing = found.count(None)
    return Facts(columns, (f"{_images(missing)} with another kind of name left out.",) if missing else ())


def facts_from_folders(paths: Sequence[str | Path], root: str | Path) -> Facts:
    """The folders below `root` as columns: folder, folder 2, ... Raises BadInput if the pictures lie in none."""
    below = [Path(path).relative_to(root).parts[:-1] if Path(path).is_relative_to(root) else () for path in paths]
    depth = max(map(len, below), default=0)
    if not depth:
        raise BadInput("The images of this folder lie in no folders of their own; give each group a folder, or use a table.")
    columns = {
        "folder" if level == 0 else f"folder {level + 1}": tuple(
            display_path(parts[level]).replace("_", " ") if level < len(parts) else UNKNOWN for parts in below
        )
        for level in range(min(depth, 5))
    }
    return Facts(columns)


def facts_from_labels(labels: Sequence[Mapping[str, int]]) -> Facts:
    """What people said of each picture on the board, as a column “label”; several labels are joined.

    labels  of each picture, label -> 1 (it is), -1, 0. Raises BadInput if nobody has said anything.
    """
    said = [" + ".join(sorted(label for label, value in one.items() if value == 1)) for one in labels]
    if not any(said):
        raise BadInput("None of these images has a label yet; put some right on the board of the Classify tab first.")
    missing = said.count(UNKNOWN)
    return Facts({"label": tuple(said)}, (f"{_images(missing)} without a label left out.",) if missing else ())


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _posix(path: str) -> str:
    return letters(path.strip().replace("\\", "/")).removeprefix("./")
