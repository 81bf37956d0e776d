"""Models: open_clip's own numbers by every way of naming one, and a plain sentence for everything else."""

import json
import math
import pickle
import shutil
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import open_clip
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from clipcore import BadInput, ModelError, ModelNotHere, UnknownModel, drain
from clipcore.encoding import device
from clipcore.models import CURATED, catalogue, is_here, iter_fetch, load, locate
from clipcore.models.catalogue import _tables
from tests.support.sentences import assert_sentence
from tests.support.small_clip import CLIP, pictures, their_image_vectors, their_text_vectors, theirs, write_model

TEXTS = ["a photo of a cat", "dog"]
WEIGHTS = "open_clip_model.safetensors"
SMALL = "Small"  # an architecture of our own, and a tag of its weights on the hub
TAG = {
    "hf_hub": "someone/small-clip/",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bilinear",
    "resize_mode": "squash",
    "quick_gelu": True,
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small"
    write_model(folder, preprocess={"mean": [0.4, 0.4, 0.4], "interpolation": "bilinear"})
    return folder


@pytest.fixture
def folder(original, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(original, tmp_path / "small")


@pytest.fixture
def architecture(monkeypatch):
    """open_clip knows an architecture called Small, with one tag."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, SMALL, CLIP)
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, SMALL, {"first": TAG, "second": {**TAG, "quick_gelu": False}})


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HOME", str(tmp_path))  # open_clip's own cache lies below
    return tmp_path / "hub"


def put_on_hub(hub, repo, **files):
    """As the hub's client lays its cache out: a reference, and the files of one revision."""
    base = hub / f"models--{repo.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc123")
    for name, source in files.items():
        target = base / "snapshots" / "abc123" / name.replace("__", ".")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def assert_same_as(name, model, preprocess, tokenizer):
    clip = load(name, "cpu", "fp32")
    images = pictures(3)
    assert np.allclose(clip.embed_images(images), their_image_vectors(model, preprocess, images), atol=2e-6)
    assert np.allclose(clip.embed_texts(TEXTS), their_text_vectors(model, tokenizer, TEXTS), atol=5e-6)
    assert clip.logit_scale == pytest.approx(model.logit_scale.exp().item(), rel=1e-6)
    return clip


# every way to name a model


def test_a_folder(folder):
    clip = assert_same_as(f"local-dir:{folder}", *theirs(f"local-dir:{folder}"))
    assert clip.space.name == "local-dir:small"  # not where it lies
    assert clip.space.dim == clip.dim == 24
    assert is_here(f"local-dir:{folder}")


def test_paths_below_the_home(folder, architecture):
    assert load("local-dir:~/small", "cpu", "fp32").space.name == "local-dir:small"
    assert load(f"{SMALL}/~/small/{WEIGHTS}", "cpu", "fp32").space.name == f"{SMALL}/{WEIGHTS}"


def test_an_architecture_and_a_checkpoint(folder, architecture):
    weights = load_file(folder / WEIGHTS)
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}, folder / "epoch_3.pt")
    for file in (folder / WEIGHTS, folder / "epoch_3.pt"):
        model, _, preprocess = open_clip.create_model_and_transforms(SMALL, pretrained=str(file))
        clip = assert_same_as(f"{SMALL}/{file}", model.eval(), preprocess, open_clip.get_tokenizer(SMALL))
        assert clip.space.name == f"{SMALL}/{file.name}"


def test_a_tag_from_the_hubs_cache(folder, architecture, hub):
    assert not is_here(f"{SMALL}/first")
    with pytest.raises(ModelNotHere, match="get them first") as caught:
        load(f"{SMALL}/first", "cpu", "fp32")
    assert_sentence(caught.value)
    assert caught.value.__notes__ == ["At the command line: python app.py models --get Small/first"]
    put_on_hub(hub, "someone/small-clip", open_clip_model__safetensors=folder / WEIGHTS)
    assert is_here(f"{SMALL}/first")
    model, _, preprocess = open_clip.create_model_and_transforms(SMALL, pretrained="first", force_quick_gelu=True)
    clip = assert_same_as(f"{SMALL}/first", model.eval(), preprocess, open_clip.get_tokenizer(SMALL))
    assert clip.space.name == f"{SMALL}/first"


def test_a_tag_is_not_mistaken_for_a_file(folder, architecture, monkeypatch, tmp_path):
    shutil.copy(folder / WEIGHTS, tmp_path / "first")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotHere):
        load(f"{SMALL}/first", "cpu", "fp32")


