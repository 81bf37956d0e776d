"""A classifier's image tower becomes one for sentences and learns to see small, drawn and grey pictures, without forgetting.

Held by itself: for a worse view of a picture (`training.data.views`) the tower shall give what the *untouched* tower gave of
the picture, its features and its classifier's probabilities: self-distillation. Led by words: the vectors of captions and
names, from a text tower that stays as it is (Zhai et al., 2022, "LiT", with the other tower locked). What the untouched
tower says is computed once, for a few crops of each picture, and kept in OUT/targets.

Unlocked by degrees: first what joins the features to the words, on the kept features alone; then the trunk, but for its
earliest layers, at a rate of its own. Statistics of batch norms stay as they are throughout. Every random choice of a step
follows from (seed, step).
"""

import copy
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clipcore.encoding.folding import fold_while_learning, folded
from clipcore.models.towers import NamedTower
from clipcore.progress import Step

from ..data.pixels import Pixels
from ..data.views import resized, worsened
from .checkpoint import Log, load_checkpoint, save_checkpoint
from .optim import Ema, one_cycle


@dataclass(frozen=True)
class Distillation:
    """What a run is made of. `minutes`, if given, replaces `steps`, as in `Settings`."""

    batch: Mapping[str, int] = field(default_factory=dict)  # pictures of each source in a step; 8 unless told
    sizes: tuple[int, ...] = (96, 112, 128, 144)  # one of them is the side of a step's views
    steps: int = 10_000
    minutes: float | None = None
    learning_rate: float = 3e-4  # of the trunk
    head_rate: float = 5e-4  # of what joins it to the words
    head_steps: int = 700  # of that alone, before
    frozen: tuple[str, ...] = ("conv_stem", "bn1", "blocks.0.", "blocks.1.")  # parts of the trunk that never move
    teacher_side: int = 192  # of the pictures that the untouched tower looks at
    teacher_sides: Mapping[str, int] = field(default_factory=dict)  # by source; where given, it looks at these sources only
    teacher_most: int = 30_000  # pictures of a source that it looks at
    crops: int = 4  # of each captioned picture that it looks at; labelled ones are seen whole
    features: float = 1.0  # weights of the parts of the loss
    features_of_labelled: float = 0.3  # small pictures, of which it does not know much itself
    probabilities: float = 0.5
    names: float = 0.3
    captions: float = 0.3
    table: float = 300.0  # holds the names' vectors where they were
    temperature: float = 1.5  # at which probabilities are compared
    negatives: int = 512  # other captions that a picture's own are told from
    shrunk: float = 0.35  # see training.data.views
    restyled: float = 0.35
    ema: float = 0.998
    weight_decay: float = 0.02
    warmup: float = 0.02
    clip_norm: float = 1.0
    log_every: int = 50
    save_minutes: float = 3.0
    seed: int = 0


@dataclass
class Source:
    """Pictures of one kind and what is true of them.

    words: unit vectors [m, dim] of all captions or names; own: int [n, k] the k captions of each picture, or [n, 1] its
    name;
    classes: int [n], the class that the trunk's own classifier has for it, or -1; targets: what the untouched tower said of
    each crop.
    """

    name: str
    pixels: Pixels
    words: torch.Tensor
    own: np.ndarray
    classes: np.ndarray
    targets: list[np.ndarray] = field(default_factory=list)

    @property
    def captioned(self) -> bool:
        """Whether sentences are told of it, and not names."""
        return self.pixels.pairs[0].name is None

    @property
    def crops(self) -> list[np.ndarray]:
        """Top, left, height and width of each crop, int [n, 4], the first of which is the whole picture."""
        return [crops_of(len(self.pixels), self.pixels.images.shape[1], k) for k in range(len(self.targets))]


def crops_of(n: int, side: int, which: int) -> np.ndarray:
    """int [n, 4]: top, left, height, width; number 0 is the whole picture, others show 30 to 100 % of it."""
    if which == 0:
        return np.tile((0, 0, side, side), (n, 1))
    rng, out = np.random.default_rng([7, which]), np.zeros((n, 4), int)
    for i in range(n):
        area, ratio = rng.uniform(0.3, 1), np.exp(rng.uniform(-0.22, 0.22))
        height, width = (min(side, round(side * np.sqrt(area * r))) for r in (ratio, 1 / ratio))
        out[i] = rng.integers(side - height + 1), rng.integers(side - width + 1), height, width
    return out


