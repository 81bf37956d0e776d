"""An engine beside torch for image towers of many convolutions: OpenVINO's, where a trial on this computer says it pays.

For vision transformers it gains nothing; for networks of convolutions it is one and a quarter to five times as fast, more on
processors with matrix units (docs/speed.md). Its converter would tell its makers that it was used, so the part that sends is
kept out: see `_openvino`.
"""

import logging
import os
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .device import FASTER, SAME, Memory, generated_pictures, one_thread, place, timed
from .int8 import vectors_of

WORTH = 5.0  # seconds of work before a trial, which takes about as long: a few pictures never wait for one
FEWEST = 4  # pictures at once for which the engine is opened: one picture is through before it is
TORCH = "torch"

Tower = Callable[[torch.Tensor], torch.Tensor]  # float32 [n, 3, h, w] to [n, dim]


def several_convolutions(visual: nn.Module) -> bool:
    """Whether a tower is more than a transformer with one convolution that cuts the picture into patches."""
    return sum(isinstance(module, nn.Conv2d) for module in visual.modules()) > 1


def engine_for(
    visual: nn.Module, exact: nn.Module, image_size: tuple[int, int], dtype: torch.dtype, key: str
) -> "Engine | None":
    """The engine of a tower on the CPU; None where there can be none. `visual` is what runs meanwhile, in `dtype` (set soon
    by the encoder); `exact` the same in float32, let go of once it is decided; `key` names the weights."""
    if not (kind := installed()) or not several_convolutions(visual):
        return None
    return Engine(visual, exact, image_size, dtype, f"{place(key, torch.device('cpu'))}-openvino{kind}")


def installed() -> str:
    """OpenVINO's version; empty where it is not installed, for there is none for some systems."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""


class Engine:
    """An image tower that OpenVINO takes over once it has worked for `WORTH` seconds, if that pays and agrees.

    Which is faster here, and in which precision, is remembered, and so is the compiled tower: the next time it is opened
    with the first few pictures. Whatever goes wrong, torch answers. Threads may share it: a call computes in the thread that
    makes it, or in as many as torch would use there.
    """

    def __init__(
        self, visual: nn.Module, exact: nn.Module, image_size: tuple[int, int], dtype: torch.dtype, name: str
    ) -> None:
        self._visual, self._size, self._dtype = visual, image_size, dtype
        self._exact: nn.Module | None = exact
        self._memory = Memory("engine", name, "engine")
        self.file = self._memory.path.with_suffix(".blob")
        self._known = str(self._memory.get() or "")
        self._quick: _Compiled | None = None
        self._spent = 0.0
        self._deciding = threading.Lock()
        if self._known == TORCH:
            self._exact = None

    @property
    def running(self) -> str:
        """What answers now: torch, or openvino and its precision."""
        return f"openvino {self._quick.precision}" if self._quick else TORCH

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Vectors [n, dim] of pixels [n, 3, h, w], float32."""
        quick = self._quick
        if quick is None and self._exact is not None and len(pixels) >= FEWEST and (self._known or self._spent >= WORTH):
            self.decide()
            quick = self._quick
        if quick is not None:
            try:
                return quick(pixels)
            except Exception as error:  # a library of C++ raises what it likes, want of memory among it
                logging.warning("OpenVINO gave up on the image tower (%s); torch goes on with it.", _first_line(error))
                self._quick = None
        began = time.perf_counter()
        vectors = self._torch(pixels)
        self._spent += time.perf_counter() - began
        return vectors

    def decide(self) -> None:
        """Open what was chosen before, or choose now, which takes seconds; torch answers others who call meanwhile."""
        if self._exact is None or not self._deciding.acquire(blocking=False):
            return
        try:
            if self._exact is not None:
                self._quick = self._opened() or self._chosen()
        except Exception as error:  # an operation that it does not know, a processor, a damaged file: torch can do it all
            logging.warning("OpenVINO cannot run this image tower (%s); torch does.", _first_line(error))
            self._memory.put(TORCH)
        finally:
            self._exact = None
            self._deciding.release()

    def _torch(self, pixels: torch.Tensor) -> torch.Tensor:
        return vectors_of(self._visual, pixels.to(dtype=self._dtype, memory_format=torch.channels_last))

    def _opened(self) -> "_Compiled | None":
        """What an earlier process has chosen and compiled, if it can be read."""
        if self._known in ("", TORCH) or not self.file.exists():
            return None
        try:
            return _Compiled.read(_openvino().tensor_from_file(self.file), self._known)  # mapped, not read
        except Exception as error:
            logging.info("The compiled image tower was not read (%s).", _first_line(error))
            return None

    def _chosen(self) -> "_Compiled | None":
        """The quickest of OpenVINO's precisions, compiled and kept, if it is quicker than torch and says the same."""
        assert self._exact is not None
        graph = _converted(self._exact, self._size)
        pictures = generated_pictures(8, self._size)
        with torch.no_grad(), one_thread():
            exact = vectors_of(self._exact, pictures)
            tried: dict[_Compiled | None, float] = {None: timed(self._torch, pictures)[0]}
            for precision in _precisions():
                made = _Compiled.of(graph, precision)
                # also of fewer: some towers, once traced, know only one number of pictures
                if _agree(made(pictures), exact) and _agree(made(pictures[:3]), exact[:3]):
                    tried[made] = timed(made, pictures)[0]
        best = min(tried, key=lambda each: tried[each])
        if best is not None and tried[None] < FASTER * tried[best]:
            best = None
        told = {each.precision if each else TORCH: f"{1000 * seconds / 8:.1f}" for each, seconds in tried.items()}
        logging.info("Milliseconds a picture: %s.", told)
        self._memory.put(best.precision if best else TORCH)
        if best is None:
            return None
        kept = best.exported()
        _write(self.file, kept)
        return _Compiled.read(kept, best.precision)


