"""The Library tab: folders in, with progress, and the element that searches and shows them (`ui/static/library/grid.js`)."""

import os
import time
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from clipcore import BadInput
from clipcore.pictures.finding import VIDEO, VIDEOS, find_images, is_no_photo, is_picture_name
from storage import JobRecord
from storage.pictures.identity import kept_labels

from ..form_values import keep_fresh, sources
from ..frame import body, foot, frame, place, rail, stage
from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said, stopwatch
from ..studio import Studio
from . import choosing, duplicates

KINDS = ("add", "drop", "watch")  # the jobs that bring pictures in, whoever started them
SEE = ' <button type="button" class="link" data-opens="skipped">See which</button>'


class Parts:
    """The components of this tab that handlers change, by name."""

    grid: gr.HTML
    skipped: gr.HTML


def build(studio: Studio, page: Opening, tab: gr.Tab, tabs: gr.Tabs, source: gr.Dropdown) -> None:
    """Lay the tab out and wire it. `source` is the Classify tab's list of images, for what is selected here."""
    at = Parts()
    following = Following(
        studio,
        KINDS,
        end=lambda *told: show_end(at, following, *told),
        idle=lambda: _fresh(studio, at),
        during=partial(show_more, at),
    )
    with frame("library"):
        with rail("Folders and albums", narrow=True):
            with body():
                place("library")
                with gr.Accordion("Add photos", open=not studio.library.count(), elem_id="add-photos"):
                    path = gr.Textbox(
                        label="Folder on this computer",
                        placeholder="/home/me/Pictures",
                        info="Its pictures are read where they are; nothing is copied or changed.",
                        elem_id="folder-path",
                    )
                    add = gr.Button("Add folder", variant="primary", elem_id="add-folder")
                    gr.HTML("<sayso-chooser></sayso-chooser>", padding=False)
                    upload = gr.UploadButton("Upload a folder", file_count="directory", elem_id="upload-folder")
                    sample = gr.Button("Add the sample photos", elem_id="add-samples")
                duplicates.build(studio, page, tab)
                choose = gr.Column(min_width=0)
                with gr.Accordion("Skipped files and replaced ones", open=False, elem_id="skipped"):
                    at.skipped = gr.HTML()
                # files that are dropped anywhere: ui/static/shared/frame.js puts them in here
                drop = gr.File(file_count="multiple", elem_id="library-drop", type="filepath", show_label=False, height=40)
            with foot():
                following.progress_bar("library-progress")
                following.stop_button()
        with stage():
            at.grid = gr.HTML(
                "",
                html_template='<sayso-grid news="{{value}}"></sayso-grid>',
                apply_default_css=False,
                elem_id="grid",
                js_on_load="element.addEventListener('use', event => trigger('use', event.detail))",
                padding=False,
            )
    with choose:  # it comes here because what is chosen is shown by the grid
        choosing.build(studio, page, tab, tabs, source, at.grid)

    outputs = [*following.parts, *vars(at).values()]
    following.wire(outputs, page, tab)

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, following))

    for event in (add.click, path.submit):
        event(on(add_folder), path, outputs, **QUIET)
    upload.upload(on(take_folder), upload, outputs, **QUIET)
    sample.click(on(add_samples), None, outputs, **QUIET)
    drop.upload(on(take_dropped), drop, outputs, **QUIET).then(lambda: None, None, drop, **QUIET)
    for event in (page.load, page.select(tab)):
        event(friendly(partial(_skipped, studio)), None, at.skipped, **QUIET)

    def use(event: gr.EventData) -> Changes:
        """Choose the selected images on the Classify tab, and go there."""
        chosen = str(event._data)
        return {source: gr.Dropdown(sources(studio, chosen), value=chosen), tabs: gr.Tabs(selected="classify")}

    # what comes in while another tab is open is there to choose as well
    keep_fresh(studio, source, at.grid.change)
    at.grid.use(friendly(use), None, [source, tabs], **QUIET)  # an event of our own


# handlers


def add_folder(studio: Studio, following: Following, path: str) -> Changes:
    """Start to embed a folder, named by its path on the computer that runs Sayso."""
    path = (path or "").strip().strip('"')
    if not path:
        raise BadInput("Type the path of a folder with pictures first.")
    find_images(path)  # says at once if it is not a folder
    return following.start("add", {"folder": path})


def take_folder(studio: Studio, following: Following, files: list[str] | None) -> Changes:
    """Keep the pictures of a folder that the browser sent, for when the page is on another computer than Sayso."""
    seen = [file for file in files or () if not is_no_photo(os.path.basename(file))]
    videos = [[os.path.basename(file), VIDEO] for file in seen if os.path.splitext(file)[1].lower() in VIDEOS]
    pictures = [file for file in seen if is_picture_name(file)]
    if not pictures:
        raise BadInput("There is no picture in that folder; choose one that holds some.")
    return following.start("drop", {"files": studio.keep(pictures), "name": "Uploaded", "passed_over": videos})


def take_dropped(studio: Studio, following: Following, files: list[str] | None) -> Changes:
    """Keep pictures that were dropped on the page, and add them to the library."""
    return following.start("drop", {"files": studio.keep(files or [])})


def add_samples(studio: Studio, following: Following) -> Changes:
    """Start to embed the sample photographs."""
    return following.start("add", {"samples": True, "name": "Sample photos"})


def show_more(at: Parts, job: JobRecord) -> Changes:
    """While pictures come in: tells the grid so whenever there are more than at the last look."""
    return {at.grid: f"{job.id}-{job.done}:more"}


def show_end(at: Parts, following: Following, job: JobRecord, is_mine: bool) -> Changes:
    """What an import brought. The grid goes to its folder; that of another window only looks again where it is."""
    result = job.result or {}
    if job.kind == "watch" and not result["new"]:  # most looks find nothing, and nobody asked for this one
        return {following.progress: ""}
    skipped = f", {len(result['skipped']):,} skipped" if result["skipped"] else ""
    words = f"{result['new']:,} new images, {result['known']:,} already known{skipped}, in {stopwatch(job)}."
    if replaced := result.get("replaced"):
        words += f" {replaced:,} replaced a labelled image and look otherwise."
    if note := result.get("note"):
        words = note
    told = said(words)
    if result["skipped"] or replaced:  # one click away, whatever is open
        told = told.replace("</p>", f"{SEE}</p>")
    return {following.progress: told, at.grid: _news(result["folder_id"] if is_mine else None)}


# what the handlers share


def _fresh(studio: Studio, at: Parts) -> Changes:
    return {at.skipped: _skipped(studio), at.grid: _news()}


def _news(folder_id: int | None = None) -> str:
    """What tells the grid to look again, or to show a folder: no two are the same."""
    return f"{time.monotonic_ns()}:{folder_id or ''}"


def _skipped(studio: Studio, most: int = 200) -> str:
    library = studio.library
    images = library.replaced()
    values = library.labels.of([image.id for image in images[:most]])
    found = [(record.path, record.reason) for record in library.skipped()] + [
        (image.shown_path, kept_labels([label for label, value in values.get(image.id, {}).items() if value == 1]))
        for image in images
    ]
    if not found:
        return said("Every file could be read.")
    rows = "".join(f"<li><b>{escape(path)}</b><br>{escape(reason)}</li>" for path, reason in found[:most])
    more = said(f"and {len(found) - most:,} more") if len(found) > most else ""
    return f'<ul class="skipped">{rows}</ul>{more}'
