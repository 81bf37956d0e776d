"""Classes of a board that are added, renamed, merged or taken away in place: its labels and what they taught stay."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from clipcore import BadInput, PromptSet, zero_shot_classifier
from clipcore.classify.answers import grounded
from clipcore.classify.prompts import clean_label

from ..lessons import carried_on
from ..sessions.label_sets import require_own
from ..studio import Studio
from .board import Board, Boards

BY = "classes"  # in a classifier's metrics: whose step moved the labels along


def change_classes(
    studio: Studio,
    boards: Boards,
    run_id: str,
    client: str,
    op: str,
    names: Sequence[str],
    renamed: Mapping[str, str],
    synonyms: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Give a board these classes, in this order. `renamed` says what which of the old ones (key) is called now; two with one
    new name are merged. Classes that were there and are not named go, with their labels kept in the library. `synonyms` are
    the other names of all classes; without them a class keeps its own.

    `undo_classes` takes it back. Raises BadInput for names that cannot be or are another label set's, and for an old class
    that is not on the board.
    """
    board = boards.get(run_id)
    names = [clean_label(name) for name in names]
    renamed = {old: clean_label(new) for old, new in renamed.items() if clean_label(new) != old}
    if strange := (set(renamed) - set(board.labels)) | (set(renamed.values()) - set(names)):
        raise BadInput(f"There is no class “{min(strange)}” on this board; load it again.")
    require_own(studio, studio.library.sessions.on_board(run_id), names)
    before = board.run.classifier
    fresh = zero_shot_classifier(studio.encoder(), names, _prompts(board, names, renamed, synonyms))
    halves = {renamed.get(label, label): half for label, half in zip(board.labels, before.decision.thresholds, strict=False)}
    decision = replace(
        fresh.decision,
        sure=before.decision.sure,
        many=before.decision.many,
        thresholds=tuple(halves.get(name, 0.5) for name in names) if halves else (),
    )
    fresh = grounded(fresh.with_decision(decision), board.X, studio.bank())
    who = f"{client}-{BY}"
    moved = studio.library.labels.rename(renamed, who, op) if renamed else None
    after = carried_on(fresh, before, studio.library.labels.examples(names))
    if moved is not None and moved.changed:
        after = replace(after, metrics={**after.metrics, BY: who})
    studio.library.runs.change(run_id, after, board.run.edition)


def undo_classes(studio: Studio, boards: Boards, run_id: str) -> None:
    """Give a board the classifier it had before, and labels their names if they moved with its classes. Raises NotFound."""
    who = boards.get(run_id).run.classifier.metrics.get(BY)
    studio.library.runs.revert(run_id)
    if who:
        studio.library.labels.undo(who)


def _prompts(
    board: Board, names: Sequence[str], renamed: Mapping[str, str], given: Mapping[str, Sequence[str]] | None
) -> PromptSet:
    """The board's prompts for these classes. A class that goes into another one becomes another name of it; a name that was
    only changed is forgotten, for it may have been a slip."""
    prompts = board.run.classifier.prompts
    came: dict[str, list[str]] = {}
    for label in board.labels:
        came.setdefault(renamed.get(label, label), []).append(label)
    synonyms: dict[str, tuple[str, ...]] = {}
    sentences: dict[str, tuple[str, ...]] = {}
    for name in names:
        old = came.get(name, [])
        merged = [label for label in old if label != name] if len(old) > 1 else []
        also = dict.fromkeys([*merged, *(word for label in old for word in prompts.synonyms.get(label, ()))])
        if given is not None:
            also = dict.fromkeys(clean_label(word) for word in given.get(name, ()))
        also.pop(name, None)
        if also:
            synonyms[name] = tuple(also)
        if own := [text for label in old for text in prompts.class_prompts.get(label, ())]:
            sentences[name] = tuple(dict.fromkeys(own))
    return replace(prompts, synonyms=synonyms, class_prompts=sentences)
