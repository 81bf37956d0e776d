"""Labelled sets for the benchmarks of teaching, embedded once by the starter: shards in the folder SAYSO_SETS.

Nothing of Sayso needs them; without the folder, the benchmarks that measure accuracy say what is missing.
"""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import typer

import clipcore
from clipcore import Classifier, Examples, drain, zero_shot_classifier
from clipcore.measure import iter_embed_set
from training.data.pairs import read_pairs

CIFAR, CALTECH, TINY, IMAGENET = "cifar100-test", "caltech101-test", "tiny-imagenet-val", "imagenet-sample"


def shard(name: str) -> Path:
    """The first shard of a set, in the folder SAYSO_SETS."""
    folder = Path(os.environ.get("SAYSO_SETS", "sets"))
    found = sorted(folder.glob(f"{name}*.tar*"))
    if not found:
        raise typer.BadParameter(f"There is no {name} in {folder}; set SAYSO_SETS to a folder of WebDataset shards.")
    return found[0]


@cache
def labelled(name: str) -> tuple[Examples, Classifier]:
    """The pictures of a set and the zero-shot classifier of its class names."""
    clip = clipcore.load()
    pictures = drain(iter_embed_set(clip, read_pairs(shard(name))))
    names = tuple(str(name) for name in pictures.names)
    head = zero_shot_classifier(clip, sorted(set(names)))
    return Examples(pictures.vectors, names, clip.space), head


def encoded_once(name: str) -> tuple[Examples, Classifier]:
    """As `labelled`, but for classes whose names are the same word; the vectors are kept, for a model and a shard, in the
    folder SAYSO_VECTORS (left out, one for temporary files)."""
    clip = clipcore.load()
    there = shard(name)
    folder = Path(os.environ.get("SAYSO_VECTORS", Path(tempfile.gettempdir()) / "sayso-vectors"))
    kept = folder / f"{name}-{there.stat().st_size}-{clip.space.key[:16]}.npz"
    if not kept.exists():
        pictures = drain(iter_embed_set(clip, read_pairs(there)))
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(kept, vectors=pictures.vectors, names=np.array([str(each) for each in pictures.names]))
    with np.load(kept) as found:
        vectors, names = found["vectors"], found["names"].tolist()
    spelled: dict[str, str] = {}
    for each in sorted(set(names)):  # ImageNet has a cardigan and a Cardigan: two classes of one name cannot be told apart
        spelled.setdefault(each.casefold(), each)
    rows = [row for row, each in enumerate(names) if spelled[each.casefold()] == each]
    examples = Examples(vectors[rows], tuple(names[row] for row in rows), clip.space)
    return examples, zero_shot_classifier(clip, list(spelled.values()))


def dealt(examples: Examples, shots: int, seed: int) -> tuple[Examples, Examples]:
    """At most `shots` pictures per class to learn from, and half of each class, the same for all shots, to test on."""
    rng = np.random.default_rng(seed)
    truth = np.array(examples.labels)
    learned, tested = [], []
    for label in examples.counts:
        rows = rng.permutation(np.flatnonzero(truth == label))
        tested += rows[: len(rows) // 2].tolist()
        learned += rows[len(rows) // 2 :][:shots].tolist()
    return examples.take(learned), examples.take(tested)


def some_classes(examples: Examples, start: Classifier, places: np.ndarray) -> tuple[Examples, Classifier]:
    """The pictures of some of the classes and the classifier of these."""
    from dataclasses import replace

    labels = tuple(start.labels[i] for i in places)
    head = replace(start, labels=labels, weight=start.weight[places], bias=start.bias[places])
    return examples.only(labels), head
