"""The self-test: the starter passes, and what is broken on purpose is caught or called unsure."""

from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2

import clipcore
from clipcore.models import is_here, open_clip_model
from clipcore.models.selftest import (
    TRIPLES,
    Check,
    _Comparing,
    _swap_activation,
    numbers,
    pair_losses,
    pairing,
    self_test,
    words,
)
from clipcore.models.selftest_known import Published, known_pairs
from tests.support.fakes import FakeEncoder, unit
from tests.support.sentences import assert_sentence
from tests.support.small_clip import CLIP, write_model

needs_starter = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


def test_pairing_is_in_standard_deviations_of_all_permutations():
    random = np.random.default_rng(0)
    scores = random.normal(size=(6, 6))
    import itertools

    traces = [sum(scores[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(6))]
    assert pairing(scores) == pytest.approx((np.trace(scores) - np.mean(traces)) / np.std(traces))


def test_losses_of_guessing_and_of_knowing():
    pictures = np.repeat(np.eye(5, dtype=np.float32), 2, axis=0)
    assert pair_losses(pictures, np.ones_like(pictures), 10) == pytest.approx(np.log(5))
    assert pair_losses(pictures, pictures, 100).max() < 1e-6


class Known(FakeEncoder):
    """Gives the vectors that it is told to."""

    def __init__(self, pictures):
        super().__init__()
        self.pictures = pictures

    def embed_images(self, images):
        return self.pictures

    def embed_texts(self, texts):
        return np.repeat(np.eye(14, dtype=np.float32), 2, axis=0)


def noisy(seed, noise):
    random = np.random.default_rng(seed)
    vectors = np.repeat(np.eye(14), 2, axis=0) + noise * random.normal(size=(28, 14))
    return Known(unit(vectors).astype(np.float32))


@pytest.mark.parametrize(("loaded", "other", "verdict"), [(1.0, 0.2, "failed"), (0.2, 1.0, "passed"), (0.6, 0.6, "unsure")])
def test_a_variant_that_fits_better_is_told(loaded, other, verdict):
    comparing = _Comparing(noisy(1, loaded), [None] * 28, [""] * 28, np.inf)
    comparing.knows()
    check = comparing._judge("colours", {"another": noisy(2, other)})
    assert check.verdict == verdict, check
    assert_sentence(AssertionError(check.sentence))


def test_too_slow_a_model_is_unsure():
    comparing = _Comparing(noisy(1, 0.2), [None] * 28, [""] * 28, 0.0)
    comparing.knows()
    assert comparing._judge("shape", {"another": noisy(2, 1.0)}).verdict == "unsure"


def test_undefined_numbers():
    class Broken(FakeEncoder):
        def embed_prepared(self, batch):
            return super().embed_prepared(batch) * np.float32("nan")

    check = numbers(Broken(), [np.zeros((8, 8, 3), np.uint8)] * 3, ["red"])
    assert check == Check("numbers", "failed", "Some numbers are infinite or undefined: the weights are damaged.")


@pytest.fixture(scope="module")
def starter():
    return clipcore.load("starter", "cpu", "fp32")


def verdicts(encoder):
    found = self_test(encoder, seconds=0)  # nothing is compared with variants
    return found.verdict, {check.name: check.verdict for check in found.checks}


@needs_starter
def test_the_starter_passes(starter):
    found = self_test(starter)
    verdict = {check.name: check.verdict for check in found.checks}
    assert found.verdict == "passed"
    assert set(verdict.values()) == {"passed"}  # its own scores stand beside its weights
    for check in found.checks:
        assert_sentence(AssertionError(check.sentence))


@needs_starter
def test_random_weights_are_caught(starter):
    for seed in range(3):
        torch.manual_seed(seed)
        with starter.open_clip_model() as model:
            random = deepcopy(model)
        for weight in random.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight.data, std=weight.std().item())
        verdict, checks = verdicts(starter.variant(model=random))
        assert verdict != "passed", checks
        assert checks["pictures"] != "passed"


@needs_starter
def test_another_tokenizer_is_caught(starter):
    order = torch.arange(30522)  # of the starter's words; those below 1000 are signs such as the sentence's beginning
    order[1000:] = order[1000:][torch.randperm(29522, generator=torch.Generator().manual_seed(0))]
    garbled = starter.variant()
    tokenizer = garbled._tokenizer
    garbled._tokenizer = lambda texts: order[tokenizer(texts)]
    assert words(garbled).verdict == "failed"
    assert verdicts(garbled)[0] == "failed"
    assert words(starter).verdict == "passed"


@needs_starter
def test_wrong_preprocessing_of_the_starter_fails(starter):
    from open_clip.model import get_model_preprocess_cfg

    with starter.open_clip_model() as model:
        config = dict(get_model_preprocess_cfg(model))
    wrong = image_transform_v2(PreprocessCfg(**{**config, "mean": (0,) * 3, "std": (1,) * 3}), is_train=False)
    checks = {check.name: check.verdict for check in self_test(starter.variant(preprocess=wrong)).checks}
    assert checks["colours"] == "failed"


VIT = {**CLIP, "vision_cfg": {**CLIP["vision_cfg"], "image_size": 48, "patch_size": 8}}
TOWERS = {
    "vit": VIT,
    "quickgelu": {**VIT, "quick_gelu": True},
    **{
        name: {**CLIP, "vision_cfg": {"timm_model_name": name, "timm_pool": "", "timm_proj": "linear", "image_size": 64}}
        for name in ("test_resnet", "test_efficientnet", "test_convnext")
    },
}
PREPROCESS = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "interpolation": "bicubic", "resize_mode": "squash"}


