"""The map as the page draws it: ids, places and groups of up to a million pictures in one binary answer, and its job.

An answer is the length of its header (uint32), the header as JSON filled up with spaces to a multiple of four, and then,
for `shown` pictures, their ids (uint32), places (two float32 each) and groups (uint16), all little-endian. The header's
`groups` are {"name", "count", "tone"}, of which the tone is "good", "bad", "quiet" or "" for a colour of its own; a picture
in group OUT does not answer the question.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Depends, FastAPI
from fastapi.responses import Response

from clipcore import NONE, UNSURE, NotFound, decide
from clipcore.progress import duration
from storage import JobRecord, Map
from storage.labels.moves import place_of

from ..ids import Id
from ..studio import Studio
from .search import Answers, Question, card, check_number

OUT = 65_535
MOST_GROUPS = 1_000  # of labels; what is rarer is one group
By = Literal["", "label", "answer", "folder", "mistake"]
Groups = tuple[list[tuple[str, str]], np.ndarray]  # (name, tone) of each, and the number of its group for each picture


@dataclass
class Asked(Question):
    """What is drawn in colour, by what, and by which board's answers."""

    by: By = ""
    run: str = ""


@dataclass
class Layout:
    """A request to lay the map out; `anew` also what lies on it."""

    anew: bool = False


@dataclass
class Ids:
    ids: list[Id] = field(default_factory=list)


class Colours:
    """By what the pictures of a map are told apart."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._library = studio, studio.library
        self._answered: tuple[tuple[str, int, bytes], tuple[tuple[str, ...], np.ndarray]] | None = None
        self._lock = threading.Lock()

    def groups(self, plane: Map, by: By, run: str) -> tuple[By, Groups]:
        """The groups, and by what they are: where nobody says, by answers, labels or folders, whichever there are."""
        if not by:
            by = "answer" if run else "label" if self._library.labels.counts() else "folder"
        if by in ("answer", "mistake") and not run:
            raise NotFound("There is no board yet whose answers could be shown; classify some images first.")
        if by == "folder":
            return by, self._folders(plane)
        if by == "label":
            return by, self._labels(plane)
        labels, places = self._answers(plane, run)
        return by, answered(labels, places) if by == "answer" else self._mistakes(plane, labels, places)

    def _folders(self, plane: Map) -> Groups:
        names = {folder.id: folder.name for folder in self._library.folders()}
        found, codes = np.unique(plane.folders, return_inverse=True)
        return [(names.get(int(one), "a folder that is gone"), "") for one in found], codes

    def _labels(self, plane: Map) -> Groups:
        row_of = {int(image_id): row for row, image_id in enumerate(plane.ids)}
        given = [""] * len(plane.ids)
        for image_id, values in self._library.labels.of().items():
            true = [label for label, value in values.items() if value == 1]
            if image_id in row_of and true:
                given[row_of[image_id]] = true[0] if len(true) == 1 else "several labels"
        names, codes, counts = np.unique(np.array(given, object).astype(str), return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        order = [row for row in order if names[row]][:MOST_GROUPS]
        place = np.full(len(names), len(order))
        place[order] = np.arange(len(order))
        rest = "no label" if len(order) >= np.count_nonzero(names) else "no label, or a rare one"
        return [*((str(names[row]), "") for row in order), (rest, "quiet")], place[codes]

    def _answers(self, plane: Map, run: str) -> tuple[tuple[str, ...], np.ndarray]:
        """The classes of a board, and what its classifier answers for each picture of the map."""
        encoder = self._studio.encoder()
        kept = self._library.runs.get(run)
        encoder.space.require(kept.classifier.space, "This board")
        key = run, kept.edition, plane.ids.tobytes()
        with self._lock:
            if self._answered is None or self._answered[0] != key:
                images, X = self._library.embeddings()
                found = decide(kept.classifier, X, self._studio.bank()).places
                ids = np.array([image.id for image in images], np.int64)
                row = np.minimum(np.searchsorted(ids, plane.ids), max(0, len(ids) - 1))
                places = np.where(ids[row] == plane.ids, found[row], UNSURE) if len(ids) else np.full(len(plane.ids), UNSURE)
                self._answered = key, (kept.classifier.labels, places)
            return self._answered[1]

    def _mistakes(self, plane: Map, labels: tuple[str, ...], places: np.ndarray) -> Groups:
        codes = np.full(len(plane.ids), 3)
        row_of = {int(image_id): row for row, image_id in enumerate(plane.ids)}
        for image_id, values in self._library.labels.of().items():
            said = place_of(values, labels)
            if said is None or said == UNSURE or image_id not in row_of:
                continue
            row = row_of[image_id]
            found = labels[places[row]] if places[row] >= 0 else int(places[row])
            codes[row] = 0 if found == said else 2 if found == UNSURE else 1
        return [("right", "good"), ("mistake", "bad"), ("no answer", ""), ("not labelled", "quiet")], codes


def answered(labels: Sequence[str], places: np.ndarray) -> Groups:
    """Groups by a classifier's answers."""
    codes = np.select([places == UNSURE, places == NONE], [len(labels), len(labels) + 1], places)
    return [*((label, "") for label in labels), ("unsure", "quiet"), ("none of these", "quiet")], codes


