"""The classifier: its arithmetic by hand, and its file under attack."""

import json
import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from clipcore import BadClassifierFile, BadInput, Classifier, PromptSet, Space
from tests.support.sentences import assert_sentence

SPACE = Space("k" * 64, "tiny", 2)
HEAD = Classifier(
    labels=("cat", "Straße", "🐈 <b>"),
    weight=np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32),
    bias=np.array([0, 0.5, -1], np.float32),
    scale=2.0,
    space=SPACE,
    prompts=PromptSet("mine", ("a {label}", "ein {label}"), {"cat": ("kitten", "猫")}, {"Straße": ("a road at night",)}),
    kind="linear-probe",
    metrics={"top1": 0.75, "n": 8, "interval": [0.4, 0.9]},
)


# arithmetic


def test_shares_by_hand():
    # X = (0.6, 0.8): logits 2*0.6+0, 2*0.8+0.5, 2*1-1
    assert HEAD.logits(np.array([0.6, 0.8])).tolist() == [pytest.approx([1.2, 2.1, 1.0])]
    powers = [math.exp(1.2), math.exp(2.1), math.exp(1.0)]
    assert HEAD.shares(np.array([[0.6, 0.8]]))[0] == pytest.approx([p / sum(powers) for p in powers], rel=1e-6)
    sigmoid = replace(HEAD, activation="sigmoid")
    expected = [1 / (1 + math.exp(-x)) for x in (1.2, 2.1, 1.0)]
    assert sigmoid.shares(np.array([[0.6, 0.8]]))[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_extreme_logits_do_not_overflow(activation):
    head = replace(HEAD, scale=1000.0, activation=activation)
    shares = head.shares(np.array([[1, 0], [-1, 0], [0, -1]], np.float32))
    assert shares.dtype == np.float32
    assert np.isfinite(shares).all()
    assert shares[0, 0] == pytest.approx(1)


def test_predictions():
    predictions = HEAD.predict(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32))
    assert len(predictions) == 3
    assert [p.label for p in predictions] == ["cat", "Straße", "Straße"]
    first = predictions[0]
    assert [label for label, _ in first.top(2)] == ["cat", "Straße"]
    assert first.score == pytest.approx(first.shares.max())
    assert first.margin == pytest.approx(first.shares[0] - first.shares[1])
    assert str(first) == f"cat {first.score:.2f}"
    assert [p.label for p in predictions[1:]] == ["Straße", "Straße"]
    assert predictions[-1].label == "Straße"
    assert len(HEAD.predict(np.zeros((0, 2), np.float32))) == 0


def test_one_label_and_ties():
    one = Classifier(("cat",), np.ones((1, 2), np.float32), np.zeros(1, np.float32), 1.0, SPACE)
    assert one.predict([[1, 0]])[0].margin == 1
    tied = replace(HEAD, weight=np.zeros((3, 2), np.float32), bias=np.zeros(3, np.float32))
    assert tied.predict([[1, 0]])[0].label == "cat"  # the first of equals, always
    assert tied.predict([[1, 0]])[0].margin == 0


# parts that do not fit


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ()}, "no class names"),
        ({"labels": ("cat", "Cat", "dog")}, "occurs twice"),
        ({"labels": ("cat", "dog")}, "2 labels"),
        ({"weight": np.zeros((3, 3), np.float32)}, "2 dimensions"),
        ({"bias": np.zeros(2, np.float32)}, "biases"),
        ({"weight": np.full((3, 2), np.nan, np.float32)}, "finite"),
        ({"bias": np.full(3, np.inf, np.float32)}, "finite"),
        ({"scale": float("nan")}, "finite"),
        ({"activation": "relu"}, "softmax or sigmoid"),
    ],
)
def test_parts_must_fit(change, says):
    with pytest.raises(BadInput, match=says) as caught:
        replace(HEAD, **change)
    assert_sentence(caught.value)


@pytest.mark.parametrize("shape", [(1, 3), (0,), (2, 2, 2), (5, 0)])
def test_vectors_of_another_model(shape):
    with pytest.raises(BadInput, match="embed the images with the model tiny") as caught:
        HEAD.predict(np.zeros(shape, np.float32))
    assert_sentence(caught.value)


# the file


def test_round_trip(tmp_path):
    path = tmp_path / "Größe 🐈.safetensors"
    HEAD.save(path)
    loaded = Classifier.load(path)
    assert loaded == HEAD
    assert loaded.labels == HEAD.labels
    assert loaded.prompts == HEAD.prompts
    assert loaded.space == SPACE
    assert loaded.metrics == HEAD.metrics
    assert (loaded.scale, loaded.kind, loaded.activation) == (2.0, "linear-probe", "softmax")
    assert np.array_equal(loaded.weight, HEAD.weight)
    assert np.array_equal(loaded.bias, HEAD.bias)
    assert replace(HEAD, kind="zero-shot") != HEAD
    assert list(tmp_path.iterdir()) == [path]  # nothing is left beside it


