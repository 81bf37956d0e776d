"""Which folder is a picture's class, in data sets as people have them: from the paths alone, so that it holds for folders on
the disk and within archives.

A class's folder is the first one below the root. Folders that only wrap the set (`archive/pets/...`) are gone through, and
train, val and test above the class folders are parts of the set, and no classes. A WordNet id, as ImageNet's folders are
called, gets its name; `001.Laysan_Albatross` and `n02085620-Chihuahua` lose what stands before theirs.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ..errors import BadInput
from ..letters import one_spelling
from ..wordnet import named
from .finding import Skipped, display_path, find_images

TRAIN, VAL, TEST = "train", "val", "test"
_PARTS = {
    **dict.fromkeys(("train", "training", "trainset", "train set", "train images"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset", "val set", "valid set", "validation set"), VAL),
    **dict.fromkeys(("test", "testing", "testset", "test set", "eval", "evaluation", "holdout", "held out"), TEST),
}
_PLAIN = {"images", "image", "img", "imgs", "pictures", "photos", "data", "jpegimages", "files"}  # no class is called so
_NUMBERED = re.compile(r"\d{3,}\.(?=\D)")
_WORDNET = re.compile(r"(n\d{8})(?:[-_ .]+(.+))?")
NO_CLASS = "It lies in no class folder, so nothing says what it is."


@dataclass
class Classes:
    """The pictures by path with their class, and with the part where the set has parts; `unlabelled` ones lie in no class
    folder. `notes` say in sentences how the set was read where that is not plain."""

    labels: dict[PurePath, str] = field(default_factory=dict)
    parts: dict[PurePath, str] = field(default_factory=dict)
    unlabelled: list[PurePath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def part_of(name: str) -> str:
    """The part of a set that a folder, a cell or a file's first word calls so: TRAIN, VAL, TEST, or "" for another name."""
    return _PARTS.get(one_spelling(re.sub(r"[-_ ]+", " ", name)).casefold(), "")


def find_labelled_images(
    folder: str | os.PathLike[str], skipped: list[Skipped] | None = None, links: bool = False
) -> Classes:
    """The pictures of a folder of class folders, by their whole paths. `skipped` and `links` as in `find_images`.

    Pictures in no class folder are appended to `skipped`. Raises BadInput if the folder is not there or holds no class
    folders.
    """
    root = Path(os.path.expanduser(folder))
    passed_over = [] if skipped is None else skipped
    found = find_classes(path.relative_to(root) for path in find_images(root, passed_over, links))
    if not found.labels:
        raise BadInput(
            f"The folder {_shown(root)} holds no class folders; give each class a folder of its own, with its name."
        )
    passed_over += [Skipped(root / path, NO_CLASS) for path in found.unlabelled]
    labels: dict[PurePath, str] = {root / path: label for path, label in found.labels.items()}
    parts: dict[PurePath, str] = {root / path: part for path, part in found.parts.items()}
    return Classes(labels, parts, [root / path for path in found.unlabelled], found.notes)


def find_classes(paths: Iterable[PurePath]) -> Classes:
    """The classes of pictures by their paths from the set's root on."""
    found = Classes()
    below = {path: _Below(path.parts[:-1]) for path in paths}
    _unwrap(below, found)
    _split(below, found)
    for path, place in below.items():
        if not place.folders:
            found.unlabelled.append(path)
        else:
            found.labels[path] = place.folders[0]
            if place.part:
                found.parts[path] = place.part
    names = class_names(sorted(set(found.labels.values())))
    found.labels = {path: names[label] for path, label in found.labels.items()}
    return found


@dataclass
class _Below:
    """Where a picture lies: the folders that still count, and its part."""

    folders: tuple[str, ...]
    part: str = ""


def _unwrap(below: dict[PurePath, _Below], found: Classes) -> None:
    """Go into a folder that holds all there is and folders of its own, again and again."""
    gone: list[str] = []
    while below:
        inside = [place for place in below.values() if place.folders]  # what lies beside the folders has no class anyway
        firsts = {place.folders[:1] for place in inside}
        if len(firsts) != 1 or not all(len(place.folders) > 1 for place in inside):
            break
        if part_of(next(iter(firsts))[0]):
            break
        inner = {place.folders[1] for place in inside}
        if len(inner) < 2 and not any(len(place.folders) > 2 for place in inside):
            break  # one class with one folder in it
        gone.append(next(iter(firsts))[0])
        for place in below.values():
            place.folders = place.folders[1:]
    if gone:
        found.notes.append(f"The classes are the folders in {_shown('/'.join(gone))}.")


def _split(below: dict[PurePath, _Below], found: Classes) -> None:
    """Tell train, val and test from classes: where every folder, or two of them, are called so and hold class folders."""
    firsts = {place.folders[0] for place in below.values() if place.folders}
    parts = {name: part_of(name) for name in firsts}
    classes = {
        name: {place.folders[1] for place in below.values() if place.folders[:1] == (name,) and len(place.folders) > 1}
        for name in firsts
    }
    if len({*parts.values()}) > 1 and all(parts.values()) and not any(classes.values()):
        names = " and ".join(sorted(map(_shown, firsts)))
        found.notes.append(
            f"The folders {names} are taken for classes; if they are parts, give each class a folder in them."
        )
    several = len({parts[name] for name in firsts if parts[name] and classes[name]}) > 1
    if not firsts or not any(classes.values()) or not (several or all(parts.values())):
        return
    known = {inner for name in firsts for inner in classes[name] if parts[name] == TRAIN}
    known = known or {inner for inner in set().union(*classes.values()) if inner.casefold() not in _PLAIN}
    for place in below.values():
        if not place.folders:
            continue
        place.part, place.folders = parts[place.folders[0]], place.folders[1:] if parts[place.folders[0]] else ()
        if place.folders and place.folders[0].casefold() in _PLAIN and place.folders[0] not in known:
            place.folders = ()  # test/images/1.jpg, beside train/cat/1.jpg
    counts = Counter(place.part for place in below.values() if place.folders)
    told = ", ".join(f"{count:,} {_images(count)} to {_USE[part]} in {part}" for part, count in counts.items())
    found.notes.append(f"The set has parts: {told}.")


_USE = {TRAIN: "learn from", VAL: "check on", TEST: "measure on"}


def _images(count: int) -> str:
    return "image" if count == 1 else "images"


def class_names(folders: Sequence[str]) -> dict[str, str]:
    """What the class of each folder is called: `_` is a space, letters have one spelling; see above for ids and numbers."""
    numbered = len(folders) > 1 and all(_NUMBERED.match(folder) for folder in folders)
    plain = {folder: clean_folder(_NUMBERED.sub("", folder) if numbered else folder) for folder in folders}
    ids = {folder: found for folder in folders if (found := _WORDNET.fullmatch(folder))}
    meanings = {folder: (clean_folder(found[2]), "") if found[2] else named(found[1]) for folder, found in ids.items()}
    usual = Counter(meaning[0] for meaning in meanings.values() if meaning)
    for folder, meaning in meanings.items():
        if meaning:  # two birds and machines are called crane
            name, apart = meaning
            plain[folder] = f"{name} ({apart or ids[folder][1]})" if usual[name] > 1 else name
    return plain


def clean_folder(folder: str) -> str:
    """A folder's name as one would say it: `_` is a space, and letters have one spelling."""
    return one_spelling(_shown(folder).replace("_", " "))


def _shown(name: str | os.PathLike[str]) -> str:
    return display_path(name)
