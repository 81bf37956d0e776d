"""What an export would change on the disk, before it is done, and what became of it."""

from dataclasses import dataclass
from typing import Literal

from clipcore.pictures.finding import display_path

from ..records import SkippedRecord

How = Literal["copy", "link", "symlink", "move"]


@dataclass(frozen=True)
class Change:
    """One file that an export makes: a copy, link or move of `source`, or a text of its own (`do` is write).

    content   sha256 of what `target` will hold
    image_id  the picture that is moved
    data      what to write, and `before`, what it replaces; None where there is nothing yet
    """

    do: How | Literal["write"]
    source: str
    target: str
    content: str
    image_id: int | None = None
    data: bytes | None = None
    before: bytes | None = None

    def __str__(self) -> str:
        arrow = f"{display_path(self.source)} -> " if self.source else ""
        return f"{self.do} {arrow}{display_path(self.target)}"


@dataclass(frozen=True)
class Plan:
    """What would change, and what is left as it is, with the reason."""

    changes: list[Change]
    left: list[SkippedRecord]


@dataclass(frozen=True)
class Done:
    """How many changes were made, and those that could not be."""

    changed: int
    failed: list[SkippedRecord]
