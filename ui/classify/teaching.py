"""Teaching in the background: after labels have moved a short job refits the head and says what it is worth.

The lesson waits until someone uses it; nothing on the board changes by itself.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clipcore import UNSURE, BadInput, Classifier, PromptSet, Step, decide, zero_shot_classifier
from clipcore.classify.answers import dial_for, grounded, reaches
from clipcore.measure.intervals import share_interval
from storage.labels.moves import truth_of
from training import Doubt, Lesson, teach, teach_many, what_next, wrong_labels

from ..lessons import curve_of, name_of, taught_by
from ..library.search import card
from ..studio import Studio, Work
from .board import Board, Boards
from .board_changes import changed
from .classes import change_classes, undo_classes
from .promises import renewed

KEPT = 8  # lessons
QUEUE = 24  # pictures to label next
TOLD = 5  # labels with their bars
LEAST = 2  # labelled pictures; one alone cannot be tested on a picture the head has not seen


@dataclass(frozen=True, eq=False)
class Offer:
    """A lesson for a board. `taught_with` names the labels that it was made from; a classifier that is in use has the same
    name among its metrics."""

    lesson: Lesson
    taught_with: str


class Teaching:
    """Lessons for the boards that are being sorted. Safe from several threads."""

    def __init__(self, studio: Studio, boards: Boards) -> None:
        self._studio = studio
        self._library = studio.library
        self._boards = boards
        self._offers: OrderedDict[str, Offer] = OrderedDict()
        self._lock = threading.Lock()
        studio.jobs.register("teach", self._work)

    def ask_once(self, run_id: str) -> None:
        """`ask` where no lesson is at hand: a board was opened, perhaps after the program was started anew."""
        with self._lock:
            known = run_id in self._offers
        if not known and self._boards.taken(self._boards.get(run_id)).any():
            self.ask(run_id)

    def ask(self, run_id: str) -> None:
        """Have a board's labels learned from, unless a job that will do so is waiting already."""
        waiting = (job for job in self._studio.jobs.active() if job.kind == "teach" and job.state == "queued")
        if not any(job.payload.get("run") == run_id for job in waiting):
            self._studio.jobs.submit("teach", {"run": run_id})

    def offer(self, run_id: str) -> dict[str, Any] | None:
        """What the page says of the lesson of a board; None while there is nothing to say."""
        with self._lock:
            offer = self._offers.get(run_id)
        if offer is None or offer.taught_with == self._boards.get(run_id).run.classifier.metrics.get("taught_with"):
            return None
        lesson = offer.lesson
        checked = self._checked(run_id, offer)
        worse = checked is not None and checked["taught"] < checked["right"]
        return {
            "id": offer.taught_with,
            "labels": lesson.labels,
            "adopt": lesson.adopt or lesson.kept.decision.calibrated > 0,
            "main": lesson.better and not worse,  # offered as the main thing to do: only what is better beyond chance
            "sentence": lesson.sentence,
        }

    def check(self, run_id: str) -> dict[str, Any]:
        """The check sample of a board: its pictures without a label, and what those with one say, in words."""
        board = self._boards.get(run_id)
        keys = board.sample
        said = {image_id for image_id, place in self._boards.said(board, keys) if place is not None}
        images = [board.images[board.rows[key][0]] for key in keys]
        left = [image for image in images if image.id not in said]
        words = "Every image of the check sample has a label."
        return {"items": [card(image) for image in left], "words": words}

    def progress(self, run_id: str) -> dict[str, Any] | None:
        """How good the board is, told on the check sample alone: pictures chosen by the queue are the hard ones. None where
        an image can have several labels."""
        board = self._boards.get(run_id)
        if board.many:
            return None
        with self._lock:
            offer = self._offers.get(run_id)
        found = self._checked(run_id, offer) or {"right": 0, "done": 0, "taught": 0, "labelled": 0}
        of = len(board.sample)
        return {"of": of, "left": of - found["labelled"], "sentence": _progress(of, **found)}

    def _checked(self, run_id: str, offer: Offer | None) -> dict[str, int] | None:
        """Of the check sample: how many pictures are labelled, and for those that are judged (`done`) how many the board has
        right, and would have with what was taught (`taught`); None without any. A head is asked that had not seen them."""
        board = self._boards.get(run_id)
        if board.many:
            return None
        keys = board.sample
        places = {board.images[row].id: key for key in keys for row in board.rows[key][:1]}
        said = {places[i]: place for i, place in self._boards.said(board, keys) if i in places and place is not None}
        unseen = dict[str, tuple[bool, bool]]()
        if offer:
            unseen = dict(zip(offer.lesson.keys, zip(*map(np.ndarray.tolist, offer.lesson.right), strict=True), strict=True))
        untouched = board.run.classifier.kind == "zero-shot"
        done = right = taught = 0
        for key, place in said.items():
            if place == UNSURE:
                continue
            row = board.rows[key][0]
            now = bool(board.answers.shares[row].argmax() == place if place >= 0 else board.answers.places[row] < 0)
            if place >= 0 and not untouched:
                if key not in unseen:
                    continue  # the lesson that has not seen it is being made
                now = unseen[key][1]
            done, right, taught = done + 1, right + now, taught + (unseen[key][1] if key in unseen else now)
        return {"labelled": len(said), "done": done, "right": right, "taught": taught} if said else None

    def changes(self, run_id: str) -> dict[str, Any]:
        """The pictures without a label that the lesson would put into another column."""
        board, offer = self._boards.get(run_id), self._current(run_id)
        after = decide(self._taught(board, offer), board.X, self._studio.bank()).places
        found = changed(board.images, board.labels, board.answers.places, after, ~self._boards.taken(board))
        return found | {"curve": curve_of(offer.lesson)}

    def use(self, run_id: str) -> float:
        """Sort the board with the taught classifier; labels stay, and the dial goes where as many images as before get an
        answer. Gives that setting. `undo` takes it back. Raises BadInput."""
        board, offer = self._boards.get(run_id), self._current(run_id)
        taught = self._taught(board, offer)
        self._library.runs.change(run_id, taught, board.run.edition)
        return taught.decision.sure

    def undo(self, run_id: str) -> None:
        """Sort the board with the classifier it had before, and its classes. Raises NotFound if there is none."""
        undo_classes(self._studio, self._boards, run_id)

    def change_classes(self, run_id: str, *asked: Any) -> None:
        """`classes.change_classes`, and learn from what is labelled now."""
        change_classes(self._studio, self._boards, run_id, *asked)
        self.ask(run_id)

    def next(self, run_id: str) -> dict[str, Any]:
        """Pictures worth labelling next, the most useful first; `words` say why there are none."""
        board = self._boards.get(run_id)
        unsure = None
        if board.many:  # how close any label is to its threshold
            unsure = 1 - np.abs(board.answers.shares - board.thresholds).min(1)
        taken, words = self._boards.taken(board), "Every image has a label."
        others = self._library.labels.not_mine([image.picture for image in board.images])
        if (others & ~taken).any():  # each of several people has a share of the queue
            taken, words = taken | others, "Every image of your share has a label; the others have theirs."
        rows = what_next(board.run.classifier, board.X, taken, QUEUE, unsure)
        return {"items": [card(board.images[row]) for row in rows], "words": words}

    def doubts(self, run_id: str) -> dict[str, Any]:
        """Labels of the board that are likely wrong: picture, given label, likelier one, confidence in that; `words` say
        why there are none."""
        board = self._boards.get(run_id)
        if board.many:
            return {"items": [], "words": "Labels are checked where they exclude each other, not here."}
        examples = self._library.examples(board.labels)
        if len(examples) < LEAST:
            return {"items": [], "words": "Too few labels to check. Label a few images of every class first."}
        found = wrong_labels(examples, self._start(board))
        index = {label: code for code, label in enumerate(board.labels)}
        items = [
            [
                *card(board.images[row]),
                index[doubt.given],
                index[doubt.likely],
                round(doubt.confidence, 4),
                _bars(doubt, board),
            ]
            for doubt in found
            for row in board.rows.get(examples.keys[doubt.row], ())[:1]
        ]
        return {"items": items, "words": "No label looks wrong."}

    # the job

    def _work(self, payload: dict[str, Any]) -> Work:
        run_id = payload["run"]
        yield Step(0, 0, "Learning from your labels")
        offer = self._make(run_id)
        return {"run": run_id, "sentence": offer.lesson.sentence if offer else ""}

    def _make(self, run_id: str) -> Offer | None:
        board = self._boards.get(run_id)
        offer = self._offer_many(board) if board.many else self._offer(board)
        with self._lock:
            self._offers.pop(run_id, None)
            if offer:
                self._offers[run_id] = offer
            while len(self._offers) > KEPT:
                self._offers.popitem(last=False)
        return offer

    def _offer(self, board: Board) -> Offer | None:
        examples = self._library.examples(board.labels)
        if len(examples) < LEAST:
            return None
        return Offer(teach(examples, self._start(board)), name_of(examples.keys, examples.labels))

    def _offer_many(self, board: Board) -> Offer | None:
        """Thresholds from the board's labelled pictures, where a picture can have several labels."""
        said = self._library.labels.of_pictures(board.rows)
        truths = {content: truth_of(values, board.labels) for content, values in said.items()}
        keys = tuple(content for content, truth in truths.items() if truth is not None)
        if len(keys) < LEAST:
            return None
        rows = [board.rows[key][0] for key in keys]
        truth = np.array([truths[key] for key in keys], bool)
        lesson = teach_many(board.run.classifier, board.answers.shares[rows], truth, keys)
        if np.allclose(lesson.classifier.decision.thresholds, board.thresholds):
            return None  # too few of every class: nothing was learned
        return Offer(lesson, name_of(keys, truth.tolist()))

    def _current(self, run_id: str) -> Offer:
        """The lesson on offer, made now if the program was started anew meanwhile."""
        with self._lock:
            offer = self._offers.get(run_id)
        offer = offer or self._make(run_id)
        if offer is None:
            raise BadInput("There are too few labels to learn from; label a few images first.")
        return offer

    def _start(self, board: Board) -> Classifier:
        """The head that no label has touched: what was taught is measured against it, and begins with it."""
        classifier = board.run.classifier
        if classifier.kind == "zero-shot" and not classifier.decision.calibrated:
            return grounded(classifier, board.X, self._studio.bank())
        prompts: PromptSet = classifier.prompts
        fresh = zero_shot_classifier(self._studio.encoder(), classifier.labels, prompts)
        fresh = fresh.with_decision(replace(fresh.decision, sure=classifier.decision.sure))
        return grounded(fresh, board.X, self._studio.bank())

    def _taught(self, board: Board, offer: Offer) -> Classifier:
        """The taught head with what was measured of it, and the dial where as many unlabelled images are answered as now,
        or where the promise is kept again."""
        taught = taught_by(offer.lesson, offer.taught_with)
        if board.many:  # the dial is where the thresholds are as fitted
            return taught
        free, sure = ~self._boards.taken(board), board.run.classifier.decision.sure
        if free.any() and 0 < sure < 1:
            figures = decide(taught, board.X[free], self._studio.bank()).figure
            sure = dial_for(figures, int(reaches(board.answers.figure[free], sure).sum()), sure)
        return renewed(taught, board.run.classifier, sure)


def _bars(doubt: Doubt, board: Board) -> list[tuple[str, float]]:
    """What a doubt is read from: the best labels with their shares."""
    order = np.argsort(-doubt.shares, kind="stable")[:TOLD]
    return [(board.labels[i], round(float(doubt.shares[i]), 4)) for i in order]


def _progress(of: int, labelled: int, done: int, right: int, taught: int) -> str:
    """How good the board is, in words."""
    if not done:
        return f"Label {'these' if labelled == 0 else 'all'} {of} at random to know how good it is"
    low, high = share_interval(right, done)
    told = f"Right on {right} of {done} {'photo' if done == 1 else 'photos'} you checked"
    if taught != right:
        told = f"{told}; with what your labels taught, on {taught}"
    if labelled < of:
        return f"{told}. Check {of - labelled} more to know it better"
    return f"{told}. Likely between {100 * low:.0f} and {100 * high:.0f} of 100"
