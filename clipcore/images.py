"""The one safe way from a file or bytes to an upright RGB picture. Every picture Sayso reads comes through here."""

import hashlib
import io
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import BadImage, BadInput

# An allow-list, because Pillow alone would also start Ghostscript for a PostScript file named photo.jpg.
# JPEG covers the MPO files of phones and stereo cameras.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
    # pictures that we cannot read: found all the same, so that they are listed as skipped and not silently missing
    | {".heic", ".heif", ".svg", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".jxl", ".jp2"}
)
MAX_PIXELS = 100_000_000  # 300 MB once decoded; larger than any phone or full-frame camera makes
MAX_BYTES = 500_000_000
_TOO_LARGE = f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels; save a smaller copy."

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray


def open_image(source: ImageSource, near: int | None = None) -> Image.Image:
    """An upright RGB picture from a path, the bytes of a file, a PIL image or an array [h, w, 3] of uint8.

    With `near`, a JPEG may be decoded at a reduced scale whose short side is still at least twice `near` pixels: several
    times faster for a 12-megapixel photo, and harmless for what the encoder sees.

    Raises BadImage, with the reason, for anything that is not a picture, is damaged, or is larger than `MAX_PIXELS`.
    """
    if isinstance(source, np.ndarray):
        source = Image.fromarray(source)
    if isinstance(source, Image.Image):
        return _upright_rgb(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size warning; our limit is stricter and raises
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise BadImage(_TOO_LARGE)
                if near:
                    image.draft("RGB", (2 * near, 2 * near))
                return _upright_rgb(image)
    except Exception as error:  # decoders raise nearly anything on damaged data: OSError, SyntaxError, struct.error, ...
        raise _bad_image(error) from None


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of an encoded picture as a viewer would show it, read from its header. Raises BadImage."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else image.size
    except Exception as error:
        raise _bad_image(error) from None


def _bad_image(error: Exception) -> BadImage:
    """The sentence for whatever a decoder raised."""
    if isinstance(error, BadImage):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return BadImage(_TOO_LARGE)
    if isinstance(error, FileNotFoundError):
        return BadImage("The file is gone; check whether it was moved or renamed.")
    if isinstance(error, PermissionError):
        return BadImage("The file may not be read; check its permissions.")
    if isinstance(error, UnidentifiedImageError):
        return BadImage("This is not a picture in a format Sayso reads (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF).")
    reason = " ".join(str(error).split())[:80].rstrip(".") or type(error).__name__
    return BadImage(f"The picture is damaged and cannot be read to its end ({reason}).")


def _upright_rgb(image: Image.Image) -> Image.Image:
    """Decode fully, turn as EXIF says, and flatten to 8-bit RGB; an animation gives its first frame."""
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16L", "I;16B", "I"):
        # convert("RGB") clips 16-bit grey to white; scale it instead
        image = Image.fromarray((np.asarray(image).astype(np.float32) / 257).clip(0, 255).astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(_stretched(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        flat = Image.new("RGBA", image.size, "white")  # the colour under transparent pixels is arbitrary
        flat.alpha_composite(image)
        image = flat
    return image.convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return np.nan_to_num((values - low) * (255 / (high - low or 1))).astype(np.uint8)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a picture's file; raises BadImage if it is gone, may not be read, is empty or is huge."""
    try:
        size = os.stat(path).st_size
        if size == 0:
            raise BadImage("The file is empty.")
        if size > MAX_BYTES:
            raise BadImage(f"The file is larger than {MAX_BYTES // 1_000_000} MB; save a smaller copy.")
        return Path(path).read_bytes()
    except (OSError, BadImage) as error:
        raise _bad_image(error) from None


def content_hash(data: bytes) -> str:
    """sha256 of a file's bytes as 64 hex digits: the name of a picture, wherever it lies."""
    return hashlib.sha256(data).hexdigest()


def thumbnail(image: Image.Image, side: int = 256) -> bytes:
    """The picture as WebP bytes, no side longer than `side` pixels; metadata does not come along."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()


def find_images(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Every picture file below `folder`, by name, in a stable order.

    Links are not followed and hidden files and folders are passed over, so a scan stays inside the folder that was named.
    Raises BadInput, at once, if the folder is not there.
    """
    root = Path(folder).expanduser()
    if not root.exists():
        raise BadInput(f"The folder {display_path(root)} does not exist; check the path.")
    if not root.is_dir():
        raise BadInput(f"{display_path(root)} is a file, not a folder; name the folder that holds it.")
    return _walk(root)


def find_labelled_images(folder: str | os.PathLike[str]) -> dict[Path, str]:
    """The pictures of a folder that holds one folder per class, each with its class: the folder's name, `_` as a space.

    Raises BadInput if the folder is not there or holds no class folders.
    """
    root = Path(folder).expanduser()
    labels = {path: path.relative_to(root).parts[0] for path in find_images(root) if path.parent != root}
    if not labels:
        raise BadInput(
            f"{display_path(root)} holds no class folders; give each class a folder of its own, named as the class."
        )
    return {path: display_path(label).replace("_", " ") for path, label in labels.items()}


def _walk(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # a folder that may not be read holds nothing for us
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif Path(entry.name).suffix.lower() in SUFFIXES and stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            yield Path(entry.path)


def display_path(path: str | os.PathLike[str]) -> str:
    """A path as text that can be printed and stored, also when its bytes are not valid UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")
