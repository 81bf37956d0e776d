"""Labels: zero-shot against probes and taught heads on few labels and on all, for someone's own labelled images."""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput, pack, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK
from clipcore.measure.kept import kept_curve

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio, Work
from .fields import choose_images, choose_prompts, source_of
from .jobs import left_out
from .panel import Panel
from .results import Results
from .sets import iter_read_set

KIND = "labels"


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with frame():
        with rail("Labels"):
            with body():
                images = choose_images(KIND)
                prompts = choose_prompts(info=None)
            with foot():
                panel = Panel(studio, KIND, "Draw the curve")
        with stage():
            words = "What a few labels of each class bring, beside the names alone."
            results = Results(studio, KIND, "How many labels do you need?", words)

    def payload(name: str, *source: str) -> dict[str, Any]:
        return {"pack": name, **source_of(studio, *source)}

    panel.wire(page, [prompts, *images], payload, results.of_job, results.outputs)
    results.wire(page, tab)


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Draw the curve and keep it."""
    from training.heads.curve import iter_curve

    encoder = studio.encoder()
    found = yield from iter_read_set(studio, payload)
    names = sorted(set(found.examples.labels))
    if len(names) < 2:
        raise BadInput("The curve needs labelled images of at least two classes.")
    head = zero_shot_classifier(encoder, names, pack(payload.get("pack", DEFAULT_PACK)))
    curve = yield from iter_curve(found.examples, head)
    about = {"Set": found.name, "Model": encoder.space.name, "Prompts": payload.get("pack", DEFAULT_PACK)}
    notes = left_out("", {}, found.skipped)
    return {"report": studio.library.reports.save(KIND, *kept_curve(curve.to_json(), found.name, about, notes)).id}
