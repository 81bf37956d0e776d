"""What is shown of each kind of kept result: its figures, plots, the images behind them, and its HTML page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clipcore import BadInput, NotFound
from clipcore.measure import summarise
from clipcore.measure.bench_html import (
    composition_html,
    curve_html,
    prompts_html,
    recall_html,
    robustness_html,
    shift_html,
    suite_html,
)
from clipcore.measure.bench_plots import curve_plot, prompts_plot, robustness_plot, shift_plot, suite_plot
from clipcore.measure.html import accuracy_html, comparison_html, models_html
from clipcore.measure.plots import Plot, comparison_plot, costs_plot, coverage_plot, reliability_plot
from storage import ReportRecord

from .jobs import read_comparison, read_report


@dataclass(frozen=True)
class Shown:
    """Images of a result: their rows in what it keeps, what each is called, its content hash, and words about it."""

    rows: list[int]
    names: list[str]
    keys: list[str]
    words: list[list[Any]]
    source: str  # where the set lies, if it is not the library's


def plots(record: ReportRecord) -> list[Plot]:
    """The plots of a result."""
    result = record.report.get("result", {})
    if record.kind == "accuracy":
        _, report = read_report(record)
        return [reliability_plot(report.reliability), coverage_plot({"": report.coverage})]
    if record.kind == "compare":
        names, judged, found = read_comparison(record)
        curves = {name: summarise(each).coverage for name, each in zip(names, judged, strict=True)}
        return [comparison_plot(found, names), coverage_plot(curves)]
    if record.kind == "models":
        return [costs_plot(record.report["rows"])]
    if record.kind == "prompts":
        return [prompts_plot(result)]
    if record.kind == "suite":
        return [suite_plot(result)]
    if record.kind == "labels":
        return [curve_plot(result)]
    if record.kind == "robustness":
        return [shift_plot(result) if "models" in result else robustness_plot(result)]
    return []


def figures(record: ReportRecord) -> dict[str, Any]:
    """The figures of a result as plain values."""
    if record.kind == "accuracy":
        judged, report = read_report(record)
        return {"labels": judged.labels, **report.to_json()}
    if record.kind == "compare":
        names, _, found = read_comparison(record)
        return {"names": names, **found.to_json()}
    if record.kind == "models":
        return {"rows": record.report["rows"]}
    return dict(record.report.get("result", {}))


def images(record: ReportRecord, most: int, truth: str = "", guess: str = "", change: str = "") -> tuple[int, Shown]:
    """How many images there are and the first of them: of a cell of the matrix, the surest mistakes where no cell is named,
    those that change between two, or those whose label hangs on the wording. Raises BadInput."""
    if record.kind == "compare":
        _, _, found = read_comparison(record)
        changes = getattr(found, change or "lost")
        some = changes[:most]
        first = record.report["sides"][0]
        words = [[c.truth, c.first, c.second] for c in some]
        rows, names, keys = [c.row for c in some], [c.name for c in some], [c.key for c in some]
        return len(changes), Shown(rows, names, keys, words, first.get("source", ""))
    source = record.report.get("source", "")
    if record.kind == "prompts":
        result, pictures = record.report["result"], record.report["pictures"]
        count = min(most, len(pictures["keys"]))
        words = [[", ".join(said)] for said in result["answers"][:count]]
        total = round(result["flips"] * result["n"])
        return total, Shown(list(range(count)), pictures["names"][:count], pictures["keys"][:count], words, source)
    judged, _ = read_report(record)
    rows = judged.cell(truth, guess) if truth or guess else judged.mistakes().tolist()
    some = rows[:most]
    words = [
        [judged.labels[judged.truth[i]], judged.labels[judged.guess[i]], round(float(judged.confidence[i]), 4)] for i in some
    ]
    names, keys = [judged.name(i) for i in some], [judged.keys[i] for i in some]
    return len(rows), Shown(some, names, keys, words, source)


def document(record: ReportRecord, pictures: Mapping[str, bytes]) -> str:
    """A result as an HTML page; `pictures` are the small ones of its surest mistakes, by name."""
    about = {**record.report.get("about", {}), "Measured": f"{record.created:%Y-%m-%d %H:%M} UTC"}
    name, notes, result = record.name, record.report.get("notes", []), record.report.get("result", {})
    if record.kind == "accuracy":
        return accuracy_html(read_report(record)[1], name, about, notes, pictures)
    if record.kind == "compare":
        names, _, found = read_comparison(record)
        return comparison_html(found, name, names, about, notes)
    if record.kind == "models":
        return models_html(record.report["rows"], plots(record), name, about, notes)
    if record.kind == "prompts":
        return prompts_html(result, name, about, notes)
    if record.kind == "suite":
        return suite_html(result, name, about)
    if record.kind == "labels":
        return curve_html(result, name, about, notes)
    if record.kind == "robustness":
        return (shift_html if "models" in result else robustness_html)(result, name, about, notes)
    if record.kind == "captions" and result["what"] in ("composition", "recall"):
        return (composition_html if result["what"] == "composition" else recall_html)(result, name, about, notes)
    raise NotFound("This result has no HTML report; take its JSON.")


def light(found: Mapping[str, Any]) -> dict[str, Any]:
    """Figures without the lists of images, which are asked for when they are looked at."""
    counts = {name: len(found[name]) for name in ("gained", "lost", "moved") if name in found}
    heavy = ("mistakes", "judged", "unstable", "answers")
    return {**{name: value for name, value in found.items() if name not in heavy}, **counts}


def checked(record: ReportRecord) -> ReportRecord:
    """A result of this tab. Raises BadInput for one of another."""
    if record.kind not in ("accuracy", "compare", "models", "prompts", "robustness", "captions", "suite", "labels"):
        raise BadInput(f"“{record.name}” is no result of this tab; choose another.")
    return record
