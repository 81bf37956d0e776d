"""Below the board: put the images into class folders, write sidecars or ONNX, and bring in classifiers and labels."""

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import BadInput, SpaceMismatch
from storage import JobRecord
from storage.export import Plan

from ..form_values import saved
from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said
from ..studio import Studio
from . import export_jobs
from .export_jobs import FOLDERS, ONNX, TOLD, XMP, YOLO, Wish
from .staleness import require_shown

WHAT = (
    ("A folder for each class", FOLDERS),
    ("Keywords in XMP sidecars", XMP),
    ("Folders for YOLO training", YOLO),
    ("Model and classifier as ONNX", ONNX),
)
HOW = (("Copy", "copy"), ("Hard links", "link"), ("Symbolic links", "symlink"), ("Move", "move"))
NAMING = (("digiKam (photo.jpg.xmp)", "digikam"), ("Lightroom (photo.xmp)", "lightroom"), ("Both", "both"))


class Parts:
    """The components of this part that handlers change, by name."""

    folder: gr.Textbox
    how: gr.Radio
    naming: gr.Radio
    mine: gr.Checkbox
    prepares: gr.Checkbox
    plan: gr.HTML
    undo: gr.Button
    news: gr.HTML
    file: gr.State
    rebuild: gr.Button
    saved: gr.Dropdown


def build(
    studio: Studio, page: Opening, tab: gr.Tab, run: gr.State, typed: list[Any], board: gr.HTML, chosen: gr.Dropdown
) -> None:
    """Lay it out and wire it. `typed` are the fields whose names the `board` must show before it is exported; `chosen` is
    the list of saved classifiers, into which an imported one comes."""
    export_jobs.register(studio)
    at = Parts()
    at.saved = chosen
    following = Following(studio, export_jobs.KINDS, partial(_end, studio, at), wait=1.5, others=False)
    with gr.Accordion("Export", open=False, elem_id="export"):
        what = gr.Radio(list(WHAT), value=FOLDERS, label="What to make")
        with gr.Row():
            at.folder = gr.Textbox(
                label="Folder on this computer",
                placeholder="/home/me/sorted",
                info="Each class gets a folder in it. Nothing is ever overwritten.",
                min_width=260,
            )
            at.how = gr.Radio(
                list(HOW), value="copy", label="How", info="Labels go along with what is moved.", min_width=260
            )
            at.naming = gr.Radio(
                list(NAMING),
                value="digikam",
                label="Name of the sidecars",
                info="They lie beside the images, which are not touched; what they say already stays.",
                visible=False,
            )
        at.mine = gr.Checkbox(False, label="Only images that I labelled")
        at.prepares = gr.Checkbox(
            False,
            label="The file prepares images itself",
            info="It then takes one image of any size at a time. Otherwise it takes many, already scaled.",
            visible=False,
        )
        with gr.Row(elem_classes="go"):
            show = gr.Button("Show what would change", scale=0, min_width=210)
            go = gr.Button("Export", variant="primary", scale=0, min_width=120, elem_id="export-go")
            at.undo = gr.Button("Take the last export back", scale=0, min_width=220, visible=False)
            following.stop_button()
        following.progress_bar("export-progress")
        at.plan = gr.HTML("", elem_id="export-plan")
    with gr.Accordion("Import", open=False, elem_id="import"):
        gr.HTML(
            '<p class="subtle">A classifier (.safetensors) that someone made with the same model. Or labels for this '
            "library: COCO or Label Studio's JSON. Or a table with the columns path and label.</p>"
        )
        with gr.Row(elem_classes="go"):
            take = gr.UploadButton(
                "Choose a file",
                file_types=[".safetensors", ".csv", ".tsv", ".txt", ".json"],
                scale=0,
                min_width=160,
                elem_id="import-file",
            )
            at.rebuild = gr.Button("Make one like it for this model", scale=0, min_width=260, visible=False)
        at.news = gr.HTML("", elem_id="import-news")
        at.file = gr.State("")
    fields = [at.folder, at.how, at.naming, at.mine, at.prepares, at.plan]
    made = [at.plan, at.undo, *following.parts]
    brought = [at.news, at.file, at.rebuild, at.saved]

    def on(handler: Callable[..., Changes]) -> Any:
        return friendly(partial(handler, studio, at))

    def start(prepares: bool, *asked: Any) -> Changes:
        wish = export_jobs.checked(_wish(studio, *asked))
        if wish.what == ONNX:
            return {at.plan: "", **following.start("export-onnx", {"run": wish.run, "pictures": bool(prepares)})}
        return {at.plan: "", **following.start("export", export_jobs.export_payload(studio, wish))}

    asked = [*typed, run, what, at.folder, at.how, at.naming, at.mine]
    board.change(None, None, at.plan, js="() => ''", **QUIET)  # it spoke of the board of before
    what.input(partial(_fields, at), what, fields, **QUIET)
    show.click(on(_show), asked, made, **QUIET)
    go.click(friendly(start), [at.prepares, *asked], made, **QUIET)
    at.undo.click(friendly(lambda: {at.plan: "", **following.start("export-undo", {})}), None, made, **QUIET)
    take.upload(on(_take), take, brought, **QUIET)
    at.rebuild.click(on(_rebuild), at.file, brought, **QUIET)
    page.load(lambda: _undo_button(studio), None, at.undo)
    following.wire(made, page, tab)


