"""Sort pictures by class names or with a saved classifier."""

from pathlib import Path
from typing import Annotated

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
    typed_prompts,
)


@command
def classify(
    paths: list[Path],
    labels: Labels = None,
    templates: Templates = None,
    descriptions: Descriptions = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    sure: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="How likely right an answer must be: 0 always answers; as saved, or 0.5."),
    ] = None,
    many: Many = False,
    save: Annotated[str | None, typer.Option(help="Keep the classifier under this name.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Sort pictures, or folders of them, by class names (--labels) or with a saved classifier (--classifier).

    The answer is a label (several with --many), "unsure" or "none of these"; beside it is how likely it is right, or, below
    --sure, also why there is no answer; then come the best labels with their shares.
    """
    from dataclasses import replace

    from clipcore import BadInput, decide, generic_bank, iter_zero_shot_classifier
    from clipcore.classify.answers import grounded, stand_alone
    from clipcore.classify.reasons import reasons
    from clipcore.encoding.stream import iter_embed
    from clipcore.pictures.finding import display_path
    from storage.export import answer_row

    if (labels is None) == (classifier is None):
        raise BadInput('Give either --labels "cat, dog, rabbit" or --classifier NAME.')
    typed = (
        None if labels is None else typed_prompts(labels, templates, pack, descriptions)
    )  # mistakes are said before a model is loaded
    files = picture_files(paths)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if typed is not None:
            names, prompts = typed
            head = draw(iter_zero_shot_classifier(encoder, names, prompts), unit="prompts")
        else:
            head = saved_classifier(library, str(classifier))
            encoder.space.require(head.space, f"The classifier {classifier}")
        decision = head.decision
        head = head.with_decision(
            replace(decision, many=many or decision.many, sure=decision.sure if sure is None else sure)
        )
        embedded = draw(iter_embed(encoder, files))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        for noted in embedded.notes:
            say(f"note {noted}")
        if not embedded.paths:
            raise BadInput("None of the files could be read as a picture; see the reasons above.")
        head = grounded(head, embedded.vectors, generic_bank(encoder))
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
            answer = "; ".join(row["answer"]) or row["verdict"]
            best = reason or "  ".join(f"{label} {share:6.1%}" for label, share in prediction.top(3))
            emit(as_json, row, f"{display_path(path):{width}}  {answer:<13}  {figure:4.0%}  {best}")
