"""WiSE-FT on the starter: python -m benchmarks.finetune DATA [--set caltech101] [--model NAME].

The table shows each mixture of zero-shot and fine-tuned weights on test pictures (the target) and on the same pictures as
line drawings, in grey and as paintings (three shifts, made by `training.styles`). DATA is the folder with the shards.

cifar100    2,000 pictures of 20 classes are learned, 500 of the test set say when to stop, the other 1,500 are tested on.
            The starter was made with these very pictures, so that there is nothing left to gain
caltech101  the 20 largest classes of the test set, which the starter never saw: half learned, a sixth to stop on
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import typer

import clipcore
from clipcore import drain, zero_shot_classifier
from training.clip import side_of
from training.finetune import Tuning, finetune
from training.pairs import read_pairs
from training.pixels import Pixels, decode
from training.start import Start
from training.styles import drawing, grey, painting
from training.wise import iter_sweep

CLASSES, SHOTS, CHECKED, MOST = 20, 100, 25, 60
Split = tuple[list[str], Pixels, Pixels, Pixels]  # labels; to learn, to stop on, to test on


def load(paths: list[Path], labels: list[str], per_class: int, side: int) -> Pixels:
    """The first `per_class` pictures of each label."""
    left = dict.fromkeys(labels, per_class)
    pairs, images = [], []
    for pair in (pair for path in paths for pair in read_pairs(path)):
        if left.get(str(pair.name), 0):
            left[str(pair.name)] -= 1
            pairs.append(pair)
            images.append(decode(pair.image, side))
    return Pixels(np.stack(images), pairs)


def restyled(pictures: Pixels, style) -> Pixels:  # type: ignore[no-untyped-def]
    """The same pictures in another style."""
    x = torch.from_numpy(pictures.at(np.arange(len(pictures))).copy()).permute(0, 3, 1, 2).float()
    done = style(x, np.random.default_rng(0))
    return Pixels(done.clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy(), pictures.pairs)


def cifar100(data: Path, side: int) -> Split:
    """20 classes drawn by chance; what is tested on is not what was stopped on."""
    train, test = (sorted(data.glob(f"cifar100-{part}*")) for part in ("train", "test"))
    names = sorted({str(pair.name) for path in test for pair in read_pairs(path)})
    labels = sorted(np.random.default_rng(0).choice(names, CLASSES, replace=False).tolist())
    rest = load(test, labels, 1000, side)
    order = np.random.default_rng(1).permutation(len(rest))
    check, target = (np.sort(part) for part in np.split(order, [CLASSES * CHECKED]))
    return labels, load(train, labels, SHOTS, side), rest.take(check), rest.take(target)


def caltech101(data: Path, side: int) -> Split:
    """The largest classes, at most 60 pictures of each."""
    paths = sorted(data.glob("caltech101-test*"))
    counts = Counter(str(pair.name) for path in paths for pair in read_pairs(path))
    labels = sorted(name for name, _ in counts.most_common(CLASSES))
    all_of_them = load(paths, labels, MOST, side)
    order = np.random.default_rng(1).permutation(len(all_of_them))
    parts = np.split(order, [len(order) // 2, len(order) * 2 // 3])
    learned, check, target = (all_of_them.take(np.sort(part)) for part in parts)
    return labels, learned, check, target


def main(
    data: Annotated[Path, typer.Argument(help="The folder with the shards.")],
    pictures: Annotated[Literal["cifar100", "caltech101"], typer.Option("--set", help="What to learn.")] = "caltech101",
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    epochs: Annotated[int, typer.Option(help="At most.")] = 20,
) -> None:
    """Print the table in Markdown."""
    start, encoder = Start.load(model), clipcore.load(model, device="cpu")
    split = cifar100 if pictures == "cifar100" else caltech101
    labels, learned, held, target = split(data, side_of(start.config))
    shifts = {"line drawings": drawing, "grey": grey, "paintings": painting}
    sets = {"target": target, **{name: restyled(target, style) for name, style in shifts.items()}}
    head = zero_shot_classifier(encoder, labels)
    with tempfile.TemporaryDirectory() as folder:
        tuned = finetune(start, head, learned, held, folder, Tuning(epochs=epochs))
    told = f"{len(learned):,} pictures of {CLASSES} classes learned, {len(held)} to stop on"
    print(f"{pictures}: {told}; {len(target):,} test pictures\n")
    print(f"| mixture | {' | '.join(sets)} |\n|{'---|' * (1 + len(sets))}")
    for alpha, row in drain(iter_sweep(start, head, tuned, sets)).items():
        cells = [f"{100 * m.accuracy:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" for m in row.values()]
        print(f"| {alpha:g} | {' | '.join(cells)} |")


if __name__ == "__main__":
    typer.run(main)
