"""What there is to learn from, before anything is decoded: how many pictures, which names, and some of them at random."""

import hashlib
import heapq
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clipcore.errors import BadInput
from clipcore.progress import Step

from .pairs import read_pairs
from .samples import Pair
from .shards import SHARDS

SAMPLE = 256


@dataclass
class Survey:
    """learned, held_out: how many pictures, about; names: of classes; some: at most `SAMPLE` pairs to learn from."""

    learned: float = 0.0
    held_out: float = 0.0
    names: set[str] = field(default_factory=set)
    some: list[Pair] = field(default_factory=list)


def iter_survey(
    sources: Sequence[Path], learns: Callable[[Pair], bool | None], most: int = SAMPLE
) -> Generator[Step, None, Survey]:
    """Look through `sources`. `learns` says whether a pair is learned from or held out; None: it plays no part.

    Of shards that differ in their number only, the first is looked through and the others are counted by their size.
    Raises BadInput where there are sources and nothing in them to learn from or to hold out.
    """
    found, drawn = Survey(), list[tuple[int, int, Pair]]()
    a_byte: dict[str, tuple[float, float]] = {}  # pictures of each kind in a byte of such shards
    seen = 0
    for path in sources:
        is_shard, alike = path.name.endswith(SHARDS), str(path.parent / re.sub(r"\d+", "", path.name))
        size = path.stat().st_size
        if is_shard and alike in a_byte:
            learned, held_out = (rate * size for rate in a_byte[alike])
        else:
            learned = held_out = 0.0
            for pair in read_pairs(path):
                if (to_learn := learns(pair)) is None:
                    continue
                seen += 1
                found.names |= {pair.name} if pair.name else set()
                if not to_learn:
                    held_out += 1
                    continue
                learned += 1
                # those with the smallest hashes: at random, and the same ones every time
                place = -int(hashlib.sha256(pair.key.encode()).hexdigest()[:12], 16)
                (heapq.heappush if len(drawn) < most else heapq.heappushpop)(drawn, (place, seen, pair))
                if seen % 1000 == 0:
                    yield Step(seen, message="counting the images")
            a_byte[alike] = (learned / max(1, size), held_out / max(1, size))
        found.learned += learned
        found.held_out += held_out
    if sources and not found.learned and not found.held_out:
        raise BadInput("There is not one picture with a name or a caption in this data.")
    found.some = [pair for *_, pair in sorted(drawn, key=lambda item: item[:2])]
    return found
