"""The state of a run of contrastive training: everything that a step changes, kept so that it goes on exactly."""

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import torch

from clipcore.errors import BadInput
from clipcore.progress import Step

from ..data.captions import Captioner, Targets
from ..data.pixels import Pixels
from ..distributed import World
from .checkpoint import Log, load_checkpoint, save_checkpoint
from .clip import Tokenizer, build, export, load_fitting, score, side_of, tokenizer_of
from .loss import loss_of_guessing
from .optim import Ema, decay_groups, one_cycle
from .settings import Settings
from .text_init import iter_spread_names


class Run:
    """Model, average, optimiser and how far they are: `step`, `seconds` of training so far (without evaluation and without
    pauses) and the last `losses`. Begins anew, or where the checkpoint in `out` stands.

    Raises BadInput for a config or a checkpoint that cannot be used.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        out: Path,
        settings: Settings,
        world: World,
        start: Mapping[str, torch.Tensor] | None = None,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.config, self.out, self.settings, self.world = config, out, settings, world
        self.bf16 = world.device.type == "cuda" if settings.bf16 is None else settings.bf16
        if tokenizer is None and config["model_cfg"]["text_cfg"].get("hf_tokenizer_name"):
            raise BadInput(
                "This model config asks for a tokenizer of its own; begin with a model that has it, by --model.",
                page="This model asks for a tokenizer of its own. Begin with one that has it.",
            )
        torch.manual_seed(settings.seed)
        self.model = build(config)
        if start:
            load_fitting(self.model, start)
        self.model.to(world.device)
        self.tokenizer = tokenizer or tokenizer_of(self.model)
        self.sizes = settings.sizes or ((0.0, side_of(config)),)
        self.optimizer = torch.optim.AdamW(
            decay_groups(self.model, settings.learning_rate, settings.weight_decay, settings.text_rate),
            lr=settings.learning_rate,
            betas=settings.betas,
            eps=1e-6,
            fused=True,
        )
        self.dim = int(config["model_cfg"]["embed_dim"])
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []
        self.timed = self.apart = 0.0  # seconds since the last report, and those of them with the other processes
        self._state = load_checkpoint(out)

    def iter_begin(self, captioner: Captioner | None) -> Generator[Step, None, None]:
        """Take up the checkpoint; where there is none, the text tower reads the names first, if a captioner knows them."""
        state, self._state = self._state, None
        if captioner and not state:
            yield from iter_spread_names(self.model, captioner, self.tokenizer, self.settings, self.bf16)
        self.world.start_alike(self.model)
        self.ema = Ema(self.model, self.settings.ema)
        if state:
            self.model.load_state_dict(state["model"])
            self.ema.model.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.losses = state["step"], state["seconds"], state.get("losses", [])
        self.saved = self.evaluated = self.seconds
        self._saved_step = self.step if state else -1
        if self.world.is_first:
            self.out.mkdir(parents=True, exist_ok=True)
            self.log: Log | None = Log(self.out / "log.jsonl", self.step)
        else:
            self.log = None

    @property
    def progress(self) -> float:
        """Share of the schedule that is done: of time or of steps; 1 and more is the end."""
        minutes = self.settings.minutes
        if minutes:
            return self.seconds / (60 * minutes)
        return self.step / self.settings.steps if self.settings.steps else 1.0

    @property
    def size(self) -> int:
        """The side of pictures now."""
        return [side for share, side in self.sizes if share <= self.progress][-1]

    def set_rate(self) -> None:
        """Move the learning rates along the schedule."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * one_cycle(self.progress, self.settings.warmup)

    def count(self, loss: float, began: float) -> None:
        """One step more, of which `loss` is the loss and which `began` then (by `time.perf_counter`)."""
        self.step += 1
        self.ema.update(self.model, self.step)
        kept = max(self.settings.patience, self.settings.log_every)
        self.losses = [*self.losses, loss][-kept:]
        self.took = time.perf_counter() - began
        self.apart += min(self.took, self.world.exchange.taken())
        self.timed += self.took
        self.seconds = self.world.agree(self.seconds + self.took)

    def report(self, held_out: Mapping[str, Pixels], targets: Targets) -> Step:
        """What there is to say after a step. Logs, scores and saves if it is time to."""
        settings, message = self.settings, ""
        over = self.progress >= 1
        metrics: dict[str, float] = {}
        if over or self.seconds - self.evaluated >= 60 * settings.evaluate_minutes:
            self.evaluated = self.seconds
            for name, pictures in held_out.items() if self.world.is_first else ():
                found = score(self.ema.model, pictures, self.size, self.tokenizer)
                metrics |= {f"{measure}/{name}": value for measure, value in found.items()}
        is_regular = over or self.step % settings.log_every == 0
        if is_regular or metrics:
            recent = self.losses[-settings.log_every :]
            metrics = {
                "loss": sum(recent) / len(recent),
                "logit_scale": float(self.model.logit_scale.detach().exp()),
                "lr": settings.learning_rate * one_cycle(min(self.progress, 1.0), settings.warmup),
                "images_per_s": len(targets.positives) / self.took,
                "size": self.size,
                "seconds": self.seconds,
                **metrics,
            }
            metrics |= self._scaling(len(targets.positives)) if is_regular else {}  # all processes must ask
            message = self._advice(targets)
            if self.log:
                self.log.write(self.step, metrics)
        if over or self.seconds - self.saved >= 60 * settings.save_minutes:
            self.save()
        total = round(self.step / min(1.0, self.progress)) if settings.minutes else settings.steps  # by the clock: a guess
        return Step(self.step, total, message, metrics)

    def _scaling(self, pictures: int) -> dict[str, float]:
        """With several processes: how many there are, what each does of the `pictures` of a step, and the share of its time
        in which a process computes, over all of them: 1 would be twice the pictures with twice the processes."""
        if self.world.size == 1:
            return {}
        shares = self.world.gather_objects(1 - self.apart / self.timed if self.timed else 1.0)
        self.timed = self.apart = 0.0
        each = pictures / self.took / self.world.size
        return {"processes": self.world.size, "images_per_s_each": each, "efficiency": sum(shares) / len(shares)}

    def _advice(self, targets: Targets) -> str:
        patience = self.settings.patience
        if len(self.losses) < patience:
            return ""
        guessing = loss_of_guessing(*targets.on(), sigmoid=self.model.logit_bias is not None)
        if sum(self.losses[-patience:]) / patience <= 0.98 * guessing:
            return ""
        return f"The loss stays near {guessing:.2f}, what guessing gives: nothing is being learned. Lower the learning rate?"

    def save(self) -> None:
        """Checkpoint and model, by the first process. Does nothing if this step is saved already."""
        fresh, self.saved, self._saved_step = self._saved_step != self.step, self.seconds, self.step
        if self.world.is_first and fresh:
            learned = {"model": self.model, "ema": self.ema.model, "optimizer": self.optimizer}
            state: dict[str, Any] = {name: part.state_dict() for name, part in learned.items()}
            save_checkpoint(self.out, {**state, "step": self.step, "seconds": self.seconds, "losses": self.losses})
            export(self.ema.model, self.config, self.out / "model", self.tokenizer)

    def close(self) -> None:
        """Close the log."""
        if self.log:
            self.log.close()
