"""What a classifier's answers are worth when pictures get worse: one sheet of curves for each classifier.

With labels a curve is accuracy against strength, without it is how often the answer stays what it was on the clean picture.
For the word pasted on (Goh et al., 2021, the typographic attack) the sheet also has how often the classifier believes it:
the word is the name of a wrong class. Natural shifts, such as photos against sketches, are in `shift.py`.
"""

import hashlib
import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classify.classifier import Classifier
from ..errors import BadImage, BadInput
from ..pictures.reading import open_image
from ..progress import Step, drain
from .corruptions import CORRUPTIONS, SIDE, STRENGTHS, WORD, corrupt, working_size
from .intervals import points, share_interval
from .sets import Sample

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

AT_ONCE = 8  # pictures in memory in all their forms


@dataclass(frozen=True)
class Point:
    """One corruption at one strength.

    agreement  share of pictures that get the clean picture's answer, with its 95 % interval
    accuracy   share answered right, with its 95 % interval, if there are labels
    believed   share that gets the pasted word as its answer; None for the other corruptions
    """

    strength: int
    agreement: float
    agreement_interval: tuple[float, float]
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    believed: float | None = None


@dataclass(frozen=True)
class Sheet:
    """How a classifier bears up. `n` pictures, `labelled` of them with a label; accuracy is of those.

    accuracy  on the clean pictures, with its 95 % `interval`; None without labels
    curves    by corruption, a point for each strength
    skipped   pictures that could not be read, as sentences
    """

    n: int
    labelled: int
    accuracy: float | None
    interval: tuple[float, float] | None
    curves: dict[str, tuple[Point, ...]]
    skipped: tuple[str, ...]

    def mean(self, corruption: str) -> float:
        """The mean over the strengths: accuracy with labels, agreement without."""
        values = [p.agreement if p.accuracy is None else p.accuracy for p in self.curves[corruption]]
        return float(np.mean(values))

    @property
    def corrupted(self) -> float:
        """The mean over all corruptions and strengths, as ImageNet-C sums a model up."""
        return float(np.mean([self.mean(name) for name in self.curves]))

    @property
    def sentence(self) -> str:
        """What to think of it."""
        worst = min(self.curves, key=self.mean)
        if self.accuracy is None:
            found = f"{points(self.corrupted)} of answers on {self.n:,} pictures stay the same when they get worse"
        else:
            clean = f"{points(self.accuracy)} of {self.labelled:,} clean pictures"
            found = f"Right on {clean} and {points(self.corrupted)} of spoilt ones"
        believed = max((point.believed or 0 for point in self.curves.get(WORD, ())), default=0)
        told = f", and a pasted word is believed on up to {points(believed)}" if believed else ""
        return f"{found}; weakest against {worst} ({points(self.mean(worst))}){told}."

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        means = {name: self.mean(name) for name in self.curves}
        return {**asdict(self), "means": means, "corrupted": self.corrupted, "sentence": self.sentence}


