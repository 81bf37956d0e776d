"""ONNX files of classifiers with every kind of image tower, preprocessing inside: python -m benchmarks exported [SHARD].

Each is written from a model with random weights (the starter's are real) and run by ONNX Runtime on pictures of many sizes,
one at a time, uint8 [h, w, 3] in, the answer out. Held against Sayso's own answers for the same pictures in memory and for
the same as JPEGs, which Sayso reads in reduced size where they are large. SHARD is a tar of labelled pictures; without it
they are generated. The classifier has a class for each of 50 pictures, told from the others by what they do not share, so
that answers differ though towers with random weights give all pictures nearly one vector; the starter's has 1,000 names.
Needs requirements-extras/onnx.txt.
"""

import io
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import open_clip
import torch
import typer
from PIL import Image

from clipcore import Classifier, Decision, decide, models, zero_shot_classifier
from clipcore.classify.onnx_answer import OUTPUTS
from clipcore.classify.onnx_file import export_onnx
from clipcore.encoding.encoder import Encoder
from clipcore.space import Space

from .embed import HOW, WHAT

TOWERS = (
    *(models.STARTER, "ViT-B-32", "ViT-B-32-quickgelu", "RN50", "convnext_base", "MobileCLIP2-S0", "ViT-B-16-SigLIP-256"),
    *("PE-Core-T-16-384", "EVA02-B-16", "ViTamin-S", "coca_ViT-B-32"),
)
CLASSES = 50


def scenes(count: int) -> list[np.ndarray]:
    """Generated pictures of many sizes, uint8 [h, w, 3]."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(count):
        height, width = random.integers(60, 900, 2)
        parts = [random.integers(0, 255, (*shape, 3), np.uint8) for shape in ((6, 8), (height // 5, width // 5))]
        coarse, fine = (Image.fromarray(part).resize((width, height), Image.Resampling.BICUBIC) for part in parts)
        made.append(np.asarray(Image.blend(coarse, fine, 0.2)))
    return made


def shard(path: Path, count: int) -> list[np.ndarray]:
    """The first pictures of a shard."""
    from training.data.pairs import read_pairs

    pairs = (pair for _, pair in zip(range(count), read_pairs(path), strict=False))
    return [np.asarray(Image.open(io.BytesIO(pair.image)).convert("RGB")) for pair in pairs]


def of_pictures(encoder: Encoder, X: np.ndarray) -> Classifier:
    """A class for each of the first vectors [n, dim]: what it does not share with the others, so large that it tells."""
    own = X[:CLASSES] - X.mean(0)
    weight = own / np.linalg.norm(own, axis=1, keepdims=True)
    spread = float((X @ weight.T).std(1).mean())
    labels = tuple(f"picture {i}" for i in range(len(weight)))
    parts: dict[str, Any] = {"kind": "few-shot", "decision": Decision(sure=0.35)}
    return Classifier(labels, weight.astype(np.float32), -(weight @ X.mean(0)) / spread, 1 / spread, encoder.space, **parts)


def loaded(name: str) -> Encoder:
    """In float32 on the CPU; without the tokenizers, which for some are on the hub alone."""
    if name == models.STARTER:
        return models.load(name, "cpu", "fp32")
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    space = Space("0" * 64, name, open_clip.get_model_config(name)["embed_dim"])
    return Encoder(model.eval(), preprocess, lambda texts: torch.zeros(0), space, torch.device("cpu"))


def of_tower(name: str, pictures: list[np.ndarray], folder: Path) -> str:
    """A row of the table."""
    import onnxruntime

    encoder = loaded(name)
    X = encoder.embed_images(pictures)
    names = [f"{how} {what}" for how in HOW.split() for what in WHAT.split()]
    head = zero_shot_classifier(encoder, names) if name == models.STARTER else of_pictures(encoder, X)
    file, began = folder / "classifier.onnx", time.process_time()
    off = export_onnx(encoder, head, file, pictures=True)
    exporting = time.process_time() - began
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    began = time.process_time()
    found = [dict(zip(OUTPUTS, session.run(None, {"picture": picture}), strict=True)) for picture in pictures]
    each = (time.process_time() - began) / len(pictures)
    vectors, places = (np.concatenate([row[part] for row in found]) for part in ("vectors", "places"))
    best = np.concatenate([row["shares"] for row in found]).argmax(1)
    jpegs = []
    for picture in pictures:
        Image.fromarray(picture).save(kept := io.BytesIO(), "JPEG", quality=95)
        jpegs.append(kept.getvalue())
    opened = [np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")) for jpeg in jpegs]
    of_files = np.concatenate([session.run(["shares"], {"picture": picture})[0] for picture in opened]).argmax(1)
    answers, logits = decide(head, X), head.logits(X)
    read = head.logits(encoder.embed_images(jpegs)).argmax(1)
    own = [((a - X.mean(0)) * (b - X.mean(0))).sum(1) for a, b in ((vectors, X), (vectors, vectors), (X, X))]
    cosine = float((own[0] / np.sqrt(own[1] * own[2])).min())
    return (
        f"| {name} | {(best == logits.argmax(1)).mean():.1%} | {(places == answers.places).mean():.1%} | "
        f"{(of_files == read).mean():.1%} | {cosine:.4f} | {off:.0e} | {file.stat().st_size / 1e6:.0f} | {exporting:.0f} | "
        f"{1000 * each:.0f} |"
    )


def main(
    data: Annotated[Path | None, typer.Argument(help="A shard of pictures; generated ones without it.")] = None,
    count: Annotated[int, typer.Option(help="Pictures.")] = 200,
    only: Annotated[str, typer.Option(help="Towers whose name has this in it.")] = "",
) -> None:
    """Print the table in Markdown."""
    pictures = shard(data, count) if data else scenes(count)
    print(f"{len(pictures)} pictures\n")
    print("| tower | same label | same answer | same label, JPEGs | least cosine | from torch | MB | s to write | ms |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name in TOWERS:
        if only.lower() in name.lower():
            with tempfile.TemporaryDirectory() as folder:
                try:
                    print(of_tower(name, pictures, Path(folder)), flush=True)
                except Exception as error:  # what it raises is the outcome of this tower
                    print(f"| {name} | {type(error).__name__}: {' '.join(str(error).split())[:200]} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