def test_a_repository_in_the_hubs_cache(folder, hub):
    name = "hf-hub:someone/some-clip"
    with pytest.raises(ModelNotHere):
        load(name)
    put_on_hub(
        hub,
        "someone/some-clip",
        open_clip_config__json=folder / "open_clip_config.json",
        open_clip_model__safetensors=folder / WEIGHTS,
    )
    assert is_here(name)
    clip = assert_same_as(name, *theirs(f"local-dir:{folder}"))
    assert clip.space.name == name
    assert clip.space.key == load(f"local-dir:{folder}", "cpu", "fp32").space.key


def test_safe_twin_of_a_pickled_file(folder, architecture, hub, monkeypatch):
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED[SMALL], "third", {**TAG, "hf_hub": "a/b/pytorch_model.bin"})
    put_on_hub(hub, "a/b", pytorch_model__safetensors=folder / WEIGHTS)
    assert is_here(f"{SMALL}/third")


def test_openais_programs_are_left_alone(architecture, monkeypatch, tmp_path):
    """The files of OpenAI's own package are TorchScript; they are not offered as if they could be loaded."""
    cache = tmp_path / ".cache" / "clip"
    cache.mkdir(parents=True)
    for host, here in (("openaipublic.azureedge.net", False), ("github.com/mlfoundations", True)):
        monkeypatch.setitem(open_clip.pretrained._PRETRAINED[SMALL], "url", {"url": f"https://{host}/x.pt"})
        (cache / "x.pt").write_bytes(b"x")
        assert is_here(f"{SMALL}/url") == here


# what cannot be loaded


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("", UnknownModel, "list of models"),
        ("no-such-model", UnknownModel, "list of models"),
        ("ViT-B-32", UnknownModel, "its tags are: openai, laion400m_e31"),
        ("ViT-B-32/no_such_tag", UnknownModel, "its tags are: openai, laion400m_e31"),
        ("ViT-B-32/" + "x" * 5000, UnknownModel, "no such file"),
        ("ViT-B-32/~nobody-here/x.pt", UnknownModel, "no such file"),
        ("ViT-B-32/nul\0", UnknownModel, "no such file"),
        ("local-dir:", UnknownModel, "holds no open_clip_config.json"),
        ("local-dir:/no/such/folder", UnknownModel, "holds no open_clip_config.json"),
        ("hf-hub:", UnknownModel, "org/repo"),
        ("hf-hub:not a name", UnknownModel, "org/repo"),
        ("hf-hub:../../etc/passwd", UnknownModel, "org/repo"),
    ],
)
def test_unknown_names(name, kind, says):
    with pytest.raises(kind, match=says) as caught:
        load(name)
    assert_sentence(caught.value)
    assert not is_here(name)
    with pytest.raises(kind):
        drain(iter_fetch(name))


def test_bad_precision_and_device(folder):
    with pytest.raises(BadInput, match="auto, fp32, bf16"):
        load(f"local-dir:{folder}", "cpu", "int3")
    with pytest.raises(BadInput, match="use cpu"):
        load(f"local-dir:{folder}", "cuda:77")


def test_a_device_that_cannot_be_used_after_all_is_left_with_one_sentence(folder, monkeypatch, caplog):
    monkeypatch.setattr(device, "pick_device", lambda asked: torch.device("cuda:77"))
    assert load(f"local-dir:{folder}", "auto", "fp32").device.type == "cpu"
    assert len(caplog.messages) == 1
    assert "it runs on the CPU." in caplog.messages[0]
    with pytest.raises(ModelError, match="choose the device cpu"):
        load(f"local-dir:{folder}", "cuda:77", "fp32")


def test_damaged_weights(folder):
    weights = folder / WEIGHTS
    good = weights.read_bytes()
    for damaged in (good[:-1000], good[:100], b"", b"\xff" * 1000, b"{}", good[:8] + b"x" + good[9:]):
        weights.write_bytes(damaged)
        with pytest.raises(ModelError, match="damaged") as caught:
            load(f"local-dir:{folder}", "cpu", "fp32")
        assert_sentence(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"embed_dim": 12},
        {"vision_cfg": {**CLIP["vision_cfg"], "layers": 3}},
        {"text_cfg": {**CLIP["text_cfg"], "width": 64}},
        {"text_cfg": {**CLIP["text_cfg"], "no_such_option": 1}},
        {"vision_cfg": {"timm_model_name": "no_such_tower", "image_size": 32}},
        {"no_such_part": {}},
    ],
)
def test_weights_of_another_architecture(folder, change):
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {**CLIP, **change}}))
    with pytest.raises(ModelError, match="belong to another architecture") as caught:
        load(f"local-dir:{folder}", "cpu", "fp32")
    assert_sentence(caught.value)


