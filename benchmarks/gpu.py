"""Images a second on a GPU, JPEGs to vectors: ours against the same loop in plain open_clip, for four models.

Both read the same files, from the page cache, with the same random weights. The loop is given what people who know it give
it: a DataLoader with a worker for each core and pinned memory, and autocast to the same 16-bit type. Ours is the stream that
an import runs, hashing included. Its precision and batch size are measured before the clock runs, as for an import.

An import compiles the tower after a minute; the last row of each model has it compiled at once. All of it is to fit into
eight minutes on a borrowed machine: what is not begun after `MINUTES` is left out and said. `python -m benchmarks.gpu` runs
every line on a CPU with few files, where the figures mean nothing. On such a machine first the tests that need a GPU:

    python -m pytest -q tests/clipcore/encoding/test_gpu.py tests/training/towers/test_contrastive.py
"""

import copy
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import typer
from PIL import Image
from torch.utils.data import DataLoader

from clipcore import drain
from clipcore.encoding.device import GPU_SIZES, choose_batch_size, choose_precision, half
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.gpu import Compiled
from clipcore.encoding.stream import iter_embed
from clipcore.space import Space

from .embed import drift, photographs
from .pairs import Row, timed_pair

OTHER = "encode_image over a DataLoader with pinned memory and autocast"
MODELS = ("ViT-B-32", "RN50", "convnext_base_w", "ViT-L-14")
BATCH = 256  # theirs
MINUTES = 7.0
ROUNDS = 3
ON_CPU = 32  # files that are embedded on the CPU, too: the answers of both have to agree
NO_GPU = "The benchmark gpu needs an NVIDIA GPU, and there is none here; run it on a machine where torch finds one."


def run(quick: bool) -> list[Row]:
    """Photo-like JPEGs of about one megapixel."""
    if not torch.cuda.is_available():
        raise typer.BadParameter(NO_GPU)
    return measure(torch.device("cuda"), MODELS, 512 if quick else 2048, compiling=not quick)


def measure(device: torch.device, names: tuple[str, ...], count: int, compiling: bool) -> list[Row]:
    """Rows for each model, as far as the time goes; each is printed at once, too, lest a machine be gone with all."""
    end, rows = time.monotonic() + 60 * MINUTES, []
    with tempfile.TemporaryDirectory() as folder:
        files = photographs(Path(folder) / "photos", count, (1152, 864))
        for name in names:
            if time.monotonic() > end:
                typer.echo(f"{name} is left out: {MINUTES:g} minutes are over", err=True)
                continue
            for row in of_model(name, device, files, compiling):
                typer.echo(str(row), err=True)
                rows.append(row)
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return rows


def of_model(name: str, device: torch.device, files: list[Path], compiling: bool) -> Iterator[Row]:
    """A row for one model as an import begins, and one with its tower compiled."""
    torch.manual_seed(0)
    theirs, _, preprocess = open_clip.create_model_and_transforms(name)
    exact = _loop(theirs.eval(), preprocess, torch.device("cpu"), files[:ON_CPU], None)
    theirs = theirs.to(device)
    model, side = copy.deepcopy(theirs), theirs.visual.image_size
    size = (side, side) if isinstance(side, int) else side
    dtype = choose_precision(model.visual, size, device, f"benchmark-{name}")
    space = Space("0" * 64, name, open_clip.get_model_config(name)["embed_dim"])
    encoder = Encoder(model, preprocess, open_clip.get_tokenizer(name), space, device, dtype)
    encoder.batch_size = choose_batch_size(model.visual, size, device, dtype, f"benchmark-{name}")

    def ours() -> np.ndarray:
        return drain(iter_embed(encoder, files)).vectors

    def other(reduced: bool = True) -> np.ndarray:
        return _loop(theirs, preprocess, device, files, half(device) if reduced else None)

    found = ours()
    agreeing = f"least cosine to the CPU's float32 {(found[: len(exact)] * exact).sum(1).min():.4f}"
    about = f"{name}, {str(dtype).removeprefix('torch.')}, {encoder.batch_size} at once, {agreeing}"
    yield _rates(timed_pair(f"{about} ({drift(encoder, found, other(reduced=False))})", ours, other, ROUNDS), len(files))
    if compiling:
        encoder._tower = tower = Compiled(model.visual, after=0.0)
        began = time.perf_counter()
        encoder.embed_prepared([encoder.prepare(files[0])] * max(encoder.batch_size, GPU_SIZES[0]))  # a full batch
        seconds = time.perf_counter() - began
        case = f"{name}, {'compiled' if tower.compiled else 'compiling did not pay'}, after {seconds:.0f} s"
        yield _rates(timed_pair(case, ours, other, ROUNDS), len(files))


def _rates(row: Row, count: int) -> Row:
    return Row(row.case, round(count / row.ours, 1), round(count / row.other, 1), row.ratio, "images/s", row.n)


class _Files(torch.utils.data.Dataset[torch.Tensor]):
    """The data set of many a script: a file, opened and preprocessed."""

    def __init__(self, files: list[Path], preprocess: Any) -> None:
        self.files, self.preprocess = files, preprocess

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.preprocess(Image.open(self.files[index]))


def _loop(model: Any, preprocess: Any, device: torch.device, files: list[Path], dtype: torch.dtype | None) -> np.ndarray:
    """Vectors [n, dim]; exact where `dtype` is None."""
    on_gpu, chunks = device.type != "cpu", []
    loader = DataLoader(_Files(files, preprocess), BATCH, num_workers=os.cpu_count() or 1, pin_memory=on_gpu)
    with torch.no_grad(), torch.autocast(device.type, dtype, enabled=dtype is not None):
        for batch in loader:
            vectors = model.encode_image(batch.to(device, non_blocking=True), normalize=True)
            chunks.append(vectors.float().cpu())
    return torch.cat(chunks).numpy()


if __name__ == "__main__":  # the rehearsal
    for row in measure(torch.device("cpu"), MODELS[:1], 8, compiling=True):
        print(row)
