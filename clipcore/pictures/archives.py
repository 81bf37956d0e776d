"""Pictures within a ZIP file, read one by one and never unpacked onto the disk."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ..errors import BadImage, BadInput
from ..plain import open_plain
from .finding import display_path, holds_no_photo, is_picture_name
from .reading import MAX_BYTES

OTHERS = (".rar", ".7z")
_MOST = 1_000_000  # members
_UTF8 = 0x800  # the flag of a member whose name says that it is UTF-8
_LOCKED = 0x1


class Archive:
    """A ZIP file that is open: `pictures` are its members by path, in its order."""

    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self._file, self._name = file, name
        infos = file.infolist()
        if len(infos) > _MOST:
            raise BadInput(f"{name} has more than {_MOST:,} files; unpack it and name the folder.")
        self.pictures = {
            path: info
            for info in infos
            if not info.is_dir()
            and is_picture_name((path := PurePosixPath(_path(info))).name)
            and not holds_no_photo(str(path))
        }

    def read(self, path: PurePosixPath) -> bytes:
        """A member's content. Raises BadImage for one that is locked, damaged or too large."""
        info = self.pictures[path]
        if info.flag_bits & _LOCKED:
            raise BadImage("The archive is locked by a password; unpack it and name the folder.")
        try:
            packed = self._file
            with packed.open(info) as member:
                data = member.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise BadImage(f"The archive is damaged here ({error}); make it anew.") from None
        except Exception as error:  # what a decompressor raises on damaged data: zlib.error, lzma.LZMAError
            raise BadImage(f"The archive is damaged here ({type(error).__name__}); make it anew.") from None
        if len(data) > MAX_BYTES:
            raise BadImage(f"It is larger than {MAX_BYTES // 1_000_000} MB.")
        return data


@contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[Archive]:
    """Open a ZIP file. Raises BadInput for what is none, or cannot be read."""
    name = display_path(Path(path).name)
    try:
        with open_plain(path) as file, zipfile.ZipFile(file) as opened:
            yield Archive(opened, name)
    except zipfile.BadZipFile:
        raise BadInput(f"{name} is damaged or no ZIP file; make it anew, or unpack it and name the folder.") from None
    except OSError as error:
        raise BadInput(f"{name} cannot be read ({error.strerror or error}); check it.") from None


def read_packed(path: str) -> bytes | None:
    """The content of a picture whose path leads through a ZIP file, such as pets.zip/cat/1.jpg; None if it does not."""
    for folder in Path(path).parents:
        if folder.suffix.lower() == ".zip" and folder.is_file():
            with open_archive(folder) as archive:
                member = PurePosixPath(Path(path).relative_to(folder).as_posix())
                return archive.read(member) if member in archive.pictures else None
    return None


def _path(info: zipfile.ZipInfo) -> str:
    """A member's path. A Mac writes UTF-8 without saying so, and Windows once wrote backslashes."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/").lstrip("/")
