"""What a person chose or typed on the page, turned into the ids and checked values that a job takes."""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput, PromptSet, pack, parse_labels, parse_templates

from .job_watch import QUIET
from .progress import friendly
from .studio import Studio

ALL = "all"
OWN = "my own"
# for events that take the Images list: Gradio refuses what its own copy of the list does not name; `selection` checks it
UNCHECKED = {"preprocess": False}


def sources(studio: Studio, chosen: str | None = None) -> list[tuple[str, str]]:
    """The Images list: words and value of every folder, the whole library first; and single images that are `chosen`.

    A folder without images is left out unless it is the chosen one: it is being added, or its files are gone.
    """
    folders = [
        (f"{folder.name} ({folder.images:,})", value)
        for folder in studio.library.folders()
        if (value := f"folder:{folder.id}") == chosen or folder.images
    ]
    single = [(_counted(chosen), chosen)] if chosen and chosen.startswith("ids:") else []
    return [(f"All images of the library ({studio.library.count():,})", ALL), *folders, *single]


def _counted(chosen: str) -> str:
    count = chosen.count(",") + 1
    return "The chosen image" if count == 1 else f"The {count:,} chosen images"


def still_there(choices: list[tuple[str, str]], chosen: str | None) -> str:
    """What was chosen of the Images list, or the whole library where that has gone: its folder was forgotten."""
    return chosen if chosen in (value for _, value in choices) else ALL


def fresh_choices(studio: Studio, chosen: str | None) -> Any:
    """The Images list as it is by now; what is chosen stays, as long as it is there.

    Then no value is sent: one that was chosen while this was on its way must not be taken back.
    """
    choices = sources(studio, chosen)
    kept = still_there(choices, chosen)
    return gr.Dropdown(choices) if kept == chosen else gr.Dropdown(choices, value=kept)


def keep_fresh(studio: Studio, source: gr.Dropdown, *events: Any) -> None:
    """Make the Images list anew on `events`; among them, in one of the calls, is its own `change`.

    An answer knows only what was chosen when it was asked for, and takes out of the list what was chosen since. So each
    choice asks once more, and these answers come in the order in which they were asked for.
    """
    in_turn: dict[str, Any] = {"trigger_mode": "always_last", "concurrency_id": "images"}
    gr.on(list(events), friendly(partial(fresh_choices, studio)), source, source, **in_turn, **QUIET, **UNCHECKED)


def saved(studio: Studio) -> list[tuple[str, str]]:
    """The list of saved classifiers: words and name."""
    return [(f"{record.name} · {len(record.labels)} classes", record.name) for record in studio.library.classifiers.all()]


def wanted(typed: str, templates: str, many: bool = False) -> dict[str, Any]:
    """What was typed, checked, as a job's payload."""
    labels, synonyms = parse_labels(typed or "")
    prompts = parse_templates(templates)
    prompts = PromptSet(pack_of(prompts), prompts.templates, synonyms, prompts.class_prompts).among(labels)
    return {"labels": labels, "prompts": prompts.to_json(), "many": bool(many)}


def pack_of(prompts: PromptSet) -> str:
    """The pack with exactly these templates, or `OWN`."""
    return next((name for name in PACKS if pack(name).templates == prompts.templates), OWN)


def selection(studio: Studio, source: str) -> dict[str, Any]:
    """A choice of the Images list as ids; raises BadInput where there is nothing to classify."""
    kind, _, value = (source or ALL).partition(":")
    try:
        if kind == "ids":
            return {"image_ids": [int(part) for part in value.split(",")]}
        folder = int(value) if kind == "folder" else None
    except ValueError:
        raise BadInput("That choice of images is not known; choose another from the list.") from None
    if not studio.library.count(folder):
        raise BadInput("There are no images yet. Drop some, add a folder, or try the sample photos.")
    return {"folder_id": folder}
