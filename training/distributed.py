"""One process, or several that `torchrun` started: who I am, and the few things processes tell each other.

Every process holds the whole model and a share of each batch. Features are gathered from all of them before the loss, as in
open_clip, so that every picture meets every caption; then gradients are summed.
"""

import atexit
import datetime
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn

from clipcore.encoding.device import pick_device

T = TypeVar("T")
CPU = torch.device("cpu")


class Exchange:
    """How long a process is with the others instead of computing: messages, and waiting for whoever is slower.

    Between GPUs the time is the device's own, since the host only orders what is to be done.
    """

    def __init__(self, device: torch.device = CPU) -> None:
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] | None = [] if device.type == "cuda" else None
        self._seconds, self._inside = 0.0, False
        self._thread = threading.get_ident()

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts what is inside, once; not what a thread exchanges that reads ahead, since computing goes on meanwhile."""
        if self._inside or threading.get_ident() != self._thread:
            yield
            return
        self._inside, began = True, time.perf_counter()
        events = (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) if self._on_gpu else None
        if events:
            events[0].record()
        try:
            yield
        finally:
            self._inside = False
            if events and self._events is not None:
                events[1].record()
                self._events.append(events)
            else:
                self._seconds += time.perf_counter() - began

    @property
    def _on_gpu(self) -> bool:
        return self._events is not None

    def taken(self) -> float:
        """The seconds since this was asked last."""
        if self._events:
            self._events[-1][1].synchronize()
            self._seconds += sum(start.elapsed_time(end) for start, end in self._events) / 1000
            self._events.clear()
        seconds, self._seconds = self._seconds, 0.0
        return seconds


@dataclass(frozen=True)
class World:
    """This process among all: `rank` of `size`, and the device it computes on."""

    rank: int = 0
    size: int = 1
    device: torch.device = CPU
    exchange: "Exchange" = field(default_factory=lambda: Exchange(), compare=False)

    @classmethod
    def join(cls, device: str = "auto") -> "World":
        """Alone, or as one of the processes of `torchrun` (NCCL between GPUs, gloo between CPUs). May be called again.

        Raises BadInput if `device` is not there.
        """
        size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if size == 1:
            return cls(device=pick_device(device))
        if device == "auto" and torch.cuda.is_available():
            device = f"cuda:{os.environ.get('LOCAL_RANK', rank)}"
        chosen = pick_device(device if device != "auto" else "cpu")
        if chosen.type == "cuda":
            torch.cuda.set_device(chosen)
        if not dist.is_initialized():
            backend = "nccl" if chosen.type == "cuda" else "gloo"
            dist.init_process_group(backend, timeout=datetime.timedelta(hours=2))  # one evaluates while the others wait
            atexit.register(dist.destroy_process_group)
        return cls(rank, size, chosen, Exchange(chosen))

    @property
    def is_first(self) -> bool:
        """Whether this is the process that evaluates, writes and speaks."""
        return self.rank == 0

    def gather(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows [k, d] of all processes, in their order; k may differ. No gradient passes, see `towers.grad_cache`."""
        if self.size == 1:
            return rows
        with self.exchange.timed():
            counts = self.gather_objects(len(rows))
            padded = nn.functional.pad(rows, (0, 0, 0, max(counts) - len(rows))).contiguous()
            everyone = [torch.empty_like(padded) for _ in counts]
            dist.all_gather(everyone, padded)
        return torch.cat([theirs[:count] for theirs, count in zip(everyone, counts, strict=True)])

    def own(self, rows: torch.Tensor, count: int) -> torch.Tensor:
        """Of rows [n, d] that were gathered, the `count` of this process."""
        if self.size == 1:
            return rows
        before = sum(self.gather_objects(count)[: self.rank])
        return rows[before : before + count]

    def gather_objects(self, value: T) -> list[T]:
        """A small value of every process, in their order."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        with self.exchange.timed():
            dist.all_gather_object(values, value)
        return values

    def agree(self, value: T) -> T:
        """The value that the first process has, such as its clock."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, device=self.device)
        return values[0]

    def add(self, tensors: Iterable[torch.Tensor], divide: int = 1) -> None:
        """Replace each float tensor by its sum over all processes, over `divide`; one message for all of them."""
        tensors = list(tensors)
        if self.size == 1 or not tensors:
            return
        together = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        with self.exchange.timed():
            dist.all_reduce(together)
        parts = (together / divide).split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view_as(tensor))

    def add_gradients(self, model: nn.Module) -> None:
        """Sum the gradients of all processes. A parameter that one process had no use for counts as zero there."""
        if self.size == 1:
            return
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.add(parameter.grad for parameter in model.parameters() if parameter.grad is not None)

    def share_statistics(self, model: nn.Module) -> None:
        """Batch norm's running statistics become the mean over all processes."""
        kept = model.state_dict()  # without attention masks and the like
        self.add((b for name, b in model.named_buffers() if name in kept and b.is_floating_point()), divide=self.size)

    def start_alike(self, model: nn.Module) -> None:
        """Everyone begins with the weights of the first process."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, src=0)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()
