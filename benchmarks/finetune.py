"""WiSE-FT on the starter: python -m benchmarks.finetune DATA [--set broad] [--model NAME] [--seed N].

The table shows each mixture of zero-shot and fine-tuned weights on test pictures (the target), on the same pictures as line
drawings, in grey and as paintings (three shifts, made by `training.data.styles`), and on whatever further shifts a set has.
DATA is the folder with the shards.

With --shots N only N pictures of each class are learned from, and a quarter of that to stop on. The table then has a row for
each way to learn that --layers names, tested on ten pictures a class, and on the same as line drawings.

broad       ten broad words (vehicle, bird, ...): every other kind of each in Caltech-101's test set, which the starter never
            saw, half learned, a sixth to stop on. Further shifts: the kinds that were not learned, and Tiny-ImageNet's
            pictures of eight of the words (as in Santurkar et al., 2021, "BREEDS", and between data sets)
caltech101  the 20 largest classes of that set, divided in the same way
tiny        1,000 pictures of 20 classes of Tiny-ImageNet's, divided in the same way
cifar100    2,000 pictures of 20 classes of its test set, divided in the same way: the starter knows the classes,
            not these pictures
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import typer

import clipcore
from clipcore import drain, zero_shot_classifier
from clipcore.encoding.encoder import Encoder
from training.data.pairs import read_pairs
from training.data.pixels import Pixels, decode
from training.data.styles import drawing, grey, painting
from training.towers.clip import side_of
from training.towers.finetune import Tuning, finetune
from training.towers.initial_weights import Start
from training.towers.wise_ft import iter_sweep

from .starter import BROAD

CLASSES, MOST = 20, 60
HYPERNYMS = {**{word: word for word in BROAD if word not in ("flower", "face")}, "instrument": "musical instrument"}


@dataclass(frozen=True)
class Split:
    """What is learned, what says when to stop, what is tested on, and pictures that differ from all of these."""

    labels: list[str]
    learned: Pixels
    held: Pixels
    target: Pixels
    shifts: Mapping[str, Pixels] = field(default_factory=dict)


def load(paths: list[Path], group: Mapping[str, str], most: int, side: int) -> Pixels:
    """The first `most` pictures of each class in `group`, under the label that it has there."""
    left = dict.fromkeys(group, most)
    pairs, images = [], []
    for pair in (pair for path in paths for pair in read_pairs(path)):
        if left.get(name := str(pair.name), 0):
            left[name] -= 1
            pairs.append(replace(pair, name=group[name]))
            images.append(decode(pair.image, side))
    return Pixels(np.stack(images), pairs)


def divide(pictures: Pixels, seed: int) -> tuple[Pixels, Pixels, Pixels]:
    """Half to learn, a sixth to stop on, a third to test on."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    learned, held, target = np.split(order, [len(order) // 2, len(order) * 2 // 3])
    return pictures.take(np.sort(learned)), pictures.take(np.sort(held)), pictures.take(np.sort(target))


def restyled(pictures: Pixels, style) -> Pixels:  # type: ignore[no-untyped-def]
    """The same pictures in another style."""
    x = torch.from_numpy(pictures.at(np.arange(len(pictures))).copy()).permute(0, 3, 1, 2).float()
    done = style(x, np.random.default_rng(0))
    return Pixels(done.clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy(), pictures.pairs)


def broad(data: Path, side: int, seed: int) -> Split:
    """Every other kind of ten broad words; the kinds between them, and another data set's, are shifts."""
    caltech = sorted(data.glob("caltech101-test*"))
    learned, others = ({kind: word for word, kinds in BROAD.items() for kind in kinds[first::2]} for first in (0, 1))
    synsets = json.loads((data / "tiny-imagenet-classes.json").read_text()).values()
    tiny = {s["names"][0]: word for word, above in HYPERNYMS.items() for s in synsets if above in s["hypernyms"]}
    shifts = {
        "other kinds": load(caltech, others, MOST, side),
        "Tiny-ImageNet": load(sorted(data.glob("tiny-imagenet-val*")), tiny, 20, side),
    }
    return Split(list(BROAD), *divide(load(caltech, learned, MOST, side), seed), shifts)


def caltech101(data: Path, side: int, seed: int) -> Split:
    """The largest classes, at most 60 pictures of each."""
    paths = sorted(data.glob("caltech101-test*"))
    counts = Counter(str(pair.name) for path in paths for pair in read_pairs(path))
    labels = sorted(name for name, _ in counts.most_common(CLASSES))
    return Split(labels, *divide(load(paths, {label: label for label in labels}, MOST, side), seed))


