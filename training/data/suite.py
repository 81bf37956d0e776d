"""A folder of many sets, as people keep the ones that papers measure on: which are there, and the labelled pictures of each.

A set is a folder of class folders, a .zip of one, a table, or shards. Those of the CLIP paper are known by the names of
their folders: their classes get the paper's names, and the layouts in which some of them come are read as they are.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clipcore.classify.tasks import PublicSet, Task, find_set
from clipcore.errors import BadInput
from clipcore.pictures.classes import TEST, TRAIN, VAL, clean_folder, part_of
from clipcore.pictures.finding import is_no_photo
from clipcore.pictures.places import OnDisk
from clipcore.plain import read_plain_text

from .pairs import TABLES, ZIP, read_pairs
from .samples import Pair, count
from .shards import SHARDS, read_shards

MOST_SETS = 200
_NUMBER = re.compile(r"[-_]?\d*(\.tar|\.tar\.gz|\.tgz)$")
_MOST = 200_000_000  # bytes of a list: CLEVR's scenes have 100 million


@dataclass(frozen=True)
class SetPlace:
    """One set of a suite: what it is called, where it lies (its shards are several files), and which public set it is."""

    name: str
    paths: tuple[Path, ...]
    task: Task | None = None
    known: PublicSet | None = None


def find_suite(folder: Path) -> list[SetPlace]:
    """The sets of a folder, by name. Of a set whose parts are shards side by side, the part to measure on.

    Raises BadInput if the folder is not there or holds none.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; name the folder that holds your sets, each in a folder of its own.")
    shards: dict[str, list[Path]] = {}
    places: dict[str, tuple[Path, ...]] = {}
    for path in sorted(folder.iterdir()):
        if is_no_photo(path.name):
            continue
        if path.name.endswith(SHARDS):
            shards.setdefault(_NUMBER.sub("", path.name), []).append(path)
        elif path.is_dir() or path.suffix.lower() in (ZIP, *TABLES):
            places[path.name] = (path,)
    parts = {name: part_of(re.split(r"[-_]", name)[-1]) for name in shards}
    for name, files in shards.items():
        of_set = {part for other, part in parts.items() if part and _whole(other) == _whole(name)}
        measured = TEST if TEST in of_set else VAL
        if not (TRAIN in of_set and len(of_set) > 1) or parts[name] == measured:
            places[name] = tuple(files)
    if not places:
        raise BadInput(f"{folder} holds no sets; give each a folder of its own, or put shards (.tar) into it.")
    if len(places) > MOST_SETS:
        raise BadInput(f"{folder} holds {len(places):,} folders and files, too many for a suite; name one with fewer.")
    found = []
    for name, paths in sorted(places.items()):
        task, known = find_set(name) or (None, None)
        found.append(SetPlace(name, paths, task, known))
    return found


def read_set(place: SetPlace, skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """The labelled pictures of a set, by the names that its classes have here. Raises BadInput if nothing can be read."""
    pairs: Iterator[Pair]
    if len(place.paths) > 1 or place.paths[0].name.endswith(SHARDS):
        pairs = read_shards(place.paths, skipped)
    elif place.known and (listed := _list_of(place.paths[0], place.known)):
        pairs = _read_listed(*listed, place.known, skipped)
    else:
        pairs = read_pairs(place.paths[0], skipped, "measure")
    return (pair for pair in pairs if pair.name)


def _whole(name: str) -> str:
    """A shard's name without the part that it belongs to."""
    before, _, last = re.sub(r"[-_]", "-", name).rpartition("-")
    return before if part_of(last) else name


def _list_of(folder: Path, known: PublicSet) -> tuple[Path, Path] | None:
    """The set's own folder and its list of pictures, where it has the layout in which it is published."""
    name = known.layout.get("list") or known.layout.get("scenes")
    if not name or not folder.is_dir():
        return None
    for base in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if (base / name).is_file():
            return base, base / name
    return None


def _read_listed(base: Path, path: Path, known: PublicSet, skipped: Counter[str] | None) -> Iterator[Pair]:
    disk = OnDisk(base)
    for picture, name in _lines(path, known):
        place = PurePosixPath(known.layout["pictures"].format(picture))
        image = None if ".." in place.parts or place.is_absolute() else disk.find(str(place))
        if image is None:
            count(skipped, "no picture")
        else:
            yield Pair(f"{base.name}/{picture}", image, name=name)


def _lines(path: Path, known: PublicSet) -> Iterator[tuple[str, str]]:
    """What a list says of each picture: its name, and its class."""
    try:
        text = read_plain_text(path, _MOST, "utf-8-sig")
        if "scenes" in known.layout:  # CLEVR: what is counted are the objects of a scene
            for scene in json.loads(text)["scenes"]:
                yield str(scene["image_filename"]), str(len(scene["objects"]))
            return
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"The list {path.name} of {known.name} cannot be read; get the set once more.") from None
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("#"):
            continue
        picture, _, rest = line.partition(" ")
        if known.layout.get("class") == "name":
            name = PurePosixPath(picture).name.rpartition("_")[0]
        else:
            name = rest.strip() or PurePosixPath(picture).parts[0]
        yield picture, clean_folder(name)
