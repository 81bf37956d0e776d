"""Who gets which label, by group, and what moves when a class is added."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Home, Json, Model, Templates, command, draw, emit, open_library, read_templates, say
from .sets import PageOut, write_pages

if TYPE_CHECKING:
    from clipcore.measure.bias import Bench, Change


@command
def bias(
    folder: Annotated[Path, typer.Argument(help="A folder of images. They are embedded once and stay where they are.")],
    groups: Annotated[
        str,
        typer.Option(
            help="A CSV file with a column file and one such as age; or: names (as UTKFace writes them), folders (each is a "
            "group), labels (yours in the library)."
        ),
    ],
    label_set: Annotated[
        list[str],
        typer.Option("--label-set", help='NAME="a,b,c"; several are measured side by side.', metavar='NAME="a,b,c"'),
    ],
    by: Annotated[
        list[str] | None, typer.Option(help="Columns to group by; with commas, crossed. Several times: several tables.")
    ] = None,
    category: Annotated[
        list[str] | None, typer.Option(help='Classes that count together, NAME="a,b".', metavar='NAME="a,b"')
    ] = None,
    bins: Annotated[
        list[str] | None, typer.Option(help='Where bins of a number column begin, COLUMN="0,3,10".', metavar='COLUMN="0,3"')
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Test each group against this one; all other images unless told.")
    ] = None,
    small: Annotated[int, typer.Option(help="Groups of fewer images are not tested.")] = 30,
    add: Annotated[str | None, typer.Option(help="What if these classes were added to each label set: what moves?")] = None,
    pack: Annotated[str, typer.Option(help="A ready-made prompt pack.")] = "seven",
    templates: Templates = None,
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Measure who gets which label: the share of each group in each class, with intervals and tests."""
    from clipcore import BadInput
    from clipcore import pack as ready_made
    from clipcore.measure.bias import (
        FOLDERS,
        LABELS,
        NAMES,
        Bench,
        Design,
        LabelSet,
        parse_bins,
        parse_category,
        read_study,
        read_table,
        report_html,
        report_json,
    )

    label_sets = tuple(LabelSet.parse(name, typed) for name, typed in _pairs(label_set, "--label-set").items())
    categories = {name: parse_category(typed) for name, typed in _pairs(category or [], "--category").items()}
    cuts = {name: parse_bins(typed) for name, typed in _pairs(bins or [], "--bins").items()}
    prompts = read_templates(templates) if templates else ready_made(pack)
    source = groups if groups in (NAMES, FOLDERS, LABELS) else read_table(groups)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        added = draw(library.iter_add(folder))
        for skipped in added.skipped:
            say(f"skipped {skipped.path}: {skipped.reason}")
        images, vectors = library.embeddings(folder_id=added.folder_id)
        labels = library.labels.of([image.id for image in images]) if groups == LABELS else None
        study = read_study(images, source, str(folder.expanduser().absolute()), labels)
        for note in study.facts.notes:
            say(note)
        bench = Bench(encoder, vectors, study.facts)
        ways = [_columns(typed) for typed in by] if by else [(column,) for column in _usable(bench)]
        if not ways:
            raise BadInput(f"Choose what to group by with --by; the columns are: {', '.join(study.facts.columns)}.")
        pages = []
        for columns in ways:
            suggested = {c: study.facts.suggested_bins(c) for c in columns if c not in cuts and c in study.facts.columns}
            own = {c: cuts[c] for c in columns if c in cuts}
            design = Design(label_sets, columns, categories, {**suggested, **own}, prompts, small, against)
            tables = bench.measure(design)
            name = f"{study.name} by {' and '.join(columns)}"
            result = report_json(name, study.facts, study.keys, encoder, design, tables)
            library.reports.save(
                "bias", name[:200], {"n": len(bench), "by": list(columns)}, {"study": study.to_json(), **result}
            )
            for table in result["tables"]:
                emit(as_json, {"by": list(columns), **table}, *_text(name, table))
            changes = [bench.what_if(design, one.name, add) for one in label_sets] if add else []
            for change in changes:
                _say_change(change, str(add), as_json)
            if report:
                pages.append(report_html(result, [bench.sweep(design, one.name) for one in label_sets], changes))
        if notice := result["notice"]:
            say(notice)
        write_pages(report, pages)


def _pairs(options: Sequence[str], option: str) -> dict[str, str]:
    """NAME=VALUE options by name, in order."""
    from clipcore import BadInput

    found: dict[str, str] = {}
    for text in options:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise BadInput(f'{option} needs a name before an equals sign, such as people="man, woman"; “{text}” has none.')
        if name.strip() in found:
            raise BadInput(f"{option} {name.strip()} is given twice; give each a name of its own.")
        found[name.strip()] = value
    return found


def _columns(typed: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in typed.split(",") if part.strip())


def _usable(bench: "Bench") -> list[str]:
    """The columns that can be grouped by without being told how: numbers that can be binned, and few different words."""
    facts = bench.facts
    return [c for c, values in facts.columns.items() if facts.suggested_bins(c) or 2 <= len(set(values) - {""}) <= 30]


def _text(name: str, table: Mapping[str, Any]) -> list[str]:
    """A table to read in a terminal: a line for each group, shares in per cent with their 95 % intervals."""
    from clipcore.measure.bias.report import marked

    titles = [row["name"] if row["kind"] == "class" else f"[{row['name']}]" for row in table["rows"]]
    widths = [max(20, len(title)) for title in titles]
    first = max(8, *(len(one["name"]) for one in table["groups"]))
    lines = [
        f"{name}: {table['label_set']}, per cent with 95 % intervals",
        " ".join([" " * (first + 7), *map(str.rjust, titles, widths)]),
    ]
    for j, one in enumerate(table["groups"]):
        cells = []
        for i, width in enumerate(widths):
            sign = marked({"holm": table["holm"][i][j], "bh": table["bh"][i][j]}, table["difference"][i][j])
            share, low, high = (100 * table[name][i][j] for name in ("share", "low", "high"))
            cells.append(f"{sign}{share:.1f} ({low:.1f} to {high:.1f})".rjust(width))
        lines.append(" ".join([f"{one['name']:{first}} {one['n']:6,}", *cells, *(["too few"] if one["small"] else [])]))
    return lines


def _say_change(moved: "Change", add: str, as_json: bool) -> None:
    lines = [f"{moved.before.name} with {add}: {len(moved.moved):,} of {int(moved.sizes.sum()):,} images move"]
    lines += [f"  {was} -> {now}: {n:,}" for was, now, n in moved.pairs]
    emit(as_json, {"what_if": add, **moved.to_json()}, *lines)
