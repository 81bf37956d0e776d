"""What adding costs besides the model: an unchanged folder again, memory with large photographs, and starting up."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from storage import Library
from tests.support.fakes import FakeEncoder
from tests.support.server import ROOT, served

from .embed import SIZES, photographs
from .pairs import Row, timed_pair

OTHER = "as named"
PEAK = """
import resource, sys
sys.path.insert(0, sys.argv[3])
import open_clip, torch
from pathlib import Path
from clipcore.encoding.device import choose_precision
from clipcore.encoding.encoder import Encoder
from clipcore.space import Space
from storage import Library

torch.manual_seed(0)
model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
cpu = torch.device("cpu")
dtype = choose_precision(model.visual, (224, 224), cpu, "benchmark-vit-b-32")
encoder = Encoder(model, preprocess, open_clip.get_tokenizer("ViT-B-32"), Space("0" * 64, "ViT-B-32", 512), cpu, dtype)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Library(sys.argv[1], encoder) as library:
    library.add(sys.argv[2])
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
# What a page of one's own does before it can be opened: the imports and the model.
PAGE = "import gradio, open_clip, torch; open_clip.create_model_and_transforms('ViT-B-32')"


def run(quick: bool) -> list[Row]:
    """10,000 small pictures (quick: 1,000); 48 photographs of 12 megapixels (quick: 12)."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        return [
            _again(home, 1_000 if quick else 10_000),
            _memory(home, 12 if quick else 48),
            _start(home, 3 if quick else 5),
        ]


def _again(home: Path, size: int) -> Row:
    """A second look at a folder in which nothing has changed, against asking the disk for every file's size and time."""
    folder = home / "many"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(size):
        Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).save(folder / f"{number:05}.png")
    encoder: Any = FakeEncoder(batch_size=64)

    def asked() -> int:
        return sum(os.stat(file).st_size for file in folder.rglob("*"))

    with Library(home / "library", encoder) as library:
        assert library.add(folder).new == size
        return timed_pair(f"{size:,} unchanged files again, against os.stat of each", lambda: library.add(folder), asked, 5)


def _memory(home: Path, size: int) -> Row:
    """The most memory the whole process held, against what it held with the model loaded and nothing added."""
    folder = photographs(home / "photos", size, SIZES["12 megapixels"])[0].parent
    command = [sys.executable, "-c", PEAK, str(home / "peak"), str(folder), str(ROOT)]
    before, peak = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    case = f"peak memory, {size} photographs of 12 megapixels, against the loaded ViT-B-32"
    return Row(case, round(peak / 2**20, 2), round(before / 2**20, 2), round(before / peak, 2), "GiB", 1)


def _start(home: Path, rounds: int) -> Row:
    """From the command to a page that answers, against the imports and the model that a page of one's own begins with."""
    numbers = iter(range(100))

    def ours() -> float:
        began = time.perf_counter()
        folder = home / f"start {next(numbers)}"
        folder.mkdir()
        with served(folder) as url, urllib.request.urlopen(url) as answer:
            assert answer.status == 200
            seconds.append(time.perf_counter() - began)
        return seconds[-1]

    seconds: list[float] = []
    theirs = []
    for _ in range(rounds):
        ours()
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", PAGE], check=True, capture_output=True)
        theirs.append(time.perf_counter() - began)
    mine, other = float(np.median(seconds)), float(np.median(theirs))
    case = "command to answering page, against importing and loading first"
    return Row(case, round(mine, 2), round(other, 2), round(other / mine, 2), "seconds", rounds)
