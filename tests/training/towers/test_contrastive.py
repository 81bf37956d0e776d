"""The contrastive loss, the optimiser's habits, exact resume, and a whole small training."""

import json
import math
import os
import signal
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from PIL import Image

from clipcore import BadInput, load
from clipcore.progress import Step, drain
from tests.support.processes import fork
from tests.support.sentences import assert_sentence
from tests.support.small_clip import CLIP, SIGLIP, write_model
from training.data.captions import Captioner
from training.data.pairs import Pair
from training.data.pixels import Pixels
from training.distributed import World
from training.runs.recipe import Recipe, iter_run
from training.towers.batches import batch_items, from_pixels
from training.towers.clip import build, encode_captions, load_fitting, tokenizer_of
from training.towers.contrastive import MAX_LOGIT_SCALE, iter_pretrain, pair_loss, parts, pretrain
from training.towers.grad_cache import backward
from training.towers.initial_weights import Start
from training.towers.loss import contrastive_loss, loss_of_guessing, sigmoid_loss
from training.towers.optim import Ema, decay_groups, one_cycle
from training.towers.run_state import Run
from training.towers.settings import Settings

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


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is exact to float error is tested on the CPU; `auto` does not find the GPU here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


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


def test_sigmoid_loss_is_siglips_when_all_names_differ() -> None:
    torch.manual_seed(0)
    images, texts = (torch.nn.functional.normalize(torch.randn(16, 8), dim=-1) for _ in range(2))
    ours = sigmoid_loss(20 * images @ texts.T - 10, *targets(torch.eye(16).tolist()))
    theirs = SigLipLoss()(images, texts, torch.tensor(20.0), torch.tensor(-10.0))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_sigmoid_loss_by_hand() -> None:
    # picture 0: caption 0 is true, of caption 1 nobody knows; picture 1: caption 0 false, caption 1 half true
    positives, negatives = targets([[1, 0], [0, 0.5]])
    negatives[0, 1] = False
    logits = torch.tensor([[2.0, 9.0], [1.0, 3.0]])
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(1)) + 0.5 * math.log1p(math.exp(-3))) / 2
    assert sigmoid_loss(logits, positives, negatives).item() == pytest.approx(expected, rel=1e-6)


def test_what_guessing_costs() -> None:
    positives, negatives = targets(torch.eye(8).tolist())
    assert loss_of_guessing(positives, negatives) == pytest.approx(math.log(8))
    best = loss_of_guessing(positives, negatives, sigmoid=True)
    others = [sigmoid_loss(torch.full((8, 8), bias), positives, negatives).item() for bias in (-3.0, -2.2, -1.7, -1.0)]
    assert best < min(others)
    assert best == pytest.approx(math.log(8) - 7 * math.log(7 / 8), rel=1e-5)


VIT: Mapping[str, Any] = {  # no batch norm, so parts cannot differ from the whole; dropout, so that seeds matter
    "model_cfg": {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8, "patch_dropout": 0.5},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": CONFIG["preprocess_cfg"],
}


