"""Two processes learn what one learns: the same gradients, weights and batch statistics, to float error."""

import io
import json
import shutil
import tarfile
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from clipcore.progress import drain
from tests.support.processes import fork, free_port
from tests.training.towers.test_contrastive import CONFIG, SETTINGS, VIT, squares
from training.data.pixels import Pixels
from training.data.streamed import Stream
from training.distributed import Exchange, World
from training.towers.contrastive import iter_pretrain, pretrain
from training.towers.grad_cache import backward
from training.towers.settings import Settings

# Chunks of five: one process learns all six of them, two processes three each. The resnet has batch norm. Five captions do
# not divide by two; of one caption the second process has none, and everything is true, so that all gradients are zero.
ALIKE = {
    "vit": (VIT, {}, 45),
    "resnet": (CONFIG, {}, 45),
    "vit in parts": (VIT, {"accumulate": 3}, 45),
    "one caption": (VIT, {}, 30),
}


def settings(**change: int) -> Settings:
    return Settings(**{**vars(SETTINGS), "steps": 4, "chunk": 5, "text_steps": 1, **change})


def data(n: int) -> Pixels:
    """Pictures of five colours; of one name only if `n` is 30."""
    pictures = squares(n, 0)
    return Pixels(pictures.images, pictures.pairs[:1] * n) if n == 30 else pictures


def work(folder: Path) -> None:
    """What each of the two processes does."""
    torch.set_num_threads(1)
    world = World.join("cpu")
    for name, (config, change, n) in ALIKE.items():
        drain(iter_pretrain(config, data(n), {}, folder / name, settings(**change), device="cpu"))
    stopped = iter_pretrain(VIT, data(45), {}, folder / "stopped", settings(), device="cpu")
    for _ in range(3):  # the names are read first; then two steps
        next(stopped)
    stopped.close()
    stream = Stream([folder / "shards"], 16, shuffle=8)
    drain(iter_pretrain(VIT, stream, {}, folder / "streamed", settings(steps=3), device="cpu"))
    for shards in ("shards", "one shard"):
        seen = [pair.key for pair in Stream([folder / shards], 16).pairs(world, [0])]
        (folder / f"{shards} {world.rank}.json").write_text(json.dumps(seen))

    # numbers that can be worked out by hand: uneven shares, a loss that is not a sum over pictures
    weight = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(weight.weight)
    own = torch.arange(3.0)[:, None] if world.is_first else torch.tensor([[5.0]])
    loss = backward(weight, [lambda: weight(own)], [lambda: weight(own)], lambda x, y: x.sum() * y.sum(), world)
    assert loss.item() == 64
    assert weight.weight.grad is not None
    assert weight.weight.grad.item() == 128  # d (8 w)^2 / dw
    assert world.gather_objects(world.rank) == [0, 1]
    assert world.agree(world.rank) == 0


