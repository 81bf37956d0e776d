"""Embedding a folder of 12-megapixel and of 1-megapixel JPEGs: ours against open_clip's README loop.

Ours streams the files, hashing included; one row adds them to a library, database included. With the starter's weights in
the checkout it is measured too: there decoding is nearly all of the work. The last rows hold the stream against the
machine: what all cores would do if each did nothing but decode and run the tower, as fast as it does either alone.

Beside each row stands what the quick way costs: mean and least cosine to the exact vectors, and how often both find the same
one of 1,000 texts, with its interval; at 1 megapixel over more pictures than are timed. The texts are hardly different from
one another on purpose. With random weights all that is a proxy; the starter's is real.
"""

import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image

from clipcore import drain, models
from clipcore.encoding.device import choose_precision, generated_pictures
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.int8 import quantized
from clipcore.encoding.stream import iter_embed
from clipcore.measure.intervals import share_interval
from clipcore.space import Space
from storage import Library

from .pairs import Row, timed_pair

OTHER = "preprocess and encode_image in batches of 32, as in open_clip's README, unless said"
HOW = (
    "red green blue black white small large old new wooden metal plastic broken clean dirty wet dry bright dark round flat "
    "long short thin thick painted empty full open closed striped plain toy paper frozen burning sleeping running distant "
    "close"
)
WHAT = (
    "dog cat horse bird fish car bus train boat plane bicycle house church bridge tower tree flower mountain river beach "
    "chair table cup bottle clock"
)
LARGE, SMALL = "12 megapixels", "1 megapixel"
SIZES = {LARGE: (4000, 3000), SMALL: (1152, 864)}
TIMED, COMPARED = 64, 600  # pictures


def run(quick: bool) -> list[Row]:
    """ViT-B-32 with random weights and the starter, generated photo-like pictures, everything in the page cache."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        timed = 16 if quick else TIMED
        files = {name: photographs(Path(folder) / name[:2].strip(), timed, size) for name, size in SIZES.items()}
        more = files[SMALL] if quick else photographs(Path(folder) / "more", COMPARED, SIZES[SMALL])
        for model_name, (encoder, model, preprocess) in (found := _models()).items():
            for size, some in files.items():
                compared = more if size == SMALL else some
                vectors = drain(iter_embed(encoder, compared)).vectors
                how = drift(encoder, vectors, _loop(model, preprocess, compared))
                case = f"{model_name}, {len(some)} JPEGs of {size} ({how})"
                rows.append(_against_the_loop(case, encoder, model, preprocess, some))
        encoder, model, preprocess = found["ViT-B-32"]
        large = files[LARGE]
        rows.append(_into_a_library(encoder, model, preprocess, large))
        for size, some in files.items():
            alone = f"ViT-B-32, {len(some)} JPEGs of {size}, against batch 1"
            rows.append(_against_the_loop(alone, encoder, model, preprocess, some, batch=1))
            rows.append(_against_the_machine(f"ViT-B-32, {size}, against the cores' limit", encoder, some))
    return rows


def _models() -> dict[str, tuple[Encoder, Any, Any]]:
    """Name: ours, and theirs with the same weights."""
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    cpu = torch.device("cpu")
    dtype = choose_precision(model.visual, (224, 224), cpu, "benchmark-vit-b-32")
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    parts = preprocess, tokenizer, Space("0" * 64, "ViT-B-32", 512), cpu
    encoder = Encoder(copy.deepcopy(model), *parts, dtype)
    small = quantized(model.eval().visual, generated_pictures(8, (224, 224)))
    in_int8 = Encoder(model, *parts, tower=small)
    found = {"ViT-B-32": (encoder, model, preprocess), "ViT-B-32 in int8": (in_int8, model, preprocess)}
    if models.is_here(models.STARTER):
        starter = models.load(device="cpu")
        theirs, transform = models.open_clip_model(models.STARTER)[:2]
        found["starter"] = (starter, theirs.eval(), transform)
    return found


def _loop(model: Any, preprocess: Any, files: list[Path], batch_size: int = 32) -> np.ndarray:
    """As in open_clip's README."""
    chunks = []
    with torch.no_grad():
        for start in range(0, len(files), batch_size):
            batch = torch.stack([preprocess(Image.open(file)) for file in files[start : start + batch_size]])
            chunks.append(model.encode_image(batch, normalize=True))
    return torch.cat(chunks).numpy()


def _against_the_loop(case: str, encoder: Encoder, model: Any, preprocess: Any, files: list[Path], batch: int = 32) -> Row:
    def ours() -> np.ndarray:
        return drain(iter_embed(encoder, files)).vectors

    def other() -> np.ndarray:
        return _loop(model, preprocess, files, batch)

    return timed_pair(case, ours, other, 5)


def drift(encoder: Encoder, ours: np.ndarray, exact: np.ndarray) -> str:
    """How far vectors [n, dim] are from the exact ones, in words."""
    head = encoder.embed_texts([f"a photo of a {how} {what}" for how in HOW.split() for what in WHAT.split()]).T
    cosines = (ours * exact).sum(1)
    same = int(((ours @ head).argmax(1) == (exact @ head).argmax(1)).sum())
    low, high = share_interval(same, len(ours))
    return (
        f"{len(ours)}: mean cosine {cosines.mean():.5f}, least {cosines.min():.4f}, "
        f"the same of {head.shape[1]:,} texts {same / len(ours):.1%} [{low:.1%}, {high:.1%}]"
    )


def _into_a_library(encoder: Encoder, model: Any, preprocess: Any, files: list[Path]) -> Row:
    def ours() -> object:
        with tempfile.TemporaryDirectory() as home, Library(home, encoder) as library:
            return library.add(files[0].parent)

    case = f"ViT-B-32, the same {len(files)} of 12 megapixels into a library"
    return timed_pair(case, ours, lambda: _loop(model, preprocess, files), 5)


def _against_the_machine(case: str, encoder: Encoder, files: list[Path]) -> Row:
    """Pictures a second of the stream, and of cores that spend on each what decoding and the tower take on one thread."""
    cores, threads = os.cpu_count() or 1, torch.get_num_threads()
    batch = [encoder.prepare(file) for file in files[: encoder.batch_size]]

    def median(work: Callable[[], object]) -> float:
        seconds = []
        for _ in range(6):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds[1:])

    torch.set_num_threads(1)
    decoding = median(lambda: [encoder.prepare(file.read_bytes()) for file in files]) / len(files)
    tower = median(lambda: encoder.embed_prepared(batch)) / len(batch)
    torch.set_num_threads(threads)
    ours, limit = len(files) / median(lambda: drain(iter_embed(encoder, files))), cores / (decoding + tower)
    case = f"{case} ({1000 * decoding:.0f} ms decoding, {1000 * tower:.0f} ms tower)"
    return Row(case, round(ours, 1), round(limit, 1), round(ours / limit, 2), "images/s", 5)


def photographs(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Generated JPEGs, about as hard to decode as photographs."""
    folder.mkdir()
    random = np.random.default_rng(0)
    files = []
    for index in range(count):
        coarse = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        detail = Image.fromarray(random.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)).resize(size)
        files.append(folder / f"{index}.jpg")
        Image.blend(coarse, detail, 0.15).save(files[-1], quality=90)
    return files
