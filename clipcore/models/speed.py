"""How fast a model is on this machine: measured when asked, and remembered. Losing what was measured costs seconds."""

import hashlib
import time
from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np

from ..progress import Step, drain

if TYPE_CHECKING:
    from ..encoding.device import Memory
    from ..encoding.encoder import Encoder

SECONDS = 10.0  # of measuring, at most
PASSES = 7


def iter_measure_speed(encoder: "Encoder", name: str, seconds: float = SECONDS) -> Generator[Step, None, float]:
    """Images a second through the image tower, the median of a few full batches; kept under the model's `name`."""
    picture = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    batch = [encoder.prepare(picture)] * encoder.batch_size
    yield Step(0, PASSES, "warming up")
    encoder.embed_prepared(batch)
    rates: list[float] = []
    end = time.perf_counter() + seconds
    while len(rates) < PASSES and (not rates or time.perf_counter() < end):
        began = time.perf_counter()
        encoder.embed_prepared(batch)
        rates.append(len(batch) / (time.perf_counter() - began))
        yield Step(len(rates), PASSES, "measuring")
    rate = sorted(rates)[len(rates) // 2]
    _memory(name).put(f"{rate:.2f}")
    return rate


def measure_speed(encoder: "Encoder", name: str) -> float:
    """`iter_measure_speed`, run to its end."""
    return drain(iter_measure_speed(encoder, name))


def remembered_speed(name: str) -> float | None:
    """What was measured on this machine, in images a second, or None."""
    try:
        return float(_memory(name).get() or 0) or None
    except ValueError:
        return None


def _memory(name: str) -> "Memory":
    from ..encoding.device import Memory, machine_name, pick_device

    device = pick_device()
    place = f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{device.type}-{machine_name(device)}"
    return Memory("speed", place, "images_per_second")
