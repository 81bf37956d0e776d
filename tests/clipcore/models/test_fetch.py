"""Getting models from a hub on this computer: size, resume, checksum, refusals, removal."""

import hashlib
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from clipcore import BadInput, ModelError, ModelNotHere, drain
from clipcore.models import download_megabytes, fetch, is_here, iter_fetch, load, remove
from tests.clipcore.models.test_models import SMALL, WEIGHTS, architecture, folder, hub, original, served  # noqa: F401
from tests.support.sentences import assert_sentence

NEW = "hf-hub:someone/new"


def test_size_is_known_before_anything_is_fetched(served):  # noqa: F811
    size = sum(len(served.files[name]) for name in ("open_clip_config.json", "merges.txt", WEIGHTS))
    assert download_megabytes(NEW) == -(-size // 10**6)
    assert served.asked == []
    drain(iter_fetch(NEW))
    assert download_megabytes(NEW) == 0


def test_a_stopped_fetch_goes_on_where_it_stopped(served):  # noqa: F811
    weights = served.files[WEIGHTS]
    served.files[WEIGHTS] = weights + b"\0" * (20 * 2**20)  # slow: 2**20 bytes in 0.15 s
    served.digests = {WEIGHTS: hashlib.sha256(served.files[WEIGHTS]).hexdigest()}
    steps = iter_fetch(NEW)
    while next(steps).done < 5:
        pass
    steps.close()
    assert not is_here(NEW)
    assert served.ranges == []
    drain(iter_fetch(NEW))
    (wanted,) = served.ranges
    assert int(wanted.removeprefix("bytes=").split("-")[0]) >= 4 * 10**6
    got = next(fetch.Path(fetch_cache()).rglob(f"snapshots/*/{WEIGHTS}"))
    assert got.read_bytes() == served.files[WEIGHTS]


def test_a_download_that_breaks_off_is_gone_on_with(served):  # noqa: F811
    """The server closes the connection in the middle, twice."""
    weights = served.files[WEIGHTS]
    served.breaks[:] = [100_000, 50_000]
    drain(iter_fetch(NEW))
    assert served.ranges == ["bytes=100000-", "bytes=150000-"]
    got = next(fetch.Path(fetch_cache()).rglob(f"snapshots/*/{WEIGHTS}"))
    assert got.read_bytes() == weights
    assert load(NEW, "cpu", "fp32").dim == 24


def test_a_line_that_stays_broken_is_said_and_the_next_fetch_goes_on(served):  # noqa: F811
    served.breaks[:] = [100_000, 0]
    with pytest.raises(ModelError, match="broke off; fetch it again, it goes on where it stopped") as caught:
        drain(iter_fetch(NEW))
    assert_sentence(caught.value)
    assert not is_here(NEW)
    drain(iter_fetch(NEW))
    assert served.ranges == ["bytes=100000-", "bytes=100000-"]
    assert load(NEW, "cpu", "fp32").dim == 24


@pytest.mark.parametrize("damage", ["noise", "cut in the head", "a page", "shorter than its table says"])
def test_wrong_bytes_without_a_checksum_are_not_kept(served, damage):  # noqa: F811
    """Their number is right, or the hub itself has them so: nothing but opening the file shows it."""
    good = served.files[WEIGHTS]
    served.files[WEIGHTS] = {
        "noise": np.random.default_rng(0).bytes(len(good)),
        "cut in the head": b"\0" * 64 + good[64:],
        "a page": b"<!doctype html>".ljust(len(good)),
        "shorter than its table says": good[:-1000],
    }[damage]
    with pytest.raises(ModelError, match="no weights that can be read") as caught:
        drain(iter_fetch(NEW))
    assert_sentence(caught.value)
    assert not is_here(NEW)
    assert not list(fetch.Path(fetch_cache()).rglob("*.part"))
    served.files[WEIGHTS] = good
    drain(iter_fetch(NEW))
    assert served.ranges == []  # from the beginning
    assert load(NEW, "cpu", "fp32").dim == 24


class Code:
    """A pickle that would make a file, if it were ever run."""

    def __reduce__(self):
        return open, ("ran", "w")


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before torch 1.6"])
def test_a_checkpoint_without_a_checksum(served, tmp_path, monkeypatch, old):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    weights, name = served.files.pop(WEIGHTS), "open_clip_pytorch_model.bin"
    (tmp_path / "weights").write_bytes(weights)
    save = partial(torch.save, _use_new_zipfile_serialization=not old)
    save({"weights": torch.zeros(9), "code": Code()}, tmp_path / "bad")
    served.files[name] = (tmp_path / "bad").read_bytes()
    with pytest.raises(ModelError, match="or holds program code"):
        drain(iter_fetch(NEW))
    assert not is_here(NEW)
    assert not (tmp_path / "ran").exists()
    save(load_file(tmp_path / "weights"), tmp_path / "good")
    served.files[name] = (tmp_path / "good").read_bytes()
    drain(iter_fetch(NEW))
    assert load(NEW, "cpu", "fp32").dim == 24


def fetch_cache():
    from huggingface_hub import constants

    return constants.HF_HUB_CACHE


def test_a_wrong_checksum_is_not_kept(served):  # noqa: F811
    served.digests = {WEIGHTS: "0" * 64}
    with pytest.raises(ModelError, match="checksum is wrong") as caught:
        drain(iter_fetch(NEW))
    assert_sentence(caught.value)
    assert not is_here(NEW)
    served.digests = {WEIGHTS: hashlib.sha256(served.files[WEIGHTS]).hexdigest()}
    drain(iter_fetch(NEW))
    assert load(NEW, "cpu", "fp32").dim == 24


@pytest.mark.parametrize(
    ("status", "says"),
    [(401, "log in"), (403, "accepted its terms"), (404, "check the name"), (500, "could not be fetched")],
)
def test_refusals_of_the_hub(served, status, says):  # noqa: F811
    served.status = status
    for attempt in (lambda: drain(iter_fetch(NEW)), lambda: download_megabytes(NEW)):
        with pytest.raises(ModelError, match=says) as caught:
            attempt()
        assert_sentence(caught.value)


def test_no_network(served, monkeypatch):  # noqa: F811
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(ModelError, match="check network, proxy and HF_ENDPOINT") as caught:
        drain(iter_fetch(NEW))
    assert_sentence(caught.value)


def test_a_full_disk_is_seen_before(served, monkeypatch):  # noqa: F811
    monkeypatch.setattr(fetch, "_free_bytes", lambda path: 10**6)
    with pytest.raises(ModelError, match=r"needs 0.0 GB, but only 0.0 GB are free") as caught:
        drain(iter_fetch(NEW))
    assert_sentence(caught.value)
    assert served.asked == []


def test_removing(served, folder):  # noqa: F811
    with pytest.raises(ModelNotHere):
        remove(NEW)
    drain(iter_fetch(NEW))
    assert remove(NEW) == round(
        sum(len(served.files[name]) for name in ("open_clip_config.json", "merges.txt", WEIGHTS)) / 1e6
    )
    assert not is_here(NEW)
    for name in ("starter", f"local-dir:{folder}"):
        with pytest.raises(BadInput, match="delete its folder yourself"):
            remove(name)
    assert is_here(f"local-dir:{folder}")
