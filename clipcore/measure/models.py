"""The same class names and prompts under several models: what each gets right, and what it costs on this computer."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..classify.prompts import PromptSet
from ..classify.zeroshot import zero_shot_classifier
from ..errors import BadInput, SaysoError
from ..models.speed import iter_speed
from ..progress import Step
from .answers import Judged, judge, known
from .report import summarise
from .sets import Sample, iter_embed_set

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder


@dataclass(frozen=True)
class ModelRow:
    """One model on `n` images.

    accuracy    top-1 with its 95 % Wilson `interval`
    per_second  images a second on `device`: the figure of `models.speed`, the same wherever a model is listed
    gflops      billions of floating-point operations to embed one image
    megabytes   the weights, as they lie in memory
    memory      megabytes that loading it and embedding the images added at the most; None where the system does not tell
    """

    name: str
    n: int
    accuracy: float
    interval: tuple[float, float]
    per_second: float
    gflops: float
    megabytes: float
    memory: float | None
    device: str

    def __str__(self) -> str:
        low, high = self.interval
        memory = "" if self.memory is None else f"  {self.memory:,.0f} MB in use"
        return (
            f"{self.accuracy:6.1%} ({low:.1%} to {high:.1%}, {self.n:,} images)  {self.per_second:,.0f} images/s on "
            f"{self.device}  {self.gflops:.2f} GFLOPs/image  {self.megabytes:,.0f} MB of weights{memory}"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class SideBySide:
    """Rows in the order asked for, what each model answered, and which models could not be measured, as sentences."""

    rows: tuple[ModelRow, ...]
    judged: tuple[Judged, ...]
    skipped: tuple[str, ...]


def iter_side_by_side(
    names: Sequence[str],
    read: Callable[[], Iterable[Sample]],
    prompts: PromptSet,
    labels: Sequence[str] = (),
    load: "Callable[[str], Encoder] | None" = None,
) -> Generator[Step, None, SideBySide]:
    """Measure each model on the labelled pictures that `read` gives, one model in memory at a time.

    Without `labels` the classes are those of the set. A model that is not here or does not load is skipped. Raises BadInput
    if nothing could be measured.
    """
    if load is None:
        from ..models import load as load_model

        load = load_model
    rows, answers, skipped = [], [], []
    for place, name in enumerate(names):
        yield Step(0, 0, f"loading {name} ({place + 1} of {len(names)})")
        with_memory = _Memory()
        try:
            encoder = load(name)
        except SaysoError as error:
            skipped.append(str(error))
            continue
        memory = with_memory.watch(encoder)
        steps = iter_embed_set(encoder, read())
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                pictures = end.value
                break
            yield Step(step.done, step.total, f"embedding with {name} ({place + 1} of {len(names)})")
        per_second = yield from iter_speed(encoder, name)
        examples, where = pictures.examples(encoder.space)
        head = zero_shot_classifier(encoder, labels or pictures.classes, prompts)
        kept, examples, _ = known(examples, head.labels)
        judged = judge(head, examples, [where[i] for i in kept])
        report = summarise(judged)
        gflops, megabytes = encoder.cost()
        row = ModelRow(
            name=name,
            n=report.n,
            accuracy=report.top1,
            interval=report.interval,
            per_second=per_second,
            gflops=gflops,
            megabytes=megabytes,
            memory=memory(),
            device=encoder.device.type,
        )
        rows.append(row)
        answers.append(judged)
        del encoder, head  # the next one may need the room
    if not rows:
        raise BadInput(" ".join(skipped) or "No model was named; choose at least one.")
    return SideBySide(tuple(rows), tuple(answers), tuple(skipped))


class _Memory:
    """How much memory a model needs: the device's own count, or how far the process grew at the most (Linux)."""

    def __init__(self) -> None:
        self._start = _resident("VmRSS")
        try:
            Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far; see proc(5)
            self._told = self._start is not None
        except OSError:
            self._told = False

    def watch(self, encoder: "Encoder") -> Callable[[], float | None]:
        """What to ask afterwards, in megabytes."""
        if encoder.device.type == "cuda":
            import torch

            device = encoder.device
            torch.cuda.reset_peak_memory_stats(device)
            return lambda: torch.cuda.max_memory_allocated(device) / 1e6

        def grown() -> float | None:
            peak = _resident("VmHWM")
            return max(0.0, peak - self._start) if self._told and peak is not None and self._start is not None else None

        return grown


def _resident(field: str) -> float | None:
    """A line of /proc/self/status in megabytes; None on other systems."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{field}:"))
    except (OSError, StopIteration, ValueError):
        return None
