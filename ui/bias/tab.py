"""The Bias tab: who gets which label, by group, and what moves when a class is added or renamed."""

from typing import Any

import gradio as gr

from clipcore import BadInput
from clipcore.measure.bias import FOLDERS, LABELS, NAMES
from storage import JobRecord

from ..frame import body, foot, frame, place, rail, stage
from ..measure.panel import QUIET, Changes, Panel
from ..measure.results import Results
from ..page_events import Opening
from ..studio import Studio
from .jobs import TABLE, checked_payload, register

COMPUTER = "computer"
INTRO = (
    '<p class="subtle">Whoever names the classes decides who gets called what. See it by group, and try what another class '
    "changes. Groups come from your own table. Nothing is read from faces unless you name such a class.</p>"
)
HOW = (
    "One row for each image. A column “file” has its name or path; others tell age or gender. FairFace's tables are "
    "such files. Without one, the CSV file in the folder or beside it is taken."
)


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    register(studio)
    with frame("bias"):
        with rail("What to measure"):
            with body():
                gr.HTML(INTRO)
                place("bias")
                with gr.Accordion("Where the groups come from", open=True) as origin:
                    images = gr.Dropdown(
                        places(studio),
                        value=COMPUTER,
                        label="Images",
                        filterable=False,
                        elem_id="bias-images",
                        interactive=True,
                    )
                    folder = gr.Textbox(
                        label="Folder on this computer",
                        placeholder="Pictures/people",
                        info="It is added to the library, so that each image is read once. The files stay where they are.",
                        elem_id="bias-folder",
                    )
                    source = gr.Dropdown(
                        [
                            ("A table with a row for each image", TABLE),
                            ("File names, as UTKFace writes them", NAMES),
                            ("Folders: each is a group", FOLDERS),
                            ("My labels in the library", LABELS),
                        ],
                        value=TABLE,
                        label="Groups",
                        filterable=False,
                        elem_id="bias-source",
                    )
                    table = gr.File(
                        label="Table (CSV or TSV)",
                        file_types=[".csv", ".tsv"],
                        type="filepath",
                        height=100,
                        elem_id="bias-table",
                    )
                    how = gr.HTML(f'<p class="subtle">{HOW}</p>')
            with foot():
                panel = Panel(studio, "bias", "Load groups")
        with stage():
            results = Results(
                studio,
                "bias",
                "No groups yet",
                "Name a folder and say who is in which group, then Load groups.",
                "sayso-bias",
                "/api/bias",
            )

    def payload(chosen: str, typed: str, kind: str, sent: str | None) -> dict[str, Any]:
        own, kept = chosen == COMPUTER, None
        if kind == TABLE and sent:
            (kept,) = studio.keep([sent])
        try:
            folder_id = None if own else int(str(chosen).removeprefix("folder:"))
        except ValueError:
            raise BadInput("That choice of images is not known; choose another from the list.") from None
        return checked_payload(folder_id, typed if own else "", kind, kept)

    def show(job: JobRecord) -> Changes:
        return {**results.of_job(job), origin: gr.Accordion(open=False)}  # it makes room for what is asked about them

    panel.wire(page, [images, folder, source, table], payload, show, [*results.outputs, origin])
    results.wire(page, tab)
    images.change(lambda chosen: gr.Textbox(visible=chosen == COMPUTER), images, folder, **QUIET)
    source.change(
        lambda kind: [gr.File(visible=kind == TABLE), gr.HTML(visible=kind == TABLE)], source, [table, how], **QUIET
    )
    for event in (page.load, page.select(tab)):
        event(lambda: gr.Dropdown(places(studio)), None, images, **QUIET)


def places(studio: Studio) -> list[tuple[str, str]]:
    """Where the images can be: words and value."""
    folders = [(f"{folder.name} ({folder.images:,})", f"folder:{folder.id}") for folder in studio.library.folders()]
    return [("A folder on this computer", COMPUTER), *folders]
