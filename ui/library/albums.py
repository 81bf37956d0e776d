"""The routes of albums: searches under a name, and a search kept as a classifier."""

from dataclasses import asdict, dataclass, field
from typing import Any

from fastapi import FastAPI

from clipcore import BadInput
from storage import AlbumRecord, Filters

from ..studio import Studio
from .search import Answers, Question


@dataclass
class Kept:
    """An album as it was deleted, so that it can be had back."""

    name: str
    words: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
    classifier: str | None = None
    label: str = ""


@dataclass
class Named:
    name: str


@dataclass
class Search(Named):
    """A search to keep under a name."""

    question: Question
    replace: bool = False


def add_album_routes(app: FastAPI, studio: Studio, answers: Answers) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    def listed(album: AlbumRecord) -> dict[str, str]:
        return {"name": album.name, "about": answers.described(album)}

    @app.get("/api/albums")
    def albums() -> list[dict[str, str]]:
        return [listed(album) for album in library.albums.all()]

    @app.post("/api/albums")
    def save(search: Search) -> dict[str, str]:
        asked = search.question
        if asked.picture or asked.image is not None or asked.album:
            raise BadInput("An album looks for words and filters; take the picture out of the search first.")
        return listed(library.albums.save(search.name, asked.q, asked.filters, replace=search.replace))

    @app.post("/api/albums/delete")
    def delete(named: Named) -> dict[str, Any]:
        """Forget an album; the answer is what `restore` takes."""
        album = library.albums.get(named.name)
        library.albums.delete(named.name)
        return asdict(Kept(album.name, album.words, album.filters.to_json(), album.classifier, album.label))

    @app.post("/api/albums/restore")
    def restore(kept: Kept) -> dict[str, str]:
        filters = Filters.from_json(kept.filters)
        return listed(library.albums.save(kept.name, kept.words, filters, kept.classifier, kept.label))

    @app.post("/api/classifiers")
    def save_classifier(search: Search) -> dict[str, Any]:
        """Keep a search by words as a classifier of one class."""
        studio.encoder()
        record = library.save(library.search_classifier(search.question.q), search.name)
        return {"name": record.name, "version": record.version}
