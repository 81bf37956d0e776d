"""Earlier results: a list, the one that is looked at, and Delete, which can be taken back."""

from typing import Any

import gradio as gr

from clipcore import NotFound
from clipcore.measure.intervals import points
from storage import JobRecord, ReportRecord

from ..page_events import Opening
from ..progress import friendly, moment
from ..studio import Studio
from .panel import QUIET, Changes


class Results:
    """The results of one `kind` of measuring, below the section that makes them. `wire` them when it is laid out."""

    def __init__(
        self,
        studio: Studio,
        kind: str,
        title: str,
        words: str,
        element: str = "sayso-report",
        route: str = "/api/reports",
    ) -> None:
        """Lay them out; `title` and `words` are shown while there are none. `element` draws what `route`/ID answers."""
        self.studio, self.kind, self.route = studio, kind, route
        with gr.Row(elem_classes="results-bar"):
            self.list = gr.Dropdown(
                self.choices(),
                value=None,
                label="Results",
                min_width=160,
                filterable=False,
                elem_id=f"{kind}-results",
                visible=bool(self.choices()),
            )
            self.delete = gr.Button("Delete", scale=0, min_width=100, interactive=False, visible=bool(self.choices()))
            self.undo = gr.Button("Undo delete", scale=0, min_width=130, visible=False)
        self.shown = gr.HTML(
            "",
            html_template=f'<{element} src="{{{{value}}}}" heading="{title}" words="{words}"></{element}>',
            apply_default_css=False,
            js_on_load=None,
            elem_classes="results",
            padding=False,
        )
        self.gone = gr.State(None)
        self.known = gr.State(self.choices())
        self.outputs = [self.list, self.delete, self.undo, self.shown, self.gone]

    def choices(self) -> list[tuple[str, int]]:
        """The list: words and id, the newest first."""
        return [(described(record), record.id) for record in self.studio.library.reports.all(self.kind)]

    def show(self, report_id: int) -> Changes:
        """Look at a result."""
        return {
            self.list: gr.Dropdown(self.choices(), value=report_id, visible=True),
            self.shown: f"{self.route}/{report_id}",
            self.delete: gr.Button(interactive=True, visible=True),
        }

    def of_job(self, job: JobRecord) -> Changes:
        """Look at the result of a job that is done."""
        return self.show((job.result or {}).get("report", 0))

    def wire(self, page: Opening, tab: gr.Tab) -> None:
        """Connect what is here."""

        def choose(report_id: int | None) -> Changes:
            return self.show(report_id) if report_id else {self.shown: ""}

        def delete(report_id: int | None) -> Changes:
            if not report_id:
                raise NotFound("Choose a result first.")
            gone = self.studio.library.reports.delete(report_id)
            return {
                self.list: gr.Dropdown(self.choices(), value=None, visible=bool(self.choices())),
                self.shown: "",
                self.delete: gr.Button(interactive=False, visible=bool(self.choices())),
                self.undo: gr.Button(visible=True),
                self.gone: (gone.kind, gone.name, gone.summary, gone.report),
            }

        def undo(gone: Any) -> Changes:
            record = self.studio.library.reports.save(*gone)
            return {**self.show(record.id), self.undo: gr.Button(visible=False), self.gone: None}

        def refresh(known: list[Any]) -> Any:
            there = self.choices()
            if [tuple(row) for row in known] == there:  # an answer that comes late must not undo what a job has shown
                return gr.skip()
            # without a value: what was chosen meanwhile must stay
            return [gr.Dropdown(there, visible=bool(there)), gr.Button(visible=bool(there)), there]

        self.list.input(friendly(choose), self.list, self.outputs, **QUIET)
        self.delete.click(friendly(delete), self.list, self.outputs, **QUIET)
        self.undo.click(friendly(undo), self.gone, self.outputs, **QUIET)
        for event in (page.load, page.select(tab)):
            event(refresh, self.known, [self.list, self.delete, self.known], **QUIET)


def described(record: ReportRecord) -> str:
    """A result in one line."""
    summary = record.summary
    found = f"{points(summary['top1'])} of {summary['n']:,} · " if "top1" in summary else ""
    by = f" by {' and '.join(summary['by'])}" if summary.get("by") and " by " not in record.name else ""
    return f"{record.name}{by} · {found}{moment(record.created)}"
