"""The accuracy table of a starter's model card, from its weights: python -m benchmarks.starter DATA [--model local-dir:DIR].

DATA is a folder with the shards that `training/recipes/starter-2/data.json` lists. All of it is zero-shot with the seven
templates unless said, on pictures that were not trained on; intervals are 95 % Wilson intervals.
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from PIL import Image

import clipcore
from clipcore import drain, zero_shot_classifier
from clipcore.measure import RetrievalReport, iter_embed_set, measure_set
from clipcore.measure.report import Report, evaluate
from clipcore.measure.sets import EmbeddedSet
from training.data.pairs import Pair, read_pairs
from training.runs.recipe import Recipe
from training.towers.initial_weights import Start

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


def unnamed(names: Sequence[str], told: str) -> list[str]:
    """Those names that never occur in the text `told` (words separated by single spaces), singular or plural."""
    return [name for name in names if not any(f" {form} " in told for form in (name, f"{name}s", name.removesuffix("s")))]


def main(
    data: Annotated[Path, typer.Argument(help="The folder with the shards.")],
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    recipe: Annotated[str, typer.Option(help="The recipe that says what was held out.")] = "starter-3",
) -> None:
    """Print the table in Markdown."""
    encoder, plan = clipcore.load(model), Recipe.load(recipe, Start.load(model))

    def pairs(pattern: str) -> list[Pair]:
        return [pair for path in sorted(data.glob(pattern)) for pair in read_pairs(path)]

    print(f"| set | labels | n | {' | '.join(PACKS.values())} | chance |\n|{'---|' * (4 + len(PACKS))}")
    caltech = embed(encoder, pairs("caltech101-test*"))
    for name, found in {
        "Tiny-ImageNet val": embed(encoder, pairs("tiny-imagenet-val*")),
        "CIFAR-100 test": embed(encoder, pairs("cifar100-test*")),
        "CIFAR-10, held out": embed(encoder, [p for p in pairs("cifar10-half*") if not plan.trains_on(p.key)]),
        "Caltech-101 test": caltech,
    }.items():
        print(line(encoder, name, found), flush=True)
    print(Line("Caltech-101, ten broad words", regrouped(encoder, caltech, BROAD)))
    captions = [c for pattern in plan.sources if "flickr" in pattern for pair in pairs(pattern) for c in pair.captions]
    words = [word for name, entry in plan.names.items() for word in (name, *entry["synonyms"], *entry["hypernyms"])]
    told = " ".join(" ".join(re.findall("[a-z]+", sentence.lower())) + " ." for sentence in [*words, *captions])
    never = unnamed(caltech.classes, f" {told} ")
    print(Line("Caltech-101, names in no caption, among themselves", regrouped(encoder, caltech, {n: (n,) for n in never})))
    found = measure_set(encoder, embed(encoder, pairs("flickr8k-test*")), {})["captions"]
    assert isinstance(found, RetrievalReport)
    print(f"\nFlickr8k test, words to picture: {found}")
    print(f"Speed: {speed(encoder):,.0f} decoded pictures a second")


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
