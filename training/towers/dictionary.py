"""Words that no caption used get a meaning from WordNet, so that a class name of one's own is not noise to the text tower.

After training, the token embeddings of unseen words are still as random as they were initialised. Here each unseen noun
learns to lie near the kinds of things it belongs to ("schooner" near "vessel" and "vehicle"), as far as captions have
taught those. Only embeddings of tokens that hardly any caption used move, so what the model knew it knows exactly as before.
Names made of seen words ("electric guitar") cannot learn so; with a `tower_rate` the rest of the text tower moves a little
too, while captions and taught names are held where they were.
"""

import copy
import re
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CLIP

from clipcore.progress import Step

from ..data.captions import TEMPLATES
from .clip import encode_captions, tokenizer_of

Kinds = Sequence[Sequence[str]]  # what a noun is a kind of: the words of each level, nearest first
Nouns = Mapping[str, Sequence[Kinds]]  # the senses of each noun, the most frequent first
LEVEL_WEIGHT = 0.5  # each level counts this much of the one below it
REPORT = 20  # steps from one report to the next
HOLD = 8.0  # what is held where it was counts this many times what moves
COMMON = (
    2  # a noun of n tokens is practised 1 / n ** COMMON as often as one of a single token: what is often written has few
)
NEARNESS = 0.25  # and a kind of kind of something taught this many times as often as a kind of it: exact meanings first
RARE = 10  # a token in fewer captions than this has hardly learned anything, and may move like an unseen one


