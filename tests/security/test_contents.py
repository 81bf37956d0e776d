"""What files hold and are: pipes, devices, huge and nested ones, classifiers with hostile numbers, names that command."""

import ast
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.common import emit, printable, say
from clipcore import BadClassifierFile, BadImage, BadInput, Classifier, ModelError, SaysoError, load, zero_shot_classifier
from clipcore.classify.classifier import _checksum
from clipcore.measure.bias.sources import read_table
from clipcore.measure.composition import read_items
from clipcore.pictures import reading as pictures
from clipcore.pictures.decoding import Memory, cost
from clipcore.pictures.reading import open_image, picture_facts, read_bytes
from clipcore.plain import lines, open_plain, read_plain, read_plain_text
from storage import Library
from storage.export import xmp
from storage.labels.imports import read_csv, read_folders, read_json, read_label_studio, read_labels, read_xmp
from tests.support.fakes import FakeEncoder, photo
from training.data.captions import load_names
from training.data.pairs import read_pairs
from training.runs.recipe import Recipe
from training.runs.request import Plan
from training.towers.checkpoint import load_checkpoint

ROOT = Path(__file__).parents[2]

# no plain files


def as_folder(path, name):
    """A folder in which that is found under a name."""
    folder = path.parent / "holder"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    os.link(path, folder / name, follow_symlinks=False)
    return folder


READERS = {
    "picture": (read_bytes, ".jpg"),
    "picture decoded": (open_image, ".jpg"),
    "picture's facts": (picture_facts, ".jpg"),
    "classifier": (Classifier.load, ".safetensors"),
    "labels, CSV": (read_csv, ".csv"),
    "labels, JSON": (read_json, ".json"),
    "groups": (read_table, ".csv"),
    "pairs, CSV": (lambda path: list(read_pairs(path)), ".csv"),
    "pairs, JSON Lines": (lambda path: list(read_pairs(path)), ".jsonl"),
    "pairs, JSON": (lambda path: list(read_pairs(path)), ".json"),
    "pairs, zip": (lambda path: list(read_pairs(path)), ".zip"),
    "labels, any": (read_labels, ".txt"),
    "labels, Label Studio": (read_label_studio, ".json"),
    "labels, zip": (read_folders, ".zip"),
    "pairs, tar": (lambda path: list(read_pairs(path)), ".tar"),
    "composition": (lambda path: read_items(path, path.parent), ".json"),
    "names": (load_names, ".json"),
    "recipe": (lambda path: Recipe.load(as_folder(path, "recipe.json")), ".json"),
    "plan": (lambda path: Plan.read(as_folder(path, "run.json")), ".json"),
    "checkpoint": (lambda path: load_checkpoint(as_folder(path, "checkpoint.pt")), ".pt"),
    "model": (lambda path: load(f"local-dir:{as_folder(path, 'open_clip_model.safetensors')}"), ".safetensors"),
    "any": (read_plain, ".bin"),
}


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def terminal(path):
    path.symlink_to("/dev/tty")


def folder(path):
    path.mkdir()


@pytest.mark.parametrize("make", [pipe, endless, terminal])
@pytest.mark.parametrize("name", READERS)
def test_only_plain_files_are_read(tmp_path, name, make):
    """Within seconds, in a thread that could be left behind: a reader that hangs is a failure and not a hung suite."""
    read, suffix = READERS[name]
    path = tmp_path / f"odd{suffix}"
    make(path)
    told = []

    def run():
        try:
            told.append(read(path))
        except (SaysoError, OSError) as error:
            told.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for what never comes"
    (answer,) = told
    assert isinstance(answer, SaysoError | OSError) or answer in ([], None), answer


def test_sidecars_that_are_no_plain_files_are_skipped(tmp_path):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        photo(tmp_path / "photos" / "a.png", "red")
        library.add(tmp_path / "photos")
        os.mkfifo(tmp_path / "photos" / "a.png.xmp")
        rows, skipped = read_xmp(library.images())
        assert (rows, len(skipped)) == ([], 1)
        plan = xmp.sidecars(library.exchange.answers(zero_shot_classifier(FakeEncoder(), ["red"])))
        assert (plan.changes, len(plan.left)) == ([], 1)


