"""A sentence encoder learns what rare nouns mean: its last layers are taught from WordNet where their kinds lie.

An encoder taught on sentences has met "kingfisher" or "gerenuk" too seldom to know that one is a bird and the other an
antelope, and among names that it does not know a picture's answer is chance. Each noun's aim is what the untouched encoder
says of it, beside what it says of the kinds that the noun belongs to. Names and captions that pictures taught, or will
teach, stay where they were. The first layers never move, so that the words themselves stay as they are.
"""

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP
from torch import nn

from clipcore import wordnet
from clipcore.progress import Step

from ..data.captions import TEMPLATES
from .clip import Tokenizer, encode_captions

LEVELS = 3  # kinds above a noun that its aim takes in, beside the nearest
COMMON = 5  # a kind that was met so often in tagged texts is one that people would say: "bird", and not "coraciiform bird"
LEVEL_WEIGHT = 0.6  # each level counts this much of the one below it
REPORT = 20  # steps from one report to the next


@dataclass(frozen=True)
class Lexicon:
    """What a run is made of; without steps there is none."""

    steps: int = 0
    batch_size: int = 160
    learning_rate: float = 2e-4
    layers: int = 2  # of the encoder, that move
    share: float = 1.0  # of its kinds in a noun's aim, beside the noun itself
    hold: float = 4.0  # what is held where it was counts this many times what moves
    seed: int = 0


def nouns() -> list[tuple[str, tuple[str, ...]]]:
    """Every noun that WordNet can picture, with what it is a kind of, nearest first; of several meanings the usual one.

    Its synonyms are nouns of their own, and the first of them stands among the kinds of the others. Names with a capital
    are left out: single persons and places, and the Latin of biology.
    """
    lines, rows = wordnet._nouns()
    found = []
    for name in rows:
        meaning = max((wordnet._meaning(lines[row], row) for row in rows[name]), key=lambda m: m.count(name))
        if name not in meaning.names or not name.replace("_", "").replace("-", "").isalpha() or name.count("_") > 1:
            continue
        broader = list(wordnet.broader(meaning))
        common = [kind.names[0] for kind in broader[1:] if kind.counts[0] >= COMMON and kind.names[0] != "thing"]
        above = [kind.names[0] for kind in broader[:1]] + common[:LEVELS]
        first = [meaning.names[0]] if meaning.names[0].lower() != name else []
        if kinds := tuple(kind.replace("_", " ") for kind in first + above):
            found.append((name.replace("_", " "), kinds))
    return found


def iter_learn_nouns(
    model: CustomTextCLIP,
    tokenizer: Tokenizer,
    nouns: Sequence[tuple[str, tuple[str, ...]]],
    held: Sequence[str],
    settings: Lexicon,
) -> Generator[Step, None, int]:
    """Teach the last layers of `model.text` in place; returns how many nouns took part.

    held: names and captions that stay where they are; a noun among them does not take part.
    """
    kept = {text.lower() for text in held}
    taught = [(noun, kinds) for noun, kinds in nouns if noun not in kept]
    if not taught:
        return 0
    words = list(dict.fromkeys([noun for noun, _ in taught] + [kind for _, kinds in taught for kind in kinds]))
    at = {word: i for i, word in enumerate(words)}
    vectors = yield from _iter_vectors(model, tokenizer, words)
    weights = LEVEL_WEIGHT ** torch.arange(1.0 + max(len(kinds) for _, kinds in taught))
    above = [weights[: len(kinds)] @ vectors[[at[kind] for kind in kinds]] for _, kinds in taught]
    own = vectors[[at[noun] for noun, _ in taught]]
    aims = F.normalize(own + settings.share * F.normalize(torch.stack(above), dim=1), dim=1)
    before = copy.deepcopy(model.text).eval()
    learned = unlocked(model, settings.layers)
    optimizer = torch.optim.AdamW(learned, lr=settings.learning_rate, weight_decay=0.0)
    rng, distances = np.random.default_rng(settings.seed), []
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, (step + 1) / 20) * (1 - step / settings.steps)
        picks = rng.integers(len(taught), size=settings.batch_size)
        said = encode_captions(model, tokenizer([_sentence(taught[i][0], rng) for i in picks]))
        far = 1 - (said * aims[torch.from_numpy(picks)]).sum(1)
        loss = far.mean()
        if held:
            texts = tokenizer([_sentence(held[i], rng) for i in rng.integers(len(held), size=settings.batch_size // 2)])
            now, moving = encode_captions(model, texts), model.text
            model.text = before
            with torch.no_grad():
                then = encode_captions(model, texts)
            model.text = moving
            loss = loss + settings.hold * (1 - (now * then).sum(1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        distances.append(float(far.mean().detach()))
        if (step + 1) % REPORT == 0:
            yield Step(step + 1, settings.steps, "learning nouns", {"distance": sum(distances[-REPORT:]) / REPORT})
    model.text.requires_grad_(False)
    return len(taught)


def _iter_vectors(
    model: CustomTextCLIP, tokenizer: Tokenizer, words: Sequence[str], chunk: int = 512
) -> Generator[Step, None, torch.Tensor]:
    """Unit vectors [n, dim] of bare words."""
    found = []
    for start in range(0, len(words), chunk):
        yield Step(start, len(words), "reading nouns")
        with torch.no_grad():
            found.append(encode_captions(model, tokenizer(list(words[start : start + chunk]))))
    return torch.cat(found)


def unlocked(model: CustomTextCLIP, layers: int) -> list[nn.Parameter]:
    """What learns: the last layers of the encoder, and nothing else."""
    model.requires_grad_(False)
    encoder: Any = model.text.transformer
    parameters = [parameter for layer in encoder.encoder.layer[-layers:] for parameter in layer.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    return parameters


def _sentence(text: str, rng: np.random.Generator) -> str:
    """A noun in a sentence; what is a sentence already stays."""
    if len(text.split()) > 4:
        return text
    return ("{label}" if rng.random() < 0.3 else TEMPLATES[rng.integers(len(TEMPLATES))]).replace("{label}", text)
