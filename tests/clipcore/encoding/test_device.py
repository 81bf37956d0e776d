"""Where a model runs and in which precision: decided by measurement, never at the price of an answer."""

import json

import pytest
import torch
from torch import nn

from clipcore import BadInput, models
from clipcore.encoding import device
from clipcore.encoding.device import (
    CPU_SIZES,
    choose_batch_size,
    choose_precision,
    default_batch_size,
    pick_device,
)
from tests.support.sentences import assert_sentence
from tests.support.small_clip import write_model

CPU = torch.device("cpu")
VECTORS = nn.functional.normalize(torch.randn(8, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
NOISE = torch.randn(8, 16, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path))
    return tmp_path / "precision"


@pytest.fixture
def measured(monkeypatch):
    """Make the two measurements say this: seconds and vectors in full and in reduced precision. Counts the calls."""
    calls = []

    def arrange(full, reduced):
        def timed(visual, pictures):
            calls.append(pictures.dtype)
            return reduced if pictures.dtype == torch.bfloat16 else full

        monkeypatch.setattr(device, "timed", timed)
        return calls

    return arrange


def choose(key="a" * 64) -> torch.dtype:
    return choose_precision(nn.Linear(2, 2), (8, 8), CPU, key)


@pytest.mark.parametrize(
    ("full", "reduced", "expected"),
    [
        ((2.0, VECTORS), (1.0, VECTORS), torch.bfloat16),  # faster and the same
        ((2.0, VECTORS), (1.0, VECTORS + 0.001 * NOISE), torch.bfloat16),  # faster and nearly the same
        ((2.0, VECTORS), (1.0, VECTORS + 0.1 * NOISE), torch.float32),  # faster, but other answers
        ((1.2, VECTORS), (1.0, VECTORS), torch.float32),  # faster by no more than noise
        ((1.0, VECTORS), (2.0, VECTORS), torch.float32),  # slower
        # one common part that hides how much the pictures' own parts differ
        ((2.0, 0.01 * VECTORS + 1), (1.0, 0.01 * (VECTORS + 0.5 * NOISE) + 1), torch.float32),
        ((2.0, VECTORS), (1.0, VECTORS * float("nan")), torch.float32),
    ],
)
def test_reduced_only_if_faster_and_the_same(cache, measured, full, reduced, expected):
    measured(full, reduced)
    assert choose() == expected


def test_the_choice_is_remembered_by_model(cache, measured):
    calls = measured((2.0, VECTORS), (1.0, VECTORS))
    assert choose() == torch.bfloat16
    assert len(calls) == 2
    measured((1.0, VECTORS), (2.0, VECTORS))
    assert choose() == torch.bfloat16  # not measured again
    assert len(calls) == 2
    assert choose("b" * 64) == torch.float32
    assert len(calls) == 4
    assert len(list(cache.glob("*.json"))) == 2


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"dtype": 3}', '{"other": 1}'])
def test_a_damaged_memory_is_harmless(cache, measured, damage):
    measured((1.0, VECTORS), (2.0, VECTORS))
    choose()
    (file,) = cache.glob("*.json")
    assert json.loads(file.read_text()) == {"dtype": "float32"}
    file.write_text(damage)
    assert choose() == torch.float32


def test_a_cache_folder_that_cannot_be_written_is_harmless(tmp_path, monkeypatch, measured):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SAYSO_CACHE", str(tmp_path / "file" / "below"))  # read-only even for root
    calls = measured((2.0, VECTORS), (1.0, VECTORS))
    assert choose() == choose() == torch.bfloat16
    assert len(calls) == 4


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no room"), NotImplementedError("no kernel"), RuntimeError("no")])
def test_a_device_without_bfloat16_stays_at_float32(cache, monkeypatch, error):
    def fails(visual, pictures):
        raise error

    monkeypatch.setattr(device, "timed", fails)
    assert choose() == torch.float32


def test_timing_gives_unit_vectors_of_plain_and_tuple_towers():
    tower = nn.Linear(3, 5)
    pictures = torch.randn(8, 3)
    with torch.no_grad():
        seconds, vectors = device.timed(tower, pictures)
        _, of_tuple = device.timed(lambda p: (tower(p), "tokens"), pictures)
    assert seconds > 0
    assert torch.allclose(vectors.norm(dim=1), torch.ones(8), atol=1e-6)
    assert torch.equal(vectors, of_tuple)


