"""A video that was dropped is its frames; without the extra, or where it is damaged, one sentence says so."""

import sys

import pytest
from PIL import Image

from clipcore import drain
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.videos import iter_frames_of


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        yield library


def test_a_video_is_its_frames(library, tmp_path):
    av = pytest.importorskip("av", reason="the extra video is not installed")
    with av.open(str(tmp_path / "trip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for frame in range(10):
            colour = "red" if frame < 4 else "blue"
            for packet in stream.encode(av.VideoFrame.from_image(Image.new("RGB", (32, 24), colour))):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    still = str(photo(tmp_path / "a.png", "red"))
    files, skipped = drain(iter_frames_of(library, [still, str(tmp_path / "trip.mp4")]))
    assert skipped == []
    assert [file.rpartition("/")[2] for file in files] == ["a.png", *(f"trip at 000m0{n}s.jpg" for n in range(3))]
    assert Image.open(files[1]).getpixel((16, 12))[0] > 200
    assert Image.open(files[3]).getpixel((16, 12))[2] > 200


def test_without_the_extra_one_sentence_says_what_to_install(library, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "trip.mov").write_bytes(b"x")
    files, ((file, words),) = drain(iter_frames_of(library, [str(tmp_path / "trip.mov")]))
    assert (files, file) == ([], str(tmp_path / "trip.mov"))
    assert "Videos need the extra" in words
