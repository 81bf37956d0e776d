"""Images a second on a GPU, JPEGs to vectors: ours against the same loop in plain open_clip, for four models.

Both read the same files, from the page cache, with the same random weights. The loop is given what people who know it give
it: a DataLoader with a worker for each core and pinned memory, and autocast to the same 16-bit type. Ours is the stream that
an import runs, hashing included. Its precision and batch size are measured before the clock runs, as for an import.

The tower is compiled after a minute of importing, so the last row of each model runs that minute first.
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
import typer
from PIL import Image
from torch.utils.data import DataLoader

from clipcore import drain
from clipcore.encoding.device import choose_batch_size, choose_precision, half
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.gpu import AFTER
from clipcore.encoding.stream import iter_embed
from clipcore.space import Space

from .embed import drift, photographs
from .pairs import Row, timed_pair

OTHER = "encode_image over a DataLoader with pinned memory and autocast"
MODELS = ("ViT-B-32", "RN50", "convnext_base_w", "ViT-L-14")
BATCH = 256  # theirs
NO_GPU = "The benchmark gpu needs an NVIDIA GPU, and there is none here; run it on a machine where torch finds one."


def run(quick: bool) -> list[Row]:
    """Photo-like JPEGs of about one megapixel."""
    if not torch.cuda.is_available():
        raise typer.BadParameter(NO_GPU)
    device, rows = torch.device("cuda"), []
    with tempfile.TemporaryDirectory() as folder:
        files = photographs(Path(folder) / "photos", 512 if quick else 4096, (1152, 864))
        for name in MODELS:
            rows += of_model(name, device, files, 0 if quick else AFTER)
            torch.cuda.empty_cache()
    return rows


def of_model(name: str, device: torch.device, files: list[Path], importing: float) -> list[Row]:
    """Rows for one model: at once, and after `importing` seconds of an import unless that is 0."""
    torch.manual_seed(0)
    theirs, _, preprocess = open_clip.create_model_and_transforms(name)
    theirs = theirs.to(device).eval()
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

    about = f"{name}, {str(dtype).removeprefix('torch.')}, {encoder.batch_size} at once"
    case = f"{about} ({drift(encoder, ours(), other(reduced=False))})"
    rows = [_rates(timed_pair(case, ours, other, 5), len(files))]
    if importing:
        end = time.monotonic() + importing
        while time.monotonic() < end:
            ours()
        rows.append(_rates(timed_pair(f"{name}, after a minute's import", ours, other, 5), len(files)))
    return rows


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
