"""What the words are worth, how a classifier bears up, and which captions fit: advise, prompts, robustness, captions."""

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
    picture_files,
    read_templates,
    saved_classifier,
    say,
    typed_prompts,
)

if TYPE_CHECKING:
    from clipcore import Classifier, Examples, PromptSet
    from clipcore.encoder import Encoder
    from clipcore.measure.sets import Sample
    from storage import Library

Packs = Annotated[list[str] | None, typer.Option("--pack", help="Prompt pack; may be given several times.")]
Sets = Annotated[list[Path], typer.Argument(help="Folders of class folders, .tar shards (or folders of them), tables.")]


@command
def advise(
    labels: Annotated[str, typer.Argument(help='Class names, such as "crane, heron, stork".')],
    templates: Templates = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    ask: Annotated[
        bool, typer.Option(help="Also ask the model which classes look alike to it, and count its tokens.")
    ] = True,
    nearest: Annotated[int, typer.Option(help="Also list this many of the library's images nearest to each class.")] = 0,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Check class names before anything is classified: senses, look-alikes, negation, counting, places, languages."""
    from clipcore.advice import advise as check

    names, prompts = typed_prompts(labels, templates, pack)
    if not ask and not nearest:
        found = check(names, prompts)
    else:
        with open_library(home, model) as library:
            found = check(names, prompts, library.encoder if ask else None)
            if nearest:
                _list_nearest(library, names, prompts, nearest, as_json)
    for advice in found:
        row = {"kind": advice.kind, "labels": advice.labels, "advice": advice.sentence, "suggestions": advice.suggestions}
        instead = f"  Instead: {', '.join(advice.suggestions)}." if advice.suggestions else ""
        emit(as_json, row, f"{advice.kind:9}  {advice.sentence}{instead}")
    if not found:
        say("Nothing to say against these names.")


def _list_nearest(library: "Library", names: list[str], prompts: "PromptSet", k: int, as_json: bool) -> None:
    from clipcore import zero_shot_classifier
    from clipcore.advice import nearest_per_class

    assert library.encoder is not None
    images, vectors = library.embeddings()
    rows = nearest_per_class(zero_shot_classifier(library.encoder, names, prompts), vectors, k)
    for name, best in zip(names, rows, strict=True):
        paths = [str(images[row].path) for row in best]
        emit(as_json, {"kind": "nearest", "label": name, "paths": paths}, "\n".join([f"nearest to {name}:", *paths]))


@command
def prompts(
    sets: Annotated[list[Path], typer.Argument(help="Labelled sets; with --labels, folders of pictures without labels.")],
    labels: Labels = None,
    pack: Packs = None,
    templates: Templates = None,
    descriptions: Annotated[
        Path | None, typer.Option(help='Sentences for single classes: JSON {"label": ["..."]}, or lines "label: sentence".')
    ] = None,
    select: Annotated[
        bool, typer.Option(help="Also choose templates on the labels, and measure the choice honestly.")
    ] = False,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Try prompts on images: accuracy with labels, and how many labels change with the wording."""
    from clipcore import BadInput, parse_labels
    from clipcore import pack as ready_made
    from clipcore.measure.promptbench import iter_bench_prompts, usual_arms
    from clipcore.measure.templates import iter_select_templates
    from clipcore.prompts import parse_descriptions
    from clipcore.stream import iter_embed

    if select and labels is not None:
        raise BadInput("Choosing prompts needs labelled images; leave --labels out and name folders of class folders.")
    typed = None if labels is None else parse_labels(labels)
    own = read_templates(templates) if templates else None
    told = parse_descriptions(_text(descriptions)) if descriptions else {}
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        for path in sets:
            found: Examples | None = None
            if typed:
                names, synonyms = typed
                vectors = draw(iter_embed(encoder, picture_files([path]))).vectors
            else:
                found = _embedded(encoder, path)
                names, synonyms = sorted(set(found.labels)), {}
                vectors = found.embeddings
            if unknown := set(told) - set(names):
                say(f"There is a description of “{min(unknown)}”, which is no class of {path.name}; it is left out.")
            mine = own
            if told or synonyms:
                kept = {label: sentences for label, sentences in told.items() if label in names}
                mine = (own or ready_made("seven")).with_synonyms(synonyms).with_descriptions(kept)
                mine = mine if own else type(mine)("own", mine.templates, mine.synonyms, mine.class_prompts)
            report = draw(
                iter_bench_prompts(encoder, names, vectors, usual_arms(mine, pack), found.labels if found else ()), "text"
            )
            if not as_json:
                print(f"{path.name}: {report.n:,} images, {report.classes} classes")
            for arm in report.arms:
                row = {"set": path.name, "n": report.n, "classes": report.classes, **vars(arm)}
                emit(as_json, row, f"  {arm.name:14} {arm.templates:3}  {arm}")
            emit(as_json, {"set": path.name, "flips": report.flips, "sentence": report.sentence}, f"  {report.sentence}")
            if select and found:
                candidates = [*ready_made("imagenet80").templates, *(own.templates if own else ())]
                chosen = draw(iter_select_templates(encoder, found, names, candidates, own or ready_made("seven")), "text")
                lines = [f"  {chosen.sentence}", *(f"    {template}" for template in chosen.templates)]
                emit(as_json, {"set": path.name, **chosen.to_json()}, "\n".join(lines))


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
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Spoil pictures in many ways and see what the answers are worth, or compare a set with a shifted one."""
    from clipcore import BadInput, zero_shot_classifier
    from clipcore.measure.corruptions import CORRUPTIONS, STRENGTHS
    from clipcore.measure.robustness import iter_robustness, some_of
    from clipcore.prompts import DEFAULT_PACK

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
            return zero_shot_classifier(encoder, names, read_templates(templates) if templates else pack or DEFAULT_PACK)

        if shifted:
            _shift(encoder, head_for, pictures[0], shifted, against or [], as_json)
            return
        samples = some_of(_samples(pictures, labelled=labels is None), limit)
        head = head_for(sorted({sample.name for sample in samples if sample.name}))
        sheet = draw(iter_robustness(encoder, head, samples, only or tuple(CORRUPTIONS)))
        for reason in sheet.skipped:
            say(f"skipped {reason}")
        if as_json:
            emit(True, sheet.to_json(), "")
            return
        print(f"{sheet.sentence}\n{'accuracy' if sheet.labelled else 'same answer'} by strength  {STRENGTHS}")
        for name, curve in sheet.curves.items():
            values = [p.agreement if p.accuracy is None else p.accuracy for p in curve]
            print(f"  {name:11} " + "  ".join(f"{100 * value:5.1f} %" for value in values))


def _shift(encoder: "Encoder", head_for: Any, first: Path, second: Path, against: Sequence[str], as_json: bool) -> None:
    import clipcore
    from clipcore.measure.shift import effective_robustness, measure_shift

    def both(model: "Encoder") -> "tuple[Examples, Examples]":
        return _embedded(model, first), _embedded(model, second)

    photos, others = both(encoder)
    names = sorted(set(photos.labels))
    mine = measure_shift(encoder.name, head_for(names), photos, others)
    found = []
    for name in against:
        model = clipcore.load(name)
        head = clipcore.zero_shot_classifier(model, names)
        found.append(measure_shift(name, head, *both(model)))
    for shift in (mine, *found):
        emit(as_json, vars(shift), f"{shift.name}: {shift}")
    if found:
        robust = effective_robustness(mine, found)
        emit(as_json, robust.to_json(), robust.sentence)


@command
def captions(
    sources: Annotated[list[Path], typer.Argument(help="Pictures; or SugarCrepe or Winoground files, with --images.")],
    caption: Annotated[list[str] | None, typer.Option(help="A caption to match the pictures with; give several.")] = None,
    images: Annotated[Path | None, typer.Option(help="The folder with the pictures that such a file names.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Which caption fits? Pictures against captions that you write, or a test of composition."""
    from clipcore import BadInput
    from clipcore.images import display_path
    from clipcore.measure.composition import iter_composition, match
    from clipcore.stream import iter_embed

    if bool(caption) == bool(images):
        raise BadInput("Give either --caption, for pictures, or --images, for a SugarCrepe or Winoground file.")
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if images:
            for path in sources:
                report = draw(iter_composition(encoder, path, images))
                for reason in report.skipped:
                    say(f"skipped {reason}")
                for name, score in report.scores.items():
                    row = {"set": report.name, "score": name, **vars(score), "cut": report.cut}
                    emit(as_json, row, f"{report.name}  {name:12} {score}   {score.n:,} items")
            return
        embedded = draw(iter_embed(encoder, picture_files(sources)))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        found = match(encoder, embedded.vectors, caption or [])
        for text in found.cut:
            say(f"The caption “{text[:60]}…” is longer than {encoder.name} reads; its last words were left out.")
        for i, path in enumerate(embedded.paths):
            order = found.by_picture[i].argsort()[::-1]
            shares = {found.captions[j]: round(float(found.by_picture[i, j]), 4) for j in order}
            row = {"path": display_path(path), "best": found.best_captions[i], "shares": shares}
            emit(
                as_json,
                row,
                f"{display_path(path)}\n" + "\n".join(f"  {share:6.1%}  {text}" for text, share in shares.items()),
            )


def _samples(paths: Sequence[Path], labelled: bool) -> "list[Sample]":
    """What to spoil: the labelled pictures of sets, or plain pictures."""
    from clipcore import BadInput
    from training.pairs import Pair, read_pairs

    if not labelled:
        return [Pair(str(path), path) for path in picture_files(paths)]
    found: list[Sample] = [pair for path in paths for pair in read_pairs(path) if pair.name]
    if not found:
        raise BadInput("There are no labelled pictures; name a folder of class folders, or give --labels.")
    return found


def _embedded(encoder: "Encoder", path: Path) -> "Examples":
    """The labelled pictures of a set."""
    from collections import Counter

    from clipcore import BadInput
    from clipcore.measure import iter_embed_set
    from training.pairs import read_pairs

    unread: Counter[str] = Counter()
    found = draw(iter_embed_set(encoder, read_pairs(path, unread)))
    for reason in [*found.skipped, *(f"{count} x {reason}" for reason, count in unread.items())]:
        say(f"skipped {reason}")
    examples = found.examples(encoder.space)[0]
    if not len(examples):
        raise BadInput(f"{path.name} has no labelled pictures; name a folder of class folders, or give --labels.")
    return examples


def _text(path: Path) -> str:
    from clipcore import BadInput

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The file {path} cannot be read; it should be text.") from None
