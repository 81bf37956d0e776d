"""How a classifier bears up when pictures get worse, or are of another kind."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import (
    Home,
    Json,
    Labels,
    Model,
    Templates,
    command,
    draw,
    emit,
    open_library,
    read_templates,
    saved_classifier,
    say,
    show,
    typed_prompts,
)
from .sets import PageOut, labelled_examples, samples_of, write_pages

if TYPE_CHECKING:
    from clipcore import Classifier, Examples
    from clipcore.encoding.encoder import Encoder
    from storage import Library


@command
def robustness(
    pictures: Annotated[list[Path], typer.Argument(help="A labelled set; with --labels, pictures without labels.")],
    labels: Labels = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    templates: Templates = None,
    limit: Annotated[int, typer.Option(help="At most this many pictures, each class alike.")] = 200,
    only: Annotated[list[str] | None, typer.Option(help="Only this corruption; may be given several times.")] = None,
    shifted: Annotated[
        Path | None, typer.Option(help="A second labelled set of the same classes, such as sketches.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="With --shifted: another model, for effective robustness; two or more.")
    ] = None,
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Spoil pictures in many ways and see what the answers are worth, or compare a set with a shifted one."""
    from clipcore import BadInput, zero_shot_classifier
    from clipcore.classify.prompts import DEFAULT_PACK
    from clipcore.measure.bench_html import robustness_html
    from clipcore.measure.corruptions import CORRUPTIONS, STRENGTHS
    from clipcore.measure.robustness import iter_robustness, some_of

    if unknown := next((name for name in only or () if name not in CORRUPTIONS), None):
        raise BadInput(f"There is no corruption {unknown!r}; choose among {', '.join(CORRUPTIONS)}.")
    if classifier and (labels or pack or templates):
        raise BadInput("Give either --classifier or class names and prompts, not both: a saved classifier has its own.")
    if against and not shifted:
        raise BadInput("Other models are only needed for a shifted set; name one with --shifted.")
    if shifted and len(pictures) != 1:
        raise BadInput("Name one labelled set to compare the shifted one with.")
    if limit < 1:
        raise BadInput("There must be at least one picture; give a --limit of 1 or more.")
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None

        def head_for(names: Sequence[str]) -> "Classifier":
            if classifier:
                head = saved_classifier(library, classifier)
                encoder.space.require(head.space, f"The classifier {classifier}")
                return head
            if labels is not None:
                return zero_shot_classifier(encoder, *typed_prompts(labels, templates, pack))
            own = read_templates(templates).among(names) if templates else None
            return zero_shot_classifier(encoder, names, own or pack or DEFAULT_PACK)

        if shifted:
            page = _shift(library, encoder, head_for, (pictures[0], shifted), against or [], as_json)
            write_pages(report, [page] if report else [])
            return
        samples = some_of(samples_of(library, pictures, labelled=labels is None), limit)
        head = head_for(sorted({sample.name for sample in samples if sample.name}))
        sheet = draw(iter_robustness(encoder, head, samples, only or tuple(CORRUPTIONS)))
        for reason in sheet.skipped:
            say(f"skipped {reason}")
        if report:
            about = {"Model": encoder.name, "Set": ", ".join(path.name for path in pictures)}
            write_pages(report, [robustness_html(sheet.to_json(), f"Robustness of {classifier or 'zero-shot'}", about)])
        if as_json:
            emit(True, sheet.to_json(), "")
            return
        show(sheet.sentence, f"{'accuracy' if sheet.labelled else 'same answer'} by strength  {STRENGTHS}")
        for name, curve in sheet.curves.items():
            values = [p.agreement if p.accuracy is None else p.accuracy for p in curve]
            show(f"  {name:11} " + "  ".join(f"{100 * value:5.1f} %" for value in values))


def _shift(
    library: "Library",
    encoder: "Encoder",
    head_for: Any,
    sets: tuple[Path, Path],
    against: Sequence[str],
    as_json: bool,
) -> str:
    """Measure a natural shift and print it; returns it as an HTML page."""
    import clipcore
    from clipcore.measure.bench_html import shift_html
    from clipcore.measure.shift import kept_shift, measure_shift

    def both(model: "Encoder") -> "list[Examples]":
        return [labelled_examples(library, model, path) for path in sets]

    photos, others = both(encoder)
    names = sorted(set(photos.labels))
    mine = measure_shift(encoder.name, head_for(names), photos, others)
    found = []
    for name in against:
        model = clipcore.load(name)
        found.append(measure_shift(name, clipcore.zero_shot_classifier(model, names), *both(model)))
    for shift in (mine, *found):
        emit(as_json, vars(shift), f"{shift.name}: {shift}")
    kept = kept_shift(mine, found)
    if robust := kept["effective"]:
        emit(as_json, robust, robust["sentence"])
    first, second = (path.name for path in sets)
    return shift_html(kept, f"{encoder.name} on {first} and {second}", {"First set": first, "Second set": second})
