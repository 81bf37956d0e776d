"""Zero-shot heads: the same numbers as open_clip's own, only sooner."""

import shutil

import numpy as np
import open_clip
import pytest
import torch

from clipcore import BadInput, PromptSet, drain, iter_zero_shot_classifier, models, pack, zero_shot_classifier
from clipcore.encoding.text_cache import MemoryCache
from clipcore.models import STARTER, STARTER_FOLDER
from tests.support.sentences import assert_sentence
from tests.support.small_clip import SIGLIP, pictures, theirs, write_model

# Some short, some long, so that texts of one batch are trimmed to very different lengths.
NAMES = ["cat", "dog", "a very long name of a class that nobody would ever type, with commas, and 12345 digits", "猫!"]


@pytest.fixture(scope="module")
def vit_b_32(tmp_path_factory):
    """Three layers of each tower's twelve: the others are the same once more."""
    folder, config = tmp_path_factory.mktemp("vit") / "ViT-B-32", open_clip.get_model_config("ViT-B-32")
    yield write_model(folder, {**config, **{tower: {**config[tower], "layers": 3} for tower in ("vision_cfg", "text_cfg")}})
    shutil.rmtree(folder)  # 250 MB that pytest would keep


@pytest.fixture
def model_name(request):
    if request.param == STARTER:
        if not (STARTER_FOLDER / "open_clip_model.safetensors").exists():
            pytest.skip("the starter's weights are not there yet")
        return f"local-dir:{STARTER_FOLDER}"
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("model_name", ["vit_b_32", STARTER], indirect=True)
def test_equals_open_clip(model_name):
    clip = models.load(model_name, "cpu", "fp32")
    model, preprocess, tokenizer = theirs(model_name)
    for ours, published in (
        (pack("seven"), open_clip.SIMPLE_IMAGENET_TEMPLATES),
        (PromptSet("some of the eighty", pack("imagenet80").templates[-2:]), open_clip.OPENAI_IMAGENET_TEMPLATES[-2:]),
    ):
        head = zero_shot_classifier(clip, NAMES, ours)
        expected = open_clip.build_zero_shot_classifier(model, tokenizer, NAMES, published)
        assert np.abs(head.weight - expected.numpy().T).max() < 5e-6
        distances = np.linalg.norm(head.weight[:, None] - head.weight[None], axis=-1)
        assert distances[~np.eye(len(NAMES), dtype=bool)].min() > 1e-3  # else the comparison would prove nothing
    assert clip._trims

    images = pictures(3)
    with torch.no_grad():
        vectors = model.encode_image(torch.stack([preprocess(image) for image in images]), normalize=True)
        shares = (model.logit_scale.exp() * vectors @ expected).softmax(-1).numpy()
    assert head.activation == "softmax"
    assert not head.bias.any()
    assert np.abs(head.shares(clip.embed_images(images)) - shares).max() < 1e-4


def test_siglip_keeps_its_sigmoid_and_bias_and_is_not_trimmed(tmp_path, monkeypatch):
    name = write_model(tmp_path / "siglip", SIGLIP)
    clip = models.load(name, "cpu", "fp32")
    widths = []
    encode_text = clip._model.encode_text
    monkeypatch.setattr(clip._model, "encode_text", lambda tokens: widths.append(tokens.shape[1]) or encode_text(tokens))
    head = zero_shot_classifier(clip, ["cat", "dog", "a small red bird"], "seven")
    assert set(widths) == {32}
    assert head.activation == "sigmoid"
    assert head.bias.tolist() == [-10, -10, -10]

    model, preprocess, tokenizer = theirs(name)
    expected = open_clip.build_zero_shot_classifier(
        model, tokenizer, ["cat", "dog", "a small red bird"], open_clip.SIMPLE_IMAGENET_TEMPLATES
    )
    images = pictures(3)
    with torch.no_grad():
        vectors = model.encode_image(torch.stack([preprocess(image) for image in images]), normalize=True)
        shares = (model.logit_scale.exp() * vectors @ expected + model.logit_bias).sigmoid().numpy()
    assert np.abs(head.weight - expected.numpy().T).max() < 5e-6
    assert np.allclose(head.shares(clip.embed_images(images)), shares, rtol=1e-3)


# by hand, with colours for meanings


def test_the_ensemble_is_a_mean_of_unit_vectors(encoder):
    prompts = PromptSet("p", ("{label}", "a {label} on grey grey grey"), {"red": ("green",)}, {"blue": ("blue blue red",)})
    head = zero_shot_classifier(encoder, ["red", "blue"], prompts)
    red = encoder.embed_texts(["red", "a red on grey grey grey", "green", "a green on grey grey grey"]).mean(0)
    blue = encoder.embed_texts(["blue", "a blue on grey grey grey", "blue blue red"]).mean(0)
    assert np.allclose(head.weight, [red / np.linalg.norm(red), blue / np.linalg.norm(blue)], atol=1e-6)
    assert (head.kind, head.scale, head.space, head.prompts) == ("zero-shot", 10.0, encoder.space, prompts)


def test_a_long_list_says_how_far_it_is_and_can_be_stopped(encoder, monkeypatch):
    monkeypatch.setattr("clipcore.classify.zeroshot.CHUNK", 3)
    labels = ["red", "a much longer green name", "blue"]
    whole = zero_shot_classifier(encoder, labels, "seven")
    encoder.text_cache = MemoryCache()
    steps = iter_zero_shot_classifier(encoder, labels, "seven")
    before = encoder.texts_encoded
    seen = [next(steps) for _ in range(3)]
    assert [(step.done, step.total, step.message) for step in seen] == [
        (done, 21, "reading 3 class names") for done in (0, 3, 6)
    ]
    assert "per_second" in seen[-1].metrics
    steps.close()
    assert encoder.texts_encoded - before == 6
    assert np.array_equal(drain(iter_zero_shot_classifier(encoder, labels, "seven")).weight, whole.weight)
    assert encoder.texts_encoded - before == 21  # what was done before the stop is not done again


def test_prompts_are_encoded_once(encoder):
    zero_shot_classifier(encoder, ["red", "blue"])
    assert encoder.texts_encoded == 14
    zero_shot_classifier(encoder, ["red", "blue", "green"])
    assert encoder.texts_encoded == 21


@pytest.mark.parametrize(
    ("labels", "prompts", "says"),
    [
        ([], "seven", "type at least one"),
        (["cat", " "], "seven", "give every class a name"),
        (["cat", "CAT"], "seven", "occurs twice"),
        (["x" * 10_000], "seven", "keep names under 200"),
        (["cat"], "no such pack", "choose one of"),
        (["cat"], PromptSet("p", ("{label}",), {"dog": ("puppy",)}), "“dog”, which is not a class"),
        (["cat"], PromptSet("p", (), {}, {"dog": ("a dog",)}), "“dog”, which is not a class"),
        (["cat"], PromptSet("p", ("a photo",)), "where the class name goes"),
        (["dog", "cat"], PromptSet("p", (), {}, {"dog": ("a dog",)}), "no prompt for “cat”"),
    ],
)
def test_bad_input(encoder, labels, prompts, says):
    with pytest.raises(BadInput, match=says) as caught:
        zero_shot_classifier(encoder, labels, prompts)
    assert_sentence(caught.value)
