"""Where image-text pairs come from: class folders, tables of image and caption (CSV, TSV, JSON Lines), WebDataset shards.

A `Pair` is one encoded picture with either its captions or its class name; `captions` turns a name into sentences.
Reading never fails because of one sample: what cannot be used is skipped and counted by reason, since web-sized collections
always hold broken files. Nothing here decodes a picture (see `pixels`) or knows a model.
"""

import csv
import io
import itertools
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipcore.errors import BadInput
from clipcore.letters import one_spelling
from clipcore.pictures.finding import SUFFIXES, Skipped, find_labelled_images, holds_no_photo, is_no_photo
from clipcore.pictures.reading import MAX_BYTES
from clipcore.plain import lines, open_plain, parsed_json

SHARDS = (".tar", ".tar.gz")
TABLES = (".csv", ".tsv", ".jsonl")
IMAGE_KEYS = (
    "image",
    "file_name",
    "filepath",
    "path",
)  # Hugging Face's image folders say file_name, open_clip filepath and title
Row = tuple[str, dict[str, object]]  # the picture as the table names it, and all that the row says
CAPTION_KEYS = ("caption", "captions", "text", "title")


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and what is said of it: sentences in `captions`, or a class `name`, or both."""

    key: str
    image: bytes | Path
    captions: tuple[str, ...] = ()
    name: str | None = None


def read_pairs(source: str | Path, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """Pairs of a folder of class folders, a folder of shards, a `.csv`, `.tsv` or `.jsonl` table or a `.tar` shard, told
    apart by what is there.

    `skipped` counts samples left out, by reason. Raises BadInput if `source` is none of these.
    """
    for path in find_sources(source):
        if path.is_dir():
            yield from read_folder(path, skipped)
        elif path.suffix.lower() in TABLES:
            yield from read_table(path, skipped)
        else:
            yield from read_shards([path], skipped)


def find_sources(source: str | Path) -> list[Path]:
    """The shards of a folder that holds some; else `source` itself. Raises BadInput if nothing can be read from it."""
    path = Path(source).expanduser()
    if path.is_dir():
        files = path.iterdir()
        return sorted(file for file in files if file.name.endswith(SHARDS) and not is_no_photo(file.name)) or [path]
    if not path.exists():
        raise BadInput(f"{path} does not exist; check the path.")
    if not path.name.lower().endswith((*TABLES, *SHARDS)):
        raise BadInput(f"{path} is not a folder of class folders, a .csv, .tsv or .jsonl table or a .tar shard.")
    return [path]


def read_folder(root: str | Path, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """`root/<class name>/**/<picture>`: the folder names are the class names; underscores in them read as spaces.

    Links are not followed and what is no photo is passed over. Raises BadInput if `root` holds no folder with pictures.
    """
    root = Path(root)
    passed_over: list[Skipped] = []
    found = find_labelled_images(root, passed_over)
    for bad in passed_over:
        count(skipped, bad.reason)
    for path, label in found.items():
        yield Pair(f"{root.absolute().name}/{path.relative_to(root).as_posix()}", path, name=clean_name(label))


def read_table(path: str | Path, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """One row (`.csv`, `.tsv` with a header) or one object (`.jsonl`) for each caption or picture; image paths are relative
    to the file.

    The picture is called image, file_name, filepath or path; what is said of it caption, captions (JSON Lines), text or
    title, or, for a class name, label. Neighbouring rows of one picture make one pair with several captions. Raises
    BadInput if a column is missing.
    """
    path = Path(path)
    rows = _plainly(_json_lines(path, skipped) if path.suffix.lower() == ".jsonl" else _table_rows(path), path)
    for key, group in itertools.groupby(rows, key=lambda row: row[0]):
        if not key:
            count(skipped, "no picture")
            continue
        said = [text for _, text in group]
        image = _there(path.parent / key)
        if image is None:
            count(skipped, "no picture")
        else:
            yield from _told(f"{path.stem}/{key}", image, said, skipped)


def _there(path: Path) -> Path | None:
    """The file at a path, also where the disk spells the letters otherwise than the table (NFC and NFD)."""
    spelt = dict.fromkeys([str(path), *(unicodedata.normalize(form, str(path)) for form in ("NFC", "NFD"))])
    return next((file for file in map(Path, spelt) if file.is_file()), None)


def _plainly(rows: Iterator[Row], path: Path) -> Iterator[Row]:
    """The rows, with one sentence for a table that cannot be read."""
    try:
        yield from rows
    except (OSError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"The table {path.name} cannot be read ({why}); save it once more as a plain file.") from error


def _table_rows(path: Path) -> Iterator[Row]:
    with io.TextIOWrapper(open_plain(path), newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = csv.DictReader(lines(file), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        columns = [column for column in rows.fieldnames or () if column]
        if not set(columns) & set(IMAGE_KEYS) or not set(columns) & {*CAPTION_KEYS, "label"}:
            raise BadInput(
                f"{path.name} needs a column image and a column caption or label; its columns are {', '.join(columns)}."
            )
        for row in rows:
            yield _first(row, IMAGE_KEYS), dict(row)


def _json_lines(path: Path, skipped: Counter[str] | None) -> Iterator[Row]:
    with io.TextIOWrapper(open_plain(path), encoding="utf-8-sig", errors="replace") as file:
        for line in filter(str.strip, lines(file)):
            try:
                row = parsed_json(line)
                yield _first(row, IMAGE_KEYS), dict(row)
            except (ValueError, AttributeError, TypeError):
                count(skipped, "unreadable text")


def _first(row: Mapping[str, object], keys: Sequence[str]) -> str:
    return next((str(row[key]) for key in keys if row.get(key)), "")


def read_shards(paths: Iterable[str | Path], skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """WebDataset shards: tar files in which members of one sample share the name up to its first dot and follow each other.

    The text is a `.json` with `label`, `caption` or `captions`, or a `.txt` with one caption a line. A shard that breaks off
    gives what was read of it.
    """
    for path in map(Path, paths):
        try:
            for key, members in _samples(path):
                yield from _sample_pair(f"{path.name.split('.')[0]}/{key}", members, skipped)
        except (tarfile.TarError, EOFError, OSError):
            count(skipped, f"shard {path.name} breaks off")


def clean_name(name: str) -> str:
    """A class name as one would say it: underscores are spaces, no space is doubled, and it has one spelling."""
    return one_spelling(name.replace("_", " "))


def count(skipped: Counter[str] | None, reason: str) -> None:
    """One more sample left out for `reason`."""
    if skipped is not None:
        skipped[reason] += 1


def _samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    # "r|*" reads the archive once from front to back, so a shard is never held in memory whole
    with open_plain(path) as file, tarfile.open(fileobj=file, mode="r|*") as shard:
        key = ""
        members: dict[str, bytes] = {}
        for member in shard:
            if member.size > MAX_BYTES:  # a header may promise anything, and to pass over it takes as long as it says
                raise tarfile.ReadError("a member is too large")
            if not member.isfile() or holds_no_photo(member.name):
                continue
            folder, _, base = member.name.rpartition("/")
            stem, _, extension = base.partition(".")
            stem = f"{folder}/{stem}" if folder else stem
            if stem != key:
                if members:
                    yield key, members
                key, members = stem, {}
            if part := shard.extractfile(member):
                members["." + extension.lower()] = part.read()
        if members:
            yield key, members


def _sample_pair(key: str, members: dict[str, bytes], skipped: Counter[str] | None) -> Iterator[Pair]:
    image = next((content for extension, content in members.items() if extension in SUFFIXES), None)
    if image is None:
        return count(skipped, "no picture")
    try:
        if ".json" in members:
            said = [dict(parsed_json(members[".json"]))]
        else:
            said = [{"captions": members.get(".txt", b"").decode().splitlines()}]
    except (ValueError, TypeError):
        return count(skipped, "unreadable text")
    yield from _told(key, image, said, skipped)


def _told(
    key: str, image: bytes | Path, said: Sequence[Mapping[str, object]], skipped: Counter[str] | None
) -> Iterator[Pair]:
    """The pair of a picture of which `said` tells: a label, or captions."""
    if label := clean_name(_first(said[0], ("label",))):
        yield Pair(key, image, name=label)
        return
    captions: list[object] = []
    for row in said:
        text = next((row[name] for name in CAPTION_KEYS if row.get(name)), None)
        captions += text if isinstance(text, list) else [text]
    sentences = tuple(" ".join(c.split()) for c in captions if isinstance(c, str) and c.strip())
    if not sentences:
        return count(skipped, "no caption")
    yield Pair(key, image, sentences)
