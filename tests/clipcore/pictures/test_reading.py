"""The one door for pictures: what comes out is an upright RGB picture, or one sentence."""

import io
import os
import struct
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clipcore import BadImage
from clipcore.pictures import reading
from clipcore.pictures.reading import open_image, picture_size, read_bytes, thumbnail
from tests.support.sentences import assert_sentence


def encoded(image, format="PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def detailed(width=48, height=32) -> Image.Image:
    """A picture whose every corner differs, and that does not compress to nothing."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, 128 + 90 * np.sin(x * y / 40)], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def png_header(width, height) -> bytes:
    """The head of a PNG that promises a picture of any size without holding one."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + b"\0\0\0\0IDAT"


# what cannot be a picture


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"Dear diary, today I renamed a text file.", "not a picture in a format Sayso reads"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "not a picture in a format Sayso reads"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture in a format Sayso reads"),
        (b"P6 1 1 255 \0\0\0", "not a picture in a format Sayso reads"),  # Pillow would read it; it is not on the list
        (encoded(detailed(), "JPEG")[:-200], "damaged"),
        (encoded(detailed())[:-100], "damaged"),
        (png_header(20_000, 10_000), "100 megapixels"),
        (png_header(2**31 - 1, 2**31 - 1), "100 megapixels"),
        (png_header(1, 90_000), "200 times as long"),
        (encoded(Image.new("1", (9000, 22_300)), "TIFF", compression="group4"), "100 megapixels"),
    ],
    ids=["text", "postscript", "svg", "ppm", "cut jpeg", "cut png", "200 MP", "endless", "strip", "1-bit 200 MP"],
)
def test_refused_with_a_sentence(tmp_path, data, says):
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    for source in (data, path, str(path)):
        with pytest.raises(BadImage, match=says) as caught:
            open_image(source)
        assert_sentence(caught.value)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_huge_png_is_refused_before_anything_is_decoded(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    for data in (png_header(20_000, 10_000), png_header(12_000, 10_000)):  # Pillow itself refuses only the first
        for read in (open_image, picture_size):
            with pytest.raises(BadImage, match="megapixels"):
                read(data)


def test_size_comes_from_the_header_alone(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    assert picture_size(png_header(640, 480)) == (640, 480)


def test_limits_hold_for_pictures_already_in_memory():
    with pytest.raises(BadImage, match="200 times"):
        open_image(Image.new("RGB", (3000, 2)))
    with pytest.raises(BadImage):
        open_image(np.zeros((4, 4, 3)))  # float64: not 8-bit colours


# what a file can be


def test_empty_missing_folder_and_pipe(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, says in {
        "empty.jpg": "empty",
        "gone.jpg": "gone",
        "folder.jpg": "folder",
        "pipe.jpg": "plain file",  # the test would hang if it were opened
        "nul\0.jpg": "cannot be read",
        "x" * 5000: "cannot be read",
    }.items():
        for read in (read_bytes, open_image):
            with pytest.raises(BadImage, match=says) as caught:
                read(tmp_path / name)
            assert_sentence(caught.value)
            assert str(tmp_path) not in str(caught.value)


def test_unreadable_and_oversized_files(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(detailed()))
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(BadImage, match="larger than"):
        read_bytes(path)
    monkeypatch.undo()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)  # root may read everything, so chmod proves nothing
    with pytest.raises(BadImage, match="permissions"):
        read_bytes(path)


# colours and turns


def test_plain_picture_is_exact():
    assert np.array_equal(open_image(encoded(detailed())), detailed())
    assert np.array_equal(open_image(np.asarray(detailed())), detailed())
    assert np.array_equal(open_image(detailed()), detailed())


def test_cmyk_keeps_its_colours():
    cmyk = Image.new("RGB", (32, 32), (200, 60, 30)).convert("CMYK")
    for format in ("JPEG", "TIFF"):
        assert np.abs(np.asarray(open_image(encoded(cmyk, format)), int) - (200, 60, 30)).max() <= 6, format


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(format):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    seen = np.asarray(open_image(encoded(Image.fromarray(ramp), format)))
    assert np.array_equal(seen[..., 0], ramp >> 8)
    assert len(np.unique(seen)) == 256


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.0], [-3e38, 0.0, 3e38], [np.nan, 0.0, 1.0], [-np.inf, 0.0, np.inf]])
def test_numbers_of_any_range_become_grey(values):
    image = open_image(encoded(Image.fromarray(np.array([values], np.float32)), "TIFF"))
    assert image.mode == "RGB"
    grey = np.asarray(image)[0, :, 0]
    assert grey[0] <= grey[1] <= grey[2]
    if values[0] == -3e38 or values == [0.0, 0.5, 1.0]:
        assert grey.tolist() == [0, 127, 255]


