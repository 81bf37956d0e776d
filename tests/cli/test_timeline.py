"""A video as its frames: spans of the same answer, and a real video where the extra is installed."""

from importlib.util import find_spec

import numpy as np
import pytest

from cli.timeline import clock, joined
from tests.support import commands
from tests.support.fakes import FakeEncoder


def test_neighbours_with_the_same_answer_are_one_span():
    found = joined([0.0, 1.0, 2.0, 3.0], ["red", "red", "blue", "red"], 1.0)
    assert found == [(0.0, 2.0, "red", [0, 1]), (2.0, 3.0, "blue", [2]), (3.0, 4.0, "red", [3])]
    assert clock(3725.25) == "1:02:05.2"


@pytest.mark.skipif(find_spec("av") is not None, reason="the extra is installed")
def test_without_the_extra_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("clipcore.load", lambda name="starter", *_: FakeEncoder(name))
    (tmp_path / "a.mp4").write_bytes(b"no video")
    _, said = commands.sayso("timeline", tmp_path / "a.mp4", "--labels", "red, blue", home=tmp_path / "home", code=2)
    assert "--extra video" in said
    _, said = commands.sayso("timeline", tmp_path / "b.mp4", "--labels", "red, blue", home=tmp_path / "home", code=2)
    assert "no video" in said


@pytest.mark.skipif(find_spec("av") is None, reason="needs requirements-extras/video.txt")
def test_a_video_is_a_timeline(tmp_path, monkeypatch):
    import av

    monkeypatch.setattr("clipcore.load", lambda name="starter", *_: FakeEncoder(name))
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for colour in [(255, 0, 0)] * 30 + [(0, 0, 255)] * 20:
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), colour, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    asked = ("timeline", tmp_path / "a.mp4", "--labels", "red, blue", "--sure", 0, "--frames", tmp_path / "frames", "--json")
    rows, _ = commands.sayso(*asked, home=tmp_path / "home")
    assert [(row["from"], row["to"], row["answer"], row["frames"]) for row in rows] == [(0, 3, "red", 3), (3, 5, "blue", 2)]
    assert len(list((tmp_path / "frames").iterdir())) == 5
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    _, said = commands.sayso("timeline", tmp_path / "broken.mp4", "--labels", "red, blue", home=tmp_path / "home", code=2)
    assert "cannot be read as a video" in said
