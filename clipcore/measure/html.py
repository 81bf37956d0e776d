"""Results as one HTML file: plots inside, light and dark, no script, nothing fetched from anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .compare import Change, Comparison
from .intervals import points
from .plots import DARK, Plot, comparison_plot, coverage_plot, reliability_plot
from .report import Report

MOST_CLASSES = 60  # of a matrix that is drawn whole; beyond, the pairs that are confused most
MOST_PAIRS = 60
MOST_CHANGES = 200  # of each kind
_CSS = f"""
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; max-width: 1080px; margin: 24px auto; padding: 0 16px;
  color: #111827; background: #fff; --line: #d1d5db; --soft: #4b5563; --cell: 79 70 229; }}
h1 {{ font-size: 1.5rem; margin: 0; }} h2 {{ font-size: 1.15rem; margin: 32px 0 8px; }}
.soft {{ color: var(--soft); margin: 2px 0; }}
.note {{ border-left: 4px solid #b45309; padding: 6px 12px; margin: 12px 0; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }}
dt {{ color: var(--soft); font-size: .85rem; }} dd {{ margin: 0; font-size: 1.4rem; font-weight: 600; }}
dd small {{ display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 20px; }}
.plots svg {{ width: 100%; height: auto; max-width: 560px; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 4px 10px; border: 1px solid var(--line); text-align: left; }}
td.n {{ text-align: right; }} .matrix th {{ font-weight: 500; }} .matrix td {{ text-align: center; min-width: 2.4em; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e5e7eb; background: #0b1120; --line: #374151; --soft: #9ca3af;
  --cell: 129 140 248; {DARK} }} }}
