"""The offer of a first run: a real CLIP in place of the starter, with its size and what it gains. Later is fine."""

import gradio as gr

from ..job_watch import QUIET
from ..page_events import Opening
from ..progress import friendly
from ..studio import Studio

# The first of `clipcore.models.CURATED`, free for any use. Its size and its accuracy on ImageNet stand here: to look them
# up loads what the page must not wait for. A test holds them against the catalogue.
MODEL, MEGABYTES, RIGHT = "ViT-B-32-256/datacomp_s34b_b86k", 605, 73
LATER = "no-offer"  # a file of the home: someone has answered
WORDS = (
    f"Sayso begins with a small model. A larger one, <b>{MODEL}</b>, knows far more. "
    f"With 1,000 names to choose from, it is right on {RIGHT} of 100 photos."
)


def build(studio: Studio, page: Opening, tabs: gr.Tabs) -> None:
    """Lay it out and wire it; it is there until someone answers, or another model is in use."""
    words = gr.HTML(f"<p>{WORDS}</p>", visible=False, elem_id="offer", padding=False)
    get = gr.Button(f"Get it ({MEGABYTES} MB)", scale=0, min_width=150, visible=False)
    later = gr.Button("Later", scale=0, min_width=90, visible=False)
    outputs = [words, get, later]

    def shown(is_open: bool) -> list[object]:
        return [gr.HTML(visible=is_open), gr.Button(visible=is_open), gr.Button(visible=is_open)]

    def answered() -> list[object]:
        (studio.library.home / LATER).touch()
        return shown(False)

    def take() -> list[object]:
        studio.jobs.submit("fetch", {"model": MODEL, "use": True})
        return [*answered(), gr.Tabs(selected="models")]  # where its progress is

    page.load(lambda: shown(is_due(studio)), None, outputs)
    get.click(friendly(take), None, [*outputs, tabs], **QUIET)
    later.click(friendly(answered), None, outputs, **QUIET)


def is_due(studio: Studio) -> bool:
    """Whether nobody has chosen a model of this home yet."""
    return studio.model == "starter" and not (studio.library.home / LATER).exists()
