"""What every section does alike: start a job, draw its progress, stop it, and find it again after a reload."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from storage import JobRecord

from ..page_events import Opening
from ..progress import friendly, progress_html, said
from ..studio import Studio

Changes = dict[Any, Any]
QUICK = 1.5  # seconds a click waits for its job, so that small work never shows a progress bar
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


class Panel:
    """The button that starts the jobs of one `kind`, Stop, and the progress. `wire` it when the section is laid out."""

    def __init__(self, studio: Studio, kind: str, go: str) -> None:
        """Lay it out; `go` is what the button says."""
        self.studio, self.kind = studio, kind
        self.progress = gr.HTML("", elem_classes="job-progress")
        self.go = gr.Button(go, variant="primary", elem_id=f"{kind}-go")
        self.stop = gr.Button("Stop", variant="stop", visible=False)
        self.job = gr.State(0)
        self.timer = gr.Timer(0.5, active=False)

    def wire(
        self,
        page: Opening,
        inputs: Sequence[Any],
        payload: Callable[..., dict[str, Any]],
        show: Callable[[JobRecord], Changes],
        outputs: Sequence[Any],
    ) -> None:
        """`payload` makes a job from the inputs' values or raises a SaysoError; `show` draws what a finished job found."""
        own = [self.go, self.stop, self.progress, self.job, self.timer]
        everything = [*own, *outputs]

        def start(*values: Any) -> Changes:
            return self._follow(self.studio.jobs.submit(self.kind, payload(*values)), show, QUICK)

        def follow(job_id: int) -> Changes:
            return self._follow(job_id, show) if job_id else {self.timer: gr.Timer(active=False)}

        def stop(job_id: int) -> Changes:
            self.studio.jobs.cancel(job_id)
            self.studio.jobs.wait(job_id, 3)
            return self._follow(job_id, show)

        def rejoin() -> Changes:
            active = [job for job in self.studio.jobs.active() if job.kind == self.kind]
            return self._follow(active[-1].id, show) if active else {self.progress: gr.skip()}

        self.go.click(friendly(start), list(inputs), everything, **QUIET)
        self.stop.click(friendly(stop), self.job, everything, **QUIET)
        self.timer.tick(friendly(follow), self.job, everything, **QUIET)
        page.load(rejoin, None, everything)

    def _follow(self, job_id: int, show: Callable[[JobRecord], Changes], wait: float = 0) -> Changes:
        job = self.studio.jobs.wait(job_id, wait)
        if not job.over:
            return {
                self.job: job_id,
                self.progress: progress_html(job),
                self.timer: gr.Timer(0.5, active=True),
                self.stop: gr.Button(visible=True),
                self.go: gr.Button(interactive=False),
            }
        idle = {
            self.job: 0,
            self.timer: gr.Timer(active=False),
            self.stop: gr.Button(visible=False),
            self.go: gr.Button(interactive=True),
        }
        if job.state == "done":
            return {**idle, self.progress: "", **show(job)}
        failed = job.state == "failed"
        return {**idle, self.progress: said((job.error or "That did not work.") if failed else "Stopped.", problem=failed)}
