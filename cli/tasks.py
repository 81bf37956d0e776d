"""Task packs: prompts, ready-made class names of public sets, and what CLIP is known to be poor at."""

from typing import Annotated

import typer

from .common import Json, command, emit


@command
def tasks(
    name: Annotated[str | None, typer.Argument(help="A task, or a public set, to see its prompts and class names.")] = None,
    as_json: Json = False,
) -> None:
    """List tasks: prompts and class names ready to use, how well CLIP did in its paper, what to do instead.

    `classify --task flowers` takes the names and prompts of one.
    """
    from clipcore import format_labels
    from clipcore.classify.tasks import find_task, tasks

    wanted = tasks().values() if name is None else [find_task(name)]
    for one in wanted:
        sets = [
            {"name": known.name, "classes": len(known.labels) or None, "paper": known.paper, "measure": known.measure}
            for known in one.sets
        ]
        row = {"task": one.name, "about": one.about, "limit": one.limit, "instead": one.instead, "sets": sets}
        if name is None:
            emit(as_json, row, f"{one.name:10}  {one.about}", f"{'':10}  {one.limit} {one.instead}")
            continue
        lines = [f"{one.name}: {one.about}", one.limit, one.instead, "", "Prompts:", *one.prompts.templates]
        for known in one.sets:
            told = f", {known.paper} % in the paper ({known.measure})" if known.paper else ""
            names = format_labels(known.labels, known.synonyms) if known.labels else "its names are those of its folders"
            lines += ["", f"{known.name}{told}:", names]
        names_of = {known.name: list(known.labels) for known in one.sets}
        emit(as_json, {**row, "prompts": list(one.prompts.templates), "labels": names_of}, *lines)