class _Compiled:
    """A tower in OpenVINO. Any number of threads may call it at once; as many as it has streams compute at once."""

    def __init__(self, compiled: Any, precision: str) -> None:
        self.precision = precision
        self._compiled = compiled
        self._free: deque[Any] = deque()  # requests that nobody uses; one is for one thread at a time

    @classmethod
    def of(cls, graph: Any, precision: str) -> "_Compiled":
        """For a trial: without streams it computes in the thread that calls, whose time can be told, one call at a time."""
        return cls(_core().compile_model(graph, "CPU", _settings(precision, streams=0)), precision)

    @classmethod
    def read(cls, exported: Any, precision: str) -> "_Compiled":
        """What was `exported`, with a stream of one thread for each core."""
        return cls(_core().import_model(exported, "CPU", _settings(precision, os.cpu_count() or 1)), precision)

    def exported(self) -> Any:
        """The compiled tower as bytes, in a tensor of OpenVINO's."""
        openvino = _openvino()
        return openvino.Tensor(np.frombuffer(self._compiled.export_model().getbuffer(), np.uint8))

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        threads = min(torch.get_num_threads(), len(pixels) // FEWEST)
        if threads <= 1:
            return self._pass(pixels)
        with ThreadPoolExecutor(threads) as pool:  # somebody who has all cores to himself
            return torch.cat(list(pool.map(self._pass, pixels.tensor_split(threads))))

    def _pass(self, pixels: torch.Tensor) -> torch.Tensor:
        try:
            request = self._free.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        found = request.infer([pixels.contiguous().numpy()], share_inputs=True)
        vectors = torch.from_numpy(found[0].copy())  # the next call of this request would write over it
        self._free.append(request)  # not one that failed
        return vectors


def _openvino() -> Any:
    """The library, without the package by which its converter tells its makers about its use (unasked, unless a file in the
    user's home forbids it): where that cannot be imported, OpenVINO has something of its own that sends nothing."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def _core() -> Any:
    return _openvino().Core()


def _settings(precision: str, streams: int) -> dict[str, Any]:
    """One thread a stream, as decoders and passes have it in `clipcore.encoding.stream`."""
    return {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": max(1, streams)}


def _write(file: Path, exported: Any) -> None:
    """Keep a tower for the next process; a disk that is full or may not be written only means compiling again."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(exported.data)
        os.replace(part, file)
    except OSError:
        part.unlink(missing_ok=True)


def _precisions() -> list[str]:
    """float32, and the 16-bit types that the processor computes in."""
    able = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["f32", *(name for name, said in (("bf16", "BF16"), ("f16", "FP16")) if said in able)]


def _converted(visual: nn.Module, image_size: tuple[int, int]) -> Any:
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing has much to say
        return _openvino().convert_model(visual, example_input=generated_pictures(2, image_size), input=[-1, 3, *image_size])


def _agree(found: torch.Tensor, exact: torch.Tensor) -> bool:
    """As in `device.choose_precision`: what pictures have in common would hide a difference."""
    found, exact = (nn.functional.normalize(vectors, dim=-1) for vectors in (found, exact))
    return bool(nn.functional.cosine_similarity(found - found.mean(0), exact - exact.mean(0)).min() >= SAME)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
