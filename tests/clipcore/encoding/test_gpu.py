"""What a GPU is given and runs, as far as a CPU can show it: the same numbers, and a compiled tower only where it pays."""

import logging
import os
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import typer
from torch import nn
from typer.testing import CliRunner

from benchmarks import gpu as benchmark
from benchmarks.__main__ import main
from clipcore import models
from clipcore.classify.heat import heat
from clipcore.classify.zeroshot import zero_shot_classifier
from clipcore.encoding import device, gpu
from clipcore.encoding.gpu import AFTER, PAUSE, Compiled, Feed, feed_for
from clipcore.encoding.stream import embed_files
from tests.support.fakes import FakeEncoder, photo
from tests.support.small_clip import CLIP, pictures, write_model

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
TRANSFORMS = {
    "shortest": {},
    "squash, other mean": {"resize_mode": "squash", "mean": [0.5, 0.4, 0.3], "std": [0.5, 0.6, 0.7]},
    "longest": {"resize_mode": "longest", "interpolation": "bilinear"},
}


@pytest.fixture(scope="module", params=list(TRANSFORMS))
def clip(request, tmp_path_factory):
    """A model on the CPU."""
    folder = tmp_path_factory.mktemp("models") / "small"
    return models.load(write_model(folder, preprocess=TRANSFORMS[request.param]), "cpu", "fp32")


@pytest.fixture
def fed(clip):
    """The same model, with its pictures taken as a GPU takes them: as bytes, normalised on the device."""
    encoder = clip.variant()
    encoder._feed = Feed(encoder._preprocess.transforms, CPU)
    return encoder


# bytes


@pytest.mark.parametrize("size", [(50, 40), (40, 300), (20, 20)])
def test_bytes_are_normalised_to_the_transforms_own_numbers(clip, fed, size):
    for image in pictures(3, size):
        prepared = fed.prepare(image)
        assert prepared.dtype == torch.uint8
        assert prepared.shape == (3, 32, 32)
        assert torch.equal(fed.normalised(prepared), clip.prepare(image))


def test_vectors_are_the_same(clip, fed):
    images = [*pictures(5), pictures(1)[0].convert("L"), pictures(1)[0].convert("RGBA")]
    assert np.array_equal(fed.embed_images(images), clip.embed_images(images))
    prepared = [clip.prepare(image) for image in images]  # pictures that are normalised already are taken, too
    assert np.array_equal(fed.embed_prepared(prepared), clip.embed_images(images))
    assert torch.equal(fed.normalised(prepared[0]), prepared[0])


def test_a_large_photo_too(clip, fed, tmp_path):
    pictures(1, size=(1200, 900))[0].save(tmp_path / "large.jpg", quality=95)
    assert torch.equal(fed.normalised(fed.prepare(tmp_path / "large.jpg")), clip.prepare(tmp_path / "large.jpg"))


def test_heat_is_the_same(clip, fed):
    """It looks into the tower with the model's own input."""
    classifier, image = zero_shot_classifier(clip, ["cat", "dog"]), pictures(1)[0]
    assert np.array_equal(heat(fed, classifier, image).values, heat(clip, classifier, image).values)


def test_out_of_memory_halves_a_batch_of_bytes(fed, monkeypatch):
    images, encode, tried, fed.batch_size = pictures(8), fed._model.encode_image, [], 8
    expected = fed.embed_images(images)

    def small_memory(pixels):
        tried.append(len(pixels))
        if len(pixels) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(pixels)

    monkeypatch.setattr(fed._model, "encode_image", small_memory)
    assert np.allclose(fed.embed_images(images), expected, atol=2e-6)
    assert (tried[:3], fed.batch_size) == ([8, 4, 2], 2)