def iter_robustness(
    encoder: "Encoder",
    classifier: Classifier,
    samples: Sequence[Sample],
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
) -> Generator[Step, None, Sheet]:
    """Spoil each picture in every way and strength and ask the classifier again; a sample's `name` is its label, if any.

    Pictures are first brought to the size at which the model sees them (224 pixels or more). Raises SpaceMismatch, and
    BadInput if no picture can be read, for one class alone, or for a label that is no class.
    """
    encoder.space.require(classifier.space, "This classifier")
    if len(classifier.labels) < 2:
        raise BadInput("One class alone is always the answer; measure a classifier with two or more.")
    place = {label: i for i, label in enumerate(classifier.labels)}
    if unknown := next((s.name for s in samples if s.name and s.name not in place), None):
        raise BadInput(f"There is no class “{unknown}”; add it, or leave its images out.")
    kinds = [(name, strength) for name in corruptions for strength in STRENGTHS]
    clean: list[int] = []
    truth: list[int] = []
    spoilt: list[np.ndarray] = []  # answers [kinds] for each picture
    pasted: list[int] = []
    skipped: list[str] = []
    side = max(SIDE, encoder.image_size)
    with ThreadPoolExecutor(os.cpu_count() or 1, "spoil", encoder.use_one_thread) as pool:
        for start in range(0, len(samples), AT_ONCE):
            batch = samples[start : start + AT_ONCE]

            def read(sample: Sample) -> Any:
                try:
                    image = working_size(open_image(sample.image, near=side), side)
                    return image, encoder.prepare(image)
                except BadImage as error:
                    return f"{sample.key}: {error}"

            found = list(pool.map(read, batch))
            skipped += [reason for reason in found if isinstance(reason, str)]
            good = [(sample, *seen) for sample, seen in zip(batch, found, strict=True) if not isinstance(seen, str)]
            answers = classifier.logits(_embed(encoder, [prepared for _, _, prepared in good])).argmax(1) if good else []
            jobs = []
            for (sample, image, _), answer in zip(good, answers, strict=True):
                right = place[sample.name] if sample.name else int(answer)
                word = _wrong(sample.key, len(place), right)
                clean.append(int(answer))
                truth.append(right if sample.name else -1)
                pasted.append(word)
                jobs += [(image, name, strength, classifier.labels[word]) for name, strength in kinds]
            if jobs:
                vectors = _embed(encoder, list(pool.map(lambda job: encoder.prepare(corrupt(*job)), jobs)))
                spoilt += list(classifier.logits(vectors).argmax(1).reshape(len(good), len(kinds)))
            yield Step(min(start + AT_ONCE, len(samples)), len(samples), "spoiling pictures")
    if not clean:
        raise BadInput("None of the pictures could be read; name a folder of pictures.")
    return _sheet(kinds, np.array(clean), np.array(truth), np.array(spoilt), np.array(pasted), skipped)


def robustness(
    encoder: "Encoder",
    classifier: Classifier,
    samples: Sequence[Sample],
    corruptions: Sequence[str] = tuple(CORRUPTIONS),
) -> Sheet:
    """`iter_robustness` to its end."""
    return drain(iter_robustness(encoder, classifier, samples, corruptions))


def some_of(samples: Sequence[Sample], limit: int, seed: int = 0) -> list[Sample]:
    """At most `limit` samples, the same ones every time, each label as often as the others where there are enough."""
    order = sorted(samples, key=lambda s: hashlib.sha256(f"{seed}/{s.key}".encode()).digest())
    seen: dict[str | None, int] = {}
    turns = []
    for sample in order:
        turns.append(seen.setdefault(sample.name, 0))
        seen[sample.name] += 1
    return [order[i] for i in sorted(range(len(order)), key=lambda i: (turns[i], i))[:limit]]


def _embed(encoder: "Encoder", prepared: Sequence[Any]) -> np.ndarray:
    size = max(1, encoder.batch_size)
    return np.concatenate([encoder.embed_prepared(prepared[i : i + size]) for i in range(0, len(prepared), size)])


def _wrong(key: str, classes: int, right: int) -> int:
    """A class other than the right one, by the picture's key."""
    other = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little") % (classes - 1)
    return other + (other >= right)


def _sheet(
    kinds: Sequence[tuple[str, int]],
    clean: np.ndarray,
    truth: np.ndarray,
    spoilt: np.ndarray,
    pasted: np.ndarray,
    skipped: Sequence[str],
) -> Sheet:
    known = truth >= 0
    n, labelled = len(clean), int(known.sum())
    curves: dict[str, tuple[Point, ...]] = {}
    for column, (name, strength) in enumerate(kinds):
        same = spoilt[:, column] == clean
        right = spoilt[known, column] == truth[known]
        point = Point(
            strength,
            float(same.mean()),
            share_interval(same.sum(), n),
            float(right.mean()) if labelled else None,
            share_interval(right.sum(), labelled) if labelled else None,
            float((spoilt[:, column] == pasted).mean()) if name == WORD else None,
        )
        curves[name] = (*curves.get(name, ()), point)
    right = clean[known] == truth[known]
    return Sheet(
        n=n,
        labelled=labelled,
        accuracy=float(right.mean()) if labelled else None,
        interval=share_interval(right.sum(), labelled) if labelled else None,
        curves=curves,
        skipped=tuple(skipped),
    )
