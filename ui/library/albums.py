"""The routes of albums: searches under a name, lists made by hand, and a search kept as a classifier."""

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from fastapi import FastAPI

from clipcore import BadInput, NotFound
from storage import AlbumRecord, Filters
from storage.search.handmade import Change

from ..studio import Studio
from .search import Answers, Chosen, Question


@dataclass
class Kept:
    """An album as it was deleted, so that it can be had back."""

    name: str
    words: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
    classifier: str | None = None
    label: str = ""
    pictures: list[str] | None = None
    replace: bool = False


@dataclass
class Named:
    name: str


@dataclass
class Search(Named):
    """A search to keep under a name."""

    question: Question
    replace: bool = False


@dataclass
class ByHand(Named):
    """What to do with the chosen pictures in an album made by hand."""

    chosen: Chosen
    how: Change


def add_album_routes(app: FastAPI, studio: Studio, answers: Answers) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    def listed(album: AlbumRecord) -> dict[str, Any]:
        return {"name": album.name, "about": answers.described(album), "hand": album.pictures is not None}

    def kept_as(album: AlbumRecord) -> dict[str, Any]:
        pictures = None if album.pictures is None else list(album.pictures)
        filters = album.filters.to_json()
        return asdict(Kept(album.name, album.words, filters, album.classifier, album.label, pictures))

    @app.get("/api/albums")
    def albums() -> list[dict[str, Any]]:
        return [listed(album) for album in library.albums.all()]

    @app.post("/api/albums")
    def save(search: Search) -> dict[str, Any]:
        asked = search.question
        if asked.picture or asked.image is not None or asked.album:
            raise BadInput("An album looks for words and filters. Remove the picture from the search first.")
        return listed(library.albums.save(search.name, asked.q, asked.filters, replace=search.replace))

    @app.post("/api/albums/delete")
    def delete(named: Named) -> dict[str, Any]:
        """Forget an album; the answer is what `restore` takes."""
        album = library.albums.get(named.name)
        library.albums.delete(named.name)
        return kept_as(album)

    @app.post("/api/albums/pictures")
    def by_hand(change: ByHand) -> dict[str, Any]:
        """Change an album made by hand; `before` is what `restore` takes, null for an album that was not there."""
        before = None
        with suppress(NotFound):
            before = {**kept_as(library.albums.get(change.name)), "replace": True}
        album = library.albums.change(change.name, answers.ids(change.chosen), change.how)
        held = len((before or {}).get("pictures") or ())
        return {**listed(album), "before": before, "changed": abs(len(album.pictures or ()) - held)}

    @app.post("/api/albums/restore")
    def restore(kept: Kept) -> dict[str, Any]:
        if kept.pictures is not None:
            return listed(library.albums.put(kept.name, kept.pictures, kept.replace))
        filters = Filters.from_json(kept.filters)
        return listed(library.albums.save(kept.name, kept.words, filters, kept.classifier, kept.label))

    @app.post("/api/classifiers")
    def save_classifier(search: Search) -> dict[str, Any]:
        """Keep a search by words as a classifier of one class."""
        studio.encoder()
        record = library.save(library.search_classifier(search.question.q), search.name)
        return {"name": record.name, "version": record.version}
