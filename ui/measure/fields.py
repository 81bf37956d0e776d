"""What the sections of the Measure tab ask for alike: a classifier, its prompts, and images with or without labels."""

from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput, parse_labels
from clipcore.classify.prompts import DEFAULT_PACK

from ..page_events import Opening
from ..studio import Studio
from .panel import QUIET
from .sets import EVERYTHING, LABELS, PATH, ZERO_SHOT, checked_path

SET_HELP = "A folder with one for each class. Or a CSV with the columns image and label, or .tar files (shards)."


def choose_classifier(studio: Studio, kind: str, page: Opening, tab: gr.Tab) -> gr.Dropdown:
    """The list of what can be measured, fresh whenever the section is opened."""
    chosen = gr.Dropdown(
        classifiers(studio), value=ZERO_SHOT, label="Classifier", filterable=False, elem_id=f"{kind}-classifier"
    )
    for event in (page.select(tab), page.load):
        event(lambda: gr.Dropdown(classifiers(studio)), None, chosen, **QUIET)
    return chosen


def choose_prompts(info: str | None = "For zero-shot; a saved classifier has its own.") -> gr.Dropdown:
    """The list of prompt packs."""
    packs = [(f"{name}: {about}", name) for name, about in PACKS.items()]
    return gr.Dropdown(packs, value=DEFAULT_PACK, label="Prompt pack", info=info, filterable=False)


def choose_images(kind: str, everything: bool = False) -> list[Any]:
    """Which images: the library's labels, a set on this computer and its path, and with `everything` all images without
    labels and the names of the classes. These are the inputs of `source_of`."""
    choices = [("My labels in the library", LABELS), ("A set on this computer", PATH)]
    choices += [("All my images, without labels", EVERYTHING)] if everything else []
    images = gr.Radio(choices, value=LABELS, label="Images", elem_id=f"{kind}-images")
    path = gr.Textbox(
        label="Folder, table or shard", placeholder="Pictures/test", info=SET_HELP, visible=False, elem_id=f"{kind}-path"
    )
    names = gr.Textbox(label="Class names", placeholder="cat, dog, rabbit", visible=False, elem_id=f"{kind}-names")
    images.change(
        lambda source: [gr.Textbox(visible=source == PATH), gr.Textbox(visible=source == EVERYTHING)],
        images,
        [path, names],
        **QUIET,
    )
    return [images, path, names]


def source_of(studio: Studio, source: str, path: str, names: str = "", named: bool = True) -> dict[str, Any]:
    """The part of a job's payload that says which images. Raises BadInput if there are none, or for no class names where
    images without labels need them (`named`)."""
    if source == PATH:
        return {"set": PATH, "path": checked_path(path)}
    if source == EVERYTHING:
        if named:
            parse_labels(names)
        if not studio.library.count():
            raise BadInput("The library is empty; add a folder of pictures first.")
        return {"set": EVERYTHING, "names": names if named else ""}
    if not studio.library.labels.counts():
        raise BadInput("No image has a label yet. Label some in the Classify tab, or choose a set.")
    return {"set": LABELS}


def classifiers(studio: Studio) -> list[tuple[str, str]]:
    """What can be measured: zero-shot with the set's own names, the last one of the board, and the saved ones."""
    done = (job for job in studio.jobs.recent(100) if job.kind == "classify" and job.state == "done" and job.result)
    board = [("The board's, as it is now", f"run:{job.result['run']}") for job in done if job.result][:1]
    saved = [(f"{c.name} · {len(c.labels)} classes · {c.kind}", f"saved:{c.name}") for c in studio.library.classifiers.all()]
    return [("Zero-shot, with the class names of the images", ZERO_SHOT), *board, *saved]
