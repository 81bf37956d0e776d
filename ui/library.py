"""The Library tab: folders in, progress, search by words, and the grid."""

from functools import partial
from html import escape
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from clipcore import BadInput
from clipcore.images import find_images, is_picture_name
from storage import parse_day, parse_query

from . import duplicates
from .progress import friendly, progress_html, said, stopwatch
from .studio import Studio

Changes = dict[Any, Any]
EVERYWHERE = "everywhere"
SORTS = [("Best match", "relevance"), ("Newest first", "newest"), ("Oldest first", "oldest")]


class Parts:
    """The components of this tab that handlers change, by name."""

    path: gr.Textbox
    progress: gr.HTML
    stop: gr.Button
    words: gr.Textbox
    folder: gr.Dropdown
    name: gr.Textbox
    since: gr.Textbox
    until: gr.Textbox
    sort: gr.Dropdown
    grid: gr.HTML
    skipped: gr.HTML
    job: gr.State
    timer: gr.Timer


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    at = Parts()
    with gr.Row(elem_classes="bar"):
        at.path = gr.Textbox(
            label="Folder on this computer",
            placeholder="/home/me/Pictures",
            info="Its pictures are read where they are; nothing is copied or changed.",
            scale=4,
            min_width=260,
        )
        add = gr.Button("Add folder", variant="primary", scale=0, min_width=150)
        upload = gr.UploadButton("Upload a folder", file_count="directory", scale=0, min_width=160, elem_id="upload-folder")
        sample = gr.Button("Add the sample photos", scale=0, min_width=210)
        at.stop = gr.Button("Stop", variant="stop", scale=0, min_width=110, visible=False)
    at.progress = gr.HTML("", elem_id="library-progress")
    with gr.Row(elem_classes="bar"):
        at.words = gr.Textbox(
            label="Search by words",
            placeholder='a dog on a beach, or 2*dog + beach - "red car"',
            scale=3,
            min_width=240,
            elem_id="words",
        )
        at.folder = gr.Dropdown(_folders(studio), value=EVERYWHERE, label="In", scale=2, min_width=160, filterable=False)
        find = gr.Button("Search", scale=0, min_width=120, elem_id="find")
        forget = gr.Button("Forget this folder", scale=0, min_width=170)
    with gr.Accordion("Filter and sort", open=False), gr.Row(elem_classes="bar"):
        at.name = gr.Textbox(label="File name contains", placeholder="IMG_20", scale=2, min_width=160)
        at.since = gr.Textbox(label="From day", placeholder="2024-05-01", scale=1, min_width=130)
        at.until = gr.Textbox(label="To day", placeholder="2024-05-31", scale=1, min_width=130)
        at.sort = gr.Dropdown(SORTS, value="relevance", label="Sort by", scale=1, min_width=150, filterable=False)
    at.grid = gr.HTML(
        _everything(EVERYWHERE),
        html_template='<sayso-grid src="{{value}}"></sayso-grid>',
        apply_default_css=False,
        elem_id="grid",
        js_on_load=None,
    )
    duplicates.build(studio, page, tab)
    with gr.Accordion("Skipped files", open=False):
        at.skipped = gr.HTML(partial(_skipped, studio))
    at.job = gr.State(0)
    at.timer = gr.Timer(0.5, active=False)

    outputs = list(vars(at).values())
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, at))

    for event in (add.click, at.path.submit):
        event(on(add_folder), at.path, outputs, **quiet)
    upload.upload(on(take_folder), upload, outputs, **quiet)
    sample.click(on(add_samples), None, outputs, **quiet)
    at.stop.click(on(stop), at.job, outputs, **quiet)
    at.timer.tick(on(follow), at.job, outputs, **quiet)
    asked = [at.folder, at.words, at.name, at.since, at.until, at.sort]
    submits = (field.submit for field in (at.words, at.name, at.since, at.until))
    for event in (find.click, *submits, at.folder.input, at.sort.input):
        event(on(search), asked, outputs, **quiet)
    forget.click(on(forget_folder), at.folder, outputs, **quiet)
    for event in (page.load, tab.select):
        event(on(rejoin), asked, outputs, **quiet)


# handlers


def add_folder(studio: Studio, at: Parts, path: str) -> Changes:
    """Start to embed a folder, named by its path on the computer that runs Sayso."""
    path = (path or "").strip().strip('"')
    if not path:
        raise BadInput("Type the path of a folder with pictures first.")
    find_images(path)  # says at once if it is not a folder
    return _follow_job(studio, at, studio.jobs.submit("add", {"folder": path}))


def take_folder(studio: Studio, at: Parts, files: list[str] | None) -> Changes:
    """Keep the pictures of a folder that the browser sent, for when the page is on another computer than Sayso."""
    kept = studio.keep([file for file in files or () if is_picture_name(file)])
    return _follow_job(studio, at, studio.jobs.submit("drop", {"files": kept, "name": "Uploaded"}))


