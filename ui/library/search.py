"""Questions to the library and their answers: pages of it, searches by words and pictures, albums. Ids in, never paths.

An answer is {"title", "note", "about", "hint", "total", "scale", "images": [card, ...], "clear", "suggestions"}. `note` is
one short sentence, `about` a longer one on it, `hint` how to search instead. `total` pictures answer the question; at most
`PAGE` of them, from an offset on, are in `images`. `scale` says what their scores are: cosine, share, or null. A card is
[id, content, name, score, rank, margin, matches]; what follows the name is null where nothing was searched. `clear` is null
where nothing can be said about it.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from clipcore import BadInput, NotFound, TooMany
from clipcore.advice import reads_english_alone
from clipcore.advice.searching import search_hint
from storage import AlbumRecord, Filters, Found, Hit, ImageRecord, Order, Orientation, parse_day

from ..guard.bodies import PICTURE as MAX_UPLOAD
from ..ids import Id, Offset, Stars
from ..studio import Studio

PAGE = 120  # thumbnails a page
MOST_RESULTS = 20_000  # of a search that are listed
MOST_AT_ONCE = 100_000  # images that one request is about: labelled in seconds, in parts that let others in between
KEPT_PICTURES = 64
GUESSED = "It can be wrong."
ABOUT = "An image matches if your words fit it far better than everyday words do."


@dataclass
class Question:
    """What the grid asks for, as it stands in its address: words, pictures, an album, filters and an order."""

    q: str = ""
    image: Id | None = None
    picture: str = ""
    album: str = ""
    folder: Id | None = None
    name: str = ""
    since: str = ""
    until: str = ""
    label: str = ""
    orientation: Orientation = ""
    place: str = ""
    stars: Stars | None = None
    sort: Order = "relevance"
    everything: bool = False

    @property
    def filters(self) -> Filters:
        """Raises BadInput for a day that is none."""
        days = parse_day(self.since), parse_day(self.until)
        words = self.label.strip(), self.orientation, self.place.strip()
        return Filters(self.folder, self.name.strip(), *days, *words, self.stars)

    @property
    def searches(self) -> bool:
        return bool(self.q.strip() or self.picture or self.image is not None)


@dataclass
class Chosen:
    """Pictures that a person selected: these ids, or all that answer a question but for a few."""

    ids: list[Id] = field(default_factory=list)
    question: Question | None = None
    but: list[Id] = field(default_factory=list)


@dataclass
class Watch:
    """How often a folder is looked at, in minutes, and what sorts new pictures; nothing for no more."""

    every: Offset | None = None
    sorter: str | None = None


def check_number(images: int) -> None:
    """Raise TooMany for more images than one request may name; the rest then comes in another."""
    if images > MOST_AT_ONCE:
        raise TooMany(f"These are {images:,} images; {MOST_AT_ONCE:,} go at once. Select fewer, such as one folder.")


class Pictures:
    """Vectors of pictures that were pasted or chosen, to search with or to try: the latest few, by a secret name."""

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
            raise NotFound("The picture is not here any more; choose it again.")
        return vector


class Answers:
    """What the library answers to a question."""

    def __init__(self, studio: Studio, pictures: Pictures) -> None:
        self._studio, self._library, self._pictures = studio, studio.library, pictures

    def page(self, question: Question, offset: Offset = 0) -> dict[str, Any]:
        """A page, see above. Raises BadInput, NotFound."""
        if question.album:
            album = self._library.albums.get(question.album)
            found = self._library.albums.open(album.name, question.sort, checked(offset), PAGE)
            scale = "cosine" if album.words else "share" if album.classifier else None
            return _answer(found, album.name, self.described(album), scale)
        if question.searches:
            found = self._found(question, checked(offset), PAGE)
            title, note = self._words(question, found)
            english = reads_english_alone(self._library.encoder.space.name) if self._library.encoder else False
            hint = search_hint(question.q, english, found.clear)
            about = ABOUT if note == GUESSED else ""
            return _answer(found, title, note) | {"hint": hint, "about": about}
        images, total = self._library.browse(question.filters, question.sort, offset, PAGE)
        found = Found([Hit(image, 0.0) for image in images], total, None)
        return _answer(found, many(total, "image"), scale=None)

    def ids(self, chosen: Chosen) -> list[int]:
        """The selected pictures, in the order of the answer. Raises BadInput where there is none, NotFound."""
        check_number(len(chosen.ids) + len(chosen.but))
        ids = list(dict.fromkeys(chosen.ids))
        if question := chosen.question:
            but = set(chosen.but)
            ids = [image_id for image_id in self.matching(question) if image_id not in but]
            check_number(len(ids))
        if not ids:
            raise BadInput("Nothing is selected; click the check mark of a picture first.")
        return ids

    def range(self, question: Question, offset: int, limit: int) -> list[int]:
        """The ids of some of the answer, for a selection that reaches over pages that were never shown."""
        return self.matching(question)[max(0, offset) : max(0, offset) + min(max(0, limit), MOST_AT_ONCE)]

    def matching(self, question: Question) -> list[int]:
        """The ids of all that answers a question."""
        if question.album:
            return [hit.id for hit in self._library.albums.open(question.album, question.sort, 0, MOST_RESULTS).hits]
        if question.searches:
            return [hit.id for hit in self._found(question, 0, self._found(question, 0, 0).total).hits]
        return self._library.browse_ids(question.filters, question.sort)

    def _found(self, question: Question, offset: int, limit: int) -> Found:
        encoder = self._studio.encoder()
        vector = self._pictures.get(question.picture, encoder.space.key) if question.picture else None
        asked = question.q, question.image, vector, question.filters, question.sort
        return self._library.find(*asked, offset, limit, question.everything)

    def described(self, album: AlbumRecord) -> str:
        """What an album looks for, in words."""
        if album.pictures is not None:
            return f"{many(len(album.pictures), 'image')}, put together by hand"
        filters = album.filters
        parts = [f"“{album.words}”"] if album.words else []
        if album.classifier:
            parts.append(f"what “{album.classifier}” calls {album.label}")
        if filters.folder_id is not None:
            names = {folder.id: folder.name for folder in self._library.folders()}
            parts.append(f"in {names.get(filters.folder_id, 'a folder that is gone')}")
        parts += [f"named “{filters.name}”"] if filters.name else []
        parts += [f"from {filters.since}"] if filters.since else []
        parts += [f"to {filters.until}"] if filters.until else []
        parts += [f"labelled {filters.label}"] if filters.label else []
        parts += [f"taken at {filters.place}"] if filters.place else []
        parts += [many(filters.stars, "star") + " and up"] if filters.stars else []
        parts += [filters.orientation] if filters.orientation else []
        return ", ".join(parts)

    def _words(self, question: Question, found: Found) -> tuple[str, str]:
        """The title of a search's answer and a sentence on what it means."""
        query = question.q.strip()
        like = self._library.image(question.image).name if question.image is not None else ""
        like = like or ("the picture" if question.picture else "")
        asked = " and ".join(part for part in (f"“{query}”" if query else "", like) if part)
        if found.clear is False:
            return f"Nothing here clearly matches {asked}", "These are the closest all the same." if found.total else ""
        if not found.total:
            return "No image here passes the filters, or none has been embedded yet", ""
        if found.clear is None:
            title = f"Most like {like}" if like and not query else f"Closest to {asked}"
            return title, "Ranked only: there is no cut-off for pictures and differences."
        if question.everything:
            return f"The {many(found.total, 'image')} closest to {asked}", "Also images that do not match."
        title = f"{many(found.total, 'image')} match{'es' if found.total == 1 else ''} {asked}"
        return title, GUESSED


