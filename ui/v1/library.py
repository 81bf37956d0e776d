"""The library's pictures: listed, found by words or by another picture, shown, added."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import FastAPI, File, Form, Query, UploadFile
from fastapi.responses import Response

from clipcore.pictures.reading import MAX_BYTES
from storage import Filters, Hit, Order, Orientation, parse_day

from ..ids import Id, Offset, Stars
from ..library.search import checked
from ..studio import Studio
from .shapes import MISTAKES, Image, Images, Job, Words, image, job

MOST = 200  # pictures of a page
After = Annotated[Offset, Query(ge=0, description="The `next` of the page before; nothing for the first page.")]
Limit = Annotated[Offset, Query(ge=1, le=MOST, description="So many pictures at most.")]


def add_library_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library
    asks = partial(app.get, responses=MISTAKES, tags=["library"])

    def paged(hits: Sequence[Image], total: int, after: int, clear: bool | None = None) -> Images:
        end = after + len(hits)
        return Images(total, list(hits), end if hits and end < total else None, clear)

    @asks("/api/v1/images", summary="List or search pictures")
    def images(
        q: Annotated[Words, Query(description="What to search for, in words, such as: a dog on the beach.")] = "",
        folder: Id | None = None,
        name: Annotated[Words, Query(description="The file name contains this.")] = "",
        since: Annotated[Words, Query(description="First day, as 2026-12-31.")] = "",
        until: Annotated[Words, Query(description="Last day.")] = "",
        label: Words = "",
        orientation: Orientation = "",
        place: Words = "",
        stars: Stars | None = None,
        order: Order = "relevance",
        everything: Annotated[bool, Query(description="Of a search also what does not match, by closeness.")] = False,
        after: After = 0,
        limit: Limit = 50,
    ) -> Images:
        """Pictures that pass the filters; with `q` those that match the words, best first."""
        days = parse_day(since), parse_day(until)
        filters = Filters(folder, name.strip(), *days, label.strip(), orientation, place.strip(), stars)
        if not q.strip():
            found, total = library.browse(filters, order, after, limit)
            return paged([image(record) for record in found], total, after)
        studio.encoder()
        hits = library.find(q, None, None, filters, order, checked(after), limit, everything)
        return paged([_hit(hit) for hit in hits.hits], hits.total, after, hits.clear)

    @asks("/api/v1/images/{image_id}", summary="One picture")
    def one(image_id: Id) -> Image:
        return image(library.image(image_id))

    @asks("/api/v1/images/{image_id}/similar", summary="Pictures like this one")
    def similar(image_id: Id, after: After = 0, limit: Limit = 50) -> Images:
        """The others, most alike first."""
        studio.encoder()
        found = library.find("", image_id, None, Filters(), "relevance", checked(after), limit, True)
        return paged([_hit(hit) for hit in found.hits], found.total, after)

    @asks("/api/v1/images/{image_id}/thumbnail", summary="A small copy", response_class=Response)
    def thumbnail(image_id: Id, side: Annotated[Offset, Query(ge=16, le=1280)] = 256) -> Response:
        """As WebP, no side longer than `side` pixels (256 and 1280 are kept, others are made anew)."""
        return Response(library.thumbnail(image_id, side), media_type="image/webp")

    @app.post("/api/v1/images", status_code=202, responses=MISTAKES, tags=["library"], summary="Add picture files")
    def add(
        files: Annotated[list[UploadFile], File(description="Picture files.")],
        collection: Annotated[Words, Form(description="The collection that they come into.")] = "Sent by programs",
    ) -> Job:
        """The files are kept in the library's home. A job embeds them; it is the answer: ask for it until it is done."""
        kept = [str(library.keep_upload(file.file.read(MAX_BYTES + 1), file.filename or "picture")) for file in files]
        return job(studio.jobs.get(studio.jobs.submit("drop", {"files": kept, "name": collection.strip()})))


def _hit(hit: Hit) -> Image:
    return image(hit.image, hit.score, hit.matches)
