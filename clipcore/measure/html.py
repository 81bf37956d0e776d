"""Accuracy, comparisons and models side by side as one HTML file; of what it is made, see `page.py`."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .compare import Change, Comparison
from .intervals import points
from .page import between, figures, numbers, page, plain_table
from .plots import Plot, comparison_plot, coverage_plot, reliability_plot
from .report import Report

MOST_CLASSES = 60  # of a matrix that is drawn whole; beyond, the pairs that are confused most
MOST_PAIRS = 60
MOST_CHANGES = 200  # of each kind


def accuracy_html(
    report: Report,
    title: str,
    about: Mapping[str, str],
    notes: Sequence[str] = (),
    pictures: Mapping[str, bytes] | None = None,
) -> str:
    """A report as a page. `about` says what was measured on what, by name; `notes` are warnings; `pictures` are small ones
    as WebP, by the names that the report's mistakes have."""
    shown = pictures or {}
    sections = [
        numbers(
            ("Top-1 accuracy", report.top1, report.interval),
            ("Top-5 accuracy", report.top5, report.top5_interval),
            ("Mean recall of a class", report.mean_per_class_recall, report.recall_interval),
        ),
        figures([reliability_plot(report.reliability), coverage_plot({"": report.coverage})]),
        f"<p>Calibration error {report.reliability.error:.3f} (0 is best: 80 % sure is right 8 times of 10). "
        f"Of the surest half of the answers {points(report.coverage.at(0.5))} are right.</p>",
        _matrix(report),
        "<h2>Classes, the worst first</h2>",
        plain_table(
            ("class", "images", "recall", "95 % interval", "precision", "F1", "taken most often for"),
            (
                (
                    row.label,
                    row.support,
                    points(row.recall),
                    between(row.interval),
                    "-" if row.precision is None else points(row.precision),
                    f"{row.f1:.3f}",
                    f"{row.taken_for} ({row.times})" if row.taken_for else "",
                )
                for row in report.classes
            ),
        ),
        "<h2>The surest mistakes</h2>",
        plain_table(
            (*(["picture"] if shown else []), "image", "is", "was called", "confidence"),
            (
                (*([shown.get(name, b"")] if shown else []), name, truth, guess, points(sure))
                for name, truth, guess, sure in report.mistakes
            ),
        ),
    ]
    return page(title, {**about, "Images": f"{report.n:,} of {len(report.support):,} classes"}, notes, sections)


def comparison_html(
    found: Comparison, title: str, names: Sequence[str], about: Mapping[str, str], notes: Sequence[str] = ()
) -> str:
    """A comparison as a page; `names` of the first and the second."""
    head = ("image", "is", names[0], names[1])

    def listed(what: str, changes: Sequence[Change]) -> list[str]:
        more = f"<p class='soft'>{len(changes) - MOST_CHANGES:,} more.</p>" if len(changes) > MOST_CHANGES else ""
        rows = ((c.name, c.truth, c.first, c.second) for c in changes[:MOST_CHANGES])
        return [f"<h2>{what}: {len(changes):,}</h2>", plain_table(head, rows) + more if changes else ""]

    sections = [
        f"<p><strong>{escape(found.sentence)}</strong></p>",
        numbers(*zip(names, found.accuracy, found.intervals, strict=True)),
        figures([comparison_plot(found, names)]),
        *listed("Wrong before, right now", found.gained),
        *listed("Right before, wrong now", found.lost),
        *listed("Wrong both times, in another way", found.moved),
    ]
    return page(title, {**about, "Images": f"{found.n:,}, the same for both"}, notes, sections)


def models_html(
    rows: Iterable[Mapping[str, Any]], plots: Iterable[Plot], title: str, about: Mapping[str, str], notes: Sequence[str] = ()
) -> str:
    """Models side by side as a page; `rows` are `ModelRow.to_json`."""
    head = (
        *("model", "accuracy", "95 % interval", "images"),
        *("images/s", "operations an image, bn", "weights, MB", "in use, MB"),
    )
    rows_table = plain_table(
        head,
        (
            (
                row["name"],
                points(row["accuracy"]),
                between(row["interval"]),
                row["n"],
                f"{row['per_second']:,.0f} ({row['device']})",
                f"{row['gflops']:.2f}",
                f"{row['megabytes']:,.0f}",
                "-" if row["memory"] is None else f"{row['memory']:,.0f}",
            )
            for row in rows
        ),
    )
    return page(title, about, notes, [rows_table, "<h2>Error against compute</h2>", figures(plots)])


def _matrix(report: Report) -> str:
    labels = sorted({label for row in report.confusion for label in row[:2]})
    if len(labels) > MOST_CLASSES:
        wrong = sorted((row for row in report.confusion if row[0] != row[1]), key=lambda row: -row[2])[:MOST_PAIRS]
        return "<h2>Confused most often</h2>" + plain_table(("is", "was called", "images"), wrong)
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