def add_samples(studio: Studio, at: Parts) -> Changes:
    """Start to embed the sample photographs."""
    return _follow_job(studio, at, studio.jobs.submit("add", {"samples": True, "name": "Sample photos"}))


def follow(studio: Studio, at: Parts, job_id: int) -> Changes:
    """Draw the job's progress; when it is over, say what came of it and show the folder."""
    if not job_id:
        return {at.timer: gr.Timer(active=False)}
    job = studio.jobs.get(job_id)
    if not job.over:
        return {at.progress: progress_html(job)}
    folder = EVERYWHERE
    if job.state == "failed":
        words = said(job.error or "That did not work.", problem=True)
    elif job.state == "cancelled":
        words = said("Stopped. What was embedded so far is kept; add the folder again to go on.")
    else:
        result = job.result or {}
        folder = str(result["folder_id"])
        skipped = f", {len(result['skipped']):,} skipped" if result["skipped"] else ""
        words = said(f"{result['new']:,} new images, {result['known']:,} already known{skipped}, in {stopwatch(job)}.")
    return {
        **_fresh(studio, at, folder),
        at.progress: words,
        at.job: 0,
        at.timer: gr.Timer(active=False),
        at.stop: gr.Button(visible=False),
        at.grid: _everything(folder),
    }


def stop(studio: Studio, at: Parts, job_id: int) -> Changes:
    """Ask the job to end at its next step; `follow` says so when it has."""
    if job_id:
        studio.jobs.cancel(job_id)
    return {at.stop: gr.Button(visible=False)}


def search(studio: Studio, at: Parts, folder: str, *asked: str) -> Changes:
    """Point the grid at the answer; mistakes are said here, before the grid asks."""
    return {at.grid: _address(folder, *asked), at.skipped: _skipped(studio)}


def forget_folder(studio: Studio, at: Parts, folder: str) -> Changes:
    """Take the chosen folder out of the library; the files stay where they are."""
    if folder == EVERYWHERE:
        raise BadInput("Choose the folder to forget in the list first; its files stay where they are.")
    name = next((record.name for record in studio.library.folders() if str(record.id) == folder), "The folder")
    studio.library.remove_folder(int(folder))
    return {
        **_fresh(studio, at, EVERYWHERE),
        at.grid: _everything(EVERYWHERE),
        at.progress: said(f"{name} was taken out of the library. Its files are untouched; add it again at any time."),
    }


def rejoin(studio: Studio, at: Parts, folder: str, *asked: str) -> Changes:
    """On load and when the tab is opened: fresh lists, and any import still at work."""
    folder = folder if folder in dict(map(reversed, _folders(studio))) else EVERYWHERE
    fresh = _fresh(studio, at, folder)
    active = [job for job in studio.jobs.active() if job.kind in ("add", "drop")]
    return {**fresh, **_follow_job(studio, at, active[-1].id)} if active else {**fresh, at.grid: _address(folder, *asked)}


# what the handlers share


def _follow_job(studio: Studio, at: Parts, job_id: int) -> Changes:
    return {
        at.job: job_id,
        at.progress: progress_html(studio.jobs.get(job_id)),
        at.timer: gr.Timer(0.5, active=True),
        at.stop: gr.Button(visible=True),
    }


def _fresh(studio: Studio, at: Parts, folder: str) -> Changes:
    return {at.folder: gr.Dropdown(_folders(studio), value=folder), at.skipped: _skipped(studio)}


def _everything(folder: str) -> str:
    return "/api/images" if folder == EVERYWHERE else f"/api/images?folder={int(folder)}"


def _address(folder: str, words: str, name: str, since: str, until: str, sort: str) -> str:
    """Where the grid fetches what was asked for. Raises BadInput for a query or a day that cannot be meant."""
    words = (words or "").strip()
    if words:
        parse_query(words)
    days = {"since": parse_day(since or ""), "until": parse_day(until or "")}
    asked = {"q": words, "folder": "" if folder == EVERYWHERE else folder, "name": (name or "").strip(), **days}
    asked["sort"] = "" if sort == "relevance" else sort
    query = urlencode({key: value for key, value in asked.items() if value})
    return f"/api/{'search' if words else 'images'}{'?' * bool(query)}{query}"


def _folders(studio: Studio) -> list[tuple[str, str]]:
    everywhere = (f"All folders ({studio.library.count():,})", EVERYWHERE)
    return [everywhere, *((f"{folder.name} ({folder.images:,})", str(folder.id)) for folder in studio.library.folders())]


def _skipped(studio: Studio, most: int = 200) -> str:
    records = studio.library.skipped()
    if not records:
        return said("Every file could be read.")
    rows = "".join(f"<li><b>{escape(record.path)}</b><br>{escape(record.reason)}</li>" for record in records[:most])
    more = said(f"and {len(records) - most:,} more") if len(records) > most else ""
    return f'<ul class="skipped">{rows}</ul>{more}'
