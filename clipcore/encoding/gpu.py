"""What a GPU is given and what it runs: bytes to be normalised there, and a compiled tower where that pays.

A decoded picture is a quarter of the size of the model's input, so bytes cross the bus, from pinned memory and on a stream
of their own: the copy of one batch runs while the batch before is computed. The numbers are those of open_clip's transform.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from .device import GPU_SIZES, SAME, timed
from .int8 import vectors_of

AFTER = 60.0  # seconds an import has run before compiling, which takes about as long, is likely to be earned back
PAUSE = 10.0  # seconds without a batch after which another import begins
PAYS = 1.1  # below this ratio the difference is noise


class Feed:
    """The end of open_clip's transform, done on the device: pictures come as uint8 [3, h, w] and are normalised there."""

    def __init__(self, transforms: Sequence[Any], device: torch.device) -> None:
        from torchvision.transforms import Compose, PILToTensor

        self.prepare: Callable[[Any], torch.Tensor] = Compose([*transforms[:-2], PILToTensor()])
        self._device = device
        self._mean, self._std = (torch.tensor(three)[:, None, None].to(device) for three in _mean_and_std(transforms[-1]))
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None

    def send(self, batch: Sequence[torch.Tensor]) -> torch.Tensor:
        """Bytes [n, 3, h, w] on their way to the device; `normalised` waits for them. Safe to call from many threads."""
        if self._copies is None:
            return torch.stack(list(batch)).to(self._device)
        pinned = torch.empty((len(batch), *batch[0].shape), dtype=torch.uint8, pin_memory=True)
        torch.stack(list(batch), out=pinned)
        with torch.cuda.stream(self._copies):
            return pinned.to(self._device, non_blocking=True)

    def normalised(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the transform would have given, float32 [n, 3, h, w] on the device, for bytes that were sent."""
        if self._copies is not None:
            here = torch.cuda.current_stream(self._device)
            here.wait_stream(self._copies)
            pixels.record_stream(
                here
            )  # its memory is the other stream's, and must not be used again before this one is done
        return pixels.float().div_(255).sub_(self._mean).div_(self._std)


def feed_for(preprocess: Any, device: torch.device) -> Feed | None:
    """The feed for a transform and a device; None on other devices than CUDA's, and for a transform that ends otherwise."""
    transforms = getattr(preprocess, "transforms", ())
    return Feed(transforms, device) if device.type == "cuda" and ends_in_normalise(transforms) else None


def ends_in_normalise(transforms: Sequence[Any]) -> bool:
    """Whether a transform's last steps are those that `Feed` takes over."""
    from torchvision.transforms import Normalize, ToTensor

    return len(transforms) > 2 and isinstance(transforms[-1], Normalize) and isinstance(transforms[-2], ToTensor)


def _mean_and_std(normalize: Any) -> tuple[Any, Any]:
    return normalize.mean, normalize.std


class Compiled:
    """An image tower that is compiled once an import has run long enough, and stays so only if that pays and agrees.

    Compiling takes up to a minute, so a short import never waits for it. Only full batches are compiled: the last one of an
    import has a shape of its own, which would be compiled again. Whatever goes wrong, the tower itself answers.

    It is for one thread at a time; the encoder sees to that. `compile_tower` and `clock` are torch's and the system's,
    `after` the seconds that are long enough.
    """

    def __init__(
        self,
        visual: nn.Module,
        compile_tower: Callable[[nn.Module], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        after: float = AFTER,
    ) -> None:
        self._visual = visual
        self._compile = compile_tower or _compile
        self._clock, self._after = clock, after
        self._quick: Any = None
        self._shape: torch.Size | None = None  # what `_quick` was compiled for
        self._tried = False
        self._began = self._last = -float("inf")
        self._most = 0  # pictures in a full batch

    @property
    def compiled(self) -> bool:
        """Whether full batches go through the compiled tower now."""
        return self._quick is not None

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Vectors [n, dim] of pixels [n, 3, h, w]. Raises what the tower raises, torch.OutOfMemoryError above all."""
        if self._quick is not None and pixels.shape == self._shape:
            try:
                return vectors_of(self._quick, pixels)
            except torch.OutOfMemoryError:
                raise  # the caller makes the batch smaller
            except Exception as error:
                logging.info("The compiled image tower failed (%s); it runs as it was.", error)
                self._quick = None
        vectors = vectors_of(self._visual, pixels)
        if not self._tried and self._due(len(pixels)):
            self._try(pixels)
        return vectors

    def _due(self, count: int) -> bool:
        """Whether batches have come without a pause for long enough, and this is a full one."""
        now = self._clock()
        if now - self._last > PAUSE:
            self._began, self._most = now, 0
        self._last, self._most = now, max(self._most, count)
        # a picture now and then is no import
        return now - self._began >= self._after and count == self._most >= GPU_SIZES[0]

    @torch.no_grad()
    def _try(self, pixels: torch.Tensor) -> None:
        self._tried = True
        try:
            quick = self._compile(self._visual)
            before, exact = timed(self._visual, pixels)
            after, close = timed(quick, pixels)  # its warm-up compiles
            least = float(nn.functional.cosine_similarity(exact, close).min())
        except Exception as error:  # no compiler, an operation it does not know, no memory: many kinds of error
            logging.info("The image tower was not compiled (%s).", error)
            return
        if before >= PAYS * after and least >= SAME:
            self._quick, self._shape = quick, pixels.shape
        logging.info("Compiled: %.2f times as fast, least cosine %.5f.", before / after, least)


def _compile(visual: nn.Module) -> Any:
    return torch.compile(visual, dynamic=False)
