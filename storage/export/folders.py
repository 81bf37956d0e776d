"""Layouts: where each picture goes among class folders, plainly or as YOLO-cls wants them. Nothing is changed here."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from clipcore.classify.examples import split_place
from clipcore.pictures.finding import display_path
from clipcore.pictures.reading import MAX_BYTES, content_hash
from clipcore.plain import read_plain

from ..records import Answer, SkippedRecord, in_words
from .plan import Change, How, Plan

_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}  # of Windows


def class_folders(answers: Iterable[Answer], folder: str | Path, how: How) -> Plan:
    """FOLDER/<label>/<file>: pictures without a label stay out. One with several labels goes to each, but cannot be moved.

    A name that is taken gets a number, and a picture that lies there already is left out. Moved pictures take their
    sidecars with them.
    """
    answers = list(answers)
    return _plan(answers, how, folder_names(answers), lambda answer, name: Path(folder, name))


def yolo_folders(answers: Iterable[Answer], folder: str | Path, how: How, held_out: float = 0.2, seed: int = 0) -> Plan:
    """FOLDER/train/<label>/<file> and FOLDER/val/<label>/<file>, as Ultralytics reads them for classification.

    About `held_out` of the pictures go to val, chosen by picture: copies of one are never on both sides.
    """
    answers = list(answers)

    def part(answer: Answer, name: str) -> Path:
        return Path(folder, "val" if split_place(answer.image.picture, seed) < held_out else "train", name)

    return _plan(answers, how, folder_names(answers), part)


def folder_names(answers: Iterable[Answer]) -> dict[str, str]:
    """A folder's name for each label: one that every file system takes, and no two that differ only in case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label in sorted({label for answer in answers for label in answer.labels}):
        names[label] = _free(_as_folder(label), taken)
        taken.add(names[label].casefold())
    return names


def _as_folder(label: str) -> str:
    name = re.sub(r'[\x00-\x1f\x7f<>:"|?*/\\]', "_", label.encode("utf-8", "replace").decode()).strip(" .")
    while len(name.encode()) > 150:
        name = name[:-1].rstrip(" .")
    return f"{name}_" if name.upper().split(".")[0] in _DEVICES else name or "class"


def _plan(answers: Sequence[Answer], how: How, names: dict[str, str], where: Callable[[Answer, str], Path]) -> Plan:
    plan = Plan([], [])
    taken: dict[Path, set[str]] = {}
    for answer in answers:
        image = answer.image
        if not answer.labels:
            said = in_words(answer.verdict) or "without a label"
            plan.left.append(SkippedRecord(image.shown_path, f"It is {said} and stays where it is."))
            continue
        if how == "move" and len(answer.labels) > 1:
            reason = f"It has several labels ({in_words(answer.labels)}) and cannot be moved to each; copy or link it."
            plan.left.append(SkippedRecord(image.shown_path, reason))
            continue
        for label in answer.labels:
            target_folder = Path(os.path.abspath(where(answer, names[label])))
            names_there = taken.setdefault(target_folder, _listed(target_folder))
            source = Path(image.path)
            if _is_there(source, target_folder / source.name, image.content_hash):
                plan.left.append(SkippedRecord(image.shown_path, f"It is already in {display_path(target_folder)}."))
                continue
            target = target_folder / _free(source.name, names_there)
            names_there.add(target.name.casefold())
            plan.changes.append(Change(how, str(source), str(target), image.content_hash, image.id))
            if how == "move":
                for beside, to in _sidecars_of(source, target):
                    if to.name.casefold() not in names_there:
                        names_there.add(to.name.casefold())
                        plan.changes.append(Change("move", str(beside), str(to), content_hash(read_plain(beside))))
    return plan


def _listed(folder: Path) -> set[str]:
    try:
        return {name.casefold() for name in os.listdir(folder)}
    except OSError:
        return set()


def _is_there(source: Path, target: Path, content: str) -> bool:
    """Whether the target is this very picture: itself, a link to it, or a copy."""
    try:
        if os.path.samefile(source, target):
            return True
        same_size = target.stat().st_size == source.stat().st_size
        return same_size and content_hash(read_plain(target, MAX_BYTES)) == content
    except OSError:
        return False


def _free(name: str, taken: set[str]) -> str:
    """The name, or with the first number that makes it free."""
    stem, ending = os.path.splitext(name)
    number = 2
    while name.casefold() in taken:
        name = f"{stem} ({number}){ending}"
        number += 1
    return name


def _sidecars_of(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """The XMP files that belong to this picture alone, with their places beside the target."""
    endings = (".xmp", ".XMP")
    found = [(source.with_name(source.name + end), target.with_name(target.name + end)) for end in endings]
    alone = sum(1 for other in source.parent.glob(f"{_escaped(source.stem)}.*") if other.suffix.lower() != ".xmp") == 1
    if alone:
        found += [(source.with_suffix(end), target.with_suffix(end)) for end in endings]
    return [(beside, to) for beside, to in found if beside.is_file()]


def _escaped(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)
