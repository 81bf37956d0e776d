"""The Classify tab: names and prompts in, a board with a column per class out."""

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput, SaysoError, format_labels, pack, parse_labels, parse_templates
from clipcore.classify.prompts import DEFAULT_PACK
from storage import JobRecord

from ..form_values import ALL, OWN, UNCHECKED, keep_fresh, pack_of, saved, selection, sources, wanted
from ..frame import body, drawer, foot, frame, place, rail, stage
from ..job_watch import QUIET, Changes, Following
from ..models import offer
from ..page_events import Opening
from ..progress import friendly, said, stopwatch
from ..samples import LABELS as SAMPLE_LABELS
from ..sessions import switcher
from ..sessions.fields import belongs, session_of
from ..sessions.label_sets import require_own
from ..studio import Studio
from . import export_panel, ready, staleness, versions

KINDS = ("classify", "drop")
QUICK = 1.5  # seconds a click waits for its job, so that small work never shows a progress bar


class Parts:
    """The components of this tab that handlers change, by name."""

    session: gr.HTML
    labels: gr.Textbox
    pack: gr.Dropdown
    templates: gr.Textbox
    many: gr.Checkbox
    preview: gr.HTML
    advice: gr.HTML
    source: gr.Dropdown
    go: gr.Button
    board: gr.HTML
    run: gr.State
    saved: gr.Dropdown
    jobs: Following


def build(studio: Studio, page: Opening, tab: gr.Tab, tabs: gr.Tabs) -> gr.Dropdown:
    """Lay the tab out and wire it. Returns the Images list, in which the Library tab may choose."""
    at = Parts()
    at.jobs = Following(
        studio,
        is_ours,
        end=partial(show_end, studio, at),
        wait=QUICK,
        others=False,  # what someone sorts in another window does not belong on this board
        busy=lambda: {at.go: gr.Button(interactive=False)},
        idle=lambda: {at.go: gr.Button(interactive=True)},
        belongs=belongs,
    )
    with frame("classify"):
        with rail("Set up"):
            with body():
                with gr.Column(elem_id="session", elem_classes="part"):  # the place of the session: its name and others
                    at.session = switcher.layout()
                with gr.Column(elem_classes="part"):
                    at.source = gr.Dropdown(
                        sources(studio),
                        value=ALL,
                        label="Images",
                        filterable=False,
                        elem_id="source",
                    )
                    drop = gr.File(
                        label="Drop images",
                        file_count="multiple",
                        height=40,
                        elem_id="drop",
                        type="filepath",
                        show_label=False,
                    )
                with gr.Column(elem_classes="part"):
                    at.labels = gr.Textbox(
                        label="Class names",
                        placeholder="cat, dog, rabbit",
                        info="Type or paste names, with commas or line breaks between them. dog = puppy | hound gives "
                        'a class other names. A comma in a name needs quotes: "tench, Tinca tinca".',
                        lines=2,
                        max_lines=8,
                        elem_id="labels",
                    )
                    _element("sayso-classes", "classes")
                    at.advice = _element("sayso-names", "advice")
                    _element("sayso-nearest", "nearest")
                    at.many = gr.Checkbox(
                        False,
                        label="An image can have several of these",
                        info="Otherwise each image gets one class.",
                        elem_id="many",
                    )
                    with gr.Accordion("Prompts", open=False):
                        at.pack = gr.Dropdown(
                            [(f"{name}: {about}", name) for name, about in PACKS.items()] + [(OWN, OWN)],
                            value=DEFAULT_PACK,
                            label="Prompt pack",
                            filterable=False,
                        )
                        at.templates = gr.Textbox(
                            "\n".join(pack(DEFAULT_PACK).templates),
                            label="Templates",
                            info="One a line; {label} stands for the name. Together they describe a class.",
                            lines=4,
                            max_lines=12,
                            elem_id="templates",
                        )
                        at.preview = gr.HTML(describe_prompts("", "\n".join(pack(DEFAULT_PACK).templates))[1])
                    ready.build(at.labels, at.templates)
                place("lesson")
            with foot():
                at.jobs.progress_bar("classify-progress")
                stale = gr.HTML("", elem_id="stale")
                at.go = gr.Button("Classify", variant="primary", elem_id="go")
                at.jobs.stop_button()
        with stage():
            at.board = _element("sayso-board", "board", "run")
            with gr.Row(elem_id="first-steps"):
                sample = gr.Button("Try the sample photos", scale=0, min_width=190)
                gr.Button("Take the tour", scale=0, min_width=130, elem_id="tour")
                library = gr.Button("Choose a folder", scale=0, min_width=150)
                gr.Button("Open a saved classifier", scale=0, min_width=190, elem_classes="opens-drawer")
                offer.build(studio, page, tabs)
        at.run = gr.State("")
        typed = [at.labels, at.templates, at.many]
        with drawer("Save and export"):
            place("downloads")
            at.saved, reuse = versions.build(studio, at.run, typed, at.board)
            export_panel.build(studio, page, tab, at.run, typed, at.board, at.saved)

    ran = [at.go, at.board, at.run, *at.jobs.parts]
    prompts = [at.labels, at.templates]
    asked = [*typed, at.session]

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, at))

    wanted_now = [*typed, at.source, at.run, at.session]
    at.go.click(on(classify), wanted_now, ran, api_name="classify", show_progress="hidden", **UNCHECKED)
    at.labels.submit(on(classify), wanted_now, ran, **QUIET, **UNCHECKED)
    sample.click(on(classify_samples), asked, [at.labels, at.source, *ran], **QUIET)
    library.click(lambda: gr.Tabs(selected="library"), None, tabs, **QUIET)
    drop.upload(on(take_files), [drop, *asked], [at.source, *ran], **QUIET).then(lambda: None, None, drop, **QUIET)
    at.pack.input(on(choose_pack), at.pack, at.templates, **QUIET)
    # one listener for both, and the last state wins: two answers that overtake each other would leave a wrong one
    changes = [at.labels.change, at.templates.change]
    gr.on(changes, describe_prompts, prompts, [at.pack, at.preview, at.advice], trigger_mode="always_last", **QUIET)
    shown = [part.change for part in (at.board, *typed, at.source)]
    of_board = [at.run, *typed, at.source]
    gr.on(
        shown,
        friendly(partial(staleness.describe, studio)),
        of_board,
        stale,
        trigger_mode="always_last",
        **QUIET,
        **UNCHECKED,
    )
    reuse.click(on(use_saved), [at.saved, at.source, at.session], [*typed, *ran], **QUIET, **UNCHECKED)
    # another tab, or another window, may have added folders meanwhile
    keep_fresh(studio, at.source, at.source.change, page.blocks.load, tab.select)
    page.load(lambda: gr.Dropdown(saved(studio)), None, at.saved)
    at.jobs.wire([at.source, *ran], page, tab, asked=asked)
    sheet = switcher.Sheet(at.session, at.labels, at.templates, at.many, at.source, at.board, at.run, at.go, at.jobs)
    switcher.wire(studio, page, sheet, is_ours)
    return at.source


