"""The Models tab: choose a model with open eyes, get it, test it, use it, and make one's own."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from clipcore import BadInput, SaysoError
from storage import JobRecord

from . import modelling, trainings
from .following import QUIET, Changes, Following
from .progress import friendly, said
from .studio import Studio

if TYPE_CHECKING:
    from clipcore.models import ModelInfo

INTRO = (
    '<p class="subtle">The model is what looks at your images. The starter works at once; larger ones see far more. '
    "Nothing is downloaded without being asked.</p>"
)
SHORT = ("switch", "self-test", "speed", "fetch", "embed")


class Parts:
    """The components of this tab that handlers change, by name."""

    table: gr.HTML
    model: gr.Dropdown
    result: gr.HTML
    question: gr.HTML
    yes: gr.Button
    no: gr.Button
    asked: gr.State
    foreign: gr.HTML
    which: gr.Dropdown
    rebuild: gr.Button


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    modelling.register(studio)
    at = Parts()
    gr.HTML(INTRO)
    at.table = gr.HTML("", elem_id="models-table")
    everything = gr.Checkbox(False, label="Show every model that open_clip knows", elem_id="models-all")
    with gr.Row(elem_classes="bar"):
        at.model = gr.Dropdown(
            [studio.model],
            value=studio.model,
            label="Model",
            info="Choose one, or type NAME/TAG, NAME/FILE, local-dir:FOLDER or hf-hub:ORG/REPO.",
            allow_custom_value=True,
            elem_id="model",
        )
    following = Following(studio, SHORT, partial(_end, studio, at))
    with gr.Row(elem_classes="go"):
        use = gr.Button("Use", variant="primary", scale=0, min_width=110, elem_id="model-use")
        test = gr.Button("Self-test", scale=0, min_width=110)
        speed = gr.Button("Measure speed", scale=0, min_width=140)
        get = gr.Button("Get", scale=0, min_width=110)
        remove = gr.Button("Remove", scale=0, min_width=110)
        following.stop_button()
    following.progress_bar("models-progress")
    at.question = gr.HTML("", visible=False)
    with gr.Row(elem_classes="go"):
        at.yes = gr.Button("Yes", variant="primary", scale=0, min_width=140, visible=False)
        at.no = gr.Button("No", scale=0, min_width=110, visible=False)
    at.asked = gr.State(("", ""))
    at.result = gr.HTML("", elem_id="model-result")
    at.foreign = gr.HTML("", visible=False, elem_id="foreign")
    with gr.Row(elem_classes="bar"):
        at.which = gr.Dropdown(
            [], label="Classifier of another model", visible=False, filterable=False, elem_id="foreign-choice"
        )
        at.rebuild = gr.Button("Rebuild with this model", scale=0, min_width=200, visible=False)
    trained = trainings.build(studio, page, tab)

    outputs = [*vars(at).values(), *following.parts]

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, at))

    def job(kind: str) -> Callable[[str], Changes]:
        return friendly(lambda name: {**_quiet(at), **following.start(kind, {"model": _named(name)})})

    following.wire(outputs, page, tab, asked=[everything])
    for button, kind in ((use, "switch"), (test, "self-test"), (speed, "speed")):
        button.click(job(kind), at.model, outputs, **QUIET)
    get.click(on(_ask_get), at.model, outputs, **QUIET)
    remove.click(on(_ask_remove), at.model, outputs, **QUIET)
    at.yes.click(friendly(partial(_yes, studio, at, following)), at.asked, outputs, **QUIET)
    at.no.click(lambda: _quiet(at), None, outputs, **QUIET)
    at.rebuild.click(on(_rebuild), at.which, outputs, **QUIET)
    shown = [at.table, at.model, at.foreign, at.which, at.rebuild]
    gr.on(
        [tab.select, everything.input, trained.change],
        on(_show),
        everything,
        shown,
        trigger_mode="always_last",
        **QUIET,
    )


# the list


def _show(studio: Studio, at: Parts, everything: bool, chosen: str | None = None) -> Changes:
    """The list as it is now; looked for when the tab is opened, because it takes a second.

    Without `chosen` the field stays as it is: someone may have typed in it meanwhile.
    """
    from clipcore.models import catalogue, describe

    infos = catalogue(everything)
    for run in modelling.trainings(studio):
        if run.model:
            infos.append(describe(run.model))
    if studio.model not in {info.name for info in infos}:
        with suppress(SaysoError):  # it is gone from the disk; the status line says so
            infos.insert(0, describe(studio.model))
    names = [(_short(studio, info.name), info.name) for info in infos]
    return {
        at.table: models_html(studio, infos),
        at.model: gr.Dropdown(names, value=chosen) if chosen else gr.Dropdown(names),
        **_foreign(studio, at),
    }


def _short(studio: Studio, name: str) -> str:
    """A name to read: without the folders where a model of this home lies."""
    run = next((run for run in modelling.trainings(studio) if run.model == name), None)
    return f"{run.name} (made here)" if run else name


def models_html(studio: Studio, infos: "Sequence[ModelInfo]") -> str:
    """The list of models as a table."""
    heads = (
        "Model",
        "",
        "Right on ImageNet",
        "Images/s here",
        "Work per image",
        "Size",
        "Memory",
        "Image",
        "Languages",
        "Licence",
    )
    rows = []
    for info in infos:
        state = "in use" if info.name == studio.model else "here" if info.here else ""
        mark = ' <span class="badge" title="No model listed is both more accurate and cheaper">best for its cost</span>'
        about = f"<small>{escape(info.about)}</small>" if info.about else ""
        cells = (
            f"{info.imagenet:.1f} %" if info.imagenet else "",
            f"{info.speed:,.0f}" if info.speed else "",
            f"{info.gflops:,.3g} GFLOP" if info.gflops else "",
            f"{info.megabytes:,} MB" if info.megabytes else "",
            f"{info.memory:,} MB" if info.memory else "",
            f"{info.image_size} px" if info.image_size else "",
            escape(info.languages) or _unknown(info),
            _licence(info),
        )
        name = f"{_whole_parts(_short(studio, info.name))}{mark if info.pareto else ''}{about}"
        rows.append(
            f'<tr{" class=current" if state == "in use" else ""}><th scope="row">{name}</th><td>{state}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    head = "".join(f'<th scope="col">{escape(words) or "State"}</th>' for words in heads)
    note = (
        "Accuracy without training on ImageNet's 1,000 classes, from open_clip's published table; an empty cell is not "
        "known. Measure speed fills in images a second on this computer."
    )
    return (
        '<div class="scroll" role="region" aria-label="Models" tabindex="0"><table class="facts"><thead><tr>'
        f'{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div><p class="subtle">{note}</p>'
    )


def _licence(info: "ModelInfo") -> str:
    if not info.licence:
        return _unknown(info)
    return _link(info.page, info.licence) if info.page else escape(info.licence)


def _unknown(info: "ModelInfo") -> str:
    """What is said of a published model where nothing is known; models of this computer have no page to look at."""
    return f"unknown: see {_link(info.page, 'its page')}" if info.page else ""


def _link(page: str, words: str) -> str:
    return f'<a href="{escape(page)}" target="_blank" rel="noopener noreferrer">{escape(words)}</a>'


def _whole_parts(name: str) -> str:
    """A model's name that breaks after its architecture and not at a dash in it; a path breaks where it must."""
    architecture, slash, tag = name.partition("/")
    if not slash or ":" in name:
        return escape(name)
    return f'<span class="whole">{escape(architecture)}/</span><wbr><span class="whole">{escape(tag)}</span>'


