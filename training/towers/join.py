"""What joins two towers, taught on features and sentences that are kept: minutes on one core, the towers themselves
untouched.

On the pictures' side the table of the classifier's names and the linear map beside it (`clipcore.models.towers.NamedTower`),
on the words' side an affine map behind the sentence encoder, which its last norm and its projection take in. Pictures are
told by their captions, or by their names and the kinds that those belong to.

A classifier knows more names than there are pictures at hand. So that those are not unlearned, features are imagined for
each of its classes: near those of real pictures, and surely of that class to the classifier.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP
from torch import nn

from clipcore.models.towers import NamedTower
from clipcore.progress import Step

from ..data.captions import Captioner
from ..data.samples import Pair
from .clip import Tokenizer, encode_captions
from .loss import contrastive_loss


@dataclass(frozen=True)
class Joining:
    """What a run is made of."""

    steps: int = 600
    batch_size: int = 192  # of each kind: captioned, labelled and imagined
    learning_rate: float = 1e-3
    text_rate: float = 2e-4
    weight_decay: float = 0.05
    captions: float = 1.0  # weights of the parts of the loss
    labelled: float = 1.0
    imagined: float = 1.0
    nouns: float = 0.0  # of what most captions of a picture name
    table: float = 300.0  # holds the names' vectors where they were
    text: float = 2.0  # holds sentences where they were
    negatives: int = 512  # other captions that a picture's own are told from
    hypernym_weight: float = 0.15
    kind_weight: float = 0.5  # of what the nouns in captions are kinds of
    templates: tuple[str, ...] = ("a photo of a {label}.", "{label}", "a picture of a {label}.", "a drawing of a {label}.")
    log_every: int = 50
    seed: int = 0


@dataclass(frozen=True)
class Seen:
    """Pictures as features, float16 [n, num_features] or, of several views of each, [views, n, num_features], of one kind:
    all with captions, or all with a name."""

    features: np.ndarray
    pairs: Sequence[Pair]

    @property
    def views(self) -> torch.Tensor:
        """float32 [views, n, num_features]."""
        return torch.from_numpy(self.features.reshape(-1, *self.features.shape[-2:])).float()


def iter_join(
    model: CustomTextCLIP,
    tokenizer: Tokenizer,
    seen: Sequence[Seen],
    classes: Sequence[str],
    names: Mapping[str, Mapping[str, Sequence[str]]],
    settings: Joining | None = None,
    nouns: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> Generator[Step, None, None]:
    """Teach the head of `model.visual` and the last map of `model.text`, in place.

    classes: what the classifier's classes are called, in its order; names: synonyms and hypernyms, as in
    `training.data.captions`; nouns: the same of what captions commonly name, for `Joining.nouns`.
    """
    nouns = nouns if nouns and settings and settings.nouns else {}
    settings = settings or Joining()
    tower: NamedTower = model.visual.trunk
    captioned = [part for part in seen if part.pairs[0].name is None]
    labelled = [part for part in seen if part.pairs[0].name is not None]

    # names: those of pictures and of classes, and their kinds
    everything = [pair for part in labelled for pair in part.pairs] + [Pair(f"class/{c}", b"", name=c) for c in classes]
    everything += [Pair(f"noun/{noun}", b"", name=noun) for noun in nouns]
    captioner = Captioner(everything, together(names, nouns), settings.hypernym_weight)
    relation = torch.from_numpy(captioner._relation)
    row_of = {name: i for i, name in enumerate(captioner.names)}
    named_rows = torch.tensor([row_of[pair.name] for part in labelled for pair in part.pairs if pair.name])
    class_rows = torch.tensor([row_of[name] for name in classes])
    yield Step(0, settings.steps, f"reading {len(captioner.subjects)} names")
    subjects = torch.stack(
        [_plain(model, tokenizer, [t.replace("{label}", s) for s in captioner.subjects]) for t in settings.templates]
    )
    yield Step(0, settings.steps, "reading captions")
    captions = _plain(model, tokenizer, [caption for part in captioned for pair in part.pairs for caption in pair.captions])
    owner = np.repeat(
        np.arange(sum(len(part.pairs) for part in captioned)),
        [len(pair.captions) for part in captioned for pair in part.pairs],
    )

    sights = torch.cat([part.views for part in captioned], 1)
    told = sights[0]
    named = torch.cat([part.views[0] for part in labelled]) if labelled else told[:0]
    there = (
        mentioned([pair for part in captioned for pair in part.pairs], captioner, settings.kind_weight) if nouns else None
    )
    if not tower.rest.weight.any():  # nothing learned yet
        norm: Any = tower.norm
        norm.running_mean.copy_(told.mean(0)), norm.running_var.copy_(told.var(0))
    yield Step(0, settings.steps, "imagining features of the classes")
    imagined = imagine(tower, told)

    text = nn.Linear(subjects.shape[-1], subjects.shape[-1])
    nn.init.eye_(text.weight), nn.init.zeros_(text.bias)
    scale = nn.Parameter(torch.tensor(20.0).log())
    start = tower.table.detach().clone()
    model.requires_grad_(False)
    head = [tower.table, tower.log_temperature, *tower.rest.parameters(), scale]
    for parameter in head:
        parameter.requires_grad_(True)
    groups = [
        {"params": head, "peak": settings.learning_rate, "weight_decay": settings.weight_decay},
        {"params": list(text.parameters()), "peak": settings.text_rate, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    losses: list[list[float]] = []
    for step in range(settings.steps):
        rng = np.random.default_rng([settings.seed, step])
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, (step + 1) / 50) * (1 - step / settings.steps)
        which = torch.from_numpy(rng.integers(len(subjects), size=subjects.shape[1]))
        plain = subjects[which, torch.arange(subjects.shape[1])]
        words = F.normalize(text(plain), dim=1)

        def named_loss(features: torch.Tensor, rows: torch.Tensor, words: torch.Tensor = words) -> torch.Tensor:
            vectors = F.normalize(tower.join(features), dim=1)
            true = relation[rows]
            logits = scale.exp() * vectors @ words.T
            return contrastive_loss(logits, true.clamp(min=0), true == 0)

        # captions: a picture's own from those of others, and the other way round
        pick = rng.integers(len(captions), size=settings.batch_size + settings.negatives)
        pictures = owner[pick[: settings.batch_size]]
        vectors = F.normalize(tower.join(sights[rng.integers(len(sights), size=len(pictures)), pictures]), dim=1)
        sentences = F.normalize(text(captions[pick]), dim=1)
        own = torch.from_numpy(owner[pick][None] == pictures[:, None])
        loss_captions = contrastive_loss(scale.exp() * vectors @ sentences.T, own.float(), ~own)

        loss_nouns = vectors.new_zeros(())
        if there is not None:
            true = there[torch.from_numpy(pictures)]
            loss_nouns = contrastive_loss(scale.exp() * vectors @ words.T, true.clamp(min=0), true == 0)

        k = torch.from_numpy(rng.integers(len(named), size=settings.batch_size)) if len(named) else None
        loss_named = named_loss(named[k], named_rows[k]) if k is not None else vectors.new_zeros(())
        c = torch.from_numpy(rng.integers(len(classes), size=settings.batch_size))
        loss_imagined = named_loss(varied(imagined[c], told, rng), class_rows[c])

        held = 1 - F.cosine_similarity(words, plain).mean() + 1 - F.cosine_similarity(sentences, captions[pick]).mean()
        loss = (
            settings.captions * loss_captions
            + settings.labelled * loss_named
            + settings.imagined * loss_imagined
            + settings.nouns * loss_nouns
            + settings.table * ((tower.table - start) ** 2).mean()
            + settings.text * held
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append([float(part.detach()) for part in (loss_captions, loss_named, loss_imagined, loss_nouns, held)])
        if (step + 1) % settings.log_every == 0:
            found = np.mean(losses[-settings.log_every :], 0).tolist()
            yield Step(
                step + 1,
                settings.steps,
                "joining",
                dict(zip(("captions", "names", "imagined", "nouns", "moved"), found, strict=True)),
            )
    with torch.no_grad():
        model.logit_scale.copy_(scale)
        _put_behind(model, text)


def together(*tables: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, dict[str, list[str]]]:
    """Several tables of synonyms and hypernyms as one."""
    made: dict[str, dict[str, list[str]]] = {}
    for table in tables:
        for name, said in table.items():
            own = made.setdefault(name, {"synonyms": [], "hypernyms": []})
            for kind, words in said.items():
                own[kind] = list(dict.fromkeys([*own[kind], *words]))
    return made


def mentioned(pairs: Sequence[Pair], captioner: Captioner, kind_weight: float) -> torch.Tensor:
    """[pictures, subjects]: 1 for what two captions of a picture name, `kind_weight` for what that is a kind of, 0 for what
    is surely not there, and -1 for what nobody knows: named once, or a narrower name of what was named."""
    forms = {form.lower(): i for i, word in reversed(list(enumerate(captioner.subjects))) for form in (word + "s", word)}
    for name in captioner.names:
        for word in captioner.synonyms[name]:
            for form in (word.lower(), word.lower() + "s"):
                forms.setdefault(form, captioner.subjects.index(name))
    longest = max(form.count(" ") for form in forms) + 1
    relation = np.zeros((len(captioner.subjects),) * 2, np.float32)
    relation[: len(captioner.names)] = captioner._relation
    above = np.where(relation > 0, np.where(relation < 1, kind_weight, 1), 0)
    found = np.zeros((len(pairs), len(captioner.subjects)), np.float32)
    for row, pair in zip(found, pairs, strict=True):
        times = np.zeros(len(row))
        for caption in pair.captions:
            words = re.findall(r"[a-z]+", caption.lower())
            grams = (" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1))
            times[list({forms[gram] for gram in grams if gram in forms})] += 1
        sure = times >= min(2, len(pair.captions))
        row[:] = np.where(sure, 1, above[sure].max(0, initial=0))
        unknown = (row == 0) & ((times > 0) | (relation[sure] < 0).any(0))
        row[unknown] = -1
    return torch.from_numpy(found)


def imagine(tower: NamedTower, real: torch.Tensor, steps: int = 60, near: float = 0.005) -> torch.Tensor:
    """Features [classes, num_features], one for each class, that the classifier takes for it and that are `near` the `real`
    ones."""
    centre, spread = real.mean(0), real.std(0) + 1e-3
    weight, bias = tower.classes.weight.detach(), tower.classes.bias.detach()
    made = centre.repeat(len(bias), 1).requires_grad_(True)
    optimizer = torch.optim.Adam([made], lr=0.1)
    truth = torch.arange(len(bias))
    for _ in range(steps):
        sure = F.cross_entropy(made @ weight.T + bias, truth, reduction="sum")
        loss = sure + near * (((made - centre) / spread) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            made.clamp_(real.min(), real.max())
    return made.detach()


def varied(features: torch.Tensor, real: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """More or less of the class, in company of another picture's features: as pictures are."""
    share, company = torch.from_numpy(
        np.stack((rng.uniform(0.7, 1.1, len(features)), rng.uniform(0, 0.5, len(features))))
    ).float()
    other = real[torch.from_numpy(rng.integers(len(real), size=len(features)))]
    centre = real.mean(0)
    return (centre + share[:, None] * (features - centre) + company[:, None] * (other - centre)).clamp(min=0)


@torch.no_grad()
def _plain(model: CustomTextCLIP, tokenizer: Tokenizer, texts: list[str], chunk: int = 256) -> torch.Tensor:
    """Text vectors [n, dim] as the tower gives them, not of unit length: what the affine map is put behind."""
    return torch.cat(
        [encode_captions(model, tokenizer(texts[i : i + chunk]), unit=False) for i in range(0, len(texts), chunk)]
    )


@torch.no_grad()
def _put_behind(model: CustomTextCLIP, text: nn.Linear) -> None:
    """The affine map taken in by the encoder: its projection does the turning, its last norm's bias the shift."""
    projection = model.text.proj.weight
    last: Any = [module for module in model.text.transformer.modules() if isinstance(module, nn.LayerNorm)][-1]
    turned = text.weight @ projection
    last.bias += torch.linalg.solve(turned, text.bias)
    projection.copy_(turned)
