"""The part of the Models tab where models are made: fine-tuning, pre-training, live curves, and the choice of a mixture."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS
from clipcore.prompts import DEFAULT_PACK
from storage import JobRecord

from . import modelling, training_folders
from .following import QUIET, Changes, Following
from .progress import friendly, said
from .studio import Studio
from .training_folders import Training
from .training_payloads import (
    FROM_LABELS,
    FROM_PATH,
    finetune_asked,
    finetune_payload,
    pretrain_asked,
    pretrain_payload,
)
from .training_view import training_html

LAYERS = (
    ("All of the image tower: learns most", "image"),
    ("The last third: faster", "last"),
    ("The head alone: fastest, the model stays as it is", "head"),
)
KINDS = ("finetune", "mix", "pretrain")
EVERY = 2.0  # seconds between looks at a training's log


class Parts:
    """The components of this part that handlers change, by name."""

    source: gr.Radio
    path: gr.Textbox
    which: gr.Dropdown
    view: gr.HTML
    alpha: gr.Slider
    mix: gr.Button
    drawn: gr.State
    result: gr.HTML
    finished: gr.State


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> gr.State:
    """Lay it out and wire it; the state that is returned changes when a model has been made."""
    at = Parts()
    gr.HTML("<h2>Make a model</h2>")
    following = Following(studio, KINDS, partial(_end, studio, at))
    with gr.Accordion("Fine-tune on your classes", open=False, elem_id="finetune"):
        gr.HTML(
            '<p class="subtle">The image tower learns your classes, beginning at the zero-shot classifier. Afterwards you '
            "choose how much of it to keep: what is learned often costs accuracy on other kinds of images.</p>"
        )
        with gr.Row():
            at.source = gr.Radio([FROM_LABELS, FROM_PATH], value=FROM_LABELS, label="Learn from")
            at.path = gr.Textbox(
                label="Where they are",
                info="A folder with one folder for each class, a CSV with the columns image and label, or .tar shards.",
                visible=False,
            )
        with gr.Row():
            model = gr.Textbox(studio.model, label="Model to begin with")
            layers = gr.Dropdown(list(LAYERS), value="image", label="Layers that learn", filterable=False)
            epochs = gr.Slider(1, 50, value=20, step=1, label="Epochs: passes over the images, at most")
        shifts = gr.Textbox(
            label="Other images of these classes (optional)",
            info="Sets of another kind, one path a line: they show what fine-tuning costs elsewhere.",
            lines=2,
        )
        with gr.Accordion("Advanced", open=False, elem_id="finetune-advanced"):
            with gr.Row():
                rate = gr.Textbox(  # a Number that is empty shows 0
                    label="Learning rate, at its peak",
                    info="Left empty, one that fits the model is chosen. 0.00003 is low.",
                    placeholder="chosen by the model",
                    elem_id="finetune-rate",
                )
                held_out = gr.Slider(
                    0.05,
                    0.5,
                    value=modelling.HELD_OUT,
                    step=0.05,
                    label="Share of the images held out",
                    info="Not learned from: they say how good it is, and when to stop.",
                )
            prompts = gr.Dropdown(
                [(f"{name}: {about}", name) for name, about in PACKS.items()],
                value=DEFAULT_PACK,
                label="Prompts of the zero-shot classifier",
                info="Where learning begins.",
                filterable=False,
            )
        with gr.Row(elem_classes="bar"):
            tuned_name = gr.Textbox(label="Name of the new model", placeholder="my birds", elem_id="finetune-name")
            tune_time = gr.Button("How long?", scale=0, min_width=120, elem_id="finetune-how-long")
            finetune = gr.Button("Fine-tune", variant="primary", scale=0, min_width=140, elem_id="finetune-go")
        tune_seen = _estimates(studio, "finetune")
    with gr.Accordion("Train on captions", open=False, elem_id="pretrain"):
        gr.HTML(
            '<p class="subtle">Images and their captions (or class names) are learned together, on this computer. A model '
            "to begin with is fine-tuned, gently; without one a small CLIP begins from nothing. More images and more time "
            "make it better; for real work a published model is the better beginning.</p>"
        )
        with gr.Row():
            data = gr.Textbox(
                label="Images with captions or class names",
                placeholder="Pictures/captioned",
                info="Class folders, a table with the columns image and caption, or .tar shards.",
            )
            begin = gr.Textbox(
                label="Model to begin with (optional)", placeholder="none", info="Left empty, one begins from nothing."
            )
        with gr.Row():
            recipe = gr.Dropdown(
                _recipes(), value="small", label="Recipe", info="Of a model from nothing.", filterable=False
            )
            minutes = gr.Number(30, label="Minutes of training", minimum=0.05, info="Reading the images comes on top.")
        with gr.Row(elem_classes="bar"):
            trained_name = gr.Textbox(label="Name of the new model", placeholder="my first", elem_id="pretrain-name")
            train_time = gr.Button("How long?", scale=0, min_width=120, elem_id="pretrain-how-long")
            pretrain = gr.Button("Train", variant="primary", scale=0, min_width=140, elem_id="pretrain-go")
        train_seen = _estimates(studio, "pretrain")
    with gr.Row(elem_classes="go"):
        following.stop_button()
    following.progress_bar("training-progress")
    at.result = gr.HTML("", elem_id="training-result")
    at.which = gr.Dropdown([], label="Trainings", visible=False, filterable=False, elem_id="trainings")
    at.view = gr.HTML("", elem_id="training-view")
    at.alpha = gr.Slider(
        0, 1, value=0.5, step=0.05, label="Mixture", info="0 is the model as it was, 1 the fine-tuned one.", visible=False
    )
    with gr.Row(elem_classes="go"):
        at.mix = gr.Button("Take this mixture", scale=0, min_width=180, visible=False)
    at.drawn, at.finished = gr.State(""), gr.State(0)
    outputs = [*vars(at).values(), *following.parts]

    def start(kind: str, payload_of: Callable[..., dict[str, Any]]) -> Callable[..., Changes]:
        def started(*values: Any) -> Changes:
            payload = payload_of(studio, *values)
            return {**following.start(kind, payload), **_choose(studio, at, payload["name"])}

        return friendly(started)

    def estimate(following: Following, kind: str, asked_of: Callable[..., dict[str, Any]]) -> Callable[..., Changes]:
        return friendly(lambda *values: following.start("estimate", {"of": kind, **asked_of(studio, *values)}))

    def start_mix(name: str, alpha: float) -> Changes:
        return following.start("mix", {"name": training_folders.training(studio, name).name, "alpha": alpha})

    following.wire(outputs, page, tab, asked=[at.alpha, at.drawn])
    for each in (tune_seen, train_seen):
        each.wire(each.parts, page, tab)
    at.source.input(lambda value: gr.Textbox(visible=value == FROM_PATH), at.source, at.path, **QUIET)
    asked = [at.source, at.path, model, layers, epochs, prompts, shifts, rate, held_out]
    finetune.click(start("finetune", finetune_payload), [tuned_name, *asked], outputs, **QUIET)
    tune_time.click(estimate(tune_seen, "finetune", finetune_asked), asked, tune_seen.parts, **QUIET)
    asked = [data, recipe, minutes, begin]
    pretrain.click(start("pretrain", pretrain_payload), [trained_name, *asked], outputs, **QUIET)
    train_time.click(estimate(train_seen, "pretrain", pretrain_asked), asked, train_seen.parts, **QUIET)
    at.mix.click(friendly(start_mix), [at.which, at.alpha], outputs, **QUIET)
    at.which.input(friendly(partial(_choose, studio, at)), at.which, outputs, **QUIET)
    at.alpha.release(friendly(partial(_redraw, studio, at)), [at.which, at.alpha], outputs, **QUIET)
    tab.select(friendly(partial(_open, studio, at)), [at.which, at.alpha], outputs, **QUIET)
    page.load(friendly(partial(_open, studio, at)), [at.which, at.alpha], outputs, **QUIET)
    clock = gr.Timer(EVERY)
    clock.tick(friendly(partial(_look, studio, at)), [at.which, at.alpha, at.drawn], outputs, **QUIET)
    return at.finished


def _estimates(studio: Studio, kind: str) -> Following:
    """What follows the estimates of this kind of training, and where they are said: here and now in the layout."""

    def end(job: JobRecord, is_mine: bool) -> Changes:
        return {following.progress: said((job.result or {}).get("sentence", ""))}

    following = Following(studio, lambda job: job.kind == "estimate" and job.payload["of"] == kind, end, others=False)
    following.progress_bar(f"{kind}-estimate")
    return following


def _recipes() -> list[str]:
    import training

    folder = Path(training.__file__).with_name("recipes")
    return sorted(path.parent.name for path in folder.glob("*/recipe.json") if path.parent.name != "finetune")


# handlers


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool, alpha: float | None = None, drawn: str = "") -> Changes:
    result = job.result or {}
    changes = _choose(studio, at, result.get("name", ""), alpha)
    if (job.kind == "mix" and is_mine) or changes[at.drawn] == drawn:
        changes.pop(at.alpha)  # the mixture was taken from the slider, or the end is told again: it may be elsewhere by now
    return {at.result: said(result.get("sentence", "")), at.finished: job.id, **changes}


def _open(studio: Studio, at: Parts, name: str | None, alpha: float) -> Changes:
    """The trainings there are; the newest unless one was chosen."""
    names = [run.name for run in training_folders.trainings(studio)]
    changes = _choose(studio, at, name if name in names else (names[0] if names else ""), alpha)
    return changes if name and name not in names else _without_hiding(at, changes)


def _choose(studio: Studio, at: Parts, name: str, shown: float | None = None) -> Changes:
    """A training, with the slider at its mixture. Where it was `shown` there when this was asked for, it is left alone:
    someone may have moved it meanwhile."""
    names = [run.name for run in training_folders.trainings(studio)]
    if name and name not in names:
        names.insert(0, name)  # its folder comes in a moment
    run = training_folders.training(studio, name) if name else None
    ready = bool(run and run.sweep)
    alpha = run.alpha if run else 0.5
    return {
        at.which: gr.Dropdown(names, value=name or None, visible=bool(names)),
        at.view: training_html(run, alpha) if run else "",
        at.alpha: gr.Slider(visible=ready) if shown == alpha else gr.Slider(value=alpha, visible=ready),
        at.mix: gr.Button(visible=ready),
        at.drawn: _state(run) if run else "",
    }


def _without_hiding(at: Parts, changes: Changes) -> Changes:
    """What looks again may answer after the end was shown: a slider that is hidden then comes back without its value."""
    return {part: value for part, value in changes.items() if part not in (at.alpha, at.mix) or value.visible}


def _redraw(studio: Studio, at: Parts, name: str, alpha: float) -> Changes:
    return {at.view: training_html(training_folders.training(studio, name), alpha)}


def _look(studio: Studio, at: Parts, name: str | None, alpha: float, drawn: str) -> Changes:
    """On every tick: draw again what has grown, and nothing else."""
    if not name:
        return {at.drawn: gr.skip()}
    run = training_folders.training(studio, name)
    state = _state(run)
    if state == drawn:
        return {at.drawn: gr.skip()}
    ready = bool(run.sweep)  # the value of the mixture is left alone: someone may be changing it
    shown = {at.alpha: gr.Slider(visible=True), at.mix: gr.Button(visible=True)} if ready else {}
    return {**shown, at.view: training_html(run, alpha if drawn.endswith("done") else run.alpha), at.drawn: state}


def _state(run: Training) -> str:
    """Changes when there is more to draw."""
    return f"{run.name} {len(run.log())} {'done' if run.sweep else ''}"
