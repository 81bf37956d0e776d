"""What the page's own elements fetch: thumbnails by id, the board of a run, downloads; the library's are in `ui.search`.

Every route takes ids, never paths, and answers a mistake with {"error": one sentence}.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from clipcore import NotFound, SaysoError
from storage.export import to_csv, to_json

from .search import add_search_routes, card
from .studio import Studio

KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}  # true: the address holds the content's hash
SIDES = {"thumb": 256, "preview": 1280}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Hang every route of this module on the app. They are plain functions, so each runs in a worker thread."""
    library = studio.library

    @app.exception_handler(SaysoError)
    def mistake(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 404 if isinstance(error, NotFound) else 400)

    def picture(kind: str) -> Callable[[int, str], Response]:
        def route(image_id: int, content: str) -> Response:
            if not library.image(image_id).content_hash.startswith(content):
                raise NotFound("That picture has changed; load the page again.")
            return Response(library.thumbnail(image_id, SIDES[kind]), media_type="image/webp", headers=KEPT)

        return route

    for kind in SIDES:
        app.get(f"/{kind}/{{image_id}}/{{content}}.webp")(picture(kind))

    @app.get("/api/runs/{run_id}")
    def board(run_id: str) -> dict[str, Any]:
        run = library.run(run_id)
        images, predictions = library.run_predictions(run_id)
        index = {label: i for i, label in enumerate(run.classifier.labels)}
        return {
            "labels": run.classifier.labels,
            "exclusive": run.classifier.activation == "softmax",
            "model": run.classifier.space.name,
            "prompts": run.classifier.prompts.name,
            "images": [
                [*card(image), [[index[label], round(share, 4)] for label, share in prediction.top(5)]]
                for image, prediction in zip(images, predictions, strict=True)
            ],
            "skipped": [[record.path, record.reason] for record in run.skipped],
        }

    @app.get("/api/runs/{run_id}/labels.csv")
    def labels_csv(run_id: str) -> Response:
        images, predictions = library.run_predictions(run_id)
        return _download(to_csv(images, predictions), "text/csv; charset=utf-8", "labels.csv")

    @app.get("/api/runs/{run_id}/labels.json")
    def labels_json(run_id: str) -> Response:
        images, predictions = library.run_predictions(run_id)
        text = to_json(images, predictions, library.run(run_id).classifier)
        return _download(text, "application/json", "labels.json")

    @app.get("/api/runs/{run_id}/classifier.safetensors")
    def classifier_file(run_id: str) -> Response:
        return _download(library.run(run_id).classifier.to_bytes(), "application/octet-stream", "classifier.safetensors")

    add_search_routes(app, studio)


def _download(content: str | bytes, media_type: str, filename: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(filename)}", "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
