"""What the element of the Measure tab fetches: figures, the images behind them, plots and files. Ids in, no paths."""

import json
from contextlib import suppress
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.responses import Response

from clipcore import SaysoError
from clipcore.measure.plots import find_plot
from clipcore.measure.report import MISTAKES
from storage import ReportRecord

from ..downloads import download
from ..ids import Id, Offset
from ..library.search import card
from ..studio import Studio
from .kinds import Shown, checked, document, figures, images, light, plots
from .pictures import SetPictures

MOST = 240  # images of one cell
Kind = Literal["", "gained", "lost", "moved"]


def add_measure_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library, of_sets = studio.library, SetPictures()

    def find(report_id: Id) -> ReportRecord:
        return checked(library.reports.get(report_id))

    def cards(shown: Shown) -> list[Any]:
        """A card for each picture that still is there; else its name alone. One of a set has its row for an id, and "set"
        for its content: the element asks for it by the result."""
        there = library.images_with_contents(shown.keys)
        small = of_sets.prepare(shown.source, shown.names, shown.keys) if shown.source else {}
        found = []
        for row, name, key, words in zip(shown.rows, shown.names, shown.keys, shown.words, strict=True):
            if key in there:
                found.append([*card(there[key])[:2], name or card(there[key])[2], *words])
            else:
                found.append([*([row, "set"] if key in small else [None, None]), name, *words])
        return found

    @app.get("/api/reports/{report_id}")
    def report(report_id: Id) -> dict[str, Any]:
        record = find(report_id)
        return {
            "id": record.id,
            "kind": record.kind,
            "name": record.name,
            "created": record.created.isoformat(),
            "about": record.report.get("about", {}),
            "notes": record.report.get("notes", []),
            "plots": [{"name": plot.name, "title": plot.title, "words": plot.words} for plot in plots(record)],
            "html": record.kind != "captions" or record.report["result"].get("what") != "match",
            **light(figures(record)),
        }

    @app.get("/api/reports/{report_id}/images")
    def behind(report_id: Id, truth: str = "", guess: str = "", change: Kind = "") -> dict[str, Any]:
        """The images of a cell of the matrix, the surest mistakes where no cell is named, or those that change."""
        total, shown = images(find(report_id), MOST, truth, guess, change)
        return {"total": total, "images": cards(shown)}

    @app.get("/api/reports/{report_id}/pictures/{row}/{size}.webp")
    def picture(report_id: Id, row: Offset, size: str) -> Response:
        """A picture of a set that is not the library's, by its row in the result."""
        record = find(report_id)
        if record.kind == "compare":
            side = record.report["sides"][0]
            record = ReportRecord(record.id, "accuracy", record.name, record.summary, record.created, side)
        data = of_sets.get(record, row, size)
        return Response(data, media_type="image/webp", headers={"Cache-Control": "private, max-age=3600"})

    @app.get("/api/reports/{report_id}/plots/{name}.svg")
    def plot_svg(report_id: Id, name: str, alone: bool = False) -> Response:
        svg = find_plot(plots(find(report_id)), name).svg(alone)
        return download(svg, "image/svg+xml", f"{name}.svg") if alone else Response(svg, media_type="image/svg+xml")

    @app.get("/api/reports/{report_id}/plots/{name}.png")
    def plot_png(report_id: Id, name: str) -> Response:
        return download(find_plot(plots(find(report_id)), name).png(), "image/png", f"{name}.png")

    @app.get("/api/reports/{report_id}/report.json")
    def report_json(report_id: Id) -> Response:
        record = find(report_id)
        everything = {"kind": record.kind, "name": record.name, **record.report, **figures(record)}
        everything.pop("result", None)  # its parts are there by name
        return download(json.dumps(everything, ensure_ascii=False), "application/json", "report.json")

    @app.get("/api/reports/{report_id}/report.html")
    def report_html(report_id: Id) -> Response:
        record = find(report_id)
        return download(document(record, small_mistakes(record)), "text/html; charset=utf-8", "report.html")

    def small_mistakes(record: ReportRecord) -> dict[str, bytes]:
        """Small pictures of the surest mistakes, by name, for a page that stands alone."""
        if record.kind != "accuracy":
            return {}
        _, shown = images(record, MISTAKES)
        found = of_sets.prepare(shown.source, shown.names, shown.keys) if shown.source else {}
        ours = library.images_with_contents(shown.keys)
        for key, image in ours.items():
            with suppress(SaysoError):  # gone since
                found.setdefault(key, library.thumbnail(image.id))
        return {name: found[key] for name, key in zip(shown.names, shown.keys, strict=True) if key in found}
