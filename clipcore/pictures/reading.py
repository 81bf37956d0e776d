"""The one safe way from a file or bytes to an upright RGB picture. Every picture Sayso reads comes through here."""

import hashlib
import io
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import BadImage
from ..plain import open_plain, read_plain
from . import decoding, ends, raw, tiff
from . import exif as exifs
from .exif import Facts
from .finding import VIDEO

# An allow-list, because Pillow alone would also start Ghostscript for a PostScript file named photo.jpg.
# JPEG covers the MPO files of phones and stereo cameras.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF")
MAX_PIXELS = 100_000_000  # 300 MB once decoded; more than nearly every camera makes
MAX_JPEG = 500_000_000  # of a JPEG, which is decoded at a half, a quarter or an eighth where it has more than that
MAX_BYTES = 500_000_000
MAX_ASPECT = 200  # a model that scales the short side to 224 would blow a strip of 1 x 100,000 pixels up to gigabytes
# How much larger than the model's side a JPEG is decoded. With the starter on 300 photographs of Flickr8k, mean and least
# cosine to the exact vector: twice 0.9993 and 0.9978, 2.5 times 0.9999 and 0.9996, four times 0.9999 and 0.9997. At 2.5, a
# photo of 12 megapixels is read at a quarter for towers of 224 and of 256 pixels.
REDUCED = 2.5
_TOO_LARGE = "The picture has more than {} megapixels; save a smaller copy."
_REDUCIBLE = ("JPEG", "MPO")  # may be decoded at a reduced scale, in as little memory
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_MOST_FRAMES, _FRAME_PIXELS = 50, 400_000_000  # that are looked through for one that shows something
_ONE_COLOUR = 8  # between the darkest and the lightest of a channel; a packed black frame is not quite black
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
# ISO media files by their brand (ISO/IEC 14496-12; QuickTime; 3GPP TS 26.244), Matroska and WebM by their EBML header
_VIDEO_BRANDS = {b"qt  ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"mp41", b"mp42", b"dash", b"MSNV", b"XAVC"}
_VIDEO_BRANDS |= {b"M4V ", b"M4VH", b"M4VP", b"3gp4", b"3gp5", b"3gp6", b"3g2a"}
_MATROSKA = b"\x1a\x45\xdf\xa3"
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
Image.MAX_IMAGE_PIXELS = MAX_JPEG // 2  # Pillow refuses what has twice as many, before `_check` does

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

    Raises BadImage, with the reason, for anything that is not a picture, is damaged, or is larger than `MAX_PIXELS`; of JPEG
    `MAX_JPEG`, which comes at a reduced scale where it has more than `MAX_PIXELS`.
    """
    with _as_bad_image():
        if isinstance(source, np.ndarray):
            source = Image.fromarray(source)
        if isinstance(source, Image.Image):
            return _decoded(source, None, shrink)
        data = source if isinstance(source, bytes) else read_bytes(source)
        if ends.breaks_off(data):
            _check(_opened(io.BytesIO(data)))
            data = ends.mended(data)
        return _decoded(_opened(io.BytesIO(data)), near, shrink)  # held by nobody else: its memory goes within the share


def picture_facts(source: bytes | str | os.PathLike[str]) -> Facts:
    """Size, date, camera, orientation, place and stars of a picture file or its bytes, from the header. Raises BadImage."""
    with _as_bad_image(), _file(source) as file, _opened(file) as image:
        _check(image)
        exif = exifs.read_exif(image)
        turned = exifs.orientation(image, exif)
        width, height = image.size if turned < 5 else image.size[::-1]
        north, east = exifs.position(exif) or (None, None)
        return Facts(width, height, turned, exifs.taken(exif), exifs.camera(exif), north, east, exifs.rating(image, exif))


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
    try:
        image = Image.open(file, formats=_formats())
    except UnidentifiedImageError:
        if not head.startswith(tiff.HEADS):
            raise
        file.seek(0)
        return tiff.open_tiff(file.read(), MAX_PIXELS)
    return _wide(image, file) if image.format == "TIFF" and tiff.is_wide(image) else image


def _wide(image: Image.Image, file: BinaryIO) -> Image.Image:
    """A TIFF whose colours have more than 8 bits, by tifffile; as Pillow has it where that cannot, and Pillow can."""
    _check(image)
    file.seek(0)
    try:
        return tiff.open_tiff(file.read(), MAX_PIXELS)
    except BadImage:
        if tiff.is_planar(image):
            raise
        return image


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
        raise BadImage("This is a HEIC picture; install the extra “heic”, or save it as JPEG.")
    if brand == b"ftypcrx " or kind in (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"II\x1a\0", b"FOVb", b"\0MRM"):
        raise BadImage(raw.REFUSED)
    is_iso = brand[:4] == b"ftyp" and brand[4:] in _VIDEO_BRANDS
    if is_iso or kind == _MATROSKA or (kind == b"RIFF" and brand[4:] == b"AVI "):
        raise BadImage(VIDEO)


@contextmanager
def _as_bad_image() -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data (OSError, SyntaxError, struct.error, ...) into one sentence."""
    try:
        yield
    except BadImage:
        raise
    except Image.DecompressionBombError:
        raise BadImage(_TOO_LARGE.format(MAX_PIXELS // 1_000_000)) from None
    except UnidentifiedImageError:
        raise BadImage("This is not a picture in a format Sayso reads; save it as JPEG, PNG or WebP.") from None
    except MemoryError:
        raise BadImage("The picture does not fit in memory; save a smaller copy.") from None
    except Exception as error:
        reason = " ".join(str(error).split())[:80].rstrip(".") or type(error).__name__
        raise BadImage(f"The picture is damaged and cannot be read to its end ({reason}).") from None


def _check(image: Image.Image) -> None:
    """Refuse, before anything is decoded, a picture that would not fit in memory or is not the one that was meant."""
    long, short = max(image.size), max(1, min(image.size))
    most = MAX_JPEG if image.format in _REDUCIBLE else MAX_PIXELS
    if long * short > most:
        raise BadImage(_TOO_LARGE.format(most // 1_000_000))
    if long > MAX_ASPECT * short:
        raise BadImage(f"The picture is more than {MAX_ASPECT} times as long as it is wide; cut it into pieces.")


def _reduce(image: Image.Image, near: int | None) -> None:
    """Have a JPEG decoded at a reduced scale: for `near`, and so that it has at most MAX_PIXELS. Raises BadImage."""
    width, height = image.size
    scale = next((scale for scale in (1, 2, 4) if width * height <= MAX_PIXELS * scale**2), 8)
    wanted = math.ceil(REDUCED * near) if near else max(width, height)
    if near or scale > 1:
        image.draft("RGB", (min(wanted, width // scale), min(wanted, height // scale)))  # it can be asked once
    if image.width * image.height > MAX_PIXELS:
        raise BadImage(_TOO_LARGE.format(MAX_PIXELS // 1_000_000))


def _decoded(
    image: Image.Image, near: int | None, shrink: Callable[[Image.Image, tuple[int, int]], Image.Image] | None
) -> Image.Image:
    """Decode fully, flatten to 8-bit RGB, shrink, and turn as EXIF says; an animation gives its first frame that shows
    something."""
    _check(image)
    turn = _TURNS.get(exifs.orientation(image, exifs.read_exif(image)))
    full = image.size
    _reduce(image, near)
    with decoding.MEMORY.share(decoding.cost(image, full)):
        image = _first_frame(image)  # the file's own picture, and its decoder, are gone with this
        if shrink:
            image = shrink(image, full)
        return image if turn is None else image.transpose(turn)


def _first_frame(image: Image.Image) -> Image.Image:
    """The pixels of a picture, or of the first frame of an animation that is not of one colour, if it has any."""
    first = _flat(image)
    if image.format not in _ANIMATED or not _is_of_one_colour(first):
        return first
    with suppress(Exception):  # a frame that is damaged
        for number in range(
            1, min(getattr(image, "n_frames", 1), _MOST_FRAMES, _FRAME_PIXELS // (first.width * first.height))
        ):
            image.seek(number)
            flat = _flat(image)
            if not _is_of_one_colour(flat):
                return flat
    return first


def _is_of_one_colour(image: Any) -> bool:
    return max(high - low for low, high in image.getextrema()) <= _ONE_COLOUR


def _flat(image: Image.Image) -> Image.Image:
    """The pixels as 8-bit RGB, what is transparent on white."""
    image.load()
    if image.mode.startswith("I;16"):
        # convert("RGB") clips 16-bit grey to white; scale it instead
        image = Image.fromarray(tiff.sixteen_bits(np.asarray(image)))
    elif image.mode in ("I", "F"):
        image = Image.fromarray(tiff.stretched(np.asarray(image, np.float32)))
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        flat = Image.new("RGBA", image.size, "white")  # the colour under transparent pixels is arbitrary
        flat.alpha_composite(image)
        image = flat
    return image.convert("RGB")


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