def _element(tag: str, name: str, attribute: str = "state") -> gr.HTML:
    """An element of ours, which is told of a change by one attribute."""
    template = f'<{tag} {attribute}="{{{{value}}}}"></{tag}>'
    return gr.HTML("", html_template=template, apply_default_css=False, elem_id=name, js_on_load=None, padding=False)


# handlers


def classify(
    studio: Studio, at: Parts, typed: str, templates: str, many: bool, source: str, run: str = "", session: str = ""
) -> Changes:
    """Check what was typed, then start the job; most are over before this returns. What taught the board of `run` stays."""
    told = {"after": run, "session": session_of(session)}
    payload = {**wanted(typed, templates, many), **selection(studio, source), **told}
    if told["session"]:
        require_own(studio, studio.library.sessions.get(told["session"]), payload["labels"])
    return at.jobs.start("classify", payload, typed, templates, many, session)


def classify_samples(studio: Studio, at: Parts, typed: str, templates: str, many: bool, session: str) -> Changes:
    """Put the sample photos into the library; they are classified when they are in."""
    labels = (typed or "").strip() or SAMPLE_LABELS
    payload = {"samples": True, "name": "Sample photos", "labels": labels, "session": session_of(session)}
    return {**at.jobs.start("add", payload, labels, templates, many, session), at.labels: labels}


def take_files(
    studio: Studio, at: Parts, files: list[str] | None, typed: str, templates: str, many: bool, session: str
) -> Changes:
    """Keep dropped files in the home folder; they are embedded by a job and classified when they are in."""
    payload = {"files": studio.keep(files or []), "session": session_of(session)}
    return at.jobs.start("drop", payload, typed, templates, many, session)


