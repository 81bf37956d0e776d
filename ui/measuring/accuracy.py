"""Accuracy: a classifier, a set of labelled images, and everything that came of it."""

from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput
from clipcore.prompts import DEFAULT_PACK
from storage import JobRecord

from ..studio import Studio
from .panel import QUIET, Changes, Panel
from .results import Results
from .work import LABELS, PATH, ZERO_SHOT, checked_path, register


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    register(studio)
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=280):
            classifier = gr.Dropdown(
                classifiers(studio), value=ZERO_SHOT, label="Classifier", filterable=False, elem_id="measure-classifier"
            )
            prompts = gr.Dropdown(
                [(f"{name}: {about}", name) for name, about in PACKS.items()],
                value=DEFAULT_PACK,
                label="Prompt pack",
                info="For zero-shot; a saved classifier has its own.",
                filterable=False,
            )
        with gr.Column(scale=1, min_width=280):
            images = gr.Radio(
                [("My labels in the library", LABELS), ("A set on this computer", PATH)], value=LABELS, label="Images"
            )
            path = gr.Textbox(
                label="Folder, table or shard",
                placeholder="Pictures/test",
                info="A folder with one folder for each class, a CSV with the columns image and label, or .tar shards.",
                visible=False,
                elem_id="measure-path",
            )
    panel = Panel(studio, "measure", "Measure")
    results = Results(
        studio, "accuracy", "Nothing measured yet", "Choose a classifier and images with labels, then Measure."
    )

    def payload(chosen: str, name: str, source: str, typed: str) -> dict[str, Any]:
        if source == PATH:
            return {"classifier": chosen, "pack": name, "set": PATH, "path": checked_path(typed)}
        if not studio.library.label_counts():
            raise BadInput("No image has a label yet; put some right on the board of the Classify tab, or choose a set.")
        return {"classifier": chosen, "pack": name, "set": LABELS}

    def show(job: JobRecord) -> Changes:
        return results.show((job.result or {}).get("report", 0))

    panel.wire(page, [classifier, prompts, images, path], payload, show, results.outputs)
    results.wire(page, tab)
    images.change(lambda source: gr.Textbox(visible=source == PATH), images, path, **QUIET)
    tab.select(lambda: gr.Dropdown(classifiers(studio)), None, classifier, **QUIET)
    page.load(lambda: gr.Dropdown(classifiers(studio)), None, classifier, **QUIET)


def classifiers(studio: Studio) -> list[tuple[str, str]]:
    """What can be measured: zero-shot with the set's own names, the last one of the board, and the saved ones."""
    done = (job for job in studio.jobs.recent(100) if job.kind == "classify" and job.state == "done" and job.result)
    board = [("The board's, as it is now", f"run:{job.result['run']}") for job in done if job.result][:1]
    saved = [(f"{c.name} · {len(c.labels)} classes · {c.kind}", f"saved:{c.name}") for c in studio.library.classifiers()]
    return [("Zero-shot, with the class names of the images", ZERO_SHOT), *board, *saved]
