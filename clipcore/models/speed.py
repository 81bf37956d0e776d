"""How fast a model is on this machine: one figure, measured when asked, remembered, and shown everywhere.

It is the rate at which a library takes pictures in: JPEGs of one megapixel, decoded and embedded on all cores. What a model
could do with pictures that are decoded already says little to somebody with a folder, and is ten times as much for a small
one. Losing what was measured costs seconds.
"""

import hashlib
import io
import time
from collections.abc import Generator
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..progress import Step, drain

if TYPE_CHECKING:
    from ..encoding.device import Memory
    from ..encoding.encoder import Encoder

SECONDS = 6.0  # of measuring, at most; of a model that needs longer for two batches, those count
ENOUGH = 200  # pictures that are counted, at most
WARM = 0.25  # share of that time in which nothing is counted
SIDE = (1152, 864)  # pixels of the pictures


def iter_measure_speed(encoder: "Encoder", name: str, seconds: float = SECONDS) -> Generator[Step, None, float]:
    """Images a second from JPEG to vector; kept under the model's `name`."""
    from ..encoding.stream import embed_stream

    jpeg = _photograph()
    yield Step(0, 100, "warming up")
    encoder.settle()
    began = time.perf_counter()
    first: float | None = None  # when counting began
    done, rate = 0, 0.0
    # what stands behind a JPEG's end is not read: each is another file with the same picture
    with closing(embed_stream(encoder, count(), lambda number: jpeg + number.to_bytes(8, "big"))) as stream:
        for batch in stream:
            now = time.perf_counter()
            if first is None:
                first = now if now - began >= WARM * seconds else None
            else:
                done += len(batch)
                rate = done / (now - first)
            share = min(1.0, (now - began) / seconds)
            yield Step(round(100 * share), 100, "measuring")
            if done >= ENOUGH or (share >= 1 and done):
                break
    _memory(name).put(f"{rate:.2f}")
    return rate


def measure_speed(encoder: "Encoder", name: str) -> float:
    """`iter_measure_speed`, run to its end."""
    return drain(iter_measure_speed(encoder, name))


def iter_speed(encoder: "Encoder", name: str) -> Generator[Step, None, float]:
    """What was measured on this machine; measured now if it never was."""
    return remembered_speed(name) or (yield from iter_measure_speed(encoder, name))


def remembered_speed(name: str) -> float | None:
    """What was measured on this machine, in images a second, or None."""
    try:
        return float(_memory(name).get() or 0) or None
    except ValueError:
        return None


def _photograph() -> bytes:
    """A JPEG with about as much in it as a photograph: coarse colours, and a little noise."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize(SIDE, Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse, np.int16) + random.integers(-12, 13, (SIDE[1], SIDE[0], 1))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def _memory(name: str) -> "Memory":
    from ..encoding.device import Memory, machine_name, pick_device

    device = pick_device()
    place = f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{device.type}-{machine_name(device)}"
    return Memory("speed", f"{place}-jpeg", "images_per_second")
