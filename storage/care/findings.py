"""What an examination finds, and how it would be mended."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipcore import Step
from clipcore.pictures.finding import display_path

from ..library import Library

EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    sentence  what it is                             count     how many
    remedy    what mending does, or a person can     examples  some of them, as they are shown
    fix       does it; None where it takes a person
    """

    check: str
    sentence: str
    remedy: str
    fix: Callable[[], object] | None = None
    count: int = 1
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patient:
    """The home that is examined, and its library, unless that cannot be opened."""

    home: Path
    library: Library | None

    @property
    def opened(self) -> Library:
        """The library, for checks that are only made where there is one."""
        assert self.library is not None
        return self.library


Check = Callable[[Patient], Generator[Step, None, list[Finding]]]


def some(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The first few, to be shown."""
    return tuple(display_path(path) for path in paths[:EXAMPLES])


def deleting(paths: Sequence[Path]) -> Callable[[], None]:
    """What deletes these files."""

    def fix() -> None:
        for path in paths:
            path.unlink(missing_ok=True)

    return fix


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `3 files`."""
    return f"1 {one}" if number == 1 else f"{number:,} {many or one + 's'}"
