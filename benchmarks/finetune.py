"""WiSE-FT on the starter: python -m benchmarks.finetune DATA [--model NAME].

2,000 pictures of 20 classes of CIFAR-100's training set are learned; the table shows each mixture of zero-shot and
fine-tuned weights on the test pictures of these classes (the target) and on the same pictures as line drawings, in grey and
as paintings (three shifts, made by `training.styles`). DATA is the folder with CIFAR-100's shards.
"""

import tempfile
from pathlib import Path
from typing import Annotated

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

CLASSES, SHOTS, CHECKED = 20, 100, 25


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
    x = torch.from_numpy(pictures.images.copy()).permute(0, 3, 1, 2).float()
    done = style(x, np.random.default_rng(0))
    return Pixels(done.clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous().numpy(), pictures.pairs)


def main(
    data: Annotated[Path, typer.Argument(help="The folder with CIFAR-100's shards.")],
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    epochs: Annotated[int, typer.Option(help="At most.")] = 20,
) -> None:
    """Print the table in Markdown."""
    start, encoder = Start.load(model), clipcore.load(model, device="cpu")
    train, test = (sorted(data.glob(f"cifar100-{part}*")) for part in ("train", "test"))
    names = sorted({str(pair.name) for path in test for pair in read_pairs(path)})
    labels = sorted(np.random.default_rng(0).choice(names, CLASSES, replace=False).tolist())
    side = side_of(start.config)
    learned = load(train, labels, SHOTS + CHECKED, side)
    check = np.random.default_rng(1).permutation(len(learned))[: CLASSES * CHECKED]
    held, rest = learned.take(np.sort(check)), learned.take(np.setdiff1d(np.arange(len(learned)), check))
    target = load(test, labels, 1000, side)
    shifts = {"line drawings": drawing, "grey": grey, "paintings": painting}
    sets = {"target": target, **{name: restyled(target, style) for name, style in shifts.items()}}
    head = zero_shot_classifier(encoder, labels)
    with tempfile.TemporaryDirectory() as folder:
        tuned = finetune(start, head, rest, held, folder, Tuning(epochs=epochs))
    print(f"{len(rest):,} pictures of {CLASSES} classes learned, {len(held)} to stop on; {len(target):,} test pictures\n")
    print(f"| mixture | {' | '.join(sets)} |\n|{'---|' * (1 + len(sets))}")
    for alpha, row in drain(iter_sweep(start, head, tuned, sets)).items():
        cells = [f"{100 * m.accuracy:.1f} [{100 * m.low:.1f}, {100 * m.high:.1f}]" for m in row.values()]
        print(f"| {alpha:g} | {' | '.join(cells)} |")


if __name__ == "__main__":
    typer.run(main)
