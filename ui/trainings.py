"""The part of the Models tab where models are made: fine-tuning, pre-training, live curves, and the choice of a mixture."""

from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput
from clipcore.prompts import DEFAULT_PACK
from storage import JobRecord

from . import modelling
from .curves import curves_svg
from .following import QUIET, Changes, Following
from .measuring.sets import checked_path
from .modelling import LABELS, Training
from .progress import friendly, said
from .studio import Studio

LAYERS = (
    ("All of the image tower: learns most", "image"),
    ("The last third: faster", "last"),
    ("The head alone: fastest, the model stays as it is", "head"),
)
FROM_LABELS, FROM_PATH = "My labels in the library", "Labelled images on this computer"
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
                rate = gr.Number(
                    None,
                    label="Learning rate, at its peak",
                    info="Left empty, one that fits the model is chosen. 0.00003 is low.",
                    placeholder="chosen by the model",
                    step=0.00001,
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
            finetune = gr.Button("Fine-tune", variant="primary", scale=0, min_width=140, elem_id="finetune-go")
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
            pretrain = gr.Button("Train", variant="primary", scale=0, min_width=140, elem_id="pretrain-go")
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

    def start_finetune(*values: Any) -> Changes:
        payload = finetune_payload(studio, *values)
        return {**following.start("finetune", payload), **_choose(studio, at, payload["name"])}

    def start_pretrain(*values: Any) -> Changes:
        payload = pretrain_payload(studio, *values)
        return {**following.start("pretrain", payload), **_choose(studio, at, payload["name"])}

    def start_mix(name: str, alpha: float) -> Changes:
        return following.start("mix", {"name": modelling.training(studio, name).name, "alpha": alpha})

    following.wire(outputs, page, tab)
    at.source.input(lambda value: gr.Textbox(visible=value == FROM_PATH), at.source, at.path, **QUIET)
    asked = [at.source, at.path, model, layers, epochs, prompts, shifts, tuned_name, rate, held_out]
    finetune.click(friendly(start_finetune), asked, outputs, **QUIET)
    pretrain.click(friendly(start_pretrain), [data, recipe, minutes, trained_name, begin], outputs, **QUIET)
    at.mix.click(friendly(start_mix), [at.which, at.alpha], outputs, **QUIET)
    at.which.input(friendly(partial(_choose, studio, at)), at.which, outputs, **QUIET)
    at.alpha.release(friendly(partial(_redraw, studio, at)), [at.which, at.alpha], outputs, **QUIET)
    tab.select(friendly(partial(_open, studio, at)), at.which, outputs, **QUIET)
    page.load(friendly(partial(_open, studio, at)), at.which, outputs, **QUIET)
    clock = gr.Timer(EVERY)
    clock.tick(friendly(partial(_look, studio, at)), [at.which, at.alpha, at.drawn], outputs, **QUIET)
    return at.finished


# what is asked, checked


def finetune_payload(
    studio: Studio,
    source: str,
    path: str,
    model: str,
    layers: str,
    epochs: float,
    prompts: str,
    shifts: str,
    name: str,
    rate: float | None = None,
    held_out: float = modelling.HELD_OUT,
) -> dict[str, Any]:
    """A fine-tuning as a job. Raises BadInput where something is missing."""
    from clipcore.models import is_here

    if source == FROM_LABELS:
        data = LABELS
        if len(set(studio.library.examples().labels)) < 2:
            raise BadInput("Fine-tuning needs labelled images of two classes at least; label some on the board first.")
    else:
        data = str(Path(checked_path(path)).expanduser().absolute())
    if not is_here(model.strip()):
        raise BadInput(f"The model {model.strip() or 'to begin with'} is not on this computer; get it first, above.")
    others = [str(Path(checked_path(line)).expanduser().absolute()) for line in (shifts or "").splitlines() if line.strip()]
    payload = {
        "model": model.strip(),
        "data": data,
        "shifts": others,
        "layers": layers,
        "epochs": int(epochs),
        "pack": prompts,
        "rate": rate,
        "held_out": held_out,
    }
    modelling.tune_plan(payload, data)  # so that a mistake is said before anything waits for its turn
    return {"name": modelling.new_training(studio, name or "").name, **payload}


def pretrain_payload(
    studio: Studio, data: str, recipe: str, minutes: float | None, name: str, model: str = ""
) -> dict[str, Any]:
    """A training on captions as a job, of a model from nothing unless one is named. Raises BadInput where something is
    missing."""
    from clipcore.models import is_here
    from training.pairs import find_sources

    if not (data or "").strip():
        raise BadInput("Type where the images are: a folder, a table of images and captions, or .tar shards.")
    path = Path(data.strip()).expanduser().absolute()
    find_sources(path)
    if not minutes or minutes <= 0:
        raise BadInput("Say for how many minutes to train; 30 is a beginning.")
    if (model := (model or "").strip()) and not is_here(model):
        raise BadInput(f"The model {model} is not on this computer; get it first, above.")
    found = modelling.new_training(studio, name or "")
    chosen = {"model": model} if model else {"recipe": recipe}
    return {"name": found.name, "data": str(path), "minutes": float(minutes), **chosen}


def _recipes() -> list[str]:
    import training

    folder = Path(training.__file__).with_name("recipes")
    return sorted(path.parent.name for path in folder.glob("*/recipe.json") if path.parent.name != "finetune")


# handlers


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool) -> Changes:
    result = job.result or {}
    return {at.result: said(result.get("sentence", "")), at.finished: job.id, **_choose(studio, at, result.get("name", ""))}


