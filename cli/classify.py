"""Sort pictures by class names or with a saved classifier."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .common import (
    Descriptions,
    Home,
    Json,
    Many,
    Model,
    Templates,
    command,
    draw,
    emit,
    open_library,
    picture_files,
    saved_classifier,
    say,
    task_prompts,
    typed_prompts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipcore import Classifier, PromptSet
    from clipcore.classify.sets import Level
    from clipcore.classify.tiles import Tile
    from clipcore.encoding.stream import Embedded
    from storage import Library

    Typed: TypeAlias = tuple[list[str], PromptSet]


@command
def classify(
    paths: list[Path],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            help='Class names, such as "cat, dog = puppy | hound, rabbit"; "animal > dog" stands in a tree. Given several '
            "times, each is a set of its own with its name first: --labels place=beach,city."
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Ready-made names and prompts: a task or a public set, such as flowers; see `tasks`.")
    ] = None,
    templates: Templates = None,
    descriptions: Descriptions = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    sure: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="How likely right an answer must be: 0 always answers; as saved, or 0.5."),
    ] = None,
    promise: Annotated[
        float | None,
        typer.Option(help="Set --sure so that this share of the answers is right, such as 0.95, tested on labels."),
    ] = None,
    names: Annotated[
        float | None, typer.Option(help="Also as many names for each picture as hold the right one in this share of cases.")
    ] = None,
    tiles: Annotated[
        int | None, typer.Option(min=2, max=12, help="Also look at windows of each picture, so many along its longer side.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option("--map", help="With --tiles: write each picture with its windows drawn to this folder.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Also write a table: a column for each set of labels, and how likely right.")
    ] = None,
    many: Many = False,
    save: Annotated[str | None, typer.Option(help="Keep the classifier under this name.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Sort pictures, or folders of them, by class names (--labels, --task) or with a saved classifier (--classifier).

    The answer is a label (several with --many), "unsure" or "none of these"; beside it is how likely it is right, or, below
    --sure, also why there is no answer; then come the best labels with their shares.

    --promise and --names are tested on what taught a saved classifier, or on the library's labels of these classes.
    """
    from dataclasses import replace

    from clipcore import BadInput, generic_bank, iter_zero_shot_classifier
    from clipcore.classify.answers import grounded
    from clipcore.classify.drift import drift, words_of
    from clipcore.classify.promise import in_words, keeping, unseen_of
    from clipcore.classify.sets import level_of
    from clipcore.classify.tiles import look
    from clipcore.encoding.stream import iter_embed
    from clipcore.pictures.finding import display_path

    if [labels, task, classifier].count(None) != 2:
        raise BadInput('Give either --labels "cat, dog, rabbit", --task NAME or --classifier NAME.')
    if maps and not tiles:
        raise BadInput("A map is drawn of tiles; give --tiles, too, such as --tiles 3.")
    if task is not None and (templates or pack):
        raise BadInput("A task has prompts of its own; give --labels with --templates or --pack.")
    if promise is not None and sure is not None:
        raise BadInput("Give either --promise or --sure, not both: a promise says how sure it must be.")
    sets: list[tuple[str, Typed | None]] = [("", None)]  # mistakes are said before a model is loaded
    if labels is not None:
        named = [label_set(text) for text in labels] if len(labels) > 1 else [("", labels[0])]
        if len({name for name, _ in named}) < len(named):
            raise BadInput("Two sets of labels have the same name; give each its own.")
        sets = [(name, typed_prompts(text, templates, pack, descriptions)) for name, text in named]
    elif task is not None:
        sets = [("", task_prompts(task, descriptions))]
    files = picture_files(paths)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        embedded = draw(iter_embed(encoder, files))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        for noted in embedded.notes:
            say(f"note {noted}")
        if not embedded.paths:
            raise BadInput("None of the files could be read as a picture; see the reasons above.")
        generic = generic_bank(encoder)

        def ready(name: str, typed: "Typed | None") -> "tuple[Classifier, Level | None]":
            """A classifier as it is to answer, tested where that is asked for, said and saved."""
            if typed is not None:
                head = draw(iter_zero_shot_classifier(encoder, *typed), unit="prompts")
            else:
                head = saved_classifier(library, str(classifier))
                encoder.space.require(head.space, f"The classifier {classifier}")
            decision = replace(head.decision, many=many or head.decision.many)
            head = head.with_decision(decision if sure is None else replace(decision, sure=sure, promise=None))
            head = grounded(head, embedded.vectors, generic)
            if promise is not None or names is not None:
                head = _tested(library, head)
            if promise is not None:
                head, made = keeping(head, round(1 - promise, 6))
                say(in_words(head, made.wrong))
            several = None if names is None else level_of(head, names)
            if several:
                say(f"{several.sentence}.")
            tested = unseen_of(head)
            if tested and (several or head.decision.promise):
                told = drift(words_of(encoder, head), tested, embedded.vectors).sentence
                say(f"{told}.") if told else None
            if head.notice:
                say(head.notice)
            if save:
                record = library.save(head, f"{save} {name}".rstrip())
                say(f"saved as {record.name}, version {record.version}")
            return head, several

        answered = []
        for name, typed in sets:
            head, several = ready(name, typed)
            windows = [look(encoder, head, path, tiles) for path in embedded.paths] if tiles else []
            answered.append((name, _answers(head, several, embedded, windows)))
            if maps:
                _draw_maps(maps, name, embedded.paths, windows, head.labels)
        if table:
            _write_table(table, answered)
        width = max(len(display_path(path)) for path in embedded.paths)
        for place, path in enumerate(embedded.paths):
            shown = display_path(path)
            if len(answered) == 1:
                row, words = answered[0][1][place]
                emit(as_json, row, f"{shown:{width}}  {words}")
                continue
            rows = {name: answers[place] for name, answers in answered}
            told = [f"{shown:{width}}  {name}: {words}" for name, (_, words) in rows.items()]
            emit(as_json, {"path": shown, "sets": {name: row for name, (row, _) in rows.items()}}, *told)


