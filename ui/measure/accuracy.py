"""Accuracy: a classifier, a set of labelled images, and everything that came of it."""

from typing import Any

import gradio as gr

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio
from .fields import choose_classifier, choose_images, choose_prompts, source_of
from .jobs import register
from .panel import Panel
from .results import Results


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    register(studio)
    with frame():
        with rail("Measure"):
            with body():
                classifier = choose_classifier(studio, "measure", page, tab)
                prompts = choose_prompts()
                images = choose_images("measure")
            with foot():
                panel = Panel(studio, "measure", "Measure")
        with stage():
            words = "Choose a classifier and images with labels, then Measure."
            results = Results(studio, "accuracy", "Nothing measured yet", words)

    def payload(chosen: str, name: str, *source: str) -> dict[str, Any]:
        return {"classifier": chosen, "pack": name, **source_of(studio, *source)}

    panel.wire(page, [classifier, prompts, *images], payload, results.of_job, results.outputs)
    results.wire(page, tab)