def packed(plane: Map, groups: Groups, wanted: np.ndarray | None = None, **told: Any) -> Response:
    """The answer, see above; `wanted` bool [n] are the pictures that answer the question, and the others are OUT."""
    names, codes = groups
    codes = codes if wanted is None else np.where(wanted, codes, OUT)
    counts = np.bincount(codes[codes != OUT], minlength=len(names)).tolist()
    listed = [{"name": name, "tone": tone, "count": count} for (name, tone), count in zip(names, counts, strict=True)]
    head = {"shown": len(plane.ids), "method": plane.method, "missing": plane.missing, "old": plane.is_old}
    text = json.dumps({**head, "groups": listed, **told}, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    parts = [np.uint32(len(text)).tobytes(), text]
    parts += [plane.ids.astype("<u4").tobytes(), plane.places.astype("<f4").tobytes(), codes.astype("<u2").tobytes()]
    # said to be encoded, or it would be compressed: of places that costs more time than it saves
    headers = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
    return Response(b"".join(parts), media_type="application/octet-stream", headers=headers)


EMPTY = Map(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.float32), "", 0, False)


def map_of(studio: Studio) -> tuple[Map, dict[str, Any]]:
    """The library's map, empty where there is none, and what else its answer says: `made`, `images`, `job`."""
    studio.encoder()
    plane = studio.library.map.get()
    job = next((job.id for job in studio.jobs.active() if job.kind == "map"), None)
    return plane or EMPTY, {"made": plane is not None, "images": studio.library.count(embedded=True), "job": job}


def add_map_routes(app: FastAPI, studio: Studio, answers: Answers) -> None:
    """Hang this module's routes on the app."""
    library, colours = studio.library, Colours(studio)

    @app.get("/api/map")
    def points(asked: Annotated[Asked, Depends()]) -> Response:
        plane, told = map_of(studio)
        if not told["made"]:
            return packed(plane, ([], np.zeros(0, int)), by=asked.by, **told)
        by, groups = colours.groups(plane, asked.by, asked.run)
        some = asked.album or asked.searches or asked.filters.any
        wanted = np.isin(plane.ids, answers.matching(asked)) if some else None
        return packed(plane, groups, wanted, by=by, **told)

    @app.post("/api/map")
    def lay_out(layout: Layout) -> dict[str, Any]:
        """Begin to lay the map out, or join who has begun."""
        at_work = [job.id for job in studio.jobs.active() if job.kind == "map"]
        return {"job": at_work[-1] if at_work else studio.jobs.submit("map", {"anew": layout.anew})}

    def job_of(job_id: Id) -> JobRecord:
        job = studio.jobs.get(job_id)
        if job.kind != "map":
            raise NotFound("That is no map; open the map again.")
        return job

    @app.get("/api/map/jobs/{job_id}")
    def progress(job_id: Id) -> dict[str, Any]:
        job = job_of(job_id)
        rate = job.metrics.get("per_second", 0)
        left = duration((job.total - job.done) / rate) if rate > 0 and job.total else ""
        told = {"state": job.state, "done": job.done, "total": job.total, "message": job.message}
        return {**told, "left": left, "error": job.error}

    @app.post("/api/map/jobs/{job_id}/stop")
    def stop(job_id: Id) -> dict[str, Any]:
        studio.jobs.cancel(job_of(job_id).id)
        return {}

    @app.post("/api/cards")
    def cards(some: Ids) -> list[list[Any]]:
        """A card of each of these pictures that is there, in the order asked for."""
        check_number(len(some.ids))
        there = {image.id: card(image) for image in library.images_with_ids(some.ids)}
        return [there[image_id] for image_id in dict.fromkeys(some.ids) if image_id in there]
