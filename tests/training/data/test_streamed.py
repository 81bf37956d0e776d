"""Pictures read while a model learns: each once a pass, mixed, decoded ahead, bad ones counted, and the readers stopped."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clipcore.errors import BadInput
from tests.training.data.test_pairs import picture, write_shard
from tests.training.towers.test_distributed import write_shards
from training.data.pairs import Pair
from training.data.streamed import Stream, shuffled, take_turns
from training.distributed import World
from training.towers.batches import ahead


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    write_shards(tmp_path / "shards", 3, 10)
    return tmp_path / "shards"


ALONE = World()


def keys(stream: Stream, seed: int, world: World = ALONE) -> list[str]:
    return [pair.key for pair in stream.pairs(world, [seed])]


def test_a_pass_gives_each_sample_once_in_an_order_of_its_own(shards: Path) -> None:
    stream = Stream([shards], 16, shuffle=8)
    first, again, other = keys(stream, 1), keys(stream, 1), keys(stream, 2)
    assert len(first) == len(set(first)) == 30
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)
    assert len({key.split("/")[0] for key in first[:8]}) > 1  # several shards are open at once


@pytest.mark.parametrize("size", [2, 3, 5])
def test_processes_share_a_pass_without_overlap(shards: Path, size: int) -> None:
    """With fewer shards than processes, samples are dealt out instead of shards."""
    stream = Stream([shards], 16)
    parts = [keys(stream, 0, World(rank, size)) for rank in range(size)]
    assert sorted(key for part in parts for key in part) == sorted(keys(stream, 0))
    assert all(parts)


def test_batches_are_full_and_go_on_over_passes_without_held_out_pictures(shards: Path) -> None:
    held_out = {key for key in keys(Stream([shards], 16), 0) if key.endswith("3")}
    assert len(held_out) == 3
    stream = Stream([shards], 16, keep=lambda pair: pair.key not in held_out, shuffle=8)
    batches = stream.pixels(9, ALONE, [0])
    seen = []
    for _ in range(6):
        batch = next(batches)
        assert batch.images.shape == (9, 16, 16, 3)
        assert all(pair.image == b"" for pair in batch.pairs)
        seen += [pair.key for pair in batch.pairs]
    batches.close()
    assert sorted(seen) == sorted([*set(keys(Stream([shards], 16), 0)) - held_out] * 2)
    sample = stream.sample(2)
    assert sample is not None
    assert {pair.key for pair in sample.pairs} < held_out
    assert Stream([shards], 16).sample(2) is None


def test_broken_pictures_are_counted_and_a_hopeless_set_ends(tmp_path: Path) -> None:
    good = {f"{i}.{kind}": picture() if kind == "png" else b'{"label": "cat"}' for i in range(4) for kind in ("png", "json")}
    mixed = write_shard(tmp_path / "mixed.tar", {**good, "9.png": picture()[:40], "9.json": b'{"label": "cat"}'})
    stream = Stream([mixed], 8)
    batches = stream.pixels(4, ALONE, [0])
    assert all(len(next(batches)) == 4 for _ in range(3))
    batches.close()
    assert stream.skipped["broken picture"] >= 2
    for members, sentence in (({"a.png": b"no", "a.txt": b"a cat"}, "in a row"), ({"a.txt": b"a cat"}, "not one picture")):
        bad = write_shard(tmp_path / "bad.tar", members)
        with pytest.raises(BadInput, match=sentence):
            next(Stream([bad], 8).pixels(4, ALONE, [0]))


def test_shuffling_moves_things_and_loses_none() -> None:
    pairs = [Pair(str(i), b"") for i in range(200)]
    mixed = [int(pair.key) for pair in shuffled(pairs, 50, np.random.default_rng(0))]
    assert sorted(mixed) == list(range(200))
    assert np.abs(np.array(mixed) - np.arange(200)).mean() > 20
    assert [p.key for p in take_turns([iter(pairs[:3]), iter(pairs[10:11])])] == ["0", "10", "1", "2"]


def test_batches_are_made_ahead_and_mistakes_arrive() -> None:
    made = []

    def items() -> Iterator[int]:
        for i in range(10):
            made.append(i)
            yield i
        raise BadInput("no more")

    early = ahead(items(), depth=3)
    assert next(early) == 0
    deadline = time.time() + 10
    while len(made) < 5 and time.time() < deadline:  # one given, three in the queue, one in the hand
        time.sleep(0.01)
    assert len(made) == 5
    assert [next(early) for _ in range(9)] == list(range(1, 10))
    with pytest.raises(BadInput, match="no more"):
        next(early)
    stopped = ahead(items(), depth=1)
    next(stopped)
    stopped.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "batches"]
    assert list(ahead(range(5))) == [0, 1, 2, 3, 4]
