"""The label sets of a session on the page: added, renamed, removed, and written to one file. No Gradio.

Labels are facts about a picture, whichever board they were given on. So that no set touches what another says, a name is a
class of one set only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from clipcore import BadInput, SaysoError, parse_labels
from storage import SessionRecord
from storage.export import sets_to_csv, sets_to_json

from ..downloads import download
from ..ids import Id
from ..studio import Studio
from .fields import Fields, as_plain


@dataclass
class NewSet:
    """`first` is what the set that was there is called from now on, where it has no name yet."""

    name: str
    first: str = ""


@dataclass
class SetName:
    name: str


def add_label_set_routes(app: FastAPI, studio: Studio) -> None:
    """Hang the routes on the app. They are plain functions, so each runs in a worker thread."""
    library = studio.library
    path = "/api/sessions/{session_id}/sets"

    @app.post(path)
    def add(session_id: Id, new: NewSet) -> dict[str, Any]:
        return as_plain(library.label_sets.add(session_id, new.name, *([new.first] if new.first.strip() else [])))

    @app.post(path + "/name")
    def rename(session_id: Id, new: SetName) -> dict[str, Any]:
        return as_plain(library.label_sets.rename(session_id, new.name))

    @app.post(path + "/remove")
    def remove(session_id: Id) -> dict[str, Any]:
        return as_plain(library.label_sets.remove(session_id))

    def sorted_sets(session_id: int) -> dict[str, str]:
        runs = {one.label_set or one.name: one.run for one in library.label_sets.of(session_id) if one.run}
        if not runs:
            raise BadInput("There is nothing to export yet; classify some images first.")
        return runs

    @app.get(path + "/labels.csv")
    def as_csv(session_id: Id) -> Response:
        sets = {name: library.exchange.run_answers(run) for name, run in sorted_sets(session_id).items()}
        return download("\ufeff" + sets_to_csv(sets), "text/csv; charset=utf-8", "labels.csv")

    @app.get(path + "/labels.json")
    def as_json(session_id: Id) -> Response:
        runs = sorted_sets(session_id)
        sets = {name: library.exchange.run_answers(run) for name, run in runs.items()}
        classifiers = {name: library.runs.get(run).classifier for name, run in runs.items()}
        return download(sets_to_json(sets, classifiers), "application/json", "labels.json")


def sets_of(studio: Studio, session_id: int) -> list[dict[str, Any]]:
    """Each label set of a session; one without a name where it has no others."""
    return [
        {"id": one.id, "name": one.label_set, "sorted": bool(one.run)} for one in studio.library.label_sets.of(session_id)
    ]


def require_own(studio: Studio, session: SessionRecord | None, labels: Iterable[str]) -> None:
    """Raise BadInput if a label is a class of another set of the session."""
    for other in studio.library.label_sets.of(session.id) if session else []:
        if session and other.id != session.id and (both := set(labels) & _names(studio, other)):
            raise BadInput(
                f"“{min(both)}” is a class of the label set “{other.label_set}”. Choose another name for it here."
            )


def _names(studio: Studio, session: SessionRecord) -> set[str]:
    """The classes that a set has typed, and those on its board."""
    found = set(studio.library.runs.get(session.run).classifier.labels) if session.run else set()
    try:
        typed = Fields.of(session.state).names
        return found | set(parse_labels(typed)[0] if typed.strip() else ())
    except SaysoError:  # being typed
        return found
