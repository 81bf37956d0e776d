"""Compare: two accuracy reports on the same images. Is one really better, and which images change?"""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..progress import friendly
from ..studio import Studio
from .jobs import keep_comparison
from .panel import QUIET, Changes
from .results import Results, described

HOW = (
    '<p class="subtle">Measure both on the same images first, in Accuracy or Models. They may be different classifiers, '
    "prompts or models.</p>"
)


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    with frame():
        with rail("Compare"):
            with body():
                gr.HTML(HOW)
                first = gr.Dropdown(measured(studio), value=None, label="First", filterable=False)
                second = gr.Dropdown(measured(studio), value=None, label="Second", filterable=False)
            with foot():
                go = gr.Button("Compare", variant="primary", elem_id="compare-go")
        with stage():
            words = "Choose two results on the same images, then Compare."
            results = Results(studio, "compare", "Nothing compared yet", words)
    go.click(friendly(partial(compare, studio, results)), [first, second], results.outputs, **QUIET)
    results.wire(page, tab)
    known = gr.State(measured(studio))
    for event in (page.load, page.select(tab)):
        event(partial(refresh, studio), known, [first, second, known], **QUIET)


def measured(studio: Studio) -> list[tuple[str, int]]:
    """The accuracy reports there are: words and id."""
    return [(described(record), record.id) for record in studio.library.reports.all("accuracy")]


def refresh(studio: Studio, known: list[tuple[str, int]]) -> Any:
    """Both lists with the reports of now; untouched where nothing is new, so that no list moves under a pointer."""
    there = measured(studio)
    if [tuple(row) for row in known] == there:
        return gr.skip()
    return [gr.Dropdown(there), gr.Dropdown(there), there]


def compare(studio: Studio, results: Results, first: int | None, second: int | None) -> Changes:
    """Compare two reports and keep the result."""
    if not first or not second or first == second:
        raise BadInput("Choose two different results. If there is one, measure a second in Accuracy.")
    return results.show(keep_comparison(studio, first, second).id)
