"""The Duplicates panel of the Library tab: one button, progress, and two lists of groups. Nothing is ever deleted."""

from functools import partial
from typing import Any

import gradio as gr

from .progress import friendly, progress_html, said
from .studio import Studio

Changes = dict[Any, Any]


class Parts:
    """The components of this panel that handlers change, by name."""

    find: gr.Button
    progress: gr.HTML
    groups: gr.HTML
    job: gr.State
    timer: gr.Timer


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the panel out and wire it."""
    at = Parts()
    with gr.Accordion("Duplicates", open=False, elem_id="duplicates"):
        at.find = gr.Button("Find duplicates", size="md", elem_id="find-duplicates")
        at.progress = gr.HTML(said("The same picture and similar pictures, as two lists. Nothing is deleted."))
        at.groups = gr.HTML(
            "",
            html_template='<sayso-duplicates src="{{value}}"></sayso-duplicates>',
            apply_default_css=False,
            js_on_load=None,
        )
    at.job = gr.State(0)
    at.timer = gr.Timer(0.5, active=False)
    outputs = list(vars(at).values())
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    at.find.click(friendly(partial(find, studio, at)), None, outputs, **quiet)
    at.timer.tick(friendly(partial(follow, studio, at)), at.job, outputs, **quiet)
    for event in (page.load, tab.select):
        event(friendly(partial(rejoin, studio, at)), None, outputs, **quiet)


def find(studio: Studio, at: Parts) -> Changes:
    """Start to look for duplicates."""
    return _following(studio, at, studio.jobs.submit("duplicates", {}))


def follow(studio: Studio, at: Parts, job_id: int) -> Changes:
    """Draw the progress; when it is over, show the groups."""
    if not job_id:
        return {at.timer: gr.Timer(active=False)}
    job = studio.jobs.get(job_id)
    if not job.over:
        return {at.progress: progress_html(job)}
    quiet = {at.job: 0, at.timer: gr.Timer(active=False), at.find: gr.Button(interactive=True)}
    if job.state != "done":
        return {**quiet, at.progress: said(job.error or "Stopped; look again at any time.", problem=job.state == "failed")}
    return {**quiet, at.progress: "", at.groups: _address(job_id)}


def rejoin(studio: Studio, at: Parts) -> Changes:
    """On load and when the tab is opened: a search that is still at work, or what the last one found."""
    jobs = [job for job in studio.jobs.recent(100) if job.kind == "duplicates"]
    if jobs and not jobs[0].over:
        return _following(studio, at, jobs[0].id)
    done = next((job for job in jobs if job.state == "done"), None)
    return {at.groups: _address(done.id), at.progress: ""} if done else {at.groups: gr.skip()}


def _following(studio: Studio, at: Parts, job_id: int) -> Changes:
    return {
        at.job: job_id,
        at.progress: progress_html(studio.jobs.get(job_id)),
        at.timer: gr.Timer(0.5, active=True),
        at.find: gr.Button(interactive=False),
    }


def _address(job_id: int) -> str:
    return f"/api/duplicates/{job_id}"
