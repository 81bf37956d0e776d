"""The contrastive loss, the optimiser's habits, exact resume, and a whole small training."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.loss import ClipLoss
from PIL import Image

from clipcore.progress import Step, drain
from training.clip import build, encode_captions, load_fitting, tokenizer_of
from training.contrastive import MAX_LOGIT_SCALE, Settings, batch_items, contrastive_loss, iter_pretrain, pretrain
from training.optim import Ema, decay_groups, one_cycle
from training.pairs import Pair
from training.pixels import Pixels
from training.recipe import Recipe, iter_run

CONFIG: Mapping[str, Any] = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {"timm_model_name": "sayso_resnet9_w16", "timm_pool": "", "timm_proj": "linear", "image_size": 16},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic"},
}
COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (40, 50, 220),
    "yellow": (230, 220, 40),
    "grey": (120, 120, 120),
}
SETTINGS = Settings(batch_size=30, steps=60, chunk=15, ema=0.9, log_every=1, evaluate_minutes=99, save_minutes=99)


def squares(n: int, seed: int) -> Pixels:
    """Noisy pictures of 16 x 16 pixels, each of one colour, which is its name."""
    rng = np.random.default_rng(seed)
    names = [list(COLOURS)[i % len(COLOURS)] for i in range(n)]
    images = np.array([COLOURS[name] for name in names])[:, None, None] + rng.normal(0, 20, (n, 16, 16, 3))
    return Pixels(images.clip(0, 255).astype(np.uint8), [Pair(str(i), b"", name=name) for i, name in enumerate(names)])


def targets(positives: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    weights = torch.tensor(positives, dtype=torch.float32)
    return weights, weights == 0


def test_loss_by_hand() -> None:
    # two pictures, two captions; the softmax of (ln 3, 0) gives 3/4 to the right one, both ways
    logits = torch.tensor([[math.log(3), 0.0], [0.0, math.log(3)]])
    assert contrastive_loss(logits, *targets([[1, 0], [0, 1]])).item() == pytest.approx(math.log(4 / 3), rel=1e-6)


def test_loss_is_open_clips_when_all_names_differ() -> None:
    torch.manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(16, 8), dim=-1) for _ in range(2))
    ours = contrastive_loss(20 * images @ texts.T, *targets(torch.eye(16).tolist()))
    assert ours.item() == pytest.approx(ClipLoss()(images, texts, torch.tensor(20.0)).item(), rel=1e-5)


def test_pictures_of_one_name_are_positives_and_do_not_compete() -> None:
    # pictures 0 and 1 share caption 0. For the caption each of them is told from picture 2 only.
    logits = torch.tensor([[5.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    pictures = [math.log1p(math.exp(-5)), math.log1p(math.exp(-3)), math.log1p(math.exp(-4))]
    captions = [(math.log1p(math.exp(-5)) + math.log1p(math.exp(-3))) / 2, math.log1p(2 * math.exp(-4))]
    expected = (sum(pictures) / 3 + sum(captions) / 2) / 2
    assert contrastive_loss(logits, *targets([[1, 0], [1, 0], [0, 1]])).item() == pytest.approx(expected, rel=1e-5)


def test_what_nobody_knows_does_not_count() -> None:
    positives, negatives = targets([[1, 0], [0, 1]])
    negatives[0, 1] = False
    first, second = torch.tensor([[2.0, 9.0], [0.0, 2.0]]), torch.tensor([[2.0, -9.0], [0.0, 2.0]])
    assert contrastive_loss(first, positives, negatives) == contrastive_loss(second, positives, negatives)


def test_a_true_caption_without_false_ones_costs_nothing_and_keeps_gradients_finite() -> None:
    logits = torch.zeros(2, 1, requires_grad=True)
    loss = contrastive_loss(logits, torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_only_matrices_decay() -> None:
    model = build(CONFIG)
    groups = decay_groups(model, 1e-3, 0.1, text_rate=0.5)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decaying = {names[id(p)] for group in groups if group["weight_decay"] for p in group["params"]}
    others = {names[id(p)] for group in groups if not group["weight_decay"] for p in group["params"]}
    assert decaying | others == set(names.values())
    assert not decaying & others
    assert {"visual.head.proj.weight", "text_projection", "transformer.resblocks.0.mlp.c_fc.weight"} <= decaying
    assert {"logit_scale", "token_embedding.weight", "positional_embedding", "ln_final.weight"} <= others
    assert all(("visual." in names[id(g["params"][0])]) == (g["peak"] == 1e-3) for g in groups)


def test_rate_goes_up_and_down() -> None:
    assert [round(one_cycle(p, 0.1), 3) for p in (0, 0.05, 0.1, 0.55, 1.0)] == [0, 0.5, 1, 0.5, 0]


def test_average_of_weights_follows_the_model() -> None:
    model = torch.nn.BatchNorm1d(2)
    ema = Ema(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.num_batches_tracked.fill_(7)
    ema.update(model, step=1000)
    assert ema.model.weight.tolist() == [2, 2]
    assert ema.model.num_batches_tracked == 7


def test_batches_pass_over_everything_once_a_round() -> None:
    seen = np.concatenate([batch_items(10, 5, step, seed=3) for step in range(4)])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert not np.array_equal(seen[:5], seen[10:15])
    assert len(batch_items(3, 8, 0, seed=0)) == 3


def test_trimming_captions_is_exact() -> None:
    model = build(CONFIG).eval()
    tokens = tokenizer_of(model)(["red", "a photo of a very small red square.", "blue", "a cat"])
    with torch.no_grad():
        whole = torch.nn.functional.normalize(model.encode_text(tokens), dim=-1)
        assert torch.allclose(encode_captions(model, tokens, chunk=2), whole, atol=1e-6)


def test_temperature_is_clamped(tmp_path: Path) -> None:
    start = {"logit_scale": torch.tensor(7.0), "text_projection": torch.zeros(1)}  # one fits, one does not
    model = build(CONFIG)
    load_fitting(model, start)
    assert model.logit_scale == 7.0
    (step,) = islice(iter_pretrain(CONFIG, squares(30, 0), {}, tmp_path, SETTINGS, start=start), 1)
    assert step.metrics["logit_scale"] == pytest.approx(100)
    assert pytest.approx(math.log(100)) == MAX_LOGIT_SCALE


def test_interrupted_training_goes_on_exactly(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=8, text_steps=2, sizes=((0.0, 16), (0.5, 32)))

    def losses(steps: list[Step]) -> list[float]:
        return [step.metrics["loss"] for step in steps if "loss" in step.metrics]

    data = squares(45, 0)
    whole = losses(list(iter_pretrain(CONFIG, data, {}, tmp_path / "whole", settings)))
    # stopped during step 6 with a checkpoint after each step: as after kill -9, what was done since the last one is lost
    broken = replace(settings, save_minutes=0)
    first = losses(list(islice(iter_pretrain(CONFIG, data, {}, tmp_path / "broken", broken), 2 + 5)))
    second = losses(list(iter_pretrain(CONFIG, data, {}, tmp_path / "broken", broken)))
    assert len(whole) == 8
    assert len(first) == 5
    assert len(second) == 3
    assert first + second == pytest.approx(whole, rel=1e-5)
    finals = [torch.load(tmp_path / run / "checkpoint.pt", weights_only=True)["ema"] for run in ("whole", "broken")]
    assert all(torch.allclose(finals[0][name], finals[1][name], atol=1e-5) for name in finals[0])


def test_a_run_that_learns_nothing_says_so(tmp_path: Path) -> None:
    settings = replace(SETTINGS, batch_size=5, steps=20, patience=20, learning_rate=0.0, chunk=5)
    noise = Pixels(np.zeros((5, 16, 16, 3), np.uint8), squares(5, 0).pairs)
    *_, last = iter_pretrain(CONFIG, noise, {}, tmp_path, settings)
    assert "nothing is being learned" in last.message


def test_small_training_knows_its_colours_and_loads_in_open_clip(tmp_path: Path) -> None:
    settings = replace(SETTINGS, text_steps=10)
    held_out = squares(50, seed=1)
    steps: list[Step] = []
    model_folder = drain(iter_pretrain(CONFIG, squares(200, 0), {}, tmp_path, settings, {"squares": held_out}), steps.append)
    assert steps[-1].metrics["zero_shot/squares"] == 1.0
    assert [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").open()] == list(range(1, 61))

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{model_folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{model_folder}")
    labels = list(COLOURS)
    with torch.no_grad():
        images = model.encode_image(torch.stack([preprocess(Image.fromarray(x)) for x in held_out.images]), normalize=True)
        texts = model.encode_text(tokenizer([f"a {label} square" for label in labels]), normalize=True)
    answers = [labels[i] for i in (images @ texts.T).argmax(1)]
    assert np.mean([a == pair.name for a, pair in zip(answers, held_out.pairs, strict=True)]) > 0.9


def test_a_recipe_trains_from_folders(tmp_path: Path) -> None:
    for i, (name, image) in enumerate(zip((pair.name for pair in squares(20, 0).pairs), squares(20, 0).images, strict=True)):
        (tmp_path / "data/squares" / str(name)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "data/squares" / str(name) / f"{i}.png")
    settings = {"batch_size": 10, "steps": 2, "chunk": 5, "log_every": 1, "sizes": [[0.0, 16]]}
    recipe = {"config": CONFIG, "settings": settings, "sources": {"squares": 0.3}, "pixels": 16}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    (tmp_path / "names.json").write_text("{}")
    steps: list[Step] = []
    folder = drain(iter_run(Recipe.load(tmp_path), tmp_path / "data", tmp_path / "out"), steps.append)
    assert (folder / "open_clip_model.safetensors").exists()
    assert "20 pictures" in steps[0].message
    assert "zero_shot/squares" in steps[-1].metrics
    log = (tmp_path / "out/log.jsonl").read_text()
    assert pretrain(CONFIG, squares(20, 0), {}, tmp_path / "out", Settings(**settings)) == folder
    assert (tmp_path / "out/log.jsonl").read_text() == log  # it was finished, so nothing was done again