@pytest.mark.parametrize("missing", [True, False])
def test_weights_with_one_tensor_too_few_or_too_many(folder, missing):
    """Random weights in a corner of the model would be used without anyone noticing."""
    weights = load_file(folder / WEIGHTS)
    if missing:
        del weights["ln_final.weight"]
    else:
        weights["another"] = torch.zeros(3)
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(ModelError, match="belong to another architecture"):
        load(f"local-dir:{folder}", "cpu", "fp32")


@pytest.mark.parametrize("config", ["", "{", "[]", "3", "null", '{"model_cfg": {"embed_dim": "x"}}', "[" * 99_999, "\xff"])
def test_damaged_description(folder, config):
    (folder / "open_clip_config.json").write_bytes(config.encode("latin-1"))
    with pytest.raises(ModelError, match="does not describe a model") as caught:
        load(f"local-dir:{folder}", "cpu", "fp32")
    assert_sentence(caught.value)


def test_a_folder_without_description_or_without_weights(folder):
    (folder / WEIGHTS).unlink()
    with pytest.raises(ModelNotHere, match="no weights") as caught:
        load(f"local-dir:{folder}", "cpu", "fp32")
    assert_sentence(caught.value)
    assert not is_here(f"local-dir:{folder}")
    with pytest.raises(ModelNotHere):  # nowhere to fetch it from
        drain(iter_fetch(f"local-dir:{folder}"))
    (folder / "open_clip_config.json").unlink()
    with pytest.raises(UnknownModel, match=r"holds no open_clip_config.json"):
        load(f"local-dir:{folder}")


