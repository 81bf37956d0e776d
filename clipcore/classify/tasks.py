"""Task packs: what the CLIP paper tried its models on, ready to use. Each has prompts, the class names of public sets, how
well the largest CLIP did in the paper, and what to do instead where that is poor.

A pack is a file in task_packs/. Its figures are those of ViT-L/14 at 336 pixels, zero-shot (Radford et al., 2021, Table
11, sections 3.1.5 and 6); prompts and names are those that the authors published.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .prompts import PACKS, PromptSet, pack
from .typed import parse_labels, parse_names

_FOLDER = Path(__file__).with_name("task_packs")
# in the name of a set's folder or shard, beside what the set is called
_BESIDE = re.compile(
    r"wds|vtab|dataset|data|images|jpg|png|zip|tar|gz|tgz|test|testing|val|valid|validation|train|half|sample|\d{4,5}"
)


@dataclass(frozen=True)
class PublicSet:
    """A set of pictures that others have measured on, too.

    folders   what its folder or shard is called, folded by `folded`
    labels    its class names, in its own order; none where the list is too long to write down
    synonyms  other names of a class
    keys      what the folder of a class is called where that is not its name, folded
    numbered  whether `labels` stand in the order of the numbers by which the set calls its classes
    measure   what the paper measured: accuracy, mean per class, or something that Sayso does not
    paper     the figure of the largest CLIP, in per cent; None where the paper has none
    layout    where the pictures lie if not in folders of their classes; see `training.data.suite`
    """

    name: str
    folders: tuple[str, ...]
    labels: tuple[str, ...] = ()
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    numbered: bool = False
    measure: str = "accuracy"
    paper: float | None = None
    layout: Mapping[str, str] = field(default_factory=dict)

    def named(self, classes: Iterable[str]) -> dict[str, str]:
        """What each class of the set is called here, by what its folder is called, or the number that its shard has."""
        classes = list(classes)
        known = {_tight(label): label for label in self.labels} | dict(self.keys)
        found = {name: known[_tight(name)] for name in classes if _tight(name) in known}
        numbers = {name: int(name) for name in classes if name.isdecimal() and name not in found}
        if self.numbered and len(numbers) == len(classes) and numbers and max(numbers.values()) <= len(self.labels):
            first = int(max(numbers.values()) == len(self.labels))  # some sets begin at 1
            found = {name: self.labels[number - first] for name, number in numbers.items()}
        return {name: found.get(name, name) for name in classes}


@dataclass(frozen=True)
class Task:
    """One task: the public `sets`, its `limit` in a sentence with its figure, and what to do `instead`;
    `words` and `faces` tell by class names that someone is about it."""

    name: str
    limit: str
    instead: str
    sets: tuple[PublicSet, ...] = ()
    words: frozenset[str] = frozenset()
    faces: frozenset[str] = frozenset()

    @property
    def about(self) -> str:
        """What it is about, in a few words."""
        return PACKS[self.name]

    @property
    def prompts(self) -> PromptSet:
        """The pack of prompts of the same name."""
        return pack(self.name)


@cache
def tasks() -> Mapping[str, Task]:
    """Every task by its name."""
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}


def find_task(name: str) -> Task:
    """The task of this name, or the one of a public set of this name. Raises BadInput."""
    if name in tasks():
        return tasks()[name]
    found = find_set(name) or next(((one, known) for one, known in listed() if folded(known.name) == folded(name)), None)
    if found is None:
        raise BadInput(f"There is no task or public set {name!r}; choose one of {', '.join(tasks())}.")
    return found[0]


def ready_names(name: str) -> tuple[Task, PublicSet]:
    """A task and the public set whose class names to use: the first of a task, or the one of this name. Raises BadInput."""
    one = find_task(name)
    own = next((known for known in one.sets if known.labels and folded(name) in (*known.folders, folded(known.name))), None)
    chosen = own or next((known for known in one.sets if known.labels), None)
    if chosen is None:
        choices = ", ".join(dict.fromkeys(other.name for other, _ in listed()))
        raise BadInput(f"There is no list of names for {name!r}; choose one of {choices}, or type your own.")
    return one, chosen


def listed() -> list[tuple[Task, PublicSet]]:
    """Every public set with a list of class names, and its task."""
    return [(one, known) for one in tasks().values() for known in one.sets if known.labels]


def find_set(folder: str) -> tuple[Task, PublicSet] | None:
    """The public set that a folder, a table or a shard of this name most likely holds; None for another."""
    words = folded(folder).split()
    kept = " ".join(word for word in words if not _BESIDE.fullmatch(word))
    for one in tasks().values():
        for known in one.sets:
            if " ".join(words) in known.folders or kept in known.folders:
                return one, known
    return None


def folded(name: str) -> str:
    """A set's name in small letters, with a space for whatever stands between them."""
    return " ".join(re.findall(r"[a-z0-9]+", name.casefold()))


def _tight(name: str) -> str:
    return "".join(re.findall(r"\w", name.casefold().replace("_", "")))


def _read(path: Path) -> Task:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    sets = tuple(map(_read_set, data.get("sets", ())))
    words, faces = (frozenset(parse_names(data.get(key, ""))) for key in ("words", "faces"))
    return Task(path.stem, data["limit"], data["instead"], sets, words, faces)


def _read_set(data: dict[str, Any]) -> PublicSet:
    labels, synonyms = parse_labels(data.pop("labels")) if "labels" in data else ([], {})
    keys = {_tight(key): label for key, label in data.pop("keys", {}).items()}
    keys |= {_tight(code): label for code, label in zip(data.pop("codes", "").split(), labels, strict=False)}
    folders = tuple(map(folded, data.pop("folders")))
    return PublicSet(folders=folders, labels=tuple(labels), synonyms=synonyms, keys=keys, **data)
