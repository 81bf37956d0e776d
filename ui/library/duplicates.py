"""The Duplicates panel of the Library tab: one button, progress, and two lists of groups. Nothing is ever deleted."""

import gradio as gr

from storage import JobRecord

from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said
from ..studio import Studio


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the panel out and wire it."""

    def buttons(is_free: bool) -> Changes:
        return {find: gr.Button(interactive=is_free)}

    def show_end(job: JobRecord, is_mine: bool) -> Changes:
        return {following.progress: said(""), groups: _address(job)}

    following = Following(studio, ("duplicates",), end=show_end, busy=lambda: buttons(False), idle=lambda: buttons(True))
    with gr.Accordion("Duplicates", open=False, elem_id="duplicates"):
        with gr.Row(elem_classes="go"):
            find = gr.Button("Find duplicates", size="md", scale=0, min_width=180, elem_id="find-duplicates")
            following.stop_button()
        following.progress_bar(
            "duplicates-progress", said("The same picture and similar pictures, as two lists. Nothing is deleted.")
        )
        groups = gr.HTML(
            "",
            html_template='<sayso-duplicates src="{{value}}"></sayso-duplicates>',
            apply_default_css=False,
            js_on_load=None,
        )
    outputs = [*following.parts, find, groups]
    following.wire(outputs, page, tab)
    find.click(friendly(lambda: following.start("duplicates", {})), None, outputs, **QUIET)

    def last() -> str:
        """What the last search found, also after a reload."""
        jobs = studio.jobs.recent(100)
        done = next((job for job in jobs if job.kind == "duplicates" and job.state == "done"), None)
        return _address(done) if done else ""

    for event in (page.load, page.select(tab)):
        event(friendly(last), None, groups, **QUIET)


def _address(job: JobRecord) -> str:
    return f"/api/duplicates/{job.id}"
