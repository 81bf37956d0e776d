"""What the page's own elements fetch: thumbnails by id, downloads; more in the `routes` of each room.

Every route takes ids, never paths, and answers a mistake with {"error": one sentence}.
"""

from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response

from clipcore import NotFound, SaysoError, TooMany
from storage.export import to_coco, to_csv, to_json, to_label_studio

from .bias.routes import add_bias_routes
from .classify.advising import add_advice_routes
from .classify.board import Boards
from .classify.board_routes import add_board_routes
from .classify.parts import add_parts_routes
from .classify.trying import add_trying_routes
from .classify.why import add_why_routes
from .downloads import download
from .ids import Id
from .library.albums import add_album_routes
from .library.copies import add_copies_routes
from .library.disk import add_disk_routes
from .library.map import add_map_routes
from .library.search import Answers, Pictures, add_search_routes
from .library.selection import add_selection_routes
from .measure.routes import add_measure_routes
from .models.training_folders import stamp
from .sessions.label_sets import add_label_set_routes
from .sessions.routes import add_session_routes
from .studio import Studio
from .v1 import add_v1

KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}  # true: the address holds the content's hash
SIDES = {"thumb": 256, "preview": 1280}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Hang every route of this module on the app. They are plain functions, so each runs in a worker thread."""
    library = studio.library

    @app.exception_handler(SaysoError)
    def mistake(request: Request, error: Exception) -> JSONResponse:
        status = 404 if isinstance(error, NotFound) else 413 if isinstance(error, TooMany) else 400
        return JSONResponse({"error": error.page}, status)

    @app.exception_handler(RequestValidationError)
    def misread(request: Request, error: RequestValidationError) -> JSONResponse:
        """FastAPI's own answer repeats what was sent, which may be of any length and not even be text."""
        where = ".".join(str(part) for part in error.errors()[0]["loc"])[:80].encode("ascii", "replace").decode()
        return JSONResponse({"error": f"The request is not understood at {where}; check it, or load the page again."}, 422)

    @app.exception_handler(UnicodeEncodeError)
    def half_letter(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "The text has half a character in it; type it once more."}, 400)

    def picture(kind: str) -> Callable[[Id, str], Response]:
        def route(image_id: Id, content: str) -> Response:
            if not library.image(image_id).content_hash.startswith(content):
                raise NotFound("That picture has changed; load the page again.")
            return Response(library.thumbnail(image_id, SIDES[kind]), media_type="image/webp", headers=KEPT)

        return route

    @app.get("/api/pulse")
    def pulse() -> dict[str, str]:
        """The line about the model and the library, and what changes whenever the page has to look for jobs or trainings."""
        jobs = f"{studio.jobs.newest()}, {len(studio.jobs.active())} at work"
        return {"status": studio.status(), "news": f"{jobs}, {stamp(studio)}"}

    for kind in SIDES:
        app.get(f"/{kind}/{{image_id}}/{{content}}.webp")(picture(kind))

    @app.get("/api/runs/{run_id}/labels.csv")
    def labels_csv(run_id: str) -> Response:
        return download("\ufeff" + to_csv(library.exchange.run_answers(run_id)), "text/csv; charset=utf-8", "labels.csv")

    @app.get("/api/runs/{run_id}/labels.json")
    def labels_json(run_id: str) -> Response:
        text = to_json(library.exchange.run_answers(run_id), library.runs.get(run_id).classifier)
        return download(text, "application/json", "labels.json")

    @app.get("/api/runs/{run_id}/coco.json")
    def coco(run_id: str) -> Response:
        labels = library.runs.get(run_id).classifier.labels
        return download(to_coco(library.exchange.run_answers(run_id), labels), "application/json", "coco.json")

    @app.get("/api/runs/{run_id}/label-studio.json")
    def label_studio(run_id: str) -> Response:
        return download(to_label_studio(library.exchange.run_answers(run_id)), "application/json", "label-studio.json")

    @app.get("/api/exports/classifier.onnx")
    def onnx() -> Response:
        try:
            data = (library.home / "exports" / "classifier.onnx").read_bytes()
        except OSError:
            raise NotFound("There is no ONNX file any more; export it once more.") from None
        return download(data, "application/octet-stream", "classifier.onnx")

    @app.get("/api/runs/{run_id}/classifier.safetensors")
    def classifier_file(run_id: str) -> Response:
        return download(library.runs.get(run_id).classifier.to_bytes(), "application/octet-stream", "classifier.safetensors")

    @app.get("/api/classifiers/file.safetensors")
    def saved_file(name: str) -> Response:
        """A saved classifier under its own name, by which it is known again where it is brought in."""
        filename = "".join("-" if letter in '/\\:*?"<>|' else letter for letter in name)
        data = library.classifiers.get(name).to_bytes()
        return download(data, "application/octet-stream", f"{filename}.safetensors")

    @app.get("/api/classifiers/card.html")
    def card(name: str) -> HTMLResponse:
        return HTMLResponse(library.card(name))

    pictures = Pictures()
    answers = Answers(studio, pictures)
    add_search_routes(app, studio, answers, pictures)
    add_selection_routes(app, studio, answers, pictures)
    add_album_routes(app, studio, answers)
    add_map_routes(app, studio, answers)
    add_copies_routes(app, studio)
    add_disk_routes(app, studio)
    boards = Boards(studio)
    add_board_routes(app, studio, boards)
    add_why_routes(app, studio, boards)
    add_parts_routes(app, studio, boards)
    add_trying_routes(app, studio, boards, pictures)
    add_advice_routes(app, studio)
    add_measure_routes(app, studio)
    add_bias_routes(app, studio)
    add_label_set_routes(app, studio)  # before those of sessions, one of which takes any word in their place
    add_session_routes(app, studio)
    add_v1(app, studio)
