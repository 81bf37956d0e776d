"""The result as a document: data, label sets, prompts, model, tables and what they cannot show, as JSON and as HTML."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classify.sensitive import notice, sensitive
from ...classify.typed import format_labels
from ..intervals import points
from ..page import figures, page, plain_table
from .design import Design
from .groups import Facts
from .plots import sweep_plot
from .stress import Sweep
from .tables import Table
from .whatif import Change

if TYPE_CHECKING:
    from ...encoding.encoder import Encoder

FORMAT = 1
MOST_VALUES = 60  # of a column that are listed
SURE = 0.05  # corrected p below which a difference is marked

LIMITS = (
    "These are shares of answers, not of mistakes: nothing here knows which answer would be right. Some classes, such as a "
    "crime, can be right for nobody.",
    "The groups are as somebody wrote them down. Gender, race and age are coarse in such tables, often guessed by others, "
    "and sometimes wrong. Nothing about a person was worked out from an image beyond the classes that are listed.",
    "The shares belong to this label set and these prompts. One more class, or another word for one, can change all of "
    "them: that is what the what-if is for.",
    "An interval says how far chance in drawing the images can move a share. It does not cover how the images were chosen, "
    "lit, cropped or found; other images of the same groups can give other shares.",
    "A difference that is not marked is not shown to be absent; in small groups even large differences go unseen. The tests "
    "take images for independent: several images of one person make them too sure.",
    "Each table is corrected on its own. Whoever tries many label sets and keeps one should say how many were tried.",
    "A small difference here is no permission. Sorting people by such classes is no use this tool is made for, and nobody "
    "should be judged, found or followed with it.",
)


def report_json(
    name: str, facts: Facts, keys: Sequence[str], encoder: "Encoder", design: Design, tables: Iterable[Table]
) -> dict[str, Any]:
    """Everything as plain values. `keys` are the pictures' content hashes, by which repeated ones are seen."""
    labels = list(dict.fromkeys(label for one in design.label_sets for label in one.labels))
    return {
        "format": FORMAT,
        "name": name,
        "data": describe(facts, keys),
        "design": design.to_json(),
        "model": {
            "name": encoder.space.name,
            "fingerprint": encoder.space.key,
            "dimensions": encoder.space.dim,
            "scores": "softmax over the label set" if encoder.logit_bias is None else "sigmoid, each label on its own",
        },
        "tables": [table.to_json() for table in tables],
        "notice": notice(sensitive(labels), here=True),
        "limits": list(LIMITS),
    }


def describe(facts: Facts, keys: Sequence[str]) -> dict[str, Any]:
    """What was measured on: how many pictures, how many of each value, what was left out, and pictures that repeat."""
    said: dict[str, set[tuple[str, ...]]] = {}
    for key, values in zip(keys, zip(*facts.columns.values(), strict=True), strict=True):
        said.setdefault(key, set()).add(values)
    notes = list(facts.notes)
    if repeated := len(keys) - len(said):
        notes.append(f"{repeated:,} of the images {'is' if repeated == 1 else 'are'} the same file as another one.")
    if torn := sum(len(values) > 1 for values in said.values()):
        occur = "image occurs" if torn == 1 else "images occur"
        notes.append(f"{torn:,} {occur} with different values, so some of what the table says is wrong.")
    columns = []
    for column, values in facts.columns.items():
        counts = Counter(values)
        unknown = counts.pop("", 0)
        listed = counts.most_common(MOST_VALUES) if len(counts) <= MOST_VALUES else []
        numbers = facts.numbers(column)
        columns.append(
            {
                "name": column,
                "values": [[value, n] for value, n in listed],
                "different": len(counts),
                "unknown": unknown,
                "range": None if numbers is None else [float(np.nanmin(numbers)), float(np.nanmax(numbers))],
                "bins": list(facts.suggested_bins(column)),
            }
        )
    return {"n": len(keys), "columns": columns, "notes": notes}


