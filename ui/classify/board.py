"""The board's data: where each picture of a run is, by its labels or by the classifier's answer, and the dial.

A place is a number: that of the class, UNSURE or NONE. A board is kept ready while browsers ask for it; its `epoch` names
the pictures and the classifier, and a browser with another one loads everything again.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from clipcore import NONE, UNSURE, Answers, BadInput, NotFound, decide, dial
from clipcore.classify.answers import stand_alone, thresholds
from clipcore.classify.reasons import reasons
from clipcore.classify.tree import is_tree, leaf, sure_above
from storage import ImageRecord, Moved, Place, Run
from storage.labels.moves import Values, place_of
from training import check_sample

from ..library.search import card, check_number
from ..studio import Studio

KEPT = 4  # boards kept ready; one of 10,000 pictures takes about 25 MB
HALF = 0.5  # an upper level of a tree is not said with less, wherever the dial is
SURES = tuple(step / 100 for step in range(101))  # positions of the dial: those of the figure


@dataclass(frozen=True, eq=False)
class Board:
    """A run with the vectors X [n, dim] of its pictures and the classifier's answers."""

    run: Run
    images: list[ImageRecord]
    X: np.ndarray
    answers: Answers

    @property
    def labels(self) -> tuple[str, ...]:
        return self.run.classifier.labels

    @property
    def many(self) -> bool:
        """Whether a picture can be in several columns."""
        return self.run.classifier.decision.many

    @property
    def exclusive(self) -> bool:
        """Whether what is shown beside a label is its share among the labels, not the confidence in it alone."""
        return self.run.classifier.activation == "softmax" and not self.many and len(self.labels) > 1

    @property
    def thresholds(self) -> list[float]:
        """How sure the classifier must be of each class."""
        needed = thresholds(self.run.classifier.decision, len(self.labels))
        return [round(float(value), 4) for value in needed]

    @cached_property
    def reasons(self) -> list[str]:
        """Why each picture has no answer, in a few words; "" where it has one."""
        found = reasons(self.answers, self.labels, stand_alone(self.run.classifier))
        for row, (name, share) in self.upper.items():
            found[row] = f"{leaf(name)}, {100 * share:.0f} %, but unsure which"
        return found

    @cached_property
    def upper(self) -> dict[int, tuple[str, float]]:
        """Of a tree of labels: rows that are unsure between labels, and the name above these that is sure, with a share."""
        if not self.exclusive or not is_tree(self.labels):
            return {}
        sure, shares = max(HALF, self.run.classifier.decision.sure), self.answers.shares
        rows = np.flatnonzero(self.answers.places == UNSURE).tolist()
        return {row: told for row in rows if (told := sure_above(self.labels, shares[row], sure))}

    @cached_property
    def sample(self) -> list[str]:
        """The pictures of the check sample, by which it is told how good the board is."""
        return check_sample(tuple(self.rows))

    @cached_property
    def epoch(self) -> str:
        ids = np.array([image.id for image in self.images], np.int64)
        return f"{self.run.edition}-{hashlib.sha256(ids.tobytes()).hexdigest()[:12]}"

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """Picture -> its rows; it may be there in several files."""
        found: dict[str, list[int]] = {}
        for row, image in enumerate(self.images):
            found.setdefault(image.picture, []).append(row)
        return found

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(image.id for image in self.images)

    def row(self, image_id: int) -> int:
        """Where a picture's vector and answers are. Raises NotFound."""
        row = next((row for row, image in enumerate(self.images) if image.id == image_id), None)
        if row is None:
            raise NotFound("That picture is not on this board any more; load it again.")
        return row

    @property
    def colour(self) -> str:
        """A short name of the classes: steps on boards of the same classes share an undo."""
        return hashlib.sha256("\n".join(self.labels).encode()).hexdigest()[:16]

    def place(self, code: int | None) -> Place:
        """The place with this number. Raises BadInput."""
        if code is None or code in (UNSURE, NONE):
            return code
        if not 0 <= code < len(self.labels):
            raise BadInput("There is no such class on this board; load it again.")
        return self.labels[code]


