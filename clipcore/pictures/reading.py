"""The one safe way from a file or bytes to an upright RGB picture. Every picture Sayso reads comes through here."""

import hashlib
import io
import math
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import BadImage, BadInput
from ..plain import open_plain, read_plain
from . import decoding, raw
from . import exif as exifs
from .exif import Facts

# An allow-list, because Pillow alone would also start Ghostscript for a PostScript file named photo.jpg.
# JPEG covers the MPO files of phones and stereo cameras.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    | {".dng", ".cr2", ".nef", ".arw", ".raf"}  # RAW files, by the preview in them
    # pictures that we cannot read: found all the same, so that they are listed as skipped and not silently missing
    | {".heic", ".heif", ".svg", ".psd", ".cr3", ".orf", ".rw2", ".jxl", ".jp2"}
)
MAX_PIXELS = 100_000_000  # 300 MB once decoded; more than nearly every camera makes
MAX_BYTES = 500_000_000
MAX_ASPECT = 200  # a model that scales the short side to 224 would blow a strip of 1 x 100,000 pixels up to gigabytes
# How much larger than the model's side a JPEG is decoded. With the starter on 300 photographs of Flickr8k, mean and least
# cosine to the exact vector: twice 0.9993 and 0.9978, 2.5 times 0.9999 and 0.9996, four times 0.9999 and 0.9997. At 2.5, a
# photo of 12 megapixels is read at a quarter for towers of 224 and of 256 pixels.
REDUCED = 2.5
_TOO_LARGE = f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels; save a smaller copy."
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
_TURN = Image.Transpose
_TURNS = {  # what undoes each EXIF orientation
    2: _TURN.FLIP_LEFT_RIGHT,
    3: _TURN.ROTATE_180,
    4: _TURN.FLIP_TOP_BOTTOM,
    5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270,
    7: _TURN.TRANSVERSE,
    8: _TURN.ROTATE_90,
}

# Pillow warns of large pictures and odd metadata; we judge both ourselves. Set once, because warnings.catch_warnings is
# not safe in the threads that decode.
warnings.filterwarnings("ignore", module=r"PIL\.")

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray


def open_image(
    source: ImageSource,
    near: int | None = None,
    shrink: Callable[[Image.Image, tuple[int, int]], Image.Image] | None = None,
) -> Image.Image:
    """An upright RGB picture from a path, the bytes of a file, a PIL image or an array [h, w, 3] of uint8.

    With `near`, a JPEG may be decoded at a reduced scale whose short side is still at least REDUCED times `near` pixels:
    several times faster for a 12-megapixel photo, and harmless for what the encoder sees. `shrink` is given the decoded
    picture and the file's full size, before the picture is turned, and may answer with a smaller one.

    Raises BadImage, with the reason, for anything that is not a picture, is damaged, or is larger than `MAX_PIXELS`.
    """
    with _as_bad_image():
        if isinstance(source, np.ndarray):
            source = Image.fromarray(source)
        if isinstance(source, Image.Image):
            return _decoded(source, None, shrink)
        data = source if isinstance(source, bytes) else read_bytes(source)
        return _decoded(_opened(io.BytesIO(data)), near, shrink)  # held by nobody else: its memory goes within the share


def picture_facts(source: bytes | str | os.PathLike[str]) -> Facts:
    """Size, date, camera and orientation of a picture file or its bytes, read from the header. Raises BadImage."""
    with _as_bad_image(), _file(source) as file, _opened(file) as image:
        _check(image)
        exif = exifs.read_exif(image)
        turned = exifs.orientation(image, exif)
        width, height = image.size if turned < 5 else image.size[::-1]
        return Facts(width, height, turned, exifs.taken(exif), exifs.camera(exif))


def _file(source: bytes | str | os.PathLike[str]) -> BinaryIO:
    """A picture file or its bytes, to read from."""
    return io.BytesIO(source) if isinstance(source, bytes) else open_plain(source, MAX_BYTES)


def _opened(file: BinaryIO) -> Image.Image:
    """A picture file, its header read; of a RAW file the preview in it. Raises BadImage for what is refused."""
    head = file.read(16)
    _refuse(head)
    file.seek(0)
    if head.startswith(raw.HEADS):
        if (preview := raw.preview(file.read())) is not None:
            return preview
        file.seek(0)
    return Image.open(file, formats=_formats())


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of an encoded picture as a viewer would show it, read from its header. Raises BadImage."""
    facts = picture_facts(data)
    return facts.width, facts.height


@cache
def _formats() -> tuple[str, ...]:
    """The formats that can be read here: HEIC only with the package of requirements-extras/heic.txt."""
    try:
        import pillow_heif
    except ImportError:
        return FORMATS
    pillow_heif.register_heif_opener(thumbnails=False)
    return (*FORMATS, "HEIF")


def _refuse(head: bytes) -> None:
    """Refuse, by a file's first bytes, what Pillow would not know and where nothing is to be shown instead."""
    kind, brand = head[:4], head[4:12]
    if brand[:4] == b"ftyp" and brand[4:] in _HEIC_BRANDS and "HEIF" not in _formats():
        raise BadImage(
            "This is a HEIC picture, which needs one more package: pip install -r requirements-extras/heic.txt, then retry."
        )
    if brand == b"ftypcrx " or kind in (b"IIRO", b"IIRS", b"MMOR", b"IIU\0"):
        raise BadImage(raw.REFUSED)