def label_set(text: str) -> tuple[str, str]:
    """The name of a set of labels and the labels: place: beach, city. Raises BadInput."""
    from clipcore import BadInput

    found = re.match(r"\s*([^:=,;>]+?)\s*[:=]\s*(.+)", text, re.DOTALL)
    if not found:
        raise BadInput(
            f"Of several sets of labels each has its name first, such as “place: beach, city”, not “{text[:60]}”."
        )
    return found[1], found[2]


def _answers(
    head: "Classifier", several: "Level | None", embedded: "Embedded", windows: "Sequence[list[Tile]]"
) -> "list[tuple[dict[str, Any], str]]":
    """For each picture its row, and the answer in words."""
    from clipcore import decide
    from clipcore.classify.answers import stand_alone
    from clipcore.classify.reasons import reasons
    from clipcore.classify.tree import is_tree, leaf, levels
    from clipcore.pictures.finding import display_path
    from storage.export import answer_row

    answers = decide(head, embedded.vectors)
    why = reasons(answers, head.labels, stand_alone(head))
    found = answers.predictions(head.labels), answers.verdicts(head.labels), answers.figure.tolist(), why
    tree = is_tree(head.labels) and not stand_alone(head)
    rows = []
    for place, (path, prediction, verdict, figure, reason) in enumerate(zip(embedded.paths, *found, strict=True)):
        row = answer_row(display_path(path), prediction, verdict, figure, reason)
        answer = "; ".join(row["answer"]) or row["verdict"]
        words = f"{answer:<13}  {figure:4.0%}  "
        best = reason or "  ".join(f"{label} {share:6.1%}" for label, share in prediction.top(3))
        if several:
            row["names"] = several.names(prediction)
            best = ", ".join(row["names"])
        if tree:
            found_at = levels(head.labels, prediction.shares)
            row["levels"] = [[name, round(share, 4)] for name, share in found_at]
            best += "  by level: " + ", ".join(f"{leaf(name)} {share:.0%}" for name, share in found_at)
        if windows:
            row["tiles"] = [[tile.label, round(tile.figure, 2), list(tile.box)] for tile in windows[place]]
            best_of = {tile.label: tile for tile in reversed(windows[place])}  # the surest come first
            shown = [
                f"{tile.label} {tile.figure:.0%} at {tile.box[:2]}" for tile in windows[place] if tile in best_of.values()
            ]
            best += f"  in tiles: {', '.join(shown) or 'nothing'}"
        rows.append((row, words + best))
    return rows


def _write_table(path: Path, answered: "Sequence[tuple[str, list[tuple[dict[str, Any], str]]]]") -> None:
    """Each picture with its answer in each set of labels. Raises BadInput."""
    import csv

    from clipcore import BadInput
    from clipcore.cells import defused, joined

    columns = [column for name, _ in answered for column in (name or "label", f"{name} likely right".strip())]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["image", *map(defused, columns)])
            for rows in zip(*(rows for _, rows in answered), strict=True):
                cells = [[joined(tuple(row["answer"])) or row["verdict"], row["likely right"]] for row, _ in rows]
                writer.writerow([defused(rows[0][0]["path"]), *(defused(str(cell)) for pair in cells for cell in pair)])
    except OSError as error:
        raise BadInput(f"The table cannot be written to {path} ({error.strerror}); choose another place.") from None
    say(f"wrote {path}")


def _draw_maps(
    folder: Path, name: str, paths: "Sequence[Path]", windows: "Sequence[list[Tile]]", labels: "Sequence[str]"
) -> None:
    """Each picture with its windows, as a JPEG. Raises BadInput."""
    from clipcore import BadInput
    from clipcore.classify.tiles import drawn

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (path, tiles) in enumerate(zip(paths, windows, strict=True), 1):
            drawn(path, tiles, labels).save(folder / f"{number:04}-{path.stem}{f'-{name}' if name else ''}.jpg", quality=88)
    except OSError as error:
        raise BadInput(f"The maps cannot be written to {folder} ({error.strerror}); choose another place.") from None
    say(f"wrote {len(paths):,} {'map' if len(paths) == 1 else 'maps'} to {folder}")


def _tested(library: "Library", head: "Classifier") -> "Classifier":
    """`head` with what a promise is tested on: what taught it, or, where nothing has, the library's labels of its classes.
    Raises BadInput."""
    from clipcore import BadInput
    from clipcore.classify.answers import stand_alone
    from clipcore.classify.promise import unseen_of
    from training import tested_on

    if unseen_of(head) is not None or stand_alone(head):
        return head
    if head.kind != "zero-shot":
        raise BadInput("This classifier was taught before there were promises; teach it again.")
    return tested_on(head, library.examples(head.labels))
