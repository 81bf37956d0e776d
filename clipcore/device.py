"""Where a model runs and in which precision: chosen by measurement, remembered, and never at the price of an answer."""

import copy
import json
import os
import re
import time
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import nn

from .errors import BadInput

PRECISIONS = ("auto", "fp32", "bf16")
FASTER = 1.3  # below this ratio a difference is noise on a busy machine
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
    return 32 if device.type == "cpu" else 256


def choose_precision(visual: nn.Module, image_size: tuple[int, int], device: torch.device, key: str) -> torch.dtype:
    """The type to run the image tower in: bfloat16 where that is faster here and changes no answer, else float32.

    Both are run on eight generated pictures. Measured once per model (`key`) and machine, then remembered.
    """
    memory = _Memory(f"{key[:16]}-{device.type}-{_machine(device)}-torch{torch.__version__}")
    name = memory.get()
    if name is None:
        name = "bfloat16" if _reduced_pays(visual, image_size, device) else "float32"
        memory.put(name)
    return torch.bfloat16 if name == "bfloat16" else torch.float32


@torch.no_grad()
def _reduced_pays(visual: nn.Module, image_size: tuple[int, int], device: torch.device) -> bool:
    pictures = _generated_pictures(8, image_size).to(device)
    try:
        reduced = copy.deepcopy(visual).to(torch.bfloat16)
        full_time, full = _timed(visual, pictures)
        reduced_time, small = _timed(reduced, pictures.to(torch.bfloat16))
    except (RuntimeError, NotImplementedError):  # an operation without a bfloat16 kernel, or no room for a second copy
        return False
    if full_time < FASTER * reduced_time:
        return False
    # Pictures of one kind share most of their vector, which would hide a difference: compare what is left without it.
    cosine = nn.functional.cosine_similarity(full - full.mean(0), small - small.mean(0))
    return bool(cosine.min() >= SAME)


def _timed(visual: nn.Module, pictures: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Median seconds of three passes after a warm-up, and the unit vectors in float32."""
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        vectors = visual(pictures)
        if isinstance(vectors, tuple):  # CoCa's tower gives its tokens too
            vectors = vectors[0]
        vectors = vectors.float().cpu()  # .cpu() also waits for the GPU
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[1:])[1], nn.functional.normalize(vectors, dim=-1)


def _generated_pictures(count: int, image_size: tuple[int, int]) -> torch.Tensor:
    """Smooth random colours with some detail, roughly as a photo after normalisation; the same ones every time."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, 3, 4, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=image_size, mode="bicubic")
    return smooth + 0.2 * torch.randn(count, 3, *image_size, generator=generator)


def _machine(device: torch.device) -> str:
    """A name for this machine's processor that can stand in a file name."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{torch.backends.cpu.get_cpu_capability()}x{os.cpu_count()}"
    return re.sub(r"[^\w.-]+", "_", name)


class _Memory:
    """One remembered measurement: a small JSON file in the user's cache folder. Losing it costs a second."""

    def __init__(self, name: str) -> None:
        self._path = Path(os.environ.get("SAYSO_CACHE") or user_cache_path("sayso")) / "precision" / f"{name}.json"

    def get(self) -> str | None:
        try:
            return str(json.loads(self._path.read_text())["dtype"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, dtype: str) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"dtype": dtype}))
        except OSError:
            pass  # a read-only home only means measuring again next time
