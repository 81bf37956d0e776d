"""Why a label: votes, neighbours and where in the picture. Known answers where there are some, shapes elsewhere."""

import io
import json

import numpy as np
import open_clip
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import clipcore
from clipcore import (
    BadInput,
    Classifier,
    Decision,
    Examples,
    PromptSet,
    SpaceMismatch,
    decide,
    zero_shot_classifier,
)
from clipcore.classify.explain import nearest, overlay, why
from clipcore.classify.heat import Heat, direction, heat, seen
from clipcore.models import is_here
from storage import Library
from tests.support.fakes import FakeEncoder, photo, unit
from tests.support.small_clip import CLIP, write_model
from ui.server import create_app
from ui.studio import Studio

PROMPTS = PromptSet("test", ("a {label} thing", "something {label} and red"))
RESNET = {**CLIP, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}}


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return clipcore.load(write_model(tmp_path_factory.mktemp("vit") / "model"))


def corner(side=96, at=(0, 0)):
    """A grey picture with something red in one quarter, `at` (column, row)."""
    picture = Image.new("RGB", (side, side), (128, 128, 128))
    left, top = at[0] * side // 2, at[1] * side // 2
    picture.paste((255, 0, 0), (left, top, left + side // 2, top + side // 2))
    return picture


def quarters(values):
    """Mean heat of each quarter, as [row, column]."""
    big = np.asarray(Image.fromarray(values).resize((64, 64), Image.Resampling.BILINEAR))
    return np.array([[big[32 * r : 32 * r + 32, 32 * c : 32 * c + 32].mean() for c in (0, 1)] for r in (0, 1)])


# votes and neighbours


def test_votes_of_each_prompt(encoder):
    classifier = zero_shot_classifier(encoder, ["green", "red", "blue"], PROMPTS)
    vector = unit(np.array([[0.6, 0.8, 0, 0]], np.float32))[0]  # greener than red
    found = why(encoder, classifier, vector)
    assert (found.label, found.runner_up, found.templates) == ("green", "red", 2)
    votes = {votes.label: votes for votes in found.votes}
    # "something green and red" names both colours, so it is nearly the picture itself; "a green thing" is green alone
    assert votes["green"].prompts[0] == "something green and red"
    assert votes["green"].cosines == (pytest.approx(0.99, abs=0.01), pytest.approx(0.8, abs=0.01))
    assert (votes["green"].won, votes["red"].won, votes["blue"].won) == (2, 0, 0)
    assert found.margin == pytest.approx(votes["green"].share - votes["red"].share)


def test_the_answer_that_was_given_is_explained(encoder):
    """Of several labels each has a confidence of its own; they need not add up to one, and say which is best."""
    classifier = zero_shot_classifier(encoder, ["green", "red", "blue"], PROMPTS)
    vector = unit(np.array([[0.6, 0.8, 0, 0]], np.float32))[0]
    found = why(encoder, classifier, vector, shares=np.array([0.7, 0.9, 0.1], np.float32))
    assert [(votes.label, votes.share) for votes in found.votes] == [
        ("red", pytest.approx(0.9)),
        ("green", pytest.approx(0.7)),
        ("blue", pytest.approx(0.1)),
    ]
    assert found.margin == pytest.approx(0.2)


def test_nearest_labelled_pictures(encoder):
    examples = Examples(
        unit(np.eye(4, dtype=np.float32) + 0.1), ("r", "g", "b", "grey"), encoder.space, ("1", "2", "3", "4")
    )
    found = nearest(examples, unit(np.array([[1, 0.5, 0, 0]], np.float32))[0], 2)
    assert [(neighbour.key, neighbour.label) for neighbour in found] == [("1", "r"), ("2", "g")]
    assert found[0].cosine > found[1].cosine > 0.5
    assert nearest(examples.take([]), np.ones(4, np.float32), 2) == ()
    with pytest.raises(BadInput):
        nearest(examples, np.ones(5, np.float32), 2)


def test_another_models_classifier_is_refused(encoder):
    with pytest.raises(SpaceMismatch):
        why(encoder, zero_shot_classifier(FakeEncoder("other"), ["red"]), np.ones(4, np.float32))


def test_direction_is_the_gradient_of_the_log_odds(encoder):
    classifier = zero_shot_classifier(encoder, ["red", "green", "blue"])
    vector = unit(np.array([[0.7, 0.6, 0.2, 0.1]], np.float32))[0]

    def log_odds(v):
        share = float(classifier.shares(v)[0, 1])
        return np.log(share / (1 - share))

    steps = 1e-2 * np.eye(4, dtype=np.float32)
    slope = np.array([log_odds(vector + step) - log_odds(vector - step) for step in steps])
    np.testing.assert_allclose(direction(classifier, vector, 1), slope / np.linalg.norm(slope), atol=2e-3)
    alone = zero_shot_classifier(encoder, ["red"])
    np.testing.assert_allclose(direction(alone, vector, 0), alone.weight[0], atol=1e-6)


def test_direction_of_several_labels_is_the_gradient_of_each_own_log_odds(encoder):
    """What the board says of a picture where several labels can be true, not its share among the labels."""
    several = zero_shot_classifier(encoder, ["red", "green", "blue"]).with_decision(Decision(many=True, level=3.0))
    vector = unit(np.array([[0.7, 0.6, 0.2, 0.1]], np.float32))[0]

    def log_odds(v):
        confidence = float(decide(several, v[None]).shares[0, 1])
        return np.log(confidence / (1 - confidence))

    steps = 3e-3 * np.eye(4, dtype=np.float32)
    slope = np.array([log_odds(vector + step) - log_odds(vector - step) for step in steps])
    found = direction(several, vector, 1)
    np.testing.assert_allclose(found, slope / np.linalg.norm(slope), atol=5e-3)
    assert np.linalg.norm(found - direction(several.with_decision(Decision()), vector, 1)) > 0.3  # the share's is another


# where


def red_direction(encoder, pixels_of):
    """A classifier whose label is what the encoder itself makes of a picture, against what it makes of another."""
    weight = encoder.embed_images(pixels_of)
    return Classifier(("thing", "rest"), weight, np.zeros(2, np.float32), 50.0, encoder.space)


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
@pytest.mark.parametrize("at", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_starter_finds_the_corner(at):
    clip = clipcore.load()
    classifier = red_direction(clip, [Image.new("RGB", (64, 64), (255, 0, 0)), Image.new("RGB", (64, 64), (128, 128, 128))])
    found = heat(clip, classifier, corner(at=at), "thing")
    assert (found.method, found.values.dtype) == ("gradient", np.float32)
    assert found.box == pytest.approx((0, 0, 1, 1), abs=0.02)
    assert min(found.values.shape) >= 6
    means = quarters(found.values)
    assert means.argmax() == 2 * at[1] + at[0]
    again = heat(clip, classifier, corner(at=at), "thing")
    np.testing.assert_array_equal(found.values, again.values)


def test_a_vit_gives_a_value_for_each_patch(vit):
    classifier = zero_shot_classifier(vit, ["red", "green", "blue"], "bare")
    picture = corner(at=(1, 0))
    found = heat(vit, classifier, picture)
    assert (found.method, found.values.shape) == ("patches", (4, 4))
    assert np.isfinite(found.values).all()
    np.testing.assert_array_equal(found.values, heat(vit, classifier, picture).values)
    # a patch is judged by itself in the value path: patches that look alike at neighbouring places are valued alike, so
    # that the corner stands out from the grey, on one side or the other (the weights are random)
    assert np.ptp(found.values) > 0
    with pytest.raises(BadInput, match="no class “dog”"):
        heat(vit, classifier, picture, "dog")
    one = zero_shot_classifier(vit, ["red"], "bare")
    assert heat(vit, one, picture).values.shape == (4, 4)


def test_patch_vectors_are_the_value_path(vit):
    """Recomputed by hand from the tower's own parts."""
    import torch

    from clipcore.classify.heat import _patch_vectors

    pixels = vit.prepare(corner())
    with vit.open_clip_model() as model, torch.no_grad():
        visual = model.visual
        found = _patch_vectors(visual, pixels)
        x = visual._embeds(pixels[None])
        for block in visual.transformer.resblocks[:-1]:
            x = block(x)
        last = visual.transformer.resblocks[-1]
        width = x.shape[-1]
        value = last.ln_1(x) @ last.attn.in_proj_weight[2 * width :].T + last.attn.in_proj_bias[2 * width :]
        out = visual.ln_post(last.attn.out_proj(value)) @ visual.proj
        expected = torch.nn.functional.normalize(out[0, 1:], dim=-1).reshape(4, 4, -1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_resnet_goes_by_gradient_and_the_rest_by_occlusion(tmp_path, vit, monkeypatch):
    resnet = clipcore.load(write_model(tmp_path / "resnet", RESNET))
    classifier = zero_shot_classifier(resnet, ["red", "green"], "bare")
    found = heat(resnet, classifier, corner())
    assert (found.method, found.values.shape) == ("gradient", (2, 2))
    np.testing.assert_array_equal(found.values, heat(resnet, classifier, corner()).values)

    monkeypatch.setattr("clipcore.classify.heat._patch_vectors", lambda visual, pixels: None)  # as for a ViT of another make
    hidden = heat(vit, zero_shot_classifier(vit, ["red", "green"], "bare"), corner())
    assert (hidden.method, hidden.values.shape) == ("occlusion", (7, 7))
    assert np.isfinite(hidden.values).all()


def test_occlusion_finds_the_corner(encoder, monkeypatch):
    """On the fake model, whose vector is the mean colour: hiding the red costs red."""
    import torch

    from clipcore.classify.heat import _occluded

    picture = np.asarray(corner(56, (0, 1)), np.float32).transpose(2, 0, 1) / 255
    monkeypatch.setattr(encoder, "embed_prepared", lambda batch: unit(np.stack([np.asarray(x).mean((1, 2)) for x in batch])))
    vector = encoder.embed_prepared([picture])[0]
    towards = np.array([1, -0.5, -0.5], np.float32)
    values = _occluded(encoder, torch.from_numpy(picture), vector, towards)
    assert quarters(values.astype(np.float32)).argmax() == 2


@pytest.mark.parametrize(
    ("mode", "size", "box"),
    [
        ("shortest", (400, 200), (0.25, 0, 0.75, 1)),
        ("shortest", (200, 400), (0, 0.25, 1, 0.75)),
        ("squash", (400, 200), (0, 0, 1, 1)),
        ("longest", (400, 200), (0, -0.5, 1, 1.5)),
    ],
)
def test_what_the_model_sees_of_a_long_picture(tmp_path, mode, size, box):
    clip = clipcore.load(write_model(tmp_path / mode, preprocess={"resize_mode": mode}))
    assert seen(clip, size) == pytest.approx(box, abs=0.03)


def test_overlay_darkens_what_is_not_seen_and_colours_the_hottest():
    picture = Image.new("RGB", (40, 20), (100, 100, 100))
    png = overlay(picture, Heat(np.array([[0, 1.0]], np.float32), (0.25, 0, 0.75, 1), "patches"))
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), int)
    assert shown.shape == (20, 40, 3)
    assert shown[10, 2].max() < 60  # beside the box
    assert shown[10, 27, 0] > 180  # hot
    assert shown[10, 27, 2] < 60
    assert abs(shown[10, 11] - 100).max() < 10  # cold
    nothing = overlay(picture, Heat(np.full((2, 2), -1, np.float32), (0, 0, 1, 1), "patches"))
    assert (np.asarray(Image.open(io.BytesIO(nothing)).convert("RGB")) == 100).all()


# the page's routes


def test_the_routes_answer(tmp_path, vit):
    for index, colour in enumerate(("red", "green", "blue", "red")):
        photo(tmp_path / "photos" / f"{colour}{index}.png", colour, (60 + index, 40))
    with Library(tmp_path / "home", vit) as library:
        library.add(tmp_path / "photos")
        ids = [image.id for image in library.images()]
        classifier = zero_shot_classifier(vit, ["red", "green"], "photo")
        run = library.runs.start(classifier).id
        library.labels.move(ids[:2], "red", classifier.labels)
        client = TestClient(create_app(Studio(library, lambda: vit, "vit"), "127.0.0.1"), base_url="http://127.0.0.1:7860")
        with client:
            answer = client.get(f"/api/runs/{run}/why/{ids[0]}").json()
            assert {votes["label"] for votes in answer["votes"]} == {"red", "green"}
            assert answer["votes"][0]["label"] == answer["label"] == library.classify(classifier)[1][0].label
            assert [near[0] for near in answer["neighbours"]] == [ids[1]]  # not itself
            assert answer["neighbours"][0][3] == "red"
            json.dumps(answer)
            assert answer["levels"] == []
            tree = library.runs.start(zero_shot_classifier(vit, ["warm > red", "cold > green"], "photo")).id
            down = client.get(f"/api/runs/{tree}/why/{ids[0]}").json()["levels"]
            assert (down[0][1], down[1][0] in ("red", "green")) == (down[1][1], True)  # each has one name below it
            assert sum(votes["share"] for votes in answer["votes"]) == pytest.approx(1, abs=1e-3)
            many = library.runs.start(classifier.with_decision(Decision(many=True))).id
            shown = client.get(f"/api/runs/{many}/images/{ids[0]}").json()
            several = client.get(f"/api/runs/{many}/why/{ids[0]}").json()
            assert [[votes["label"], votes["share"]] for votes in several["votes"]] == [
                [label, pytest.approx(confidence, abs=1e-4)] for label, confidence in shown["top"]
            ]
            assert (several["exclusive"], answer["exclusive"]) == (False, True)
            assert several["votes"][0]["share"] != answer["votes"][0]["share"]
            for label in ("", "?label=green"):
                png = client.get(f"/api/runs/{run}/why/{ids[0]}/heat.png{label}")
                assert (png.headers["content-type"], png.headers["x-heat"]) == ("image/png", "patches")
                assert Image.open(io.BytesIO(png.content)).size == (library.image(ids[0]).width, 40)
            assert "no class" in client.get(f"/api/runs/{run}/why/{ids[0]}/heat.png?label=x").json()["error"]
            assert client.get(f"/api/runs/{run}/why/9999").status_code == 404
            assert client.get(f"/api/runs/none/why/{ids[0]}").status_code == 404


def test_open_clip_is_what_the_heat_was_written_for():
    """Names inside open_clip that `clipcore.classify.heat` relies on."""
    assert hasattr(open_clip.transformer, "ResidualAttentionBlock")
    assert hasattr(open_clip.transformer.VisionTransformer, "_embeds")
