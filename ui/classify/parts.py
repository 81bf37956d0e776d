"""Small things in large pictures: parts of one picture with a map of each class, and of all that have no answer."""

from collections import OrderedDict
from threading import Lock
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.responses import Response

from clipcore import BadImage, BadInput, Step
from clipcore.classify.explain import overlay
from clipcore.classify.tiles import MOST, Tile, Windows, windows
from clipcore.pictures.reading import open_image

from ..ids import Id
from ..library.search import card
from ..studio import Studio, Work
from .board import Boards

KEPT = 8  # pictures whose windows are kept, for the maps of their classes
SIDE = 640  # of the picture with the map on it
TILES = 3  # along the longer side: 25 windows of a square picture
KIND = "parts"

Many = Annotated[int, Query(ge=2, le=MOST)]


def add_parts_routes(app: FastAPI, studio: Studio, boards: Boards) -> None:
    """Hang the routes on the app, and let the studio's jobs look at parts. The routes run in worker threads."""
    library = studio.library
    kept: OrderedDict[tuple[str, int, int], Windows] = OrderedDict()
    lock = Lock()
    path = "/api/runs/{run_id}/parts"

    def seen(run_id: str, image_id: int, tiles: int) -> Windows:
        board = boards.get(run_id)
        key = (f"{run_id} {board.epoch}", image_id, tiles)
        with lock:
            if key in kept:
                return kept[key]
        found = windows(studio.encoder(), board.run.classifier, library.image(image_id).path, tiles)
        with lock:
            kept[key] = found
            while len(kept) > KEPT:
                kept.popitem(last=False)
        return found

    @app.get(path + "/{image_id}")
    def look(run_id: str, image_id: Id, tiles: Many = TILES) -> dict[str, Any]:
        """What the windows show, the surest first, and for each class its share where it is largest."""
        board = boards.get(run_id)
        board.row(image_id)
        found = seen(run_id, image_id, tiles)
        most = found.answers.shares.max(0).tolist()
        labels = sorted(zip(board.labels, most, strict=True), key=lambda row: -row[1])
        return {
            "windows": len(found.boxes),
            "found": [_told(tile, found.size) for tile in found.found(board.labels)],
            "labels": [[label, round(share, 4)] for label, share in labels],
        }

    @app.get(path + "/{image_id}/map.png")
    def map_of(run_id: str, image_id: Id, label: str, tiles: Many = TILES) -> Response:
        from clipcore.classify.heat import Heat  # of a module whose work is torch's

        board = boards.get(run_id)
        if label not in board.labels:
            raise BadInput(f"There is no class “{label}” on this board; load it again.")
        values = seen(run_id, image_id, tiles).map_of(board.labels.index(label))
        picture = open_image(library.thumbnail(image_id, SIDE))
        png = overlay(picture, Heat(values, (0.0, 0.0, 1.0, 1.0), "tiles"))
        return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})

    @app.post(path)
    def begin(run_id: str) -> dict[str, Any]:
        """Look at the parts of all pictures of a board that have no answer and no label."""
        boards.get(run_id)
        return {"job": studio.jobs.submit(KIND, {"run": run_id})}

    @app.get(path)
    def how_far(run_id: str, job: Id) -> dict[str, Any]:
        record = studio.jobs.get(job)
        result = record.result or {}
        board = boards.get(run_id)
        rows = {image.id: image for image in board.images}
        items = [
            [*card(rows[image_id]), label, figure] for image_id, label, figure in result.get("found", []) if image_id in rows
        ]
        told = {"state": record.state, "done": record.done, "total": record.total, "error": record.error}
        return {**told, "looked": result.get("looked", 0), "items": items}

    @app.post(path + "/{job}/stop")
    def stop(run_id: str, job: Id) -> dict[str, Any]:
        studio.jobs.cancel(job)
        return {}

    def work(payload: dict[str, Any]) -> Work:
        run_id = payload["run"]
        yield from studio.wait_for_model()
        board = boards.get(run_id)
        silent = (board.answers.places < 0) & ~boards.taken(board)
        images = [image for image, wanted in zip(board.images, silent.tolist(), strict=True) if wanted]
        found: list[tuple[int, str, float]] = []
        yield Step(0, len(images), "looking at parts")
        for number, image in enumerate(images, 1):
            try:
                shown = windows(studio.encoder(), board.run.classifier, image.path, TILES).found(board.labels)
            except (BadImage, OSError):  # it has gone, or is damaged by now
                shown = []
            found += [(image.id, tile.label, round(tile.figure, 2)) for tile in shown[:1]]
            yield Step(number, len(images), "looking at parts")
        found.sort(key=lambda row: -row[2])
        words = f"{len(found):,} of {len(images):,} images without an answer show something in a part."
        return {"run": run_id, "found": found, "looked": len(images), "sentence": words}

    studio.jobs.register(KIND, work)


def _told(tile: Tile, size: tuple[int, int]) -> dict[str, Any]:
    """A window with its box in shares of the picture's width and height."""
    box = [round(end / side, 4) for end, side in zip(tile.box, (*size, *size), strict=True)]
    return {"label": tile.label, "likely": round(tile.figure, 2), "box": box}
