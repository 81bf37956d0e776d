"""Words that no caption used get a meaning from WordNet, so that a class name of one's own is not noise to the text tower.

After training, the token embeddings of unseen words are still as random as they were initialised. Here each unseen noun
learns to lie near the kinds of things it belongs to ("schooner" near "vessel" and "vehicle"), as far as captions have
taught those. Only embeddings of tokens that occur in no caption move; all else is frozen, so what the model knew it knows
exactly as before.
"""

import re
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP

from clipcore.progress import Step

from .captions import TEMPLATES
from .clip import encode_captions, tokenizer_of

Kinds = Sequence[Sequence[str]]  # what a noun is a kind of: the words of each level, nearest first
LEVEL_WEIGHT = 0.5  # each level counts this much of the one below it
RARE = 10  # a token in fewer captions than this has hardly learned anything, and may move like an unseen one


def read_nouns(folder: str | Path) -> dict[str, Kinds]:
    """WordNet's noun files (format wndb(5WN): `data.noun`, `index.noun`) as noun -> kinds, its own synonyms first.

    A noun is taken in its first sense that is a physical thing. Nouns without one are left out, and so are proper names (the
    index is in small letters, the data is not).
    """
    words: dict[str, list[str]] = {}
    parents: dict[str, list[str]] = {}
    for line in _entries(Path(folder) / "data.noun"):
        fields = line.split(" | ")[0].split()
        count = int(fields[3], 16)
        words[fields[0]] = [word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
        pointers = fields[5 + 2 * count :]
        parents[fields[0]] = [target for kind, target in zip(pointers[::4], pointers[1::4], strict=False) if kind[0] == "@"]
    nouns: dict[str, Kinds] = {}
    for line in _entries(Path(folder) / "index.noun"):
        fields = line.split()
        noun = fields[0].replace("_", " ")
        for synset in fields[-int(fields[2]) :]:
            levels = [words[above] for above in _upwards(synset, parents)]
            if noun in levels[0] and ["physical entity"] in levels:
                nouns[noun] = levels
                break
    return nouns


def iter_define(
    model: CLIP,
    nouns: Mapping[str, Kinds],
    subjects: Iterable[str],
    captions: Iterable[str],
    steps: int = 300,
    batch_size: int = 512,
    learning_rate: float = 0.015,
    seed: int = 0,
) -> Generator[Step, None, int]:
    """Move `model`'s unseen token embeddings until each noun lies near its kinds; returns how many nouns took part.

    subjects: the names and hypernyms that the captions taught; captions: every sentence used in training, whose tokens
    stay as they are unless they are rare. A noun, or its plural, takes part if it has an unseen token and one of its
    kinds is among the subjects; the plural of a subject lies where the subject does.
    """
    tokenizer = tokenizer_of(model)
    anchors = {subject.lower(): i for i, subject in enumerate(dict.fromkeys(subjects))}
    seen = Counter(token for caption in captions for token in set(tokenizer.encode(caption)))
    frozen = torch.zeros(model.token_embedding.num_embeddings, dtype=torch.bool)
    frozen[[token for token, count in seen.items() if count >= RARE]] = True
    frozen[tokenizer.encode(" ".join([*anchors, *TEMPLATES]))] = True
    frozen[-2:] = True  # start and end of text
    taught = _mean_features(model, list(anchors))
    words, targets = [], []
    for noun, levels in with_plurals(nouns, anchors).items():
        weights = _weights(levels, anchors)
        if weights and not frozen[tokenizer.encode(noun)].all() and re.fullmatch("[a-z][a-z .'-]+", noun):
            words.append(noun)
            mixture = torch.tensor(list(weights.values())) @ taught[list(weights)]
            targets.append(F.normalize(mixture, dim=0))
    if not words:
        return 0
    aims = torch.stack(targets)

    table = model.token_embedding.weight
    model.requires_grad_(False)
    table.requires_grad_(True)
    optimizer = torch.optim.SparseAdam([table], lr=learning_rate)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        picks = rng.integers(len(words), size=batch_size)
        sentences = [TEMPLATES[rng.integers(len(TEMPLATES))].replace("{label}", words[i]) for i in picks]
        tokens = tokenizer(sentences)
        features = encode_captions(model, tokens)
        loss = (1 - (features * aims[torch.from_numpy(picks)]).sum(1)).mean()
        table.grad = None
        loss.backward()
        # as a sparse gradient of the unseen tokens in this batch, so that Adam's memory of the other rows rests
        rows = tokens.unique()
        rows = rows[~frozen[rows]]
        table.grad = torch.sparse_coo_tensor(
            rows[None], table.grad[rows], table.shape, is_coalesced=True, check_invariants=False
        )
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        optimizer.step()
        if (step + 1) % 20 == 0:
            yield Step(step + 1, steps, "defining words", {"distance": float(loss.detach())})
    model.requires_grad_(True)
    return len(words)


def without(nouns: Mapping[str, Kinds], held_out: Collection[str]) -> dict[str, Kinds]:
    """`nouns` without those in which, or in a synonym of which, a word of a held-out name occurs, singular or plural."""
    words = {word.lower() for name in held_out for word in name.split()}
    hidden = words | {word + "s" for word in words} | {word.removesuffix("s") for word in words}
    return {
        noun: kinds
        for noun, kinds in nouns.items()
        if not any(hidden.intersection(synonym.lower().split()) for synonym in kinds[0])
    }


def with_plurals(nouns: Mapping[str, Kinds], subjects: Iterable[str]) -> dict[str, Kinds]:
    """`nouns` and their plurals, which are of the same kinds, and the plurals of `subjects`, which are of their kind."""
    kinds: dict[str, Kinds] = {subject: [[subject], *nouns.get(subject, [])] for subject in subjects}
    plurals = {plural(noun): levels for noun, levels in {**nouns, **kinds}.items()}
    return {**plurals, **nouns}


def plural(noun: str) -> str:
    """The regular English plural."""
    if re.search("[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search("(s|x|z|ch|sh)$", noun) else "s")


@torch.no_grad()
def _mean_features(model: CLIP, subjects: Sequence[str]) -> torch.Tensor:
    tokenizer = tokenizer_of(model)
    features = [encode_captions(model, tokenizer([t.replace("{label}", s) for s in subjects])) for t in TEMPLATES[:6]]
    return F.normalize(torch.stack(features).mean(0), dim=-1)


def _weights(levels: Kinds, anchors: Mapping[str, int]) -> dict[int, float]:
    weights: dict[int, float] = {}
    weight = 1.0
    for words in levels:
        known = {anchors[word.lower()] for word in words if word.lower() in anchors}
        for i in known - weights.keys():
            weights[i] = weight / len(known)
        if known:
            weight *= LEVEL_WEIGHT
    return weights


def _upwards(synset: str, parents: Mapping[str, Sequence[str]]) -> list[str]:
    # the synset and all above it, nearest first
    order = [synset]
    for current in order:
        order += [parent for parent in parents[current] if parent not in order]
    return order


def _entries(path: Path) -> Iterable[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith("  "))  # the licence at the head is indented
