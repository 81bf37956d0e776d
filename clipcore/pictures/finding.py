"""Which files below a folder are pictures, which folders hold none, and what is left out with a reason. Every reader of
folders goes by this: the library, class folders, shards, imports, the page.

A file `.saysoignore` in a folder leaves out more, below that folder: a pattern a line, as in .gitignore, by fnmatch
(`*`, `?`, `[ab]`), capitals or not. `*.png` or `drafts` is a name at any depth; `drafts/` a folder's name; `2019/*.jpg`,
with a slash in it, a path from that folder on, in which `*` takes slashes too; `!keep.png` brings back what a line above
left out, though not from within a folder left out; `#` begins a remark, and `\\#` or `\\!` a name that begins so.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import BadInput
from ..letters import letters
from ..plain import read_plain_text

_READ = {
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".jif",
    ".pjpeg",
    ".pjp",
    ".mpo",
    ".jps",
    ".insp",
    ".png",
    ".apng",
    ".webp",
    ".gif",
} | {".bmp", ".dib", ".tif", ".tiff", ".avif"}
_RAW = (  # by the preview in them
    {".dng", ".cr2", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".raf", ".pef", ".srw", ".3fr", ".fff", ".iiq", ".mos", ".mef"}
    | {".rwl", ".erf", ".kdc", ".dcr", ".gpr"}
)
# pictures that we cannot read, or only with an extra: found all the same, so that they are listed as skipped
_NAMED = {".heic", ".heif", ".hif", ".svg", ".psd", ".cr3", ".crw", ".orf", ".rw2", ".mrw", ".x3f", ".jxl", ".jp2"}
SUFFIXES = frozenset(_READ | _RAW | _NAMED)
VIDEOS = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp", ".3g2", ".wmv", ".asf"}
    | {".flv", ".f4v", ".ogv", ".vob", ".insv", ".lrv"}
)
VIDEO = "This is a video; save frames of it as pictures, which timeline does (see the docs)."
IGNORE = ".saysoignore"
# What network drives, systems and programs keep beside the pictures: thumbnails, waste baskets, snapshots, packages.
_NO_PHOTOS = frozenset(
    {"@eadir", "@tmp", "@__thumb", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "recycler"}
    | {"system volume information", "found.000", "lost+found", "network trash folder", "temporary items"}
    | {"__macosx", "node_modules"}
)
_MOST = 1_000_000  # bytes of a list of patterns


@dataclass(frozen=True)
class Skipped:
    """One file that could not be used, or a folder, and why, as a sentence."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{display_path(self.path)}: {self.reason}"


def is_picture_name(name: str) -> bool:
    """Whether a file's name says that it is a picture, one we can read or one to be listed as skipped."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_no_photo(name: str, is_folder: bool = False) -> bool:
    """Whether nothing of this name is ever a person's picture or class: what is hidden, and folders that programs keep."""
    folded = name.casefold()
    return name.startswith(".") or (is_folder and (folded in _NO_PHOTOS or folded.endswith(".lrdata")))


def holds_no_photo(path: str) -> bool:
    """`is_no_photo` of a path within an archive or a folder that was sent: of any of its folders, or of its name."""
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".", "..")] or [""]
    *folders, name = parts
    return is_no_photo(name) or any(is_no_photo(folder, True) for folder in folders)


def find_images(folder: str | os.PathLike[str], skipped: list[Skipped] | None = None, links: bool = False) -> Iterator[Path]:
    """Every picture file below `folder`, by name, in a stable order.

    Links are not followed, unless `links` to files are asked for, so a scan stays inside the folder that was named. What is
    no photo is passed over. Videos and folders that may not be read are appended to `skipped` on the way.
    Raises BadInput, at once, if the folder is not there or may not be read.
    """
    root = os.path.expanduser(os.fspath(folder))
    if not os.path.exists(root):
        raise BadInput(f"The folder {display_path(root)} does not exist; check the path.")
    if not os.path.isdir(root):
        raise BadInput(f"The path {display_path(root)} is a file, not a folder; name the folder that holds it.")
    skipped = [] if skipped is None else skipped
    try:
        return _walk(_entries(root, (), skipped), skipped, links)
    except OSError as error:
        raise BadInput(
            f"The folder {display_path(root)} cannot be read ({error.strerror}); check its permissions."
        ) from None


@dataclass(frozen=True)
class _Patterns:
    """One `.saysoignore`: where it lies, and its lines."""

    folder: str
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: str) -> "_Patterns":
        """Raises OSError and UnicodeDecodeError."""
        lines = (line.strip() for line in read_plain_text(path, _MOST, "utf-8-sig").splitlines())
        return cls(os.path.dirname(path), tuple(letters(line).casefold() for line in lines if line and line[0] != "#"))

    def judge(self, path: str, is_folder: bool) -> bool | None:
        """Whether a path is left out, or brought back; None if no line speaks of it. The last one that does counts."""
        below = letters(os.path.relpath(path, self.folder).replace(os.sep, "/")).casefold()
        name, verdict = below.rpartition("/")[2], None
        for line in self.lines:
            pattern = line[1:] if line[0] in "!\\" else line
            for_folders, pattern = pattern.endswith("/"), pattern.rstrip("/")
            if for_folders and not is_folder:
                continue
            if fnmatchcase(below, pattern.lstrip("/")) if "/" in pattern else fnmatchcase(name, pattern):
                verdict = line[0] != "!"
        return verdict


_Waiting = tuple[os.DirEntry[str], tuple[_Patterns, ...]]  # an entry, and the patterns that hold where it lies


def _walk(waiting: list[_Waiting], skipped: list[Skipped], links: bool) -> Iterator[Path]:
    """The pictures among `waiting` and below them. It is a stack, so that no depth of folders is too deep."""
    while waiting:
        entry, patterns = waiting.pop()
        if entry.name.startswith("."):
            continue
        is_folder = False
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_no_photo(entry.name, is_folder) or (patterns and _left_out(entry.path, is_folder, patterns)):
                continue
            if is_folder:
                waiting += _entries(entry.path, patterns, skipped)
            elif is_picture_name(entry.name) and entry.is_file(follow_symlinks=links):
                yield Path(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in VIDEOS and entry.is_file(follow_symlinks=False):
                skipped.append(Skipped(Path(entry.path), VIDEO))
        except FileNotFoundError:
            continue  # gone meanwhile
        except OSError as error:
            what = "folder" if is_folder else "file"
            why = f"The {what} cannot be read ({error.strerror}); check its permissions."
            skipped.append(Skipped(Path(entry.path), why))


def _left_out(path: str, is_folder: bool, patterns: tuple[_Patterns, ...]) -> bool:
    """Whether the patterns leave a path out; those of the nearest folder have the last word."""
    said = (verdict for some in reversed(patterns) if (verdict := some.judge(path, is_folder)) is not None)
    return next(said, False)


def _entries(folder: str, patterns: tuple[_Patterns, ...], skipped: list[Skipped]) -> list[_Waiting]:
    """What lies in a folder, last name first, with the patterns that hold there."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name, reverse=True)
    if own := next((entry.path for entry in found if entry.name == IGNORE), None):
        try:
            patterns = (*patterns, _Patterns.read(own))
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            skipped.append(Skipped(Path(own), f"The patterns cannot be read ({why}), and nothing is left out by them."))
    return [(entry, patterns) for entry in found]


def display_path(path: str | os.PathLike[str]) -> str:
    """A path as text that can be printed and stored, also when its bytes are not valid UTF-8."""
    return re.sub("[\ud800-\udfff]", "\ufffd", os.fspath(path))