def cifar100(data: Path, side: int, seed: int) -> Split:
    """20 classes of the test set, drawn by chance: 2,000 pictures."""
    paths = sorted(data.glob("cifar100-test*"))
    names = sorted({str(pair.name) for path in paths for pair in read_pairs(path)})
    labels = sorted(np.random.default_rng(0).choice(names, CLASSES, replace=False).tolist())
    return Split(labels, *divide(load(paths, {label: label for label in labels}, 100, side), seed))


def tiny(data: Path, side: int, seed: int) -> Split:
    """20 classes of Tiny-ImageNet's pictures to check on, drawn by chance: 50 pictures each."""
    paths = sorted(data.glob("tiny-imagenet-val*"))
    names = sorted({str(pair.name) for path in paths for pair in read_pairs(path)})
    labels = sorted(np.random.default_rng(0).choice(names, CLASSES, replace=False).tolist())
    return Split(labels, *divide(load(paths, {label: label for label in labels}, 50, side), seed))


def few(pictures: Pixels, count: int) -> Pixels:
    """The first `count` pictures of each class."""
    seen: Counter[str] = Counter()
    kept = []
    for i, pair in enumerate(pictures.pairs):
        seen[str(pair.name)] += 1
        if seen[str(pair.name)] <= count:
            kept.append(i)
    return pictures.take(kept)


def few_labels(start: Start, encoder: Encoder, split: Split, shots: int, layers: list[str], epochs: int) -> None:
    """Print a row for each way to learn from few labels."""
    learned, held, target = few(split.learned, shots), few(split.held, max(2, shots // 4)), few(split.target, 10)
    sets = {"target": target, "line drawings": restyled(target, drawing)}
    head = zero_shot_classifier(encoder, split.labels)
    print(f"{len(learned)} learned, {len(held)} to stop on, {len(target)} tested\n")
    print("| way | kept | target | line drawings | minutes |\n|---|---|---|---|---:|")

    for way in layers:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            tuned = finetune(start, head, learned, held, folder, Tuning(layers=way, epochs=epochs))  # type: ignore[arg-type]
        minutes = (time.perf_counter() - began) / 60
        for alpha, found in drain(iter_sweep(start, head, tuned, sets, (0.0, 0.5, 1.0))).items():
            if not alpha and way != layers[0]:
                continue
            name = f"{way}, mixture {alpha:g}" if alpha else "zero-shot head"
            cells = [f"{100 * m.accuracy:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" for m in found.values()]
            print(f"| {name} | {tuned.kept if alpha else ''} | {' | '.join(cells)} | {minutes:.1f} |", flush=True)


SPLITS = {"broad": broad, "caltech101": caltech101, "cifar100": cifar100, "tiny": tiny}


def main(
    data: Annotated[Path, typer.Argument(help="The folder with the shards.")],
    pictures: Annotated[
        Literal["broad", "caltech101", "cifar100", "tiny"], typer.Option("--set", help="What to learn.")
    ] = "broad",
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    epochs: Annotated[int, typer.Option(help="At most.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the division into learned and tested.")] = 1,
    shots: Annotated[int, typer.Option(help="Pictures of each class to learn from; 0 for all.")] = 0,
    layers: Annotated[str, typer.Option(help="With --shots: which layers learn, with commas.")] = "head,last,image",
) -> None:
    """Print the table in Markdown."""
    start, encoder = Start.load(model), clipcore.load(model, device="cpu")
    split = SPLITS[pictures](data, side_of(start.config), seed)
    if shots:
        print(f"{pictures}: ", end="")
        few_labels(start, encoder, split, shots, layers.split(","), epochs)
        return
    styles = {"line drawings": drawing, "grey": grey, "paintings": painting}
    sets = {
        "target": split.target,
        **{name: restyled(split.target, style) for name, style in styles.items()},
        **split.shifts,
    }
    head = zero_shot_classifier(encoder, split.labels)
    with tempfile.TemporaryDirectory() as folder:
        tuned = finetune(start, head, split.learned, split.held, folder, Tuning(epochs=epochs))
    told = f"{len(split.learned):,} pictures of {len(split.labels)} classes learned, {len(split.held)} to stop on"
    print(f"{pictures}: {told}; {', '.join(f'{name} {len(tested):,}' for name, tested in sets.items())}\n")
    print(f"| mixture | {' | '.join(sets)} |\n|{'---|' * (1 + len(sets))}")
    for alpha, row in drain(iter_sweep(start, head, tuned, sets)).items():
        cells = [f"{100 * m.accuracy:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" for m in row.values()]
        print(f"| {alpha:g} | {' | '.join(cells)} |")


if __name__ == "__main__":
    typer.run(main)