def test_who_is_fed_with_bytes(clip):
    assert clip._feed is None  # a CPU keeps open_clip's transform
    assert clip.prepare(pictures(1)[0]).dtype == torch.float32
    assert feed_for(lambda image: image, CUDA) is None  # an unknown transform is left alone
    assert feed_for(SimpleNamespace(transforms=clip._preprocess.transforms[:-1]), CUDA) is None
    assert gpu.ends_in_normalise(clip._preprocess.transforms)


# the benchmark


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here: the benchmark would run")
def test_the_benchmark_says_that_it_needs_a_gpu():
    asked = typer.Typer()
    asked.command()(main)
    result = CliRunner().invoke(asked, ["gpu", "--quick"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert benchmark.NO_GPU in result.stderr


# precision


@pytest.mark.parametrize(
    ("kind", "native", "expected"),
    [
        ("cpu", False, torch.bfloat16),
        ("cuda", True, torch.bfloat16),
        ("cuda", False, torch.float16),  # before Ampere, bfloat16 is imitated and slow
        ("mps", False, torch.float16),
    ],
)
def test_sixteen_bits_by_device(monkeypatch, kind, native, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    assert device.half(torch.device(kind)) == expected


def test_a_choice_of_another_type_is_made_again(tmp_path, monkeypatch):
    """The card was exchanged for one without bfloat16 under the same name, or Sayso chose otherwise then."""
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path))
    monkeypatch.setattr(device, "timed", lambda visual, pictures: ({4: 1.0, 2: 0.5}[pictures.itemsize], torch.eye(8)))
    assert device.choose_precision(nn.Linear(2, 2), (8, 8), CPU, "k" * 64) == torch.bfloat16
    monkeypatch.setattr(device, "half", lambda device: torch.float16)
    assert device.choose_precision(nn.Linear(2, 2), (8, 8), CPU, "k" * 64) == torch.float16


# feeding


def test_two_feed_a_gpu(tmp_path, monkeypatch):
    """Two passes are under way at once, in threads that decode nothing."""
    files = [photo(tmp_path / f"{i:02}.png", (i * 9, 255 - i * 9, 40)) for i in range(16)]
    encoder, both, embed, names = FakeEncoder(batch_size=4, passes=2), threading.Barrier(2), FakeEncoder().embed_prepared, []
    encoder.device = SimpleNamespace(type="cuda")

    def together(batch):
        both.wait(timeout=5)
        names.append(threading.current_thread().name)
        return embed(batch)

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(encoder, "embed_prepared", together)
    batches = list(embed_files(encoder, files))
    assert [picture.path for batch in batches for picture in batch.pictures] == files
    assert len(set(names)) == 2
    assert all(name.startswith("decode-model") for name in names)


# the compiled tower


class Tower(nn.Module):
    """A small tower that does its work `slow` times over, as one that is not compiled."""

    def __init__(self, slow: int = 12) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3 * 16 * 16, 64)
        self.slow = slow
        self.calls = 0

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        for _ in range(self.slow):
            found = self.layer(pixels.flatten(1)).tanh()
        return found


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def quicker(tower: Tower) -> Tower:
    """As a compiler should: the same answers in less time."""
    made = Tower(slow=1)
    made.load_state_dict(tower.state_dict())
    return made


def slower(tower: Tower) -> Tower:
    made = quicker(tower)
    made.slow = 30
    return made


def other_answers(tower: Tower) -> Tower:
    return Tower(slow=1).requires_grad_(False).apply(lambda m: isinstance(m, nn.Linear) and m.weight.mul_(-1))


def no_answers(tower: Tower):
    return lambda pixels: quicker(tower)(pixels) * float("nan")


def no_compiler(tower: Tower):
    raise RuntimeError("Failed to find C compiler.")


def fails_at_its_first_pass(tower: Tower):
    def run(pixels):
        raise NotImplementedError("no lowering")

    return run


BATCH = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def import_for(seconds: float, tower: Compiled, clock: Clock, batch: torch.Tensor = BATCH, step: float = 1.0) -> None:
    """Batches, one each `step` seconds."""
    end = clock.now + seconds
    while clock.now <= end:
        with torch.no_grad():
            assert torch.equal(tower(batch), tower._visual(batch))
        clock.now += step


