"""What classifiers and models are worth on labelled and captioned sets, and whether one is better than another."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import (
    Home,
    Json,
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
)
from .sets import OWN, PageOut, embedded_set, small_pictures, write_pages

if TYPE_CHECKING:
    from clipcore import Classifier, Examples
    from clipcore.encoding.encoder import Encoder
    from clipcore.measure import EmbeddedSet, Judged
    from storage import Library
    from training.data.samples import Pair


@command
def evaluate(
    sets: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of class folders, CSV tables (image, label), .tar shards (or folders of them), or: labels, "
            "which are the library's own."
        ),
    ] = None,
    suite: Annotated[
        Path | None, typer.Option(help="A folder of many sets: one table of all, with the mean and the mean rank.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="With --suite: another model in the table; may be given several times.")
    ] = None,
    pack: Annotated[list[str] | None, typer.Option(help="Prompt pack; may be given several times.")] = None,
    templates: Templates = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Measure on labelled sets (accuracy) and captioned ones (retrieval): one row for each set and prompt pack.

    Accuracy results are kept; the Measure tab lists them. With --suite each set is read with its task's prompts
    (--pack task), unless --pack says otherwise, and sets of the CLIP paper are known by the names of their folders.
    """
    from clipcore import BadInput, parse_templates, zero_shot_classifier
    from clipcore.classify.prompts import zero_shot_name
    from clipcore.measure import above, judge, measure_set, summarise
    from clipcore.measure.bench_html import recall_html
    from clipcore.measure.html import accuracy_html
    from clipcore.measure.kept import kept_accuracy
    from clipcore.measure.promises import claims
    from training.data.shards import templates_of

    if classifier and (pack or templates):
        raise BadInput("Give either --classifier or prompts, not both: a saved classifier has its own.")
    if suite is not None:
        if sets or classifier or templates:
            raise BadInput("A suite is measured zero-shot with prompt packs; leave sets, --classifier and --templates out.")
        return _suite(suite, pack or [], [model, *(against or [])], report, home, as_json)
    if not sets or against:
        raise BadInput("Name sets to measure on, or --suite and a folder of them; --against goes with --suite.")
    pages = []
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None

        def heads_for(names: list[str], path: Path) -> "dict[str, Classifier]":
            if classifier:
                head = saved_classifier(library, classifier)
                encoder.space.require(head.space, f"The classifier {classifier}")
                return {classifier: head}
            if templates:
                return {templates.name: zero_shot_classifier(encoder, names, read_templates(templates).among(names))}
            if not pack and (own := templates_of(path)):
                say(f"{path.name} has templates of its own, which are used; --pack seven takes Sayso's.")
                return {"its own": zero_shot_classifier(encoder, names, parse_templates(own, "its own"))}
            return {name: zero_shot_classifier(encoder, names, name) for name in pack or ["seven"]}

        width = max(len(path.name) for path in sets)
        for path in sets:
            pictures, skipped = embedded_set(library, encoder, path)
            about = {"Model": encoder.name, "Set": path.name}
            for name, head in (heads_for(pictures.classes, path) if pictures.classes else {}).items():
                examples, where, notes = known_to(library, encoder, pictures, head, name)
                if not len(examples):
                    raise BadInput(f"None of the classes of {path.name} is a class of {name}; choose another classifier.")
                notes += claims(head, examples, encoder)
                for note in notes:
                    say(note)
                judged = judge(head, examples, where)
                for note in (further := above(judged)):
                    say(note)
                notes += further
                measured = summarise(judged)
                called = name if classifier else zero_shot_name(name)
                source = "" if str(path) == OWN else str(path.expanduser().absolute())
                kept = kept_accuracy(judged, called, head.kind, encoder.space.name, path.name, notes, source)
                record = library.reports.save("accuracy", *kept)
                if report:
                    shown = small_pictures(library, path, [name for name, *_ in measured.mistakes])
                    pages.append(accuracy_html(measured, f"{name} on {path.name}", about, notes, shown))
                row = {"set": path.name, "prompts": name, "classes": len(head.labels), "kept": record.id}
                row |= {**measured.to_json(), "notes": notes, "skipped": skipped}
                emit(as_json, row, f"{path.name:{width}}  {name:10}  {measured}")
            if any(not name for name in pictures.names) or not pictures.classes:
                recall = measure_set(encoder, pictures, {})["captions"]
                pages += [recall_html(recall.to_json(), f"Recall on {path.name}", about)] if report else []
                row = {"set": path.name, "prompts": "captions", **recall.to_json(), "skipped": skipped}
                emit(as_json, row, f"{path.name:{width}}  {'captions':10}  {recall}")
    write_pages(report, pages)


def _suite(folder: Path, packs: list[str], models: list[str], report: Path | None, home: Path | None, as_json: bool) -> None:
    """The table of a folder of sets, printed, and kept for the Measure tab."""
    import clipcore
    from clipcore.measure.bench_html import suite_html
    from clipcore.measure.kept import kept_suite
    from training.runs.suite import OWN, iter_suite

    with open_library(home) as library:
        found = draw(iter_suite(folder, models, clipcore.load, packs or [OWN]))
        name, summary, content = kept_suite(found, folder, models, packs)
        record = library.reports.save("suite", name, summary, content)
    for reason in found.skipped:
        say(f"skipped {reason}")
    width = max(len(one.called or one.name) for one in found.sets)
    for one in found.sets:
        row = {name: value for name, value in vars(one).items() if name != "name"}
        lines = [
            f"{one.called or one.name:{width}}  {one.scores[arm]:6.1%} ({low:.1%} to {high:.1%})  {arm}"
            for arm, (low, high) in one.intervals.items()
        ]
        paper = f"{one.paper:.1%}" if one.paper else "-"
        lines[-1] += f"   guessing {one.chance:.1%}, paper {paper}, {one.n:,} images, {one.classes} classes, {one.measure}"
        emit(as_json, {"set": one.name, **row, "chance": one.chance}, *lines)
    total = {key: value for key, value in found.to_json().items() if key != "sets"}
    means = [
        f"{'mean':{width}}  {found.means[arm]:6.1%} ({low:.1%} to {high:.1%})  {arm}"
        + (f"   mean rank {found.ranks[arm]:.2f}" if len(found.ranks) > 1 else "")
        for arm, (low, high) in found.mean_intervals.items()
    ]
    emit(as_json, {**total, "kept": record.id}, *means)
    if not as_json:
        for advice in dict.fromkeys(one.advice for one in found.sets if one.advice):
            say(advice)
    about = {"Sets": folder.name, "Models": ", ".join(models)}
    write_pages(report, [suite_html(found.to_json(), name, about)] if report else [])


