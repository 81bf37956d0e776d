"""The part of the Models tab where models are made: fine-tuning, pre-training, live curves, and the choice of a mixture."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS
from clipcore.classify.prompts import DEFAULT_PACK
from storage import JobRecord

from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said
from ..studio import Studio
from . import jobs, training_folders
from .rows import PRESSED, pressed
from .training_folders import Training
from .training_requests import (
    FROM_LABELS,
    FROM_PATH,
    finetune_asked,
    finetune_payload,
    pretrain_asked,
    pretrain_payload,
)
from .training_view import training_html, trainings_html

LAYERS = (
    ("Chosen by how many labels there are", "auto"),
    ("All that looks at images: learns most", "image"),
    ("The last third: faster", "last"),
    ("The head alone: fastest, the model stays as it is", "head"),
)
KINDS = ("finetune", "mix", "pretrain")


class Parts:
    """The components of this part that handlers change, by name."""

    which: gr.State  # the name of the training that is shown, "" for none
    rows: gr.HTML
    view: gr.HTML
    ready: gr.State  # the training that is shown, once it can be mixed; "" before
    drawn: gr.State
    result: gr.HTML
    finished: gr.State


class Forms:
    """The fields and buttons with which a training is asked for."""

    source: gr.Radio
    path: gr.Textbox
    model: gr.Textbox
    layers: gr.Dropdown
    epochs: gr.Slider
    prompts: gr.Dropdown
    shifts: gr.Textbox
    rate: gr.Textbox
    held_out: gr.Slider
    tuned_name: gr.Textbox
    tune_time: gr.Button
    finetune: gr.Button
    tune_seen: Following
    data: gr.Textbox
    begin: gr.Textbox
    recipe: gr.Dropdown
    minutes: gr.Number
    trained_name: gr.Textbox
    train_time: gr.Button
    pretrain: gr.Button
    train_seen: Following


def forms(studio: Studio) -> Forms:
    """Lay the fields out, in the rail."""
    at = Forms()
    with gr.Accordion("Fine-tune on your classes", open=False, elem_id="finetune"):
        gr.HTML(
            '<p class="subtle">The model itself learns your classes from labelled images. Afterwards you choose how much of '
            "that to keep. More of it often costs accuracy on other kinds of images.</p>"
        )
        at.source = gr.Radio([FROM_LABELS, FROM_PATH], value=FROM_LABELS, label="Learn from")
        at.path = gr.Textbox(
            label="Where they are",
            info="A folder with one for each class. Or a CSV with the columns image and label, or .tar files (shards).",
            visible=False,
        )
        at.model = gr.Textbox(studio.model, label="Model to begin with")
        at.layers = gr.Dropdown(list(LAYERS), value="auto", label="Layers that learn", filterable=False)
        at.epochs = gr.Slider(1, 50, value=20, step=1, label="Epochs: passes over the images, at most")
        at.shifts = gr.Textbox(
            label="Other images of these classes (optional)",
            info="Sets of another kind, one path a line. They show what fine-tuning costs elsewhere.",
            lines=2,
        )
        with gr.Accordion("Advanced", open=False, elem_id="finetune-advanced"):
            at.rate = gr.Textbox(  # a Number that is empty shows 0
                label="Learning rate, at its peak",
                info="Left empty, one that fits the model is chosen. 0.00003 is low.",
                placeholder="chosen by the model",
                elem_id="finetune-rate",
            )
            at.held_out = gr.Slider(
                0.05,
                0.5,
                value=jobs.HELD_OUT,
                step=0.05,
                label="Share of the images held out",
                info="Not learned from: they say how good it is, and when to stop.",
            )
            at.prompts = gr.Dropdown(
                [(f"{name}: {about}", name) for name, about in PACKS.items()],
                value=DEFAULT_PACK,
                label="Prompts of the zero-shot classifier",
                info="Where learning begins.",
                filterable=False,
            )
        with gr.Row(elem_classes="bar"):
            at.tuned_name = gr.Textbox(label="Name of the new model", placeholder="my birds", elem_id="finetune-name")
            at.tune_time = gr.Button("How long?", scale=0, min_width=120, elem_id="finetune-how-long")
            at.finetune = gr.Button("Fine-tune", variant="primary", scale=0, min_width=140, elem_id="finetune-go")
        at.tune_seen = _estimates(studio, "finetune")
    with gr.Accordion("Train on captions", open=False, elem_id="pretrain"):
        gr.HTML(
            '<p class="subtle">A model learns images and their captions (or class names) together, on this computer. One '
            "to begin with changes only gently. Without one, a small CLIP begins from nothing. More images and more time "
            "make it better. For real work, begin with a published model.</p>"
        )
        at.data = gr.Textbox(
            label="Images with captions or class names",
            placeholder="Pictures/captioned",
            info="Class folders, a table with the columns image and caption, or .tar files (shards).",
        )
        at.begin = gr.Textbox(
            label="Model to begin with (optional)", placeholder="none", info="Left empty, one begins from nothing."
        )
        at.recipe = gr.Dropdown(_recipes(), value="small", label="Recipe", info="Of a model from nothing.", filterable=False)
        at.minutes = gr.Number(30, label="Minutes of training", minimum=0.05, info="Reading the images comes on top.")
        with gr.Row(elem_classes="bar"):
            at.trained_name = gr.Textbox(label="Name of the new model", placeholder="my first", elem_id="pretrain-name")
            at.train_time = gr.Button("How long?", scale=0, min_width=120, elem_id="pretrain-how-long")
            at.pretrain = gr.Button("Train", variant="primary", scale=0, min_width=140, elem_id="pretrain-go")
        at.train_seen = _estimates(studio, "pretrain")
    return at


class Made:
    """How a training is doing, and what came of it: laid out here and now, above what is long."""

    def __init__(self, studio: Studio) -> None:
        self.at = Parts()
        self.following = Following(studio, KINDS, partial(_end, studio, self.at))
        self.following.progress_bar("training-progress")
        with gr.Row(elem_classes="go"):
            self.following.stop_button()
        self.at.result = gr.HTML("", elem_id="training-result")


def build(studio: Studio, page: Opening, tab: gr.Tab, form: Forms, made: Made) -> gr.State:
    """Lay out what comes of a training, and wire it; the state that is returned changes when a model has been made."""
    at, following = made.at, made.following
    at.which = gr.State("")
    at.rows = gr.HTML("", elem_id="trainings", js_on_load=PRESSED)
    at.view = gr.HTML("", elem_id="training-view")
    alpha = gr.Slider(
        0, 1, value=0.5, step=0.05, label="Mixture", info="0 is the model as it was, 1 the fine-tuned one.", visible=False
    )
    with gr.Row(elem_classes="go"):
        mix = gr.Button("Take this mixture", scale=0, min_width=180, visible=False)
    at.ready, at.drawn, at.finished = gr.State(""), gr.State(""), gr.State(0)
    on_slider = gr.State("")  # the training whose mixture is on the slider: said in the same answer that sets it
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

    def show(alpha: float, on_slider: str, event: gr.EventData) -> Changes:
        what, name = pressed(event, ("show", "delete"))
        if what == "show":
            return _choose(studio, at, training_folders.training(studio, name).name, alpha, on_slider)
        training_folders.delete_training(studio, name)  # nothing came of it: there is no model to ask about
        return {**_open(studio, at, None, alpha, on_slider), at.result: said(f"“{name}” is deleted.")}

    shown = [at.which, alpha, on_slider]
    following.wire(outputs, page, tab, asked=[alpha, on_slider])
    for each in (form.tune_seen, form.train_seen):
        each.wire(each.parts, page, tab)
    form.source.input(lambda value: gr.Textbox(visible=value == FROM_PATH), form.source, form.path, **QUIET)
    learned_from = [form.source, form.path, form.model, form.layers, form.epochs]
    asked = [*learned_from, form.prompts, form.shifts, form.rate, form.held_out]
    form.finetune.click(start("finetune", finetune_payload), [form.tuned_name, *asked], outputs, **QUIET)
    seen = form.tune_seen
    form.tune_time.click(estimate(seen, "finetune", finetune_asked), asked, seen.parts, **QUIET)
    asked = [form.data, form.recipe, form.minutes, form.begin]
    form.pretrain.click(start("pretrain", pretrain_payload), [form.trained_name, *asked], outputs, **QUIET)
    seen = form.train_seen
    form.train_time.click(estimate(seen, "pretrain", pretrain_asked), asked, seen.parts, **QUIET)
    mix.click(friendly(start_mix), [at.which, alpha], outputs, **QUIET)
    at.rows.act(friendly(show), [alpha, on_slider], outputs, **QUIET)  # an event of our own
    at.ready.change(friendly(partial(_slide, studio)), [at.ready, on_slider], [alpha, mix, on_slider], **QUIET)
    alpha.release(friendly(partial(_redraw, studio, at)), [at.which, alpha], at.view, **QUIET)
    for event in (page.load, page.select(tab)):
        event(partial(_open, studio, at), shown, outputs)
    page.news(partial(_look, studio, at), [*shown, at.drawn], [at.view, at.ready, at.drawn, at.rows])
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


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool, alpha: float = 0.5, on_slider: str = "") -> Changes:
    result = job.result or {}
    chosen = _choose(studio, at, result.get("name", ""), alpha, on_slider)
    return {at.result: said(result.get("sentence", "")), at.finished: job.id, **chosen}


def _open(studio: Studio, at: Parts, name: str | None, alpha: float, on_slider: str) -> Changes:
    """The trainings there are; the newest unless one was chosen."""
    names = [run.name for run in training_folders.trainings(studio)]
    return _choose(studio, at, name if name in names else (names[0] if names else ""), alpha, on_slider)


def _choose(studio: Studio, at: Parts, name: str, alpha: float = 0.5, on_slider: str = "") -> Changes:
    """A training; `alpha` is where the slider stands, which is that of the training `on_slider`."""
    if not name:
        return {at.which: "", at.rows: "", at.view: "", at.ready: "", at.drawn: ""}
    return {at.which: name, **_drawing(studio, at, training_folders.training(studio, name), alpha, on_slider)}


def _drawing(studio: Studio, at: Parts, run: Training, alpha: float, on_slider: str) -> Changes:
    runs = training_folders.trainings(studio)
    if run.name not in [one.name for one in runs]:
        runs.insert(0, run)  # its folder comes in a moment
    at_work = {job.payload.get("name", "") for job in studio.jobs.active() if job.kind in KINDS}
    return {
        at.rows: trainings_html(runs, run.name, at_work),
        at.view: training_html(run, alpha if on_slider == run.name else run.alpha),
        at.ready: run.name if run.mixable else "",
        at.drawn: _state(run),
    }


def _slide(studio: Studio, ready: str, on_slider: str) -> Any:
    """The slider at the mixture of a training that is ready now. No later look sets it: it may be in somebody's hand. Two
    looks at once may both see that it is ready; the second changes nothing."""
    if ready and ready == on_slider:
        return gr.skip()
    alpha = training_folders.training(studio, ready).alpha if ready else 0.5
    return gr.Slider(value=alpha, visible=bool(ready)), gr.Button(visible=bool(ready)), ready


def _redraw(studio: Studio, at: Parts, name: str, alpha: float) -> Changes:
    return {at.view: training_html(training_folders.training(studio, name), alpha)}


def _look(studio: Studio, at: Parts, name: str | None, alpha: float, on_slider: str, drawn: str) -> Changes:
    """When there is news: draw again what has grown, and nothing else."""
    run = training_folders.training(studio, name) if name else None
    if run is None or _state(run) == drawn:
        return {at.drawn: gr.skip()}
    return _drawing(studio, at, run, alpha, on_slider)


def _state(run: Training) -> str:
    """Changes when there is more to draw."""
    return f"{run.name} {len(run.log())} {'done' if run.sweep else ''}"
