"""What of a picture's file is the picture: a hash of the compressed pixels that is the same whatever the metadata say.

Other programs write ratings, keywords, places and the orientation into the file. The file's own hash then is another one;
this one is not, because it leaves out what those are kept in: of JPEG the application segments and comments, of PNG and WebP
the chunks of text, of TIFF every tag that says nothing about pixels. ExifTool calls it ImageDataHash. No pixel is decoded.
"""

import hashlib
import io
import re
from collections.abc import Iterator

from PIL import Image

from . import raw

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # ends a scan; stuffed zeros and restarts belong to it
_ADOBE = 0xEE  # says how the colours are coded
_PNG = b"\x89PNG\r\n\x1a\n"
# size, depth, compression, kind of colours, samples, planes, predictor, palette, JPEG tables
_TIFF_TAGS = (256, 257, 258, 259, 262, 277, 284, 317, 320, 347)
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 273, 279, 324, 325


def pixel_hash(data: bytes) -> str:
    """sha256 of a picture file's pixels as they are stored, 64 hex digits; empty for a format that is not taken apart here
    (GIF, BMP, AVIF, HEIC, RAW) and for a damaged file."""
    try:
        parts = _parts(data)
        digest = hashlib.sha256()
        some = False
        for part in parts:
            digest.update(part)
            some = True
        return digest.hexdigest() if some else ""
    except Exception:  # damaged; whoever decodes it says how
        return ""


def _parts(data: bytes) -> Iterator[bytes | memoryview]:
    view = memoryview(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data, view)
    if data.startswith(_PNG):
        return _png(data, view)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data, view)
    if data.startswith(raw.HEADS) and raw.preview(data) is None:
        return _tiff(data, view)
    return iter(())


def _jpeg(data: bytes, view: memoryview) -> Iterator[bytes | memoryview]:
    at = 2
    while True:
        while data[at + 1] == 0xFF:  # padding
            at += 1
        if data[at] != 0xFF:
            raise ValueError("no marker")
        kind = data[at + 1]
        if kind == 0xD9:  # the end; what cameras put behind it are other pictures
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not (0xE0 <= kind <= 0xEF or kind == 0xFE) or kind == _ADOBE:
            yield view[at:end]
        if kind == 0xDA:
            found = _MARKER.search(data, end)
            if found is None:  # cut short: all there is
                yield view[end:]
                return
            yield view[end : found.start()]
            end = found.start()
        at = end


def _png(data: bytes, view: memoryview) -> Iterator[bytes | memoryview]:
    at = 8
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind in (b"IHDR", b"PLTE", b"tRNS"):
            yield kind
            yield view[at + 8 : at + 8 + size]
        elif kind == b"IDAT":  # without its name: programs cut the same stream into other chunks
            yield view[at + 8 : at + 8 + size]
        elif kind == b"IEND":
            return
        at += 12 + size


def _webp(data: bytes, view: memoryview) -> Iterator[bytes | memoryview]:
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):  # not VP8X, which says what metadata there are
            yield view[at : at + 8 + size]
        at += 8 + size + size % 2


def _tiff(data: bytes, view: memoryview) -> Iterator[bytes | memoryview]:
    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        tags = image.tag_v2  # type: ignore[attr-defined]
        yield repr([(tag, tags.get(tag)) for tag in _TIFF_TAGS]).encode()
        for places, sizes in ((_STRIPS, _STRIP_SIZES), (_TILES, _TILE_SIZES)):
            for start, size in zip(tags.get(places, ()), tags.get(sizes, ()), strict=True):
                yield view[start : start + size]
