"""Ready-made class names: those of public sets, each with the prompts of its task and what CLIP is known to be poor at."""

from typing import Any

import gradio as gr

from clipcore import BadInput, format_labels
from clipcore.classify.tasks import listed, ready_names

from ..job_watch import QUIET
from ..progress import friendly, said

USE, BACK = "Use these names", "Put my names back"


def build(labels: gr.Textbox, templates: gr.Textbox) -> None:
    """Lay the part out and wire it to the fields of names and templates."""
    with gr.Accordion("Ready-made names", open=False, elem_id="ready"):
        choices = [(f"{task.name}: {known.name}, {len(known.labels)}", known.name) for task, known in listed()]
        chosen = gr.Dropdown(choices, value=None, label="Names of", filterable=True, elem_id="ready-names")
        note = gr.HTML("", elem_id="ready-note")
        use = gr.Button(USE, size="sm", interactive=False, elem_id="ready-use")
    before = gr.State(None)
    fields = [labels, templates]
    chosen.input(friendly(describe), chosen, [note, use, before], **QUIET)
    use.click(friendly(take), [chosen, before, *fields], [*fields, use, before], **QUIET)


def describe(name: str | None) -> tuple[str, Any, None]:
    """What is known of such pictures, and the button that takes the names."""
    if not name:
        return "", gr.Button(USE, interactive=False), None
    task, _ = ready_names(name)
    return said(f"{task.limit} {task.instead}"), gr.Button(USE, interactive=True), None


def take(name: str | None, before: list[str] | None, labels: str, templates: str) -> tuple[str, str, Any, list[str] | None]:
    """Put the names and their prompts into the fields, or, a second time, back what stood there before."""
    if before is not None:
        return before[0], before[1], gr.Button(USE), None
    if not name:
        raise BadInput("Choose whose names to use first.")
    task, known = ready_names(name)
    names = format_labels(known.labels, known.synonyms)
    return names, "\n".join(task.prompts.templates), gr.Button(BACK), [labels or "", templates or ""]
