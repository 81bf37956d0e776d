"""Captions against pictures on the fake encoder: red is red, and word order means nothing to it."""

import json
from pathlib import Path

import numpy as np
import pytest

from clipcore import BadInput, drain
from clipcore.measure.composition import iter_composition, match, read_items
from tests.support.fakes import FakeEncoder, photo
from tests.support.sentences import assert_sentence


@pytest.fixture
def images(tmp_path):
    for colour in ("red", "green", "blue"):
        photo(tmp_path / "images" / f"{colour}.png", colour)
    return tmp_path / "images"


def written(path: Path, data) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_softmax_both_ways_by_hand():
    encoder = FakeEncoder()  # logit scale 10
    X = np.eye(4, dtype=np.float32)[:2]  # red, green
    found = match(encoder, X, ["a red thing", "  a green   thing ", "red green"])
    half = 1 / np.sqrt(2)
    np.testing.assert_allclose(found.cosines, [[1, 0, half], [0, 1, half]], atol=3e-3)
    logits = 10 * found.cosines
    np.testing.assert_allclose(found.by_picture, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), rtol=1e-5)
    np.testing.assert_allclose(found.by_caption, np.exp(logits) / np.exp(logits).sum(0), rtol=1e-5)
    assert found.best_captions == ["a red thing", "a green thing"]
    np.testing.assert_allclose(found.by_caption[:, 2], [0.5, 0.5], atol=1e-5)
    assert json.loads(json.dumps(found.to_json()))["best"] == found.best_captions


def test_long_captions_are_cut_and_said():
    encoder = FakeEncoder()
    encoder.context_length = 5  # three words and two marks
    found = match(encoder, np.eye(4, dtype=np.float32)[:1], ["a green and red thing", "red"])
    assert found.cut == ("a green and red thing",)
    assert found.cosines[0, 0] < 0.1  # of “a green and” nothing is red


def test_nothing_to_match():
    for X, captions in ((np.zeros((0, 4), np.float32), ["red"]), (np.eye(4, dtype=np.float32), [" "])):
        with pytest.raises(BadInput, match="at least one picture and one caption"):
            match(FakeEncoder(), X, captions)


def test_sugarcrepe(tmp_path, images):
    items = {
        "0": {"filename": "red.png", "caption": "a red ball", "negative_caption": "a green ball"},
        "1": {"filename": "green.png", "caption": "a blue ball", "negative_caption": "a green ball"},
        "2": {"filename": "blue.png", "caption": "blue on white", "negative_caption": "white on blue"},  # a tie is a mistake
        "3": {"filename": "gone.png", "caption": "red", "negative_caption": "green"},
    }
    encoder = FakeEncoder()
    report = drain(iter_composition(encoder, written(tmp_path / "swap_obj.json", items), images))
    score = report.scores["accuracy"]
    assert (report.name, score.n, score.share, score.chance) == ("swap_obj", 3, 1 / 3, 0.5)
    assert score.interval == pytest.approx((0.0615, 0.7923), abs=1e-3)  # Wilson for 1 of 3
    assert report.wrong == ("swap_obj/1", "swap_obj/2")
    assert len(report.skipped) == 1
    assert "gone.png" in report.skipped[0]
    assert encoder.embedded == 3


def quad(zero, one, captions=("a red one", "a green one"), **more):
    return {"image_0": zero, "image_1": one, "caption_0": captions[0], "caption_1": captions[1], **more}


def test_winoground(tmp_path, images):
    rows = [
        quad("red", "green.png", id=7, tag="Object"),  # names without an ending, as the published file has them
        quad("green", "red", tag="Object"),
        # both pictures rather red: each caption finds its picture, but green does not find its caption
        quad("red", "blue", ("red", "red red blue"), tag="Relation"),
    ]
    path = written(tmp_path / "examples.jsonl", "\n".join(map(json.dumps, rows)))
    report = drain(iter_composition(FakeEncoder(), path, images))
    # third: cosines red [1, 0.894], blue [0, 0.447]: both pictures take the right caption, both captions take their own
    # only if 0.447 > 0.894, which it is not
    assert {name: score.share for name, score in report.scores.items()} == {
        "text": 2 / 3,
        "image": 1 / 3,
        "group": 1 / 3,
        "group, Object": 1 / 2,
        "group, Relation": 0.0,
    }
    assert [report.scores[name].chance for name in ("text", "image", "group")] == [1 / 4, 1 / 4, 1 / 6]
    assert report.wrong == ("1", "2")
    assert report.scores["group"].n == 3
    assert read_items(path, images)[0].images == (images / "red.png", images / "green.png")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("nonsense", "neither JSON nor JSON Lines"),
        ([{"filename": "red.png"}], "lacks a filename"),
        ([{"image_0": "red.png"}], "lacks an image_0"),
        ([3], "lacks a filename"),
        ("3", "lacks a filename"),
        ({}, "None of the pictures"),
        ([{"filename": "../red.png", "caption": "a", "negative_caption": "b"}], "does not lie in the folder"),
        ([{"filename": 7, "caption": "a", "negative_caption": "b"}], "does not lie in the folder"),
        ([{"filename": "gone.png", "caption": "a", "negative_caption": "b"}], "None of the pictures"),
    ],
)
def test_bad_files(tmp_path, images, content, says):
    with pytest.raises(BadInput, match=says) as caught:
        drain(iter_composition(FakeEncoder(), written(tmp_path / "file.json", content), images))
    assert_sentence(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        drain(iter_composition(FakeEncoder(), tmp_path / "gone.json", tmp_path))
