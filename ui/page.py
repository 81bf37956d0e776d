"""The page: the top bar and the tabs below it. Each tab is a module with its layout on top and its handlers below."""

from pathlib import Path

import gradio as gr

from .bias import tab as bias
from .classify import tab as classify
from .guard.offered import name_parts
from .guard.uploads import KEPT_SECONDS, LOOKED_AFTER
from .library import tab as library
from .measure import tab as measure
from .models import tab as models
from .page_events import Opening
from .studio import Studio

STATIC = Path(__file__).with_name("static")
ELEMENTS = (
    *("shared/frame", "shared/place", "shared/status", "shared/person", "shared/quickstart", "shared/tour"),
    *("classify/board", "classify/changes", "classify/names", "classify/class_rows", "sessions/sessions"),
    *("library/grid", "library/chooser", "library/duplicates", "measure/measure", "bias/bias"),
)
# every part is asked for at once: an import found only inside another waits a round trip more, while the model loads
SCRIPTS = sorted(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*.js"))
HEAD = "".join(f'<link rel="modulepreload" href="/elements/{script}">' for script in SCRIPTS)
HEAD += "".join(f'<script type="module" src="/elements/{name}.js"></script>' for name in ELEMENTS)
# its notes stand outside of what a theme's rules reach
STILL = ".toast-wrap * { animation: none !important; transition: none !important }"
HEAD += f"<style>@media (prefers-reduced-motion: reduce) {{ {STILL} }}</style>"
# Before any script of Gradio's, which takes the sign that the page is starting away while it still counts the seconds, and
# nothing stops that: sixty frames a second for as long as the page is open, a tenth of a core where there is no graphics
# card. No count of seconds is shown here.
FIRST = """<script>{
const frame = requestAnimationFrame.bind(window);
const counts = (then) => !then.length && !then.name && String(then).includes("performance.now()-");
window.requestAnimationFrame = (then) => (counts(then) ? 0 : frame(then));
}</script>"""
MASTHEAD = (
    '<button type="button" class="rail-key" data-frame="rail" aria-expanded="true" title="Hide or show the panel (P)">'
    '<span class="gone">Panel</span></button><h1>Sayso</h1><sayso-place name="search" hidden></sayso-place>'
)


def build(studio: Studio) -> gr.Blocks:
    """The whole page, wired to the studio."""
    kept = (LOOKED_AFTER, KEPT_SECONDS)
    with gr.Blocks(title="Sayso", fill_width=True, fill_height=True, analytics_enabled=False, delete_cache=kept) as blocks:
        page = Opening(blocks)
        with gr.Row(elem_id="masthead"):
            gr.HTML(MASTHEAD, elem_id="brand", padding=False)
            status = gr.HTML(
                html_template="<sayso-status></sayso-status><sayso-person></sayso-person>",
                apply_default_css=False,
                elem_id="status",
                js_on_load="element.addEventListener('news', () => trigger('news'))",
            )
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Classify", id="classify") as classify_tab:
                source = classify.build(studio, page, classify_tab, tabs)
            with gr.Tab("Library", id="library") as library_tab:
                library.build(studio, page, library_tab, tabs, source)
            with gr.Tab("Measure", id="measure") as measure_tab:
                measure.build(studio, page, measure_tab)
            with gr.Tab("Bias", id="bias") as bias_tab:
                bias.build(studio, page, bias_tab)
            with gr.Tab("Models", id="models") as models_tab:
                models.build(studio, page, models_tab)
        page.wire(status.news)  # an event of our own
        name_parts(blocks)
    _show_no_progress(blocks, status)
    return blocks


def _show_no_progress(blocks: gr.Blocks, place: gr.HTML) -> None:
    """Let events that show no progress show it in one place instead of on each of their outputs.

    Gradio's script keeps a state of loading for every component that progress was ever to be shown on, hidden or not, and at
    each message of any event gives all of them theirs anew, for which it walks the whole page: with the hundred outputs of a
    load this was half of what a load and each click cost the browser.
    """
    for event in blocks.fns.values():
        if event.show_progress == "hidden":
            event.show_progress_on = [place]
