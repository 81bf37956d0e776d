"""Keywords inside picture files: where a photo program has put them, without decoding a pixel.

XMP is found in any format as the text that it is (JPEG, HEIC, DNG, TIFF, PNG, WebP); IPTC (2:25) in JPEG and TIFF; and
Windows's own tags (XPKeywords) in EXIF.
"""

from contextlib import suppress
from io import BytesIO
from typing import Any

from PIL import Image

from .exif import read_exif

_TAGS = (b"x:xmpmeta", b"rdf:RDF")  # around XMP; the outer one may be missing
_LONGEST = 5_000_000  # bytes of a packet
_XP_KEYWORDS = 0x9C9E
_IPTC_IN_PHOTOSHOP, _IPTC_IN_TIFF = 0x0404, 33723
_UTF8 = b"\x1b%G"
_MOST = 20  # packets of a file


def xmp_packets(data: bytes) -> list[bytes]:
    """The XMP in a file, the largest first."""
    found: list[bytes] = []
    for tag in _TAGS:
        at = 0
        for _ in range(_MOST):
            start = data.find(b"<" + tag, at)
            end = data.find(b"</" + tag + b">", start, start + _LONGEST) if start >= 0 else -1
            if start < 0:
                break
            if end >= 0:
                found.append(data[start : end + len(tag) + 3])
            at = max(start, end) + 1
        if found:  # what lies within is not looked for again
            break
    return sorted(dict.fromkeys(found), key=len, reverse=True)


def plain_keywords(data: bytes) -> list[str]:
    """The keywords in IPTC and EXIF, each once; none where the file has no such block, or a broken one."""
    words: list[str] = []
    with suppress(Exception), Image.open(BytesIO(data), formats=("JPEG", "TIFF")) as image:
        blocks: Any = image.info.get("photoshop") or {}
        tags: Any = getattr(image, "tag_v2", {})
        block = blocks.get(_IPTC_IN_PHOTOSHOP) if isinstance(blocks, dict) else None
        words += _iptc(block or _bytes(tags.get(_IPTC_IN_TIFF)))
        value = read_exif(image).get(_XP_KEYWORDS)
        words += _bytes(value).decode("utf-16-le", "replace").split("\0")[0].split(";")
    return list(dict.fromkeys(word for text in words if (word := " ".join(text.split()))))


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return bytes(value) if isinstance(value, tuple) and all(0 <= part < 256 for part in value) else b""


def _iptc(block: bytes) -> list[str]:
    """The keywords of an IPTC block (IIM 4.2): records of 0x1C, two numbers and a length."""
    words, at, is_utf8 = list[bytes](), 0, False
    while at + 5 <= len(block) and block[at] == 0x1C:
        record, size = block[at + 1 : at + 3], int.from_bytes(block[at + 3 : at + 5], "big")
        value = block[at + 5 : at + 5 + size]
        if record == b"\x01\x5a":
            is_utf8 = value == _UTF8
        elif record == b"\x02\x19":
            words.append(value)
        at += 5 + size
    return [_text(word, is_utf8) for word in words]


def _text(word: bytes, is_utf8: bool) -> str:
    try:
        return word.decode("utf-8")  # many programs write it and do not say so
    except UnicodeDecodeError:
        return word.decode("utf-8" if is_utf8 else "cp1252", "replace")
