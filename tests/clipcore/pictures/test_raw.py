"""RAW files, built by hand as cameras lay them out: the largest JPEG in them is what is seen."""

import io
import struct
from contextlib import suppress
from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from clipcore import BadImage
from clipcore.pictures.finding import is_picture_name
from clipcore.pictures.raw import REFUSED
from clipcore.pictures.reading import open_image, picture_facts
from storage import Library
from tests.support.sentences import assert_sentence

SENSOR = b"\xff\xd8\xff\xc3\x00\x0b\x0e\x00\x10\x00\x10\x01\x00\x11\x00" + bytes(3000)  # a lossless JPEG, as of a sensor


def jpeg(colour: str, size: tuple[int, int], exif: Image.Exif | None = None) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG", exif=exif or Image.Exif())
    return buffer.getvalue()


class Tiff:
    """A TIFF file being written: `blob` puts bytes into it, `directory` a directory; each answers where it lies."""

    def __init__(self, order: str, extra: bytes = b"") -> None:
        self.order = order
        self.data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4) + extra)

    def blob(self, data: bytes) -> int:
        place = len(self.data)
        self.data += data
        return place

    def directory(self, tags: dict[int, int | str | list[int]], after: int = 0) -> int:
        entries = b""
        for tag, value in sorted(tags.items()):
            if isinstance(value, str):
                text = value.encode() + b"\0"
                entries += struct.pack(self.order + "HHII", tag, 2, len(text), self.blob(text.ljust(4, b"\0")))
            elif isinstance(value, list) and len(value) > 1:
                place = self.blob(struct.pack(f"{self.order}{len(value)}I", *value))
                entries += struct.pack(self.order + "HHII", tag, 4, len(value), place)
            else:
                number = value[0] if isinstance(value, list) else value
                entries += struct.pack(self.order + "HHII", tag, 4, 1, number)
        return self.blob(struct.pack(self.order + "H", len(tags)) + entries + struct.pack(self.order + "I", after))

    def finish(self, first: int) -> bytes:
        self.data[4:8] = struct.pack(self.order + "I", first)
        return bytes(self.data)


FACTS = {271: "Maker", 272: "Maker 7", 274: 6, 306: "2024:05:06 12:34:56"}
SMALL, LARGE = jpeg("red", (160, 120)), jpeg("blue", (600, 400))


def nef(order: str = "<", large: bytes = LARGE) -> bytes:
    """A thumbnail in the first directory, the preview and the sensor's data in directories below it."""
    file = Tiff(order)
    preview = file.directory({254: 1, 259: 6, 513: file.blob(large), 514: len(large)})
    sensor = file.directory({254: 0, 259: 7, 273: file.blob(SENSOR), 279: len(SENSOR)})
    return file.finish(file.directory({**FACTS, 254: 1, 330: [preview, sensor]}))


def cr2() -> bytes:
    """The preview as the one strip of the first directory, a thumbnail in the second, the sensor's data in the last."""
    file = Tiff("<", b"CR\x02\0" + bytes(4))
    sensor = file.directory({259: 6, 273: file.blob(SENSOR), 279: len(SENSOR)})
    thumb = file.directory({513: file.blob(SMALL), 514: len(SMALL)}, sensor)
    return file.finish(file.directory({**FACTS, 259: 6, 273: file.blob(LARGE), 279: len(LARGE)}, thumb))


def dng() -> bytes:
    """Two previews as strips in directories below the first."""
    file = Tiff(">")
    previews = [file.directory({254: 1, 259: 7, 273: file.blob(data), 279: len(data)}) for data in (LARGE, SMALL)]
    return file.finish(file.directory({**FACTS, 50706: 0x01040000, 330: previews}))


def raf() -> bytes:
    exif = Image.Exif()
    for tag, value in FACTS.items():
        exif[tag] = value
    data = jpeg("blue", (600, 400), exif)
    return b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 148, len(data)) + bytes(56) + data + bytes(5000)


@pytest.mark.parametrize(
    "data", [nef("<"), nef(">"), cr2(), dng(), raf()], ids=["nef", "arw, other order", "cr2", "dng", "raf"]
)
def test_the_largest_preview_is_seen_upright(data):
    image = open_image(data)
    assert image.size == (400, 600)  # orientation 6: turned
    assert np.asarray(image)[300, 200].tolist()[2] > 200  # blue, and not the red thumbnail
    facts = picture_facts(data)
    assert (facts.width, facts.height, facts.orientation) == (400, 600, 6)
    assert (facts.taken, facts.camera) == (datetime(2024, 5, 6, 12, 34, 56), "Maker 7")


def test_what_the_preview_says_of_itself_comes_first():
    exif = Image.Exif()
    exif[274] = 3
    assert open_image(nef(large=jpeg("blue", (600, 400), exif))).size == (600, 400)


@pytest.mark.parametrize(
    "data",
    [
        nef(large=jpeg("blue", (150, 100))),  # only for the camera's screen
        nef(large=SENSOR),
        nef(large=LARGE[:20]),
        b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 10**6, 10**6) + bytes(100),
        b"FUJIFILMCCD-RAW",
    ],
)
def test_without_a_preview_it_is_said(data):
    for read in (open_image, picture_facts):
        with pytest.raises(BadImage, match=REFUSED[:20]) as problem:
            read(data)
        assert_sentence(problem.value)


def test_directories_that_point_round_in_circles():
    file = Tiff("<")
    first = file.directory({50706: 1, 330: [len(file.data), 8]}, len(file.data))
    with pytest.raises(BadImage):
        open_image(file.finish(first))


def test_damage_never_crashes():
    whole = nef()
    random = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(whole)
        for place in random.integers(0, len(data) if random.random() < 0.3 else 200, 5):
            data[-int(place) - 1] = random.integers(256)  # the directories are at the end
        for read in (open_image, picture_facts):
            with suppress(BadImage):
                read(bytes(data))
    for size in (0, 3, 7, 9, 100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BadImage):
            open_image(whole[:size])


def test_an_ordinary_tiff_stays_one():
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "blue").save(buffer, "TIFF", compression="jpeg")
    assert open_image(buffer.getvalue()).size == (300, 200)


def test_a_library_takes_raw_files(tmp_path, encoder):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.NEF").write_bytes(nef())
    (folder / "b.dng").write_bytes(nef(large=SENSOR))
    assert is_picture_name("c.ARW")
    with Library(tmp_path / "home", encoder) as library:
        added = library.add(folder)
        assert [image.name for image in library.images()] == ["a.NEF"]
        assert [record.path for record in added.skipped] == [str(folder / "b.dng")]
        assert added.skipped[0].reason == REFUSED
        assert library.find("blue", everything=True).hits[0].score > 0.9
        assert library.thumbnail(library.images()[0].id)[:4] == b"RIFF"