def read_nouns(folder: str | Path) -> dict[str, list[Kinds]]:
    """WordNet's noun files (format wndb(5WN): `data.noun`, `index.noun`) as noun -> senses, each its kinds, synonyms first.

    Only senses that are physical things are read, and no single ones, such as persons and places with a name.
    """
    words: dict[str, list[str]] = {}
    parents: dict[str, list[str]] = {}
    single: set[str] = set()
    for line in _entries(Path(folder) / "data.noun"):
        fields = line.split(" | ")[0].split()
        count = int(fields[3], 16)
        words[fields[0]] = [word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
        pointers = list(zip(fields[5 + 2 * count :: 4], fields[6 + 2 * count :: 4], strict=False))
        parents[fields[0]] = [target for kind, target in pointers if kind[0] == "@"]
        if any(kind == "@i" for kind, _ in pointers):
            single.add(fields[0])
    nouns: dict[str, list[Kinds]] = {}
    for line in _entries(Path(folder) / "index.noun"):
        fields = line.split()
        synsets = [synset for synset in fields[-int(fields[2]) :] if synset not in single]
        senses: list[Kinds] = [[words[above] for above in _upwards(synset, parents)] for synset in synsets]
        if physical := [levels for levels in senses if ["physical entity"] in levels]:
            nouns[fields[0].replace("_", " ")] = physical
    return nouns


def iter_define(
    model: CLIP,
    nouns: Nouns,
    subjects: Iterable[str],
    captions: Sequence[str],
    steps: int = 300,
    batch_size: int = 512,
    learning_rate: float = 0.015,
    tower_rate: float = 0.0,
    known: int = RARE,
    centre: torch.Tensor | None = None,
    bf16: bool = False,
    seed: int = 0,
) -> Generator[Step, None, int]:
    """Move `model`'s unseen words until each noun lies near its kinds; returns how many nouns took part.

    subjects: the names and hypernyms that the captions taught; captions: every sentence used in training, whose words and
    tokens stay as they are if at least `known` of them use them. Any other noun, or its plural, takes part if one of its
    kinds is among the subjects; without a `tower_rate` only if it has a token that may move, too. The plural of a subject
    lies where the subject does.

    tower_rate: learning rate of the text tower but for its embeddings; centre: the mean picture, [d]. With it, no noun comes
    to lie nearer to the mean picture than subjects do: vague words are near everything, and would be the answer to it. bf16:
    half the bits, which is faster where the processor knows them.
    """
    tokenizer = tokenizer_of(model)
    anchors = {subject.lower(): i for i, subject in enumerate(dict.fromkeys(subjects))}
    frozen = _frozen(model, [*anchors, *TEMPLATES], captions, known)
    used = Counter(word for caption in captions for word in set(re.findall("[a-z]+", caption.lower())))
    taught = _mean_features(model, list(anchors))
    words, mixtures, odds = [], [], []
    for noun, senses in with_plurals(nouns, anchors).items():
        tokens = tokenizer.encode(noun)
        movable = tower_rate > 0 or not frozen[tokens].all()
        if noun in anchors or not movable or used[noun] >= known or not re.fullmatch("[a-z][a-z .'-]+", noun):
            continue
        levels = next((levels for levels in senses if _weights(levels, anchors)), None)
        if levels:
            weights = _weights(levels, anchors)
            distance = next(i for i, level in enumerate(levels) if any(word.lower() in anchors for word in level))
            words.append(noun)
            odds.append(NEARNESS**distance / len(tokens) ** COMMON)
            mixtures.append(torch.tensor(list(weights.values())) @ taught[list(weights)])
    if not words:
        return 0
    aims = F.normalize(torch.stack(mixtures), dim=1)
    if centre is not None:
        aims = _away(aims, F.normalize(centre, dim=0), taught)

    table = model.token_embedding.weight
    others = [p for name, p in model.named_parameters() if not name.startswith(("visual.", "logit_")) and p is not table]
    before = copy.deepcopy(model).requires_grad_(False)
    model.requires_grad_(False)
    table.requires_grad_(True)
    optimizers: list[torch.optim.Optimizer] = [torch.optim.SparseAdam([table], lr=learning_rate)]
    if tower_rate:
        for parameter in others:
            parameter.requires_grad_(True)
        optimizers.append(torch.optim.Adam(others, lr=tower_rate))
    peaks = [learning_rate, tower_rate]
    half = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
    names, chances = list(anchors), np.array(odds) / sum(odds)
    rng, distances = np.random.default_rng(seed), []
    for step in range(steps):
        picks = rng.choice(len(words), batch_size, p=chances)
        tokens = tokenizer([_sentence(words[i], rng) for i in picks])
        with half:
            features = encode_captions(model, tokens)
        loss = far = (1 - (features * aims[torch.from_numpy(picks)]).sum(1)).mean()
        if tower_rate:
            held = [_sentence(names[i], rng) for i in rng.integers(len(names), size=batch_size // 4)]
            held += [captions[i] for i in rng.integers(len(captions), size=batch_size // 4)] if captions else []
            tokens_held = tokenizer(held)
            with half:
                now, then = (encode_captions(tower, tokens_held) for tower in (model, before))
            loss = far + HOLD * (1 - (now * then).sum(1)).mean()
        model.zero_grad()
        loss.backward()
        # as a sparse gradient of the unseen tokens in this batch, so that Adam's memory of the other rows rests
        rows = tokens.unique()
        rows = rows[~frozen[rows]]
        assert table.grad is not None
        table.grad = torch.sparse_coo_tensor(
            rows[None], table.grad[rows], table.shape, is_coalesced=True, check_invariants=False
        )
        for optimizer, peak in zip(optimizers, peaks, strict=False):
            for group in optimizer.param_groups:
                group["lr"] = peak * (1 - step / steps)
            optimizer.step()
        distances.append(float(far.detach()))
        if (step + 1) % REPORT == 0:
            yield Step(step + 1, steps, "defining words", {"distance": sum(distances[-REPORT:]) / REPORT})
    model.requires_grad_(True)
    return len(words)


def without(nouns: Nouns, held_out: Collection[str]) -> dict[str, Sequence[Kinds]]:
    """`nouns` without those in which, or in a synonym of which, a word of a held-out name occurs, singular or plural."""
    words = {word.lower() for name in held_out for word in name.split()}
    hidden = words | {word + "s" for word in words} | {word.removesuffix("s") for word in words}
    return {
        noun: senses
        for noun, senses in nouns.items()
        if not any(hidden.intersection(synonym.lower().split()) for kinds in senses for synonym in kinds[0])
    }


def with_plurals(nouns: Nouns, subjects: Iterable[str]) -> dict[str, Sequence[Kinds]]:
    """`nouns` and their plurals, which are of the same kinds, and the plurals of `subjects`, which are of their kind."""
    kinds: dict[str, Sequence[Kinds]] = {subject: [[[subject]]] for subject in subjects}
    plurals = {plural(noun): senses for noun, senses in {**nouns, **kinds}.items()}
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


def _frozen(model: CLIP, names: Sequence[str], captions: Iterable[str], known: int) -> torch.Tensor:
    # bool [vocabulary]: the tokens of the names, and those that captions have taught
    tokenizer = tokenizer_of(model)
    seen = Counter(token for caption in captions for token in set(tokenizer.encode(caption)))
    frozen = torch.zeros(model.token_embedding.num_embeddings, dtype=torch.bool)
    frozen[[token for token, count in seen.items() if count >= known]] = True
    frozen[tokenizer.encode(" ".join(names))] = True
    frozen[-2:] = True  # start and end of text
    return frozen


def _away(aims: torch.Tensor, centre: torch.Tensor, taught: torch.Tensor) -> torch.Tensor:
    # unit vectors, turned away from the centre as far as they are nearer to it than half a deviation above what is taught
    near = taught @ centre
    most = near.mean() + near.std() / 2
    along = aims @ centre
    turned = most * centre + (1 - most**2).sqrt() * F.normalize(aims - along[:, None] * centre, dim=1)
    return torch.where((along > most)[:, None], turned, aims)


def _sentence(word: str, rng: np.random.Generator) -> str:
    return TEMPLATES[rng.integers(len(TEMPLATES))].replace("{label}", word)


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