def report_html(report: Mapping[str, Any], sweeps: Iterable[Sweep] = (), changes: Iterable[Change] = ()) -> str:
    """A `report_json` as one page that needs nothing else; `changes` are the what-ifs that were asked."""
    design, model, data = report["design"], report["model"], report["data"]
    by = " and ".join(design["by"])
    against = f"“{design['reference']}”" if design["reference"] else "all other images"
    about = {
        "Images": f"{data['n']:,}",
        "Grouped by": by,
        "Model": model["name"],
        "Fingerprint": model["fingerprint"][:16],
        "Prompts": design["prompts"]["name"],
    }
    notes = [*([report["notice"]] if report["notice"] else []), *data["notes"]]
    reading = (
        "A cell is the share of a group that got the class, with its 95 % Wilson interval. Each group is tested against "
        f"{escape(against)} with Fisher's exact test; ▲ is more and ▼ is less at p &lt; {SURE} after Holm's correction for "
        f"all tests of the table, (▲) at p &lt; {SURE} after Benjamini and Hochberg's only. Groups of fewer than "
        f"{design['small']} images are grey and not tested. The last column tests that all groups have one share "
        "(chi-square, not corrected)."
    )
    sections = [
        f"<p>{reading}</p>",
        *_category_tables(report["tables"]),
        *(f"<h2>{escape(table['label_set'])}: by {escape(by)}</h2>{_shares(table)}" for table in report["tables"]),
        *(part for one in changes for part in _change(one.to_json())),
        *_sweeps(list(sweeps)),
        "<h2>Label sets</h2>",
        plain_table(("name", "classes"), ((one["name"], _typed(one)) for one in design["label_sets"])),
        *(
            [
                "<h2>Categories</h2>",
                plain_table(("name", "classes"), ((k, format_labels(v)) for k, v in design["categories"].items())),
            ]
            if design["categories"]
            else []
        ),
        "<h2>Prompts</h2>",
        f"<ul>{''.join(f'<li>{escape(template)}</li>' for template in design['prompts']['templates'])}</ul>",
        "<h2>Data</h2>",
        plain_table(("column", "images by value"), ((column["name"], _values(column)) for column in data["columns"])),
        "<h2>Model</h2>",
        plain_table(("what", "value"), ((name.capitalize(), str(value)) for name, value in model.items())),
        "<h2>What this cannot show</h2>",
        f"<ul>{''.join(f'<li>{escape(limit)}</li>' for limit in report['limits'])}</ul>",
    ]
    return page(str(report["name"]), about, notes, sections)


def marked(p: Mapping[str, float | None], difference: float | None) -> str:
    """The sign of a difference: ▲ or ▼, in brackets if only the weaker correction leaves it; else nothing."""
    if p["holm"] is None or p["bh"] is None or not difference:
        return ""
    sign = "▲" if difference > 0 else "▼"
    return sign if p["holm"] < SURE else f"({sign})" if p["bh"] < SURE else ""


def _shares(table: Mapping[str, Any]) -> str:
    rows = range(len(table["rows"]))
    return _grid(table, [(table["rows"][i]["name"], table, i) for i in rows])


