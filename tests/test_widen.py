"""A wider tower that answers as the narrow one did, and can become something else."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.test_contrastive import CONFIG
from training.clip import build, encode_pictures, tokenizer_of
from training.recipe import Recipe
from training.start import Start
from training.widen import widen, widened

# five colours, with some grain
IMAGES = (
    np.random.default_rng(0).integers(0, 200, (5, 1, 1, 3)) + np.random.default_rng(1).integers(0, 56, (5, 32, 32, 3))
).astype(np.uint8)


@pytest.fixture(scope="module")
def narrow() -> Start:
    torch.manual_seed(0)
    model = build(CONFIG)
    for module in model.modules():  # as after training: no two channels alike
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
    return Start("narrow", CONFIG, model.state_dict(), tokenizer_of(model))


def loaded(start: Start) -> torch.nn.Module:
    model = build(start.config).eval()
    model.load_state_dict(dict(start.weights))
    return model


@pytest.mark.parametrize("tower", ["sayso_resnet9_w24", "sayso_resnet9_w48"])
def test_the_same_pictures_get_the_same_vectors(narrow: Start, tower: str) -> None:
    wide = widened(narrow, tower)
    with torch.no_grad():
        before, after = (encode_pictures(loaded(start), IMAGES, 32) for start in (narrow, wide))
    assert (before - before[0]).abs().max() > 0.01  # they do tell the pictures apart
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)
    assert sum(w.numel() for w in wide.weights.values()) > sum(w.numel() for w in narrow.weights.values())


def test_copies_of_a_channel_learn_different_things(narrow: Start) -> None:
    model = loaded(widened(narrow, "sayso_resnet9_w24"))
    encode_pictures(model, IMAGES, 32)[:, 0].sum().backward()
    first = next(p for name, p in model.visual.named_parameters() if p.ndim == 4)
    assert first.shape[0] == 24
    torch.testing.assert_close(first[16:], first[:8])
    assert (first.grad[16:] - first.grad[:8]).norm() > 0.01 * first.grad[:8].norm()


def test_a_recipe_can_ask_for_a_wider_tower(narrow: Start, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps({"settings": {}, "tower": "sayso_resnet9_w24"}))
    recipe = Recipe.load(tmp_path, narrow)
    assert recipe.config["model_cfg"]["vision_cfg"]["timm_model_name"] == "sayso_resnet9_w24"
    assert loaded(recipe.start).visual.trunk.num_features == 8 * 24
    assert narrow.config["model_cfg"]["vision_cfg"]["timm_model_name"] == "sayso_resnet9_w16"


def test_a_narrower_or_another_tower_is_refused(narrow: Start) -> None:
    with pytest.raises(ValueError, match="lose channels"):
        widen({"w": torch.zeros(4, 2)}, {"w": torch.Size([3, 2])})
    with pytest.raises(ValueError, match="same layers"):
        widen({"w": torch.zeros(4, 2)}, {"v": torch.Size([4, 2])})
