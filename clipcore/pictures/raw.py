"""RAW files of cameras, seen through the JPEG that the camera put into them, so without decoding the sensor's data.

DNG, CR2, NEF, ARW and most others are TIFF files whose directories (IFDs) name where the sensor's data and the previews lie;
Fujifilm's RAF names its preview in its header. The largest JPEG that any viewer could show is taken.
"""

import io
import struct
from collections.abc import Iterator

from PIL import ExifTags, Image

from ..errors import BadImage

REFUSED = "This is a RAW file, as the sensor gave it; export it as JPEG or TIFF from a photo program and add that."
HEADS = (b"II*\0", b"MM\0*", b"FUJIFILMCCD-RAW")  # how a file begins that may be one, also an ordinary TIFF
LEAST = 160  # pixels of a preview's short side; less is a thumbnail for the camera's own screen
_MOST_DIRECTORIES = 50  # a damaged file may point round in circles
_COMPRESSION, _STRIPS, _TILES, _SUB_IFDS, _JPEG, _JPEG_SIZE, _STRIP_SIZES = 259, 273, 324, 330, 513, 514, 279
_NEW_SUBFILE, _DNG_VERSION = 254, 50706
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4}  # bytes of a TIFF value by its type, of the types that are read here
_LETTERS = {1: "B", 2: "H", 4: "I"}

Directory = dict[int, list[int]]


def preview(data: bytes) -> Image.Image | None:
    """The largest JPEG in a RAW file, opened and not decoded, with the file's own EXIF; None if the file is no RAW file.

    Raises BadImage for a RAW file without a preview that is large enough.
    """
    if data.startswith(b"FUJIFILMCCD-RAW"):
        return _largest(data, [(_number(data, ">", 84), _number(data, ">", 88))])
    directories = list(_directories(data))
    if not _is_raw(data, directories):
        return None
    image = _largest(data, [place for directory in directories for place in _jpegs(directory)])
    if not _says_which_way_is_up(image.info.get("exif", b"")):
        image.getexif().load(data)  # what the RAW file says holds for its preview too
    return image


def _says_which_way_is_up(block: bytes) -> bool:
    exif = Image.Exif()
    try:
        exif.load(block)
    except Exception:  # a broken block
        return False
    return ExifTags.Base.Orientation in exif


def _is_raw(data: bytes, directories: list[Directory]) -> bool:
    """Whether a TIFF file holds a sensor's data: a Canon, a DNG, or a small preview beside which the data lie."""
    first = directories[0] if directories else {}
    return data[8:10] == b"CR" or _DNG_VERSION in first or (first.get(_NEW_SUBFILE) == [1] and _SUB_IFDS in first)


def _largest(data: bytes, places: list[tuple[int, int]]) -> Image.Image:
    best: Image.Image | None = None
    for start, size in places:
        part = data[start : start + size]
        # the sensor's data are often a JPEG too, a lossless one, which Pillow does not open
        if part[:2] == b"\xff\xd8":
            try:
                image = Image.open(io.BytesIO(part), formats=("JPEG",))
            except (OSError, SyntaxError, ValueError):
                continue
            if best is None or min(image.size) > min(best.size):
                best = image
    if best is None or min(best.size) < LEAST:
        raise BadImage(REFUSED)
    return best


def _jpegs(directory: Directory) -> list[tuple[int, int]]:
    """Where a directory's JPEGs begin, and how long they are."""
    starts, sizes = directory.get(_JPEG, []), directory.get(_JPEG_SIZE, [])
    if directory.get(_COMPRESSION) in ([6], [7]) and len(directory.get(_STRIPS, [])) == 1:  # in pieces, it is no preview
        starts, sizes = starts + directory[_STRIPS], sizes + directory.get(_STRIP_SIZES, [])
    return list(zip(starts, sizes, strict=False))


def _directories(data: bytes) -> Iterator[Directory]:
    """Every directory of a TIFF file, those within others too, as the numbers of each tag (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    waiting, seen = [_number(data, order, 4)], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        place = waiting.pop(0)
        if place in seen or not 8 <= place <= len(data) - 2:
            continue
        seen.add(place)
        count = struct.unpack_from(order + "H", data, place)[0]
        if place + 2 + 12 * count + 4 > len(data):
            continue
        directory: Directory = {}
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(order + "HHI", data, entry)
            if kind in _SIZES and values <= 1000:
                directory[tag] = _values(data, order, entry + 8, kind, values)
        yield directory
        waiting += [*directory.get(_SUB_IFDS, []), _number(data, order, place + 2 + 12 * count)]


def _values(data: bytes, order: str, place: int, kind: int, count: int) -> list[int]:
    size = _SIZES[kind]
    if size * count > 4:
        place = _number(data, order, place)
    if place + size * count > len(data):
        return []
    return list(struct.unpack_from(order + str(count) + _LETTERS[size], data, place))


def _number(data: bytes, order: str, place: int) -> int:
    """The four-byte number at a place; 0, which leads nowhere, behind the end."""
    return int(struct.unpack_from(order + "I", data, place)[0]) if place + 4 <= len(data) else 0
