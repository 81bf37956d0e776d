"""Prompts: the ready-made ones, one's own and random words, on one's own images."""

from functools import partial
from typing import Any

import gradio as gr

from clipcore import BadInput, PromptSet, pack, parse_descriptions, parse_labels, parse_templates
from storage import JobRecord

from ..studio import Studio, Work
from . import bench
from .panel import QUIET, Changes, Panel
from .work import iter_read_set

KIND = "prompts"
ALL = "library"  # every image, without labels
EMPTY = "Which words suit your images? Labels give accuracy; without them you see how many answers hang on the wording."


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=280):
            images, path = bench.choose_images(KIND, ("All my images, without labels", ALL))
            names = gr.Textbox(label="Class names", placeholder="cat, dog, rabbit", visible=False, elem_id="prompts-names")
            select = gr.Checkbox(label="Also choose templates by the labels (20 images or more)")
        with gr.Column(scale=1, min_width=280):
            own = gr.Textbox(
                label="Your own templates", placeholder="a holiday photo of a {label}", lines=3, info="One a line."
            )
            told = gr.Textbox(
                label="Descriptions of single classes",
                placeholder="sparrow: a small brown bird with a short beak",
                lines=3,
                info="One a line, the class name first.",
            )
    panel = Panel(studio, KIND, "Try prompts")
    shown = gr.HTML(bench.last_result(studio, KIND, drawn, EMPTY), elem_id="prompts-result")

    def show(job: JobRecord) -> Changes:
        return {shown: drawn(job.result or {})}

    panel.wire(page, [images, path, names, own, told, select], partial(payload, studio), show, [shown])
    images.change(lambda source: gr.Textbox(visible=source == ALL), images, names, **QUIET)
    page.load(lambda: bench.last_result(studio, KIND, drawn, EMPTY), None, shown, **QUIET)


def payload(studio: Studio, source: str, path: str, names: str, own: str, told: str, select: bool) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    if own.strip():
        parse_templates(own)
    if told.strip():
        parse_descriptions(told)
    if source != ALL:
        return {**bench.source_of(studio, source, path), "own": own, "told": told, "select": bool(select)}
    parse_labels(names)
    if not studio.library.count():
        raise BadInput("The library is empty; add a folder of pictures first.")
    return {"set": ALL, "names": names, "own": own, "told": told}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Try the prompts; the result is the report, and what was chosen if that was asked for."""
    from clipcore.measure.promptbench import iter_bench_prompts, usual_arms
    from clipcore.measure.templates import iter_select_templates

    encoder = studio.encoder()
    own = parse_templates(payload["own"], "your own") if payload.get("own", "").strip() else None
    told = parse_descriptions(payload["told"]) if payload.get("told", "").strip() else {}
    found = None
    if payload["set"] == ALL:
        names, synonyms = parse_labels(payload["names"])
        vectors = studio.library.embeddings()[1]
    else:
        found = (yield from iter_read_set(studio, payload)).examples
        names, synonyms, vectors = sorted(set(found.labels)), {}, found.embeddings
    if unknown := sorted(set(told) - set(names)):
        raise BadInput(f"There is a description of “{unknown[0]}”, which is no class; write one of: {', '.join(names[:6])}.")
    mine = own
    if told or synonyms:
        mine = PromptSet("your own", (own or pack("seven")).templates, synonyms, told)
    report = yield from iter_bench_prompts(encoder, names, vectors, usual_arms(mine), found.labels if found else ())
    result = {**report.to_json(), "unstable": list(report.unstable[:200])}
    if payload.get("select") and found:
        candidates = [*pack("imagenet80").templates, *(own.templates if own else ())]
        chosen = yield from iter_select_templates(encoder, found, names, candidates, own or pack("seven"))
        result["chosen"] = chosen.to_json()
    return result


def drawn(result: dict[str, Any]) -> str:
    """The report as a table."""
    rows = []
    for arm in result["arms"]:
        cells = [arm["name"], str(arm["templates"]), f"{100 * arm['changed']:.1f} %"]
        if result["labelled"]:
            (low, high), (gain_low, gain_high) = arm["interval"], arm["gain_interval"]
            cells += [
                f"{100 * arm['accuracy']:.1f} % ({100 * low:.1f} to {100 * high:.1f})",
                f"{100 * arm['gain']:+.1f} ({100 * gain_low:+.1f} to {100 * gain_high:+.1f})",
            ]
        rows.append(cells)
    heads = ["Prompts", "Sentences", "Labels that change"]
    heads += ["Accuracy (95 % interval)", "Gain in points"] if result["labelled"] else []
    parts = [bench.sentence(result["sentence"]), bench.table(heads, rows, "Prompt sets")]
    if chosen := result.get("chosen"):
        parts += [bench.sentence(chosen["sentence"])]
        stable = [[t, f"{n} of {chosen['folds']}"] for t, n in zip(chosen["templates"], chosen["stability"], strict=True)]
        parts += [bench.table(["Chosen template", "Also chosen in"], stable, "Chosen templates")]
    return "".join(parts)
