"""Fine-tuning from what someone asked for to a model that can be used: data read, a part held out, trained, mixed, written.

OUT/MODEL_CARD.md says what came of it; OUT/model is the mixture, loaded as `local-dir:OUT/model`; OUT/classifier.safetensors
its classifier; OUT/tune.json what was asked, what came of it and the accuracy of every mixture; OUT/checkpoint.pt both ends,
so that another mixture can be chosen at any time. Where only the head learned there is no other model, and where nothing was
better no classifier either.
"""

import json
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clipcore import models
from clipcore.classify.classifier import Classifier
from clipcore.classify.prompts import PromptSet, pack
from clipcore.classify.zeroshot import zero_shot_classifier
from clipcore.encoding.device import pick_device
from clipcore.errors import BadInput
from clipcore.plain import read_json
from clipcore.progress import Step

from ..data.pairs import read_pairs
from ..data.pixels import Pixels, iter_cache
from ..data.samples import Pair, Purpose, learns
from ..heads.cross_validation import Measured
from ..towers.checkpoint import load_checkpoint
from ..towers.clip import side_of
from ..towers.finetune import Kept, Tuned, Tuning, iter_finetune
from ..towers.initial_weights import Start
from ..towers.wise_ft import ALPHAS, DEFAULT, iter_sweep, write_mixture
from .recipe import is_held_out
from .verdict import Sweep, card, verdict

PLAN, CARD = "tune.json", "MODEL_CARD.md"
TARGET = "held out"  # the name of the held-out part of the data among the sets of a sweep


@dataclass(frozen=True)
class TunePlan:
    """What is asked: labelled data (class folders, tables, shards), the model to begin with, sets to test robustness on.

    labels: the classes; () for all that the data has. held_out: the share of the data that is not learned from, where it has
    no parts of its own for that. alpha: the mixture; None for the usual one of what learned, see `usual_mixture`.
    """

    data: tuple[str, ...]
    model: str
    shifts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    prompts: PromptSet = field(default_factory=lambda: pack("seven"))
    tuning: Tuning = field(default_factory=Tuning)
    held_out: float = 0.2
    alpha: float | None = None

    def __post_init__(self) -> None:
        """Raise BadInput for a share that leaves nothing to learn from or nothing to check on."""
        if not 0 < self.held_out < 1:
            raise BadInput("The share that is held out must lie between 0 and 1; 0.2 is a fifth.")

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "prompts": self.prompts.to_json()}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "TunePlan":
        """The inverse of `to_json`."""
        parts = {name: tuple(said[name]) for name in ("data", "shifts", "labels")}
        return cls(**{**said, **parts, "prompts": PromptSet.from_json(said["prompts"]), "tuning": Tuning(**said["tuning"])})


@dataclass(frozen=True)
class TuneReport:
    """What came of it. sweep: mixture -> set -> accuracy, of the beginning alone where nothing was better.

    kept: what learned. model: the name to load, the one that it began with unless the tower learned. classifier: None where
    nothing was better. alpha: the mixture that was written. sentence: all of this in words.
    """

    kept: Kept
    model: str
    classifier: Classifier | None
    sweep: dict[float, dict[str, Measured]]
    skipped: dict[str, int]
    alpha: float
    sentence: str


