"""What classifiers and models are worth on labelled and captioned sets, and whether one is better than another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Home, Json, Model, Templates, command, draw, emit, open_library, read_templates, saved_classifier, say

if TYPE_CHECKING:
    from clipcore import Classifier
    from clipcore.encoder import Encoder
    from clipcore.measure import EmbeddedSet, Judged
    from storage import Library

PageOut = Annotated[Path | None, typer.Option("--report", help="Also write an HTML file that stands alone.")]


@command
def evaluate(
    sets: Annotated[
        list[Path],
        typer.Argument(
            help="Folders of class folders, CSV tables (image, label), .tar shards (or folders of them), or: labels, "
            "which are the library's own."
        ),
    ],
    pack: Annotated[list[str] | None, typer.Option(help="Prompt pack; may be given several times.")] = None,
    templates: Templates = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Measure on labelled sets (accuracy) and captioned ones (retrieval): one row for each set and prompt pack."""
    from clipcore import BadInput, zero_shot_classifier
    from clipcore.measure import Report, find_leaks, known, measure_set, summarise
    from clipcore.measure import judge as judge_set

    if classifier and (pack or templates):
        raise BadInput("Give either --classifier or prompts, not both: a saved classifier has its own.")
    pages = _Pages(report)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None

        def heads_for(names: list[str]) -> "dict[str, Classifier]":
            if classifier:
                head = saved_classifier(library, classifier)
                encoder.space.require(head.space, f"The classifier {classifier}")
                return {classifier: head}
            if templates:
                return {templates.name: zero_shot_classifier(encoder, names, read_templates(templates))}
            return {name: zero_shot_classifier(encoder, names, name) for name in pack or ["seven"]}

        width = max(len(path.name) for path in sets)
        for path in sets:
            pictures, skipped = _embedded(library, encoder, path)
            found: dict[str, Any] = {}
            heads = heads_for(pictures.classes) if pictures.classes else {}
            notes = []
            for name, head in heads.items():
                every, where = pictures.examples(encoder.space)
                rows, examples, left = known(every, head.labels)
                if not len(examples):
                    raise BadInput(f"None of the classes of {path.name} is a class of {name}; choose another classifier.")
                notes = [
                    f"{count:,} images of “{label}” left out: {name} has no such class" for label, count in left.items()
                ]
                if head.kind != "zero-shot" and (leaks := find_leaks(examples, library.examples(head.labels))):
                    notes.append(leaks.sentence)
                found[name] = summarise(judge_set(head, examples, [where[row] for row in rows]))
            if any(not name for name in pictures.names) or not heads:
                found["captions"] = measure_set(encoder, pictures, {})["captions"]
            for note in notes:
                say(note)
            for name, measured in found.items():
                row: dict[str, Any] = {"set": path.name, "prompts": name}
                if isinstance(measured, Report):
                    row["classes"] = len(heads[name].labels)
                    pages.add(measured, f"{name} on {path.name}", {"Model": encoder.name, "Set": path.name}, notes)
                row |= {**measured.to_json(), "skipped": skipped}
                emit(as_json, row, f"{path.name:{width}}  {name:10}  {measured}")
    pages.write()


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
    from clipcore.measure.html import comparison_html

    answers = []
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
                embedded[wanted] = _embedded(library, encoders[wanted], on)[0]
            answers.append(_judged(library, encoders[wanted], embedded[wanted], name))
    found = compare_answers(*answers)
    if report:
        about = {"First": first, "Second": second, "Set": on.name}
        _write(report, comparison_html(found, f"{first} and {second} on {on.name}", (first, second), about))
    emit(as_json, {"first": first, "second": second, "set": on.name, **found.to_json()}, str(found))
    if not as_json:
        for what, changes in (("now right", found.gained), ("now wrong", found.lost), ("still wrong", found.moved)):
            for change in changes:
                print(f"{what:11}  {change.name}  is {change.truth}: {change.first} -> {change.second}")


def _embedded(library: "Library", encoder: "Encoder", path: Path) -> "tuple[EmbeddedSet, int]":
    """A set's vectors and how many samples were left out, which are named on standard error."""
    from collections import Counter

    import numpy as np

    from clipcore import BadInput
    from clipcore.measure import EmbeddedSet, iter_embed_set
    from training.pairs import read_pairs

    if str(path) == "labels":
        if library.encoder is None or library.encoder.space != encoder.space:
            raise BadInput("The library's labels are measured with the model in use; give it with --model.")
        own = library.examples()
        if not len(own):
            raise BadInput("No image of the library has a label yet; put some right on the board first.")
        images = library.images_with_contents(own.keys)
        names = [images[key].shown_path if key in images else key for key in own.keys]
        captions: list[tuple[str, ...]] = [()] * len(own)
        return EmbeddedSet(np.asarray(own.embeddings), list(own.labels), captions, [], names, list(own.keys)), 0
    unread: Counter[str] = Counter()
    pictures = draw(iter_embed_set(encoder, read_pairs(path, unread)))
    for reason in [*pictures.skipped, *(f"{count} x {reason}" for reason, count in unread.items())]:
        say(f"skipped {reason}")
    return pictures, len(pictures.skipped) + unread.total()


def _judged(library: "Library", encoder: "Encoder", pictures: "EmbeddedSet", choice: str) -> "Judged":
    """The answers of a classifier that is named on the command line."""
    from clipcore import PACKS, BadInput, zero_shot_classifier
    from clipcore.measure import judge, known

    if choice in PACKS:
        if not pictures.classes:
            raise BadInput("There is no labelled image in this set; name a folder with one folder of images per class.")
        head = zero_shot_classifier(encoder, pictures.classes, choice)
    else:
        head = saved_classifier(library, choice)
        encoder.space.require(head.space, f"The classifier {choice}")
    every, where = pictures.examples(encoder.space)
    rows, examples, left = known(every, head.labels)
    if left:
        say(f"{sum(left.values()):,} images left out: {choice} has no class {', '.join(sorted(left))}")
    return judge(head, examples, [where[row] for row in rows])


class _Pages:
    """Reports as HTML files: one goes where it was asked for, several get a number each."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._pages: list[str] = []

    def add(self, report: Any, title: str, about: dict[str, str], notes: Sequence[str]) -> None:
        """Draw one, if any were asked for."""
        if self._path:
            from clipcore.measure.html import accuracy_html

            self._pages.append(accuracy_html(report, title, about, notes))

    def write(self) -> None:
        """Write them."""
        for number, page in enumerate(self._pages, 1):
            assert self._path is not None
            many = len(self._pages) > 1
            _write(self._path.with_name(f"{self._path.stem}-{number}{self._path.suffix}") if many else self._path, page)


def _write(path: Path, page: str) -> None:
    from clipcore import BadInput

    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The report cannot be written to {path} ({error.strerror}); choose another place.") from None
    say(f"wrote {path}")
