"""Where groups come from: a table beside the pictures, file names as UTKFace writes them, folders.

Everything is as somebody wrote it down. Nothing is ever guessed from a face.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import BadInput
from ...pictures.finding import display_path
from ...pictures.places import address, posix
from ...pictures.tables import picture_column
from ...plain import TEXT
from ...tables import Table, open_table
from ...tables import parse_table as parse_text
from .groups import UNKNOWN, Facts

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
    note: str = ""  # what is doubtful about the table's text


def read_table(path: str | Path) -> PictureTable:
    """A CSV or TSV file whose first line names the columns; one of them says which picture a row is about.

    FairFace's own (file, age, gender, race, service_test) is such a file. Raises BadInput.
    """
    return _picture_table(open_table(path, TEXT))


def parse_table(text: str, name: str = "table") -> PictureTable:
    """The text of a table; see `read_table`."""
    return _picture_table(parse_text(text, name))


def _picture_table(table: Table) -> PictureTable:
    name, lines = table.name, list(table.rows)
    if len(lines) < 2:
        raise BadInput(
            f"The table {name} has no rows; its first line names the columns, and one line follows for each image."
        )
    head = [" ".join(cell.split()) or f"column {i + 1}" for i, cell in enumerate(lines[0])]
    if len(set(head)) < len(head):
        twice = next(column for column, count in Counter(head).items() if count > 1)
        raise BadInput(f"The table {name} has two columns “{twice}”; give each a name of its own.")
    key = picture_column(head, lines[1:])
    if key is None:
        raise BadInput(
            f"The table {name} does not say which image a row is about; call that column file. It has: {', '.join(head)}."
        )
    columns = [i for i in range(len(head)) if i != key]
    if not columns:
        raise BadInput(f"The table {name} has no column beside “{head[key]}”; add one such as age, gender or group.")
    rows: dict[str, tuple[str, ...]] = {}
    repeated = 0
    for line in lines[1:]:
        cells = [" ".join(cell.split()) for cell in line] + [UNKNOWN] * (len(head) - len(line))
        said = tuple(cells[i] for i in columns)
        repeated += rows.setdefault(posix(address(cells[key])), said) != said
    return PictureTable(name, tuple(head[i] for i in columns), rows, repeated, table.note)


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

    found = [row_of(posix(str(path))) for path in paths]
    if not any(found):
        example = next(iter(table.rows), "")
        raise BadInput(
            f"No row of {table.name} names an image of this folder; it has names such as “{example}”, the folder "
            f"“{Path(paths[0]).name if paths else 'nothing'}”."
        )
    nothing = (UNKNOWN,) * len(table.columns)
    said = [table.rows[key] if key is not None else nothing for key in found]
    notes = [table.note] if table.note else []
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