def iter_tune(plan: TunePlan, out: str | Path, device: str = "auto") -> Generator[Step, None, TuneReport]:
    """Carry a plan out in the folder `out`; called again after a stop, it goes on. Raises BadInput for unusable data."""
    out = Path(out).expanduser()
    if before := _said(out):
        if before["plan"] != json.loads(json.dumps(plan.to_json())):
            raise BadInput(f"{out} holds another run; name a new folder.")
    elif out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} holds other files; name a new or empty folder.")
    out.mkdir(parents=True, exist_ok=True)
    _keep(out, {"plan": plan.to_json()})
    start, skipped, device = Start.load(plan.model), Counter[str](), str(pick_device(device))
    side = side_of(start.config)
    data = yield from iter_cache(_pairs(plan.data, skipped), out / "cache", side, skipped)
    data = _labelled(data, plan.labels)
    labels = plan.labels or tuple(sorted({str(pair.name) for pair in data.pairs}))
    if len(labels) < 2:
        raise BadInput("Fine-tuning tells classes apart; give pictures of at least two.")
    held = [not learns(pair, is_held_out(pair.key, plan.held_out)) for pair in data.pairs]
    train, check = (data.take([i for i, h in enumerate(held) if h is side_]) for side_ in (False, True))
    yield Step(0, message="building the zero-shot head")
    head = zero_shot_classifier(models.load(plan.model, device="cpu"), labels, plan.prompts.among(labels))
    tuned = yield from iter_finetune(start, head, train, check, out, plan.tuning, device)
    sets = {TARGET: check}
    for i, path in enumerate(plan.shifts):
        shifted = yield from iter_cache(_pairs((path,), skipped, "measure"), out / f"shift-{i}", side, skipped)
        sets[Path(path).name] = _labelled(shifted, labels)
    changed = tuned.kept != "nothing"
    alpha = (usual_mixture(tuned.kept) if plan.alpha is None else plan.alpha) if changed else 0.0
    alphas = sorted({*ALPHAS, alpha}) if changed else (0.0,)
    sweep = yield from iter_sweep(start, head, tuned, sets, alphas, device)
    made = None
    if changed:
        yield Step(0, message="writing the model")
        made = write_mixture(start, head, tuned, alpha, out)
    sentence = verdict(tuned.kept, sweep, alpha, TARGET)
    found = {f"{alpha:g}": {name: asdict(m) for name, m in row.items()} for alpha, row in sweep.items()}
    _keep(out, {"plan": plan.to_json(), "sweep": found, "alpha": alpha, "kept": tuned.kept, "sentence": sentence})
    _write_card(out, plan, labels, sentence, sweep)
    model = f"local-dir:{out / 'model'}" if tuned.kept == "tower" else plan.model
    return TuneReport(tuned.kept, model, made, sweep, dict(skipped), alpha, sentence)


def usual_mixture(kept: Kept) -> float:
    """What nobody asked otherwise gets: half of a tower, which loses less elsewhere, and all of a head, for how far that is
    to be trusted was weighed when it was taught."""
    return DEFAULT if kept == "tower" else 1.0


def choose_mixture(out: str | Path, alpha: float) -> Classifier:
    """Write another mixture of a finished run over the one in `out`. Raises BadInput without a run."""
    out = Path(out).expanduser()
    said, state = _said(out), load_checkpoint(out)
    if not said or not state or "sweep" not in said:
        raise BadInput(f"{out} holds no finished fine-tuning; run it to its end first.")
    plan = TunePlan.from_json(said["plan"])
    if "kept" not in said:
        raise BadInput(f"{out} holds a fine-tuning of an older Sayso; run it again in a new folder for another mixture.")
    if said["kept"] == "nothing":
        raise BadInput("Nothing was better than what you had, so there is nothing to mix; label more and tune again.")
    head = zero_shot_classifier(
        models.load(plan.model, device="cpu"), state["run"]["labels"], plan.prompts.among(state["run"]["labels"])
    )
    tuned = Tuned.of(state)
    made = write_mixture(Start.load(plan.model), head, tuned, alpha, out)
    sweep = {float(a): {name: Measured(**m) for name, m in row.items()} for a, row in said["sweep"].items()}
    nearest = min(sweep, key=lambda each: abs(each - alpha))
    sentence = verdict(tuned.kept, sweep, nearest, TARGET)
    _keep(out, {**said, "alpha": alpha, "sentence": sentence})
    _write_card(out, plan, head.labels, sentence, sweep)
    return made


def _write_card(out: Path, plan: TunePlan, labels: Sequence[str], sentence: str, sweep: Sweep) -> None:
    begun = "local-dir:" + Path(plan.model).name if plan.model.startswith("local-dir:") else plan.model
    (out / CARD).write_text(card(out.name, begun, labels, sentence, sweep), encoding="utf-8")


def _pairs(paths: tuple[str, ...], skipped: Counter[str], purpose: Purpose = "all") -> Generator[Pair, None, None]:
    for path in paths:
        yield from read_pairs(Path(path).expanduser(), skipped, purpose)


def _labelled(pictures: Pixels, labels: tuple[str, ...]) -> Pixels:
    wanted = set(labels)
    return pictures.take([i for i, p in enumerate(pictures.pairs) if p.name and (p.name in wanted or not wanted)])


def _said(out: Path) -> dict[str, Any] | None:
    try:
        return read_json(out / PLAN)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadInput(f"The file {out / PLAN} is damaged; name another folder.") from error


def _keep(out: Path, said: dict[str, Any]) -> None:
    (out / f"{PLAN}.part").write_text(json.dumps(said, indent=2), encoding="utf-8")
    (out / f"{PLAN}.part").replace(out / PLAN)