"""


def accuracy_html(report: Report, title: str, about: Mapping[str, str], notes: Sequence[str] = ()) -> str:
    """A report as a page. `about` says what was measured on what, by name; `notes` are warnings."""
    sections = [
        _numbers(
            ("Top-1 accuracy", report.top1, report.interval),
            ("Top-5 accuracy", report.top5, report.top5_interval),
            ("Mean recall of a class", report.mean_per_class_recall, report.recall_interval),
        ),
        _plots([reliability_plot(report.reliability), coverage_plot({"": report.coverage})]),
        f"<p>Calibration error {report.reliability.error:.3f} (0 is best: 80 % sure is right 8 times of 10). "
        f"Of the surest half of the answers {points(report.coverage.at(0.5))} are right.</p>",
        _matrix(report),
        "<h2>Classes, the worst first</h2>",
        _table(
            ("class", "images", "recall", "95 % interval", "precision", "F1", "taken most often for"),
            (
                (
                    row.label,
                    row.support,
                    points(row.recall),
                    _interval(row.interval),
                    "-" if row.precision is None else points(row.precision),
                    f"{row.f1:.3f}",
                    f"{row.taken_for} ({row.times})" if row.taken_for else "",
                )
                for row in report.classes
            ),
        ),
        "<h2>The surest mistakes</h2>",
        _table(
            ("image", "is", "was called", "confidence"),
            ((name, truth, guess, points(sure)) for name, truth, guess, sure in report.mistakes),
        ),
    ]
    return _page(title, {**about, "Images": f"{report.n:,} of {len(report.support):,} classes"}, notes, sections)


def comparison_html(found: Comparison, title: str, names: Sequence[str], about: Mapping[str, str]) -> str:
    """A comparison as a page; `names` of the first and the second."""
    head = ("image", "is", names[0], names[1])

    def listed(what: str, changes: Sequence[Change]) -> list[str]:
        more = f"<p class='soft'>{len(changes) - MOST_CHANGES:,} more.</p>" if len(changes) > MOST_CHANGES else ""
        rows = ((c.name, c.truth, c.first, c.second) for c in changes[:MOST_CHANGES])
        return [f"<h2>{what}: {len(changes):,}</h2>", _table(head, rows) + more if changes else ""]

    sections = [
        f"<p><strong>{escape(found.sentence)}</strong></p>",
        _numbers(*zip(names, found.accuracy, found.intervals, strict=True)),
        _plots([comparison_plot(found, names)]),
        *listed("Wrong before, right now", found.gained),
        *listed("Right before, wrong now", found.lost),
        *listed("Wrong both times, in another way", found.moved),
    ]
    return _page(title, {**about, "Images": f"{found.n:,}, the same for both"}, (), sections)


def models_html(
    rows: Iterable[Mapping[str, Any]], plots: Iterable[Plot], title: str, about: Mapping[str, str], notes: Sequence[str] = ()
) -> str:
    """Models side by side as a page; `rows` are `ModelRow.to_json`."""
    head = ("model", "accuracy", "95 % interval", "images", "images/s", "GFLOPs/image", "weights, MB", "in use, MB")
    table = _table(
        head,
        (
            (
                row["name"],
                points(row["accuracy"]),
                _interval(row["interval"]),
                row["n"],
                f"{row['per_second']:,.0f} ({row['device']})",
                f"{row['gflops']:.2f}",
                f"{row['megabytes']:,.0f}",
                "-" if row["memory"] is None else f"{row['memory']:,.0f}",
            )
            for row in rows
        ),
    )
    return _page(title, about, notes, [table, "<h2>Error against compute</h2>", _plots(plots)])


def _page(title: str, about: Mapping[str, str], notes: Sequence[str], sections: Iterable[str]) -> str:
    facts = " · ".join(f"{escape(name)}: {escape(value)}" for name, value in about.items() if value)
    warned = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_CSS}</style></head><body>'
        f'<h1>{escape(title)}</h1><p class="soft">{facts}</p>{warned}{"".join(sections)}</body></html>\n'
    )


def _numbers(*rows: tuple[str, float, tuple[float, float]]) -> str:
    cells = (
        f"<div><dt>{escape(name)}</dt><dd>{points(share)}<small>95 % interval {_interval(ends)}</small></dd></div>"
        for name, share, ends in rows
    )
    return f"<dl>{''.join(cells)}</dl>"


def _plots(plots: Iterable[Plot]) -> str:
    return f'<div class="plots">{"".join(f"<figure>{plot.svg()}</figure>" for plot in plots)}</div>'


def _matrix(report: Report) -> str:
    labels = sorted({label for row in report.confusion for label in row[:2]})
    if len(labels) > MOST_CLASSES:
        wrong = sorted((row for row in report.confusion if row[0] != row[1]), key=lambda row: -row[2])[:MOST_PAIRS]
        return "<h2>Confused most often</h2>" + _table(("is", "was called", "images"), wrong)
    times = {(truth, guess): n for truth, guess, n in report.confusion}
    head = "".join(f"<th scope='col'>{escape(label)}</th>" for label in labels)
    rows = []
    for truth in labels:
        total = sum(times.get((truth, guess), 0) for guess in labels) or 1
        cells = "".join(
            f'<td style="background: rgb(var(--cell) / {0.55 * n / total:.2f})">{n or ""}</td>'
            for n in (times.get((truth, guess), 0) for guess in labels)
        )
        rows.append(f"<tr><th scope='row'>{escape(truth)}</th>{cells}</tr>")
    return (
        "<h2>Confusion matrix</h2><p class='soft'>A row is what the images are, a column what they were called.</p>"
        f'<div class="wide"><table class="matrix"><tr><td></td>{head}</tr>{"".join(rows)}</table></div>'
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        number = isinstance(value, int)
        return f'<td class="n">{value:,}</td>' if number else f"<td>{escape(str(value))}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    titles = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    return f'<div class="wide"><table><tr>{titles}</tr>{body}</table></div>'


def _interval(ends: tuple[float, float]) -> str:
    return f"{points(ends[0])} to {points(ends[1])}"
