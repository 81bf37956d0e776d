"""Two joined towers read captions once more: the text tower's last layers learn with the head, on kept features of pictures.

Joining (`training.towers.join`) leaves the sentence encoder as it is and turns only what it says. Here it learns, a little,
which differences between sentences can be seen. Names, their kinds and the classifier's classes stay where joining put them:
their sentences are held, and pictures of them are still told by them. Of what was learned `share` is kept, on the way from
where it began (WiSE-FT: Wortsman et al., 2022).
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP
from torch import nn

from clipcore.models.towers import NamedTower
from clipcore.progress import Step

from ..data.captions import TEMPLATES
from .clip import Tokenizer, encode_captions
from .join import Seen, imagine, varied
from .lexicon import unlocked


@dataclass(frozen=True)
class Reading:
    """What a run is made of; without steps there is none."""

    steps: int = 0
    batch_size: int = 192
    learning_rate: float = 5e-5  # of the text tower's layers
    head_rate: float = 3e-4
    layers: int = 2
    hold: float = 10.0  # of the names' sentences
    held_size: int = 64
    kept_batches: int = 12  # whose captions are told apart, too
    other_pictures: int = 1500
    named: float = 1.0
    imagined: float = 3.0
    table: float = 300.0
    share: float = 1.0
    seed: int = 0


def iter_read(
    model: CustomTextCLIP,
    tokenizer: Tokenizer,
    seen: Sequence[Seen],
    classes: Sequence[str],
    held: Sequence[str],
    settings: Reading,
) -> Generator[Step, None, None]:
    """Teach the last layers of `model.text` and the head of `model.visual`, in place.

    classes: the classifier's, in its order; held: other names whose sentences stay where they are.
    """
    tower: NamedTower = model.visual.trunk
    captioned = [part for part in seen if part.pairs[0].name is None]
    labelled = [part for part in seen if part.pairs[0].name is not None]
    sights = torch.cat([part.views for part in captioned], 1)
    pairs = [pair for part in captioned for pair in part.pairs]
    labels = sorted({str(pair.name) for part in labelled for pair in part.pairs})
    named = torch.cat([part.views[0] for part in labelled]) if labelled else sights[0, :0]
    of_named = torch.tensor([labels.index(str(pair.name)) for part in labelled for pair in part.pairs])
    imagined = imagine(tower, sights[0])

    names = list(dict.fromkeys([*classes, *labels, *held]))
    yield Step(0, settings.steps, f"reading {len(names)} names")
    words = {}
    with torch.no_grad():
        for template in ("{label}", *TEMPLATES[:1]):
            texts = [template.replace("{label}", name) for name in names]
            words[template] = torch.cat(
                [encode_captions(model, tokenizer(texts[i : i + 256])) for i in range(0, len(texts), 256)]
            )
    at = {name: i for i, name in enumerate(names)}
    rows_of_classes, rows_of_labels = torch.tensor([at[c] for c in classes]), torch.tensor([at[c] for c in labels])

    learned = unlocked(model, settings.layers)
    scale = nn.Parameter(model.logit_scale.detach().clone())
    head = [tower.table, tower.log_temperature, *tower.rest.parameters(), scale]
    for parameter in head:
        parameter.requires_grad_(True)
    start = tower.table.detach().clone()
    before = [parameter.detach().clone() for parameter in (*learned, *head)]
    groups = [
        {"params": learned, "peak": settings.learning_rate, "weight_decay": 0.0},
        {"params": head, "peak": settings.head_rate, "weight_decay": 0.02},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    kept: deque[tuple[torch.Tensor, np.ndarray]] = deque(maxlen=settings.kept_batches)
    losses: list[list[float]] = []
    for step in range(settings.steps):
        rng = np.random.default_rng([settings.seed, 3, step])
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min(1.0, (step + 1) / 20) * (1 - step / settings.steps)
        rows = rng.permutation(len(pairs))[: settings.batch_size]
        sentences = encode_captions(model, tokenizer([str(rng.choice(pairs[i].captions)) for i in rows]))
        others = rng.integers(len(pairs), size=settings.other_pictures)
        pictures = np.concatenate([rows, others])
        vectors = F.normalize(tower.join(sights[rng.integers(len(sights), size=len(pictures)), pictures]), dim=1)
        by_picture = _told(scale.exp() * sentences @ vectors.T, rows, pictures)
        old = torch.cat([sentences, *(k for k, _ in kept)])
        owners = np.concatenate([rows, *(r for _, r in kept)])
        by_caption = _told(scale.exp() * vectors[: len(rows)] @ old.T, rows, owners)
        kept.append((sentences.detach(), rows))

        template = list(words)[int(rng.integers(len(words)))]
        some = rng.integers(len(names), size=settings.held_size)
        now = encode_captions(model, tokenizer([template.replace("{label}", names[i]) for i in some]))
        moved = 1 - (now * words[template][torch.from_numpy(some)]).sum(1)

        k = torch.from_numpy(rng.integers(max(1, len(named)), size=settings.batch_size))
        told = vectors.new_zeros(())
        if len(named):
            logits = scale.exp() * F.normalize(tower.join(named[k]), dim=1) @ words[template][rows_of_labels].T
            told = F.cross_entropy(logits, of_named[k])
        c = torch.from_numpy(rng.integers(len(classes), size=settings.batch_size))
        logits = (
            scale.exp()
            * F.normalize(tower.join(varied(imagined[c], sights[0], rng)), dim=1)
            @ words[template][rows_of_classes].T
        )
        known = F.cross_entropy(logits, c)
        loss = (
            (by_picture + by_caption) / 2
            + settings.named * told
            + settings.imagined * known
            + settings.hold * moved.mean()
            + settings.table * ((tower.table - start) ** 2).mean()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append([float(part.detach()) for part in (by_picture, by_caption, told, known, moved.mean())])
        if (step + 1) % 20 == 0:
            found = np.mean(losses[-20:], 0).tolist()
            yield Step(
                step + 1,
                settings.steps,
                "reading",
                dict(zip(("picture", "caption", "names", "imagined", "moved"), found, strict=True)),
            )
    model.text.requires_grad_(False)
    with torch.no_grad():
        for parameter, first in zip((*learned, *head), before, strict=True):
            parameter.copy_(torch.lerp(first, parameter, settings.share))
        model.logit_scale.copy_(scale)


def _told(logits: torch.Tensor, rows: np.ndarray, columns: np.ndarray) -> torch.Tensor:
    """Cross-entropy of logits [n, m] whose true columns are the first n; others of the same picture are no wrong answers."""
    same = torch.from_numpy(columns[None] == rows[:, None])
    same[torch.arange(len(rows)), torch.arange(len(rows))] = False
    return F.cross_entropy(logits.masked_fill(same, -1e4), torch.arange(len(rows)))
