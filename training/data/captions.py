"""Sentences for pictures that have only a class name, and which sentence is true of which picture.

A name becomes a caption by a template. With a names table (JSON: name -> `synonyms` and `hypernyms`, nearest first) a
synonym may stand for the name, a hypernym may be added ("a photo of an Egyptian cat, a type of domestic cat"), and a
hypernym may have a caption of its own ("a photo of a bird"), which then is true of every picture that descends from it.
Captions of one batch are shared: one per name and hypernym, so that few sentences are encoded for many pictures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from clipcore.plain import read_json

from .samples import Pair

# Half plain and half odd, so that the prompts people write later are not new to the text tower.
TEMPLATES = (
    "a photo of a {label}.",
    "a photo of the {label}.",
    "a photo of a {label}",
    "{label}",
    "a {label}.",
    "a picture of a {label}.",
    "an image of a {label}.",
    "a good photo of a {label}.",
    "a bad photo of the {label}.",
    "a photo of the small {label}.",
    "a photo of the large {label}.",
    "a close-up photo of a {label}.",
    "a cropped photo of the {label}.",
    "a blurry photo of a {label}.",
    "a low resolution photo of a {label}.",
    "a photo of one {label}.",
    "a photo of many {label}.",
    "itap of a {label}.",
    "itap of the {label}.",
    "art of the {label}.",
    "a origami {label}.",
    "a {label} in a video game.",
    "a snapshot of a {label}.",
    "this is a {label}.",
    "a drawing of a {label}.",
    "a sketch of the {label}.",
    "a painting of a {label}.",
    "a cartoon {label}.",
)


@dataclass(frozen=True)
class Targets:
    """Which caption is true of which picture: weights of the positives, and the captions known to be false.

    positives: float32 [n, m], 0 where the caption is not known to be true; negatives: bool [n, m]. Where neither holds,
    nobody knows ("a photo of a Chihuahua" for a picture labelled "dog") and the loss looks away.
    """

    positives: np.ndarray
    negatives: np.ndarray

    def on(self, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """Both as tensors."""
        return torch.from_numpy(self.positives).to(device), torch.from_numpy(self.negatives).to(device)


class Captioner:
    """Writes the captions of a batch. All randomness comes from the generator that is passed in."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        names: Mapping[str, Mapping[str, Sequence[str]]],
        hypernym_weight: float = 0.15,
        hypernyms_per_batch: int = 48,
    ) -> None:
        self.captions = [pair.captions for pair in pairs]
        self.names = sorted({pair.name for pair in pairs if pair.name})
        self.synonyms = {name: [name, *names.get(name, {}).get("synonyms", ())] for name in self.names}
        self.hypernyms = {name: list(names.get(name, {}).get("hypernyms", ())) for name in self.names}
        self.hypernyms_per_batch = hypernyms_per_batch
        self.subjects = self.names + sorted({h for hs in self.hypernyms.values() for h in hs} - set(self.names))
        self._column = {subject: i for i, subject in enumerate(self.subjects)}
        self._relation = self._relate(hypernym_weight)
        self._row = np.array([self._column[pair.name] if pair.name else -1 for pair in pairs])
        # what free sentences mention is neither claimed nor denied: a "plate" in a caption may be another kind of plate
        self._mentions = {i: self._mentioned(" ".join(pair.captions)) for i, pair in enumerate(pairs) if not pair.name}

    def batch(self, items: np.ndarray, rng: np.random.Generator) -> tuple[list[str], Targets]:
        """Captions for the pictures `items` (int [n], indices into the pairs) and their targets [n, m].

        First one caption for each name in the batch, then some hypernyms of those names, then one sentence for each
        captioned picture.
        """
        rows = self._row[items]
        labelled, free = np.flatnonzero(rows >= 0), np.flatnonzero(rows < 0)
        named = np.unique(rows[labelled])
        ancestors = np.flatnonzero((self._relation[named] > 0).any(0)) if len(named) else named
        ancestors = np.setdiff1d(ancestors, named)
        if len(ancestors) > self.hypernyms_per_batch:
            ancestors = rng.choice(ancestors, self.hypernyms_per_batch, replace=False)
        columns = np.concatenate([named, ancestors])

        captions = [self.describe(self.subjects[column], rng) for column in columns]
        captions += [str(rng.choice(self.captions[items[i]])) for i in free]
        columns_of: dict[str, list[int]] = {}
        for j in range(len(columns), len(captions)):
            columns_of.setdefault(captions[j], []).append(j)
        relation = np.zeros((len(items), len(captions)), np.float32)
        relation[labelled, : len(columns)] = self._relation[np.ix_(rows[labelled], columns)]
        for j, i in enumerate(free, start=len(columns)):
            mentioned = self._mentions[int(items[i])]
            relation[i, : len(columns)] = -mentioned[columns]
            relation[labelled, j] = -((self._relation[rows[labelled]] > 0) @ mentioned > 0).astype(np.float32)
        for i in free:  # its own sentence, and every other picture's that says the same
            for sentence in self.captions[items[i]]:
                relation[i, columns_of.get(sentence, [])] = 1
        return captions, Targets(np.maximum(relation, 0), relation == 0)

    def twice(self, rng: np.random.Generator) -> tuple[list[str], list[str], Targets]:
        """Two captions for each name and hypernym, and which of the first are true of which of the second: [n, n]."""
        relation = np.eye(len(self.subjects), dtype=np.float32)
        relation[: len(self.names)] = np.where(self._relation == 0, relation[: len(self.names)], self._relation)
        relation = np.where(relation == 0, relation.T, relation)
        first, second = ([self.describe(subject, rng) for subject in self.subjects] for _ in range(2))
        return first, second, Targets(np.maximum(relation, 0), relation == 0)

    def describe(self, subject: str, rng: np.random.Generator) -> str:
        """One sentence about a name or a hypernym."""
        words = self.synonyms.get(subject, [subject])
        word = words[0] if rng.random() < 0.6 else words[rng.integers(len(words))]
        template = TEMPLATES[0] if rng.random() < 0.25 else TEMPLATES[rng.integers(len(TEMPLATES))]
        if word[0].lower() in "aeiou" and rng.random() < 0.5:
            template = re.sub(r"\b(a|A) \{label\}", "an {label}", template)
        if (above := self.hypernyms.get(subject)) and rng.random() < 0.25:
            kind = above[min(int(rng.exponential(1.0)), len(above) - 1)]
            article = "an" if kind[0] in "aeiou" else "a"
            word += f", {article} {kind}" if rng.random() < 0.5 else f", a type of {kind}"
        return template.replace("{label}", word)

    def _relate(self, hypernym_weight: float) -> np.ndarray:
        # [names, subjects]: weight of a true caption; 0 false; -1 unknown, as the subject is a kind of what is named
        relation = np.zeros((len(self.names), len(self.subjects)), np.float32)
        for i, name in enumerate(self.names):
            for hypernym in self.hypernyms[name]:
                relation[i, self._column[hypernym]] = hypernym_weight
                if hypernym in self.hypernyms:
                    relation[self._column[hypernym], i] = -1
        for i, name in enumerate(self.names):
            for word in self.synonyms[name]:
                if (other := self._column.get(word)) is not None:
                    relation[i, other] = 1
                    if other < len(self.names):
                        relation[other, i] = 1
        return relation

    def _mentioned(self, text: str) -> np.ndarray:
        words = f" {' '.join(re.findall(r'[a-z]+', text.lower()))} "
        return np.array([f" {s.lower()} " in words or f" {s.lower()}s " in words for s in self.subjects], np.float32)


def load_names(path: str | Path) -> dict[str, dict[str, list[str]]]:
    """The names table of a recipe."""
    return read_json(path)
