"""Captions: which fits which picture? Those that someone types, a published test of composition, or a captioned set."""

import base64
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import BadInput
from clipcore.pictures.finding import SUFFIXES

from ..frame import body, foot, frame, rail, stage
from ..page_events import Opening
from ..studio import Studio, Work
from .jobs import keep
from .panel import QUIET, Panel
from .results import Results
from .sets import set_path

KIND = "captions"
MATCH, COMPOSITION, RECALL, DRAWN = "match", "composition", "recall", "drawn"
MOST = 24  # pictures or captions: what a table can show


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the section out and wire it."""
    studio.jobs.register(KIND, partial(work, studio))
    with frame():
        with rail("Captions"):
            with body():
                what = gr.Radio(
                    [
                        ("Pictures and captions that I choose", MATCH),
                        ("Drawn shapes: colour, number, place, no", DRAWN),
                        ("A file of SugarCrepe or Winoground", COMPOSITION),
                        ("A captioned set: recall", RECALL),
                    ],
                    value=MATCH,
                    label="What to try",
                    elem_id="captions-what",
                )
                with gr.Column(min_width=0) as mine:
                    files = gr.File(
                        label="Pictures",
                        file_count="multiple",
                        file_types=sorted(SUFFIXES),
                        height=120,
                        elem_id="captions-files",
                    )
                    typed = gr.Textbox(
                        label="Captions",
                        placeholder="a dog chasing a cat\na cat chasing a dog",
                        lines=5,
                        info="One a line.",
                        elem_id="captions-typed",
                    )
                with gr.Column(min_width=0, visible=False) as test:
                    path = gr.Textbox(
                        label="File",
                        placeholder="sugarcrepe/swap_obj.json",
                        info="SugarCrepe's JSON, or Winoground's JSON Lines.",
                        elem_id="captions-path",
                    )
                    folder = gr.Textbox(
                        label="Folder with its pictures", placeholder="coco/val2017", elem_id="captions-folder"
                    )
            with foot():
                panel = Panel(studio, KIND, "Match")
        with stage():
            words = "Which captions fit, and does the model see who does what to whom?"
            results = Results(studio, KIND, "Nothing matched yet", words)

    def shown(chosen: str) -> list[Any]:
        recall = chosen == RECALL
        return [
            gr.Column(visible=chosen == MATCH),
            gr.Column(visible=chosen not in (MATCH, DRAWN)),
            gr.Textbox(
                label="Captioned set" if recall else "File",
                placeholder="Pictures/captions.csv" if recall else "sugarcrepe/swap_obj.json",
                info="A CSV with the columns image and caption, or .tar files (shards)."
                if recall
                else "SugarCrepe's JSON, or Winoground's JSON Lines.",
            ),
            gr.Textbox(visible=not recall),
        ]

    what.change(shown, what, [mine, test, path, folder], **QUIET)
    panel.wire(page, [what, files, typed, path, folder], partial(payload, studio), results.of_job, results.outputs)
    results.wire(page, tab)


def payload(studio: Studio, what: str, chosen: list[str] | None, text: str, path: str, folder: str) -> dict[str, Any]:
    """The job. Raises BadInput for what is missing or wrong in the fields."""
    if what == DRAWN:
        return {"what": what}
    if what == COMPOSITION:
        from clipcore.measure.composition import read_items

        if not (path or "").strip() or not (folder or "").strip():
            raise BadInput("Name the file and the folder that holds its pictures.")
        read_items(set_path({"path": path}), set_path({"path": folder}))
        return {"what": what, "path": path, "folder": folder}
    if what == RECALL:
        if not (path or "").strip():
            raise BadInput("Name a CSV with the columns image and caption, or a .tar file.")
        next(_captioned(set_path({"path": path})), None)
        return {"what": what, "path": path}
    captions = list(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))
    if not chosen or not captions:
        raise BadInput("Choose at least one picture and write at least one caption.")
    if len(chosen) > MOST or len(captions) > MOST:
        raise BadInput(f"At most {MOST} pictures and {MOST} captions fit into the table; take some out.")
    return {"what": MATCH, "files": studio.keep(chosen), "captions": captions}


def work(studio: Studio, payload: dict[str, Any]) -> Work:
    """Match or test, and keep what came of it."""
    kinds = {COMPOSITION: _compose, RECALL: _recall, DRAWN: _probe}
    return (yield from kinds.get(payload.get("what", MATCH), _match)(studio, payload))


def _match(studio: Studio, payload: dict[str, Any]) -> Work:
    """The matrix, with small copies of the pictures."""
    from clipcore.encoding.stream import iter_embed
    from clipcore.measure.composition import match
    from clipcore.pictures.reading import small_copy

    encoder = studio.encoder()
    embedded = yield from iter_embed(encoder, [Path(file) for file in payload["files"]])
    if not embedded.paths:
        raise BadInput("None of the files could be read as a picture; choose others.")
    found = match(encoder, embedded.vectors, payload["captions"])
    small = [base64.b64encode(small_copy(path, 96)).decode() for path in embedded.paths]
    names = [path.name for path in embedded.paths]
    notes = [f"{skipped.path.name}: {skipped.reason}" for skipped in embedded.skipped]
    notes += [f"“{text}” is longer than the model reads; its last words were left out." for text in found.cut]
    result = {**found.to_json(), "what": MATCH, "thumbnails": small, "files": names}
    title = f"{len(names)} pictures and {len(found.captions)} captions"
    return keep(studio, KIND, title, {"n": len(names)}, result, {"Model": encoder.space.name}, notes)


def _compose(studio: Studio, payload: dict[str, Any]) -> Work:
    from clipcore.measure.composition import iter_composition

    encoder = studio.encoder()
    path = set_path(payload)
    report = yield from iter_composition(encoder, path, set_path(payload, "folder"))
    notes = [*report.skipped[:20]]
    if report.cut:
        notes.append(f"{report.cut:,} captions are longer than the model reads; their last words were left out.")
    result = {**report.to_json(), "what": COMPOSITION}
    about = {"Model": encoder.space.name, "File": path.name}
    return keep(studio, KIND, f"composition: {path.name}", {"scores": list(report.scores)}, result, about, notes)


def _probe(studio: Studio, payload: dict[str, Any]) -> Work:
    """Composition by shapes that are drawn on the spot."""
    from clipcore.measure.probes import iter_probe, sentence

    encoder = studio.encoder()
    report = yield from iter_probe(encoder)
    result = {**report.to_json(), "what": COMPOSITION}
    title = f"composition: {report.name}"
    about = {"Model": encoder.space.name}
    return keep(studio, KIND, title, {"scores": list(report.scores)}, result, about, [sentence(report)])


def _recall(studio: Studio, payload: dict[str, Any]) -> Work:
    from clipcore.measure import iter_embed_set, measure_set

    encoder = studio.encoder()
    path = set_path(payload)
    pictures = yield from iter_embed_set(encoder, _captioned(path))
    report = measure_set(encoder, pictures, {})["captions"]
    notes = [f"{len(pictures.skipped):,} files left out: unreadable."] if pictures.skipped else []
    about = {"Model": encoder.space.name, "Set": path.name}
    result = {**report.to_json(), "what": RECALL}
    return keep(studio, KIND, f"recall on {path.name}", {"n": len(pictures.names)}, result, about, notes)


def _captioned(path: Path) -> Any:
    from training.data.pairs import read_pairs

    return (pair for pair in read_pairs(path) if pair.captions and not pair.name)