class Boards:
    """The boards that browsers have open. Safe from several threads."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._library = studio.library
        self._kept: OrderedDict[str, Board] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: str, fresh: bool = False) -> Board:
        """A board by its run; `fresh` also looks for pictures that came or went. Raises NotFound, SpaceMismatch."""
        space = self._studio.encoder().space
        edition = self._library.runs.edition(run_id)
        with self._lock:
            board = self._kept.get(run_id)
            if fresh or board is None or board.run.edition != edition or board.run.classifier.space.key != space.key:
                board = self._make(run_id)
                self._kept[run_id] = board
            self._kept.move_to_end(run_id)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return board

    def _make(self, run_id: str) -> Board:
        run = self._library.runs.get(run_id)
        self._studio.encoder().space.require(run.classifier.space, "This classifier")
        images, X = self._library.embeddings(run.image_ids, run.folder_id)
        return Board(run, images, X, decide(run.classifier, X, self._studio.bank()))

    # what the page asks

    def snapshot(self, run_id: str, client: str) -> dict[str, Any]:
        """Everything: classes, pictures, where they are and by whom."""
        board = self.get(run_id, fresh=True)
        classifier = board.run.classifier
        step = (
            self._library.labels.last_step()
        )  # first: what comes while the labels are read is then told once more, not missed
        said = self.said(board, board.rows)
        answers = zip(board.images, self._guesses(board), board.answers.figure.tolist(), board.reasons, strict=True)
        return self._state(board, client, step) | {
            "labels": classifier.labels,
            "model": classifier.space.name,
            "prompts": classifier.prompts.name,
            "kind": classifier.kind,
            "exclusive": board.exclusive,
            "many": board.many,
            "thresholds": board.thresholds if board.many else None,
            "sure": classifier.decision.sure,
            "calibrated": 0 if board.many else classifier.decision.calibrated,
            "curve": classifier.metrics.get("curve"),
            "before": board.run.before,
            "upper": [[board.images[row].id, name, round(share, 4)] for row, (name, share) in board.upper.items()],
            "images": [[*card(image), place, round(figure, 2), why] for image, place, figure, why in answers],
            "changes": [[image_id, place] for image_id, place in said if place is not None],
            "skipped": [[record.path, record.reason] for record in board.run.skipped],
        }

    def changes(self, run_id: str, client: str, since: int) -> dict[str, Any]:
        """What has moved since a step."""
        return self._changes(self.get(run_id), client, since)

    def move(
        self,
        run_id: str,
        client: str,
        op: str,
        since: int,
        to: int | None,
        held: Iterable[tuple[int | None, Sequence[int]]],
        value: int = 1,
    ) -> dict[str, Any]:
        """Move pictures from where the browser saw them. Raises BadInput, NotFound; then nothing has moved.

        On a board of several labels a class is given (`value` 1) or taken away (-1), and the others stay.
        """
        board = self.get(run_id)
        held = list(held)
        check_number(sum(len(image_ids) for _, image_ids in held))
        seen = {image_id: board.place(code) for code, image_ids in held for image_id in image_ids}
        if strange := seen.keys() - board.ids:
            raise NotFound(f"The picture {min(strange)} is not on this board; load it again.")
        own = f"{client}-{board.colour}"
        place = board.place(to)
        if board.many and isinstance(place, str):
            moved = self._library.labels.mark(self._marks(board, list(seen), place, value), own, op)
        else:
            moved = self._library.labels.move(list(seen), place, board.labels, own, op, None if board.many else seen)
        return self._changes(board, client, since, moved)

    def _marks(self, board: Board, image_ids: Sequence[int], label: str, value: int) -> dict[int, Values]:
        """What a person says by giving a picture a label, or taking it away: of one that nobody has labelled also that the
        other guesses, which it was shown with, are right."""
        known = self._library.labels.of(image_ids)
        rows = {image.id: row for row, image in enumerate(board.images)}
        marks: dict[int, Values] = {}
        for image_id in image_ids:
            said = known.get(image_id, {}).keys() & set(board.labels)
            guesses = () if said else np.flatnonzero(board.answers.chosen[rows[image_id]])
            marks[image_id] = {**{board.labels[code]: 1 for code in guesses}, label: 1 if value > 0 else -1}
        return marks

    def reverse(self, run_id: str, client: str, op: str, since: int, redo: bool) -> dict[str, Any]:
        """Take the client's last step back, or do it again."""
        board = self.get(run_id)
        own = f"{client}-{board.colour}"
        moved = self._library.labels.redo(own, op) if redo else self._library.labels.undo(own, op)
        return self._changes(board, client, since, moved or Moved(since)) | {"nothing": moved is None}

    def dial(self, run_id: str) -> dict[str, Any]:
        """For each setting of the dial, how many pictures without a label would be in each column; UNSURE and NONE last."""
        board = self.get(run_id)
        taken = self.taken(board)
        counts = dial(board.run.classifier, board.X[~taken], self._studio.bank(), SURES)
        return {"sures": SURES, "counts": counts.tolist()}

    def set_dial(self, run_id: str, sure: float) -> None:
        """How sure the classifier of the run must be; saved with it. A promise is over then. Raises BadInput."""
        self._decide(self.get(run_id), sure=float(sure), promise=None)

    def set_threshold(self, run_id: str, code: int, needed: float) -> None:
        """How sure it must be of one of several labels, 0 to 1; saved with it. Raises BadInput."""
        board = self.get(run_id)
        if not board.many or not isinstance(board.place(code), str):
            raise BadInput("Only the classes of a board where an image can have several have thresholds.")
        found = board.thresholds
        found[code] = float(needed)
        self._decide(board, sure=0.5, thresholds=tuple(found))

    def _decide(self, board: Board, **changes: Any) -> None:
        classifier = board.run.classifier
        decision = replace(classifier.decision, **changes)
        run_id = board.run.id
        self._library.runs.change(run_id, classifier.with_decision(decision), board.run.edition, keep=False)

    def look(self, run_id: str, image_id: int) -> dict[str, Any]:
        """What the classifier says of one picture, and its answer. Raises NotFound."""
        board = self.get(run_id)
        row = board.row(image_id)
        return {
            "top": board.answers.predictions(board.labels)[row].top(5),
            "none": round(float(board.answers.none[row]), 4),
            "figure": round(float(board.answers.figure[row]), 2),
            "why": board.reasons[row],
            "place": int(board.answers.places[row]),
        }

    # what they share, also with `ui.classify.teaching`

    def said(self, board: Board, contents: Iterable[str]) -> list[tuple[int, Any]]:
        """(image id, place by labels or None) for the pictures with these contents; where several labels can be true, their
        values by place instead."""
        index = {label: code for code, label in enumerate(board.labels)}
        here = [content for content in contents if content in board.rows]
        values = self._library.labels.of_pictures(here)
        found = []
        for content in here:
            code: Any
            if board.many:
                code = {index[label]: value for label, value in values.get(content, {}).items() if label in index} or None
            else:
                place = place_of(values.get(content, {}), board.labels)
                code = index[place] if isinstance(place, str) else place
            found += [(board.images[row].id, code) for row in board.rows[content]]
        return found

    def taken(self, board: Board) -> np.ndarray:
        """Which rows have a label, bool [n]."""
        labelled = {image_id for image_id, place in self.said(board, board.rows) if place is not None}
        return np.array([image.id in labelled for image in board.images], bool)

    @staticmethod
    def _guesses(board: Board) -> list[Any]:
        """Each picture's place; where several labels can be true, a list of places."""
        places = board.answers.places.tolist()
        if not board.many:
            return places
        chosen = (np.flatnonzero(row).tolist() for row in board.answers.chosen)
        return [found or place for found, place in zip(chosen, places, strict=True)]

    def _changes(self, board: Board, client: str, since: int, moved: Moved | None = None) -> dict[str, Any]:
        step, contents = self._library.labels.changes_since(since)
        if moved:
            contents = contents | {*moved.changed, *moved.skipped}
        said = self.said(board, contents)
        skipped = sum(len(board.rows.get(content, ())) for content in moved.skipped) if moved else 0
        return self._state(board, client, step) | {"changes": said, "skipped": skipped}

    def _state(self, board: Board, client: str, step: int) -> dict[str, Any]:
        undo, redo = self._library.labels.undo_counts(f"{client}-{board.colour}")
        return {"epoch": board.epoch, "step": step, "undo": undo, "redo": redo}
