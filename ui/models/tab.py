"""The Models tab: choose a model with open eyes, get it, test it, use it, and make one's own."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput, SaysoError
from storage import JobRecord

from ..frame import body, frame, rail, stage
from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said
from ..studio import Studio
from . import jobs, training_folders, training_tab
from .list_view import checks_html, models_html
from .rows import PRESSED, pressed

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
    rebuilt: gr.HTML  # a place of its own: jobs end whenever they like and tell of it in `result`


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    jobs.register(studio)
    at = Parts()
    following = Following(studio, SHORT, partial(_end, studio, at))
    with frame("models"):
        with rail("Models"), body():
            gr.HTML(INTRO)
            at.model = gr.Dropdown(
                [studio.model],
                value=studio.model,
                label="Model",
                info="Choose one, or type NAME/TAG, NAME/FILE, local-dir:FOLDER or hf-hub:ORG/REPO.",
                allow_custom_value=True,
                elem_id="model",
            )
            with gr.Row(elem_classes="go"):
                use = gr.Button("Use", variant="primary", min_width=90, elem_id="model-use")
                get = gr.Button("Get", min_width=80)
            at.foreign = gr.HTML("", visible=False, elem_id="foreign")
            at.which = gr.Dropdown(
                [], label="Classifier of another model", visible=False, filterable=False, elem_id="foreign-choice"
            )
            at.rebuild = gr.Button("Rebuild with this model", visible=False)
            at.rebuilt = gr.HTML("", elem_id="rebuilt")
            everything = gr.Checkbox(False, label="Show every model that open_clip knows", elem_id="models-all")
            training = training_tab.forms(studio)
        with stage(), gr.Column(elem_classes="pages", min_width=0):
            following.progress_bar("models-progress")
            at.question = gr.HTML("", visible=False, elem_id="models-question")
            with gr.Row(elem_classes="go"):
                at.yes = gr.Button("Yes", variant="primary", scale=0, min_width=120, visible=False)
                at.no = gr.Button("No", scale=0, min_width=80, visible=False)
                following.stop_button()
            at.asked = gr.State(("", ""))
            at.result = gr.HTML("", elem_id="model-result")
            made = training_tab.Made(studio)
            at.table = gr.HTML("", elem_id="models-table", js_on_load=PRESSED)
            trained = training_tab.build(studio, page, tab, training, made)

    outputs = [*vars(at).values(), *following.parts]

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, at))

    def job(kind: str) -> Callable[[str], Changes]:
        return friendly(lambda name: {**_quiet(at), **following.start(kind, {"model": _named(name)})})

    def act(event: gr.EventData) -> Changes:
        """What the button of a row says."""
        what, name = pressed(event, {*JOBS, *ASKED})
        if what in ASKED:
            return ASKED[what](studio, at, name)
        return {**_quiet(at), **following.start(JOBS[what], {"model": name})}

    following.wire(outputs, page, tab, asked=[everything])
    use.click(job("switch"), at.model, outputs, **QUIET)
    get.click(on(_ask_get), at.model, outputs, **QUIET)
    at.table.act(friendly(act), None, outputs, **QUIET)  # an event of our own
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
    for run in training_folders.trainings(studio):
        if run.model:
            infos.append(describe(run.model))
    if studio.model not in {info.name for info in infos}:
        with suppress(SaysoError):  # it is gone from the disk; the status line says so
            infos.insert(0, describe(studio.model))
    names = [(studio.shown(info.name), info.name) for info in infos]
    return {
        at.table: models_html(studio, infos),
        at.model: gr.Dropdown(names, value=chosen) if chosen else gr.Dropdown(names),
        **_foreign(studio, at),
    }


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
    run = next((run for run in training_folders.trainings(studio) if run.model == name), None)
    if name == "starter" or (name.startswith("local-dir:") and not run):
        raise BadInput("This model lies elsewhere. Only models fetched or made here can be removed.")
    shown = run.name if run else name
    return _ask(at, ("remove", name), f"Remove {shown} from this computer? What it has read stays.", "Remove it")


def _yes(studio: Studio, at: Parts, following: Following, asked: tuple[str, str]) -> Changes:
    """Do what was asked about."""
    from clipcore.models import remove

    what, name = asked
    if what == "get":
        return {**_quiet(at), **following.start("fetch", {"model": name})}
    run = next((run for run in training_folders.trainings(studio) if run.model == name), None)
    if run:
        training_folders.delete_training(studio, run.name)
        words = f"“{run.name}” is deleted."
    else:
        words = f"{name} is removed; {remove(name):,} MB are free again."
    return {**_quiet(at), **_show(studio, at, False, studio.model), at.result: said(words)}


def _rebuild(studio: Studio, at: Parts, name: str | None) -> Changes:
    if not name:
        raise BadInput("Choose a classifier first.")
    record = jobs.rebuild(studio, name)
    sentence = f"“{name}” is rebuilt for this model as version {record.version} ({record.kind}); the version before stays."
    return {**_foreign(studio, at), at.rebuilt: said(sentence)}


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool, everything: bool = False) -> Changes:
    """What a job that is done changes on the page."""
    result = job.result or {}
    words, shown = result.get("sentence", ""), ""
    if job.kind == "switch":
        missing = result.get("missing", 0)
        later = f" It reads {missing:,} images now, in the background." if missing else ""
        words = f"{studio.shown(result['model'])} is in use.{later}"
    elif job.kind == "embed":
        problems = result.get("problems", [])
        left = result.get("missing", 0)
        words = (
            f"This model could not read {left:,} images. {' '.join(problems[:2])}"
            if left
            else "This model has read every image."
        )
    elif job.kind == "self-test":
        words, shown = "", checks_html(studio.shown(result["model"]), result)
    listed = {}
    if job.kind in ("switch", "speed", "fetch"):
        listed = _show(studio, at, everything, studio.model if job.kind == "switch" and is_mine else None)
    return {**listed, at.result: shown or said(words)}


# what the buttons of a row do: a job, or a question first
JOBS = {"use": "switch", "self-test": "self-test", "speed": "speed"}
ASKED = {"get": _ask_get, "remove": _ask_remove}


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
        at.rebuilt: "",
        at.question: gr.HTML("", visible=False),
        at.yes: gr.Button(visible=False),
        at.no: gr.Button(visible=False),
    }


def _foreign(studio: Studio, at: Parts) -> Changes:
    """The classifiers that cannot be used with the model in use, and the offer to make them again."""
    try:
        records = jobs.foreign(studio)
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
