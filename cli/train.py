"""Train an encoder."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import DryRun, Json, command, draw, emit, say, show_estimate, stop_between_steps

if TYPE_CHECKING:
    from clipcore import Step


@command
def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, log and model.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Class folders, a .csv, .tsv or .jsonl table, .tar shards; may be given several times."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or folder; finetune with --model, else small.")] = "",
    model: Annotated[str, typer.Option(help="Train this model further: NAME/TAG, local-dir:PATH or hf-hub:ORG/REPO.")] = "",
    image_tower: Annotated[str, typer.Option(help="Join a classifier of timm's, NAME:WEIGHTS FILE, ...")] = "",
    text_tower: Annotated[str, typer.Option(help="... with a sentence encoder: its folder.")] = "",
    lock: Annotated[
        str, typer.Option(help="Which of the two stays as it is: image, text or none; as the recipe says.")
    ] = "",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long to train, not what the recipe says.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Read pictures while learning: no cache on the disk.")] = False,
    wordnet: Annotated[str, typer.Option(help="WordNet's folder, for a recipe with a dictionary.")] = "/usr/share/wordnet",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    dry_run: DryRun = False,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores to use; all unless told.")] = 0,
    as_json: Json = False,
) -> None:
    """Train a CLIP model on your own pictures and captions, or train one further. Several GPUs: torchrun app.py pretrain."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    from training.distributed import World
    from training.runs.request import Plan

    if threads:
        torch.set_num_threads(threads)
    plan = Plan.of(data or (), recipe, model, minutes, stream, image_tower, text_tower, lock)
    speaks, said = World.join().is_first, [""]
    if dry_run:
        from training.runs.estimate import iter_estimate_training

        found = draw(iter_estimate_training(plan.completed(out, resume)), "step", shown=speaks)
        if speaks:
            show_estimate(found, as_json)
        return
    with stop_between_steps() as check:

        def watch(step: "Step") -> None:
            if speaks and step.done and step.metrics:
                told = f"step {step.done}  " + "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
                if as_json:
                    emit(True, {"step": step.done, **step.metrics}, "")
                elif not sys.stderr.isatty():
                    say(told)
            if speaks and step.message not in ("", said[-1]):
                said.append(step.message)
                say(step.message)
            check()

        try:
            folder = draw(plan.iter_run(out, resume, wordnet), "step", watch, shown=speaks)
        except KeyboardInterrupt:
            say(f"Stopped; what was learned is kept. To go on: python app.py pretrain --resume --out {out}")
            raise typer.Exit(130) from None
    if speaks:
        emit(as_json, {"model": f"local-dir:{folder}"}, f"local-dir:{folder}")