@contextmanager
def _as_bad_image() -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data (OSError, SyntaxError, struct.error, ...) into one sentence."""
    try:
        yield
    except BadImage:
        raise
    except Image.DecompressionBombError:
        raise BadImage(_TOO_LARGE) from None
    except UnidentifiedImageError:
        raise BadImage("This is not a picture in a format Sayso reads (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF).") from None
    except MemoryError:
        raise BadImage("The picture does not fit in memory; save a smaller copy.") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:80].rstrip(".") or type(error).__name__
        raise BadImage(f"The picture is damaged and cannot be read to its end ({reason}).") from None


def _check(image: Image.Image) -> None:
    """Refuse, before anything is decoded, a picture that would not fit in memory or is not the one that was meant."""
    long, short = max(image.size), max(1, min(image.size))
    if long * short > MAX_PIXELS:
        raise BadImage(_TOO_LARGE)
    if long > MAX_ASPECT * short:
        raise BadImage(f"The picture is more than {MAX_ASPECT} times as long as it is wide; cut it into pieces.")


def _decoded(
    image: Image.Image, near: int | None, shrink: Callable[[Image.Image, tuple[int, int]], Image.Image] | None
) -> Image.Image:
    """Decode fully, flatten to 8-bit RGB, shrink, and turn as EXIF says; an animation gives its first frame."""
    _check(image)
    turn = _TURNS.get(exifs.orientation(image, exifs.read_exif(image)))
    full = image.size
    if near:
        image.draft("RGB", (math.ceil(REDUCED * near), math.ceil(REDUCED * near)))
    with decoding.MEMORY.share(decoding.cost(image, full)):
        image = _flat(image)  # the file's own picture, and its decoder, are gone with this
        if shrink:
            image = shrink(image, full)
        return image if turn is None else image.transpose(turn)


def _flat(image: Image.Image) -> Image.Image:
    """The pixels as 8-bit RGB, what is transparent on white."""
    image.load()
    if image.mode.startswith("I;16"):
        # convert("RGB") clips 16-bit grey to white; scale it instead
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        image = Image.fromarray(_stretched(np.asarray(image, np.float32)))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        flat = Image.new("RGBA", image.size, "white")  # the colour under transparent pixels is arbitrary
        flat.alpha_composite(image)
        image = flat
    return image.convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    """Numbers of any range as 8-bit grey, lowest black, highest white."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    # nan_to_num first: NaN is black, and an infinity is as far as the numbers go
    filled = np.nan_to_num(values, nan=low, neginf=low, posinf=high) / 2  # halves, so that the range cannot overflow
    return ((filled - low / 2) / ((high / 2 - low / 2) or 1) * 255).astype(np.uint8)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a picture's file; raises BadImage if it is gone, may not be read, is empty, huge or no plain file."""
    try:
        data = read_plain(path, MAX_BYTES)
    except FileNotFoundError:
        raise BadImage("The file is gone; check whether it was moved or renamed.") from None
    except PermissionError:
        raise BadImage("The file may not be read; check its permissions.") from None
    except IsADirectoryError:
        raise BadImage("This is a folder, not a picture.") from None
    except OSError as error:
        raise BadImage(f"The file cannot be read ({error.strerror or error}); save the picture anew.") from None
    if not data:
        raise BadImage("The file is empty.")
    return data


def content_hash(data: bytes) -> str:
    """sha256 of a file's bytes as 64 hex digits: the name of a picture, wherever it lies."""
    return hashlib.sha256(data).hexdigest()


def small_copy(source: ImageSource, side: int = 256) -> bytes:
    """`thumbnail` of a file, made small while it is decoded, so that nobody holds it in full any longer. Raises BadImage."""

    def shrink(image: Image.Image, full: tuple[int, int]) -> Image.Image:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        return image

    return thumbnail(open_image(source, near=side, shrink=shrink), side)


def thumbnail(image: Image.Image, side: int = 256) -> bytes:
    """The picture as WebP bytes, no side longer than `side` pixels; metadata does not come along."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()


def is_picture_name(name: str) -> bool:
    """Whether a file's name says that it is a picture, one we can read or one to be listed as skipped."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def find_images(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Every picture file below `folder`, by name, in a stable order.

    Links are not followed and hidden files and folders are passed over, so a scan stays inside the folder that was named.
    Raises BadInput, at once, if the folder is not there or may not be read.
    """
    root = os.path.expanduser(os.fspath(folder))
    if not os.path.exists(root):
        raise BadInput(f"The folder {display_path(root)} does not exist; check the path.")
    if not os.path.isdir(root):
        raise BadInput(f"The path {display_path(root)} is a file, not a folder; name the folder that holds it.")
    try:
        return _walk(_entries(root))
    except OSError as error:
        raise BadInput(
            f"The folder {display_path(root)} cannot be read ({error.strerror}); check its permissions."
        ) from None


def find_labelled_images(folder: str | os.PathLike[str]) -> dict[Path, str]:
    """The pictures of a folder that holds one folder per class, each with its class: the folder's name, `_` as a space.

    Raises BadInput if the folder is not there or holds no class folders.
    """
    root = Path(os.path.expanduser(folder))
    labels = {path: path.relative_to(root).parts[0] for path in find_images(root) if path.parent != root}
    if not labels:
        raise BadInput(
            f"The folder {display_path(root)} holds no class folders; give each class a folder of its own, with its name."
        )
    return {path: display_path(label).replace("_", " ") for path, label in labels.items()}


def _walk(entries: list[os.DirEntry[str]]) -> Iterator[Path]:
    """The pictures among `entries` and below them. `entries` is a stack, so that no depth of folders is too deep."""
    while entries:
        entry = entries.pop()
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                entries += _entries(entry.path)
            elif is_picture_name(entry.name) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
        except OSError:
            continue  # gone meanwhile, or a folder that may not be read: nothing there for us


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, last name first."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)


def display_path(path: str | os.PathLike[str]) -> str:
    """A path as text that can be printed and stored, also when its bytes are not valid UTF-8."""
    return re.sub("[\ud800-\udfff]", "\ufffd", os.fspath(path))
