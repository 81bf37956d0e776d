"""What labels are worth: zero-shot against few labels and all."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, Model, command, draw, emit, open_library, show
from .sets import PageOut, labelled_examples, write_pages


@command
def labels_worth(
    sets: Annotated[list[Path], typer.Argument(help="Labelled sets, see `evaluate`; or: labels, the library's own.")],
    pack: Annotated[str, typer.Option(help="A ready-made prompt pack for the zero-shot line.")] = "seven",
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """How many labels is zero-shot worth? Probes and taught heads from 1, 2, 4, 8, 16 and all labels of each class.

    Each picture is tested with what was learned from the other half. The Measure tab lists the results, too.
    """
    from clipcore import pack as ready_made
    from clipcore import zero_shot_classifier
    from clipcore.measure.bench_html import curve_html
    from clipcore.measure.kept import kept_curve
    from training.heads.curve import iter_curve

    pages = []
    prompts = ready_made(pack)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        for path in sets:
            examples = labelled_examples(library, encoder, path)
            head = zero_shot_classifier(encoder, sorted(set(examples.labels)), prompts)
            found = draw(iter_curve(examples, head), unit="head")
            about = {"Set": path.name, "Model": encoder.name, "Prompts": pack}
            name, summary, content = kept_curve(found.to_json(), path.name, about)
            record = library.reports.save("labels", name, summary, content)
            pages += [curve_html(found.to_json(), name, about)] if report else []
            if as_json:
                emit(True, {"set": path.name, **found.to_json(), "kept": record.id})
                continue
            low, high = found.interval
            show(f"{path.name}: {found.n:,} images, {found.classes} classes")
            show(f"  {'zero-shot':>10}  {found.zero_shot:6.1%} ({low:.1%} to {high:.1%})")
            for row in found.rows:
                shots = "all labels" if row.everything else f"{row.shots:g} each"
                ends = [f"{low:.1%} to {high:.1%}" for low, high in (row.interval, row.taught_interval)]
                show(f"  {shots:>10}  probe {row.probe:6.1%} ({ends[0]})  taught {row.taught:6.1%} ({ends[1]})")
            show(f"  {found.sentence}")
    write_pages(report, pages)
