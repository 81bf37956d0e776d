"""Sets: a folder of many sets, in one table as the CLIP paper has it, under one model or several."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput
from clipcore.classify.prompts import GENERAL
from clipcore.measure.kept import kept_suite

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio, Work
from .models import here
from .panel import QUIET, Panel
from .results import Results
from .sets import set_path

KIND = "suite"
OWN = "task"
PROMPTS = [("each set's own, by its task", OWN), *((f"{name}: {PACKS[name]}", name) for name in GENERAL)]


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with frame():
        with rail("Sets"):
            with body():
                path = gr.Textbox(
                    label="Folder of sets",
                    placeholder="Pictures/sets",
                    info="Each set in a folder of its own, or as .tar files (shards). Sets of the CLIP paper are known "
                    "by name: food-101, EuroSAT, dtd.",
                    elem_id="suite-path",
                )
                prompts = gr.CheckboxGroup(PROMPTS, value=[OWN], label="Prompts", elem_id="suite-prompts")
                chosen = gr.CheckboxGroup(
                    [studio.model], value=[studio.model], label="Models on this computer", elem_id="suite-models"
                )
            with foot():
                panel = Panel(studio, KIND, "Measure sets")
        with stage():
            words = "One table of all sets, beside guessing and the CLIP paper."
            results = Results(studio, KIND, "No sets measured yet", words)
    panel.wire(page, [path, prompts, chosen], payload, results.of_job, results.outputs)
    results.wire(page, tab)
    tab.select(partial(here, studio), chosen, chosen, **QUIET)


def payload(path: str, prompts: Sequence[str], models: Sequence[str]) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    from training.data.suite import find_suite

    if not (path or "").strip():
        raise BadInput("Name the folder that holds your sets, each in a folder of its own.")
    if not prompts or not models:
        raise BadInput("Choose at least one kind of prompts and one model.")
    if wrong := next((name for name in prompts if name not in {value for _, value in PROMPTS}), None):
        raise BadInput(f"There are no prompts {str(wrong)[:60]!r}; choose one of the list.")
    find_suite(set_path({"path": path}))
    return {"path": path.strip(), "packs": list(prompts), "models": list(models)}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Measure the sets and keep the table."""
    from training.runs.suite import iter_suite

    def load(name: str) -> Any:
        return studio.encoder() if name == studio.model else studio.load_other(name)

    folder = set_path(payload)
    found = yield from iter_suite(folder, payload["models"], load, payload["packs"])
    record = studio.library.reports.save(KIND, *kept_suite(found, folder, payload["models"], payload["packs"]))
    return {"report": record.id}
