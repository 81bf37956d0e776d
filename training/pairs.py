"""Where image-text pairs come from: class folders, CSV files of image and caption, WebDataset shards.

A `Pair` is one encoded picture with either its captions or its class name; `training.captions` turns a name into sentences.
Reading never fails because of one sample: what cannot be used is skipped and counted by reason, since web-sized collections
always hold broken files. Nothing here decodes a picture (see `training.pixels`) or knows a model.
"""

import csv
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipcore.errors import BadInput

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture and what is said of it: sentences in `captions`, or a class `name`, or both."""

    key: str
    image: bytes | Path
    captions: tuple[str, ...] = ()
    name: str | None = None


def read_pairs(source: str | Path, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """Pairs of a folder of class folders, a folder of shards, a `.csv` file or a `.tar` shard, told apart by what is there.

    `skipped` counts samples left out, by reason. Raises BadInput if `source` is none of these.
    """
    path = Path(source)
    if path.is_dir():
        shards = sorted(path.glob("*.tar")) + sorted(path.glob("*.tar.gz"))
        yield from read_shards(shards, skipped) if shards else read_folder(path, skipped)
    elif path.suffix.lower() == ".csv" and path.is_file():
        yield from read_csv(path, skipped=skipped)
    elif path.name.endswith((".tar", ".tar.gz")) and path.is_file():
        yield from read_shards([path], skipped)
    else:
        raise BadInput(f"{path} is not a folder of class folders, a .csv file or a .tar shard.")


def read_folder(root: str | Path, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """`root/<class name>/**/<picture>`: the folder names are the class names; underscores in them read as spaces.

    Raises BadInput if `root` holds no folder.
    """
    root = Path(root)
    classes = sorted(folder for folder in root.iterdir() if folder.is_dir())
    if not classes:
        raise BadInput(f"{root} holds no class folders; expected {root}/<class name>/<picture>.")
    for folder in classes:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield Pair(f"{root.name}/{path.relative_to(root).as_posix()}", path, name=clean_name(folder.name))
            else:
                count(skipped, "not a picture")


def read_csv(
    path: str | Path, image: str = "image", caption: str = "caption", skipped: Counter[str] | None = None
) -> Iterator[Pair]:
    """One row per picture and caption, with a header line; image paths are relative to the file's folder.

    Rows of the same picture that follow each other become one pair with several captions.
    Raises BadInput if a column is missing.
    """
    path = Path(path)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if missing := {image, caption} - set(rows.fieldnames or ()):
            raise BadInput(f"{path.name} has no column {sorted(missing)}; its columns are {rows.fieldnames}.")
        key = ""
        captions: list[str] = []
        for row in rows:
            if row[image] != key:
                yield from _captioned(key, path.parent / key, captions, skipped)
                key, captions = row[image] or "", []
            captions.append(row[caption])
        yield from _captioned(key, path.parent / key, captions, skipped)


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
    """A class name as one would say it: underscores are spaces, no space is doubled."""
    return " ".join(name.replace("_", " ").split())


def count(skipped: Counter[str] | None, reason: str) -> None:
    """One more sample left out for `reason`."""
    if skipped is not None:
        skipped[reason] += 1


def _samples(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    # "r|*" reads the archive once from front to back, so a shard is never held in memory whole
    with tarfile.open(path, "r|*") as shard:
        key = ""
        members: dict[str, bytes] = {}
        for member in shard:
            if not member.isfile():
                continue
            folder, _, base = member.name.rpartition("/")
            stem, _, extension = base.partition(".")
            stem = f"{folder}/{stem}" if folder else stem
            if stem != key:
                if members:
                    yield key, members
                key, members = stem, {}
            if file := shard.extractfile(member):
                members["." + extension.lower()] = file.read()
        if members:
            yield key, members


def _sample_pair(key: str, members: dict[str, bytes], skipped: Counter[str] | None) -> Iterator[Pair]:
    image = next((content for extension, content in members.items() if extension in IMAGE_SUFFIXES), None)
    if image is None:
        return count(skipped, "no picture")
    try:
        if ".json" in members:
            text = json.loads(members[".json"])
            if text.get("label"):
                yield Pair(key, image, name=clean_name(str(text["label"])))
                return
            captions = text.get("captions") or [text.get("caption")]
        else:
            captions = members.get(".txt", b"").decode().splitlines()
    except (ValueError, AttributeError):
        return count(skipped, "unreadable text")
    yield from _captioned(key, image, captions, skipped)


def _captioned(key: str, image: bytes | Path, captions: Sequence[object], skipped: Counter[str] | None) -> Iterator[Pair]:
    sentences = tuple(" ".join(c.split()) for c in captions if isinstance(c, str) and c.strip())
    if not key:
        return
    if not sentences:
        return count(skipped, "no caption")
    if isinstance(image, Path) and not image.is_file():
        return count(skipped, "no picture")
    yield Pair(key, image, sentences)