def test_a_file_that_grows_is_read_to_its_bound(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 100)
    assert read_plain(path, 100) == b"x" * 100
    for most in (99, 0):
        with pytest.raises(OSError, match="larger"):
            read_plain(path, most)
    path.write_bytes(b"a\r\nb\rc")
    assert read_plain_text(path) == "a\nb\nc"
    with open_plain(path) as file, pytest.raises(OSError, match="line"):
        list(lines(io.TextIOWrapper(file), 0))


def test_a_shard_that_promises_gigabytes(tmp_path):
    """A header of 512 bytes says how long a member is; nothing is set aside for it."""
    head = tarfile.TarInfo("a.jpg")
    head.size = 10**12
    (tmp_path / "a.tar").write_bytes(head.tobuf() + b"\x00" * 10_240)
    assert list(read_pairs(tmp_path / "a.tar")) == []


OWN = {  # files of ours: of this checkout, of the home folder, of a run; and the one place that opens others
    *(
        "clipcore/plain.py",
        "clipcore/classify/answers.py",
        "clipcore/classify/figure.py",
        "clipcore/classify/prompts.py",
        "clipcore/classify/tasks.py",
        "clipcore/encoding/device.py",
    ),
    *("clipcore/measure/models.py", "clipcore/models/catalogue.py", "clipcore/models/fetch.py"),
    *("clipcore/wordnet/__init__.py", "clipcore/wordnet/__main__.py"),
    *(
        "storage/backups.py",
        "storage/files.py",
        "storage/export/changes.py",
        "storage/pictures/lookup.py",
        "storage/vectors/index.py",
    ),
    *(
        "training/data/pixels.py",
        "training/towers/checkpoint.py",
        "training/runs/joined.py",
        "training/towers/dictionary.py",
    ),
    *("cli/choose.py", "cli/classify.py"),  # write the table that was asked for
    *("ui/api.py", "ui/models/jobs.py", "ui/models/training_folders.py", "ui/theme.py"),
}
OPENS = {"read_bytes", "read_text", "open"}


def test_nothing_else_opens_files():
    """A new reader goes through `clipcore.plain`, or is of files of our own and stands in the list above."""
    found = set()
    for package in ("clipcore", "storage", "training", "ui", "cli"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                called = node.func
                if isinstance(called, ast.Attribute):
                    of = called.value.id if isinstance(called.value, ast.Name) else ""
                    # Image, tarfile and what is packed are given a file that is open; albums are opened as well
                    given = of in ("Image", "tarfile", "packed", "os", "av")
                    opens = called.attr in OPENS and not given and "albums" not in ast.dump(called)
                else:
                    opens = isinstance(called, ast.Name) and called.id == "open"
                if opens:
                    found.add(path.relative_to(ROOT).as_posix())
    assert found - OWN == set()


# classifiers


def forged(**changed):
    """The bytes of a classifier with another header, its checksum right."""
    made = zero_shot_classifier(FakeEncoder(), ["red", "green"])
    from safetensors.numpy import load as tensors_of
    from safetensors.numpy import save

    data = made.to_bytes()
    tensors = tensors_of(data)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["sayso"])
    header.pop("checksum")
    for name, value in changed.items():
        if name in tensors:
            tensors[name] = value
        elif isinstance(header.get(name), dict) and isinstance(value, dict):
            header[name] |= value
        else:
            header[name] = value
    return save(tensors, {"sayso": json.dumps(header | {"checksum": _checksum(header, tensors)})})