def iter_targets(
    tower: NamedTower,
    sources: Sequence[Source],
    folder: Path,
    settings: Distillation,
    mean: Sequence[float],
    std: Sequence[float],
) -> Generator[Step, None, None]:
    """Fill in what `tower`, untouched, says of each source's crops: features float16 [n, num_features], kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    trunk = folded(tower.trunk.eval(), torch.zeros(1, 3, settings.teacher_side, settings.teacher_side))
    for source in sources:
        source.targets.clear()
        if settings.teacher_sides and source.name not in settings.teacher_sides:
            continue
        side = settings.teacher_sides.get(source.name, settings.teacher_side)
        for which in range(settings.crops if source.captioned else 1):
            path = folder / f"{source.name}-{which}.npy"
            if not path.exists():
                crops = crops_of(len(source.pixels), source.pixels.images.shape[1], which)[: settings.teacher_most]
                said = np.zeros((len(crops), tower.num_features), np.float16)
                for start in range(0, len(crops), 32):
                    pictures = _cut(source.pixels, np.arange(start, min(start + 32, len(crops))), crops)
                    whole = torch.cat([resized(_floats(picture), side) for picture in pictures])
                    with torch.inference_mode():
                        said[start : start + 32] = trunk(_normalised(whole, mean, std)).half().numpy()
                    yield Step(
                        start + len(pictures), len(crops), f"the untouched tower looks at {source.name}, crop {which + 1}"
                    )
                np.save(folder / "unfinished.npy", said)
                (folder / "unfinished.npy").replace(path)
            source.targets.append(np.load(path, mmap_mode="r"))


def iter_distill(
    tower: NamedTower,
    sources: Sequence[Source],
    out: str | Path,
    settings: Distillation,
    mean: Sequence[float] = (0.5, 0.5, 0.5),
    std: Sequence[float] = (0.5, 0.5, 0.5),
) -> Generator[Step, None, NamedTower]:
    """Train `tower`, or go on where a run in `out` stopped; returns its running average.

    `out` receives `checkpoint.pt`, `log.jsonl` and `targets/`. mean, std: of the tower's input. Closing the generator leaves
    a checkpoint.
    """
    out = Path(out)
    yield from iter_targets(tower, sources, out / "targets", settings, mean, std)
    run = _Run(tower, sources, out, settings, mean, std)
    with closing(run.log):
        yield from run.iter_head()
        while run.progress < 1:
            began = time.perf_counter()
            parts = run.learn()
            run.seconds += time.perf_counter() - began
            try:
                yield run.report(parts)
            except GeneratorExit:
                run.save()
                raise
        run.save()
    tuned: Any = run.ema.model
    return tuned


class _Run:
    """The model that learns, its average, its optimiser, and how far they are."""

    def __init__(
        self,
        tower: NamedTower,
        sources: Sequence[Source],
        out: Path,
        settings: Distillation,
        mean: Sequence[float],
        std: Sequence[float],
    ) -> None:
        self.sources, self.out, self.settings, self.mean, self.std = sources, out, settings, mean, std
        self.model = tower.requires_grad_(False).eval()
        self.first_table = tower.table.detach().clone()
        self.scale = nn.Parameter(torch.tensor(15.0).log())  # of cosines, for the comparison with words
        seen = [s.targets[0][:2000] for s in sources if s.targets and s.captioned] or [sources[0].targets[0][:2000]]
        self.spread = float(np.concatenate(seen).astype(np.float32).var())  # what features are apart by, without more
        self.state = load_checkpoint(out)
        self.step, self.seconds = 0, 0.0
        if self.state:
            self.model.load_state_dict(self.state["model"])
            self.scale.data.copy_(self.state["scale"])
            self.step, self.seconds = self.state["step"], self.state["seconds"]
        self.saved = self.seconds
        out.mkdir(parents=True, exist_ok=True)
        self.log = Log(out / "log.jsonl", self.step)
        self.sums: list[dict[str, float]] = []

    @property
    def progress(self) -> float:
        """Share of the schedule that is done."""
        minutes = self.settings.minutes
        return self.seconds / (60 * minutes) if minutes else self.step / max(1, self.settings.steps)

    def iter_head(self) -> Generator[Step, None, None]:
        """Teach what joins features to words, on the kept features; then unlock the trunk. Does nothing where a run goes
        on."""
        model, settings, trunk_parameters = self.model, self.settings, []
        joint = [model.table, model.log_temperature, *model.rest.parameters(), self.scale]
        for parameter in joint:
            parameter.requires_grad_(True)
        if self.state is None:
            kept = next(s for s in self.sources if s.targets)
            some = torch.from_numpy(
                np.concatenate([s.targets[0] for s in self.sources if s.captioned] or [kept.targets[0]])
            ).float()
            norm: Any = model.norm
            norm.running_mean.copy_(some.mean(0)), norm.running_var.copy_(some.var(0))
            optimizer = torch.optim.AdamW(joint, lr=1e-3, weight_decay=0.05)
            for step in range(settings.head_steps):
                rng = np.random.default_rng([settings.seed, 9, step])
                for group in optimizer.param_groups:
                    group["lr"] = 1e-3 * min(1, (step + 1) / 50) * (1 - step / settings.head_steps)
                loss = self._held()
                for source in self.sources:
                    if source.targets:
                        rows = np.sort(rng.integers(len(source.targets[0]), size=256))
                        vectors = F.normalize(model.join(torch.from_numpy(source.targets[0][rows]).float()), dim=1)
                        loss = loss + (0.5 if source.captioned else 1.0) * self._words(
                            vectors, source, rows, rng, 2 * settings.negatives
                        )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if (step + 1) % settings.log_every == 0:
                    yield Step(step + 1, settings.head_steps, "joining features to words", {"loss": float(loss.detach())})
        for name, parameter in model.trunk.named_parameters():
            if not name.startswith(settings.frozen):
                parameter.requires_grad_(True)
                trunk_parameters.append(parameter)
        self.trunk_parameters = trunk_parameters
        self.ema = Ema(model, settings.ema)
        fold_while_learning(model.trunk)
        groups = [
            {
                "params": [p for p in trunk_parameters if p.ndim > 1],
                "peak": settings.learning_rate,
                "weight_decay": settings.weight_decay,
            },
            {"params": [p for p in trunk_parameters if p.ndim <= 1], "peak": settings.learning_rate, "weight_decay": 0.0},
            {"params": joint, "peak": settings.head_rate, "weight_decay": settings.weight_decay},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)
        if self.state:
            self.ema.model.load_state_dict(self.state["ema"])
            self.optimizer.load_state_dict(self.state["optimizer"])
        self.state = None

    def learn(self) -> dict[str, float]:
        """One step; returns the parts of the loss."""
        model, settings = self.model, self.settings
        rng = np.random.default_rng([settings.seed, self.step])
        self.size = int(rng.choice(settings.sizes))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(0.01, one_cycle(min(self.progress, 1.0), settings.warmup))

        rows, views, wanted, looked, classes = [], [], [], [], []
        for source in self.sources:
            own = np.sort(rng.integers(len(source.pixels), size=settings.batch.get(source.name, 8)))
            crop = rng.integers(max(1, len(source.targets)), size=len(own))
            rows.append(own)
            views.append(
                worsened(self._pictures(source, own, crop, rng), self.size, rng, settings.shrunk, settings.restyled)
            )
            known = own < (len(source.targets[0]) if source.targets else 0)
            looked.append(known)
            wanted.append(
                np.stack(
                    [
                        source.targets[k][i] if ok else np.zeros(model.num_features)
                        for i, k, ok in zip(own, crop, known, strict=True)
                    ]
                )
            )
            classes.append(source.classes[own])

        features = model.trunk(_normalised(torch.cat(views), self.mean, self.std))
        held, parts = self._as_before(
            features, np.concatenate(wanted), np.concatenate(looked), np.concatenate(classes), rows
        )
        loss = held + self._held()
        vectors = F.normalize(model.join(features), dim=1).split([len(own) for own in rows])
        for source, own, theirs in zip(self.sources, rows, vectors, strict=True):
            said = self._words(theirs, source, own, rng, settings.negatives)
            weight = (
                settings.captions
                if source.captioned
                else settings.names
                * len(own)
                / sum(len(r) for s, r in zip(self.sources, rows, strict=True) if not s.captioned)
            )
            loss = loss + weight * said
            parts[f"words/{source.name}"] = float(said.detach())

        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.trunk_parameters, settings.clip_norm)
        self.optimizer.step()
        self.step += 1
        self.ema.update(model, self.step)
        return {"loss": float(loss.detach()), **parts, "pictures": float(len(features))}

    def _pictures(self, source: Source, rows: np.ndarray, crop: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        """Cuts of pictures: the crop that the untouched tower saw, or 60 to 100 % of a labelled one."""
        if source.captioned:
            crops = source.crops
            return [_cut(source.pixels, np.array([i]), crops[k])[0] for i, k in zip(rows, crop, strict=True)]
        pictures, side = [], source.pixels.images.shape[1]
        for picture in source.pixels.at(rows):
            length = round(side * float(np.sqrt(rng.uniform(0.6, 1))))
            top, left = rng.integers(side - length + 1, size=2)
            pictures.append(picture[top : top + length, left : left + length])
        return pictures

    def _as_before(
        self, features: torch.Tensor, wanted: np.ndarray, looked: np.ndarray, classes: np.ndarray, rows: Sequence[np.ndarray]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """How far the features, and the classifier's answers to them, are from what the untouched tower said of the
        pictures.

        Where a label says which class it is, that counts half: small pictures are hard to tell for the untouched tower.
        """
        settings, model = self.settings, self.model
        captioned = torch.from_numpy(
            np.concatenate([np.full(len(r), s.captioned) for s, r in zip(self.sources, rows, strict=True)])
        )
        goal, seen, label = torch.from_numpy(wanted).float(), torch.from_numpy(looked), torch.from_numpy(classes)
        weight = seen * torch.where(captioned, settings.features, settings.features_of_labelled)
        apart = ((features - goal) ** 2).mean(1) / self.spread
        probabilities = (model.classes(goal) / settings.temperature).softmax(1)
        sure = torch.where(label < 0, 0.0, torch.where(seen, 0.5, 1.0))[:, None]
        probabilities = (1 - sure) * probabilities + sure * F.one_hot(label.clamp(min=0), probabilities.shape[1])
        said = (model.classes(features) / settings.temperature).log_softmax(1)
        judged = seen | (label >= 0)
        apart_by_name = -(probabilities * said).sum(1)[judged].mean() if judged.any() else features.new_zeros(())
        apart_by_feature = sum(
            ((apart * weight)[group].sum() / seen[group].sum().clamp(min=1) for group in (captioned, ~captioned)),
            features.new_zeros(()),
        )
        loss = apart_by_feature + settings.probabilities * apart_by_name
        return loss, {"features": float(apart_by_feature.detach()), "probabilities": float(apart_by_name.detach())}

    def _words(
        self, vectors: torch.Tensor, source: Source, rows: np.ndarray, rng: np.random.Generator, negatives: int
    ) -> torch.Tensor:
        """How well unit vectors [n, dim] are told from the words of other pictures: all names, or some captions, both
        ways."""
        scale = self.scale.exp()
        if not source.captioned:
            return F.cross_entropy(scale * vectors @ source.words.T, torch.from_numpy(source.own[rows, 0]))
        n = len(rows)
        others = rng.integers(len(source.pixels), size=negatives)
        which = np.concatenate([rows, others])
        columns = source.own[which, rng.integers(source.own.shape[1], size=len(which))]
        logits = scale * vectors @ source.words[columns].T
        same = torch.from_numpy(which[None] == rows[:, None])
        same[torch.arange(n), torch.arange(n)] = False
        logits = logits.masked_fill(same, -1e4)
        truth = torch.arange(n)
        return F.cross_entropy(logits, truth) + 0.5 * F.cross_entropy(logits[:, :n].T, truth)

    def _held(self) -> torch.Tensor:
        return self.settings.table * ((self.model.table - self.first_table) ** 2).mean()

    def report(self, parts: dict[str, float]) -> Step:
        """What there is to say after a step. Logs and saves if it is time to."""
        settings, metrics = self.settings, {}
        self.sums.append(parts)
        over = self.progress >= 1
        if over or self.step % settings.log_every == 0:
            pictures = sum(part["pictures"] for part in self.sums)
            metrics = {name: sum(part[name] for part in self.sums) / len(self.sums) for name in parts if name != "pictures"}
            took = self.seconds - getattr(self, "logged", self.seconds - 1)
            metrics |= {"images_per_s": pictures / took, "size": float(self.size), "seconds": self.seconds}
            self.logged, self.sums = self.seconds, []
            self.log.write(self.step, metrics)
        if over or self.seconds - self.saved >= 60 * settings.save_minutes:
            self.save()
        total = round(self.step / min(1.0, self.progress)) if settings.minutes else settings.steps
        return Step(self.step, total, "", metrics)

    def save(self) -> None:
        """Write the checkpoint."""
        self.saved = self.seconds
        learned: dict[str, Any] = {"model": self.model, "ema": self.ema.model, "optimizer": self.optimizer}
        state = {name: part.state_dict() for name, part in learned.items()}
        save_checkpoint(self.out, {**state, "scale": self.scale.detach(), "step": self.step, "seconds": self.seconds})


def mixed(start: NamedTower, tuned: NamedTower, share: float) -> NamedTower:
    """The trunk at `share` of the way from its start to where it was tuned to (WiSE-FT: Wortsman et al., 2022); the rest as
    tuned."""
    made, before = copy.deepcopy(tuned), start.trunk.state_dict()
    made.trunk.load_state_dict(
        {k: torch.lerp(before[k], v, share) if v.is_floating_point() else v for k, v in tuned.trunk.state_dict().items()}
    )
    return made


def _cut(pixels: Pixels, rows: np.ndarray, crops: np.ndarray) -> list[np.ndarray]:
    return [
        picture[top : top + height, left : left + width]
        for picture, (top, left, height, width) in zip(pixels.at(rows), crops[rows], strict=True)
    ]


def _floats(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()


def _normalised(x: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    centre, spread = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, std))
    return ((x / 255 - centre) / spread).contiguous(memory_format=torch.channels_last)