Asked = Annotated[Question, Depends()]


def add_search_routes(app: FastAPI, studio: Studio, answers: Answers, pictures: Pictures) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    @app.get("/api/images")
    def images(question: Asked, offset: Offset = 0) -> dict[str, Any]:
        return answers.page(question, offset)

    @app.get("/api/ids")
    def ids(question: Asked, offset: Offset = 0, limit: Offset = PAGE) -> list[int]:
        return answers.range(question, offset, limit)

    @app.get("/api/months")
    def months(question: Asked) -> list[list[int]]:
        """Year, month, how many images, and the place of the first one in the order asked for, of what filters leave."""
        found, place = [], 0
        for year, month, count in library.months(question.filters, question.sort):
            found.append([year, month, count, place])
            place += count
        return found

    @app.get("/api/places")
    def places() -> dict[str, Any]:
        """What the search form offers: folders and labels with their numbers of pictures."""
        there = library.folders()
        folders = [[folder.id, folder.name, folder.images] for folder in there]
        watched = {folder.id: [folder.every, folder.sorter] for folder in there if folder.path}
        sorters = [record.name for record in library.classifiers.all()]
        labels = list(library.labels.counts().items())
        return {"total": library.count(), "folders": folders, "labels": labels, "watched": watched, "sorters": sorters}

    @app.post("/api/folders/{folder_id}/watch")
    def watch(folder_id: Id, watch: Watch) -> dict[str, Any]:
        library.watch(folder_id, watch.every, watch.sorter or None)
        studio.watcher.look()
        return {}

    @app.post("/api/folders/{folder_id}/forget")
    def forget(folder_id: Id) -> dict[str, Any]:
        library.remove_folder(folder_id)
        return {}

    @app.post("/api/pictures")
    async def keep_picture(request: Request) -> dict[str, str]:
        """Take the bytes of a picture to search with or to try. Its type is asked for: no other site's form can send it."""
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


def _answer(found: Found, title: str, note: str = "", scale: str | None = "cosine") -> dict[str, Any]:
    return {
        "title": title,
        "note": note,
        "about": "",
        "hint": "",
        "total": found.total,
        "scale": scale,
        "images": [_hit(hit) if scale else [*card(hit.image), None] for hit in found.hits],
        "clear": found.clear,
        "suggestions": found.suggestions,
    }


def _hit(hit: Hit) -> list[Any]:
    rank = None if hit.rank is None else round(hit.rank, 3)
    margin = None if hit.margin is None else round(hit.margin, 4)
    return [*card(hit.image), round(hit.score, 4), rank, margin, hit.matches]


def checked(offset: int) -> int:
    """A place in a list of results. Raises BadInput beyond what is listed."""
    if not 0 <= offset <= MOST_RESULTS:
        raise BadInput("That is further than results are listed; narrow the search instead.")
    return offset
