"""Where image-text pairs come from: class folders, also zipped, tables of image and caption or label, WebDataset shards.

A `Pair` is one encoded picture with either its captions or its class name; `captions` turns a name into sentences.
Reading never fails because of one sample: what cannot be used is skipped and counted by reason, since web-sized collections
always hold broken files. Nothing here decodes a picture (see `pixels`) or knows a model.

A set may have parts, train and val or test: folders above its class folders or its shards, or a column of its table. Where
there is something to learn from and something else, each pair knows its part, and `Purpose` says which are read.
"""

import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from clipcore.errors import BadImage, BadInput
from clipcore.pictures.archives import OTHERS, open_archive
from clipcore.pictures.classes import NO_CLASS, class_names, find_classes, find_labelled_images, part_of
from clipcore.pictures.finding import Skipped, is_no_photo
from clipcore.pictures.places import OnDisk
from clipcore.pictures.tables import Listed, PictureRows, from_objects, read_objects, read_pictures
from clipcore.plain import lines, open_plain, parsed_json

from .samples import Pair, Purpose, count, is_parted, told, wanted
from .shards import SHARDS, part_of_shard, read_shards

TABLES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".json")
METADATA = ("metadata.csv", "metadata.jsonl")  # the tables of Hugging Face's image folders
ZIP = ".zip"


def read_pairs(source: str | Path, skipped: Counter[str] | None = None, purpose: Purpose = "all") -> Iterator[Pair]:
    """Pairs of a folder of class folders, such a folder as `.zip`, a folder of shards, a `.csv`, `.tsv` or `.jsonl` table or
    a `.tar` shard, told apart by what is there.

    `skipped` counts samples left out, by reason; a reason that is counted 0 times is a remark on how the set was read.
    Raises BadInput if `source` is none of these.
    """
    sources = find_sources(source)
    parts = {path: part_of_shard(path) for path in sources if path.name.endswith(SHARDS)}
    asked = wanted(set(parts.values()), purpose, skipped)
    for path in sources:
        if path.is_dir():
            yield from read_folder(path, skipped, purpose)
        elif path.suffix.lower() == ZIP:
            yield from read_zip(path, skipped, purpose)
        elif path.name.lower().endswith(TABLES):
            yield from read_table(path, skipped, purpose)
        elif parts.get(path, "") in asked:
            yield from read_shards([path], skipped)


def find_sources(source: str | Path) -> list[Path]:
    """The shards of a folder that holds some, also in its parts, or the table in it that says what its pictures are; else
    `source` itself. Raises BadInput if nothing can be read from it."""
    path = Path(source).expanduser()
    if path.is_dir():
        parts = sorted(folder for folder in path.iterdir() if folder.is_dir() and part_of(folder.name))
        shards = _shards(path) or [shard for folder in parts for shard in _shards(folder)]
        return shards or [path / name for name in METADATA if (path / name).is_file()][:1] or [path]
    if not path.exists():
        raise BadInput(f"{path} does not exist; check the path.")
    if path.suffix.lower() in OTHERS:
        raise BadInput(f"{path.name} cannot be looked into; unpack it and name the folder.")
    if not path.name.lower().endswith((*TABLES, *SHARDS, ZIP)):
        raise BadInput(
            f"{path} is no set of labelled pictures; name class folders, a .zip of them, a .csv, .tsv, .jsonl or a .tar."
        )
    return [path]


def _shards(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name.endswith(SHARDS) and not is_no_photo(file.name))