class Trap:
    """Unpickled by a careless reader, it runs code."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_code_in_a_checkpoint_is_never_run(folder, architecture, tmp_path):
    sprung = tmp_path / "sprung"
    (folder / WEIGHTS).unlink()
    for name in ("open_clip_pytorch_model.bin", "checkpoint.pt"):
        torch.save({"state_dict": Trap(str(sprung))}, folder / name)
    (folder / "plain.pt").write_bytes(pickle.dumps(Trap(str(sprung)), protocol=2))
    for name in (f"local-dir:{folder}", f"{SMALL}/{folder}/checkpoint.pt", f"{SMALL}/{folder}/plain.pt"):
        with pytest.raises(ModelError, match="never run; get them as safetensors") as caught:
            load(name, "cpu", "fp32")
        assert_sentence(caught.value)
        assert "weights_only" not in str(caught.value)  # torch's own message tells people how to run it
    assert not sprung.exists()
    pickle.loads((folder / "plain.pt").read_bytes()).close()
    assert sprung.exists()  # the trap works


def test_a_folder_cannot_make_us_go_to_the_network(folder, monkeypatch):
    monkeypatch.setattr(locate, "find_spec", lambda package: None)  # as where transformers is not installed
    for vision, text, says in (
        ({"timm_model_name": "hf-hub:someone/tower", "image_size": 32}, CLIP["text_cfg"], "from the network"),
        (CLIP["vision_cfg"], {**CLIP["text_cfg"], "hf_tokenizer_name": "someone/tokenizer"}, "pip install transformers"),
    ):
        config = {**CLIP, "vision_cfg": vision, "text_cfg": text}
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
        with pytest.raises(ModelError, match=says) as caught:
            load(f"local-dir:{folder}", "cpu", "fp32")
        assert_sentence(caught.value)


# fetching


def test_fetching_what_is_here_does_nothing(folder):
    (step,) = iter_fetch(f"local-dir:{folder}")
    assert (step.done, step.total) == (1, 1)
    assert "already here" in step.message


@pytest.mark.parametrize("name", [f"{SMALL}/first", "hf-hub:someone/some-clip"])
def test_fetching_without_network(architecture, name):
    steps = iter_fetch(name)
    assert next(steps).done == 0
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set") as caught:
        next(steps)
    assert_sentence(caught.value)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as its client asks for, on this computer."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    ranges: ClassVar[list[str]] = []  # what was asked for to go on
    status = 200
    breaks: ClassVar[list[int]] = []  # after so many bytes the connection is closed, one for each time
    digests: ClassVar[dict[str, str]] = {}

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        name = self.path.partition("?")[0].rpartition("/")[2]
        if self.status != 200:
            return self.send_error(self.status)
        if "/api/models/" in self.path:
            siblings = [{"rfilename": file, "size": len(data)} for file, data in self.files.items()]
            for each in siblings:
                if each["rfilename"] in self.digests:
                    each["lfs"] = {"size": each["size"], "sha256": self.digests[each["rfilename"]], "pointerSize": 1}
            data = json.dumps({"id": "someone/new", "sha": "a" * 40, "siblings": siblings}).encode()
        else:
            data = self.files[name]
            self.asked.append(name)
        begin = 0
        if body and (wanted := self.headers.get("Range")):
            self.ranges.append(wanted)
            begin = int(wanted.removeprefix("bytes=").rstrip("-").split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            data = data[begin:]
        else:
            self.send_response(200)
        for header in (("Content-Length", len(data)), ("ETag", f'"{name}"'), ("X-Repo-Commit", "a" * 40)):
            self.send_header(header[0], str(header[1]))
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked has gone
            if body and name == WEIGHTS and self.breaks:
                data = data[: self.breaks.pop(0)]
                self.close_connection = True
            for start in range(0, len(data) if body else 0, 2**20):
                self.wfile.write(data[start : start + 2**20])
                time.sleep(0.15)

    def log_message(self, *args):
        pass


@pytest.fixture
def served(folder, monkeypatch):
    """A hub with one repository, someone/new, that holds its weights twice."""
    Hub.files = {name: (folder / name).read_bytes() for name in ("open_clip_config.json", WEIGHTS)}
    Hub.files |= {"merges.txt": b"x", "README.md": b"x", "open_clip_pytorch_model.bin": b"x"}
    Hub.asked.clear()
    Hub.ranges.clear()
    Hub.breaks.clear()
    Hub.status, Hub.digests = 200, {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**20)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    yield Hub
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetching_a_repository(served):
    steps = list(iter_fetch("hf-hub:someone/new"))
    size = len(served.files[WEIGHTS])
    assert steps[-1].message == "hf-hub:someone/new is here"
    counted = [step for step in steps if step.message == "fetching hf-hub:someone/new"]
    assert counted[0].total == size // 10**6
    assert [step.done for step in counted] == sorted(step.done for step in counted)
    assert 0 < counted[-1].done <= size // 10**6
    # one of the two weight files, and nothing that a model does not need
    assert set(served.asked) == {"open_clip_config.json", "merges.txt", WEIGHTS}
    assert load("hf-hub:someone/new", "cpu", "fp32").dim == 24


def test_fetching_a_tag(served, architecture, monkeypatch):
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED[SMALL], "first", {**TAG, "hf_hub": "someone/new/"})
    drain(iter_fetch(f"{SMALL}/first"))
    assert set(served.asked) == {WEIGHTS}
    assert load(f"{SMALL}/first", "cpu", "fp32").dim == 24


def test_fetching_something_else(served):
    del served.files["open_clip_config.json"]
    with pytest.raises(ModelError, match="not an open_clip model") as caught:
        drain(iter_fetch("hf-hub:someone/new"))
    assert_sentence(caught.value)


def test_a_fetch_that_nobody_waits_for_ends(served):
    served.files[WEIGHTS] = b"x" * 100 * 2**20  # a quarter of a minute
    steps = iter_fetch("hf-hub:someone/new")
    while next(steps).done == 0:
        pass
    start = time.perf_counter()
    steps.close()
    assert time.perf_counter() - start < 5
    assert not is_here("hf-hub:someone/new")


# the catalogue


def test_catalogue_lists_the_starter_first():
    infos = catalogue()
    assert infos[0].name == "starter"
    assert [info.name for info in infos[1:]] == list(CURATED)
    known = {f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()}
    for info in infos[1:]:
        assert info.name in known
        assert info.megabytes > 100
        assert info.gflops > 1
        assert 50 < info.imagenet < 90
        assert info.source.startswith("https://")
        assert not info.here
    everything = [info.name for info in catalogue(everything=True)]
    assert everything[: len(infos)] == [info.name for info in infos]
    assert set(everything) == known | {"starter"}
    assert len(set(everything)) == len(everything)


def test_what_is_published_is_of_models_that_there_are():
    accuracy, architectures = _tables()
    known = {f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()}
    assert accuracy.keys() <= known
    assert architectures.keys() <= set(open_clip.list_models())
    infos = {info.name: info for info in catalogue(everything=True)}
    assert infos["PE-Core-B-16/meta"].source == "https://github.com/facebookresearch/perception_models"
    assert infos["ViT-B-16/dfn2b"].source.endswith("openclip_results.csv")
    big = infos["ViT-bigG-14/laion2b_s39b_b160k"]
    assert (big.imagenet, big.megabytes, big.memory, big.gflops) == (80.09, 10158, 10158, 967.5)
    marked = [info for info in infos.values() if info.pareto]
    assert all(
        not (o.imagenet > i.imagenet and o.gflops < i.gflops)
        for i in marked
        for o in infos.values()
        if o.imagenet and o.gflops
    )


def test_starter(monkeypatch, tmp_path, original):
    monkeypatch.setattr(locate, "STARTER_FOLDER", tmp_path / "nothing")
    assert not catalogue()[0].here
    for attempt in (load, lambda name: drain(iter_fetch(name))):
        with pytest.raises(ModelNotHere, match="get a complete copy of Sayso") as caught:
            attempt("starter")
        assert_sentence(caught.value)
    monkeypatch.setattr(locate, "STARTER_FOLDER", original)
    assert catalogue()[0].here
    assert catalogue()[0].megabytes == round((original / WEIGHTS).stat().st_size / 1e6)
    assert load(device="cpu", precision="fp32").space.name == "starter"


# the space key


def key(name) -> str:
    return load(name, "cpu", "fp32").space.key


def test_key_is_the_same_wherever_the_folder_lies(folder, tmp_path):
    before = key(f"local-dir:{folder}")
    assert len(before) == 64
    assert key(f"local-dir:{shutil.copytree(folder, tmp_path / 'elsewhere' / 'other-name')}") == before


def test_key_is_the_same_by_whatever_name(folder, architecture, hub):
    put_on_hub(hub, "someone/small-clip", open_clip_model__safetensors=folder / WEIGHTS)
    description = {"model_cfg": {**CLIP, "quick_gelu": True}, "preprocess_cfg": {k: TAG[k] for k in ("mean", "std")}}
    description["preprocess_cfg"] |= {"interpolation": "bilinear", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(json.dumps(description))
    assert key(f"{SMALL}/first") == key(f"local-dir:{folder}")


def test_key_changes_with_weights(folder):
    before = key(f"local-dir:{folder}")
    weights = load_file(folder / WEIGHTS)
    weights["visual.ln_post.bias"][3] += 1e-6
    save_file(weights, folder / WEIGHTS)
    assert key(f"local-dir:{folder}") != before
    weights["visual.ln_post.bias"][3] -= 1e-6
    weights["logit_scale"] += math.log(2)
    save_file(weights, folder / WEIGHTS)
    assert key(f"local-dir:{folder}") != before


@pytest.mark.parametrize(
    "description",
    [
        {"model_cfg": CLIP, "preprocess_cfg": {"mean": [0.4, 0.4, 0.5], "interpolation": "bilinear"}},
        {"model_cfg": CLIP, "preprocess_cfg": {"mean": [0.4, 0.4, 0.4], "interpolation": "bicubic"}},
        {
            "model_cfg": {**CLIP, "quick_gelu": True},
            "preprocess_cfg": {"mean": [0.4, 0.4, 0.4], "interpolation": "bilinear"},
        },
    ],
    ids=["mean", "interpolation", "activation"],
)
def test_key_changes_with_preprocessing_and_activation(folder, description):
    before = key(f"local-dir:{folder}")
    (folder / "open_clip_config.json").write_text(json.dumps(description))
    assert key(f"local-dir:{folder}") != before


def test_key_changes_with_a_tags_activation(folder, architecture, hub):
    """The same file behind two tags, one of which asks for QuickGELU: other answers, so another space."""
    put_on_hub(hub, "someone/small-clip", open_clip_model__safetensors=folder / WEIGHTS)
    first, second = (load(f"{SMALL}/{tag}", "cpu", "fp32") for tag in ("first", "second"))
    assert not np.allclose(first.embed_texts(TEXTS), second.embed_texts(TEXTS), atol=1e-6)
    assert first.space.key != second.space.key


def test_spaces_do_not_meet(folder):
    from clipcore import Space, SpaceMismatch

    here, there = Space("a" * 64, "one", 4), Space("b" * 64, "two", 4)
    here.require(Space("a" * 64, "another name", 4), "The index")
    with pytest.raises(SpaceMismatch, match="--model two") as caught:
        here.require(there, "The classifier pets")
    assert_sentence(caught.value)
    assert "one" in str(caught.value)
