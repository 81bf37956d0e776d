"""WebDataset shards: tar files in which the files of one sample share the name up to its first dot and follow each other.

What a sample shows is said by a `.json` with `label`, `caption` or `captions`, by a `.cls` with a class's name or number, or
by a `.txt` with a caption a line. Numbers get their names from `classnames.txt` beside the shards or a folder above, as in
CLIP_benchmark's layout. A tar file of class folders is read, too.
"""

import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from clipcore.errors import BadInput
from clipcore.pictures.classes import find_classes, part_of
from clipcore.pictures.finding import SUFFIXES, holds_no_photo, is_picture_name
from clipcore.pictures.reading import MAX_BYTES
from clipcore.plain import open_plain, parsed_json, read_plain_text

from .samples import Pair, clean_name, count, is_parted, told

SHARDS = (".tar", ".tar.gz", ".tgz")
CLASS_NAMES, TEMPLATES = "classnames.txt", "zeroshot_classification_templates.txt"
_CAPTIONS = ("caption", "captions", "text", "title")  # in a sample's JSON
_MOST = 10_000_000  # bytes of such a list


def read_shards(paths: Iterable[str | Path], skipped: Counter[str] | None = None) -> Iterator[Pair]:
    """The pairs of shards. One that breaks off gives what was read of it."""
    for path in map(Path, paths):
        part, names, folders = part_of_shard(path), class_list(path), _Folders(path)
        try:
            for key, members in _samples(path):
                yield from _sample_pair(f"{path.name.split('.')[0]}/{key}", members, part, names, folders.of(key), skipped)
        except (tarfile.TarError, EOFError, OSError):
            count(skipped, f"shard {path.name} breaks off")


def part_of_shard(path: Path) -> str:
    """The part of the set that a shard belongs to, by its folder (train/0.tar) or its name (train-00000.tar); "" where the
    set has no parts."""
    by_folder = part_of(path.parent.name)
    try:
        beside = [folder for folder in path.parent.parent.iterdir() if part_of(folder.name)] if by_folder else []
        parts = {part_of(folder.name) for folder in beside if any(f.name.endswith(SHARDS) for f in folder.iterdir())}
        if is_parted(parts):
            return by_folder
        parts = {_first_word(file) for file in path.parent.iterdir() if file.name.endswith(SHARDS)}
    except OSError:
        return ""
    return _first_word(path) if "" not in parts and is_parted(parts) else ""


def _first_word(path: Path) -> str:
    return part_of(path.name.split(".")[0].split("-")[0].rstrip("0123456789_"))


def class_list(source: str | Path) -> list[str]:
    """The names of classes by number, from the list that belongs to shards; empty if there is none. Raises BadInput."""
    return [clean_name(line) for line in _list_beside(Path(source), CLASS_NAMES)]


def templates_of(source: str | Path) -> str:
    """The prompt templates that belong to a set in CLIP_benchmark's layout, one a line; empty if there are none."""
    return "\n".join(_list_beside(Path(source).expanduser(), TEMPLATES))


def _list_beside(source: Path, name: str) -> list[str]:
    for folder in (source, source.parent, source.parent.parent):
        if (folder / name).is_file():
            try:
                return read_plain_text(folder / name, _MOST, "utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise BadInput(f"The list {folder / name} cannot be read ({error}); save it as UTF-8 text.") from None
    return []


class _Folders:
    """The classes of a tar file's samples by the folders in it; looked for where a sample says nothing itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, str] | None = None

    def of(self, key: str) -> "_Folders | None":
        """Itself, for samples in folders."""
        return self if "/" in key.removeprefix("./") else None

    def name(self, key: str) -> str:
        """The class of a sample by its key; "" for none."""
        if self._names is None:
            with open_plain(self._path) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
                files = (PurePosixPath(member.name) for member in tar if member.isfile() and not holds_no_photo(member.name))
                found = find_classes(path for path in files if is_picture_name(path.name))
            self._names = {_stem(str(path)): label for path, label in found.labels.items()}
        return self._names.get(_stem(key), "")


def _stem(path: str) -> str:
    folder, _, base = path.removeprefix("./").rpartition("/")
    return f"{folder}/{base.partition('.')[0]}"


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


def _sample_pair(
    key: str,
    members: dict[str, bytes],
    part: str,
    names: list[str],
    folders: _Folders | None,
    skipped: Counter[str] | None,
) -> Iterator[Pair]:
    image = next((content for extension, content in members.items() if extension in SUFFIXES), None)
    if image is None:
        return count(skipped, "no picture")
    label, captions = "", list[object]()
    try:
        if ".json" in members:
            said = dict(parsed_json(members[".json"]))
            label = "" if said.get("label") in (None, "") else str(said["label"])
            found = next((said[name] for name in _CAPTIONS if said.get(name)), None)
            captions = found if isinstance(found, list) else [found]
        elif ".cls" in members:
            label = members[".cls"].decode().strip()
        else:
            captions = list(members.get(".txt", b"").decode().splitlines())
    except (ValueError, TypeError):
        return count(skipped, "unreadable text")
    if names and label.isdecimal():
        label = names[int(label)] if int(label) < len(names) else label
    if not label and not captions and folders:
        label = folders.name(key.partition("/")[2])
    sentences = tuple(" ".join(c.split()) for c in captions if isinstance(c, str) and c.strip())
    yield from told(Pair(key, image, sentences, part=part), [clean_name(label)], skipped)