def test_32_bit_integers_are_not_clipped():
    image = open_image(encoded(Image.fromarray(np.array([[0, 2**20, 2**21]], np.int32)), "TIFF"))
    assert np.asarray(image)[0, :, 0].tolist() == [0, 127, 255]


def test_transparency_is_shown_on_white():
    clear_red = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear_red.putpixel((3, 3), (0, 0, 255, 255))
    for format in ("PNG", "WEBP", "TIFF"):
        seen = open_image(encoded(clear_red, format, **({"lossless": True} if format == "WEBP" else {})))
        assert seen.getpixel((0, 0)) == (255, 255, 255), format
        assert seen.getpixel((3, 3)) == (0, 0, 255), format
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([9, 9, 9, 0, 255, 0])
    assert open_image(encoded(palette, transparency=1)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_turn(orientation, format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.new("RGB", (60, 40), "black")
    stored.paste("white", (0, 0, 20, 20))  # a white top left corner, as stored
    data = encoded(stored, format, exif=exif)
    upright = open_image(data)
    assert picture_size(data) == upright.size == ((40, 60) if orientation >= 5 else (60, 40))
    # where EXIF says that the stored top left corner belongs
    top, left = {1: (1, 1), 2: (1, 0), 3: (0, 0), 4: (0, 1), 5: (1, 1), 6: (1, 0), 7: (0, 0), 8: (0, 1)}[orientation]
    corner = (5 if left else upright.width - 5, 5 if top else upright.height - 5)
    assert upright.getpixel(corner)[0] > 200
    assert np.asarray(upright.convert("L")).mean() < 60


def test_broken_exif_does_not_cost_the_picture():
    for format in ("JPEG", "PNG", "WEBP"):
        data = encoded(detailed(), format, exif=b"Exif\0\0this is no TIFF header")
        assert open_image(data).size == picture_size(data) == (48, 32)


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    for format in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        red, green, blue = open_image(data).getpixel((8, 8))
        assert red > 240, format
        assert max(green, blue) < 15, format


def test_near_reduces_jpegs_but_never_below_two_and_a_half_times_the_size():
    data = encoded(detailed(800, 600), "JPEG", quality=95)
    assert open_image(data, near=60).size == (200, 150)
    assert open_image(data, near=61).size == (400, 300)
    assert open_image(data, near=120).size == (400, 300)
    assert open_image(data, near=121).size == (800, 600)
    small = np.asarray(open_image(data, near=60), float)
    assert np.abs(small - np.asarray(detailed(800, 600).resize((200, 150), Image.Resampling.BOX), float)).mean() < 4


# anything at all

JPEG, PNG, WEBP = (encoded(detailed(), format) for format in ("JPEG", "PNG", "WEBP"))


def assert_picture_or_bad_image(data: bytes) -> None:
    for near in (None, 8):
        try:
            image = open_image(data, near)
        except BadImage as error:
            assert_sentence(error)
        else:
            assert image.mode == "RGB"
    try:
        width, height = picture_size(data)
    except BadImage:
        pass
    else:
        assert width > 0 < height


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_random_bytes(data):
    assert_picture_or_bad_image(data)


@given(
    st.sampled_from([JPEG, PNG, WEBP]),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=6),
    st.integers(0, 2000),
)
@settings(max_examples=150, deadline=None)
def test_mutated_pictures(data, edits, cut):
    mutated = bytearray(data)
    for place, patch in edits:
        mutated[place % len(data) : place % len(data) + len(patch)] = patch
    assert_picture_or_bad_image(bytes(mutated[: max(cut, 1)] if cut % 3 == 0 else mutated))


# thumbnails


def test_thumbnail_is_small_and_carries_no_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    source = open_image(encoded(detailed(900, 600), "JPEG", exif=exif, icc_profile=b"profile" * 20, comment=b"secret"))
    data = thumbnail(source, 256)
    with Image.open(io.BytesIO(data)) as small:
        assert small.format == "WEBP"
        assert small.size == (171, 256)  # upright
        assert not small.getexif()
        assert "icc_profile" not in small.info
    assert b"taken at home" not in data
    assert b"secret" not in data
    assert source.size == (600, 900)  # the picture itself is left alone


def test_thumbnail_of_a_strip_and_of_a_small_picture():
    assert picture_size(thumbnail(Image.new("RGB", (2000, 10)), 64)) == (64, 1)
    assert picture_size(thumbnail(Image.new("RGB", (10, 20)), 64)) == (10, 20)


def test_many_threads_may_decode_at_once():
    results = []
    threads = [threading.Thread(target=lambda: results.append(open_image(JPEG).size)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(48, 32)] * 8