# handlers


def _named(name: str | None) -> str:
    if not (name or "").strip():
        raise BadInput("Choose a model first.")
    return str(name).strip()


def _ask_get(studio: Studio, at: Parts, name: str) -> Changes:
    """Say how large it is before anything is downloaded."""
    from clipcore.models import download_megabytes

    megabytes = download_megabytes(_named(name))
    if not megabytes:
        return {**_quiet(at), at.result: said(f"{name} is here already.")}
    return _ask(at, ("get", name), f"{name} is a download of {megabytes:,} MB.", f"Download {megabytes:,} MB")


def _ask_remove(studio: Studio, at: Parts, name: str) -> Changes:
    """Removing cannot be undone, so it is asked."""
    name = _named(name)
    if name == studio.model:
        raise BadInput("This model is in use; use another one first.")
    run = next((run for run in modelling.trainings(studio) if run.model == name), None)
    if name == "starter" or (name.startswith("local-dir:") and not run):
        raise BadInput("Only models that were fetched or made here can be removed; this one lies elsewhere.")
    shown = run.name if run else name
    return _ask(at, ("remove", name), f"Remove {shown} from this computer? Vectors made with it stay.", "Remove it")


def _yes(studio: Studio, at: Parts, following: Following, asked: tuple[str, str]) -> Changes:
    """Do what was asked about."""
    from clipcore.models import remove

    what, name = asked
    if what == "get":
        return {**_quiet(at), **following.start("fetch", {"model": name})}
    run = next((run for run in modelling.trainings(studio) if run.model == name), None)
    if run:
        modelling.delete_training(studio, run.name)
        words = f"“{run.name}” is deleted."
    else:
        words = f"{name} is removed; {remove(name):,} MB are free again."
    return {**_quiet(at), **_show(studio, at, False, studio.model), at.result: said(words)}


