"""Pictures of a library with what is known of each: what is kept of a measurement, so that it can be asked again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...errors import BadInput
from .groups import Facts
from .sources import PictureTable, facts_from_folders, facts_from_labels, facts_from_names, match_table

NAMES, FOLDERS, LABELS = "names", "folders", "labels"  # where groups come from, beside a table


class Picture(Protocol):
    """What a study has to know of a picture."""

    @property
    def id(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def picture(self) -> str: ...


@dataclass(frozen=True)
class Study:
    """n pictures: their ids and names, which do not change with a file's metadata, and facts, in one order."""

    name: str
    ids: tuple[int, ...]
    keys: tuple[str, ...]
    facts: Facts

    def take(self, rows: Sequence[int]) -> "Study":
        """Some of the pictures."""
        return Study(self.name, tuple(self.ids[i] for i in rows), tuple(self.keys[i] for i in rows), self.facts.take(rows))

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        columns = {name: list(values) for name, values in self.facts.columns.items()}
        return {
            "name": self.name,
            "ids": list(self.ids),
            "keys": list(self.keys),
            "facts": columns,
            "notes": list(self.facts.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Study":
        """The inverse of `to_json`."""
        facts = Facts({name: tuple(values) for name, values in data["facts"].items()}, tuple(data["notes"]))
        return cls(data["name"], tuple(data["ids"]), tuple(data["keys"]), facts)


def read_study(
    images: Sequence[Picture],
    source: str | PictureTable,
    root: str = "",
    labels: Mapping[int, Mapping[str, int]] | None = None,
) -> Study:
    """Find out who is in which group: from a table, or from NAMES, FOLDERS (below `root`) or LABELS (image id -> label ->
    value). Raises BadInput."""
    if not images:
        raise BadInput("There are no images here; name a folder that holds some.")
    paths = [image.path for image in images]
    if isinstance(source, PictureTable):
        facts = match_table(source, paths)
    elif source == NAMES:
        facts = facts_from_names(paths)
    elif source == FOLDERS:
        facts = facts_from_folders(paths, root)
    elif source == LABELS:
        facts = facts_from_labels([(labels or {}).get(image.id, {}) for image in images])
    else:
        raise BadInput(f"Groups come from a table, or from {NAMES}, {FOLDERS} or {LABELS}; “{source}” is none of these.")
    name = Path(root).name or "the library"
    return Study(name, tuple(image.id for image in images), tuple(image.picture for image in images), facts)
