"""Fine-tune a model on classes, and choose how much of it to keep."""

import os
from pathlib import Path
from typing import Annotated

import typer

from .common import (
    DryRun,
    Json,
    Labels,
    Templates,
    command,
    draw,
    emit,
    read_templates,
    say,
    show_estimate,
    stop_between_steps,
)


@command
def finetune(
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, log and model.")],
    data: Annotated[
        list[Path] | None, typer.Option(help="Class folders, a table of pictures and labels, .tar shards; may be repeated.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="The model to begin with.")] = "starter",
    shift: Annotated[
        list[Path] | None, typer.Option(help="Another labelled set of these classes, to see what is lost; may be repeated.")
    ] = None,
    labels: Labels = None,
    pack: Annotated[str, typer.Option(help="Prompt pack of the zero-shot head it begins at.")] = "seven",
    templates: Templates = None,
    layers: Annotated[
        str, typer.Option(help="Layers that learn: head, last (third of the tower), image (all of it); auto: by the labels.")
    ] = "auto",
    rate: Annotated[float | None, typer.Option(help="Peak learning rate, at most 1; chosen by the kind of tower.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the images, at most.")] = 20,
    held_out: Annotated[float, typer.Option(min=0.01, max=0.9, help="Share of the data to check on.")] = 0.2,
    mix: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="0 is the model as it was, 1 the fine-tuned one; 0.5, or 1 of a head alone."),
    ] = None,
    dry_run: DryRun = False,
    remix: Annotated[bool, typer.Option("--remix", help="Only write another mixture of the run in --out.")] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on labelled pictures; the table shows each mixture on held-out and on shifted pictures.

    Run again with the same --out, it goes on where it stopped. To learn from captions: pretrain --model NAME.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from clipcore import BadInput, parse_labels
    from clipcore import pack as ready_made
    from training.data.samples import in_words
    from training.runs.finetune_run import TunePlan, choose_mixture, iter_tune
    from training.towers.finetune import Tuning

    if remix:
        if mix is None:
            raise BadInput("Say with --mix which mixture to write: 0 is the model as it was, 1 the fine-tuned one.")
        choose_mixture(out, mix)
        made = f"local-dir:{out / 'model'}" if (out / "model").is_dir() else str(out / "classifier.safetensors")
        emit(as_json, {"model": made, "mixture": mix}, made)
        return
    if not data:
        raise BadInput("Say with --data which labelled pictures to learn from: class folders, a table or shards.")
    names, synonyms = parse_labels(labels) if labels else ([], {})
    prompts = read_templates(templates) if templates else ready_made(pack)
    plan = TunePlan(
        data=tuple(str(path.absolute()) for path in data),
        model=model,
        shifts=tuple(str(path.absolute()) for path in shift or ()),
        labels=tuple(names),
        prompts=prompts.with_synonyms(synonyms),
        tuning=Tuning(layers=layers, learning_rate=rate, epochs=epochs),  # type: ignore[arg-type]
        held_out=held_out,
        alpha=mix,
    )
    if dry_run:
        from training.runs.estimate import iter_estimate_tuning

        show_estimate(draw(iter_estimate_tuning(plan), "step"), as_json)
        return
    with stop_between_steps() as check:
        found = draw(iter_tune(plan, out), "step", lambda step: check())
    for line in in_words(found.skipped):
        say(line)
    sets = list(next(iter(found.sweep.values())))
    say("mixture  " + "  ".join(f"{name:<24}" for name in sets))
    for alpha, row in found.sweep.items():
        cells = [f"{m.accuracy:6.1%} [{m.low:.1%}, {m.high:.1%}]" for m in row.values()]
        numbers = {name: [m.accuracy, m.low, m.high, m.n] for name, m in row.items()}
        emit(as_json, {"mixture": alpha, **numbers}, f"{alpha:<7g}  " + "  ".join(f"{cell:<24}" for cell in cells))
    say(found.sentence)
    if found.classifier:
        made = found.model if found.kept == "tower" else str(out / "classifier.safetensors")
        say(f"{made} is the mixture {found.alpha:g}; another: finetune --out {out} --remix --mix 0.3")
