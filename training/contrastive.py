"""Contrastive language-image pre-training on one screen (Radford et al., 2021, sections 2.3 to 2.5).

The loop knows pictures, sentences and which sentence is true of which picture, and no task: labels, prompts and
classifiers are elsewhere. Every random choice of a step follows from (seed, step) alone, so a run that was interrupted
goes on exactly as it would have gone. `training.recipe` reads what a run is made of from a file.
"""

import functools
import json
import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP

from clipcore.progress import Step, drain

from .captions import Captioner
from .clip import build, encode_captions, encode_pictures, export, load_fitting, tokenizer_of, zero_shot_accuracy
from .optim import Ema, decay_groups, one_cycle
from .pixels import Pixels

MAX_LOGIT_SCALE = math.log(100)  # paper, section 2.5: larger scales made training unstable


@dataclass(frozen=True)
class Settings:
    """What a run is made of. `minutes`, if given, replaces `steps` as the length of the schedule (of time spent training):
    it keeps a promise on a busy computer, but then no two runs are quite alike."""

    batch_size: int = 512
    steps: int = 10_000
    minutes: float | None = None
    learning_rate: float = 3e-3
    text_rate: float = 0.4  # times learning_rate, for the text tower
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: float = 0.05  # share of the schedule
    clip_norm: float = 1.0
    ema: float = 0.999
    sizes: tuple[tuple[float, int], ...] = ((0.0, 64),)  # from which share of the schedule on pictures have which side
    chunk: int = 64  # pictures that go through the image tower together; on a CPU a chunk that fits its cache is faster
    bf16: bool = False
    seed: int = 0
    text_steps: int = 0  # of the text tower alone, before all else
    hypernym_weight: float = 0.15
    hypernyms_per_batch: int = 48
    log_every: int = 20
    patience: int = 200  # steps at the loss of guessing before that is said
    save_minutes: float = 5.0
    evaluate_minutes: float = 10.0


