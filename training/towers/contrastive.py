"""Contrastive language-image pre-training on one screen (Radford et al., 2021, sections 2.3 to 2.5).

The loop knows pictures, sentences and which sentence is true of which picture, and no task: labels, prompts and
classifiers are elsewhere. Every random choice of a step follows from (seed, step) alone, so a run that was interrupted
goes on exactly as it would have gone. `training.runs.recipe` reads what a run is made of from a file.
"""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from open_clip.model import CLIP

from clipcore.progress import Step, drain

from ..data.captions import Captioner
from ..data.pixels import Pixels
from ..data.streamed import Stream
from ..distributed import World
from .batches import Batch, ahead, from_pixels, from_stream
from .clip import Tokenizer, encode_captions, encode_pictures
from .grad_cache import Part, backward
from .loss import contrastive_loss, sigmoid_loss
from .run_state import Run
from .settings import Settings

MAX_LOGIT_SCALE = math.log(100)  # paper, section 2.5: larger scales made training unstable


def iter_pretrain(
    config: Mapping[str, Any],
    data: Pixels | Stream,
    names: Mapping[str, Mapping[str, Sequence[str]]],
    out: str | Path,
    settings: Settings | None = None,
    held_out: Mapping[str, Pixels] | None = None,
    start: Mapping[str, torch.Tensor] | None = None,
    tokenizer: Tokenizer | None = None,
    device: str = "auto",
) -> Generator[Step, None, Path]:
    """Train a model of `config` on `data`, or go on where a run in `out` stopped; returns the folder of the finished model.

    config: open_clip's {"model_cfg", "preprocess_cfg"}; with `init_logit_bias` in the model's, the loss is the sigmoid loss,
    else InfoNCE. names: the names table for captions (see `training.data.captions`); held_out: pictures to be scored now and
    then; start: weights to begin with, where name and shape fit: that is fine-tuning; tokenizer: CLIP's own unless given.
    `out` receives `checkpoint.pt`, `log.jsonl` and `model/`, which open_clip loads as `local-dir:OUT/model`.

    There is a Step after each step of training. Every `log_every` of them carry the metrics loss, logit_scale, lr, size,
    seconds, images_per_s, and now and then `zero_shot/<set>` or `recall5/<set>`. Closing the generator leaves a checkpoint.
    Under `torchrun` every process calls this, and the first one writes; the metrics have processes, images_per_s_each and
    efficiency as well. The next start may have another number of processes. Raises BadInput for a config, a device or a
    checkpoint that cannot be used.
    """
    settings = settings or Settings()
    world = World.join(device)
    run = Run(config, Path(out), settings, world, start, tokenizer)
    if isinstance(data, Pixels):
        captioner = Captioner(data.pairs, names, settings.hypernym_weight, settings.hypernyms_per_batch)
        yield from run.iter_begin(captioner)
        batches = ahead(from_pixels(data, captioner, run.tokenizer, settings, world, run.step))
    else:
        yield from run.iter_begin(None)
        batches = from_stream(data, names, run.tokenizer, settings, world, run.step)
    with closing(run), closing(batches):
        while run.progress < 1:
            began = time.perf_counter()
            run.set_rate()
            batch = next(batches)
            run.count(learn(run, batch), began)
            try:
                yield run.report(held_out or {}, batch.targets)
            except GeneratorExit:  # whoever watched has seen enough
                run.save()
                raise
        run.save()  # of no step at all, if that is what was asked; else it is saved already
    return run.out / "model"


def pretrain(*args: Any, **kwargs: Any) -> Path:
    """`iter_pretrain`, run to its end."""
    return drain(iter_pretrain(*args, **kwargs))


def learn(run: Run, batch: Batch) -> float:
    """One step: the model and the optimiser of `run` are updated; returns the loss."""
    model, settings, world = run.model, run.settings, run.world

    # forward, and backward through the loss of the whole batch
    judge = partial(pair_loss, model, *batch.targets.on(world.device))
    run.optimizer.zero_grad()
    loss = backward(model, *parts(model, batch, run, settings), judge, world)

    # update the parameters
    torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
    run.optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
    return float(loss)


def pair_loss(
    model: CLIP, positives: torch.Tensor, negatives: torch.Tensor, images: torch.Tensor, texts: torch.Tensor
) -> torch.Tensor:
    """The loss of unit vectors images [n, d], texts [m, d] at the model's temperature: with a bias, the sigmoid loss."""
    logits = model.logit_scale.exp() * images @ texts.T
    if model.logit_bias is None:
        return contrastive_loss(logits, positives, negatives)
    return sigmoid_loss(logits + model.logit_bias, positives, negatives)


def parts(model: CLIP, batch: Batch, run: Run, settings: Settings) -> tuple[list[Part], list[Part]]:
    """The forward passes of this process's pictures and captions, in `settings.accumulate` parts each.

    Each chunk has its own seeds for augmentation and dropout, from its number in the whole batch: so it does not matter in
    how many parts or processes the batch is learned, and a part gives the same features when it is asked again.
    """
    model.train()
    step, size, device = run.step, run.size, run.world.device
    bf16 = torch.autocast(device.type, torch.bfloat16, enabled=run.bf16)

    def look(chunks: np.ndarray) -> torch.Tensor:
        features = []
        for i in chunks:
            rng = np.random.default_rng([settings.seed, step, 2, batch.first + i])
            torch.manual_seed(int(rng.integers(2**63)))
            with bf16:
                features.append(encode_pictures(model, batch.pictures[i], size, rng, settings.restyled))
        return torch.cat(features)

    def read(i: int) -> torch.Tensor:
        torch.manual_seed(int(np.random.default_rng([settings.seed, step, 3, run.world.rank, i]).integers(2**63)))
        tokens = batch.tokens[i]
        with bf16:
            return encode_captions(model, tokens) if len(tokens) else torch.zeros(0, run.dim, device=device)

    groups = np.array_split(np.arange(len(batch.pictures)), min(settings.accumulate, len(batch.pictures)))
    return [partial(look, group) for group in groups], [partial(read, i) for i in range(len(batch.tokens))]
