"""What to know about class names while they are typed: advice, what judges people, and the nearest images of each class.

The element asks for it (`names.js`). While the model still loads, the answer is that of rules and WordNet alone.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from clipcore import PromptSet, parse_labels, parse_templates, zero_shot_classifier
from clipcore.advice import advise
from clipcore.classify.sensitive import notice, sensitive

from ..library.search import card
from ..studio import Studio

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

NEAREST = 6  # images of a class
MOST_CLASSES = 60  # whose nearest images are looked for
MOST_TEXTS = 400  # that a model reads while someone types; beyond, each name is read in fewer sentences
MOST_NAMES = 200  # beyond, no one is typing


@dataclass
class Typed:
    """What stands in the fields: class names, and templates one a line."""

    labels: str
    templates: str


def add_advice_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's route on the app. It is a plain function, so it runs in a worker thread."""

    @app.post("/api/names")
    def about_names(typed: Typed) -> dict[str, Any]:
        return about(studio, typed.labels, typed.templates)


def about(studio: Studio, typed: str, templates: str) -> dict[str, Any]:
    """{"advice": [{"kind", "labels", "sentence", "suggestions"}], "notice", "nearest": [[label, [card], whether to blur
    them]], "loading": whether to ask again, because the model is on its way}. Raises BadInput for what cannot be read.
    """
    loading = studio.loading  # before anything is asked of the model, so that no answer without it is taken for the last
    if not typed.strip():
        return {"advice": [], "notice": "", "nearest": [], "loading": False}
    labels, synonyms = parse_labels(typed)
    prompts = parse_templates(templates).with_synonyms(synonyms).among(labels)
    encoder = studio.encoder_if_ready()
    few = brief(prompts, len(labels))
    found = advise(labels, few, encoder if len(labels) <= MOST_NAMES else None)
    judging = sensitive(labels)
    careful = {one.label for one in judging}
    images = nearest(studio, encoder, labels, few) if encoder else []
    return {
        "advice": [vars(advice) for advice in found if advice.kind != "people"],  # which the notice says
        "notice": notice(judging),
        "nearest": [[label, shown, label in careful] for label, shown in images],
        "loading": loading,
    }


def nearest(studio: Studio, encoder: "Encoder", labels: list[str], prompts: PromptSet) -> list[list[Any]]:
    """The library's images that fit each class best on its own, [label, [card, ...]], before anything is classified."""
    if len(labels) > MOST_NAMES or not studio.library.count(embedded=True):
        return []
    labels = labels[:MOST_CLASSES]
    head = zero_shot_classifier(encoder, labels, prompts)
    found = [studio.library.find(picture=weight, limit=NEAREST, everything=True).hits for weight in head.weight]
    return [[label, [card(hit.image) for hit in hits]] for label, hits in zip(labels, found, strict=True)]


def brief(prompts: PromptSet, classes: int) -> PromptSet:
    """The prompts with so few templates, the longest among them, that reading them does not hold up whoever types."""
    most = max(1, MOST_TEXTS // max(1, classes))
    if len(prompts.templates) <= most:
        return prompts
    longest = max(prompts.templates, key=len)
    kept = dict.fromkeys([longest, *prompts.templates])
    return PromptSet(prompts.name, tuple(kept)[:most], prompts.synonyms, prompts.class_prompts)
