"""The accuracy table of a starter's model card, from its weights: python -m benchmarks starter DATA [--model local-dir:DIR].

DATA is a folder with the shards that `training/recipes/starter-4/data.json` lists. All of it is zero-shot with the seven
templates unless said, on pictures that were not trained on; intervals are 95 % Wilson intervals. The sample of ImageNet's
pictures is the exception: they taught the image tower its classes, so they check that the words for those are right.
"""

import json
import os
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
import typer
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
from PIL import Image

import clipcore
from clipcore import drain, zero_shot_classifier
from clipcore.measure import RetrievalReport, iter_embed_set, measure_set
from clipcore.measure.report import Report, evaluate
from clipcore.measure.sets import EmbeddedSet
from clipcore.pictures.reading import open_image
from training.data.pairs import Pair, read_pairs
from training.data.styles import drawing
from training.runs.recipe import is_held_out

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

PACKS = {"seven": "seven templates", "photo": "“a photo of a {label}.”", "bare": "bare name"}
# ten broad words, and the classes of Caltech-101 that are kinds of them
BROAD = {
    "vehicle": ("airplanes", "car side", "motorbikes", "helicopter", "ferry", "ketch", "schooner"),
    "bird": ("emu", "flamingo", "flamingo head", "ibis", "pigeon", "rooster"),
    "cat": ("cougar body", "cougar face", "leopards", "wild cat"),
    "fish": ("bass", "sea horse"),
    "flower": ("lotus", "sunflower", "water lilly"),
    "instrument": ("accordion", "electric guitar", "euphonium", "grand piano", "mandolin", "saxophone"),
    "furniture": ("chair", "windsor chair"),
    "face": ("faces", "faces easy"),
    "insect": ("ant", "butterfly", "dragonfly", "mayfly"),
    "building": ("minaret", "pagoda", "pyramid"),
}


@dataclass(frozen=True)
class Line:
    """One row of the table: each head's report, by the name of its prompt pack."""

    name: str
    reports: Mapping[str, Report]

    def __str__(self) -> str:
        first = next(iter(self.reports.values()))
        cells = [self.name, str(len(first.support)), f"{first.n:,}", *(shown(self.reports[pack]) for pack in PACKS)]
        return f"| {' | '.join([*cells, f'{100 / len(first.support):.1f}'])} |"


def shown(report: Report) -> str:
    """Accuracy with its interval, in per cent."""
    low, high = report.interval
    return f"{100 * report.top1:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def embed(encoder: "Encoder", pairs: Sequence[Pair]) -> EmbeddedSet:
    """The pictures of one set as vectors."""
    return drain(iter_embed_set(encoder, pairs))


def line(encoder: "Encoder", name: str, found: EmbeddedSet) -> Line:
    """Measure a labelled set with each of the packs."""
    heads = {pack: zero_shot_classifier(encoder, found.classes, pack) for pack in PACKS}
    reports = measure_set(encoder, found, heads)
    return Line(name, {pack: report for pack, report in reports.items() if isinstance(report, Report)})


def regrouped(encoder: "Encoder", found: EmbeddedSet, groups: Mapping[str, Sequence[str]]) -> dict[str, Report]:
    """Accuracy where several classes count as one: `groups` are name -> classes."""
    group = {name: broad for broad, names in groups.items() for name in names}
    rows = [i for i, name in enumerate(found.names) if name in group]
    truth = [group[str(found.names[i])] for i in rows]
    return {pack: evaluate(zero_shot_classifier(encoder, list(groups), pack), found.vectors[rows], truth) for pack in PACKS}


def imagenet(data: Path) -> Iterator[Pair]:
    """The sample of ImageNet's pictures with the names that CLIP's authors gave the classes, found by the class's number."""
    for path in sorted(data.glob("imagenet-sample*")):
        with tarfile.open(path) as shard:
            parts = {member.name: shard.extractfile(member).read() for member in shard}  # type: ignore[union-attr]
        for name, content in parts.items():
            if name.endswith(".json"):
                key = name.removesuffix(".json")
                yield Pair(key, parts[f"{key}.webp"], name=IMAGENET_CLASSNAMES[json.loads(content)["index"]])


def drawn(encoder: "Encoder", pairs: Sequence[Pair]) -> EmbeddedSet:
    """The pictures of one set, each made a line drawing by `training.data.styles`, as vectors."""
    rng, vectors = np.random.default_rng(0), []
    for i in range(0, len(pairs), 256):
        pixels = [
            torch.from_numpy(np.array(open_image(pair.image))).permute(2, 0, 1)[None].float() for pair in pairs[i : i + 256]
        ]
        lines = [drawing(x, rng)[0].permute(1, 2, 0).clamp(0, 255).byte().numpy() for x in pixels]
        vectors.append(encoder.embed_images([Image.fromarray(picture) for picture in lines]))
    return EmbeddedSet(np.concatenate(vectors), names=[pair.name for pair in pairs], keys=[pair.key for pair in pairs])


def main(
    data: Annotated[Path, typer.Argument(help="The folder with the shards.")],
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    least: Annotated[int, typer.Option(help="Only every so-many-th picture of the larger sets, for a first look.")] = 1,
) -> None:
    """Print the table in Markdown."""
    encoder = clipcore.load(model)

    def pairs(pattern: str, step: int = 1) -> list[Pair]:
        return [pair for path in sorted(data.glob(pattern)) for pair in read_pairs(path)][::step]

    print(f"| set | labels | n | {' | '.join(PACKS.values())} | chance |\n|{'---|' * (4 + len(PACKS))}")
    print(line(encoder, "ImageNet sample", embed(encoder, list(imagenet(data)))), flush=True)
    caltech, tiny = embed(encoder, pairs("caltech101-test*")), pairs("tiny-imagenet-val*", least)
    print(line(encoder, "Caltech-101 test", caltech))
    print(Line("Caltech-101, ten broad words", regrouped(encoder, caltech, BROAD)), flush=True)
    for name, found in {
        "Tiny-ImageNet val": lambda: embed(encoder, tiny),
        "Tiny-ImageNet val, drawn": lambda: drawn(encoder, tiny),
        "CIFAR-100 test": lambda: embed(encoder, pairs("cifar100-test*", least)),
        "CIFAR-10, held out": lambda: embed(encoder, [p for p in pairs("cifar10-half*") if is_held_out(p.key, 0.1)]),
    }.items():
        print(line(encoder, name, found()), flush=True)
    found = measure_set(encoder, embed(encoder, pairs("flickr8k-test*")), {})["captions"]
    assert isinstance(found, RetrievalReport)
    print(f"\nFlickr8k test, words to picture: {found}")
    print(f"Speed: {speed(encoder):,.0f} decoded pictures a second", flush=True)
    if model == "starter" and least == 1:  # what these measure is the shipped one
        os.environ["SAYSO_SETS"] = str(data)
        from . import absent, openset

        print(f"“Nothing matches”, Flickr8k: AUROC {absent.run(quick=True)[0].ours:.3f}")
        known = openset.run(quick=True)[0]
        print(f"“None of these”, {known.case}: AUROC {known.ours:.3f}")


def speed(encoder: "Encoder", rounds: int = 5) -> float:
    """Pictures a second from decoded ones in memory: the median of `rounds`."""
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (96, 96, 3), np.uint8)) for _ in range(256)]
    encoder.embed_images(pictures)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        encoder.embed_images(pictures)
        seconds.append(time.perf_counter() - began)
    return len(pictures) / float(np.median(seconds))


if __name__ == "__main__":
    typer.run(main)