def contrastive_loss(logits: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """The symmetric cross-entropy of the paper (Fig. 3) where a picture may have several true captions and a caption several
    pictures.

    logits: [n, m], pictures by captions, scaled; positives: [n, m] weights, 0 where not true; negatives: bool [n, m].
    Each true caption is told from the false ones only, never from another true one. With the identity as positives and all
    else negative this is the paper's loss exactly.
    """
    return (_one_way(logits, positives, negatives) + _one_way(logits.T, positives.T, negatives.T)) / 2


def _one_way(logits: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    # -log(e^p / (e^p + sum of e^n)) = softplus(logsumexp(n) - p)
    wrong = logits.masked_fill(~negatives, torch.finfo(logits.dtype).min).logsumexp(1, keepdim=True)
    weight = positives.sum(1)
    losses = (F.softplus(wrong - logits) * positives).sum(1)
    has_positive = weight > 0
    return (losses[has_positive] / weight[has_positive]).mean()


def iter_pretrain(
    config: Mapping[str, Any],
    data: Pixels,
    names: Mapping[str, Mapping[str, Sequence[str]]],
    out: str | Path,
    settings: Settings = Settings(),
    held_out: Mapping[str, Pixels] | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
) -> Generator[Step, None, Path]:
    """Train a model of `config` on `data`, or go on where a run in `out` stopped; returns the folder of the finished model.

    names: the names table for captions (see `training.captions`); held_out: labelled pictures for the zero-shot accuracy
    reported now and then; start: weights to begin with, where name and shape fit. `out` receives `checkpoint.pt`,
    `log.jsonl` and `model/`, which open_clip loads as `local-dir:OUT/model`. Steps carry the metrics loss, logit_scale,
    lr, images_per_s, and zero-shot accuracies as `zero_shot/<set>`.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    torch.manual_seed(settings.seed)
    model = build(config)
    if start:
        load_fitting(model, start)
    captioner = Captioner(data.pairs, names, settings.hypernym_weight, settings.hypernyms_per_batch)
    tokenizer = tokenizer_of(model)
    if not checkpoint.exists():
        yield from spread_names(model, captioner, settings)
    ema = Ema(model, settings.ema)
    optimizer = torch.optim.AdamW(
        decay_groups(model, settings.learning_rate, settings.weight_decay, settings.text_rate),
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=1e-6,
        fused=True,
    )
    step, seconds = 0, 0.0  # seconds of training so far, without evaluation and without pauses
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        ema.model.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds = state["step"], state["seconds"]

    def save() -> None:
        state = {"model": model.state_dict(), "ema": ema.model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**state, "step": step, "seconds": seconds}, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)
        export(ema.model, config, out / "model")

    total = 0 if settings.minutes else settings.steps
    saved = evaluated = seconds
    losses: list[float] = []
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        while (progress := _progress(step, seconds, settings)) < 1:
            began = time.perf_counter()
            size = [side for share, side in settings.sizes if share <= progress][-1]
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * one_cycle(progress, settings.warmup)

            # the batch: pictures, one caption for each of their names, what is true of what
            rng = np.random.default_rng([settings.seed, step])
            items = batch_items(len(data), settings.batch_size, step, settings.seed)
            captions, targets = captioner.batch(items, rng)
            model.train()
            with torch.autocast("cpu", torch.bfloat16, enabled=settings.bf16):
                image_features = encode_pictures(model, data.images[items], size, settings.chunk, rng)
                text_features = encode_captions(model, tokenizer(captions))
            logits = model.logit_scale.exp() * image_features @ text_features.T
            loss = contrastive_loss(logits, torch.from_numpy(targets.positives), torch.from_numpy(targets.negatives))

            # backprop and update the parameters
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimizer.step()
            with torch.no_grad():
                model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
            step += 1
            ema.update(model, step)
            losses.append(float(loss.detach()))
            chance = sum(map(math.log, logits.shape)) / 2  # the loss of a model that tells nothing apart
            seconds += time.perf_counter() - began

            # monotonous bookkeeping
            over = _progress(step, seconds, settings) >= 1
            metrics: dict[str, float] = {}
            if step % settings.log_every == 0 or over:
                recent = losses[-settings.log_every :]
                metrics = {
                    "loss": sum(recent) / len(recent),
                    "logit_scale": float(model.logit_scale.detach().exp()),
                    "lr": settings.learning_rate * one_cycle(progress, settings.warmup),
                    "images_per_s": settings.batch_size / (time.perf_counter() - began),
                    "size": size,
                    "seconds": seconds,
                }
            if held_out and (over or seconds - evaluated >= 60 * settings.evaluate_minutes):
                evaluated = seconds
                for name, pictures in held_out.items():
                    metrics[f"zero_shot/{name}"] = zero_shot_accuracy(ema.model, pictures, size)
            if over or seconds - saved >= 60 * settings.save_minutes:
                saved = seconds
                save()
            if metrics:
                log.write(json.dumps({"step": step, **{k: round(v, 5) for k, v in metrics.items()}}) + "\n")
                log.flush()
                yield Step(step, total, _advice(losses[-settings.patience :], chance, settings), metrics)
    return out / "model"


def pretrain(*args: Any, **kwargs: Any) -> Path:
    """`iter_pretrain`, run to its end."""
    return drain(iter_pretrain(*args, **kwargs))


def spread_names(model: CLIP, captioner: Captioner, settings: Settings) -> Generator[Step, None, None]:
    """Teach the text tower alone that two captions of one name belong together and captions of different names do not.

    A fresh text tower puts all captions in one place, and for minutes the image tower has nothing to aim at. A few dozen
    cheap steps on sentences spread the names out, each near its hypernyms.
    """
    tower = [p for name, p in model.named_parameters() if not name.startswith("visual.") and name != "logit_scale"]
    optimizer = torch.optim.AdamW(tower, lr=1e-3, betas=settings.betas, weight_decay=0.0)
    tokenizer = tokenizer_of(model)
    for step in range(settings.text_steps):
        first, second, targets = captioner.twice(np.random.default_rng([settings.seed, step, 1]))
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bf16):
            features = encode_captions(model, tokenizer(first + second))
        one, other = features.split(len(first))
        logits = model.logit_scale.detach().exp() * one @ other.T
        loss = contrastive_loss(logits, torch.from_numpy(targets.positives), torch.from_numpy(targets.negatives))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % settings.log_every == 0:
            yield Step(0, message="spreading the names", metrics={"text_loss": float(loss.detach())})


def batch_items(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Indices of batch `step` (int, sorted): shuffled passes over `n` pictures, each order drawn from (seed, pass).

    The last batch of a pass is dropped if it is not full. Sorted, since a memory-mapped array likes to be read forwards.
    """
    batch_size = min(batch_size, n)
    per_pass = n // batch_size
    which, position = divmod(step, per_pass)
    order = _shuffled(n, which, seed)
    return np.sort(order[position * batch_size : (position + 1) * batch_size])


@functools.lru_cache(maxsize=1)
def _shuffled(n: int, which: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, which, n]).permutation(n)


def _progress(step: int, seconds: float, settings: Settings) -> float:
    return seconds / (60 * settings.minutes) if settings.minutes else step / settings.steps


def _advice(losses: Sequence[float], chance: float, settings: Settings) -> str:
    if len(losses) == settings.patience and sum(losses) / len(losses) > 0.98 * chance:
        return f"The loss stays near {chance:.2f}, what guessing gives: nothing is being learned. Lower the learning rate?"
    return ""
