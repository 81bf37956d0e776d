"""A folder of JPEGs to stored vectors, hashing and database included: ours against rclip, the closest program there is.

rclip lives in an environment of its own (its requirements and ours exclude each other), whose Python SAYSO_RCLIP names:

    python -m venv rclip && rclip/bin/pip install rclip && SAYSO_RCLIP=rclip/bin/python python -m benchmarks rclip

Both get the same randomly initialised ViT-B-32-256; rclip's is exported to ONNX (requirements-extras/onnx.txt). Both have
their model in memory before the clock runs, and a new database in each round.
"""

import copy
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import open_clip
import torch
import typer

from clipcore.encoding.device import choose_precision, generated_pictures
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.int8 import quantized
from clipcore.space import Space
from storage import Library

from .embed import SIZES, photographs
from .pairs import Row, timed_pair

OTHER = "rclip's own index, with the same tower as ONNX"
MODEL = "ViT-B-32-256"
PEER = r"""
import sys
from rclip import db, model
from rclip.main import RClip

tower = model.Model()
for line in sys.stdin:
    folder, database = line.strip().split("\t")
    store = db.DB(database)
    index = RClip(model_instance=tower, database=store, indexing_batch_size=8, exclude_dirs=None)
    index.ensure_index(folder)
    index.close()
    store.close()
    print(database, flush=True)
"""
VECTORS = """
import sqlite3, sys
for path, vector in sqlite3.connect(sys.argv[1]).execute("SELECT filepath, vector FROM images"):
    print(path, vector.hex())
"""


def run(quick: bool) -> list[Row]:
    """Generated photo-like pictures, everything in the page cache; five rounds in turn."""
    python = os.environ.get("SAYSO_RCLIP")
    if not python:
        raise typer.BadParameter("Set SAYSO_RCLIP to the Python of an environment with rclip; see benchmarks/rclip.py.")
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(MODEL)
    cpu = torch.device("cpu")
    dtype = choose_precision(model.visual, (256, 256), cpu, "benchmark-vit-b-32-256")
    space = Space("0" * 64, MODEL, 512)
    parts = preprocess, open_clip.get_tokenizer(MODEL), space, cpu
    small = quantized(model.eval().visual, generated_pictures(8, (256, 256)))
    encoders = {MODEL: Encoder(copy.deepcopy(model), *parts, dtype), f"{MODEL} in int8": Encoder(model, *parts, tower=small)}
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        peer_home = home / "rclip"
        _export(model.eval(), peer_home / f"{MODEL}-datacomp_s34b_b86k" / "visual.onnx")
        peer = subprocess.Popen(
            [python, "-c", PEER],
            env={**os.environ, "RCLIP_DATADIR": str(peer_home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            indexing = _indexing(peer, home)
            folders = {
                size: photographs(home / size[:2].strip(), 16 if quick else 64, SIZES[size])[0].parent for size in SIZES
            }
            return [
                _row(f"{name}, JPEGs of {size}", encoder, indexing, python, folder)
                for name, encoder in encoders.items()
                for size, folder in folders.items()
            ]
        finally:
            peer.kill()


def _export(model: torch.nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True)
    torch.onnx.export(
        model.visual,
        (torch.zeros(2, 3, 256, 256),),
        str(path),
        input_names=["input"],
        output_names=["output"],
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _indexing(peer: "subprocess.Popen[str]", home: Path) -> Callable[[Path], str]:
    rounds = iter(range(1000))

    def index(folder: Path) -> str:
        assert peer.stdin is not None and peer.stdout is not None  # noqa: PT018
        peer.stdin.write(f"{folder}\t{home / f'{folder.name}-{next(rounds)}.sqlite3'}\n")
        peer.stdin.flush()
        return peer.stdout.readline().strip()

    return index


def _row(case: str, encoder: Encoder, index: Callable[[Path], str], python: str, folder: Path) -> Row:
    def ours() -> tuple[list[str], np.ndarray]:
        with tempfile.TemporaryDirectory() as home, Library(home, encoder) as library:
            library.add(folder)
            images, vectors = library.embeddings()
            return [image.path for image in images], vectors

    theirs = subprocess.run([python, "-c", VECTORS, index(folder)], capture_output=True, text=True, check=True).stdout
    vector = {path: np.frombuffer(bytes.fromhex(hex_), np.float32) for path, hex_ in map(str.split, theirs.splitlines())}
    paths, vectors = ours()
    assert len(vector) == len(paths)
    cosines = [float(row @ vector[path]) for path, row in zip(paths, vectors, strict=True)]
    return timed_pair(f"{len(paths)} {case} (least cosine {min(cosines):.4f})", ours, lambda: index(folder), 5)
