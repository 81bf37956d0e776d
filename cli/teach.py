"""Teaching: from labelled pictures to a saved classifier, measured on pictures that it had not seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Home, Json, Labels, Model, Templates, command, draw, emit, open_library, say, typed_prompts

if TYPE_CHECKING:
    from clipcore import Examples
    from clipcore.encoder import Encoder


@command
def teach(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A folder of class folders, or a CSV with columns path and label; left out, the library's labels."
        ),
    ] = None,
    labels: Labels = None,
    templates: Templates = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    save: Annotated[str | None, typer.Option(help="Keep the classifier in the library under this name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the classifier to this file, NAME.safetensors.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Keep it even if it is not better by cross-validation.")] = False,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Teach a classifier with labelled pictures. If cross-validation finds it worse, the zero-shot classifier is kept."""
    from dataclasses import asdict, replace

    from clipcore import BadInput, zero_shot_classifier
    from clipcore.measure.leaks import MOST_SKETCHED, TAUGHT, sketch_of
    from training import teach as give_lesson

    if out and out.suffix != ".safetensors":
        raise BadInput(f"A classifier's file ends with .safetensors; write --out {out.with_suffix('.safetensors')}.")
    if source and not source.expanduser().exists():
        raise BadInput(f"{source} does not exist; check the path.")
    with open_library(home, model) as library:
        assert library.encoder is not None
        examples = _read(source, library.encoder) if source else library.examples()
        if not len(examples):
            raise BadInput("There are no labelled images to learn from; name a folder with one folder of images per class.")
        names, prompts = typed_prompts(labels or "any", templates, pack)
        names = names if labels else list(examples.counts)
        start = zero_shot_classifier(library.encoder, names, prompts)
        lesson = give_lesson(examples, start)
        kept = lesson.classifier if lesson.adopt or force else start
        if source and kept is not start and len(examples) <= MOST_SKETCHED:  # so that `evaluate` knows what it has seen
            kept = replace(kept, metrics={**kept.metrics, TAUGHT: sketch_of(examples)})
        row: dict[str, Any] = {
            "labels": lesson.labels,
            "classes": len(names),
            "adopted": lesson.adopt,
            "kind": kept.kind,
            "before": asdict(lesson.before),
            "after": asdict(lesson.after),
        }
        emit(as_json, row, lesson.sentence)
        if save:
            record = library.save(kept, save)
            say(f"saved as {record.name}, version {record.version}")
        if out:
            kept.save(out)
            say(f"written to {out}")
        if not save and not out:
            say("Nothing was kept; give --save NAME or --out FILE.safetensors to keep the classifier.")


def _read(source: Path, encoder: "Encoder") -> "Examples":
    """The labelled pictures of a source."""
    from collections import Counter

    from clipcore.measure import iter_embed_set
    from training.pairs import read_pairs

    unread: Counter[str] = Counter()
    pictures = draw(iter_embed_set(encoder, read_pairs(source, unread)))
    for reason in [*pictures.skipped, *(f"{count} x {reason}" for reason, count in unread.items())]:
        say(f"skipped {reason}")
    return pictures.examples(encoder.space)[0]
