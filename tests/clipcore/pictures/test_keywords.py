"""Dates in files' names, and keywords inside picture files."""

import io
from datetime import datetime

import pytest
from PIL import Image, TiffImagePlugin

from clipcore.pictures.keywords import plain_keywords, xmp_packets
from clipcore.pictures.named_dates import named_date


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("IMG-20230405-WA0007.jpg", (2023, 4, 5, 12)),
        ("WhatsApp Image 2023-04-05 at 12.34.56.jpeg", (2023, 4, 5, 12, 34, 56)),
        ("WhatsApp Image 2023-04-05 at 1.34.56 PM (2).jpeg", (2023, 4, 5, 13, 34, 56)),
        ("Screenshot_20230405-123456.png", (2023, 4, 5, 12, 34, 56)),
        ("Screenshot 2023-04-05 at 12.34.56 AM.png", (2023, 4, 5, 0, 34, 56)),
        ("Bildschirmfoto 2023-04-05 um 09.34.56.png", (2023, 4, 5, 9, 34, 56)),
        ("PXL_20230405_123456789.jpg", (2023, 4, 5, 12, 34, 56)),
        ("IMG_20230405_123456_HDR.jpg", (2023, 4, 5, 12, 34, 56)),
        ("20230405_123456.jpg", (2023, 4, 5, 12, 34, 56)),
        ("signal-2023-04-05-123456.jpg", (2023, 4, 5, 12, 34, 56)),
        ("photo_2023-04-05_12-34-56.jpg", (2023, 4, 5, 12, 34, 56)),
        ("2023-04-05 12.34.56.jpg", (2023, 4, 5, 12, 34, 56)),
        ("2023.04.05 trip.jpg", (2023, 4, 5, 12)),
        ("IMG_20231345_123456.jpg", None),
        ("IMG_4711.jpg", None),
        ("99920230405123.jpg", None),
        ("29990101_000000.jpg", None),
        ("17890714.jpg", None),
        ("1920x1080.jpg", None),
    ],
)
def test_dates_from_names(name, date):
    assert named_date(f"/photos/{name}") == (datetime(*date) if date else None)


def iptc(*words: bytes, utf8: bool = True) -> bytes:
    head = b"\x1c\x01\x5a\x00\x03\x1b%G" if utf8 else b""
    return head + b"".join(b"\x1c\x02\x19" + len(word).to_bytes(2, "big") + word for word in words)


def with_segment(marker: int, content: bytes) -> bytes:
    """A JPEG with an application segment behind its beginning."""
    file = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(file, "JPEG")
    data = file.getvalue()
    return data[:2] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content + data[2:]


def test_iptc_in_a_jpeg():
    for words, utf8 in (((b"dog", "café".encode()), True), ((b"dog", b"caf\xe9"), False)):
        block = iptc(*words, utf8=utf8)
        photoshop = (
            b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + len(block).to_bytes(4, "big") + block + b"\0" * (len(block) % 2)
        )
        assert plain_keywords(with_segment(0xED, photoshop)) == ["dog", "café"]


def test_iptc_in_a_tiff_and_the_tags_of_windows():
    file = io.BytesIO()
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info.tagtype[33723] = 7
    info[33723] = iptc(b"dog")
    Image.new("RGB", (20, 10)).save(file, "TIFF", tiffinfo=info)
    assert plain_keywords(file.getvalue()) == ["dog"]
    exif = Image.Exif()
    exif[0x9C9E] = "dog;big cat\0".encode("utf-16-le")
    file = io.BytesIO()
    Image.new("RGB", (20, 10)).save(file, "JPEG", exif=exif)
    assert plain_keywords(file.getvalue()) == ["dog", "big cat"]


def test_xmp_is_found_in_any_format():
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>1</a></x:xmpmeta>'
    assert xmp_packets(with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)) == [packet]
    assert xmp_packets(b"ftypheic" + b"\0" * 99 + packet + b"\0" + b"<x:xmpmeta>" + packet) != []
    assert xmp_packets(b"<x:xmpmeta never ends") == []
    assert plain_keywords(b"no picture") == plain_keywords(b"\xff\xd8\xff\xed\0\1") == []
