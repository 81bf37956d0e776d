"""What a person chose or typed on the page, turned into the ids and checked values that a job takes."""

from typing import Any

from clipcore import PACKS, BadInput, PromptSet, pack, parse_labels, parse_templates

from .studio import Studio

ALL = "all"
OWN = "my own"


def sources(studio: Studio, chosen: str | None = None) -> list[tuple[str, str]]:
    """The Images list: words and value of every folder, the whole library first; and single images that are `chosen`."""
    folders = [(f"{folder.name} ({folder.images:,})", f"folder:{folder.id}") for folder in studio.library.folders()]
    single = [(f"The {chosen.count(',') + 1:,} chosen images", chosen)] if chosen and chosen.startswith("ids:") else []
    return [(f"All images of the library ({studio.library.count():,})", ALL), *folders, *single]


def saved(studio: Studio) -> list[tuple[str, str]]:
    """The list of saved classifiers: words and name."""
    return [(f"{record.name} · {len(record.labels)} classes", record.name) for record in studio.library.classifiers()]


def wanted(typed: str, templates: str, many: bool = False) -> dict[str, Any]:
    """What was typed, checked, as a job's payload."""
    labels, synonyms = parse_labels(typed or "")
    prompts = parse_templates(templates)
    prompts = PromptSet(pack_of(prompts), prompts.templates).with_synonyms(synonyms)
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
        raise BadInput("There are no images yet; drop some, add a folder in the Library tab, or try the sample photos.")
    return {"folder_id": folder}
