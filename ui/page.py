"""The page: masthead and tabs. Each tab is a module with its layout on top and its handlers below."""

from functools import partial
from html import escape
from pathlib import Path

import gradio as gr

from . import bias, classify, library, measure, models
from .studio import Studio

# every part is asked for at once: an import found only inside another waits a round trip more, while the model loads
HEAD = "".join(
    f'<link rel="modulepreload" href="/elements/{file.name}">'
    for file in sorted(Path(__file__).with_name("static").glob("*.js"))
)
HEAD += "".join(
    f'<script type="module" src="/elements/{name}.js"></script>'
    for name in ("board", "changes", "grid", "duplicates", "measure", "bias", "names")
)
MASTHEAD = '<h1>Sayso</h1><p class="subtle">Roll your own image classifier: type names, see your photos sorted.</p>'


def build(studio: Studio) -> gr.Blocks:
    """The whole page, wired to the studio."""
    with gr.Blocks(title="Sayso", fill_width=True, analytics_enabled=False) as page:
        with gr.Row(elem_id="masthead"):
            gr.HTML(MASTHEAD)
            status = gr.HTML(partial(_status, studio), elem_id="status")
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Classify", id="classify") as classify_tab:
                source = classify.build(studio, page, classify_tab)
            with gr.Tab("Library", id="library") as library_tab:
                library.build(studio, page, library_tab, tabs, source)
            with gr.Tab("Measure", id="measure") as measure_tab:
                measure.build(studio, page, measure_tab)
            with gr.Tab("Bias", id="bias") as bias_tab:
                bias.build(studio, page, bias_tab)
            with gr.Tab("Models", id="models") as models_tab:
                models.build(studio, page, models_tab)
        clock = gr.Timer(2)
        clock.tick(partial(_status, studio), None, status, show_progress="hidden", api_visibility="private")
    return page


def _status(studio: Studio) -> str:
    return f'<p class="subtle" role="status">{escape(studio.status())}</p>'
