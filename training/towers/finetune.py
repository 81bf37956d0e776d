"""Fine-tuning for classes: first the head alone learns, then the image tower and the head together (Kumar et al., 2022,
"Fine-tuning can distort pretrained features"), beginning at the zero-shot head (Wortsman et al., 2022, section 3).

What is kept is what has most held-out pictures right, and where nothing beats the beginning, the beginning. An epoch that
breaks what was there is taken back, and learning goes on at a fifth of the rate.

The text tower is left as it is. Whoever has sentences instead of classes trains contrastively, with `contrastive`.
`wise_ft` then chooses a point on the line between the model before and after.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clipcore.classify.classifier import Classifier
from clipcore.classify.examples import Examples
from clipcore.errors import BadInput
from clipcore.measure.intervals import mcnemar
from clipcore.progress import Step, drain

from ..data.pixels import Pixels
from ..heads.cross_validation import teach
from .checkpoint import Log, load_checkpoint, save_checkpoint
from .clip import build, encode_pictures, side_of
from .initial_weights import Start
from .loss import loss_of_guessing
from .optim import decay_groups, one_cycle

Layers = Literal["auto", "head", "last", "image"]
Kept = Literal["nothing", "head", "tower"]  # what fine-tuning moved, of what is kept
Weights = dict[str, torch.Tensor]
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
FEW = 64  # pictures a class to learn from, below which the tower is left alone: what it gained there was chance
BROKEN = 0.01  # how likely chance may be for a loss of held-out pictures that is taken back
LOST = 0.1  # how likely chance may be for a loss of held-out pictures by which the taught head is not kept
SLOWER = 0.2  # the rate then
BACKS = 3  # how often, at most
STATE = (
    *("epoch", "stale", "backs", "first_loss", "accuracy", "zero_shot_accuracy", "kept"),
    *("best", "best_head", "best_bias", "best_right"),
)


@dataclass(frozen=True)
class Tuning:
    """How a model is fine-tuned.

    layers          what learns besides the head: nothing ("head"), the last third of the tower's weights ("last"), or all
                    ("image"); "auto" is "head" for fewer than 64 pictures a class, else "image" (docs/teaching.md)
    learning_rate   at its peak; None: 3e-5 for transformers, 1e-4 for towers with batch norm
    epochs          at most; it stops after `patience` of them in which the held-out pictures got no better
    """

    layers: Layers = "auto"
    learning_rate: float | None = None
    epochs: int = 20
    patience: int = 4
    batch_size: int = 64
    weight_decay: float = 0.05
    warmup: float = 0.1
    label_smoothing: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise BadInput for settings that cannot be used."""
        if self.layers not in get_args(Layers):
            raise BadInput(f"There are no layers “{self.layers}”; choose one of {', '.join(get_args(Layers))}.")
        if min(self.epochs, self.patience, self.batch_size) < 1:
            raise BadInput("Epochs, patience and batch size must be at least 1.")
        if self.learning_rate is not None and not 0 < self.learning_rate <= 1:
            raise BadInput("The learning rate must be above 0 and at most 1; leave it out to have a fitting one chosen.")

    def fitting(self, pictures: float, classes: int) -> "Tuning":
        """With "auto" replaced by the layers that so many pictures are enough for."""
        few = pictures < FEW * classes
        return replace(self, layers="head" if few else "image") if self.layers == "auto" else self


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning gave: the weights of the model and of the head (float32 [n labels, dim], scaled as the zero-shot
    head, and bias [n labels]) where they were best, and the accuracy there on the held-out pictures (0 to 1) beside the
    zero-shot head's. `kept` says what of it moved: where that is nothing, all is as it was before."""

    weights: Weights
    head: torch.Tensor
    bias: torch.Tensor
    accuracy: float
    zero_shot_accuracy: float
    kept: Kept

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Tuned":
        """From a checkpoint of `iter_finetune`."""
        parts = ("best", "best_head", "best_bias", "accuracy", "zero_shot_accuracy", "kept")
        return cls(*(state[part] for part in parts))


