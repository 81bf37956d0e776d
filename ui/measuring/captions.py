"""Captions: which of the captions that someone types fits which picture?"""

import base64
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import BadInput
from storage import JobRecord

from ..studio import Studio, Work
from . import bench
from .panel import QUIET, Changes, Panel

KIND = "captions"
MOST = 24  # pictures or captions: what a table can show
EMPTY = "Choose a few pictures and write captions: the model says which fit, and whether it sees who does what to whom."


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=280):
            files = gr.File(
                label="Pictures", file_count="multiple", file_types=["image"], height=160, elem_id="captions-files"
            )
        with gr.Column(scale=1, min_width=280):
            typed = gr.Textbox(
                label="Captions",
                placeholder="a dog chasing a cat\na cat chasing a dog",
                lines=5,
                info="One a line.",
                elem_id="captions-typed",
            )
    panel = Panel(studio, KIND, "Match")
    shown = gr.HTML(bench.last_result(studio, KIND, drawn, EMPTY), elem_id="captions-result")

    def payload(chosen: list[str] | None, text: str) -> dict[str, Any]:
        captions = list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))
        if not chosen or not captions:
            raise BadInput("Choose at least one picture and write at least one caption.")
        if len(chosen) > MOST or len(captions) > MOST:
            raise BadInput(f"At most {MOST} pictures and {MOST} captions fit into the table; take some out.")
        return {"files": studio.keep(chosen), "captions": captions}

    def show(job: JobRecord) -> Changes:
        return {shown: drawn(job.result or {})}

    panel.wire(page, [files, typed], payload, show, [shown])
    page.load(lambda: bench.last_result(studio, KIND, drawn, EMPTY), None, shown, **QUIET)


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Match; the result has the matrix and small copies of the pictures."""
    from clipcore.images import open_image, thumbnail
    from clipcore.measure.composition import match
    from clipcore.stream import iter_embed

    encoder = studio.encoder()
    embedded = yield from iter_embed(encoder, [Path(file) for file in payload["files"]])
    if not embedded.paths:
        raise BadInput("None of the files could be read as a picture; choose others.")
    found = match(encoder, embedded.vectors, payload["captions"])
    small = [base64.b64encode(thumbnail(open_image(path, near=96), 96)).decode() for path in embedded.paths]
    names = [path.name for path in embedded.paths]
    skipped = [f"{skipped.path.name}: {skipped.reason}" for skipped in embedded.skipped]
    return {**found.to_json(), "pictures": small, "names": names, "skipped": skipped}


def drawn(result: dict[str, Any]) -> str:
    """The matrix: for each picture the share of each caption, the best one strong."""
    top = "".join(f'<th scope="col">{escape(caption)}</th>' for caption in result["captions"])
    rows = []
    for small, name, shares in zip(result["pictures"], result["names"], result["by_picture"], strict=True):
        picture = f'<img alt="{escape(name)}" src="data:image/webp;base64,{small}" style="max-height:72px">'
        cells = [f"{100 * share:.1f} %" for share in shares]
        best = shares.index(max(shares))
        cells[best] = f"<strong>{cells[best]}</strong>"
        rows.append(f'<tr><th scope="row">{picture}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    notes = [f"“{text}” is longer than the model reads; its last words were left out." for text in result["cut"]]
    said = "".join(f'<p class="subtle">{escape(note)}</p>' for note in [*result["skipped"], *notes])
    return (
        '<p class="subtle">Each row is shared out among the captions, so a high share only says which fits best here.</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Pictures and captions" style="overflow-x:auto">'
        f'<table class="figures"><thead><tr><th scope="col">Picture</th>{top}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{said}"
    )
