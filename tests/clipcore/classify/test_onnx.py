"""Classifiers as ONNX files: the answer after the tower, pictures before it, and towers of every kind in between."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

import clipcore
from clipcore import BadInput, SpaceMismatch, decide, generic_bank, zero_shot_classifier
from clipcore.classify.answers import grounded
from clipcore.classify.onnx_answer import OUTPUTS, Answering
from clipcore.classify.onnx_file import export_onnx
from clipcore.classify.onnx_pictures import before_tower
from tests.support.fakes import FakeEncoder, unit
from tests.support.small_clip import CLIP, SIGLIP, pictures, write_model

COLOURS = ("red", "green", "blue", "white")


@pytest.fixture
def onnxruntime():
    for name in ("onnx", "onnxscript"):
        pytest.importorskip(name, reason="requirements-extras/onnx.txt is not installed")
    return pytest.importorskip("onnxruntime", reason="requirements-extras/onnx.txt is not installed")


CASES = {
    "usual": {},
    "unsure": {"sure": 1.0},
    "none of these": {"sure": 0.98, "level": 90.0},
    "no level": {"level": None},
    "several": {"many": True, "sure": 0.3, "thresholds": (0.2, 0.5, 0.7, 0.4)},
    "several, no level": {"many": True, "sure": 0.5, "level": None},
    "several, none of these": {"many": True, "sure": 0.9, "level": 90.0},
}


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("case", CASES)
def test_the_answer_in_torch_is_that_of_decide(encoder, case, activation):
    X = unit(np.random.default_rng(0).normal(size=(200, encoder.dim))).astype(np.float32)
    head = replace(zero_shot_classifier(encoder, COLOURS), scale=6.0, activation=activation)
    head = grounded(head, X, generic_bank(encoder))
    head = replace(head, decision=replace(head.decision, **{"temperature": 1.7, "sure": 0.4, **CASES[case]}))
    with torch.no_grad():
        found = dict(zip(OUTPUTS, Answering(torch.nn.Identity(), head)(torch.from_numpy(X)), strict=True))
    answers = decide(head, X)
    assert len(set(answers.places.tolist())) > (case == "usual" and activation == "softmax")
    np.testing.assert_allclose(found["figures"].amax(1), answers.figure, atol=1e-6)
    np.testing.assert_allclose(found["none"], answers.none, atol=1e-5)
    np.testing.assert_array_equal(found["places"], answers.places)
    np.testing.assert_array_equal(found["chosen"], answers.chosen)
    np.testing.assert_allclose(found["shares"], head.shares(X), atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"resize_mode": "shortest"},
        {"resize_mode": "shortest", "size": (40, 64)},
        {"resize_mode": "squash", "interpolation": "bilinear"},
        {"resize_mode": "longest", "fill_color": 90},
    ],
)
def test_pictures_are_prepared_as_open_clip_does(onnxruntime, change):
    said = {"size": (48, 48), "mean": (0.48, 0.46, 0.41), "std": (0.27, 0.26, 0.28), "interpolation": "bicubic", **change}
    prepare = image_transform_v2(PreprocessCfg(**said), is_train=False)
    before = before_tower(said, said["size"], ir=10, opset=20)
    session = onnxruntime.InferenceSession(before.SerializeToString(), providers=["CPUExecutionProvider"])
    for shape in ((48, 48), (37, 51), (300, 200), (90, 457), (5, 9)):
        picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        found = session.run(None, {"picture": picture})[0][0]
        expected = prepare(Image.fromarray(picture)).numpy()
        off = 255 * np.abs(found - expected) * np.reshape(said["std"], (3, 1, 1))
        assert off.max() < 2.01  # two roundings, one for each direction
        assert (off > 0.01).mean() < 0.01


TOWERS = {
    "vit": CLIP,
    "siglip": SIGLIP,
    "resnet": {**CLIP, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}},
    "convnext": {**CLIP, "vision_cfg": {"timm_model_name": "test_convnext", "timm_proj": "linear", "image_size": 64}},
}


@pytest.mark.parametrize("kind", TOWERS)
def test_a_file_with_preprocessing_answers_as_sayso_does(tmp_path, onnxruntime, kind):
    squash = {"resize_mode": "squash", "mean": [0.5] * 3, "std": [0.5] * 3} if kind == "siglip" else None
    clip = clipcore.load(write_model(tmp_path / "model", TOWERS[kind], preprocess=squash), precision="fp32")
    images = [np.asarray(picture) for picture in [*pictures(6), *pictures(6, (300, 200))]]
    X = clip.embed_images(images)
    head = grounded(zero_shot_classifier(clip, COLOURS, "bare"), X, generic_bank(clip))
    assert export_onnx(clip, head, tmp_path / "colours.onnx", pictures=True) < 1e-3
    assert [path.name for path in tmp_path.glob("*.onnx*")] == ["colours.onnx"]
    session = onnxruntime.InferenceSession(str(tmp_path / "colours.onnx"), providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map["sayso"])
    assert told["labels"] == list(COLOURS)
    found = [dict(zip(OUTPUTS, session.run(OUTPUTS, {"picture": image}), strict=True)) for image in images]
    vectors = np.concatenate([row["vectors"] for row in found])
    np.testing.assert_allclose(vectors, X, atol=2e-3)
    assert np.concatenate([row["places"] for row in found]).tolist() == decide(head, vectors).places.tolist()


def test_a_file_of_prepared_pictures_takes_many(tmp_path, onnxruntime):
    clip = clipcore.load(write_model(tmp_path / "model", CLIP), precision="fp32")
    head = zero_shot_classifier(clip, COLOURS, "bare")
    export_onnx(clip, head, tmp_path / "colours.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "colours.onnx"), providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map["sayso"])
    assert told["preprocess"]["size"] == [clip.image_size] * 2
    pixels = np.stack([clip.prepare(picture).numpy() for picture in pictures(5)])
    shares, vectors = session.run(["shares", "vectors"], {"pixels": pixels})
    np.testing.assert_allclose(vectors, clip.embed_images(pictures(5)), atol=1e-3)
    np.testing.assert_allclose(shares, head.shares(clip.embed_images(pictures(5))), atol=1e-3)


def test_onnx_needs_its_packages_and_the_right_model(tmp_path, encoder, monkeypatch):
    with pytest.raises(SpaceMismatch):
        export_onnx(encoder, zero_shot_classifier(FakeEncoder("other"), ["red"]), tmp_path / "x.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BadInput, match=r"requirements-extras/onnx\.txt"):
        export_onnx(encoder, zero_shot_classifier(encoder, ["red"]), tmp_path / "x.onnx")