HEADS = {
    "scale 1e308": {"scale": 1e308},
    "scale NaN": {"scale": float("nan")},
    "scale infinite": {"scale": float("inf")},
    "weights 3e38": {"weight": np.full((2, 4), 3e38, np.float32)},
    "weights NaN": {"weight": np.full((2, 4), np.nan, np.float32)},
    "biases infinite": {"bias": np.full(2, np.inf, np.float32)},
    "temperature 1e-320": {"decision": {"temperature": 1e-320}},
    "level NaN": {"decision": {"level": float("nan")}},
    "a label of 100,000 letters": {"labels": ["x" * 100_000, "green"]},
    "an empty label": {"labels": ["", "green"]},
    "a label of spaces": {"labels": [" ", "green"]},
    "a label turned round": {"labels": ["\u202egpj.exe", "green"]},
    "a label with a bell": {"labels": ["red\x07", "green"]},
    "half a letter": {"labels": ["red\ud800", "green"]},
    "the same label twice": {"labels": ["red", "Red"]},
    "a label that is a list": {"labels": [["red"], "green"]},
    "a thousand templates": {"prompts": {"templates": ["a {label}"] * 1000}},
    "a template with other braces": {"prompts": {"templates": ["{label.__class__}"]}},
    "synonyms without end": {"prompts": {"synonyms": {"red": ["x" * 6_000_000]}}},
    "a measurement that is no number": {"metrics": {"accuracy": float("nan")}},
    "measurements without end": {"metrics": {"curve": "x" * 6_000_000}},
    "a model's name without end": {"space": {"name": "x" * 100_000}},
    "a dimension that does not fit": {"space": {"dim": 2**70}},
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("empty"), FakeEncoder()) as library:
        yield library


@pytest.mark.parametrize("what", HEADS)
def test_classifiers_that_are_refused_at_import(tmp_path, empty, what):
    data = forged(**HEADS[what])
    with pytest.raises(BadClassifierFile) as caught:
        empty.exchange.import_classifier(data, "bad")
    assert empty.classifiers.all() == []
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert len(sentence) < 300
    assert printable(sentence) == sentence
    (tmp_path / "bad.safetensors").write_bytes(data)
    with pytest.raises(BadClassifierFile):
        Classifier.load(tmp_path / "bad.safetensors")


def test_a_good_classifier_still_comes_in(tmp_path):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        assert library.exchange.import_classifier(forged(), "good").labels == ("red", "green")
        assert (
            library.exchange.import_classifier(
                forged(labels=["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "日本"]), "far"
            ).version
            == 1
        )


# labels


@pytest.mark.parametrize("address", ["http://[::1", "//[", "http://[x]/upload/a.png"])
def test_addresses_that_are_none_change_nothing(tmp_path, address):
    task = {"data": {"image": address}, "annotations": [{"result": [{"type": "choices", "value": {"choices": ["red"]}}]}]}
    (tmp_path / "a.json").write_text(json.dumps([task]))
    with pytest.raises(BadInput, match="Label Studio"):
        read_label_studio(tmp_path / "a.json")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '[{"data": {"image": 5}}]', "\ud800".encode("utf-8", "surrogatepass")]
)
def test_json_that_is_none(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput):
        read_json(tmp_path / "a.json")


def nested(depth, attribute=""):
    """A sidecar with elements that deep."""
    inside = "<a>" * depth + "</a>" * depth
    return xmp.EMPTY.replace('rdf:about=""/>', f'rdf:about=""{attribute}>{inside}</rdf:Description>').encode()


@pytest.mark.parametrize("depth", [3000, 100_000])
def test_nested_sidecars_are_skipped_with_a_sentence(tmp_path, depth):
    for read in (xmp.keywords, lambda data: xmp.merged(data, ["red"])):
        with pytest.raises(BadInput, match="deep"):
            read(nested(depth))
    with Library(tmp_path / "home", FakeEncoder()) as library:
        photo(tmp_path / "photos" / "a.png", "red")
        library.add(tmp_path / "photos")
        sidecar = tmp_path / "photos" / "a.png.xmp"
        sidecar.write_bytes(nested(depth))
        plan = xmp.sidecars(library.exchange.answers(zero_shot_classifier(FakeEncoder(), ["red"])))
        assert (plan.changes, len(plan.left)) == ([], 1)
        assert sidecar.read_bytes() == nested(depth)
    assert xmp.keywords(nested(50)) == []


# pictures


def test_decoding_shares_one_memory():
    """Whoever would exceed it waits, in turn; what never fits is refused; what fails gives its share back."""
    memory = Memory(100)
    most, running, lock = 0, 0, threading.Lock()

    def decode(size):
        nonlocal most, running
        with memory.share(size):
            with lock:
                running += size
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= size

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(decode, [90, 10, 60, 60, 30, 100, 5] * 10))
    assert (most <= 100, memory.taken) == (True, 0)
    with pytest.raises(BadImage, match="smaller copy"), memory.share(101):
        pass
    with pytest.raises(ValueError), memory.share(100):
        raise ValueError
    with memory.share(100):
        assert memory.taken == 100