def test_a_processor_is_measured_by_one_core_and_gets_its_threads_back():
    seen = []
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        device.timed(lambda p: seen.append(torch.get_num_threads()) or p, torch.ones(2, 3))
        assert set(seen) == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_auto_measures_a_real_model(cache, tmp_path):
    clip = models.load(write_model(tmp_path / "model"), "cpu")
    assert clip.dtype in (torch.float32, torch.bfloat16)
    (file,) = cache.glob("*.json")
    assert json.loads(file.read_text())["dtype"] == str(clip.dtype).removeprefix("torch.")


# batch size


@pytest.fixture
def rates(monkeypatch):
    """Make the measurement say these images a second by batch size; an exception is raised. Lists the sizes tried."""

    def arrange(by_size):
        tried = []

        def timed(visual, pictures):
            tried.append(len(pictures))
            rate = by_size[len(pictures)]
            if isinstance(rate, Exception):
                raise rate
            return len(pictures) / rate, None

        monkeypatch.setattr(device, "timed", timed)
        return tried

    return arrange


def choose_size(key="a" * 64, dtype=torch.float32) -> int:
    return choose_batch_size(nn.Linear(2, 2), (8, 8), CPU, dtype, key)


@pytest.mark.parametrize(
    ("by_size", "expected", "tries"),
    [
        ({4: 1e4, 8: 2e4, 16: 3e4, 32: 5e4, 64: 8e4}, 64, 5),
        ({4: 1e4, 8: 2e4, 16: 3e4, 32: 3.1e4, 64: 3.2e4}, 16, 5),  # a tenth more is not worth twice the batch
        ({4: 1e4, 8: 2e4, 16: 1e4}, 8, 3),  # falling: no more is tried
        ({4: 1e4, 8: 2e4, 16: torch.OutOfMemoryError("no room")}, 8, 3),
        ({4: 10}, 8, 1),  # the next size alone would take more than two seconds: the usual size
        ({4: 1e4, 8: 2e4, 16: 50, 32: 1e9}, 8, 3),
        ({4: 40, 8: 60, 16: 60}, 8, 3),  # as far as the time went
    ],
)
def test_the_smallest_batch_that_is_nearly_the_quickest(cache, rates, by_size, expected, tries):
    tried = rates(by_size)
    assert choose_size() == expected
    assert tried == list(CPU_SIZES[:tries])


def test_the_batch_size_is_remembered_by_model_and_precision(cache, rates):
    tried = rates({4: 1e4, 8: 2e4, 16: 1e4})
    assert choose_size() == choose_size() == 8
    assert len(tried) == 3
    assert choose_size(dtype=torch.bfloat16) == choose_size("b" * 64) == 8
    assert len(tried) == 9
    for file in (cache.parent / "batch").glob("*.json"):
        file.write_text('{"batch_size": 1000000}')
    assert choose_size() == 8


def test_where_nothing_can_be_measured_nothing_is_remembered(cache, rates):
    rates({4: RuntimeError("no kernel")})
    assert choose_size() == 8
    assert not (cache.parent / "batch").exists()


def test_a_real_model_gets_a_measured_batch_size(cache, tmp_path):
    clip = models.load(write_model(tmp_path / "model"), "cpu")
    (file,) = (cache.parent / "batch").glob("*.json")
    assert json.loads(file.read_text()) == {"batch_size": clip.batch_size}
    assert clip.batch_size in CPU_SIZES


def testgenerated_pictures_differ_and_stay_the_same():
    first, again = (device.generated_pictures(4, (16, 12)) for _ in range(2))
    assert first.shape == (4, 3, 16, 12)
    assert torch.equal(first, again)
    assert (first[0] - first[1]).abs().mean() > 0.1


def test_devices():
    assert pick_device("cpu") == CPU
    assert pick_device() == pick_device("auto")
    assert default_batch_size(CPU) == 8
    assert default_batch_size(torch.device("cuda")) > 32
    for name in ("cuda:99", "tpu", "", "cpu:x"):
        with pytest.raises(BadInput, match="use cpu") as caught:
            pick_device(name)
        assert_sentence(caught.value)
