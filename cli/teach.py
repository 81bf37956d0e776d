"""Teaching: from labelled pictures to a saved classifier, measured on pictures that it had not seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import (
    Descriptions,
    Home,
    Json,
    Labels,
    Many,
    Model,
    Templates,
    command,
    draw,
    emit,
    open_library,
    say,
    typed_prompts,
)

if TYPE_CHECKING:
    from clipcore import Classifier, Examples
    from clipcore.encoding.encoder import Encoder
    from storage import Library
    from training import Lesson

HEADS = ("few-shot", "probe")


@command
def teach(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Class folders, also zipped, or a table of pictures and labels; left out, the library's labels."
        ),
    ] = None,
    labels: Labels = None,
    templates: Templates = None,
    descriptions: Descriptions = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    head: Annotated[
        str, typer.Option(help="few-shot begins at the words; probe learns from the pictures alone.")
    ] = "few-shot",
    many: Many = False,
    save: Annotated[str | None, typer.Option(help="Keep the classifier in the library under this name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the classifier to this file, NAME.safetensors.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Keep it even if it is not better by cross-validation.")] = False,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Teach a classifier with labelled pictures. If cross-validation finds it worse, the zero-shot classifier is kept.

    With --many the table has a row for each label of a picture, and a threshold is learned for each label.
    """
    from dataclasses import asdict, replace

    from clipcore import BadInput, format_labels, generic_bank, zero_shot_classifier
    from clipcore.classify.answers import grounded
    from clipcore.measure.leaks import MOST_SKETCHED, TAUGHT, sketch_of
    from training import few_shot, probe_head
    from training import teach as give_lesson

    if out and out.suffix != ".safetensors":
        raise BadInput(f"A classifier's file ends with .safetensors; write --out {out.with_suffix('.safetensors')}.")
    if source and not source.expanduser().exists():
        raise BadInput(f"{source} does not exist; check the path.")
    if head not in HEADS or (many and head != HEADS[0]):
        raise BadInput(f"There is no such head as {head!r} here; use {' or '.join(HEADS)}, and with --many the first.")
    with open_library(home, model) as library:
        assert library.encoder is not None
        # of several labels, each is a row of its own, with the same key
        examples = _read(source, library.encoder) if source else None if many else library.examples()
        found = list(examples.counts) if examples else list(library.labels.counts())
        if not found or (examples is not None and not len(examples)):
            raise BadInput("There are no labelled images to learn from; name a folder with one folder of images per class.")
        names, prompts = typed_prompts(labels or format_labels(found), templates, pack, descriptions)
        start = zero_shot_classifier(library.encoder, names, prompts)
        if examples is not None and not many:
            start = grounded(start, examples.embeddings, generic_bank(library.encoder))
        if examples is None or many:
            lesson = _several(library, start, examples)
        else:
            lesson = give_lesson(examples, start, probe_head if head == "probe" else few_shot)
        kept = lesson.classifier if force else lesson.kept
        if source and examples and (lesson.adopt or force) and len(examples) <= MOST_SKETCHED:
            kept = replace(kept, metrics={**kept.metrics, TAUGHT: sketch_of(examples)})  # `evaluate` knows what it has seen
        row: dict[str, Any] = {
            "labels": lesson.labels,
            "classes": len(names),
            "adopted": lesson.adopt,
            "measure": lesson.measure,
            "kind": kept.kind,
            "before": asdict(lesson.before),
            "after": asdict(lesson.after),
            "calibration_error": None if lesson.curve is None else round(lesson.curve.error, 4),
        }
        emit(as_json, row, lesson.sentence)
        if kept.notice:
            say(kept.notice)
        if save:
            record = library.save(kept, save)
            say(f"saved as {record.name}, version {record.version}")
        if out:
            kept.save(out)
            say(f"written to {out}")
        if not save and not out:
            say("Nothing was kept; give --save NAME or --out FILE.safetensors to keep the classifier.")


def _several(library: "Library", start: "Classifier", examples: "Examples | None") -> "Lesson":
    """A lesson for several labels a picture, from rows of them or from the library's labels."""
    from dataclasses import replace

    import numpy as np

    from clipcore import decide, generic_bank
    from clipcore.classify.answers import grounded
    from training import teach_many

    start = start.with_decision(replace(start.decision, many=True))
    if examples is None:
        ids, truth = library.labels.truths(start.labels)
        images, X = library.embeddings(ids)
        row = {image_id: i for i, image_id in enumerate(ids)}
        truth = truth[[row[image.id] for image in images]]
        keys = tuple(image.picture for image in images)
    else:
        first = {key: i for i, key in reversed(list(enumerate(examples.keys)))}
        keys, rows = tuple(first), list(first.values())
        X = examples.embeddings[rows]
        truth = np.zeros((len(keys), len(start.labels)), bool)
        place = {key: i for i, key in enumerate(keys)}
        truth[[place[key] for key in examples.keys], examples.targets(start.labels)] = True
    assert library.encoder is not None
    start = grounded(start, X, generic_bank(library.encoder))
    confidence = decide(start, X).shares if len(X) else np.zeros(truth.shape)
    return teach_many(start, confidence, truth, keys)


def _read(source: Path, encoder: "Encoder") -> "Examples":
    """The labelled pictures of a source."""
    from collections import Counter

    from clipcore.measure import iter_embed_set
    from training.data.pairs import read_pairs
    from training.data.samples import in_words

    unread: Counter[str] = Counter()
    pictures = draw(iter_embed_set(encoder, read_pairs(source, unread, "learn")))
    for line in [*(f"skipped {reason}" for reason in pictures.skipped), *in_words(unread)]:
        say(line)
    return pictures.examples(encoder.space)[0]
