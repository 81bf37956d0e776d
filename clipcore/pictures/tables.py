"""What a table says of pictures: which column names them, and which has their labels, captions and the part of the set.

Columns are known by the names that people and programs give them, in any capitals; where the heading has none of these, or
there is no heading, the column of pictures is known by what stands in it. Every command and the page read tables this way.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ..cells import labels_in, undefused
from ..errors import BadInput
from ..letters import letters, one_spelling
from ..plain import parsed_json, read_json
from ..tables import Table, open_table
from .finding import display_path, is_picture_name
from .places import address

# Names of columns with one space for what parts their words, the likelier first. Hugging Face says file_name, open_clip
# filepath and title, FairFace file, Kaggle id, image_id and id_code.
PICTURES = (
    *(
        "path",
        "image",
        "file",
        "filename",
        "file name",
        "filepath",
        "file path",
        "image path",
        "img",
        "img path",
        "image name",
    ),
    *("image file", "image filename", "image file name", "img name", "photo", "picture", "image url", "url", "uri", "src"),
    *("image id", "img id", "id code", "file id", "id", "name"),
)
LABELS = (
    *("your label", "label name", "class name", "classname", "category name", "label", "labels", "class", "classes"),
    *(
        "class label",
        "category",
        "categories",
        "tag",
        "tags",
        "keyword",
        "keywords",
        "choice",
        "choices",
        "target",
        "species",
    ),
    *("breed", "diagnosis", "ground truth", "truth", "annotation", "annotations", "y", "level", "class id", "category id"),
    *("label id", "name"),
)
CAPTIONS = ("caption", "captions", "text", "title", "description", "sentence", "comment")
PARTS = ("split", "set", "subset", "partition", "part", "usage")
OURS = "your label"  # in a table that Sayso wrote: what a person said
_SEVERAL = ("labels", "tags", "keywords", "categories", "classes", "choices", "annotations")
_BESIDE = (  # columns that other programs add, which are never labels
    {"id", "annotator", "annotation id", "created at", "updated at", "lead time", "agreement", "width", "height", "split"}
    | {
        "image width",
        "image height",
        "size",
        "date",
        "set",
        "usage",
        "part",
        "subset",
        "fold",
        "score",
        "confidence",
        "index",
    }
)
_LOOK = 200  # rows from which is told what a column holds
_UNREAD = "\ufffd"


@dataclass(frozen=True)
class Listed:
    """A row: the picture's path as the table gives it, and what is said of it; `part` as in `clipcore.pictures.classes`."""

    picture: str
    labels: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    part: str = ""


@dataclass
class PictureRows:
    """The rows of a table with what has to be said of it; rows that cannot be used are counted in `left_out` by reason."""

    rows: Iterator[Listed]
    note: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    parted: bool = False  # whether a column says which part of the set a row belongs to

    def __iter__(self) -> Iterator[Listed]:
        return self.rows


@dataclass(frozen=True)
class Columns:
    """The places of what is read: of `pictures` and `captions` the first that is not empty counts, for objects differ in
    what they have. With `marks`, each of these columns is a label that is 1 or 0 for a picture."""

    pictures: tuple[int, ...]
    label: int | None = None
    captions: tuple[int, ...] = ()
    part: int | None = None
    marks: Mapping[int, str] = field(default_factory=dict)
    ours: bool = False
    several: bool = False


def read_pictures(path: str | os.PathLike[str], captions: bool = True, most: int | None = None) -> PictureRows:
    """The rows of a CSV or TSV table of at most `most` bytes. Raises BadInput, also while they are read, for a table without
    pictures and labels, or, if they are asked for, `captions`."""
    return pictures_of(open_table(path, most), captions)


def pictures_of(table: Table, captions: bool = True) -> PictureRows:
    """`read_pictures` of a table that is open. Raises BadInput."""
    some = list(islice(table.rows, _LOOK))
    if not some:
        raise BadInput(f"There are no labels in {table.name}: it has no rows; check that it is the right one.")
    heading, columns = _columns(table.name, some, captions)
    found = PictureRows(iter(()), table.note, parted=columns.part is not None)
    found.rows = _listed(chain(some[heading:], table.rows), columns, found.left_out)
    return found


def from_objects(name: str, objects: Iterable[Mapping[str, object]], captions: bool = True) -> PictureRows:
    """The same for objects, such as JSON Lines or Label Studio's JSON-MIN, whose names are the columns. Raises BadInput."""
    iterator = iter(objects)
    some = list(islice(iterator, _LOOK))
    heading = list(dict.fromkeys(key for one in some for key in one))
    rows = ([_as_cell(one.get(key)) for key in heading] for one in chain(some, iterator))
    return pictures_of(Table(name, chain([heading], rows)), captions)