def iter_finetune(
    start: Start,
    head: Classifier,
    train: Pixels,
    held_out: Pixels,
    out: str | Path,
    tuning: Tuning | None = None,
    device: str = "cpu",
) -> Generator[Step, None, Tuned]:
    """Fine-tune the model `start` on labelled pictures, beginning at its zero-shot `head`.

    A Step after each batch carries the loss; the last of an epoch also held_out (accuracy), lr and images_per_s. `out` gets
    a log and, after each epoch, a checkpoint from which a run that was stopped goes on exactly. Raises BadInput where
    pictures are missing, have labels that the head does not know, or `out` holds another run.
    """
    tuning, out = (tuning or Tuning()).fitting(len(train), len(head.labels)), Path(out)
    learner = Learner(start, head, tuning, device)
    train_on, check_on = learner.labelled(train), learner.labelled(held_out)
    out.mkdir(parents=True, exist_ok=True)
    per_epoch = -(-len(train_on[0]) // tuning.batch_size)
    total, guessing = per_epoch * tuning.epochs, _guessing(len(head.labels))
    if state := load_checkpoint(out):
        learner.resume(state, out)
    else:
        yield Step(0, total, "looking at the pictures as the model is")
        learner.check(check_on)
        learner.teach_head(head, train, check_on)
    yield Step(learner.epoch * per_epoch, total, "the zero-shot head", {"held_out": learner.zero_shot_accuracy})
    log = Log(out / "log.jsonl", learner.epoch * per_epoch)
    try:
        while learner.epoch < tuning.epochs and learner.stale < tuning.patience:
            began, losses = time.perf_counter(), []
            for loss in learner.batches(*train_on, per_epoch):
                losses.append(loss)
                done = learner.epoch * per_epoch + len(losses)
                yield Step(done, total, f"epoch {learner.epoch + 1} of at most {tuning.epochs}", {"loss": loss})
            learner.epoch += 1
            metrics = {
                "loss": sum(losses) / len(losses),
                "held_out": learner.check(check_on),
                "lr": learner.rate,
                "images_per_s": len(train_on[0]) / (time.perf_counter() - began),
            }
            stuck = metrics["loss"] > 0.98 * guessing
            advice = "The loss stays at what guessing gives: nothing is learned. Lower the learning rate?" if stuck else ""
            if learner.is_broken(losses) and learner.go_back():
                advice = "That made it worse, so it is taken back; learning goes on at a fifth of the rate."
            log.write(learner.epoch * per_epoch, metrics)
            save_checkpoint(out, learner.state())
            yield Step(learner.epoch * per_epoch, total, advice, metrics)
    finally:
        log.close()
    return Tuned.of(learner.state())


def finetune(*args: Any, **kwargs: Any) -> Tuned:
    """`iter_finetune`, run to its end."""
    return drain(iter_finetune(*args, **kwargs))


class Learner:
    """The model and its head while they learn, and the best that they were."""

    def __init__(self, start: Start, head: Classifier, tuning: Tuning, device: str) -> None:
        self.labels, self.scale, self.tuning = head.labels, head.scale, tuning
        self.side = side_of(start.config)
        self.model = build(start.config)
        self.model.load_state_dict(start.weights)
        self.model.to(device)
        self.head = nn.Parameter(torch.from_numpy(np.array(head.weight)).to(device))
        self.bias = nn.Parameter(torch.from_numpy(np.array(head.bias)).to(device))
        peak = tuning.learning_rate or (1e-4 if any(isinstance(m, BATCH_NORMS) for m in self.model.modules()) else 3e-5)
        self.peak, self.backs, self.first_loss = peak, 0, float("inf")
        self._freeze()
        self.optimizer = self._optimizer()
        self.epoch = self.stale = 0
        self.accuracy = self.zero_shot_accuracy = -1.0
        self.kept: Kept = "nothing"
        self.best_right = self.right = torch.zeros(0, dtype=torch.bool)
        self._keep()

    def _optimizer(self) -> torch.optim.Optimizer:
        peak = self.peak * SLOWER**self.backs
        groups = [group for group in decay_groups(self.model, peak, self.tuning.weight_decay) if group["params"]]
        for group in groups:
            group["params"] = [weight for weight in group["params"] if weight.requires_grad]
        groups = [group for group in groups if group["params"]]
        head = {"params": [self.head, self.bias], "weight_decay": 0.0, "peak": peak}
        return torch.optim.AdamW([*groups, head], lr=peak)

    def _freeze(self) -> None:
        self.model.requires_grad_(False)
        tower = list(self.model.visual.parameters())
        learning = {"auto": len(tower), "head": 0, "last": -(-len(tower) // 3), "image": len(tower)}[self.tuning.layers]
        for weight in tower[len(tower) - learning :]:
            weight.requires_grad_(True)

    @property
    def rate(self) -> float:
        """The head's learning rate now."""
        return self.optimizer.param_groups[-1]["lr"]

    def labelled(self, pictures: Pixels) -> tuple[Pixels, np.ndarray]:
        """The pictures and the places of their labels, int [n]."""
        if not len(pictures):
            raise BadInput("Fine-tuning needs labelled pictures to learn from and some to check on; give more of them.")
        column = {label: i for i, label in enumerate(self.labels)}
        if unknown := {str(pair.name) for pair in pictures.pairs} - column.keys():
            raise BadInput(f"The head has no class “{min(unknown)}”; add it, or leave its pictures out.")
        return pictures, np.array([column[str(pair.name)] for pair in pictures.pairs])

    def batches(self, pictures: Pixels, targets: np.ndarray, count: int) -> Iterator[float]:
        """Learn one pass over the pictures in `count` batches; the loss of each."""
        tuning = self.tuning
        order = np.random.default_rng([tuning.seed, self.epoch]).permutation(len(pictures))
        for i, items in enumerate(map(np.sort, np.array_split(order, count))):
            progress = (self.epoch * count + i) / (tuning.epochs * count)
            for group in self.optimizer.param_groups:
                group["lr"] = group["peak"] * one_cycle(progress, tuning.warmup)
            self._train_mode()
            rng = np.random.default_rng([tuning.seed, self.epoch, i])
            torch.manual_seed(int(rng.integers(2**63)))
            features = encode_pictures(self.model, pictures.at(items), self.side, rng)
            aim = torch.from_numpy(targets[items]).to(features.device)
            logits = self.scale * features @ self.head.T + self.bias
            loss = F.cross_entropy(logits, aim, label_smoothing=tuning.label_smoothing)
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([w for group in self.optimizer.param_groups for w in group["params"]], 1.0)
            self.optimizer.step()
            yield float(loss.detach())

    def _train_mode(self) -> None:
        # batch norm keeps the statistics it has: a few hundred pictures would spoil them, and the weights before and after
        # could not be mixed (training.towers.wise_ft)
        self.model.train()
        for module in self.model.modules():
            if isinstance(module, BATCH_NORMS):
                module.eval()

    def check(self, held_out: tuple[Pixels, np.ndarray]) -> float:
        """Accuracy on the held-out pictures; keeps the weights if it is the best so far."""
        logits = self.scale * self._features(held_out[0]) @ self.head.detach().T + self.bias.detach()
        self.right = logits.argmax(1).cpu() == torch.from_numpy(held_out[1])
        accuracy = float(self.right.double().mean())
        if self.zero_shot_accuracy < 0:
            self.zero_shot_accuracy = accuracy
        if accuracy > self.accuracy:
            self.accuracy, self.stale = accuracy, 0
            if self.epoch:
                self.kept = "head" if self.tuning.layers == "head" else "tower"
            self._keep()
        else:
            self.stale += 1
        return accuracy

    def teach_head(self, start: Classifier, train: Pixels, held_out: tuple[Pixels, np.ndarray]) -> None:
        """Teach the head alone, where learning goes on from; kept if cross-validation and held-out pictures speak for it."""
        names = tuple(str(pair.name) for pair in train.pairs)
        lesson = teach(Examples(self._features(train).cpu().numpy(), names, start.space), start)
        if not lesson.adopt:
            return
        taught, before, right = lesson.classifier, self.accuracy, self.right
        with torch.no_grad():
            self.head.copy_(torch.from_numpy(taught.weight * np.float32(taught.scale / self.scale)))
            self.bias.copy_(torch.from_numpy(np.array(taught.bias)))
        accuracy = self.check(held_out)
        self.stale = 0
        gained = (lesson.after.accuracy - lesson.before.accuracy) * lesson.before.n + (accuracy - before) * len(held_out[0])
        # of few held-out pictures one may be lost by chance; the many that cross-validation looked at say more
        lost, won = int((right & ~self.right).sum()), int((self.right & ~right).sum())
        if gained > 0.5 and not (lost > won and mcnemar(lost, won) < LOST):
            self.accuracy, self.kept = accuracy, "head"
            self._keep()

    def is_broken(self, losses: list[float]) -> bool:
        """Whether the last epoch lost held-out pictures as chance does not, or some of them while its loss rose by half."""
        if self.first_loss == float("inf"):
            self.first_loss = losses[0]
        lost, won = int((self.best_right & ~self.right).sum()), int((self.right & ~self.best_right).sum())
        if lost > won and mcnemar(lost, won) < BROKEN:
            return True
        return lost > won and not np.mean(losses) <= 1.5 * self.first_loss  # what is no number has risen, too

    def go_back(self) -> bool:
        """To the best so far, at a lower rate; False if that was done often enough."""
        if self.backs >= BACKS:
            return False
        self.backs += 1
        self.stale = 0
        self.model.load_state_dict(self.best)
        self.head.data.copy_(self.best_head)
        self.bias.data.copy_(self.best_bias)
        self.optimizer = self._optimizer()
        return True

    @torch.no_grad()
    def _features(self, pictures: Pixels) -> torch.Tensor:
        self.model.eval()
        parts = np.array_split(np.arange(len(pictures)), -(-len(pictures) // 256))
        return torch.cat([encode_pictures(self.model, pictures.at(part), self.side) for part in parts])

    def _keep(self) -> None:
        self.best = {name: weight.detach().cpu().clone() for name, weight in self.model.state_dict().items()}
        self.best_head, self.best_bias = self.head.detach().cpu().clone(), self.bias.detach().cpu().clone()
        self.best_right = self.right

    def state(self) -> dict[str, Any]:
        """All that the next epoch follows from."""
        now = {name: weight.detach().cpu() for name, weight in self.model.state_dict().items()}
        head, bias = self.head.detach().cpu(), self.bias.detach().cpu()
        return {
            **{name: getattr(self, name) for name in STATE},
            **{"model": now, "head": head, "bias": bias, "optimizer": self.optimizer.state_dict(), "run": self._run()},
        }

    def resume(self, state: dict[str, Any], out: Path) -> None:
        """Take up a state that was saved. Raises BadInput if it is of another run."""
        if state.get("run") != self._run():
            raise BadInput(f"{out} holds a run with other classes or settings; name another folder.")
        if missing := [name for name in STATE if name not in state]:
            raise BadInput(f"{out} holds a run of an older Sayso ({missing[0]} is missing); name another folder.")
        for name in STATE:
            setattr(self, name, state[name])
        self.model.load_state_dict(state["model"])
        self.head.data.copy_(state["head"])
        self.bias.data.copy_(state["bias"])
        self.optimizer = self._optimizer()
        self.optimizer.load_state_dict(state["optimizer"])

    def _run(self) -> dict[str, Any]:
        return {"labels": list(self.labels), **asdict(self.tuning)}


def _guessing(classes: int) -> float:
    eye = torch.eye(classes)
    return loss_of_guessing(eye, eye == 0)
