"""The board's routes. Each answers with what changed, so that one function in the browser brings it up to date."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.responses import Response

from ..ids import Id, Offset
from ..studio import Studio
from .board import Boards
from .board_changes import compare
from .promises import at_random, make_promise
from .promises import told as promised_by
from .teaching import Teaching


@dataclass
class Reverse:
    """A request to undo or redo. `op` is its own number: sent again, it is answered and not done twice."""

    op: str
    client: str  # whose undo
    since: Id  # the step the browser knows of


@dataclass
class Move(Reverse):
    """A request to move pictures to a place; null takes their label away."""

    to: Offset | None
    held: list[tuple[Offset | None, list[Id]]]  # the place by label that the browser saw, and the pictures there
    value: Literal[1, -1] = 1  # where several labels can be true: it is this, or it is not


@dataclass
class Classes:
    """A request to give the board other classes, in place; see `classes.change_classes`."""

    op: str
    client: str
    names: list[str]
    renamed: dict[str, str]
    synonyms: dict[str, list[str]] | None = None


@dataclass
class Dial:
    sure: float


@dataclass
class Promised:
    wrong: float | None  # at most this share of the answers; null takes the promise back


@dataclass
class Threshold:
    code: Offset
    needed: float


def add_board_routes(app: FastAPI, studio: Studio, boards: Boards) -> None:
    """Hang the board's routes on the app. They are plain functions, so each runs in a worker thread."""
    teaching = Teaching(studio, boards)
    path = "/api/runs/{run_id}"

    def told(run_id: str, answer: dict[str, Any]) -> Response:
        # not through FastAPI's encoder, which looks at each of 10,000 rows
        return Response(
            json.dumps({**answer, "lesson": teaching.offer(run_id), "check": teaching.progress(run_id)}),
            media_type="application/json",
        )

    @app.get(path)
    def snapshot(run_id: str, client: str = "") -> Response:
        answer = boards.snapshot(run_id, client)
        answer["promise"] = promised_by(studio, boards, boards.get(run_id))
        teaching.ask_once(run_id)
        return told(run_id, answer)

    @app.get(path + "/changes")
    def changes(run_id: str, since: Id, client: str = "") -> Response:
        return told(run_id, boards.changes(run_id, client, since))

    @app.post(path + "/move")
    def move(run_id: str, step: Move) -> Response:
        answer = boards.move(run_id, step.client, step.op, step.since, step.to, step.held, step.value)
        teaching.ask(run_id)
        return told(run_id, answer)

    @app.post(path + "/step/{kind}")
    def reverse(run_id: str, kind: Literal["undo", "redo"], step: Reverse) -> Response:
        answer = boards.reverse(run_id, step.client, step.op, step.since, redo=kind == "redo")
        teaching.ask(run_id)
        return told(run_id, answer)

    @app.get(path + "/dial")
    def dial(run_id: str) -> dict[str, Any]:
        return boards.dial(run_id)

    @app.post(path + "/dial")
    def set_dial(run_id: str, dial: Dial) -> dict[str, Any]:
        boards.set_dial(run_id, dial.sure)
        return {}

    @app.post(path + "/promise")
    def make(run_id: str, promised: Promised) -> dict[str, Any]:
        make_promise(studio, boards, run_id, promised.wrong)
        return {}

    @app.get(path + "/random")
    def random(run_id: str) -> dict[str, Any]:
        return at_random(boards, run_id)

    @app.post(path + "/threshold")
    def set_threshold(run_id: str, threshold: Threshold) -> dict[str, Any]:
        boards.set_threshold(run_id, threshold.code, threshold.needed)
        return {}

    @app.post(path + "/classes")
    def change_classes(run_id: str, classes: Classes) -> dict[str, Any]:
        teaching.change_classes(run_id, classes.client, classes.op, classes.names, classes.renamed, classes.synonyms)
        return {}

    @app.get(path + "/images/{image_id}")
    def look(run_id: str, image_id: Id) -> dict[str, Any]:
        return boards.look(run_id, image_id)

    @app.get(path + "/lesson")
    def lesson(run_id: str) -> dict[str, Any]:
        return teaching.changes(run_id)

    @app.post(path + "/lesson/{what}")
    def adopt(run_id: str, what: Literal["use", "undo"]) -> dict[str, Any]:
        if what == "undo":
            teaching.undo(run_id)
            return {}
        return {"sure": teaching.use(run_id)}

    @app.get(path + "/compare")
    def compare_versions(run_id: str, name: str, version: Offset, other: Offset | None = None) -> dict[str, Any]:
        return compare(studio, boards, run_id, name, version, other)

    @app.get(path + "/next")
    def what_next(run_id: str) -> dict[str, Any]:
        return teaching.next(run_id)

    @app.get(path + "/check")
    def check(run_id: str) -> dict[str, Any]:
        return teaching.check(run_id)

    @app.get(path + "/doubts")
    def doubts(run_id: str) -> dict[str, Any]:
        return teaching.doubts(run_id)
