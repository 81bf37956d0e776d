"""Embedding a folder of 12-megapixel and of 1-megapixel JPEGs: ours against open_clip's README loop, batch 32."""

import tempfile
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from clipcore import drain
from clipcore.device import choose_precision
from clipcore.encoder import Encoder
from clipcore.space import Space
from clipcore.stream import iter_embed

from .pairs import Row, timed_pair

OTHER = "preprocess and encode_image in batches of 32, as in open_clip's README"
SIZES = {"12 megapixels": (4000, 3000), "1 megapixel": (1152, 864)}


def run(quick: bool) -> list[Row]:
    """ViT-B-32 with random weights, generated photo-like pictures, everything in the page cache."""
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    model.eval()
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    cpu = torch.device("cpu")
    dtype = choose_precision(model.visual, (224, 224), cpu, "benchmark-vit-b-32")
    reduced, _, _ = open_clip.create_model_and_transforms("ViT-B-32")
    reduced.load_state_dict(model.state_dict())
    encoder = Encoder(reduced, preprocess, tokenizer, Space("0" * 64, "ViT-B-32", 512), cpu, dtype)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            count = 16 if quick else 64
            files = _pictures(Path(folder) / name.replace(" ", "-"), count, size)

            def ours(files: list[Path] = files) -> object:
                return drain(iter_embed(encoder, files)).vectors

            def other(files: list[Path] = files) -> object:
                chunks = []
                with torch.no_grad():
                    for start in range(0, len(files), 32):
                        batch = torch.stack([preprocess(Image.open(file)) for file in files[start : start + 32]])
                        chunks.append(model.encode_image(batch, normalize=True))
                return torch.cat(chunks).numpy()

            drift = float((np.asarray(ours()) * np.asarray(other())).sum(1).min())
            rows.append(timed_pair(f"{count} JPEGs of {name} (least cosine to other {drift:.4f})", ours, other, 5))
    return rows


def _pictures(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    folder.mkdir()
    random = np.random.default_rng(0)
    files = []
    for index in range(count):
        coarse = Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
        detail = Image.fromarray(random.integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)).resize(size)
        files.append(folder / f"{index}.jpg")
        Image.blend(coarse, detail, 0.15).save(files[-1], quality=90)
    return files
