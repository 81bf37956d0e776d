"""Large and odd pictures: reduced JPEGs, files that break off, 12 bits in 16, TIFFs of microscopes, black first frames."""

import io
import re
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from clipcore import BadImage
from clipcore.encoding.stream import embed_files
from clipcore.pictures import reading
from clipcore.pictures.ends import CUT_OFF, breaks_off, mended
from clipcore.pictures.reading import open_image, picture_facts
from clipcore.pictures.tiff import open_tiff
from tests.clipcore.pictures.test_reading import detailed, encoded
from tests.support.fakes import FakeEncoder
from tests.support.sentences import assert_sentence

GREY = np.linspace(0, 1, 40 * 60).reshape(40, 60)
RGB16 = (np.stack([GREY, GREY[::-1], GREY / 2], 2) * 65535).astype(np.uint16)


# large


def test_a_jpeg_above_the_limit_is_read_at_a_reduced_scale(monkeypatch):
    monkeypatch.setattr(reading, "MAX_PIXELS", 100_000)
    data = encoded(detailed(800, 600), "JPEG", quality=90)
    assert open_image(data).size == (200, 150)  # a half has 120,000 pixels
    assert open_image(data, near=300).size == (200, 150)
    assert picture_facts(data).width == 800
    with pytest.raises(BadImage, match="megapixels"):
        open_image(encoded(detailed(800, 600)))  # a PNG cannot be reduced
    monkeypatch.setattr(reading, "MAX_JPEG", 400_000)
    with pytest.raises(BadImage, match="megapixels"):
        open_image(data)


def test_the_head_of_a_jpeg_of_200_megapixels_is_taken():
    data = bytearray(encoded(detailed(64, 48), "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = (14_142).to_bytes(2, "big") + (14_142).to_bytes(2, "big")
    assert picture_facts(bytes(data)).width == 14_142


# without their end


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_jpeg_without_its_end_is_used(progressive, cut):
    data = encoded(detailed(320, 240), "JPEG", quality=90, progressive=progressive)
    short = data[:-cut]
    assert breaks_off(short)
    assert not breaks_off(data)
    seen, whole = np.asarray(open_image(short), int), np.asarray(open_image(data), int)
    assert np.abs(seen - whole)[:220].mean() < 1


def test_a_jpeg_of_which_much_is_missing_is_damaged():
    plain, finer = (
        encoded(detailed(320, 240), "JPEG", quality=90, progressive=progressive) for progressive in (False, True)
    )
    scans = [place.start() for place in re.finditer(b"\xff\xda", finer)]
    for short in (plain[: 2 * len(plain) // 3], finer[: scans[3]]):
        assert mended(short) == short
        with pytest.raises(BadImage, match="damaged"):
            open_image(short)


def test_what_breaks_off_is_noted(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(detailed(320, 240), "JPEG")[:-2])
    (batch,) = embed_files(FakeEncoder(), [tmp_path / "a.jpg"])
    assert [(note.path.name, note.reason) for note in batch.notes] == [("a.jpg", CUT_OFF)]
    assert len(batch.pictures) == 1
    assert_sentence(CUT_OFF)


# few bits in many


def test_12_bits_in_16_are_seen():
    for low, high in ((0, 4095), (0, 1023), (7000, 8500)):
        values = (low + GREY * (high - low)).astype(np.uint16)
        for format in ("PNG", "TIFF"):
            seen = np.asarray(open_image(encoded(Image.fromarray(values), format)))
            assert (seen.min(), seen.max()) == (0, 255), (format, low)
    assert np.asarray(open_image(encoded(Image.fromarray(np.full((4, 4), 700, np.uint16)), "PNG"))).max() == 2


# TIFF


def tiff(values: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        tiff(RGB16, photometric="rgb"),
        tiff(np.moveaxis(RGB16, 2, 0), photometric="rgb", planarconfig="separate"),
        tiff(RGB16.astype(np.float32) / 65535, photometric="rgb"),
        tiff(np.concatenate([RGB16, RGB16[..., :2]], 2), planarconfig="contig", photometric="minisblack"),
        tiff(np.moveaxis(np.concatenate([RGB16, RGB16[..., :2]], 2), 2, 0), photometric="rgb", planarconfig="separate"),
        tiff(RGB16 >> 4, photometric="rgb"),
        tiff(RGB16, photometric="rgb", bigtiff=True),
    ],
    ids=["16 bits", "planes", "floats", "five channels", "five planes", "12 bits", "BigTIFF"],
)
def test_tiffs_of_microscopes_and_satellites(data):
    seen = np.asarray(open_image(data), int)
    expected = (RGB16 >> 8).astype(int)
    assert np.abs(seen - expected).max() <= 2
    assert picture_facts(data).width == 60


def test_grey_tiffs_of_any_numbers():
    for values in (GREY, GREY.astype(np.float16), (GREY * 1e6).astype(np.uint32), (GREY * 1000 - 500).astype(np.int16)):
        seen = np.asarray(open_image(tiff(values)))
        assert (seen.min(), seen.max()) == (0, 255), values.dtype


def test_a_tiff_that_cannot_be_read_is_refused_in_true_words():
    with pytest.raises(BadImage, match="This TIFF is of a kind that Sayso does not read") as caught:
        open_image(tiff(GREY.astype(np.complex64)))
    assert_sentence(caught.value)


def test_a_large_tiff_of_floats_is_refused_before_it_is_read(monkeypatch):
    data = tiff(RGB16.astype(np.float32), photometric="rgb")
    monkeypatch.setattr(reading, "MAX_PIXELS", 1000)
    with pytest.raises(BadImage, match="megapixels"):
        open_image(data)


def test_a_tiff_that_unpacks_to_more_than_it_should_is_refused():
    good = tiff(RGB16, photometric="rgb", compression="zlib")
    assert np.abs(np.asarray(open_image(good), int) - (RGB16 >> 8)).max() <= 2
    with tifffile.TiffFile(io.BytesIO(good)) as file:
        page = file.pages.first
        start, tag = page.dataoffsets[0], page.tags["StripByteCounts"]
    bomb = zlib.compress(b"\0" * 50_000_000)
    data = bytearray(good[:start] + bomb)
    data[tag.valueoffset : tag.valueoffset + 4] = len(bomb).to_bytes(4, "little")
    planes = tiff(np.moveaxis(RGB16, 2, 0), photometric="rgb", planarconfig="separate", compression="lzma")
    for hostile, says in ((bytes(data), "more than it should"), (planes, "packed by")):
        with pytest.raises(BadImage, match=says):
            open_tiff(hostile, 10**8)


# animations


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_a_black_first_frame_gives_way(format):
    frames = [Image.new("RGB", (48, 32), "black"), Image.new("RGB", (48, 32), "white"), detailed()]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    seen = np.asarray(open_image(data), int)
    assert np.abs(seen - np.asarray(detailed(), int)).mean() < 12
