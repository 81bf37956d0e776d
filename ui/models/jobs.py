"""The jobs of the Models tab: fetch, self-test, speed, fine-tune, mix, pre-train; and classifiers made again for a model.

The job of a training only needs its payload to go on after a restart.
"""

import csv
import tempfile
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clipcore import BadInput, Classifier, Step, pack
from storage import ClassifierRecord
from training import teach

from ..studio import Studio, Work
from . import training_folders

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder
    from training.runs.finetune_run import TunePlan
    from training.runs.request import Plan

T = TypeVar("T")
KINDS = ("fetch", "self-test", "speed", "switch", "embed", "finetune", "mix", "pretrain", "estimate")
LABELS = "labels"  # fine-tune on the library's own labels
HELD_OUT = 0.2  # share of the labelled images to check on
LEAST = 2  # labelled pictures of a classifier, to learn from them again


def register(studio: Studio) -> None:
    """Let the studio's jobs work on models."""
    for kind, work, lane in (
        ("fetch", _fetch, "long"),
        ("self-test", _self_test, "short"),
        ("speed", _speed, "short"),
        ("finetune", _finetune, "long"),
        ("mix", _mix, "long"),
        ("pretrain", _pretrain, "long"),
        ("estimate", _estimate, "short"),
    ):
        studio.jobs.register(kind, _bound(work, studio), lane=lane)  # type: ignore[arg-type]


def _bound(work: Any, studio: Studio) -> Any:
    return lambda payload: work(studio, payload)


# classifiers


def foreign(studio: Studio) -> list[ClassifierRecord]:
    """The saved classifiers that were made with another model than the one in use."""
    space = studio.encoder().space
    return [record for record in studio.library.classifiers.all() if record.space_key != space.key]


def rebuild(studio: Studio, name: str) -> ClassifierRecord:
    """Make a saved classifier again with the model in use, from its names, its prompts and the library's labels.

    It becomes the next version; the one before stays. Raises NotFound, and BadInput for names that the model cannot read.
    """
    return studio.library.save(remade(studio, studio.library.classifier(name)), name)


def remade(studio: Studio, before: Classifier) -> Classifier:
    """A classifier like this one for the model in use: its names, prompts and dial, taught with the library's labels if it
    was taught."""
    library = studio.library
    studio.encoder()
    if before.kind == "search":
        return library.search_classifier(before.labels[0])
    made = library.exchange.rebuild(before)
    examples = library.examples(before.labels)
    if before.kind == "zero-shot" or before.decision.many or len(examples) < LEAST:
        return made
    return teach(examples, made).kept


# models


def _load(studio: Studio, name: str) -> "Generator[Step, None, Encoder]":
    """The model in use if it is this one, else another for the time of the work."""
    yield Step(0, 0, f"loading {studio.shown(name)}")
    return studio.encoder() if name == studio.model else studio.load_other(name)


def _fetch(studio: Studio, payload: dict[str, Any]) -> Work:
    from clipcore.models import iter_fetch

    name = payload["model"]
    yield from iter_fetch(name)
    if payload.get("use"):
        return {"sentence": f"{name} is here and comes into use now.", "switch": studio.switch(name)}
    return {"sentence": f"{name} is here. Choose Use to work with it."}


def _self_test(studio: Studio, payload: dict[str, Any]) -> Work:
    from clipcore.models.selftest import iter_self_test

    encoder = yield from _load(studio, payload["model"])
    found = yield from iter_self_test(encoder)
    checks = [asdict(check) for check in found.checks]
    return {"model": payload["model"], "verdict": found.verdict, "sentence": found.sentence, "checks": checks}


def _speed(studio: Studio, payload: dict[str, Any]) -> Work:
    from clipcore.models.speed import iter_measure_speed

    encoder = yield from _load(studio, payload["model"])
    rate = yield from iter_measure_speed(encoder, payload["model"])
    name, device = studio.shown(payload["model"]), encoder.device.type.upper()
    return {"sentence": f"{name} takes in {rate:,.0f} images a second on this {device}."}


# training


def tune_plan(payload: dict[str, Any], data: str) -> "TunePlan":
    """What a job of fine-tuning asks for, on this data. Raises BadInput for settings that cannot be used."""
    from training.runs.finetune_run import TunePlan
    from training.towers.finetune import Tuning

    return TunePlan(
        data=(data,),
        model=payload["model"],
        shifts=tuple(payload["shifts"]),
        prompts=pack(payload["pack"]),
        tuning=Tuning(layers=payload["layers"], learning_rate=payload.get("rate"), epochs=payload["epochs"]),
        held_out=payload.get("held_out", HELD_OUT),
    )