@command
def compare(
    first: Annotated[str, typer.Argument(help="A saved classifier's name, its file, or a prompt pack's name.")],
    second: Annotated[str, typer.Argument(help="The other one; pack@MODEL is that pack under another model.")],
    on: Annotated[Path, typer.Option("--set", help="What to measure both on; see `evaluate`.")],
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Compare two classifiers on the same labelled images: is one better, and which images change?"""
    import clipcore
    from clipcore.measure import compare as compare_answers
    from clipcore.measure import other_classes
    from clipcore.measure.html import comparison_html

    answers, notes = [], []
    with open_library(home, model) as library:
        assert library.encoder is not None
        encoders = {model: library.encoder}
        embedded: dict[str, EmbeddedSet] = {}
        for choice in (first, second):
            name, _, other = choice.partition("@")
            wanted = other or model
            if wanted not in encoders:
                encoders[wanted] = clipcore.load(wanted)
            if wanted not in embedded:
                embedded[wanted] = embedded_set(library, encoders[wanted], on)[0]
            judged, said = _judged(library, encoders[wanted], embedded[wanted], name)
            answers.append(judged)
            notes += [f"{choice}: {note}" for note in said]
    notes += [note] if (note := other_classes(*answers)) else []
    for note in notes:
        say(note)
    found = compare_answers(*answers)
    if report:
        about = {"First": first, "Second": second, "Set": on.name}
        page = comparison_html(found, f"{first} and {second} on {on.name}", (first, second), about, notes)
        write_pages(report, [page])
    row = {"first": first, "second": second, "set": on.name, **found.to_json(), "notes": notes}
    emit(as_json, row, *str(found).splitlines())
    if not as_json:
        for what, changes in (("now right", found.gained), ("now wrong", found.lost), ("still wrong", found.moved)):
            for change in changes:
                show(f"{what:11}  {change.name}  is {change.truth}: {change.first} -> {change.second}")


@command
def side_by_side(
    pictures: Annotated[Path, typer.Argument(metavar="SET", help="A labelled set; see `evaluate`.")],
    models: Annotated[list[str], typer.Argument(help="Models on this computer: starter, NAME/TAG, local-dir:PATH.")],
    pack: Annotated[str, typer.Option(help="A ready-made prompt pack.")] = "seven",
    report: PageOut = None,
    as_json: Json = False,
) -> None:
    """The same class names under several models: accuracy, speed and memory here, and error against compute."""
    import os

    from clipcore import pack as ready_made
    from clipcore.measure import iter_side_by_side
    from clipcore.measure.html import models_html
    from clipcore.measure.plots import costs_plot
    from training.data.pairs import read_pairs

    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    def samples() -> "Iterator[Pair]":
        return (pair for pair in read_pairs(pictures, purpose="measure") if pair.name)

    found = draw(iter_side_by_side(models, samples, ready_made(pack)))
    for reason in found.skipped:
        say(f"skipped {reason}")
    rows = [row.to_json() for row in found.rows]
    for row, one in zip(rows, found.rows, strict=True):
        emit(as_json, {"set": pictures.name, **row}, f"{one.name}: {one}")
    about = {"Set": pictures.name, "Prompts": pack}
    title = f"{len(rows)} models on {pictures.name}"
    write_pages(report, [models_html(rows, [costs_plot(rows)], title, about, found.skipped)] if report else [])


def known_to(
    library: "Library", encoder: "Encoder", pictures: "EmbeddedSet", head: "Classifier", name: str
) -> "tuple[Examples, list[str], list[str]]":
    """The pictures of a set whose label a classifier knows, what each is called, and what to say of the others and of those
    that it was taught."""
    from clipcore.measure import find_leaks, known

    every, where = pictures.examples(encoder.space)
    rows, examples, left = known(every, head.labels)
    notes = [f"{count:,} images of “{label}” left out: {name} has no such class" for label, count in left.items()]
    if head.kind != "zero-shot" and (leaks := find_leaks(examples, library.examples(head.labels), head)):
        notes.append(leaks.sentence)
    return examples, [where[row] for row in rows], notes


def _judged(library: "Library", encoder: "Encoder", pictures: "EmbeddedSet", choice: str) -> "tuple[Judged, list[str]]":
    """The answers of a classifier that is named on the command line, and what to say of them."""
    from clipcore import PACKS, BadInput, zero_shot_classifier
    from clipcore.measure import judge

    if choice in PACKS:
        if not pictures.classes:
            raise BadInput("There is no labelled image in this set; name a folder with one folder of images per class.")
        head = zero_shot_classifier(encoder, pictures.classes, choice)
    else:
        head = saved_classifier(library, choice)
        encoder.space.require(head.space, f"The classifier {choice}")
    examples, where, notes = known_to(library, encoder, pictures, head, choice)
    return judge(head, examples, where), notes
