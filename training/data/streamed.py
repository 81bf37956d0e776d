"""Pairs that are read while the model learns, for collections that do not fit a decoded cache.

Several shards are open at once and take turns, their samples pass through a shuffle buffer while still encoded, and threads
decode ahead of the model. Each process reads shards of its own; where there are fewer shards than that takes, each reads all
and keeps every so-many-th sample.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from clipcore.errors import BadImage, BadInput

from ..distributed import World
from .pairs import find_sources, read_pairs
from .pixels import Pixels, decode
from .samples import Pair
from .samples import count as count_skipped

HOPELESS = 1000  # broken pictures one after the other


@dataclass
class Stream:
    """Pictures of `sources` (anything `read_pairs` takes) as they come, decoded at `size` pixels.

    keep: whether a pair takes part (held-out ones do not); shuffle: samples in the shuffle buffer; readers:
    shards open at once, in each process; skipped: counts what could not be used, by reason.
    """

    sources: Sequence[str | Path]
    size: int
    keep: Callable[[Pair], bool] = lambda pair: True
    shuffle: int = 4096
    readers: int = 4
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    skipped: Counter[str] = field(default_factory=Counter)

    def pairs(self, world: World, seed: Sequence[int]) -> Iterator[Pair]:
        """The pairs of one pass that are this process's, still encoded, in an order drawn from `seed`."""
        rng = np.random.default_rng(list(seed))
        shards = [shard for source in self.sources for shard in find_sources(source)]
        shards = [shards[i] for i in rng.permutation(len(shards))]  # the same order in every process
        whole = len(shards) >= world.size
        own = shards[world.rank :: world.size] if whole else shards
        readers = min(self.readers, len(own))
        read = take_turns([self._read(own[k::readers]) for k in range(readers)])
        if not whole:
            read = islice(read, world.rank, None, world.size)
        rng = np.random.default_rng([*seed, world.rank])
        return shuffled((pair for pair in read if self.keep(pair)), self.shuffle, rng)

    def pixels(self, batch_size: int, world: World, seed: Sequence[int]) -> Generator[Pixels, None, None]:
        """Batches of exactly `batch_size` pictures, without end. Raises BadInput if there is nothing that can be read."""
        with ThreadPoolExecutor(self.threads, "decode") as pool:
            ahead: deque[tuple[Pair, Future[np.ndarray]]] = deque()
            endless = self._endless(world, seed)
            done: list[tuple[Pair, np.ndarray]] = []
            broken = 0
            try:
                for pair in endless:
                    ahead.append((pair, pool.submit(decode, pair.image, self.size)))
                    if len(ahead) < 2 * batch_size + self.threads:
                        continue
                    pair, future = ahead.popleft()
                    try:
                        done.append((replace(pair, image=b""), future.result()))
                    except BadImage:
                        count_skipped(self.skipped, "broken picture")
                        broken += 1
                        if broken == HOPELESS:
                            raise BadInput(f"{broken} pictures in a row could not be read; check the data.") from None
                        continue
                    broken = 0
                    if len(done) == batch_size:
                        yield Pixels(np.stack([picture for _, picture in done]), [pair for pair, _ in done])
                        done = []
            finally:
                for _, future in ahead:
                    future.cancel()

    def sample(self, most: int) -> Pixels | None:
        """The first `most` pictures that do not take part, decoded; None if there are none."""
        found: list[tuple[Pair, np.ndarray]] = []
        apart = (pair for source in self.sources for pair in read_pairs(source) if not self.keep(pair))
        while len(found) < most and (pair := next(apart, None)):
            try:
                found.append((replace(pair, image=b""), decode(pair.image, self.size)))
            except BadImage:
                continue
        return Pixels(np.stack([picture for _, picture in found]), [pair for pair, _ in found]) if found else None

    def _endless(self, world: World, seed: Sequence[int]) -> Iterator[Pair]:
        for which in count():
            empty = True
            for pair in self.pairs(world, [*seed, which]):
                empty = False
                yield pair
            if empty:
                raise BadInput("This data has not one picture with a name or a caption to stream.")

    def _read(self, sources: Iterable[Path]) -> Iterator[Pair]:
        for source in sources:
            yield from read_pairs(source, self.skipped)


def take_turns(iterators: Sequence[Iterator[Pair]]) -> Iterator[Pair]:
    """One item of each in turn, until all are at their ends."""
    waiting = deque(iterators)
    while waiting:
        iterator = waiting.popleft()
        for item in islice(iterator, 1):
            yield item
            waiting.append(iterator)


def shuffled(pairs: Iterable[Pair], size: int, rng: np.random.Generator) -> Iterator[Pair]:
    """All items, each given out when a later one takes its place in a buffer of `size`."""
    buffer: list[Pair] = []
    for pair in pairs:
        if len(buffer) < size:
            buffer.append(pair)
            continue
        i = int(rng.integers(size))
        yield buffer[i]
        buffer[i] = pair
    yield from (buffer[i] for i in rng.permutation(len(buffer)))