def write_shards(folder: Path, shards: int, samples: int) -> None:
    folder.mkdir()
    for s in range(shards):
        with tarfile.open(folder / f"data-{s:05d}.tar", "w") as tar:
            for i, (image, pair) in enumerate(zip(squares(samples, s).images, squares(samples, s).pairs, strict=True)):
                picture = io.BytesIO()
                Image.fromarray(image).save(picture, "PNG")
                for extension, content in (("png", picture.getvalue()), ("json", json.dumps({"label": pair.name}).encode())):
                    info = tarfile.TarInfo(f"{s}{i:03d}.{extension}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two processes have worked, as torchrun would have started them."""
    folder = tmp_path_factory.mktemp("together")
    write_shards(folder / "shards", 4, 20)
    write_shards(folder / "one shard", 1, 20)
    told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    outputs = [folder / f"{rank}.log" for rank in "01"]
    processes = [fork(work, folder, output=outputs[int(rank)], RANK=rank, **told) for rank in "01"]
    try:
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [0, 0], [output.read_text() for output in outputs]
    finally:
        for process in processes:
            process.kill()
    return folder


@pytest.fixture(autouse=True)
def _one_thread():
    """As in the processes: with more threads, sums are added in another order, and four steps of Adam make that visible."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ALIKE)
def test_two_processes_learn_what_one_learns(name: str, together: Path, tmp_path: Path) -> None:
    config, change, n = ALIKE[name]
    pretrain(config, data(n), {}, tmp_path, settings(**change), device="cpu")
    alone, both = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (tmp_path, together / name))
    assert both["losses"] == pytest.approx(alone["losses"], rel=1e-5, abs=1e-7)
    # Adam's first moment after four steps is a mean of the gradients, before any division
    for state, other in zip(alone["optimizer"]["state"].values(), both["optimizer"]["state"].values(), strict=True):
        torch.testing.assert_close(other["exp_avg"], state["exp_avg"], rtol=1e-3, atol=1e-6)
    for parameter, weight in alone["model"].items():
        if not parameter.endswith(("running_mean", "running_var", "num_batches_tracked")):  # see below
            torch.testing.assert_close(both["model"][parameter], weight, rtol=1e-3, atol=2e-5, msg=parameter)


def test_statistics_of_batch_norm_are_shared(together: Path, tmp_path: Path) -> None:
    """Each process sees half of the chunks, so the running means are not those of one process, but near them."""
    pretrain(CONFIG, data(45), {}, tmp_path, settings(), device="cpu")
    alone, both = (torch.load(f / "checkpoint.pt", weights_only=True)["model"] for f in (tmp_path, together / "resnet"))
    name = "visual.trunk.features.1.1.running_mean"
    assert not torch.equal(both[name], torch.zeros_like(both[name]))
    assert float(torch.cosine_similarity(alone[name], both[name], dim=0)) > 0.99


def test_a_stream_is_split_between_the_processes(together: Path) -> None:
    for shards, samples in (("shards", 80), ("one shard", 20)):
        seen = [json.loads((together / f"{shards} {rank}.json").read_text()) for rank in (0, 1)]
        assert len(seen[0]) == len(seen[1]) == samples // 2
        assert len({*seen[0], *seen[1]}) == samples
    log = [json.loads(line) for line in (together / "streamed/log.jsonl").open()]
    assert [row["step"] for row in log] == [1, 2, 3]


def test_what_two_processes_began_one_ends(together: Path, tmp_path: Path) -> None:
    """Elastic: the next start may have another number of processes, and the loss goes on as if one had done it all."""
    pretrain(VIT, data(45), {}, tmp_path / "alone", settings(), device="cpu")
    shutil.copytree(together / "stopped", tmp_path / "resumed")
    assert torch.load(tmp_path / "resumed/checkpoint.pt", weights_only=True)["step"] == 2
    pretrain(VIT, data(45), {}, tmp_path / "resumed", settings(), device="cpu")
    alone, resumed = (torch.load(tmp_path / f / "checkpoint.pt", weights_only=True) for f in ("alone", "resumed"))
    assert resumed["step"] == 4
    assert resumed["losses"] == pytest.approx(alone["losses"], rel=1e-5, abs=1e-7)


def test_the_log_says_how_it_scales(together: Path) -> None:
    log = [json.loads(line) for line in (together / "vit/log.jsonl").open()]
    assert log
    for row in log:
        assert row["processes"] == 2
        assert row["images_per_s_each"] == pytest.approx(row["images_per_s"] / 2, rel=1e-3)
        assert 0 <= row["efficiency"] < 1  # gradients take some time


def test_exchanges_are_counted_once() -> None:
    exchange = Exchange()
    began = time.perf_counter()
    with exchange.timed(), exchange.timed():
        sum(range(200_000))
    assert 0 < exchange.taken() <= time.perf_counter() - began
    assert exchange.taken() == 0


def test_alone_nothing_is_exchanged() -> None:
    world = World()
    rows = torch.ones(2, 3)
    assert world.gather(rows) is rows
    assert world.own(rows, 2) is rows
    assert world.gather_objects("a") == ["a"]
    assert world.agree(5) == 5
    world.add([rows])
    assert rows.sum() == 6
