"""OpenVINO beside torch: tried when it pays, taken when it agrees, remembered, and never the reason why nothing answers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clipcore import models
from clipcore.encoding import engine
from clipcore.encoding.engine import FEWEST, TORCH, Engine, engine_for, several_convolutions
from tests.support.small_clip import pictures, write_model

SIZE = (32, 32)
SMALL = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "engine"


@pytest.fixture
def tower():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 6))
    return nn.Sequential(*layers).eval().requires_grad_(False)


@pytest.fixture
def quick(monkeypatch):
    """Every trial says that OpenVINO is twice as fast; lists which towers were timed."""
    timed = []

    def seconds(run, pictures):
        timed.append(run)
        return (2.0 if isinstance(getattr(run, "__self__", None), Engine) else 1.0), run(pictures)

    monkeypatch.setattr(engine, "timed", seconds)
    return timed


def made(tower, key="a" * 64) -> Engine:
    found = engine_for(tower, tower, SIZE, torch.float32, key)
    assert found
    return found


def batch(count=FEWEST, seed=1):
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


needed = pytest.mark.skipif(not engine.installed(), reason="there is no OpenVINO for this system")


@needed
def test_a_tower_is_taken_over_kept_and_opened_again(cache, quick, tower):
    first = made(tower)
    assert first.running == TORCH
    exact = first(batch())
    assert torch.equal(exact, tower(batch()))  # it has not worked long enough
    first.decide()
    assert first.running == "openvino f32"
    for count in (1, 3, FEWEST, 9):  # any number of pictures
        assert torch.allclose(first(batch(count)), tower(batch(count)), atol=1e-4)
    (kept,) = cache.glob("*.blob")
    assert kept.stat().st_size > 1000
    assert not list(cache.glob("*.part"))

    quick.clear()
    again = made(tower)
    again(batch(1))
    assert again.running == TORCH  # nobody waits for it with a picture
    found = again(batch())
    assert again.running == "openvino f32"
    assert torch.allclose(found, exact, atol=1e-4)
    assert not quick  # what was chosen is not tried again
    assert made(tower, "b" * 64).running == TORCH

    kept.write_bytes(b"damaged")
    once_more = made(tower)
    assert torch.allclose(once_more(batch()), exact, atol=1e-4)
    assert once_more.running == "openvino f32"  # tried and kept anew
    assert kept.stat().st_size > 1000


@needed
def test_it_is_tried_once_the_tower_has_worked_long_enough(cache, quick, tower, monkeypatch):
    monkeypatch.setattr(engine, "WORTH", 0.0)
    ours = made(tower)
    ours(batch(FEWEST - 1))
    assert not quick
    ours(batch())
    assert quick
    assert ours.running == "openvino f32"


@needed
def test_threads_share_it(cache, quick, tower):
    from concurrent.futures import ThreadPoolExecutor

    ours = made(tower)
    ours.decide()
    batches = [batch(5, seed) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ours, batches))
    assert all(torch.allclose(a, tower(b), atol=1e-4) for a, b in zip(found, batches, strict=True))


@needed
def test_every_core_has_a_stream(cache, quick, tower):
    """Without streams of its own OpenVINO takes calls one after the other, and a second thread gains nothing."""
    for ours in (made(tower), made(tower)):  # compiled now, and read again
        ours.decide()
        able = ours._quick._compiled
        assert (able.get_property("NUM_STREAMS"), able.get_property("INFERENCE_NUM_THREADS")) == (os.cpu_count(),) * 2


@needed
def test_who_has_all_cores_gets_all_of_them(cache, quick, tower, monkeypatch):
    ours = made(tower)
    ours.decide()
    parts = []
    one = ours._quick._pass
    monkeypatch.setattr(ours._quick, "_pass", lambda pixels: parts.append(len(pixels)) or one(pixels))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    many = batch(13)
    assert torch.allclose(ours(many), tower(many), atol=1e-4)
    assert sorted(parts) == [4, 4, 5]


@needed
@pytest.mark.parametrize("reason", ["no faster", "another answer"])
def test_torch_stays_where_it_is_no_worse(cache, quick, tower, monkeypatch, reason):
    if reason == "no faster":
        monkeypatch.setattr(engine, "timed", lambda run, pictures: (1.0, run(pictures)))
    else:
        monkeypatch.setattr(engine, "_agree", lambda found, exact: False)
    ours = made(tower)
    ours.decide()
    assert ours.running == TORCH
    assert torch.equal(ours(batch()), tower(batch()))
    assert not list(cache.glob("*.blob"))
    monkeypatch.undo()
    monkeypatch.setenv("SAYSO_CACHE", str(cache.parent))
    again = made(tower)
    again.decide()  # remembered
    assert again.running == TORCH


def test_what_both_share_does_not_hide_a_difference():
    exact = torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    off = torch.randn(8, 16, generator=torch.Generator().manual_seed(1))
    assert engine._agree(exact + 1e-4 * off, exact)
    assert not engine._agree(exact + 0.1 * off, exact)
    assert not engine._agree(1 + 0.01 * (exact + 0.5 * off), 1 + 0.01 * exact)
    assert not engine._agree(exact * float("nan"), exact)


@needed
def test_a_tower_that_it_cannot_run_stays_with_torch_in_one_sentence(cache, quick, tower, monkeypatch, caplog):
    def fails(*_):
        raise RuntimeError("no such operation\nin line 7")

    monkeypatch.setattr(engine, "_converted", fails)
    ours = made(tower)
    ours.decide()
    assert torch.equal(ours(batch()), tower(batch()))
    (record,) = caplog.records
    assert record.message == "OpenVINO cannot run this image tower (no such operation); torch does."
    made(tower).decide()  # and is not tried at every start
    assert len(caplog.records) == 1


@needed
def test_a_failure_on_the_way_costs_no_picture(cache, quick, tower, monkeypatch, caplog):
    ours = made(tower)
    ours.decide()

    def fails(pixels):
        raise RuntimeError("bad_alloc")

    monkeypatch.setattr(ours, "_quick", fails)
    assert torch.equal(ours(batch()), tower(batch()))
    assert caplog.records[-1].message == "OpenVINO gave up on the image tower (bad_alloc); torch goes on with it."
    assert ours.running == TORCH


def test_transformers_and_systems_without_it_run_on_torch(tower, monkeypatch):
    patches = nn.Sequential(nn.Conv2d(3, 8, 16, 16), nn.Flatten(), nn.Linear(32, 4))
    assert several_convolutions(tower)
    assert not several_convolutions(patches)
    assert engine_for(patches, patches, SIZE, torch.float32, "a" * 64) is None
    monkeypatch.setattr(engine, "installed", lambda: "")
    assert engine_for(tower, tower, SIZE, torch.float32, "a" * 64) is None


@needed
def test_a_model_with_it_says_what_it_says_without(tmp_path, cache, quick):
    name = write_model(tmp_path / "model", SMALL)
    exact, ours = models.load(name, "cpu", "fp32"), models.load(name, "cpu")
    assert exact._tower is None
    assert exact.space == ours.space
    assert isinstance(ours._tower, Engine)
    images = pictures(7)
    before = ours.embed_images(images)
    ours.settle()
    assert ours._tower.running.startswith("openvino")
    after = ours.embed_images(images)
    assert after.dtype == np.float32
    centred = [vectors - vectors.mean(0) for vectors in (exact.embed_images(images), before, after)]
    for found in centred[1:]:
        cosines = (found * centred[0]).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(centred[0], axis=1)
        assert cosines.min() > engine.SAME
    assert ours.cost() == exact.cost()
    assert np.allclose(ours.variant().embed_images(images), after, atol=1e-6)


@needed
def test_nothing_tells_its_makers_that_it_runs(tmp_path):
    """What sends is imported by nobody, also where it is installed and nothing was refused."""
    (tmp_path / "openvino_telemetry.py").write_text("raise SystemExit('telemetry was imported')\n")
    script = (
        "import torch; from torch import nn; from clipcore.encoding import engine;"
        "tower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)).eval().requires_grad_(False);"
        "print(engine._converted(tower, (16, 16)).inputs)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[?,3,16,16]" in done.stdout
