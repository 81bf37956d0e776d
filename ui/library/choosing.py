"""Choose N: images that stand for a folder or the library, to label first. They come as an album, and onto the board."""

from datetime import datetime
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from clipcore import BadInput, Step, iter_zero_shot_classifier, pack, parse_labels
from clipcore.classify.prompts import DEFAULT_PACK
from storage import JobRecord

from ..form_values import ALL, UNCHECKED, keep_fresh, selection, sources
from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly, said
from ..studio import Studio, Work

KIND = "choose"
WAYS = [
    ("Typical: one of each kind of image", "typical"),
    ("Diverse: as unlike each other as can be", "diverse"),
    ("Balanced: as many for each class name", "balanced"),
]


def build(studio: Studio, page: Opening, tab: gr.Tab, tabs: gr.Tabs, source: gr.Dropdown, grid: gr.HTML) -> None:
    """Lay the panel out and wire it. `source` is the Classify tab's list of images; `grid` looks again when told so."""
    studio.jobs.register(KIND, partial(work, studio))

    def buttons(is_free: bool) -> Changes:
        return {go: gr.Button(interactive=is_free)}

    def show_end(job: JobRecord, is_mine: bool) -> Changes:
        result = job.result or {}
        chosen = "ids:" + ",".join(map(str, result["ids"]))
        return {
            following.progress: said(result["sentence"]),
            label: gr.Button(visible=True),
            found: chosen,
            grid: f"{job.id}:",
        }

    following = Following(studio, (KIND,), end=show_end, busy=lambda: buttons(False), idle=lambda: buttons(True))
    with gr.Accordion("Choose images to label", open=False, elem_id="choose"):
        images = gr.Dropdown(sources(studio), value=ALL, label="Out of", filterable=False, elem_id="choose-images")
        count = gr.Number(40, label="How many", precision=0, minimum=1, elem_id="choose-count")
        how = gr.Radio(WAYS, value="typical", label="Which", elem_id="choose-how")
        names = gr.Textbox(label="Class names", placeholder="cat, dog, rabbit", visible=False, elem_id="choose-names")
        following.progress_bar("choose-progress", said("Images that stand for all; no two nearly the same."))
        with gr.Row(elem_classes="go"):
            go = gr.Button("Choose", size="md", scale=0, min_width=110, elem_id="choose-go")
            label = gr.Button("Label them", size="md", scale=0, min_width=110, visible=False, elem_id="choose-label")
            following.stop_button()
    found = gr.State("")
    outputs = [*following.parts, go, label, found, grid]
    following.wire(outputs, page, tab)
    how.change(lambda way: gr.Textbox(visible=way == "balanced"), how, names, **QUIET)
    keep_fresh(studio, images, images.change, tab.select, grid.change)

    def start(*values: Any) -> Changes:
        return {**following.start(KIND, payload(studio, *values)), label: gr.Button(visible=False)}

    go.click(friendly(start), [images, count, how, names], outputs, **QUIET, **UNCHECKED)

    def on_board(chosen: str) -> Changes:
        return {source: gr.Dropdown(sources(studio, chosen), value=chosen), tabs: gr.Tabs(selected="classify")}

    label.click(friendly(on_board), found, [source, tabs], **QUIET)


def payload(studio: Studio, source: str, count: float | None, how: str, names: str) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    if not count or count < 1:
        raise BadInput("Say how many images to choose, at least one.")
    if how == "balanced":
        parse_labels(names or "")
    return {**selection(studio, source), "count": int(count), "how": how, "names": names or ""}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Choose among the images that have no label yet, and keep the choice as an album."""
    from training.heads.choosing import choose

    library = studio.library
    yield Step(0, 0, f"loading the model {studio.model}")
    encoder = studio.encoder()
    images, vectors = library.embeddings(payload.get("image_ids"), payload.get("folder_id"))
    labelled = set(library.labels.of([image.id for image in images]))
    rows = np.array([row for row, image in enumerate(images) if image.id not in labelled], int)
    if not len(rows):
        raise BadInput("All these images have labels already. Add more, or choose others.")
    answers = None
    if payload["how"] == "balanced":
        labels, synonyms = parse_labels(payload["names"])
        head = yield from iter_zero_shot_classifier(encoder, labels, pack(DEFAULT_PACK).with_synonyms(synonyms))
        answers = head.logits(vectors[rows]).argmax(1)
    yield Step(0, 0, "choosing")
    chosen = [images[rows[row]] for row in choose(vectors[rows], payload["count"], payload["how"], answers)]
    name = f"To label, {payload['how']}, {datetime.now():%d %b %H:%M:%S}"
    library.albums.put(name, [image.picture for image in chosen])
    few = f" No more are unlike enough of the {len(rows):,} without a label." if len(chosen) < payload["count"] else ""
    many = "image is" if len(chosen) == 1 else "images are"
    sentence = f"{len(chosen):,} {many} in the album “{name}”.{few}"
    return {"album": name, "ids": [image.id for image in chosen], "sentence": sentence}
