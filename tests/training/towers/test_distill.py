"""Self-distillation of a tiny tower: it comes nearer to itself, goes on exactly, and what is frozen stays."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from clipcore.models.towers import NamedTower
from training.data.pairs import Pair
from training.data.pixels import Pixels
from training.data.views import worsened
from training.towers.distill import Distillation, Source, crops_of, iter_distill, mixed


def tower() -> NamedTower:
    torch.manual_seed(0)
    made = NamedTower("test_efficientnet", 10, 16)
    torch.nn.init.normal_(made.table)
    return made.eval()


def sources() -> list[Source]:
    """Twelve captioned pictures of 48 pixels and twelve named ones of 32."""
    rng = np.random.default_rng(0)
    words = F.normalize(torch.randn(24, 16, generator=torch.Generator().manual_seed(1)), dim=1)
    told = Pixels(
        rng.integers(0, 256, (12, 48, 48, 3), np.uint8), [Pair(f"told/{i}", b"", (f"picture {i}",)) for i in range(12)]
    )
    named = Pixels(
        rng.integers(0, 256, (12, 32, 32, 3), np.uint8), [Pair(f"named/{i}", b"", name=f"n{i % 3}") for i in range(12)]
    )
    return [
        Source("told", told, words, np.arange(24).reshape(12, 2), np.full(12, -1)),
        Source("named", named, words[:3], np.arange(12)[:, None] % 3, np.arange(12) % 3),
    ]


SETTINGS = Distillation(
    steps=12, sizes=(32,), head_steps=6, teacher_side=48, crops=2, log_every=1, learning_rate=1e-3, negatives=8, warmup=0.1
)


def finish(out: Path, settings: Distillation = SETTINGS, stop: int = 0) -> list[dict[str, float]]:
    """The metrics of each step of the trunk; with `stop`, the run ends after so many."""
    found, run = [], iter_distill(tower(), sources(), out, settings)
    for step in run:
        if "features" in step.metrics:
            found.append(dict(step.metrics))
        if stop and len(found) == stop:
            break
    run.close()
    return found


def test_it_learns_and_what_is_frozen_stays(tmp_path: Path) -> None:
    steps = finish(tmp_path)
    assert len(steps) == 12
    assert np.mean([s["loss"] for s in steps[-4:]]) < np.mean([s["loss"] for s in steps[:4]])
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    before = tower().state_dict()
    assert torch.equal(state["trunk.conv_stem.weight"], before["trunk.conv_stem.weight"])
    assert torch.equal(state["classes.weight"], before["classes.weight"])
    assert not torch.equal(state["trunk.conv_head.weight"], before["trunk.conv_head.weight"])
    assert all(torch.equal(state[k], before[k]) for k in before if "running" in k and k.startswith("trunk"))


def test_a_run_that_was_stopped_goes_on_exactly(tmp_path: Path) -> None:
    finish(tmp_path / "whole")
    finish(tmp_path / "parts", stop=5)
    finish(tmp_path / "parts")
    one, other = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts"))
    assert one["step"] == other["step"] == 12
    for part in ("model", "ema"):
        for name, value in one[part].items():
            torch.testing.assert_close(value, other[part][name], msg=f"{part} {name}")


def test_half_way_weights_are_half_way() -> None:
    start, tuned = tower(), tower()
    with torch.no_grad():
        tuned.trunk.conv_head.weight += 1
        tuned.table += 1
    half = mixed(start, tuned, 0.5)
    torch.testing.assert_close(half.trunk.conv_head.weight, start.trunk.conv_head.weight + 0.5)
    assert torch.equal(half.table, tuned.table)  # what is not the trunk is as tuned


def test_crops_are_inside_and_the_first_is_the_whole() -> None:
    assert (crops_of(3, 48, 0) == (0, 0, 48, 48)).all()
    top, left, height, width = crops_of(200, 48, 1).T
    assert ((top + height <= 48) & (left + width <= 48) & (height > 0) & (width > 0)).all()
    assert (crops_of(200, 48, 1) == crops_of(200, 48, 1)).all()


def test_worse_views_are_of_one_size_and_differ(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (side, side + 10, 3), np.uint8) for side in (32, 64, 176) for _ in range(10)]
    views = worsened(pictures, 96, rng)
    assert views.shape == (30, 3, 96, 96)
    assert 0 <= float(views.min()) <= float(views.max()) <= 255