# handlers


def _fields(at: Parts, what: str) -> Changes:
    """The fields that this kind of export needs."""
    sorts = what in (FOLDERS, YOLO)
    return {
        at.folder: gr.Textbox(visible=sorts),
        at.how: gr.Radio(list(HOW[:3] if what == YOLO else HOW), value="copy", visible=sorts),
        at.naming: gr.Radio(visible=what == XMP),
        at.mine: gr.Checkbox(visible=what != ONNX),
        at.prepares: gr.Checkbox(visible=what == ONNX),
        at.plan: "",
    }


def _show(studio: Studio, at: Parts, *asked: Any) -> Changes:
    """The plan, before anything is changed."""
    wish = _wish(studio, *asked)
    if wish.what == ONNX:
        return {at.plan: said("One file that holds this board's classifier, and the model's half that reads images.")}
    return {at.plan: plan_html(export_jobs.plan_of(studio, wish))}


def plan_html(plan: Plan) -> str:
    """What an export would do: counts, the first files, and what is left as it is."""
    rows = "".join(f"<li>{escape(str(change))}</li>" for change in plan.changes[:TOLD])
    more = said(f"and {len(plan.changes) - TOLD:,} more") if len(plan.changes) > TOLD else ""
    left = _listed([(row.path, row.reason) for row in plan.left], f"{len(plan.left):,} images are left as they are")
    head = said(f"{len(plan.changes):,} files would be made. Nothing has been changed yet.")
    return f'{head}<ul class="skipped">{rows}</ul>{more}{left}'


def _take(studio: Studio, at: Parts, file: str) -> Changes:
    """A classifier is kept under its file's name; of another model, one like it is on offer. Labels are one step."""
    name = Path(file).stem
    if not file.lower().endswith(".safetensors"):
        found = export_jobs.bring_labels(studio, file)
        words = f"{found.pictures:,} images with {len(found.labels):,} labels, {found.changed:,} of them new or changed."
        unknown = _listed([(row.path, row.reason) for row in found.unknown], f"{len(found.unknown):,} images are not here")
        words = " ".join([words, *found.notes])
        return {at.news: said(words) + unknown, at.rebuild: gr.Button(visible=False)}
    try:
        record = export_jobs.bring_classifier(studio, file, name)
    except SpaceMismatch as error:
        return {at.news: said(error.page, problem=True), at.rebuild: gr.Button(visible=True), at.file: file}
    return _came(studio, at, record.name, f"“{record.name}” is among the saved classifiers, version {record.version}.")


def _rebuild(studio: Studio, at: Parts, file: str) -> Changes:
    if not file:
        raise BadInput("Choose a classifier's file first.")
    record = export_jobs.rebuild_classifier(studio, file, Path(file).stem)
    words = (
        f"“{record.name}” was made again for this model, as version {record.version}. "
        "It has the same names and prompts, and learned from your labels."
    )
    return _came(studio, at, record.name, words)


def _came(studio: Studio, at: Parts, name: str, words: str) -> Changes:
    return {
        at.saved: gr.Dropdown(saved(studio), value=name),
        at.news: said(words),
        at.rebuild: gr.Button(visible=False),
        at.file: "",
    }


def _end(studio: Studio, at: Parts, job: JobRecord, is_mine: bool) -> Changes:
    """What came of an export or of taking one back."""
    result = job.result or {}
    failed = result.get("failed", [])
    shown = said(result.get("sentence", "")) + _listed(failed, f"{len(failed):,} could not be done")
    if file := result.get("file"):
        shown += (
            f'<p class="said"><a href="/api/exports/{escape(file)}?job={job.id}" download>Download {escape(file)}</a></p>'
        )
    return {at.plan: shown, at.undo: _undo_button(studio)}


# what they share


def _wish(studio: Studio, typed: str, templates: str, many: bool, *asked: Any) -> Wish:
    wish = Wish(*asked)
    require_shown(studio, wish.run, typed, templates, many)
    return wish


def _undo_button(studio: Studio) -> gr.Button:
    return gr.Button(visible=export_jobs.last_export(studio) is not None)


def _listed(rows: list[Any], words: str) -> str:
    """Files with a reason each, folded away."""
    if not rows:
        return ""
    items = "".join(f"<li><b>{escape(path)}</b><br>{escape(reason)}</li>" for path, reason in rows[:TOLD])
    return f'<details><summary class="said">{escape(words)}</summary><ul class="skipped">{items}</ul></details>'
