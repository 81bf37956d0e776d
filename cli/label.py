"""Label pictures of the library, one by one or a folder at a time."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, command, emit, open_library, say


@command
def label(
    paths: Annotated[list[Path] | None, typer.Argument(help="Pictures of the library, or folders of them.")] = None,
    name: Annotated[str, typer.Option("--as", help="The label.")] = "",
    among: Annotated[
        str, typer.Option(help='Classes that exclude each other, such as "cat, dog": the others are taken away.')
    ] = "",
    is_not: Annotated[bool, typer.Option("--not", help="It is not this.")] = False,
    unsure: Annotated[bool, typer.Option("--unsure", help="It cannot be told; without --as: of none of --among.")] = False,
    none: Annotated[bool, typer.Option("--none", help="It is none of --among.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the label away, or all of --among.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last step back.")] = False,
    replaced: Annotated[bool, typer.Option("--replaced", help="List files that replaced a labelled picture.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what pictures are: label photos/rex.jpg --as dog. Without pictures: how many each label has."""
    from clipcore import NONE, UNSURE, BadInput, parse_labels
    from clipcore.classify.prompts import clean_label
    from storage.labels.moves import Place

    if sum((is_not, unsure, none, remove, undo, replaced)) > 1:
        raise BadInput("Choose one of --not, --unsure, --none, --remove, --undo and --replaced.")
    with open_library(home) as library:
        if undo:
            step = library.labels.undo()
            if step is None:
                raise BadInput("There is no step to take back.")
            back = "1 picture is" if len(step.changed) == 1 else f"{len(step.changed):,} pictures are"
            emit(as_json, {"changed": len(step.changed)}, f"{back} labelled as before")
            return
        if replaced:
            images = library.replaced()
            values = library.labels.of([image.id for image in images])
            for image in images:
                true = [known for known, value in sorted(values[image.id].items()) if value == 1]
                emit(as_json, {"path": image.shown_path, "labels": true}, f"{image.shown_path}  {'; '.join(true)}")
            if not images:
                say("No file has replaced a labelled picture, or each was labelled since.")
            return
        if not paths:
            for known, count in library.labels.counts().items():
                emit(as_json, {"label": known, "pictures": count}, f"{count:>7,}  {known}")
            if not library.labels.counts():
                say("No picture has a label yet; label photos/rex.jpg --as dog gives one.")
            if count := len(library.replaced()):
                say(f"{count:,} of the labelled files replaced another picture; label --replaced lists them.")
            return
        classes = parse_labels(among)[0] if among else []
        name = clean_label(name) if name else name
        if not name and not (classes and (none or unsure or remove)):
            raise BadInput("Say which label with --as NAME, or with --among and --none, --unsure or --remove.")
        if name and classes and (is_not or unsure or none or name not in classes):
            raise BadInput(f"With --among, --as is one of its classes; {name!r} with these options is not.")
        ids = library.labels.ids_at(paths)
        if classes or remove:
            to: Place = NONE if none else UNSURE if unsure else None if remove else name
            step = library.labels.move(ids, to, classes or [name])
        else:
            step = library.labels.label_many(ids, name, -1 if is_not or none else 0 if unsure else 1)
        row = {"pictures": len(ids), "changed": len(step.changed)}
        counted = "1 picture" if len(ids) == 1 else f"{len(ids):,} pictures, {len(step.changed):,} of them"
        emit(as_json, row, f"{counted} {'changed' if step.changed else 'unchanged'}; label --undo takes it back")
