"""Pictures as one array at training resolution: decoded once, then read as fast as memory, so that the model never waits.

On disk a cache is a folder of `pixels.u8` (uint8 [n, size, size, 3], memory-mapped) and `pairs.jsonl` (a pair a line).
"""

import json
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

from clipcore.errors import BadImage, BadInput
from clipcore.pictures.reading import open_image
from clipcore.progress import Step

from .samples import Pair, count
from .styles import restyle


@dataclass(frozen=True)
class Pixels:
    """Decoded pictures and their pairs (whose `image` is empty: the pixels are here).

    images: uint8 [m, size, size, 3]; rows: int [n], which of them belong to the n pairs, or None for all in order.
    """

    images: np.ndarray
    pairs: list[Pair]
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    def take(self, items: Sequence[int] | np.ndarray) -> "Pixels":
        """Some of the pictures, as a view: those of a cache on the disk stay there."""
        rows = np.arange(len(self))[items] if self.rows is None else self.rows[items]
        return Pixels(self.images, [self.pairs[i] for i in items], rows)

    def at(self, items: np.ndarray) -> np.ndarray:
        """The pixels at `items` (int [k]), in memory: uint8 [k, size, size, 3]."""
        return np.asarray(self.images[items if self.rows is None else self.rows[items]])


def decode(image: bytes | Path, size: int) -> np.ndarray:
    """uint8 [size, size, 3], upright: shortest side resized to `size`, then the centre, as open_clip prepares pictures.

    Raises BadImage for what is no picture, or a broken one.
    """
    return np.asarray(ImageOps.fit(open_image(image, near=size), (size, size), Image.Resampling.BICUBIC))


def iter_cache(
    pairs: Iterable[Pair], folder: str | Path, size: int, skipped: Counter[str] | None = None
) -> Generator[Step, None, Pixels]:
    """Decode `pairs` into the cache `folder`; a cache that is already there is used as it is.

    Pictures that do not decode are skipped and counted. Raises BadInput if nothing is left.
    """
    folder = Path(folder)
    table = folder / "pairs.jsonl"
    if not table.exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = 0
        unfinished = table.with_suffix(".part")
        with (folder / "pixels.u8").open("wb") as pixels, unfinished.open("w", encoding="utf-8") as rows:
            for pair in pairs:
                try:
                    picture = decode(pair.image, size)
                except BadImage:
                    count(skipped, "broken picture")
                    continue
                pixels.write(picture.tobytes())
                rows.write(
                    json.dumps({"key": pair.key, "name": pair.name, "captions": pair.captions, "part": pair.part}) + "\n"
                )
                done += 1
                if done % 1000 == 0:
                    yield Step(done, message="decoding pictures")
        unfinished.rename(table)  # the table is written last: with it the cache is whole
    rows_read = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    if not rows_read:
        raise BadInput("This data has no readable picture with a name or a caption.")
    images = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(len(rows_read), size, size, 3))
    return Pixels(
        images, [Pair(row["key"], b"", tuple(row["captions"]), row["name"], row.get("part", "")) for row in rows_read]
    )


def prepare(
    images: np.ndarray,
    size: int,
    mean: Sequence[float],
    std: Sequence[float],
    rng: np.random.Generator | None = None,
    device: torch.device | str = "cpu",
    restyled: float = 0.0,
) -> torch.Tensor:
    """uint8 [n, h, w, 3] to normalised float32 [n, 3, size, size] on `device`, channels last; augmented if `rng` is given.

    Flips, brightness and style (`restyled`: the share that becomes a drawing, a painting, ...) differ from picture to
    picture; the crop (60-100 % of the area, sides within 4:5) is drawn once for all of them, for a slice costs nothing on a
    CPU. Call it with small chunks.
    """
    n, height, width, _ = images.shape
    if rng is not None:
        area, ratio = rng.uniform(0.6, 1.0), np.exp(rng.uniform(-0.22, 0.22))
        h = min(height, round(height * np.sqrt(area * ratio)))
        w = min(width, round(width * np.sqrt(area / ratio)))
        top, left = rng.integers(height - h + 1), rng.integers(width - w + 1)
        images = images[:, top : top + h, left : left + w]
    bytes_ = torch.from_numpy(np.array(images))
    if torch.device(device).type == "cuda":  # a quarter of what the floats would weigh, and the GPU need not wait for it
        bytes_ = bytes_.pin_memory()
    x = bytes_.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
    if x.shape[-2:] != (size, size):
        x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
    if rng is not None and restyled:
        x = restyle(x, restyled, rng)
    centre, spread = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (mean, std))
    x = (x / 255 - centre) / spread
    if rng is not None:
        flip = torch.from_numpy(rng.random(n) < 0.5).to(device)
        x = torch.where(flip.view(n, 1, 1, 1), x.flip(3), x)
        x *= torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)).astype(np.float32)).to(device)
        x += torch.from_numpy(rng.normal(0, 0.15, (n, 3, 1, 1)).astype(np.float32)).to(device)
    return x.contiguous(memory_format=torch.channels_last)