def read_folder(root: str | Path, skipped: Counter[str] | None = None, purpose: Purpose = "all") -> Iterator[Pair]:
    """A folder of class folders, see `clipcore.pictures.classes`.

    Links are not followed and what is no photo is passed over. Raises BadInput if `root` holds no folder with pictures.
    """
    root = Path(root)
    passed_over: list[Skipped] = []
    found = find_labelled_images(root, passed_over)
    for bad in passed_over:
        count(skipped, bad.reason)
    for note in found.notes:
        count(skipped, note, 0)
    parts = set(found.parts.values())
    asked, parted = wanted(parts, purpose, skipped), is_parted(parts)
    for path, label in found.labels.items():
        if (part := found.parts.get(path, "")) in asked:
            key = f"{root.absolute().name}/{path.relative_to(root).as_posix()}"
            yield Pair(key, Path(path), name=label, part=part if parted else "")


def read_zip(path: Path, skipped: Counter[str] | None = None, purpose: Purpose = "all") -> Iterator[Pair]:
    """The same of a `.zip`, which is not unpacked. Raises BadInput if it cannot be read or holds no class folders."""
    with open_archive(path) as archive:
        found = find_classes(archive.pictures)
        if not found.labels:
            raise BadInput(f"{path.name} holds no class folders; give each class a folder of its own, with its name.")
        for note in found.notes:
            count(skipped, note, 0)
        if found.unlabelled:
            count(skipped, NO_CLASS, len(found.unlabelled))
        parts = set(found.parts.values())
        asked, parted = wanted(parts, purpose, skipped), is_parted(parts)
        for member in archive.pictures:
            if member not in found.labels or (part := found.parts.get(member, "")) not in asked:
                continue
            try:
                yield Pair(
                    f"{path.stem}/{member}", archive.read(member), name=found.labels[member], part=part if parted else ""
                )
            except BadImage as error:
                count(skipped, str(error))


def read_table(path: str | Path, skipped: Counter[str] | None = None, purpose: Purpose = "all") -> Iterator[Pair]:
    """One row or, in JSON Lines, one object for each caption or picture; see `clipcore.pictures.tables` for its columns.

    Pictures lie where the table says, or below its folder. Neighbouring rows of one picture make one pair with several
    captions, and a pair for each of several labels. Raises BadInput if a column is missing.
    """
    path = Path(path)
    found = _rows(path, skipped)
    parts = {part_of(row.part) for row in _rows(path, None)} if found.parted else set()
    asked, parted = wanted(parts, purpose, skipped), is_parted(parts)
    place = OnDisk(path.parent)
    spelt: dict[str, str] = {}

    def name_of(label: str) -> str:
        if label not in spelt:
            spelt[label] = class_names([label])[label]
        return spelt[label]

    for picture, group in itertools.groupby(found, key=lambda row: row.picture):
        rows: list[Listed] = list(group)
        part = part_of(rows[0].part)
        if part not in asked:
            continue
        image = place.find(picture) if picture else None
        if image is None:
            count(skipped, "no picture")
            continue
        labels = dict.fromkeys(name_of(label) for row in rows for label in row.labels)
        captions = tuple(text for row in rows for text in row.captions)
        yield from told(Pair(f"{path.stem}/{picture}", image, captions, part=part if parted else ""), tuple(labels), skipped)
    for reason, number in found.left_out.items():
        count(skipped, reason, number)
    if found.note:
        count(skipped, found.note, 0)


def _rows(path: Path, skipped: Counter[str] | None) -> PictureRows:
    if path.suffix.lower() == ".jsonl":
        return from_objects(path.name, _json_lines(path, skipped))
    if path.suffix.lower() == ".json":
        return from_objects(path.name, read_objects(path))
    return read_pictures(path)


def _json_lines(path: Path, skipped: Counter[str] | None) -> Iterator[Mapping[str, object]]:
    try:
        with io.TextIOWrapper(open_plain(path), encoding="utf-8-sig", errors="replace") as file:
            for line in filter(str.strip, lines(file)):
                try:
                    row = parsed_json(line)
                except ValueError:
                    row = None
                if isinstance(row, dict):
                    yield row
                else:
                    count(skipped, "unreadable text")
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(f"The table {path.name} cannot be read ({why}); save it once more as a plain file.") from error