def _rebuild(studio: Studio, at: Parts, name: str | None) -> Changes:
    if not name:
        raise BadInput("Choose a classifier first.")
    record = modelling.rebuild(studio, name)
    sentence = f"“{name}” is rebuilt for this model as version {record.version} ({record.kind}); the version before stays."
    return {**_foreign(studio, at), at.result: said(sentence)}


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool, everything: bool = False) -> Changes:
    """What a job that is done changes on the page."""
    result = job.result or {}
    words, shown = result.get("sentence", ""), ""
    if job.kind == "switch":
        missing = result.get("missing", 0)
        later = f" {missing:,} images get their vectors in the background; the old vectors stay." if missing else ""
        words = f"{_short(studio, result['model'])} is in use.{later}"
    elif job.kind == "embed":
        problems = result.get("problems", [])
        left = result.get("missing", 0)
        words = (
            f"{left:,} images have no vector of this model. {' '.join(problems[:2])}"
            if left
            else "Every image has its vector."
        )
    elif job.kind == "self-test":
        words, shown = "", checks_html(_short(studio, result["model"]), result)
    listed = {}
    if job.kind in ("switch", "speed", "fetch"):
        listed = _show(studio, at, everything, studio.model if job.kind == "switch" and is_mine else None)
    return {**listed, at.result: shown or said(words)}


def checks_html(name: str, result: dict[str, Any]) -> str:
    """The outcome of a self-test."""
    rows = "".join(
        f'<tr><th scope="row">{escape(check["name"].capitalize())}</th><td class="{check["verdict"]}">'
        f"{check['verdict']}</td><td>{escape(check['sentence'])}</td></tr>"
        for check in result["checks"]
    )
    return (
        f'<p class="said" role="status"><b>Self-test of {escape(name)}: {result["verdict"]}.</b> '
        f'{escape(result["sentence"])}</p><table class="facts checks"><tbody>{rows}</tbody></table>'
    )


# what the handlers share


def _ask(at: Parts, what: tuple[str, str], question: str, yes: str) -> Changes:
    return {
        at.asked: what,
        at.result: "",
        at.question: gr.HTML(said(question), visible=True),
        at.yes: gr.Button(yes, visible=True),
        at.no: gr.Button(visible=True),
    }


def _quiet(at: Parts) -> Changes:
    """No question, no old result."""
    return {
        at.result: "",
        at.question: gr.HTML("", visible=False),
        at.yes: gr.Button(visible=False),
        at.no: gr.Button(visible=False),
    }


def _foreign(studio: Studio, at: Parts) -> Changes:
    """The classifiers that cannot be used with the model in use, and the offer to make them again."""
    try:
        records = modelling.foreign(studio)
    except SaysoError:  # the model could not be loaded; the status line says so
        records = []
    words = ""
    if records:
        needs = "; ".join(f"“{record.name}” needs {record.space_name}" for record in records[:5])
        more = f"; and {len(records) - 5} more" if len(records) > 5 else ""
        words = said(
            f"Saved classifiers of other models: {needs}{more}. They can be rebuilt from names, prompts and labels."
        )
    names = [record.name for record in records]
    return {
        at.foreign: gr.HTML(words, visible=bool(records)),
        at.which: gr.Dropdown(names, value=names[0] if names else None, visible=bool(records)),
        at.rebuild: gr.Button(visible=bool(records)),
    }
