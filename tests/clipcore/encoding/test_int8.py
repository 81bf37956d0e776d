"""The tower in int8: what it computes, when it is handed out, and that the rest of a model does not notice."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clipcore import BadInput, models
from clipcore.encoding.device import generated_pictures
from clipcore.encoding.int8 import Int8Attention, Int8Linear, quantized
from tests.clipcore.encoding.test_encoder import pictures
from tests.support.sentences import assert_sentence
from tests.support.small_clip import write_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("int8") / "model")


@pytest.fixture
def visual(folder):
    return models.load(folder, "cpu", "fp32")._model.visual


def test_whole_numbers_come_out_exactly():
    weight = torch.tensor([[127.0, -3, 0], [-127, 1, 2]])
    layer = Int8Linear(weight / 127, torch.tensor([1.0, 2.0]))
    x = torch.tensor([[127.0, 5, -9], [0, 0, 0]])
    assert torch.allclose(layer(x), x @ (weight / 127).T + torch.tensor([1.0, 2.0]), atol=1e-4)
    assert layer.weight.dtype == torch.int8
    assert torch.equal(Int8Linear(weight, None)(x[1:]), torch.zeros(1, 2))


def test_each_token_and_each_output_has_a_scale_of_its_own():
    torch.manual_seed(0)
    weight = torch.randn(64, 64) * torch.logspace(-3, 3, 64)[:, None]
    x = torch.randn(2, 5, 64) * torch.logspace(-4, 4, 10).reshape(2, 5, 1)
    exact, close = x @ weight.T, Int8Linear(weight, None)(x)
    assert close.shape == (2, 5, 64)
    assert (F.cosine_similarity(exact / weight.norm(dim=1), close / weight.norm(dim=1), dim=-1) > 0.999).all()


def test_attention():
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(48, 4, batch_first=True).eval()
    x = torch.randn(3, 7, 48)
    with torch.no_grad():
        exact, _ = attention(x, x, x, need_weights=False)
        close, nothing = Int8Attention(attention)(x, x, x, need_weights=False, attn_mask=None)
    assert nothing is None
    assert F.cosine_similarity(exact, close, dim=-1).min() > 0.999


def test_a_tower_is_copied_and_agrees(visual):
    before = copy.deepcopy(visual.state_dict())
    made = quantized(visual, generated_pictures(8, (32, 32)))
    assert sum(isinstance(module, Int8Linear) for module in made.modules()) >= 4
    assert not any(type(module) in (nn.Linear, nn.MultiheadAttention) for module in made.modules())
    assert all(torch.equal(visual.state_dict()[name], weight) for name, weight in before.items())


def test_a_tower_whose_answers_change_is_refused(visual):
    with torch.no_grad():  # the same function, but one channel of each token drowns the others, as outliers do
        for block in visual.transformer.resblocks:
            for norm, weight in ((block.ln_1, block.attn.in_proj_weight), (block.ln_2, block.mlp.c_fc.weight)):
                norm.weight[0] *= 1e4
                weight[:, 0] *= 1e-4
    with pytest.raises(BadInput, match="change this model's answers") as caught:
        quantized(visual, generated_pictures(8, (32, 32)))
    assert_sentence(caught.value)


def test_a_tower_of_convolutions_is_refused():
    with pytest.raises(BadInput, match="vision transformers") as caught:
        quantized(nn.Sequential(nn.Conv2d(3, 64, 3), nn.Flatten(), nn.Linear(4, 2)), torch.zeros(2, 3, 4, 4))
    assert_sentence(caught.value)


def test_a_model_in_int8(folder, monkeypatch):
    exact, close = models.load(folder, "cpu", "fp32"), models.load(folder, "cpu", "int8")
    assert exact.space == close.space
    images = pictures(6)
    cosines = (exact.embed_images(images) * close.embed_images(images)).sum(1)
    assert 0.999 < cosines.min() < 1 - 1e-7  # close, and not the exact tower by mistake
    assert np.array_equal(exact.embed_texts(["a cat"]), close.embed_texts(["a cat"]))
    assert exact.cost() == close.cost()
    monkeypatch.setenv("SAYSO_PRECISION", "int8")
    assert np.array_equal(models.load(folder, "cpu").embed_images(images), close.embed_images(images))
    assert np.array_equal(models.load(folder, "cpu", "fp32").embed_images(images), exact.embed_images(images))
    monkeypatch.setenv("SAYSO_PRECISION", "int4")
    with pytest.raises(BadInput, match="no precision 'int4'"):
        models.load(folder, "cpu")
