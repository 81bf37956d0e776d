"""What the sections Prompts, Robustness and Captions share: where pictures come from, tables, and the last result."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import gradio as gr

from storage import JobRecord

from ..studio import Studio
from .panel import QUIET
from .work import LABELS, PATH, checked_path

SET_HELP = "A folder with one folder for each class, a CSV with the columns image and label, or .tar shards."


def choose_images(name: str, *more: tuple[str, str]) -> tuple[gr.Radio, gr.Textbox]:
    """The choice between the library's labels and a set on this computer, and the path of the latter."""
    images = gr.Radio(
        [("My labels in the library", LABELS), ("A set on this computer", PATH), *more],
        value=LABELS,
        label="Images",
        elem_id=f"{name}-images",
    )
    path = gr.Textbox(
        label="Folder, table or shard",
        placeholder="Pictures/test",
        info=SET_HELP,
        visible=False,
        elem_id=f"{name}-path",
    )
    images.change(lambda source: gr.Textbox(visible=source == PATH), images, path, **QUIET)
    return images, path


def source_of(studio: Studio, source: str, path: str) -> dict[str, Any]:
    """The part of a job's payload that says which images. Raises BadInput if there are none."""
    from clipcore import BadInput

    if source == PATH:
        return {"set": PATH, "path": checked_path(path)}
    if source == LABELS and not studio.library.label_counts():
        raise BadInput("No image has a label yet; put some right on the board of the Classify tab, or choose a set.")
    return {"set": source}


def last_result(studio: Studio, kind: str, draw: Callable[[dict[str, Any]], str], empty: str) -> str:
    """The newest result of a kind of job, drawn; a sentence while there is none."""
    done = (job for job in studio.jobs.recent(100) if job.kind == kind and job.state == "done" and job.result)
    job: JobRecord | None = next(done, None)
    return draw(job.result) if job and job.result else f'<p class="subtle">{escape(empty)}</p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table of plain texts, the first column heading its row; it scrolls sideways where it is too wide."""
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}" style="overflow-x:auto">'
        f'<table class="figures"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def sentence(text: str) -> str:
    """The conclusion above a table."""
    return f"<p><strong>{escape(text)}</strong></p>"