def first_gradients(config: Mapping[str, Any], tmp_path: Path, **change: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one step on ten-colour-named pictures."""
    run = Run(config, tmp_path, replace(SETTINGS, **change), World())
    drain(run.iter_begin(None))
    data = squares(24, 0)
    batch = next(from_pixels(data, Captioner(data.pairs, {}), run.tokenizer, run.settings, run.world, 0))
    judge = partial(pair_loss, run.model, *batch.targets.on())
    loss = backward(run.model, *parts(run.model, batch, run, run.settings), judge, run.world)
    return float(loss), {name: p.grad for name, p in run.model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("accumulate", [2, 3])
@pytest.mark.parametrize("name", ["vit", "resnet with batch norm", "vit with sigmoid loss"])
def test_a_batch_in_parts_has_the_gradients_of_the_whole(name: str, accumulate: int, tmp_path: Path) -> None:
    config = CONFIG if "batch norm" in name else VIT
    if "sigmoid" in name:
        config = {**VIT, "model_cfg": {**VIT["model_cfg"], "init_logit_bias": -10, "init_logit_scale": math.log(10)}}
    # chunks of four, so that batch norm sees the same pictures together
    loss, whole = first_gradients(config, tmp_path, chunk=4, batch_size=24)
    again, in_parts = first_gradients(config, tmp_path, chunk=4, batch_size=24, accumulate=accumulate)
    assert again == pytest.approx(loss, rel=1e-6)
    assert whole.keys() == in_parts.keys()
    assert {"logit_scale", "text_projection"} <= whole.keys()
    assert ("logit_bias" in whole) == ("sigmoid" in name)
    for parameter, gradient in whole.items():
        assert gradient.abs().max() > 0
        torch.testing.assert_close(in_parts[parameter], gradient, rtol=1e-4, atol=1e-6 * float(gradient.abs().max()) + 1e-8)


def test_small_batches_added_up_would_be_something_else(tmp_path: Path) -> None:
    _, whole = first_gradients(VIT, tmp_path, chunk=4, batch_size=24)
    _, small = first_gradients(VIT, tmp_path, chunk=4, batch_size=12)
    assert not torch.allclose(whole["text_projection"], small["text_projection"], rtol=0.05)


def test_batch_norm_moves_once_a_step_also_in_parts(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=1, chunk=10)
    statistics = []
    for accumulate in (1, 3):
        drain(
            iter_pretrain(CONFIG, squares(30, 0), {}, tmp_path / str(accumulate), replace(settings, accumulate=accumulate))
        )
        model = torch.load(tmp_path / str(accumulate) / "checkpoint.pt", weights_only=True)["model"]
        statistics.append((model["visual.trunk.norm.running_var"], int(model["visual.trunk.norm.num_batches_tracked"])))
    assert statistics[0][1] == statistics[1][1] == 3
    torch.testing.assert_close(statistics[0][0], statistics[1][0])


def test_the_sigmoid_loss_learns_the_colours(tmp_path: Path) -> None:
    config = {**CONFIG, "model_cfg": {**CONFIG["model_cfg"], "init_logit_bias": -10, "init_logit_scale": math.log(10)}}
    settings = replace(SETTINGS, text_steps=10)
    *_, last = iter_pretrain(config, squares(200, 0), {}, tmp_path, settings, {"squares": squares(50, 1)})
    assert last.metrics["zero_shot/squares"] > 0.9
    encoder = load(f"local-dir:{tmp_path / 'model'}", "cpu", "fp32")
    assert encoder.logit_bias is not None


SAVED_OFTEN = replace(SETTINGS, steps=12, save_minutes=0.0005)


def until_killed(out: Path) -> None:
    """A training that is killed after its seventh step."""
    for step in iter_pretrain(VIT, squares(45, 0), {}, out, SAVED_OFTEN, device="cpu"):
        if step.done == 7:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_goes_on_exactly(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    process = fork(until_killed, broken)
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert 0 < torch.load(broken / "checkpoint.pt", weights_only=True)["step"] <= 7
    with (broken / "log.jsonl").open("a") as log:
        log.write('{"step": 8, "lo')  # what a crash may leave
    for out in (whole, broken):
        pretrain(VIT, squares(45, 0), {}, out, SAVED_OFTEN)
    logs = [[json.loads(line) for line in (out / "log.jsonl").open()] for out in (whole, broken)]
    assert [row["step"] for row in logs[1]] == list(range(1, 13))
    assert [row["loss"] for row in logs[1]] == pytest.approx([row["loss"] for row in logs[0]], rel=1e-5)
    finals = [torch.load(out / "checkpoint.pt", weights_only=True)["ema"] for out in (whole, broken)]
    for name, weight in finals[0].items():
        torch.testing.assert_close(finals[1][name], weight, rtol=1e-5, atol=1e-6)


def test_whoever_stops_early_keeps_what_was_learned(tmp_path: Path) -> None:
    steps = iter_pretrain(VIT, squares(45, 0), {}, tmp_path, replace(SETTINGS, save_minutes=99))
    for step in steps:
        if step.done == 3:
            break
    steps.close()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    assert load(f"local-dir:{tmp_path / 'model'}", "cpu", "fp32").dim == 16
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 not one")
    with pytest.raises(BadInput, match="is damaged"):
        drain(iter_pretrain(VIT, squares(45, 0), {}, tmp_path, SETTINGS))


@pytest.mark.parametrize("kind", [CLIP, SIGLIP], ids=["clip", "siglip"])
def test_a_model_of_open_clips_is_trained_further(kind: dict[str, Any], tmp_path: Path) -> None:
    """Captions that the random start cannot know are learned, from the start's own weights and for its own tokenizer."""
    name = write_model(tmp_path / "start", kind)
    start = Start.load(name)
    data = squares(40, 0)
    data = Pixels(
        data.images, [Pair(pair.key, b"", (f"a {pair.name} square", f"something {pair.name}")) for pair in data.pairs]
    )
    settings = replace(SETTINGS, steps=40, batch_size=20, learning_rate=1e-3, text_rate=1.0)
    untouched = replace(settings, steps=1, learning_rate=0.0)
    model = drain(iter_pretrain(start.config, data, {}, tmp_path / "no", untouched, {}, start.weights, start.tokenizer))
    before, same = load(name, "cpu", "fp32"), load(f"local-dir:{model}", "cpu", "fp32")
    np.testing.assert_allclose(same.embed_images(data.images[:4]), before.embed_images(data.images[:4]), atol=2e-3)
    np.testing.assert_allclose(same.embed_texts(["a cat"]), before.embed_texts(["a cat"]), atol=2e-3)

    losses: list[float] = []
    steps = iter_pretrain(start.config, data, {}, tmp_path / "yes", settings, {}, start.weights, start.tokenizer)
    model = drain(steps, lambda step: losses.append(step.metrics["loss"]))
    assert losses[-1] < 0.8 * losses[0]
    after = load(f"local-dir:{model}", "cpu", "fp32")
    colours = [data.pairs[i].captions[0] for i in range(5)]
    texts, images = after.embed_texts(colours), after.embed_images(data.images[:20])
    answers = (images @ texts.T).argmax(1)
    assert np.mean(answers == np.arange(20) % 5) >= 0.7  # guessing gives 0.2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"multimodal_cfg": {}}, "two towers"),
        ({"nonsense": 1}, "describes no model"),
        ({"text_cfg": {**VIT["model_cfg"]["text_cfg"], "hf_tokenizer_name": "org/name"}}, "a tokenizer of its own"),
        ({"vision_cfg": {**VIT["model_cfg"]["vision_cfg"], "image_size": [16, 32]}}, "square pictures"),
    ],
)
def test_configs_that_cannot_be_trained(change: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    config = {**VIT, "model_cfg": {**VIT["model_cfg"], **change}}
    with pytest.raises(BadInput, match=sentence) as caught:
        pretrain(config, squares(20, 0), {}, tmp_path, SETTINGS)
    assert_sentence(caught.value)


def test_half_the_bits_learn_nearly_the_same(tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=5)
    for bf16 in (None, True):
        pretrain(VIT, squares(45, 0), {}, tmp_path / str(bf16), replace(settings, bf16=bf16))
    full, half = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("None", "True"))
    assert half["losses"] != full["losses"]  # it was used
    assert half["losses"] == pytest.approx(full["losses"], rel=0.05)
    assert {weight.dtype for weight in half["model"].values() if weight.is_floating_point()} == {torch.float32}


@pytest.mark.skipif(torch.cuda.device_count() == 0, reason="no CUDA device here")
@pytest.mark.parametrize(("bf16", "tolerance"), [(False, 1e-2), (None, 0.1)])
def test_a_gpu_learns_the_same(bf16: bool | None, tolerance: float, tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=5, accumulate=2, bf16=bf16)
    for device in ("cpu", "cuda"):
        pretrain(CONFIG, squares(45, 0), {}, tmp_path / device, settings, {"squares": squares(10, 1)}, device=device)
    alone, gpu = (torch.load(tmp_path / d / "checkpoint.pt", weights_only=True, map_location="cpu") for d in ("cpu", "cuda"))
    assert gpu["losses"] == pytest.approx(alone["losses"], rel=tolerance)