def test_a_large_picture_is_not_overtaken_for_ever():
    memory, order = Memory(100), []
    with memory.share(50):
        large = threading.Thread(target=lambda: enter(memory, 100, order))
        large.start()
        while not memory._queue:
            time.sleep(0.001)
        small = threading.Thread(target=lambda: enter(memory, 10, order))
        small.start()
        time.sleep(0.05)
        assert order == []  # the small one waits behind the large one
    large.join(5)
    small.join(5)
    assert order == [100, 10]


def enter(memory, size, order):
    with memory.share(size):
        order.append(size)


@pytest.mark.parametrize(
    ("kind", "mode"), [("WEBP", "RGBA"), ("WEBP", "RGB"), ("TIFF", "F"), ("PNG", "RGBA"), ("PNG", "RGB"), ("GIF", "L")]
)
def test_a_small_file_of_many_pixels_takes_its_share(monkeypatch, kind, mode):
    """Every way to a picture goes by the memory that is shared, with what it costs and not with what the file weighs."""
    buffer = io.BytesIO()
    Image.new(mode, (1000, 1000)).save(buffer, kind)
    data = buffer.getvalue()
    assert len(data) < 5_000_000
    memory = Memory(50_000_000)
    monkeypatch.setattr(pictures.decoding, "MEMORY", memory)
    asked, share = [], memory.share
    monkeypatch.setattr(memory, "share", lambda size: asked.append(size) or share(size))
    pictures.small_copy(data)
    assert asked[0] >= 8 * 1000 * 1000
    with Image.open(io.BytesIO(data)) as image:
        assert cost(image, image.size) == asked[0]
    memory.most = asked[0] - 1
    with pytest.raises(BadImage, match="smaller copy"):
        open_image(data)


GROWTH = """
import io, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from PIL import Image
from clipcore.pictures import decoding, reading

def in_use(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))

side = int(sys.argv[1])
buffer = io.BytesIO()
Image.new("RGBA", (side, side), (1, 2, 3, 4)).save(buffer, "WEBP", lossless=True, method=0)
data = buffer.getvalue()
decoding.MEMORY.most = 24 * side * side
Path("/proc/self/clear_refs").write_text("5")
before = in_use("VmRSS")
with ThreadPoolExecutor(4) as pool:
    assert len(set(pool.map(reading.small_copy, [data] * 4))) == 1
print(len(data), in_use("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux says how much memory a process had")
def test_four_large_pictures_at_once_take_the_memory_of_one(long):
    """9990 x 9990 pixels in the long form, a ninth of them in CI; in a process whose malloc keeps nothing that is free."""
    side = 9990 if long else 3330
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
    ran = subprocess.run([sys.executable, "-c", GROWTH, str(side)], cwd=ROOT, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    size, grew = map(int, ran.stdout.split())
    assert size < 1000  # a file of next to nothing
    assert grew < 24 * side * side


# names


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\r.jpg", "a\\nb\\r.jpg"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\udcff", "\\udcff"),
        ("café 日本 😀 می‌خواهم", "café 日本 😀 می‌خواهم"),
    ],
)
def test_names_command_no_terminal(capsys, name, shown):
    say(f"skipped {name}: why")
    emit(False, {"path": name}, f"1.0  {name}", name)
    emit(True, {"path": name})
    out = capsys.readouterr()
    assert out.err == f"skipped {shown}: why\n"
    first, second, third = out.out.splitlines()
    assert (first, second) == (f"1.0  {shown}", shown)
    assert json.loads(third) == {"path": name}
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter == "\u202e" for letter in third)


def test_commands_print_through_one_place():
    """No `print` of its own in any command."""
    for path in (ROOT / "cli").glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        prints = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
        assert not prints or path.name == "common.py", path


def test_a_model_beside_odd_files(tmp_path):
    (tmp_path / "open_clip_config.json").write_text("{}")
    os.mkfifo(tmp_path / "open_clip_model.safetensors")
    with pytest.raises(ModelError, match="plain file"):
        load(f"local-dir:{tmp_path}")
