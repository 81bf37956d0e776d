"""Files that Sayso writes: each appears whole or not at all, and in its own folders only for the person who runs it."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal


def write_beside(path: Path, data: bytes | memoryview, durable: bool = True, private: bool = True) -> None:
    """Write `data` beside `path` and rename it into place, so that a crash or a full disk leaves the old file whole.

    `durable` waits for the disk; a file that is cheap to make again and checked when read does without. `private` is nobody
    else's to read, whatever the umask; what is exported beside a person's own files is as readable as they are.
    """
    with beside(path, durable, private) as file:
        file.write(data)


@contextmanager
def beside(path: Path, durable: bool = True, private: bool = True) -> Iterator[BinaryIO]:
    """A file to write to, beside `path`, renamed into place at the end; see `write_beside`."""
    private_folder(path.parent) if private else path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "wb", opener=_for_its_owner if private else None) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    if durable and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the rename itself
        finally:
            os.close(folder)


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for nobody else to look into."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def close_to_others(*places: Path) -> None:
    """Take from everybody but their owner the right to read or change these, as far as they are there and ours."""
    if os.name != "posix":
        return
    for place in places:
        with suppress(OSError):
            place.chmod(place.stat().st_mode & 0o700)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Wait until no other process is inside a block with the same lock file. The system frees it when a process dies."""
    with open(path, "a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file unlocks it


class InUse:
    """Says to others, until it is closed, that the folder with this lock file is in use; many may say so at once."""

    def __init__(self, path: Path) -> None:
        """Wait while somebody is `alone` there."""
        self._file = open(path, "a+b")  # noqa: SIM115  # it stays open
        _lock(self._file, "shared")

    def close(self) -> None:
        """Say no more."""
        self._file.close()


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Keep everybody out who asks with `InUse`; gives False if somebody is in."""
    with open(path, "a+b") as file:
        yield _lock(file, "alone")


def _lock(file: BinaryIO, how: Literal["shared", "alone"]) -> bool:
    if sys.platform == "win32":
        return True  # a file that is open cannot be replaced there
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH if how == "shared" else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
