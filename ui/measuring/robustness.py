"""Robustness: what a classifier's answers are worth when the pictures get worse. One sheet for each classifier."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput, Step
from clipcore.prompts import DEFAULT_PACK
from storage import JobRecord
from training.pairs import Pair, read_pairs

from ..studio import Studio, Work
from . import bench
from .accuracy import classifiers
from .panel import QUIET, Changes, Panel
from .work import LABELS, ZERO_SHOT, pick_classifier

KIND = "robustness"
EMPTY = "Blur, noise, bad light, a word pasted on: how long do the answers hold? Each picture is spoilt in 55 ways."


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=280):
            classifier = gr.Dropdown(
                classifiers(studio), value=ZERO_SHOT, label="Classifier", filterable=False, elem_id="robustness-classifier"
            )
            packs = [(f"{name}: {about}", name) for name, about in PACKS.items()]
            prompts = gr.Dropdown(packs, value=DEFAULT_PACK, label="Prompt pack", info="For zero-shot.", filterable=False)
        with gr.Column(scale=1, min_width=280):
            images, path = bench.choose_images(KIND)
            limit = gr.Slider(10, 1000, value=100, step=10, label="Pictures at most")
    panel = Panel(studio, KIND, "Spoil and measure")
    shown = gr.HTML(bench.last_result(studio, KIND, drawn, EMPTY), elem_id="robustness-result")

    def payload(chosen: str, name: str, source: str, typed: str, most: float) -> dict[str, Any]:
        return {**bench.source_of(studio, source, typed), "classifier": chosen, "pack": name, "limit": int(most)}

    def show(job: JobRecord) -> Changes:
        return {shown: drawn(job.result or {})}

    panel.wire(page, [classifier, prompts, images, path, limit], payload, show, [shown])
    tab.select(lambda: gr.Dropdown(classifiers(studio)), None, classifier, **QUIET)
    page.load(lambda: bench.last_result(studio, KIND, drawn, EMPTY), None, shown, **QUIET)


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Spoil and measure; the result is the sheet."""
    from clipcore.measure.robustness import iter_robustness, some_of

    encoder = studio.encoder()
    pairs = yield from _pairs(studio, payload)
    names = sorted({str(pair.name) for pair in pairs})
    name, classifier = pick_classifier(studio, payload["classifier"], names, payload.get("pack", DEFAULT_PACK))
    known = [pair for pair in pairs if pair.name in classifier.labels]
    if not known:
        raise BadInput(f"None of the images has a label that is a class of {name}; choose another classifier.")
    sheet = yield from iter_robustness(encoder, classifier, some_of(known, payload["limit"]))
    return {**sheet.to_json(), "classifier": name, "left_out": len(pairs) - len(known)}


def _pairs(studio: Studio, payload: dict[str, Any]) -> Generator[Step, None, list[Pair]]:
    """The labelled pictures as files: robustness needs pixels, not vectors."""
    yield Step(0, 0, "looking for pictures")
    if payload["set"] != LABELS:
        return [pair for pair in read_pairs(Path(payload["path"]).expanduser()) if pair.name]
    examples = studio.library.examples()
    images = studio.library.images_with_contents(examples.keys)
    return [
        Pair(key, Path(images[key].path), name=label)
        for key, label in zip(examples.keys, examples.labels, strict=True)
        if key in images
    ]


def drawn(result: dict[str, Any]) -> str:
    """The sheet as a table: a row for each corruption, a column for each strength."""
    what = "accuracy" if result["labelled"] else "agreement"
    rows = []
    for name, curve in result["curves"].items():
        believed = curve[-1].get("believed")
        told = "" if believed is None else f" (believed: {100 * believed:.0f} %)"
        rows.append([name + told, *(f"{100 * point[what]:.1f} %" for point in curve)])
    parts = [bench.sentence(f"{result['classifier'][:1].upper()}{result['classifier'][1:]}. {result['sentence']}")]
    if result["interval"]:
        low, high = result["interval"]
        parts.append(
            f'<p class="subtle">Clean pictures: {100 * result["accuracy"]:.1f} % of {result["labelled"]:,} right '
            f"(95 % interval {100 * low:.1f} to {100 * high:.1f}).</p>"
        )
    heads = ["Spoilt by", *(f"Strength {strength}" for strength in range(1, 6))]
    return "".join([*parts, bench.table(heads, rows, "Accuracy by corruption and strength")])
