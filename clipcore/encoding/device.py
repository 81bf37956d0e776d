"""Where a model runs, in which precision, how many images at once: measured, remembered, never at the price of an answer."""

import copy
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path
from torch import nn

from ..errors import BadInput
from .image_tower import set_precision
from .int8 import vectors_of

PRECISIONS = ("auto", "fp32", "bf16", "int8")
FASTER = 1.3  # below this ratio a difference is noise on a busy machine
CPU_SIZES, GPU_SIZES = (4, 8, 16, 32, 64), (32, 64, 128, 256, 512)
MEASURING_SECONDS = 2.0
SAME = 0.999  # least cosine between the two precisions, after the common part is taken off; see choose_precision


def pick_device(device: str = "auto") -> torch.device:
    """The device to use: CUDA, else Apple's MPS, else the CPU; or the one that was named, if it is there."""
    if device != "auto":
        try:
            chosen = torch.device(device)
            torch.empty(1, device=chosen)
        except (RuntimeError, AssertionError):  # torch raises AssertionError when it was built without CUDA
            raise BadInput(f"The device {device!r} is not available here; leave it at auto, or use cpu.") from None
        return chosen
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def default_batch_size(device: torch.device) -> int:
    """Images per forward pass to begin with; the encoder halves it when memory runs out."""
    return 8 if device.type == "cpu" else 256  # of several that run at once on a CPU


def choose_batch_size(
    visual: nn.Module, image_size: tuple[int, int], device: torch.device, dtype: torch.dtype, key: str
) -> int:
    """Images per forward pass: the fewest that come within a tenth of the best rate, so that little is lost by a stop.

    Sizes are tried from small to large for at most two seconds or so, or until memory runs out. Measured once per model
    (`key`), precision and machine, then remembered; the tower must be on the device and in the precision already.
    """
    sizes = CPU_SIZES if device.type == "cpu" else GPU_SIZES
    memory = Memory("batch", f"{place(key, device)}-{str(dtype).removeprefix('torch.')}", "batch_size")
    size = memory.get()
    if size in sizes:
        return int(size)
    measured = _quickest_size(visual, image_size, device, dtype, sizes)
    if measured is None:
        return default_batch_size(device)
    memory.put(measured)
    return measured


@torch.no_grad()
def _quickest_size(
    visual: nn.Module, image_size: tuple[int, int], device: torch.device, dtype: torch.dtype, sizes: Sequence[int]
) -> int | None:
    """The fewest images that come within a tenth of the best rate; None if nothing could be measured."""
    rates: dict[int, float] = {}
    end = time.perf_counter() + MEASURING_SECONDS
    try:
        for size in sizes:
            pictures = generated_pictures(1, image_size).to(device, dtype).expand(size, -1, -1, -1).contiguous()
            rates[size] = size / timed(visual, pictures)[0]
            # the next size takes twice as long, four times over
            if rates[size] < 0.8 * max(rates.values()):
                break
            if time.perf_counter() + 8 * size / rates[size] > end:
                if len(rates) < 3:  # a slow model, or a machine that is busy just now: too little to go by
                    return default_batch_size(device)
                break
    except RuntimeError:  # no room for more; torch.OutOfMemoryError is one
        if device.type == "cuda":
            torch.cuda.empty_cache()
    return min((size for size, rate in rates.items() if rate >= 0.9 * max(rates.values())), default=None)


def choose_precision(visual: nn.Module, image_size: tuple[int, int], device: torch.device, key: str) -> torch.dtype:
    """The type to run the image tower in: the device's `half` type where that is faster and changes no answer, else float32.

    Both are run on eight generated pictures. Measured once per model (`key`) and machine, then remembered.
    """
    memory = Memory("precision", place(key, device), "dtype")
    names = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, half(device))}
    if (known := names.get(str(memory.get()))) is not None:
        return known
    chosen = half(device) if _reduced_pays(visual, image_size, device) else torch.float32
    memory.put(str(chosen).removeprefix("torch."))
    return chosen


def half(device: torch.device) -> torch.dtype:
    """The 16-bit type of a device: bfloat16, whose range is float32's, or float16 on GPUs that may only imitate it."""
    if device.type == "cpu":
        return torch.bfloat16
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


@torch.no_grad()
def _reduced_pays(visual: nn.Module, image_size: tuple[int, int], device: torch.device) -> bool:
    pictures, dtype = generated_pictures(8, image_size).to(device), half(device)
    try:
        reduced = set_precision(copy.deepcopy(visual), dtype)
        full_time, full = timed(visual, pictures)
        reduced_time, small = timed(reduced, pictures.to(dtype))
    except (RuntimeError, NotImplementedError):  # an operation without a kernel for it, or no room for a second copy
        return False
    if full_time < FASTER * reduced_time:
        return False
    # Pictures of one kind share most of their vector, which would hide a difference: compare what is left without it.
    cosine = nn.functional.cosine_similarity(full - full.mean(0), small - small.mean(0))
    return bool(cosine.min() >= SAME)


def timed(visual: Callable[[torch.Tensor], Any], pictures: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Median seconds of three passes after a warm-up, and the unit vectors in float32.

    On a CPU it is the time of one core, as `stream` runs its passes: what other programs do meanwhile, while a
    page starts up or tests run, would decide otherwise, and the decision is remembered.
    """
    on_cpu = pictures.device.type == "cpu"
    clock = time.thread_time if on_cpu else time.perf_counter
    seconds = []
    with one_thread() if on_cpu else nullcontext():
        for _ in range(4):
            start = clock()
            vectors = vectors_of(visual, pictures).cpu()  # .cpu() also waits for the GPU
            seconds.append(clock() - start)
    return sorted(seconds[1:])[1], nn.functional.normalize(vectors, dim=-1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes in the calling thread alone for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def generated_pictures(count: int, image_size: tuple[int, int]) -> torch.Tensor:
    """Smooth random colours with some detail, roughly as a photo after normalisation; the same ones every time."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, 4, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=image_size, mode="bicubic")
    return smooth + 0.2 * torch.randn(count, 3, *image_size, generator=generator)


def place(key: str, device: torch.device) -> str:
    """A name for a model on this machine that can stand in a file name."""
    how = "cpu-core" if device.type == "cpu" else device.type  # measured on one core
    return f"{key[:16]}-{how}-{machine_name(device)}-torch{torch.__version__}"


def machine_name(device: torch.device) -> str:
    """A name for this machine's processor that can stand in a file name."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{torch.backends.cpu.get_cpu_capability()}x{os.cpu_count()}"
    return re.sub(r"[^\w.-]+", "_", name)


class Memory:
    """One remembered measurement: a small JSON file in the user's cache folder. Losing it costs a second."""

    def __init__(self, folder: str, name: str, field: str) -> None:
        self.path = Path(os.environ.get("SAYSO_CACHE") or user_cache_path("sayso")) / folder / f"{name}.json"
        self._field = field

    def get(self) -> str | int | None:
        try:
            value = json.loads(self.path.read_text())[self._field]
            return value if isinstance(value, str | int) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, value: str | int) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps({self._field: value}))
        except OSError:
            pass  # a read-only home only means measuring again next time
