"""OpenVINO beside torch: JPEGs of a megapixel to vectors, hashing included, with the engine of a trial's choice and without.

The same weights in both, random but for the starter's: speed does not depend on them. Drift does, and towers with random
weights give all pictures nearly one vector, so 16-bit types seldom pass the trial here that a trained tower would pass. In
brackets: which engine was chosen, milliseconds of one core for the tower alone in torch and in the engine, seconds of the
trial and of opening what it left, megabytes of that file and of memory, and the least cosine between the two vectors.
"""

import copy
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch

from clipcore import drain, models
from clipcore.encoding.device import choose_batch_size, choose_precision, generated_pictures, one_thread
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.engine import Engine, engine_for
from clipcore.encoding.folding import folded
from clipcore.encoding.stream import iter_embed
from clipcore.space import Space

from .embed import SIZES, SMALL, photographs
from .pairs import Row, timed_pair

OTHER = "torch alone, in the precision that it is quickest in"
TOWERS = (models.STARTER, "RN50", "MobileCLIP2-S0", "ViT-B-32")
QUICK, TIMED, ROUNDS = 32, 128, 5
CPU = torch.device("cpu")


def run(quick: bool) -> list[Row]:
    """A row for each tower; all measured anew."""
    with tempfile.TemporaryDirectory() as folder:
        files = photographs(Path(folder) / "photos", QUICK if quick else TIMED, SIZES[SMALL])
        before = os.environ.get("SAYSO_CACHE")
        os.environ["SAYSO_CACHE"] = folder
        try:
            return [of_tower(name, files) for name in TOWERS]
        finally:
            os.environ.pop("SAYSO_CACHE")
            if before is not None:
                os.environ["SAYSO_CACHE"] = before


def of_tower(name: str, files: list[Path]) -> Row:
    """The whole stream with the engine of the trial's choice against torch."""
    parts, dtype, size = _loaded(name)
    exact = copy.deepcopy(parts[0].visual)
    plain = Encoder(*parts, CPU, dtype)
    plain.batch_size = choose_batch_size(plain._model.visual, size, CPU, dtype, name)
    engine = engine_for(plain._model.visual, exact, size, dtype, name)
    if engine is None:  # a transformer, or no OpenVINO here: both sides are the same
        chosen, told = plain, "torch, not tried"
    else:
        chosen = Encoder(*parts, CPU, dtype, engine)
        chosen.batch_size = plain.batch_size
        told = _trial(engine, plain, lambda: engine_for(plain._model.visual, exact, size, dtype, name))
    ours, theirs = (drain(iter_embed(encoder, files)).vectors for encoder in (chosen, plain))
    told += f", least cosine {(ours * theirs).sum(1).min():.6f}"
    case = f"{name}, {len(files)} JPEGs of {SMALL} ({told})"
    return timed_pair(case, lambda: drain(iter_embed(chosen, files)), lambda: drain(iter_embed(plain, files)), ROUNDS)


def _loaded(name: str) -> tuple[tuple[Any, Any, Any, Space], torch.dtype, tuple[int, int]]:
    """Model, preprocessing, tokenizer and space, with torch's precision and the size of its pictures."""
    torch.manual_seed(0)
    if name == models.STARTER:
        model, preprocess, tokenizer = models.open_clip_model(name)
        dim = models.load(name, "cpu", "fp32").dim
    else:
        model, _, preprocess = open_clip.create_model_and_transforms(name)
        tokenizer, dim = open_clip.get_tokenizer(name), open_clip.get_model_config(name)["embed_dim"]
    side = model.eval().visual.image_size
    size = (side, side) if isinstance(side, int) else tuple(side)
    model.requires_grad_(False)
    model.visual = folded(model.visual, generated_pictures(2, size))
    return (model, preprocess, tokenizer, Space("0" * 64, name, dim)), choose_precision(model.visual, size, CPU, name), size


def _trial(engine: Engine, plain: Encoder, again: Any) -> str:
    """Decide, and open a second time what was left; in words."""
    seconds = {}
    memory = _resident()
    began = time.perf_counter()
    engine.decide()
    seconds["trial"] = time.perf_counter() - began
    memory = _resident() - memory
    if engine.running == "torch":
        return f"torch, after a trial of {seconds['trial']:.1f} s"
    began = time.perf_counter()
    again().decide()
    opening = time.perf_counter() - began
    kept = engine.file.stat().st_size / 2**20
    side = plain.image_size
    alone = [_alone(tower, side) for tower in (lambda x: plain.embed_prepared(list(x)), engine)]
    return (
        f"{engine.running}: {alone[0]:.1f} and {alone[1]:.1f} ms, trial {seconds['trial']:.1f} s, opening {opening:.2f} s, "
        f"file {kept:.0f} MiB, memory {memory:.0f} MiB"
    )


def _alone(tower: Any, side: int) -> float:
    """Milliseconds of a core for a picture."""
    pictures, spent = generated_pictures(8, (side, side)), []
    with one_thread():
        for _ in range(5):
            began = time.process_time()  # OpenVINO has threads of its own
            tower(pictures)
            spent.append(time.process_time() - began)
    return 1000 * float(np.median(spent)) / len(pictures)


def _resident() -> float:
    """MiB of memory in use, as Linux tells; elsewhere 0."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0
