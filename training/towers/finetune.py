"""Fine-tuning for classes: the image tower and a linear head learn together, beginning at the zero-shot head (Wortsman et
al., 2022, "Robust fine-tuning of zero-shot models", section 3).

The text tower is left as it is. Whoever has sentences instead of classes trains contrastively, with `contrastive`.
`wise_ft` then chooses a point on the line between the model before and after.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from clipcore.classify.classifier import Classifier
from clipcore.errors import BadInput
from clipcore.progress import Step, drain

from ..data.pixels import Pixels
from .checkpoint import Log, load_checkpoint, save_checkpoint
from .clip import build, encode_pictures, side_of
from .initial_weights import Start
from .loss import loss_of_guessing
from .optim import decay_groups, one_cycle

Layers = Literal["head", "last", "image"]
Weights = dict[str, torch.Tensor]
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Tuning:
    """How a model is fine-tuned.

    layers          what learns besides the head: nothing ("head"), the last third of the tower's weights, or all ("image")
    learning_rate   at its peak; None: 3e-5 for transformers, 1e-3 for towers with batch norm
    epochs          at most; it stops after `patience` of them in which the held-out pictures got no better
    """

    layers: Layers = "image"
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


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning gave: the weights of the model and of the head (float32 [n labels, dim]) at the best epoch, and the
    accuracy there on the held-out pictures (0 to 1) beside the zero-shot head's."""

    weights: Weights
    head: torch.Tensor
    accuracy: float
    zero_shot_accuracy: float


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
    tuning, out = tuning or Tuning(), Path(out)
    learner = Learner(start, head, tuning, device)
    train_on, check_on = learner.labelled(train), learner.labelled(held_out)
    out.mkdir(parents=True, exist_ok=True)
    if state := load_checkpoint(out):
        learner.resume(state, out)
    else:
        learner.check(check_on)
    per_epoch = -(-len(train_on[0]) // tuning.batch_size)
    total, guessing = per_epoch * tuning.epochs, _guessing(len(head.labels))
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
            log.write(learner.epoch * per_epoch, metrics)
            save_checkpoint(out, learner.state())
            stuck = metrics["loss"] > 0.98 * guessing
            advice = "The loss stays at what guessing gives: nothing is learned. Lower the learning rate?" if stuck else ""
            yield Step(learner.epoch * per_epoch, total, advice, metrics)
    finally:
        log.close()
    return Tuned(learner.best, learner.best_head, learner.accuracy, learner.zero_shot_accuracy)


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
        peak = tuning.learning_rate or (1e-3 if any(isinstance(m, BATCH_NORMS) for m in self.model.modules()) else 3e-5)
        self._freeze()
        groups = [group for group in decay_groups(self.model, peak, tuning.weight_decay) if group["params"]]
        for group in groups:
            group["params"] = [weight for weight in group["params"] if weight.requires_grad]
        groups = [group for group in groups if group["params"]]
        self.optimizer = torch.optim.AdamW([*groups, {"params": [self.head], "weight_decay": 0.0, "peak": peak}], lr=peak)
        self.epoch = self.stale = 0
        self.accuracy = self.zero_shot_accuracy = -1.0
        self.best, self.best_head = self._now()

    def _freeze(self) -> None:
        self.model.requires_grad_(False)
        tower = list(self.model.visual.parameters())
        learning = {"head": 0, "last": -(-len(tower) // 3), "image": len(tower)}[self.tuning.layers]
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
            loss = F.cross_entropy(self.scale * features @ self.head.T, aim, label_smoothing=tuning.label_smoothing)
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
        accuracy = float((self._answers(held_out[0]) == held_out[1]).mean())
        if self.zero_shot_accuracy < 0:
            self.zero_shot_accuracy = accuracy
        if accuracy > self.accuracy:
            self.accuracy, self.stale = accuracy, 0
            self.best, self.best_head = self._now()
        else:
            self.stale += 1
        return accuracy

    @torch.no_grad()
    def _answers(self, pictures: Pixels) -> np.ndarray:
        self.model.eval()
        parts = np.array_split(np.arange(len(pictures)), -(-len(pictures) // 256))
        features = [encode_pictures(self.model, pictures.at(part), self.side) for part in parts]
        return (torch.cat(features) @ self.head.T).argmax(1).cpu().numpy()

    def _now(self) -> tuple[Weights, torch.Tensor]:
        weights = {name: weight.detach().cpu().clone() for name, weight in self.model.state_dict().items()}
        return weights, self.head.detach().cpu().clone()

    def state(self) -> dict[str, Any]:
        """All that the next epoch follows from."""
        now, head = self._now()
        kept = ("epoch", "stale", "accuracy", "zero_shot_accuracy", "best", "best_head")
        return {
            **{name: getattr(self, name) for name in kept},
            **{"model": now, "head": head, "optimizer": self.optimizer.state_dict(), "run": self._run()},
        }

    def resume(self, state: dict[str, Any], out: Path) -> None:
        """Take up a state that was saved. Raises BadInput if it is of another run."""
        if state.get("run") != self._run():
            raise BadInput(f"{out} holds a run with other classes or settings; name another folder.")
        self.model.load_state_dict(state["model"])
        self.head.data.copy_(state["head"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in ("epoch", "stale", "accuracy", "zero_shot_accuracy", "best", "best_head"):
            setattr(self, name, state[name])

    def _run(self) -> dict[str, Any]:
        return {"labels": list(self.labels), **asdict(self.tuning)}


def _guessing(classes: int) -> float:
    eye = torch.eye(classes)
    return loss_of_guessing(eye, eye == 0)