def read_objects(path: str | os.PathLike[str]) -> list[Mapping[str, object]]:
    """The objects of a JSON file: a list of them, or one that gives each picture its label or labels. Raises BadInput."""
    name = display_path(os.path.basename(path))
    try:
        held = read_json(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not JSON"
        raise BadInput(f"The table {name} cannot be read ({why}); save it once more.") from None
    if isinstance(held, list) and held and all(isinstance(one, dict) for one in held):
        return held
    if isinstance(held, dict) and held and all(isinstance(said, str | list) for said in held.values()):
        return [{"path": picture, "labels" if isinstance(said, list) else "label": said} for picture, said in held.items()]
    raise BadInput(f'The table {name} is no list of pictures with labels; write it as in: {{"a.jpg": "cat"}}.')


def column_name(cell: str) -> str:
    """The name of a column in small letters, one space between words: File_Name, fileName and file-name are one."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", letters(cell))
    return " ".join(re.split(r"[\W_]+", parted.casefold().strip("\ufeff"))).strip()


def picture_column(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """Which column names the pictures: the one that holds names of pictures, of several the one called so; else None."""
    return next(iter(_picture_columns(heading, rows)), None)


def _picture_columns(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    names = [column_name(cell) for cell in heading]
    called = [names.index(name) for name in PICTURES if name in names]
    holding = [i for i in range(len(heading)) if _holds_pictures(i, rows)]
    return tuple(i for i in called if i in holding) or tuple(holding[:1]) or tuple(called[:1])


def has_heading(row: Sequence[str]) -> bool:
    """Whether a first row says what the columns hold, and is no row itself."""
    names = {column_name(cell) for cell in row}
    return bool(names & {*PICTURES, *LABELS, *CAPTIONS}) or not any(_is_picture(cell) for cell in row)


def _columns(name: str, some: Sequence[Sequence[str]], captions: bool) -> tuple[int, Columns]:
    """How many rows the heading takes, and the columns. Raises BadInput."""
    heading = int(has_heading(some[0]))
    head = some[0] if heading else ["" for _ in some[0]]
    names, rows = [column_name(cell) for cell in head], some[heading:]
    pictures = _picture_columns(head, rows)
    kinds = [*LABELS, *(CAPTIONS if captions else ())]
    told = [i for kind in kinds for i, called in enumerate(names) if called == kind and i not in pictures]
    if not pictures and told and len(names) == 2:
        pictures = (1 - told[0],)
    if not pictures:
        raise BadInput(
            f"{name} has no columns path and label; name them in its first line. It has: {', '.join(map(str, head))[:200]}."
        )
    part = next((names.index(kind) for kind in PARTS if kind in names and names.index(kind) not in pictures), None)
    rest = [i for i in range(len(names)) if i not in pictures and names[i] not in _BESIDE]
    if not told and len(rest) > 1 and heading and all(_is_marked(i, rows) for i in rest):
        return heading, Columns(pictures, part=part, marks={i: one_spelling(str(head[i])) for i in rest})
    if not told:  # the only one that can be it, or the only one in words
        wordy = [i for i in rest if not _is_numeric(i, rows)]
        told = rest if len(rest) == 1 else wordy if len(wordy) == 1 else []
    if not told:
        wanted = "label, or caption" if captions else "label"
        raise BadInput(
            f"{name} needs a column image and a column {wanted}; its columns are {', '.join(map(str, head))[:200]}."
        )
    called = names[told[0]]
    sentences = tuple(i for i in told if captions and names[i] in CAPTIONS)
    label = None if called in CAPTIONS else told[0]
    return heading, Columns(pictures, label, sentences, part, ours=called == OURS, several=called in _SEVERAL)


def _listed(rows: Iterable[Sequence[str]], columns: Columns, left_out: dict[str, int]) -> Iterator[Listed]:
    places = (*columns.pictures, columns.label, *columns.captions, columns.part, *columns.marks)
    last = max(place for place in places if place is not None)
    for short in rows:
        row = [*map(str, short), *[""] * (last + 1 - len(short))]
        picture = address(undefused(next((row[i] for i in columns.pictures if row[i].strip()), "")))
        labels = _labels(row, columns)
        told = _items(next((row[i] for i in columns.captions if row[i].strip()), ""))
        if any(_UNREAD in label for label in labels):
            left_out["letters that cannot be read"] = left_out.get("letters that cannot be read", 0) + 1
            continue
        part = "" if columns.part is None else row[columns.part].strip()
        yield Listed(picture, labels, tuple(" ".join(text.split()) for text in told if text.strip()), part)


def _labels(row: Sequence[str], columns: Columns) -> tuple[str, ...]:
    if columns.marks:
        return tuple(label for i, label in columns.marks.items() if _number(row[i]) == 1)
    if columns.label is None:
        return ()
    cell = undefused(row[columns.label])
    if columns.ours:
        return tuple(labels_in(cell))
    found = [part for item in _items(cell) for part in (re.split(r"[;|]", item) if columns.several else [item])]
    return tuple(dict.fromkeys(label.strip() for label in found if label.strip()))


def _items(cell: str) -> list[str]:
    """A cell's text, or the texts of a list in it, written as JSON; {"choices": [...]} is Label Studio's."""
    if cell[:1] in ("[", "{"):
        try:
            held = parsed_json(cell)
        except ValueError:
            return [cell]
        held = held.get("choices") if isinstance(held, dict) else held
        if isinstance(held, list):
            return [item for item in held if isinstance(item, str)]
    return [cell]


def _as_cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_picture(cell: str) -> bool:
    return is_picture_name(address(str(cell)))


def _holds_pictures(i: int, rows: Sequence[Sequence[str]]) -> bool:
    cells = [row[i] for row in rows if len(row) > i and str(row[i]).strip()]
    return bool(cells) and 2 * sum(map(_is_picture, cells)) > len(cells)


def _is_numeric(i: int, rows: Sequence[Sequence[str]]) -> bool:
    return all(_number(row[i]) is not None for row in rows if len(row) > i and row[i].strip())


def _is_marked(i: int, rows: Sequence[Sequence[str]]) -> bool:
    return all(_number(row[i]) in (0, 1) for row in rows if len(row) > i)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
