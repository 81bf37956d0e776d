"""Robustness: what a classifier's answers are worth when the pictures get worse, or are of another kind."""

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from clipcore import BadInput, Examples, Step, parse_labels, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK
from clipcore.measure import iter_embed_set, known
from clipcore.measure.shift import kept_shift, measure_shift

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio, Work
from .fields import choose_classifier, choose_images, choose_prompts, source_of
from .jobs import keep, left_out
from .panel import QUIET, Panel
from .results import Results
from .sets import (
    EVERYTHING,
    PATH,
    ZERO_SHOT,
    checked_path,
    iter_find_pictures,
    iter_read_set,
    labelled,
    pick_classifier,
    set_path,
)

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

KIND = "robustness"
SPOILT, SHIFTED = "spoilt", "shifted"
SHIFT_HELP = "Such as sketches of the same things, with the same class names."


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with frame():
        with rail("Robustness"):
            with body():
                classifier = choose_classifier(studio, KIND, page, tab)
                prompts = choose_prompts()
                images = choose_images(KIND, everything=True)
                how = gr.Radio(
                    [("Spoilt: blur, noise, a word pasted on, …", SPOILT), ("A second set of another kind", SHIFTED)],
                    value=SPOILT,
                    label="Compared with",
                    elem_id="robustness-how",
                )
                limit = gr.Slider(10, 1000, value=100, step=10, label="Pictures at most; each is spoilt in 55 ways")
                second = gr.Textbox(
                    label="The second set",
                    placeholder="Pictures/sketches",
                    info=SHIFT_HELP,
                    visible=False,
                    elem_id="shift-path",
                )
                others = gr.Textbox(
                    label="Other models, for effective robustness",
                    placeholder="local-dir:models/mine",
                    info="Two or more that are on this computer, one a line.",
                    lines=1,
                    max_lines=5,
                    visible=False,
                )
            with foot():
                panel = Panel(studio, KIND, "Measure robustness")
        with stage():
            words = "How long do answers hold when pictures get blurred, dark or noisy?"
            results = Results(studio, KIND, "No robustness sheet yet", words)

    def shown(chosen: str) -> list[Any]:
        return [gr.Slider(visible=chosen == SPOILT), *(gr.Textbox(visible=chosen == SHIFTED) for _ in range(2))]

    how.change(shown, how, [limit, second, others], **QUIET)
    inputs = [classifier, prompts, *images, how, limit, second, others]
    panel.wire(page, inputs, partial(payload, studio), results.of_job, results.outputs)
    results.wire(page, tab)


def payload(
    studio: Studio,
    classifier: str,
    prompts: str,
    source: str,
    path: str,
    names: str,
    how: str,
    limit: float,
    second: str,
    others: str,
) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    named = classifier == ZERO_SHOT
    asked = {**source_of(studio, source, path, names, named), "classifier": classifier, "pack": prompts}
    if how != SHIFTED:
        return {**asked, "limit": int(limit)}
    if source == EVERYTHING:
        raise BadInput("Two sets are compared by their labels; choose images that have some.")
    models = list(dict.fromkeys(filter(None, map(str.strip, (others or "").splitlines()))))
    if models and source != PATH:
        raise BadInput("Other models must read the images anew. Choose a set on this computer for them.")
    return {**asked, "second": checked_path(second), "models": models}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Spoil or compare, and keep the sheet."""
    if "second" in payload:
        return (yield from _compare_kinds(studio, payload))
    from clipcore.measure.robustness import iter_robustness, some_of

    encoder = studio.encoder()
    set_name, pairs = yield from iter_find_pictures(studio, payload)
    names, synonyms = sorted({str(pair.name) for pair in pairs if pair.name}), {}
    if payload.get("names"):
        names, synonyms = parse_labels(payload["names"])
    name, classifier = pick_classifier(studio, payload["classifier"], names, payload.get("pack", DEFAULT_PACK), synonyms)
    usable = [pair for pair in pairs if pair.name is None or pair.name in classifier.labels]
    if not usable:
        raise BadInput(f"No label of these images is a class of {name}. Choose another classifier.")
    sheet = yield from iter_robustness(encoder, classifier, some_of(usable, payload["limit"]))
    left: dict[str, int] = {}
    for pair in pairs:
        if pair.name and pair.name not in classifier.labels:
            left[pair.name] = left.get(pair.name, 0) + 1
    notes = left_out(name, left, len(sheet.skipped))
    about = {"Classifier": f"{name} ({classifier.kind})", "Model": encoder.space.name, "Set": set_name}
    summary = {"n": sheet.n, "corrupted": sheet.corrupted, "set": set_name}
    source = payload.get("path", "")
    return keep(studio, KIND, f"{name} on {set_name}, spoilt", summary, sheet.to_json(), about, notes, source)


def _compare_kinds(studio: Studio, payload: dict[str, Any]) -> Work:
    """The classifier on both sets; with other models, what their accuracies lead one to expect of it."""
    first = yield from iter_read_set(studio, payload)
    second = yield from iter_read_set(studio, {"set": PATH, "path": payload["second"]})
    names = sorted(set(first.examples.labels))
    name, classifier = pick_classifier(studio, payload["classifier"], names, payload.get("pack", DEFAULT_PACK))
    studio.encoder().space.require(classifier.space, f"The classifier {name}")
    mine = measure_shift(name, classifier, first.examples, second.examples)
    others = []
    for model in payload["models"]:
        encoder = studio.load_other(model)
        photos = yield from _embedded(encoder, payload["path"])
        sketches = yield from _embedded(encoder, payload["second"])
        head = zero_shot_classifier(encoder, names, payload.get("pack", DEFAULT_PACK))
        others.append(measure_shift(model, head, photos, sketches))
    left: dict[str, int] = {}
    for found in (first, second):
        for label, count in known(found.examples, classifier.labels)[2].items():
            left[label] = left.get(label, 0) + count
    about = {"Classifier": name, "Model": studio.model, "First set": first.name, "Second set": second.name}
    summary = {"n": mine.n, "accuracy": mine.accuracy, "shifted": mine.shifted}
    notes = left_out(name, left, first.skipped + second.skipped)
    title = f"{name} on {first.name} and {second.name}"
    return keep(studio, KIND, title, summary, kept_shift(mine, others), about, notes, first.source)


def _embedded(encoder: "Encoder", path: str) -> Generator[Step, None, Examples]:
    pictures = yield from iter_embed_set(encoder, labelled(set_path({"path": path})))
    return pictures.examples(encoder.space)[0]
