"""A promise on the board: the dial goes where at most so many answers are wrong, tested on labels that taught nothing."""

from dataclasses import replace
from typing import Any

import numpy as np

from clipcore import NONE, BadInput, Classifier
from clipcore.classify.drift import drift, words_of
from clipcore.classify.examples import split_place
from clipcore.classify.promise import in_words, keeping, require_unseen, unseen, unseen_of, with_unseen
from training import tested_on
from training.heads.active_learning import CHECK

from ..library.search import card
from ..studio import Studio
from .board import Board, Boards

DEALT = 24  # pictures to label at a time


def make_promise(studio: Studio, boards: Boards, run_id: str, wrong: float | None) -> None:
    """Set the dial of a board so that a promise is kept; None takes it back, and the dial stays. Kept with the classifier.

    Raises TooFewLabels, which says how many more are needed, and BadInput.
    """
    board = boards.get(run_id)
    classifier = board.run.classifier
    if wrong is None:
        made = classifier.with_decision(replace(classifier.decision, promise=None))
    else:
        made, _ = keeping(_tested(studio, boards, board), wrong)
    studio.library.runs.change(run_id, made, board.run.edition, keep=False)


def renewed(taught: Classifier, before: Classifier, sure: float) -> Classifier:
    """`taught` with the promise of the classifier `before` it, tested anew; with the dial at `sure` if there is none, or it
    cannot be kept any more."""
    if before.decision.promise is not None:
        try:
            return keeping(taught, before.decision.promise)[0]
        except BadInput:
            pass
    return taught.with_decision(replace(taught.decision, sure=sure, promise=None))


def told(studio: Studio, boards: Boards, board: Board) -> dict[str, Any] | None:
    """What the page says of the promise of a board: {"wrong", "sentence", "drift"}; None where there is none."""
    classifier = board.run.classifier
    wrong = classifier.decision.promise
    if wrong is None or board.many:
        return None
    try:
        sentence = in_words(classifier, wrong)
        words, tested = words_of(studio.encoder(), classifier), require_unseen(classifier)
        other = drift(words, tested, board.X[~boards.taken(board)]).sentence
    except BadInput as error:  # a file from elsewhere may promise more than it was tested on
        return {"wrong": wrong, "sentence": error.page, "drift": ""}
    return {"wrong": wrong, "sentence": sentence, "drift": f"{other}." if other else ""}


def at_random(boards: Boards, run_id: str) -> dict[str, Any]:
    """Pictures without a label in an order of chance, to test a promise on: it begins with the check sample."""
    board = boards.get(run_id)
    taken = boards.taken(board)
    free = [key for key, rows in board.rows.items() if not taken[rows[0]]]
    first = sorted(free, key=lambda key: split_place(key, CHECK))[:DEALT]
    return {"items": [card(board.images[board.rows[key][0]]) for key in first], "words": "Every image has a label."}


def _tested(studio: Studio, boards: Boards, board: Board) -> Classifier:
    """The board's classifier with what it says of labelled pictures that it had not learned from: for the words alone those
    of the library, else what teaching left; beside them pictures of the board that are labelled as none of its classes."""
    classifier = board.run.classifier
    if board.many:
        return classifier
    if classifier.kind == "zero-shot":
        classifier = tested_on(classifier, studio.library.examples(board.labels))
    found = unseen_of(classifier)
    none = {image_id for image_id, place in boards.said(board, board.rows) if place == NONE}
    rows = [rows[0] for rows in board.rows.values() if board.images[rows[0]].id in none]
    if not rows:
        return classifier
    words = words_of(studio.encoder(), classifier).logits(board.X[rows])
    strangers = unseen(classifier, classifier.logits(board.X[rows]), np.full(len(rows), -1), words)
    return with_unseen(classifier, found.take(found.truth >= 0).beside(strangers) if found else strangers)