@pytest.fixture(scope="module", params=list(TOWERS))
def learned(request, tmp_path_factory):
    """A small tower that was trained for a moment on the known photographs, so that it knows how they are prepared."""
    name = write_model(tmp_path_factory.mktemp(request.param), TOWERS[request.param], preprocess=PREPROCESS)
    encoder = clipcore.load(name, "cpu", "fp32")
    views, captions = pairs()
    model, preprocess, tokenizer = open_clip_model(name)
    pixels, tokens = torch.stack([preprocess(view) for view in views]), tokenizer(captions)
    optimizer, truth = torch.optim.Adam(model.parameters(), 1e-3), torch.arange(14)
    torch.manual_seed(0)
    for _ in range(60):
        model.train()
        pick = torch.arange(14) * 2 + torch.randint(2, (14,))
        logits = 20 * model.encode_image(pixels[pick], normalize=True) @ model.encode_text(tokens[pick], normalize=True).T
        loss = torch.nn.functional.cross_entropy(logits, truth) + torch.nn.functional.cross_entropy(logits.T, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return encoder.variant(model=model.eval(), preprocess=preprocess)


pairs = cache(known_pairs)  # read once


def check_of(encoder, name):
    views, captions = pairs()
    comparing = _Comparing(encoder, views, captions, np.inf)
    return comparing.knows(), getattr(comparing, name)()


def test_a_model_that_is_loaded_rightly_does_not_fail(learned):
    for name in ("activation", "colours", "shape"):
        knows, check = check_of(learned, name)
        assert (knows.verdict, check.verdict != "failed") == ("passed", True), check


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("colours", {"mean": (0.0,) * 3, "std": (1.0,) * 3}),
        ("colours", {"mean": (0.27, 0.26, 0.28), "std": (0.48, 0.46, 0.41)}),
        ("shape", {"resize_mode": "longest"}),
        ("colours", "red for blue"),
        ("activation", "swapped"),
    ],
)
def test_a_real_mix_up_is_caught(learned, check, change):
    with learned.open_clip_model() as model:
        config, swapped = {**PREPROCESS, "size": model.visual.image_size, "mode": "RGB"}, deepcopy(model)
    if change == "swapped":
        if not _swap_activation(swapped):
            pytest.skip("this tower has neither")
        wrong = learned.variant(model=swapped)
    elif change == "red for blue":
        prepare = learned._preprocess
        wrong = learned.variant(preprocess=lambda image: prepare(image).flip(0))
    else:
        wrong = learned.variant(preprocess=image_transform_v2(PreprocessCfg(**{**config, **change}), is_train=False))
    knows, found = check_of(wrong, check)  # some leave so little that the tower does not even know the photographs
    assert (knows.verdict, found.verdict) != ("passed", "passed"), found
    assert_sentence(AssertionError(found.sentence))


@pytest.mark.parametrize(
    ("check", "change", "said"),
    [
        ("shape", {"interpolation": "bilinear"}, "interpolation bilinear instead of bicubic"),
        ("colours", {"std": [0.26, 0.26, 0.28]}, "std 0.26/0.26/0.28 instead of 0.27/0.26/0.28"),
    ],
)
def test_what_no_photograph_can_show_is_read_off_a_published_model(learned, monkeypatch, check, change, said):
    """Bicubic and bilinear scaling give all but the same vectors; open_clip says which one a model was trained with."""
    monkeypatch.setattr("open_clip.get_pretrained_cfg", lambda architecture, tag: PREPROCESS)
    monkeypatch.setattr("clipcore.models.selftest_known.split_name", lambda name: ("tower", "tag"))
    with learned.open_clip_model() as model:
        config = {**PREPROCESS, "size": model.visual.image_size, "mode": "RGB"}
    for way, verdict in (({}, "passed"), (change, "failed")):
        prepared = image_transform_v2(PreprocessCfg(**{**config, **way}), is_train=False)
        comparing = _Comparing(learned.variant(preprocess=prepared), *pairs(), np.inf)
        comparing.knows()
        comparing.activation()
        found = getattr(comparing, check)()
        assert found.verdict == verdict, found
    assert found.sentence == f"It is loaded otherwise than it was published: {said}."


def test_garbled_words_are_caught_in_every_tower(learned):
    garbled = learned.variant()
    tokenizer = learned._tokenizer
    order = torch.randperm(49406, generator=torch.Generator().manual_seed(1))
    garbled._tokenizer = lambda texts: torch.where(
        tokenizer(texts) < 49406, order[tokenizer(texts) % 49406], tokenizer(texts)
    )
    views, captions = pairs()
    assert _Comparing(garbled, views, captions, np.inf).knows().verdict != "passed"


def test_a_published_model_that_is_loaded_as_published_is_not_called_unsure(monkeypatch):
    comparing = _Comparing(noisy(1, 0.6), [None] * 28, [""] * 28, np.inf)
    comparing.knows()
    comparing.published = Published(frozenset({"colours"}))
    check = comparing._judge("colours", {"another": noisy(2, 0.6)})
    assert (check.verdict, check.sentence[:26]) == ("passed", "It is loaded as published;")


def test_triples_are_all_different():
    assert len(set(TRIPLES)) == len(TRIPLES) == 24
    assert all(len(set(triple)) == 3 for triple in TRIPLES)
