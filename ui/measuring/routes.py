"""What the element of the Measure tab fetches: figures, the images behind them, plots and files. Ids in, no paths."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.responses import Response

from clipcore import NotFound
from clipcore.measure import summarise
from clipcore.measure.html import accuracy_html, comparison_html, models_html
from clipcore.measure.plots import Plot, comparison_plot, cost_plot, coverage_plot, find_plot, reliability_plot
from storage import ReportRecord

from ..downloads import download
from ..search import card
from ..studio import Studio
from .work import read_comparison, read_report

MOST = 240  # images of one cell
Kind = Literal["gained", "lost", "moved"]


def add_measure_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    def cards(keys: Sequence[str], names: Sequence[str], ours: bool) -> list[Any]:
        """A card for each picture of the library that still is there; else its name alone."""
        there = library.images_with_contents(keys) if ours else {}
        return [card(there[key]) if key in there else [None, None, name] for key, name in zip(keys, names, strict=True)]

    def plots(record: ReportRecord) -> list[Plot]:
        if record.kind == "accuracy":
            _, report = read_report(record)
            return [reliability_plot(report.reliability), coverage_plot({"": report.coverage})]
        if record.kind == "compare":
            names, judged, found = read_comparison(record)
            curves = {name: summarise(each).coverage for name, each in zip(names, judged, strict=True)}
            return [comparison_plot(found, names), coverage_plot(curves)]
        if record.kind == "models":
            rows = record.report["rows"]
            costs = [(r["name"], r["gflops"], 1 - r["accuracy"], (1 - r["interval"][1], 1 - r["interval"][0])) for r in rows]
            return [cost_plot(costs)]
        return []

    def figures(record: ReportRecord) -> dict[str, Any]:
        if record.kind == "accuracy":
            judged, report = read_report(record)
            return {"labels": judged.labels, **report.to_json()}
        if record.kind == "compare":
            names, _, found = read_comparison(record)
            return {"names": names, **found.to_json()}
        return {"rows": record.report["rows"]}

    @app.get("/api/reports/{report_id}")
    def report(report_id: int) -> dict[str, Any]:
        record = library.report(report_id)
        return {
            "id": record.id,
            "kind": record.kind,
            "name": record.name,
            "created": record.created.isoformat(),
            "about": record.report.get("about", {}),
            "notes": record.report.get("notes", []),
            "ours": record.report.get("ours", False),
            "plots": [plot.name for plot in plots(record)],
            **_light(figures(record)),
        }

    @app.get("/api/reports/{report_id}/images")
    def images(report_id: int, truth: str = "", guess: str = "", change: Kind | None = None) -> dict[str, Any]:
        """The images of a cell of the matrix, the surest mistakes where no cell is named, or those that change."""
        record = library.report(report_id)
        if record.kind == "compare":
            _, _, found = read_comparison(record)
            changes = getattr(found, change or "lost")
            ours = any(side["ours"] for side in record.report["sides"])
            shown = cards([c.key for c in changes[:MOST]], [c.name for c in changes[:MOST]], ours)
            words = [[c.truth, c.first, c.second] for c in changes[:MOST]]
            return {"total": len(changes), "images": [[*a[:3], *b] for a, b in zip(shown, words, strict=True)]}
        judged, _ = read_report(record)
        rows = judged.cell(truth, guess) if truth or guess else judged.mistakes().tolist()
        some = rows[:MOST]
        shown = cards([judged.keys[i] for i in some], [judged.name(i) for i in some], bool(record.report["ours"]))
        words = [
            [judged.labels[judged.truth[i]], judged.labels[judged.guess[i]], round(float(judged.confidence[i]), 4)]
            for i in some
        ]
        return {"total": len(rows), "images": [[*a[:3], *b] for a, b in zip(shown, words, strict=True)]}

    @app.get("/api/reports/{report_id}/plots/{name}.svg")
    def plot_svg(report_id: int, name: str, alone: bool = False) -> Response:
        svg = find_plot(plots(library.report(report_id)), name).svg(alone)
        return download(svg, "image/svg+xml", f"{name}.svg") if alone else Response(svg, media_type="image/svg+xml")

    @app.get("/api/reports/{report_id}/plots/{name}.png")
    def plot_png(report_id: int, name: str) -> Response:
        return download(find_plot(plots(library.report(report_id)), name).png(), "image/png", f"{name}.png")

    @app.get("/api/reports/{report_id}/report.json")
    def report_json(report_id: int) -> Response:
        record = library.report(report_id)
        everything = {"kind": record.kind, "name": record.name, **record.report, **figures(record)}
        return download(json.dumps(everything, ensure_ascii=False), "application/json", "report.json")

    @app.get("/api/reports/{report_id}/report.html")
    def report_html(report_id: int) -> Response:
        record = library.report(report_id)
        about = {**record.report.get("about", {}), "Measured": f"{record.created:%Y-%m-%d %H:%M} UTC"}
        if record.kind == "accuracy":
            text = accuracy_html(read_report(record)[1], record.name, about, record.report["notes"])
        elif record.kind == "compare":
            names, _, found = read_comparison(record)
            text = comparison_html(found, record.name, names, about)
        elif record.kind == "models":
            text = models_html(record.report["rows"], plots(record), record.name, about, record.report["notes"])
        else:
            raise NotFound("This result has no HTML report; take its JSON.")
        return download(text, "text/html; charset=utf-8", "report.html")


def _light(figures: dict[str, Any]) -> dict[str, Any]:
    """Without the lists of images, which are asked for when they are looked at."""
    counts = {name: len(figures[name]) for name in ("gained", "lost", "moved") if name in figures}
    return {**{name: value for name, value in figures.items() if name not in ("mistakes", "judged")}, **counts}