def _category_tables(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each category with a row for each label set, as in the paper's Table 7; only where there are sets to compare."""
    names = list(dict.fromkeys(row["name"] for table in tables for row in table["rows"] if row["kind"] == "category"))
    found = []
    for name in names if len(tables) > 1 else ():
        rows = [
            (table["label_set"], table, i)
            for table in tables
            for i, row in enumerate(table["rows"])
            if (row["name"], row["kind"]) == (name, "category")
        ]
        found.append(f"<h2>{escape(name)}, by label set</h2>{_grid(rows[0][1], rows)}")
    return found


def _grid(like: Mapping[str, Any], rows: Iterable[tuple[str, Mapping[str, Any], int]]) -> str:
    """A table of (title, table, row of it) with a column for each group of `like`."""
    grey = ' style="color: var(--soft)"'
    head = "".join(
        f"<th scope='col'{grey if one['small'] else ''}>{escape(one['name'])}<br><small>{one['n']:,}"
        f"{', too few' if one['small'] else ''}</small></th>"
        for one in like["groups"]
    )
    body = []
    for title, table, i in rows:
        cells = []
        for j, one in enumerate(table["groups"]):
            sign = marked({"holm": table["holm"][i][j], "bh": table["bh"][i][j]}, table["difference"][i][j])
            tested = "" if table["p"][i][j] is None else f"<br><small>p {table['holm'][i][j]:.2g}</small>"
            share = table["share"][i][j]
            shade = f"background: rgb(var(--cell) / {share / 2:.2f})"
            cells.append(
                f'<td{grey if one["small"] else ""}><b style="{shade}">{points(share)}</b> '
                f"{sign}<br><small>{points(table['low'][i][j])} to {points(table['high'][i][j])}</small>{tested}</td>"
            )
        everyone = table["overall"]
        whole = points(everyone["counts"][i] / max(1, everyone["n"]))
        body.append(
            f"<tr><th scope='row'>{escape(title)}</th>{''.join(cells)}<td>{whole}<br><small>{points(everyone['low'][i])} to "
            f"{points(everyone['high'][i])}</small></td><td>{table['spread'][i]:.2g}</td></tr>"
        )
    whole = f"<th scope='col'>all<br><small>{like['overall']['n']:,}</small></th><th scope='col'>p, all alike</th>"
    return f'<div class="wide"><table><tr><td></td>{head}{whole}</tr>{"".join(body)}</table></div>'


def _change(change: Mapping[str, Any]) -> list[str]:
    """A what-if: where images go, and every rate before and after, once where it stays."""
    was, now = change["was"], change["now"]

    def cell(i: int, j: int) -> str:
        before, after = (side["share"][i][j] if side["there"][i] else None for side in (was, now))
        if before is None or after is None:
            return f"new: {points(after or 0)}" if before is None else f"was {points(before)}"
        if before == after:
            return points(before)
        sure = change["p"][i][j] is not None and change["p"][i][j] < SURE
        return f"{points(before)} → {points(after)}{' *' if sure else ''}"

    head = ("class", *(f"{group['name']} ({group['n']:,})" for group in change["groups"]))
    rows = ((row["name"], *(cell(i, j) for j in range(len(change["groups"])))) for i, row in enumerate(change["rows"]))
    words = (
        f"{change['moved']:,} of {change['n']:,} images move. * more images came than left, or the other way round, than "
        f"chance explains: p &lt; {SURE}, McNemar's exact test after Holm."
    )
    return [
        f"<h2>What if: {escape(change['label_set'])} becomes {escape(change['typed'])}</h2><p>{words}</p>",
        plain_table(("from", "to", "images"), change["pairs"]),
        plain_table(head, rows),
    ]


def _sweeps(sweeps: Sequence[Sweep]) -> list[str]:
    plots = [sweep_plot(one, row.name, row.kind) for one in sweeps for row in one.rows if row.kind == "category"]
    if not plots:
        return []
    words = (
        "The share of each group of which a class of the category reaches the threshold; several classes may do so at once."
    )
    return ["<h2>Thresholds</h2>", f"<p>{words}</p>", figures(plots)]


def _typed(label_set: Mapping[str, Any]) -> str:
    return format_labels(label_set["labels"], label_set["synonyms"])


def _values(column: Mapping[str, Any]) -> str:
    listed = [f"{value} {n:,}" for value, n in column["values"]]
    if not listed and column["range"]:
        listed = [f"{column['different']:,} values from {column['range'][0]:g} to {column['range'][1]:g}"]
    elif not listed:
        listed = [f"{column['different']:,} different values"]
    return ", ".join([*listed, *([f"unknown {column['unknown']:,}"] if column["unknown"] else [])])
