"""What class names and prompts are worth: advise, prompts."""

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
    say,
    show,
    typed_prompts,
)
from .sets import PageOut, labelled_examples, write_pages

if TYPE_CHECKING:
    from clipcore import Examples, PromptSet
    from storage import Library

Packs = Annotated[list[str] | None, typer.Option("--pack", help="Prompt pack; may be given several times.")]


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
        emit(as_json, {"kind": "nearest", "label": name, "paths": paths}, f"nearest to {name}:", *paths)


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
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Try prompts on images: accuracy with labels, and how many labels change with the wording."""
    from clipcore import BadInput, PromptSet, parse_labels
    from clipcore import pack as ready_made
    from clipcore.classify.prompts import parse_descriptions
    from clipcore.encoding.stream import iter_embed
    from clipcore.measure.bench_html import prompts_html
    from clipcore.measure.promptbench import iter_bench_prompts, usual_arms
    from clipcore.measure.templates import iter_select_templates

    if select and labels is not None:
        raise BadInput("Choosing prompts needs labelled images; leave --labels out and name folders of class folders.")
    typed = None if labels is None else parse_labels(labels)
    own = read_templates(templates) if templates else None
    told = {**(own.class_prompts if own else {}), **(parse_descriptions(_text(descriptions)) if descriptions else {})}
    pages = []
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        for path in sets:
            found: Examples | None = None
            if typed:
                names, synonyms = typed
                vectors = draw(iter_embed(encoder, picture_files([path]))).vectors
            else:
                found = labelled_examples(library, encoder, path)
                names, synonyms = sorted(set(found.labels)), {}
                vectors = found.embeddings
            all_told = PromptSet(class_prompts=told)
            kept = all_told.among(names).class_prompts
            if left := len(told) - len(kept):
                say(f"{left:,} descriptions are of no class of {path.name} and are left out.")
            mine = own
            if told or synonyms:
                mine = (own or ready_made("seven")).with_synonyms(synonyms).with_descriptions(kept)
                mine = mine if own else type(mine)("own", mine.templates, mine.synonyms, mine.class_prompts)
            truth = found.labels if found else ()
            tried = draw(iter_bench_prompts(encoder, names, vectors, usual_arms(mine, pack), truth), "text")
            if not as_json:
                show(f"{path.name}: {tried.n:,} images, {tried.classes} classes")
            for arm in tried.arms:
                row = {"set": path.name, "n": tried.n, "classes": tried.classes, **vars(arm)}
                emit(as_json, row, f"  {arm.name:14} {arm.templates:3}  {arm}")
            emit(as_json, {"set": path.name, "flips": tried.flips, "sentence": tried.sentence}, f"  {tried.sentence}")
            result: dict[str, Any] = {**tried.to_json(), "chosen": None}
            if select and found:
                candidates = [*ready_made("imagenet80").templates, *(own.templates if own else ())]
                chosen = draw(iter_select_templates(encoder, found, names, candidates, own or ready_made("seven")), "text")
                lines = [f"  {chosen.sentence}", *(f"    {template}" for template in chosen.templates)]
                emit(as_json, {"set": path.name, **chosen.to_json()}, *lines)
                result["chosen"] = chosen.to_json()
            about = {"Model": encoder.name, "Set": path.name}
            pages += [prompts_html(result, f"Prompts on {path.name}", about)] if report else []
    write_pages(report, pages)


def _text(path: Path) -> str:
    from clipcore import BadInput
    from clipcore.plain import read_plain_text

    try:
        return read_plain_text(path)
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The file {path} cannot be read; it should be text.") from None