@pytest.mark.parametrize(
    ("compile_tower", "kept"),
    [
        (quicker, True),
        (slower, False),
        (other_answers, False),
        (no_answers, False),
        (no_compiler, False),
        (fails_at_its_first_pass, False),
    ],
)
def test_compiled_is_kept_if_it_pays_and_agrees(compile_tower, kept):
    clock = Clock()
    tower = Compiled(Tower(), compile_tower, clock)
    import_for(AFTER + 5, tower, clock)  # asserts the answers, before and after
    assert tower.compiled is kept


def test_it_is_tried_once(monkeypatch):
    clock, tried = Clock(), []
    tower = Compiled(Tower(), lambda visual: tried.append(clock.now) or slower(visual), clock)
    import_for(AFTER - 2, tower, clock)
    assert not tried  # a short import waits for no compiler
    import_for(3 * AFTER, tower, clock)
    assert tried == [AFTER]


def test_pictures_now_and_then_are_no_import():
    clock, tried = Clock(), []
    tower = Compiled(Tower(), lambda visual: tried.append(1) or quicker(visual), clock)
    import_for(5 * AFTER, tower, clock, step=PAUSE + 1)
    import_for(2 * AFTER, tower, clock, batch=BATCH[:1])
    assert not tried
    clock.now += PAUSE + 1
    import_for(AFTER - 2, tower, clock)  # begins anew
    assert not tried


def test_only_full_batches_go_through_it():
    clock, made = Clock(), quicker(Tower())
    tower = Compiled(Tower(), lambda visual: made, clock)
    import_for(AFTER + 1, tower, clock)
    before = made.calls
    tower(BATCH[:7])  # the last of an import
    assert made.calls == before
    tower(BATCH)
    assert made.calls == before + 1


def test_one_that_fails_later_is_given_up_but_not_for_memory(caplog):
    clock, made = Clock(), quicker(Tower())
    tower = Compiled(Tower(), lambda visual: lambda pixels: made(pixels), clock)
    import_for(AFTER + 1, tower, clock)
    made.forward = lambda pixels: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):  # the encoder halves the batch
        tower(BATCH)
    assert tower.compiled
    made.forward = lambda pixels: (_ for _ in ()).throw(RuntimeError("CUDA error: launch failed"))
    with torch.no_grad(), caplog.at_level(logging.INFO):
        assert torch.equal(tower(BATCH), tower._visual(BATCH))
    assert not tower.compiled
    assert "launch failed" in caplog.text


def test_torch_compile_itself_agrees_or_is_not_kept(tmp_path):
    """torch's own compiler on a real tower; where there is none (no C++ compiler), the tower itself answers."""
    one_layer = {**CLIP, "vision_cfg": {**CLIP["vision_cfg"], "layers": 1}}  # it takes seconds a layer
    visual = models.load(write_model(tmp_path / "model", one_layer), "cpu", "fp32")._model.visual
    clock, batch = Clock(), torch.randn(32, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    tower = Compiled(visual, clock=clock)
    with torch.no_grad():
        expected = visual(batch)
        tower(batch)
        for _ in range(8):
            clock.now += AFTER / 8
            assert torch.allclose(tower(batch), expected, atol=1e-4)
    assert tower._tried


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_cpu_and_gpu_agree(tmp_path):
    name, images = write_model(tmp_path / "model", CLIP), pictures(40)
    exact, on_gpu = models.load(name, "cpu", "fp32"), models.load(name, "cuda", "fp32")
    assert on_gpu.prepare(images[0]).dtype == torch.uint8
    assert np.allclose(on_gpu.embed_images(images), exact.embed_images(images), atol=1e-3)
    reduced = models.load(name, "cuda")
    assert (reduced.embed_images(images) * exact.embed_images(images)).sum(1).min() > 0.999