def _open(studio: Studio, at: Parts, name: str | None) -> Changes:
    """The trainings there are; the newest unless one was chosen."""
    names = [run.name for run in modelling.trainings(studio)]
    return _choose(studio, at, name if name in names else (names[0] if names else ""))


def _choose(studio: Studio, at: Parts, name: str) -> Changes:
    names = [run.name for run in modelling.trainings(studio)]
    if name and name not in names:
        names.insert(0, name)  # its folder comes in a moment
    run = modelling.training(studio, name) if name else None
    ready = bool(run and run.sweep)
    alpha = run.alpha if run else 0.5
    return {
        at.which: gr.Dropdown(names, value=name or None, visible=bool(names)),
        at.view: training_html(run, alpha) if run else "",
        at.alpha: gr.Slider(value=alpha, visible=ready),
        at.mix: gr.Button(visible=ready),
        at.drawn: _state(run) if run else "",
    }


def _redraw(studio: Studio, at: Parts, name: str, alpha: float) -> Changes:
    return {at.view: training_html(modelling.training(studio, name), alpha)}


def _look(studio: Studio, at: Parts, name: str | None, alpha: float, drawn: str) -> Changes:
    """On every tick: draw again what has grown, and nothing else."""
    if not name:
        return {at.drawn: gr.skip()}
    run = modelling.training(studio, name)
    state = _state(run)
    if state == drawn:
        return {at.drawn: gr.skip()}
    if state.endswith("done") and not drawn.endswith("done"):
        return _choose(studio, at, name)
    return {at.view: training_html(run, alpha), at.drawn: state}


def _state(run: Training) -> str:
    """Changes when there is more to draw."""
    return f"{run.name} {len(run.log())} {'done' if run.sweep else ''}"


# what is shown


def training_html(run: Training, alpha: float) -> str:
    """The curves of a training, and the mixtures when it is over."""
    log = run.log()
    losses = [(row["step"], row["loss"]) for row in log if "loss" in row]
    scores: dict[str, list[tuple[float, float]]] = {}
    for row in log:
        for name, value in row.items():
            if name == "held_out" or name.split("/")[0] in ("zero_shot", "recall5"):
                words = "held-out images" if name == "held_out" else name.partition("/")[2]
                scores.setdefault(words, []).append((row["step"], value))
    if not log:
        return said(f"“{run.name}” has not learned anything yet; the curves come with the first passes over the images.")
    figures = curves_svg("Loss", {"loss": losses}, "steps")
    figures += curves_svg("Right answers on held-out images", scores, "steps", share=True)
    return f'<div class="figures">{figures}{_mixtures(run, alpha)}</div>{_table(run, alpha)}'


def _mixtures(run: Training, alpha: float) -> str:
    sweep = run.sweep
    if not sweep:
        return ""
    names = list(next(iter(sweep.values())))
    lines = {name: [(a, row[name]["accuracy"]) for a, row in sweep.items()] for name in names}
    bars = {name: [(row[name]["low"], row[name]["high"]) for row in sweep.values()] for name in names}
    title = "Right answers of each mixture, with 95 % intervals"
    return curves_svg(title, lines, "0 as it was, 1 fine-tuned", share=True, marked=alpha, intervals=bars)


def _table(run: Training, alpha: float) -> str:
    """Mixtures (rows) by sets (columns); the one that is marked, and the one that the model is now."""
    sweep = run.sweep
    if not sweep:
        return ""
    first = next(iter(sweep.values()))
    head = "".join(f'<th scope="col">{escape(name)} (n = {first[name]["n"]:,})</th>' for name in first)
    nearest = min(sweep, key=lambda each: abs(each - alpha))
    rows = "".join(
        f'<tr{" class=current" if a == nearest else ""}><th scope="row">{a:g}</th>'
        + "".join(f"<td>{m['accuracy']:.1%} <small>{m['low']:.1%} to {m['high']:.1%}</small></td>" for m in row.values())
        + "</tr>"
        for a, row in sweep.items()
    )
    return (
        '<div class="scroll" role="region" aria-label="Mixtures" tabindex="0"><table class="facts"><thead><tr>'
        f'<th scope="col">Mixture</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="subtle">The model “{escape(run.name)}” is the mixture {run.alpha:g}.</p>'
    )