def _finetune(studio: Studio, payload: dict[str, Any]) -> Work:
    """Carry a fine-tuning out, or go on with it; the first time the library's labels are written down to learn from."""
    from training.runs.finetune_run import iter_tune

    run = training_folders.training(studio, payload["name"])
    data = payload["data"]
    if data == LABELS:
        table = run.table
        if not table.exists():  # a run that goes on learns from what it began with
            yield Step(0, 0, "collecting the labels")
            _write_labels(studio, table)
        data = str(table)
    report = yield from _timed(iter_tune(tune_plan(payload, data), run.folder))
    if report.classifier is None:
        return {"name": run.name, "sentence": report.sentence}
    name = f"{run.name} (fine-tuned)"
    studio.library.save(report.classifier, name)
    return {"name": run.name, "sentence": f"“{run.name}” is ready. {report.sentence} Its classifier is saved as “{name}”."}


def _mix(studio: Studio, payload: dict[str, Any]) -> Work:
    from training.runs.finetune_run import choose_mixture

    run = training_folders.training(studio, payload["name"])
    if studio.model == run.model:
        raise BadInput(f"“{run.name}” is in use; use another model first, then choose its mixture.")
    yield Step(0, 0, f"writing the mixture {payload['alpha']:g}")
    studio.library.save(choose_mixture(run.folder, payload["alpha"]), f"{run.name} (fine-tuned)")
    return {"name": run.name, "sentence": f"“{run.name}” is now the mixture {payload['alpha']:g}."}


def _pretrain(studio: Studio, payload: dict[str, Any]) -> Work:
    from training.runs.request import PLAN

    run = training_folders.training(studio, payload["name"])
    yield from _timed(_train_plan(payload).iter_run(run.folder, resume=(run.folder / PLAN).exists()))
    return {"name": run.name, "sentence": f"“{run.name}” is trained. Choose it above to use it."}


def _train_plan(payload: dict[str, Any]) -> "Plan":
    from training.runs.request import Plan

    return Plan.of([payload["data"]], payload.get("recipe", ""), payload.get("model", ""), payload["minutes"])


def _estimate(studio: Studio, payload: dict[str, Any]) -> Work:
    """How long a training would take. In the short lane, so that it does not wait behind an import."""
    from training.runs.estimate import iter_estimate_training, iter_estimate_tuning

    with tempfile.TemporaryDirectory() as folder:
        if payload["of"] == "pretrain":
            found = yield from iter_estimate_training(_train_plan(payload).completed(Path(folder)))
        else:
            data = payload["data"]
            if data == LABELS:
                yield Step(0, 0, "collecting the labels")
                _write_labels(studio, table := Path(folder) / "labels.csv")
                data = str(table)
            found = yield from iter_estimate_tuning(tune_plan(payload, data))
    busy = any(job.state == "running" and job.kind != "estimate" for job in studio.jobs.active())
    return {"sentence": found.sentence + (" Timed beside other work; alone it is quicker." if busy else "")}


def _timed(steps: Generator[Step, None, T]) -> Generator[Step, None, T]:
    """The same steps with their rate, from which the page tells how long it will take."""
    with closing(steps):
        total, began, first = 0, 0.0, 0
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if step.total and (not total or step.done < first):
                total, began, first = step.total, time.monotonic(), step.done
            took = time.monotonic() - began
            if total and step.done > first and took > 0:
                step = replace(step, metrics={**step.metrics, "per_second": (step.done - first) / took})
            yield step


def _write_labels(studio: Studio, table: Path) -> None:
    examples = studio.library.examples()
    if len(set(examples.labels)) < 2:
        raise BadInput("Fine-tuning needs labelled images of two classes. Label some on the board first.")
    images = studio.library.images_with_contents(examples.keys)
    table.parent.mkdir(parents=True, exist_ok=True)
    part = table.with_name(f"{table.name}.part")
    with part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "label"))
        writer.writerows(
            (images[key].path, label) for key, label in zip(examples.keys, examples.labels, strict=True) if key in images
        )
    part.replace(table)
