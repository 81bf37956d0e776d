"""What can be done with selected pictures: label them, classify them, look for more of their kind. What is known of one."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
from fastapi import FastAPI
from fastapi.responses import Response
from PIL import Image

from clipcore import BadInput, NotFound
from clipcore.classify.prompts import clean_label
from clipcore.pictures.reading import content_hash, read_bytes
from storage import Library, Moved

from ..ids import Id, Stars
from ..studio import Studio
from .search import Answers, Chosen, Pictures, Question, many

MOST_ON_A_BOARD = 10_000
MOST_ALIKE = 1000  # pictures whose mean is looked for
# What a browser may show as it is: no format that can hold a script.
SHOWN = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif", "AVIF": "image/avif"}


@dataclass
class Undo:
    """A request to take a step back. `op` is its own number: sent again, it is answered and not done twice."""

    client: str
    op: str


@dataclass
class Labelling(Undo):
    """A request to say of pictures that they are a `label` (1), are not (-1), cannot be told (0), or nothing (null)."""

    chosen: Chosen
    label: str
    value: Literal[1, 0, -1] | None = 1


@dataclass
class Rating:
    """A request to give pictures 1 to 5 stars, or none with 0."""

    chosen: Chosen
    stars: Stars


def add_selection_routes(app: FastAPI, studio: Studio, answers: Answers, pictures: Pictures) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    def told(moved: Moved, client: str) -> dict[str, Any]:
        return {"changed": len(moved.changed), "skipped": len(moved.skipped), "undo": library.labels.undo_counts(client)[0]}

    @app.post("/api/label")
    def label(step: Labelling) -> dict[str, Any]:
        ids, name = answers.ids(step.chosen), clean_label(step.label)
        if step.value is None:
            moved = library.labels.move(ids, None, [name], step.client, step.op)
        else:
            moved = library.labels.label_many(ids, name, step.value, step.client, step.op)
        return {**told(moved, step.client), "pictures": len(ids), "label": name}

    @app.post("/api/label/undo")
    def undo(step: Undo) -> dict[str, Any]:
        moved = library.labels.undo(step.client, step.op)
        if moved is None:
            raise BadInput("There is no label of yours to take back.")
        return told(moved, step.client)

    @app.post("/api/rate")
    def rate(asked: Rating) -> dict[str, Any]:
        return {"pictures": library.rate(answers.ids(asked.chosen), asked.stars), "stars": asked.stars}

    @app.post("/api/source")
    def source(chosen: Chosen) -> dict[str, Any]:
        """The selected pictures as a choice of the Classify tab's list of images."""
        if chosen.question and not chosen.but and chosen.question == Question(folder=chosen.question.folder):
            return {"source": "all" if chosen.question.folder is None else f"folder:{chosen.question.folder}"}
        ids = answers.ids(chosen)
        if len(ids) > MOST_ON_A_BOARD:
            most = f"A board takes {MOST_ON_A_BOARD:,} single images at most and these are {len(ids):,}"
            raise BadInput(f"{most}; select fewer, or a whole folder.")
        return {"source": "ids:" + ",".join(map(str, ids))}

    @app.post("/api/alike")
    def alike(chosen: Chosen) -> dict[str, Any]:
        """A picture to search with that is the mean of the selected ones."""
        encoder = studio.encoder()
        ids = answers.ids(chosen)
        images, vectors = library.embeddings(ids[:MOST_ALIKE])
        if not images:
            raise NotFound("The model in use has not read these images; add their folder again.")
        mean = vectors.mean(0)
        length = float(np.linalg.norm(mean))
        if length < 1e-3:
            raise BadInput("These images have nothing in common; select fewer.")
        first = images[0]
        picture = pictures.keep(encoder.space.key, np.asarray(mean / length, np.float32))
        return {"picture": picture, "name": many(len(images), "selected image"), "show": [first.id, first.content_hash[:16]]}

    @app.get("/api/images/{image_id}")
    def facts(image_id: Id) -> dict[str, Any]:
        """What is known of a picture."""
        image = library.image(image_id)
        folders = {folder.id: folder.name for folder in library.folders()}
        try:
            size = Path(image.path).stat().st_size
        except OSError:
            size = None
        return {
            "taken": image.taken.isoformat(" ", "minutes") if image.taken else None,
            "modified": image.modified.strftime("%Y-%m-%d %H:%M"),
            "camera": image.camera,
            "place": image.place,
            "stars": library.stars(image_id),
            "width": image.width,
            "height": image.height,
            "bytes": size,
            "path": image.shown_path,
            "folder": folders.get(image.folder_id),
            "folder_id": image.folder_id,
            "labels": library.labels.of([image_id]).get(image_id, {}),
            "said": _said(library, image.picture),
        }

    @app.get("/original/{image_id}/{content}")
    def original(image_id: Id, content: str, download: bool = False) -> Response:
        """The file as it is, if it still is the picture that was added: a path never comes from outside."""
        image = library.image(image_id)
        data = read_bytes(image.path)
        if not image.content_hash.startswith(content) or content_hash(data) != image.content_hash:
            raise NotFound("The file has changed since it was added; add its folder again.")
        kind = _kind(data)
        way = "attachment" if download or not kind else "inline"
        headers = {
            "Content-Disposition": f"{way}; filename*=UTF-8''{quote(image.name)}",
            "Cache-Control": "private, no-cache",
        }
        return Response(data, media_type=kind or "application/octet-stream", headers=headers)


def _said(library: Library, picture: str) -> list[dict[str, Any]]:
    """Who said what of a picture, the newest first; nothing where there are no accounts."""
    words = library.labels.words_of(picture)
    names = {person.id: person.name for person in library.people.all()} if words else {}
    return [
        {"name": names[word.person_id], "label": word.label, "value": word.value, "when": word.when.isoformat()}
        for word in reversed(words)
    ]


def _kind(data: bytes) -> str | None:
    """The media type of a picture that a browser may show as it is; None for others."""
    try:
        with Image.open(BytesIO(data), formats=tuple(SHOWN)) as image:
            return SHOWN.get(image.format or "")
    except Exception:  # whatever is wrong with it: it is downloaded, not shown
        return None
