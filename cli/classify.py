"""Sort pictures by class names or with a saved classifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    picture_files,
    saved_classifier,
    say,
    task_prompts,
    typed_prompts,
)

if TYPE_CHECKING:
    from clipcore import Classifier
    from storage import Library


@command
def classify(
    paths: list[Path],
    labels: Labels = None,
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

    from clipcore import BadInput, decide, generic_bank, iter_zero_shot_classifier
    from clipcore.classify.answers import grounded, stand_alone
    from clipcore.classify.drift import drift, words_of
    from clipcore.classify.promise import in_words, keeping, unseen_of
    from clipcore.classify.reasons import reasons
    from clipcore.classify.sets import level_of
    from clipcore.encoding.stream import iter_embed
    from clipcore.pictures.finding import display_path
    from storage.export import answer_row

    if [labels, task, classifier].count(None) != 2:
        raise BadInput('Give either --labels "cat, dog, rabbit", --task NAME or --classifier NAME.')
    if task is not None and (templates or pack):
        raise BadInput("A task has prompts of its own; give --labels with --templates or --pack.")
    if promise is not None and sure is not None:
        raise BadInput("Give either --promise or --sure, not both: a promise says how sure it must be.")
    typed = None  # mistakes are said before a model is loaded
    if labels is not None:
        typed = typed_prompts(labels, templates, pack, descriptions)
    elif task is not None:
        typed = task_prompts(task, descriptions)
    files = picture_files(paths)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if typed is not None:
            head = draw(iter_zero_shot_classifier(encoder, *typed), unit="prompts")
        else:
            head = saved_classifier(library, str(classifier))
            encoder.space.require(head.space, f"The classifier {classifier}")
        decision = head.decision
        head = head.with_decision(
            replace(decision, many=many or decision.many)
            if sure is None
            else replace(decision, many=many or decision.many, sure=sure, promise=None)
        )
        embedded = draw(iter_embed(encoder, files))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        for noted in embedded.notes:
            say(f"note {noted}")
        if not embedded.paths:
            raise BadInput("None of the files could be read as a picture; see the reasons above.")
        head = grounded(head, embedded.vectors, generic_bank(encoder))
        if promise is not None or names is not None:
            head = _tested(library, head)
        if promise is not None:
            head, made = keeping(head, round(1 - promise, 6))
            say(in_words(head, made.wrong))
        several = None if names is None else level_of(head, names)
        if several:
            say(f"{several.sentence}.")
        tested = unseen_of(head)
        if (
            tested
            and (several or head.decision.promise)
            and (told := drift(words_of(encoder, head), tested, embedded.vectors).sentence)
        ):
            say(f"{told}.")
        if head.notice:
            say(head.notice)
        if save:
            record = library.save(head, save)
            say(f"saved as {record.name}, version {record.version}")
        answers = decide(head, embedded.vectors)
        why = reasons(answers, head.labels, stand_alone(head))
        found = answers.predictions(head.labels), answers.verdicts(head.labels), answers.figure.tolist(), why
        rows = zip(embedded.paths, *found, strict=True)
        width = max(len(display_path(path)) for path in embedded.paths)
        for path, prediction, verdict, figure, reason in rows:
            row = answer_row(display_path(path), prediction, verdict, figure, reason)
            if several:
                row["names"] = several.names(prediction)
            answer = "; ".join(row["answer"]) or row["verdict"]
            best = reason or "  ".join(f"{label} {share:6.1%}" for label, share in prediction.top(3))
            best = ", ".join(row["names"]) if several else best
            emit(as_json, row, f"{display_path(path):{width}}  {answer:<13}  {figure:4.0%}  {best}")


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
