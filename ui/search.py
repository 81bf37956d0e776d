"""The routes of the Library tab: pages of the library, searches by words and pictures, duplicates. Ids in, never paths.

A page of pictures is {"title", "images": [card, ...], "key", "next"}. A card is [id, content, name, score, rank, margin,
matches]; what follows the name is there where it was searched. With "next" as the parameter "key" one asks for more; null is
the end. A search adds "note", "clear" (null where nothing can be said) and "suggestions".
"""

import secrets
from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from clipcore import BadInput, NotFound
from storage import Filters, Found, Hit, ImageRecord, Order, parse_day

from .studio import Studio

PAGE = 120  # thumbnails a page
MOST_OFFSET = 20_000
MAX_UPLOAD = 50_000_000
KEPT_PICTURES = 64


class Pictures:
    """Vectors of pictures that were pasted or chosen to search with, the latest few, by a name that cannot be guessed."""

    def __init__(self) -> None:
        self._vectors: OrderedDict[str, tuple[str, np.ndarray]] = OrderedDict()
        self._lock = Lock()

    def keep(self, space_key: str, vector: np.ndarray) -> str:
        name = secrets.token_hex(8)
        with self._lock:
            self._vectors[name] = (space_key, vector)
            while len(self._vectors) > KEPT_PICTURES:
                self._vectors.popitem(last=False)
        return name

    def get(self, name: str, space_key: str) -> np.ndarray:
        """The vector [dim]. Raises NotFound after a restart, a change of the model or many other pictures."""
        with self._lock:
            key, vector = self._vectors.get(name, ("", None))
        if vector is None or key != space_key:
            raise NotFound("The picture to search with is not here any more; choose it again.")
        return vector


def add_search_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library
    pictures = Pictures()

    @app.get("/api/images")
    def images(
        folder: int | None = None,
        after: int = 0,
        name: str = "",
        since: str = "",
        until: str = "",
        sort: Order = "relevance",
        offset: int = 0,
    ) -> dict[str, Any]:
        filters = Filters(folder, name.strip(), parse_day(since), parse_day(until))
        if sort == "relevance" and filters == Filters(folder):  # the usual case, by id: fast at any size
            some = library.images(folder, after, PAGE + 1)
            more = some[PAGE - 1].id if len(some) > PAGE else None
            total, key = library.count(folder), "after"
        else:
            some, total = library.browse(filters, sort, _checked(offset), PAGE)
            more, key = _next(offset, total), "offset"
        cards = [[*card(image), None] for image in some[:PAGE]]
        return {"title": many(total, "image"), "images": cards, "next": more, "key": key}

    @app.get("/api/search")
    def search(
        q: str = "",
        image: int | None = None,
        picture: str = "",
        folder: int | None = None,
        name: str = "",
        since: str = "",
        until: str = "",
        sort: Order = "relevance",
        offset: int = 0,
        everything: bool = False,
    ) -> dict[str, Any]:
        encoder = studio.encoder()
        vector = pictures.get(picture, encoder.space.key) if picture else None
        filters = Filters(folder, name.strip(), parse_day(since), parse_day(until))
        found = library.find(q, image, vector, filters, sort, _checked(offset), PAGE, everything)
        like = library.image(image).name if image is not None else "the picture" if picture else ""
        return {
            **_words(found, q.strip(), like, everything),
            "images": [_hit(hit) for hit in found.hits],
            "next": _next(offset, found.total),
            "key": "offset",
            "clear": found.clear,
            "suggestions": found.suggestions,
        }

    @app.get("/api/similar")
    def similar(image: int, offset: int = 0) -> dict[str, Any]:
        return search(image=image, offset=offset)

    @app.get("/api/duplicates/{job_id}")
    def duplicates(job_id: int) -> dict[str, Any]:
        job = studio.jobs.get(job_id)
        if job.kind != "duplicates" or job.result is None:
            raise NotFound("Those duplicates are not known any more; look for them again.")
        ids = {image for kind in job.result.values() for group in kind["groups"] for image in group}
        cards = {
            image.id: [*card(image), image.shown_path, f"{image.width} × {image.height}"]
            for image in library.images_with_ids(list(ids))
        }
        found = {}
        for kind, result in job.result.items():  # without what was removed since
            groups = [[cards[image] for image in group if image in cards] for group in result["groups"]]
            found[kind] = {"total": result["total"], "groups": [group for group in groups if len(group) > 1]}
        return found

    @app.post("/api/pictures")
    async def keep_picture(request: Request) -> dict[str, str]:
        """Take the bytes of a picture to search with. An image type is asked for: another site's form cannot send it."""
        if not request.headers.get("content-type", "").startswith("image/"):
            raise BadInput("This is not a picture; choose or paste one.")
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MAX_UPLOAD:
                raise BadInput(f"The picture is larger than {MAX_UPLOAD // 1_000_000} MB; search with a smaller copy.")
        encoder = await run_in_threadpool(studio.encoder)
        vectors = await run_in_threadpool(encoder.embed_images, [bytes(data)])
        return {"picture": pictures.keep(encoder.space.key, vectors[0])}


def card(image: ImageRecord) -> list[Any]:
    """What the page's elements need of a picture."""
    return [image.id, image.content_hash[:16], image.name]


def many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _hit(hit: Hit) -> list[Any]:
    rank = None if hit.rank is None else round(hit.rank, 3)
    margin = None if hit.margin is None else round(hit.margin, 4)
    return [*card(hit.image), round(hit.score, 4), rank, margin, hit.matches]


def _words(found: Found, query: str, like: str, everything: bool) -> dict[str, str]:
    """The title of the answer and a sentence on what it means."""
    asked = " and ".join(part for part in (f"“{query}”" if query else "", like) if part)
    if found.clear is False and not everything:
        return {"title": f"Nothing here clearly matches {asked}", "note": ""}
    if not found.total:
        return {"title": "No image here passes the filters, or none has been embedded yet", "note": ""}
    if found.clear is None:
        title = f"Most like {like}" if like and not query else f"Closest to {asked}"
        return {"title": title, "note": "Ranked only: there is no cut-off for pictures and differences."}
    if everything:
        return {"title": f"The {many(found.total, 'image')} closest to {asked}", "note": "Also images that do not match."}
    title = f"{many(found.total, 'image')} match{'es' if found.total == 1 else ''} {asked}"
    return {"title": title, "note": "Judged against how generic words do on your library. It can be wrong."}


def _checked(offset: int) -> int:
    if not 0 <= offset <= MOST_OFFSET:
        raise BadInput("That is further than results are listed; narrow the search instead.")
    return offset


def _next(offset: int, total: int) -> int | None:
    return offset + PAGE if offset + PAGE < total and offset + PAGE <= MOST_OFFSET else None