def is_ours(job: JobRecord) -> bool:
    """Whether this tab starts and follows such a job: also an "add" that names labels."""
    return job.kind in KINDS or (job.kind == "add" and bool(job.payload.get("labels")))


def show_end(
    studio: Studio,
    at: Parts,
    job: JobRecord,
    is_mine: bool,
    typed: str,
    templates: str,
    many: bool = False,
    session: str = "",
) -> Changes:
    """Show what came of a job, or go on to classify what came in. What was begun in another session is that one's."""
    if not is_mine or not belongs(job, session):
        return {at.jobs.progress: ""}
    if job.kind != "classify":
        return _sort_what_came_in(studio, at, job, typed, templates, many, session)
    run = (job.result or {}).get("run", "")
    number = session_of(session)
    if run and number and job.payload.get("session") is None:  # begun in the first moment, before there was one
        studio.library.sessions.show(number, run)
    return {at.jobs.progress: said(f"Sorted in {stopwatch(job)}."), at.board: run, at.run: run}


def _sort_what_came_in(
    studio: Studio, at: Parts, job: JobRecord, typed: str, templates: str, many: bool, session: str
) -> Changes:
    """A drop or the samples are in: choose them as the images and, if there are names, sort them at once."""
    result = job.result or {}
    if job.kind == "drop":
        ids = result["image_ids"]
        if not ids:
            return {at.jobs.progress: said(_none_readable(result["skipped"]), problem=True)}
        source = "ids:" + ",".join(map(str, ids))
    else:
        source = f"folder:{result['folder_id']}"
        typed = typed or result.get("labels") or ""
    chosen = {at.source: gr.Dropdown(sources(studio, source), value=source)}
    if not (typed or "").strip():
        return {**chosen, at.jobs.progress: said("The images are in. Type class names, then choose Classify.")}
    try:
        payload = wanted(typed, templates, many)
    except SaysoError as error:  # this runs on a clock: said once in place, not as a toast at every tick
        return {**chosen, at.jobs.progress: said(error.page, problem=True)}
    payload = {**payload, "skipped": result["skipped"], **selection(studio, source), "session": session_of(session)}
    return {**at.jobs.start("classify", payload, typed, templates, many, session), **chosen}


def describe_prompts(typed: str, templates: str) -> tuple[str, str, str]:
    """The pack that the templates are, what the text tower will read for the first class or what is wrong, and a mark of
    both fields, which changes with them: by it the element that gives advice knows that there is something new."""
    mark = sha256(f"{typed}\n\n{templates}".encode()).hexdigest()[:16] if typed.strip() else ""
    try:
        labels, synonyms = parse_labels(typed or "cat")
        prompts = parse_templates(templates).with_synonyms(synonyms)
        prompts = prompts.among(labels) if typed.strip() else prompts
    except SaysoError as error:
        return OWN, said(error.page, problem=True), mark
    texts = prompts.texts(labels[0])
    more = f" and {len(texts) - 2} more" if len(texts) > 2 else ""
    reads = said("Reads as: " + " / ".join(texts[:2]) + more)
    return pack_of(prompts), reads, mark


def choose_pack(studio: Studio, at: Parts, name: str) -> Any:
    """Show a pack's templates, to be used or changed; one's own stay as they are."""
    return gr.skip() if name == OWN else "\n".join(pack(name).templates)


def use_saved(studio: Studio, at: Parts, name: str | None, source: str, session: str = "") -> Changes:
    """Put a saved classifier's names and prompts back on the page and sort the chosen images with them."""
    if not name:
        raise BadInput("Choose a saved classifier first.")
    classifier = studio.library.classifier(name)
    prompts = classifier.prompts
    names = format_labels(classifier.labels, prompts.synonyms, "\n" if prompts.synonyms else ", ")
    templates = "\n".join(prompts.templates)
    payload = {"classifier": name, **selection(studio, source), "session": session_of(session)}
    started = at.jobs.start("classify", payload, names, templates, classifier.decision.many, session)
    return {**started, at.labels: names, at.templates: templates, at.many: classifier.decision.many}


def _none_readable(skipped: list[Any]) -> str:
    reasons = "; ".join(f"{Path(path).name}: {reason}" for path, reason in skipped[:3])
    return f"None of the {len(skipped)} files could be read. {reasons}"
