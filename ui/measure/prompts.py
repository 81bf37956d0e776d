"""Prompts: the ready-made ones, one's own and random words, on one's own images."""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput, PromptSet, pack, parse_descriptions, parse_labels, parse_templates

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio, Work
from .fields import choose_images, source_of
from .jobs import keep, left_out
from .panel import Panel
from .results import Results
from .sets import EVERYTHING, iter_read_set

KIND = "prompts"
MOST_UNSTABLE = 240  # images whose label hangs on the wording that are kept with a result


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with frame():
        with rail("Prompts"):
            with body():
                images = choose_images(KIND, everything=True)
                select = gr.Checkbox(label="Also choose templates by the labels (20 images or more)")
                own = gr.Textbox(
                    label="Your own templates", placeholder="a holiday photo of a {label}", lines=3, info="One a line."
                )
                told = gr.Textbox(
                    label="Descriptions of single classes",
                    placeholder="sparrow: a small brown bird with a short beak",
                    lines=3,
                    info="One a line, the class name first.",
                )
            with foot():
                panel = Panel(studio, KIND, "Try prompts")
        with stage():
            words = "Labels give accuracy; without them you see how many answers hang on the wording."
            results = Results(studio, KIND, "Which words suit your images?", words)
    panel.wire(page, [*images, own, told, select], partial(payload, studio), results.of_job, results.outputs)
    results.wire(page, tab)


def payload(studio: Studio, source: str, path: str, names: str, own: str, told: str, select: bool) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    if own.strip():
        parse_templates(own)
    if told.strip():
        parse_descriptions(told)
    wanted = {**source_of(studio, source, path, names), "own": own, "told": told}
    return wanted if source == EVERYTHING else {**wanted, "select": bool(select)}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Try the prompts and keep the report, with what was chosen if that was asked for."""
    from clipcore.measure.promptbench import iter_bench_prompts, usual_arms
    from clipcore.measure.templates import iter_select_templates

    encoder = studio.encoder()
    own = parse_templates(payload["own"], "your own") if payload.get("own", "").strip() else None
    told = parse_descriptions(payload["told"]) if payload.get("told", "").strip() else {}
    found = yield from iter_read_set(studio, payload)
    names, synonyms = sorted(set(found.examples.labels)), {}
    if not found.labelled:
        names, synonyms = parse_labels(payload["names"])
    if unknown := sorted(set(told) - set(names)):
        raise BadInput(f"There is a description of “{unknown[0]}”, which is no class; write one of: {', '.join(names[:6])}.")
    mine = own
    if told or synonyms:
        mine = PromptSet("your own", (own or pack("seven")).templates, synonyms, told)
    truth = found.examples.labels if found.labelled else ()
    report = yield from iter_bench_prompts(encoder, names, found.examples.embeddings, usual_arms(mine), truth)
    result = {**report.to_json(), "chosen": None}
    if payload.get("select") and found.labelled:
        candidates = [*pack("imagenet80").templates, *(own.templates if own else ())]
        chosen = yield from iter_select_templates(encoder, found.examples, names, candidates, own or pack("seven"))
        result["chosen"] = chosen.to_json()
    some = report.unstable[:MOST_UNSTABLE]
    result |= {"unstable": list(some), "answers": [list(said) for said in report.answers[:MOST_UNSTABLE]]}
    pictures = {"keys": [found.examples.keys[row] for row in some], "names": [found.names[row] for row in some]}
    about = {"Set": found.name, "Model": encoder.space.name}
    summary = {"n": report.n, "flips": report.flips, "set": found.name}
    notes = left_out("", {}, found.skipped)
    return keep(studio, KIND, f"prompts on {found.name}", summary, result, about, notes, found.source, pictures)
