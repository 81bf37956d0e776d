"""What the element of the Bias tab asks: figures, what-ifs, thresholds, distractors, and the images behind them.

Routes take the id of a kept result. A design is measured by posting it; whatever else is posted carries the design that the
element shows, so that an answer is about what is on the screen, also while another design is being measured.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Body, FastAPI
from fastapi.responses import Response

from clipcore import PACKS, BadInput
from clipcore.classify.sensitive import notice, sensitive
from clipcore.measure.bias import Bench, Design, Study, parse_bins, report_html
from clipcore.measure.bias.plots import sweep_plot
from clipcore.measure.bias.report import LIMITS, describe
from clipcore.measure.intervals import points
from storage import ReportRecord

from ..downloads import download
from ..ids import Id
from ..library.search import card
from ..studio import Studio
from .jobs import KIND, Benches, measure

PAGE = 24  # images of a cell or of a change at a time, as in ui/static/bias/tables.js
MOST_TEXT = 20_000
Said = Annotated[dict[str, Any], Body()]


def add_bias_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library, benches = studio.library, Benches(studio)

    def find(report_id: Id) -> ReportRecord:
        record = library.reports.get(report_id)
        if record.kind != KIND:
            raise BadInput(f"“{record.name}” is no bias measurement; choose another result.")
        return record

    def opened(report_id: Id, said: dict[str, Any] | None = None) -> tuple[ReportRecord, Bench, Design]:
        record = find(report_id)
        design = (said or {}).get("design") or record.report.get("design")
        if not design:
            raise BadInput("Nothing is measured yet; choose columns and label sets first.")
        return record, benches.get(record), Design.from_json(design)

    def cards(record: ReportRecord, rows: Sequence[int], *words: Sequence[str]) -> list[Any]:
        study = record.report["study"]
        images = {image.id: image for image in library.images_with_ids([study["ids"][row] for row in rows])}
        there = [(i, images[study["ids"][row]]) for i, row in enumerate(rows) if study["ids"][row] in images]
        return [[*card(image)[:3], *(some[i] for some in words)] for i, image in there]

    @app.get("/api/bias/{report_id}")
    def kept(report_id: Id) -> dict[str, Any]:
        record = find(report_id)
        figures = {name: value for name, value in record.report.items() if name != "study"}
        if "data" not in figures:
            study = Study.from_json(record.report["study"])
            figures["data"] = describe(study.facts, study.keys)
        head = {"id": record.id, "name": record.name, "created": record.created.isoformat(), "packs": PACKS}
        return {**figures, **head, "limits": LIMITS}

    @app.post("/api/bias/{report_id}/measure")
    def measured(report_id: Id, said: Said) -> dict[str, Any]:
        find(report_id)
        if len(json.dumps(said)) > 20 * MOST_TEXT:
            raise BadInput("These label sets are too long; use fewer classes.")
        for column, begins in dict(said.get("bins") or {}).items():
            if isinstance(begins, str):
                said["bins"][column] = list(parse_bins(begins)) if begins.strip() else []
        return measure(studio, benches, report_id, said)

    @app.post("/api/bias/{report_id}/images")
    def images(report_id: Id, said: Said) -> dict[str, Any]:
        """The images of a cell: {"label_set", "row", "kind", "group": name or null, "offset"}."""
        record, bench, design = opened(report_id, said)
        rows = bench.cell(
            design, _text(said, "label_set"), _text(said, "row"), _text(said, "kind"), said.get("group") or None
        )
        asked = design.label_set(_text(said, "label_set"))
        answered = bench.answers(asked, design.prompts)
        some = rows[_offset(said) :][:PAGE].tolist()
        best = [f"{asked.labels[answered.guess[row]]} {points(float(answered.shares[row].max()))}" for row in some]
        return {"total": len(rows), "images": cards(record, some, best)}

    @app.post("/api/bias/{report_id}/what-if")
    def what_if(report_id: Id, said: Said) -> dict[str, Any]:
        """{"label_set", "add": typed, "remove": [class], "rename": {old: new}, "offset"}: the change, images that move."""
        record, bench, design = opened(report_id, said)
        change = bench.what_if(
            design,
            _text(said, "label_set"),
            _text(said, "add"),
            [str(label) for label in said.get("remove") or []],
            {str(old): str(new) for old, new in dict(said.get("rename") or {}).items() if str(new).strip()},
        )
        start = _offset(said)
        rows, was, now = (part[start : start + PAGE] for part in (change.moved.tolist(), change.was, change.now))
        shown = cards(record, rows, [f"{old} → {new}" for old, new in zip(was, now, strict=True)])
        return {**change.to_json(), "images": shown, "notice": notice(sensitive(change.after.labels), here=True)}

    @app.post("/api/bias/{report_id}/sweep")
    def swept(report_id: Id, said: Said) -> dict[str, Any]:
        _, bench, design = opened(report_id, said)
        return bench.sweep(design, _text(said, "label_set")).to_json()

    @app.post("/api/bias/{report_id}/plot")
    def plot(report_id: Id, said: Said) -> dict[str, Any]:
        """{"label_set", "row", "kind"}: the curve of each group, as SVG."""
        _, bench, design = opened(report_id, said)
        found = bench.sweep(design, _text(said, "label_set"))
        return {"svg": sweep_plot(found, _text(said, "row"), _text(said, "kind")).svg()}

    @app.post("/api/bias/{report_id}/stress")
    def stressed(report_id: Id, said: Said) -> dict[str, Any]:
        """{"label_set", "captions": one a line}."""
        _, bench, design = opened(report_id, said)
        return bench.stress(design, _text(said, "label_set"), _text(said, "captions").splitlines()).to_json()

    @app.get("/api/bias/{report_id}/report.html")
    def page(report_id: Id) -> Response:
        record, bench, design = opened(report_id)
        sweeps = [bench.sweep(design, one.name) for one in design.label_sets]
        text = report_html({**record.report, "name": record.name}, sweeps)
        return download(text, "text/html; charset=utf-8", "bias.html")

    @app.get("/api/bias/{report_id}/report.json")
    def figures(report_id: Id) -> Response:
        record, bench, design = opened(report_id)
        everything = {name: value for name, value in record.report.items() if name != "study"}
        everything["sweeps"] = [bench.sweep(design, one.name).to_json() for one in design.label_sets]
        return download(json.dumps(everything, ensure_ascii=False), "application/json", "bias.json")


def _text(said: dict[str, Any], name: str) -> str:
    value = str(said.get(name) or "")
    if len(value) > MOST_TEXT:
        raise BadInput("That text is too long; use fewer words.")
    return value


def _offset(said: dict[str, Any]) -> int:
    value = said.get("offset") or 0
    return value if isinstance(value, int) and value >= 0 else 0
