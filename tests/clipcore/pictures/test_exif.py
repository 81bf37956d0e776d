"""When, with what, which way up: read from the header, and never at the price of the picture."""

import io
from datetime import datetime
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from clipcore import BadImage
from clipcore.pictures.reading import open_image, picture_facts
from tests.support.sentences import assert_sentence

NOON = "2024:05:06 12:34:56"


def with_exif(format="JPEG", original=None, digitized=None, changed=None, make=None, model=None, orientation=None) -> bytes:
    exif = Image.Exif()
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    for part, tag, value in (
        (inner, ExifTags.Base.DateTimeOriginal, original),
        (inner, ExifTags.Base.DateTimeDigitized, digitized),
        (exif, ExifTags.Base.DateTime, changed),
        (exif, ExifTags.Base.Make, make),
        (exif, ExifTags.Base.Model, model),
        (exif, ExifTags.Base.Orientation, orientation),
    ):
        if value is not None:
            part[tag] = value
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(buffer, format, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_format(format, tmp_path):
    date = {"changed" if format == "TIFF" else "original": NOON}  # Pillow writes no second block into a TIFF
    data = with_exif(format, **date, make="Canon", model="EOS 5D", orientation=6)
    facts = picture_facts(data)
    assert (facts.width, facts.height, facts.taken) == (20, 30, datetime(2024, 5, 6, 12, 34, 56))
    assert facts.camera == "Canon EOS 5D"
    assert facts.orientation == (1 if format == "TIFF" else 6)  # Pillow turns a TIFF itself
    (tmp_path / "a.jpg").write_bytes(data)
    assert picture_facts(tmp_path / "a.jpg") == facts


def test_the_shutter_comes_before_the_edit():
    years = {"original": "2001:01:01 00:00:00", "digitized": "2002:01:01 00:00:00", "changed": "2003:01:01 00:00:00"}
    assert picture_facts(with_exif(**years)).taken.year == 2001
    del years["original"]
    assert picture_facts(with_exif(**years)).taken.year == 2002
    del years["digitized"]
    assert picture_facts(with_exif(**years)).taken.year == 2003
    assert picture_facts(with_exif()).taken is None


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2024:13:01 00:00:00", "2024:05:06", "yesterday", ""]
)
def test_a_clock_that_was_never_set(text):
    assert picture_facts(with_exif(original=text)).taken is None
    assert picture_facts(with_exif(original=text, changed=NOON)).taken == datetime(2024, 5, 6, 12, 34, 56)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
        ("Apple", "iPhone 15", "Apple iPhone 15"),
        ("SONY  ", "ILCE-7\n\0M3  ", "SONY ILCE-7 M3"),
        ("Apple", None, "Apple"),
        (None, "X100", "X100"),
        (None, None, None),
        ("", " ", None),
        ("x" * 500, "y", "x" * 100),
    ],
)
def test_cameras(make, model, camera):
    assert picture_facts(with_exif(make=make, model=model)).camera == camera


FULL = with_exif(original=NOON, changed=NOON, make="Canon", model="EOS 5D", orientation=6)


@given(st.lists(st.tuples(st.integers(2, 260), st.binary(min_size=1, max_size=4)), max_size=8))
@settings(max_examples=200, deadline=None)
def test_damaged_exif_never_costs_the_picture(edits):
    data = bytearray(FULL)
    start = data.index(b"Exif") + 6  # the block's length and name stay; what is in it may be anything
    end = start + int.from_bytes(data[start - 8 : start - 6], "big") - 8
    for place, patch in edits:
        place = start + place % (end - start - 4)
        data[place : place + len(patch)] = patch
    facts = picture_facts(bytes(data))
    assert sorted((facts.width, facts.height)) == [20, 30]
    assert facts.orientation in range(1, 9)
    assert facts.camera is None or facts.camera.isprintable()
    assert open_image(bytes(data)).size == (facts.width, facts.height)


def dng(tags) -> bytes:
    """A TIFF whose first picture is only a preview."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 12)).save(buffer, "TIFF", tiffinfo=tags)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0\x10\0\0\0CR\x02\0" + bytes(100),
        b"\0\0\0\x18ftypcrx " + bytes(100),
        b"FUJIFILMCCD-RAW 0201" + bytes(100),
        b"IIRO\x08\0\0\0" + bytes(100),
        b"IIU\0\x18\0\0\0" + bytes(100),
        dng({50706: b"\x01\x04\0\0"}),
        dng({254: 1, 330: 8}),
    ],
    ids=["cr2", "cr3", "raf", "orf", "rw2", "dng", "nef or arw"],
)
def test_raw_files_are_refused_with_what_to_do(data):
    for read in (open_image, picture_facts):
        with pytest.raises(BadImage, match=r"RAW file.*export it as JPEG") as caught:
            read(data)
        assert_sentence(caught.value)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.skipif(find_spec("pillow_heif") is not None, reason="the extra is installed")
def test_heic_without_its_package():
    for read in (open_image, picture_facts):
        with pytest.raises(BadImage, match=r"the extra “heic”") as caught:
            read(HEIC)
        assert_sentence(caught.value)


@pytest.mark.skipif(find_spec("pillow_heif") is None, reason="needs requirements-extras/heic.txt")
def test_heic_with_its_package():
    data = with_exif("HEIF", original=NOON, make="Apple", model="iPhone 15", orientation=6)
    facts = picture_facts(data)
    assert (facts.width, facts.height) == open_image(data).size == (30, 20)  # a HEIC says in its own way which way is up
    assert (facts.taken, facts.camera) == (datetime(2024, 5, 6, 12, 34, 56), "Apple iPhone 15")
    assert open_image(data).getpixel((9, 9))[0] > 200
    with pytest.raises(BadImage):
        open_image(HEIC)
