"""The one way to open a file whose name came from outside: plain files only, without waiting, and no more than fits.

A pipe has its reader wait for ever for someone who writes, a device such as /dev/zero never ends, and a file may grow while
it is read. What is refused raises OSError with a reason in `strerror`, like any other file that cannot be read.
"""

import errno
import io
import json
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

TEXT = 200_000_000  # bytes of a table, a list or other text
LINE = 10_000_000  # letters of one line of a table that is read line by line


def open_plain(path: str | os.PathLike[str], most: int | None = None) -> BinaryIO:
    """A plain file of at most `most` bytes, open for reading. Raises OSError."""
    how = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        number = os.open(path, how)
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error)) from None
    try:
        status = os.fstat(number)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        if most is not None and status.st_size > most:
            raise too_large(most)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_plain(path: str | os.PathLike[str], most: int = TEXT) -> bytes:
    """The content of a plain file of at most `most` bytes. Raises OSError."""
    with open_plain(path, most) as file:
        data = file.read(most + 1)
    if len(data) > most:  # it grew meanwhile
        raise too_large(most)
    return data


def read_plain_text(
    path: str | os.PathLike[str], most: int = TEXT, encoding: str = "utf-8", newline: str | None = None
) -> str:
    """The text of a plain file, every line end as \\n unless `newline` says otherwise, as in `open`. Raises OSError and
    UnicodeDecodeError."""
    return io.TextIOWrapper(io.BytesIO(read_plain(path, most)), encoding=encoding, newline=newline).read()


def read_json(path: str | os.PathLike[str], most: int = TEXT) -> Any:
    """What a JSON file holds. Raises OSError and ValueError."""
    return parsed_json(read_plain_text(path, most, "utf-8-sig"))


def parsed_json(text: str | bytes) -> Any:
    """JSON; what is nested too deeply to be read is a ValueError like other mistakes in it."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def lines(file: TextIO, most: int = LINE) -> Iterator[str]:
    """The lines of a file, each with its end. Raises OSError for one that has no end in sight."""
    while line := file.readline(most + 1):
        if len(line) > most:
            raise OSError(errno.EFBIG, f"it has a line of more than {most // 1_000_000} million letters")
        yield line


def too_large(most: int) -> OSError:
    """What is raised for a file above `most` bytes."""
    return OSError(errno.EFBIG, f"it is larger than {most // 1_000_000} MB")