def test_float64_weights_come_back_as_float32():
    doubled = replace(HEAD, weight=HEAD.weight.astype(np.float64), scale=np.float32(2))
    assert Classifier.from_bytes(doubled.to_bytes()) == HEAD


def test_file_is_readable_without_sayso(tmp_path):
    HEAD.save(tmp_path / "pets.safetensors")
    # as the docstring of clipcore.classify.classifier says
    with safetensors.safe_open(str(tmp_path / "pets.safetensors"), "numpy") as file:
        header = json.loads(file.metadata()["sayso"])
        weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
    assert np.array_equal(weight, HEAD.weight)
    assert np.array_equal(bias, HEAD.bias)
    assert header["labels"] == list(HEAD.labels)
    assert header["space"] == {"key": "k" * 64, "name": "tiny", "dim": 2}


def signed(header_change=None, weight=HEAD.weight, bias=HEAD.bias) -> bytes:
    """A file whose checksum is right, as an attacker would write it."""
    from clipcore.classify.classifier import _checksum

    with_header = Classifier.from_bytes(HEAD.to_bytes()).to_bytes()
    length = int.from_bytes(with_header[:8], "little")
    header = json.loads(json.loads(with_header[8 : 8 + length])["__metadata__"]["sayso"])
    header.pop("checksum")
    header |= header_change or {}
    tensors = {"weight": weight, "bias": bias}
    return save(tensors, {"sayso": json.dumps(header | {"checksum": _checksum(header, tensors)})})


def test_signed_helper_makes_a_good_file():
    assert Classifier.from_bytes(signed()) == HEAD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        b"not a classifier at all",
        b"\xff" * 64,
        b"PK\x03\x04" + b"\0" * 100,
        save({"weight": HEAD.weight}),  # some other safetensors file
        save({"weight": HEAD.weight, "bias": HEAD.bias}, {"sayso": "[" * 100_000}),
        save({"weight": HEAD.weight, "bias": HEAD.bias}, {"sayso": "{}"}),
        signed({"labels": ["cat", "CAT", "dog"]}),
        signed({"labels": 3}),
        signed({"labels": []}),
        signed({"scale": "x"}),
        signed({"scale": 10**400}),
        signed({"scale": float("inf")}),
        signed({"activation": "exec"}),
        signed({"prompts": {"name": "x", "templates": ["a"], "synonyms": [1]}}),
        signed({"space": {"key": "k", "name": "n", "dim": 3}}),
        signed({"space": {"key": "k"}}),
        signed({"metrics": 7}),
        signed({"format": "1"}),
        signed(weight=np.full((3, 2), np.nan, np.float32)),
        signed(weight=np.zeros((2, 2), np.float32)),
        signed(bias=np.zeros((3, 1), np.float32)),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_bad_files(data, tmp_path):
    with pytest.raises(BadClassifierFile, match="not a classifier of Sayso, or it is damaged") as caught:
        Classifier.from_bytes(data)
    assert_sentence(caught.value)


def test_newer_format_is_refused():
    with pytest.raises(BadClassifierFile, match="update Sayso"):
        Classifier.from_bytes(signed({"format": 2}))


GOOD = HEAD.to_bytes()


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@settings(max_examples=400, deadline=None)
def test_a_flipped_byte_is_noticed_or_harmless(place, flip):
    data = bytearray(GOOD)
    data[place] ^= flip
    with suppress(BadClassifierFile):
        assert Classifier.from_bytes(bytes(data)) == HEAD


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_cut_or_replaced_end_is_noticed(place, end):
    if GOOD[:place] + end == GOOD:
        return
    with pytest.raises(BadClassifierFile):
        Classifier.from_bytes(GOOD[:place] + end)


def test_paths_that_cannot_be_read_or_written(tmp_path):
    for path in (tmp_path / "gone.safetensors", tmp_path):
        with pytest.raises(BadClassifierFile, match="cannot be read") as caught:
            Classifier.load(path)
        assert_sentence(caught.value)
    with pytest.raises(BadInput, match="choose another place") as caught:
        HEAD.save(tmp_path / "no" / "such" / "folder.safetensors")
    assert_sentence(caught.value)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "pets.safetensors"
    HEAD.save(path)

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(BadInput, match="No space left"):
        replace(HEAD, kind="new").save(path)
    assert Classifier.load(path) == HEAD
    assert list(tmp_path.iterdir()) == [path]
