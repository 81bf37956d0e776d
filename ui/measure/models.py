"""Models: the same class names and prompts under several models. What each gets right, and what it costs here."""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio
from .fields import SET_HELP, choose_prompts
from .panel import Panel
from .results import Results
from .sets import checked_path


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    with frame():
        with rail("Models"):
            with body():
                chosen = gr.CheckboxGroup(
                    [studio.model], value=[studio.model], label="Models on this computer", elem_id="measure-models-list"
                )
                others = gr.Textbox(
                    label="Other models",
                    placeholder="local-dir:models/mine",
                    info="NAME/TAG, local-dir:FOLDER or hf-hub:ORG/REPO, one a line; nothing is downloaded.",
                    lines=1,
                    max_lines=5,
                )
                path = gr.Textbox(
                    label="Images with labels", placeholder="Pictures/test", info=SET_HELP, elem_id="measure-models-path"
                )
                prompts = choose_prompts(info=None)
            with foot():
                panel = Panel(studio, "measure-models", "Measure models")
        with stage():
            words = "Each model reads the same images. Accuracy, speed and memory are measured on this computer."
            results = Results(studio, "models", "No models measured yet", words)

    panel.wire(page, [chosen, others, path, prompts], payload, results.of_job, results.outputs)
    results.wire(page, tab)
    page.select(tab)(partial(here, studio), chosen, chosen)


def payload(chosen: list[str], others: str, path: str, prompts: str) -> dict[str, Any]:
    """The job. Raises BadInput if no model is named or nothing can be read at `path`."""
    names = list(dict.fromkeys([*chosen, *filter(None, map(str.strip, (others or "").splitlines()))]))
    if not names:
        raise BadInput("Choose at least one model; two or more make a comparison.")
    return {"models": names, "path": checked_path(path), "pack": prompts}


def here(studio: Studio, chosen: list[str]) -> Any:
    """The models that can be loaded without the network; looked for when the section is opened: it takes a second."""
    from clipcore.models import catalogue

    names = list(dict.fromkeys([studio.model, *(info.name for info in catalogue() if info.here)]))
    kept = [name for name in chosen if name in names]  # without a value where all are: one may have been checked meanwhile
    return gr.CheckboxGroup(names) if kept == chosen else gr.CheckboxGroup(names, value=kept)
