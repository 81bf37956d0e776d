"""What a step learns from: the pictures of this process and the captions of all, made ahead of time.

From pixels in memory every batch follows from (seed, step), so a run that goes on does so exactly. From a stream the order
also depends on where in it one begins: a run that goes on reads the same samples, in another order.
"""

import functools
import queue
import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import numpy as np
import torch

from clipcore.errors import BadInput

from ..data.captions import Captioner, Targets
from ..data.pixels import Pixels
from ..data.streamed import Stream
from ..distributed import World
from .clip import Tokenizer
from .settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Batch:
    """One step's data. pictures: this process's chunks, each uint8 [k, h, w, 3]; first: the number that the first of them
    has among the chunks of all processes; tokens: this process's captions, int64 [m', context] in parts; targets: of all n
    pictures and all m captions."""

    pictures: list[np.ndarray]
    first: int
    tokens: list[torch.Tensor]
    targets: Targets


def from_pixels(
    data: Pixels, captioner: Captioner, tokenizer: Tokenizer, settings: Settings, world: World, step: int
) -> Generator[Batch, None, None]:
    """Batches of pictures in memory, from number `step` on, without end. Each process takes its own part of the chunks."""
    for step in count(step):  # noqa: B020
        items = batch_items(len(data), settings.batch_size, step, settings.seed)
        if len(items) < world.size:
            raise BadInput(f"{len(items)} pictures a batch are too few for {world.size} processes; start fewer.")
        captions, targets = captioner.batch(items, np.random.default_rng([settings.seed, step]))
        wanted = max(-(-len(items) // settings.chunk), world.size * settings.accumulate)
        chunks = np.array_split(items, min(wanted, len(items)))
        mine = np.array_split(np.arange(len(chunks)), world.size)[world.rank]
        pictures = [data.at(chunks[i]) for i in mine]
        yield Batch(pictures, int(mine[0]), _own_tokens(captions, tokenizer, settings, world), targets)


def from_stream(
    stream: Stream,
    names: Mapping[str, Mapping[str, Sequence[str]]],
    tokenizer: Tokenizer,
    settings: Settings,
    world: World,
    step: int,
) -> Generator[Batch, None, None]:
    """Batches of streamed pictures, without end; what is said of them is exchanged between the processes."""
    share = max(1, settings.batch_size // world.size)
    with closing(stream.pixels(share, world, seed=(settings.seed, step))) as pixels:
        for step, own in zip(count(step), pixels, strict=False):  # noqa: B020
            pairs = [pair for theirs in world.gather_objects(own.pairs) for pair in theirs]
            captioner = Captioner(pairs, names, settings.hypernym_weight, settings.hypernyms_per_batch)
            captions, targets = captioner.batch(np.arange(len(pairs)), np.random.default_rng([settings.seed, step]))
            parts = min(len(own), max(-(-len(own) // settings.chunk), settings.accumulate))
            tokens = _own_tokens(captions, tokenizer, settings, world)
            yield Batch(
                [own.at(part) for part in np.array_split(np.arange(len(own)), parts)], world.rank * parts, tokens, targets
            )


def _own_tokens(captions: list[str], tokenizer: Tokenizer, settings: Settings, world: World) -> list[torch.Tensor]:
    mine = np.array_split(np.arange(len(captions)), world.size)[world.rank]
    parts = np.array_split(mine, max(1, min(settings.accumulate, len(mine))))
    tokens = tokenizer([captions[i] for i in mine] or captions[:1])
    return [tokens[part - mine[0]] if len(part) else tokens[:0] for part in parts]


def batch_items(n: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """Indices of batch `step` (int, sorted): shuffled passes over `n` pictures, each order drawn from (seed, pass).

    The last batch of a pass is dropped if it is not full. Sorted, since a memory-mapped array likes to be read forwards.
    """
    batch_size = min(batch_size, n)
    per_pass = n // batch_size
    which, position = divmod(step, per_pass)
    order = _shuffled(n, which, seed)
    return np.sort(order[position * batch_size : (position + 1) * batch_size])


@functools.lru_cache(maxsize=1)
def _shuffled(n: int, which: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, which, n]).permutation(n)


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """The same items, made up to `depth` early in a thread of their own; what goes wrong there is raised here.

    Closing it stops the thread and closes `items`.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(kind: str, value: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", item):
                    break
            else:
                put("end", None)
        except BaseException as error:
            put("error", error)
        finally:
            if isinstance(items, Generator):
                items.close()

    worker = threading.Thread(target=work, name="batches", daemon=True)
    worker.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        worker.join()
