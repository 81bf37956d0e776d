"""Albums. A smart one is a search under a name, run again whenever it is opened, so that new photos come in by themselves.
One made by hand (`storage.search.handmade`) is a list of pictures in the order that somebody gave them.

A smart album is any of these, or all at once: words to look for, filters, and what a saved classifier calls by one of its
labels. The classifier is kept by name: an album follows its versions.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from clipcore import BadInput, Classifier, NotFound
from clipcore.classify.prompts import clean_label

from ..classifiers.saved import Classifiers
from ..filters import NO_FILTERS, Filters, Order
from ..names import clean_name
from ..pictures.browsing import browse, chosen
from ..pictures.folders import find_folder
from ..records import AlbumRecord, Found, Hit
from ..tables import Album, AnyRow
from ..vectors.opened import Opened
from . import handmade, searching
from .query import parse_query

_COLUMNS = (Album.id, Album.name, Album.query, Album.created)


class Albums:
    """The albums of a library."""

    def __init__(self, opened: Opened, classifiers: Classifiers) -> None:
        self._opened, self._database, self._classifiers = opened, opened.database, classifiers

    def save(
        self,
        name: str,
        words: str = "",
        filters: Filters = NO_FILTERS,
        classifier: str | None = None,
        label: str = "",
        replace: bool = False,
    ) -> AlbumRecord:
        """Keep a search under a name: words, filters, and what the classifier of this name calls `label`, or some of these.

        Raises BadInput for a name that is taken, unless it is to `replace` that album, and for what could not be opened.
        """
        name, words = clean_name(name, "An album"), words.strip()
        query = {"words": words, "filters": filters.to_json()}
        if words:
            parse_query(words)
        if classifier:
            label, known = clean_label(label), self._classifiers.get(classifier).labels
            if label not in known:
                there = ", ".join(known[:20])
                raise BadInput(f"The classifier “{classifier}” has no class “{label}”; choose one of {there}.")
            query |= {"classifier": clean_name(classifier), "label": label}
        elif not words and not filters.any:
            raise BadInput("An album needs something to go by; give it words, a filter, or a classifier and its label.")
        with self._database.writing() as connection:
            if filters.folder_id is not None:
                find_folder(connection, filters.folder_id)
            if not replace and connection.scalar(select(Album.id).where(Album.name == name)) is not None:
                raise BadInput(f"There is an album “{name}” already; choose another name, or delete that one first.")
            connection.execute(delete(Album).where(Album.name == name))
            return _record(connection.execute(insert(Album).values(name=name, query=query).returning(*_COLUMNS)).one())

    def all(self) -> list[AlbumRecord]:
        """Every album, by name."""
        with self._database.reading() as connection:
            return _every(connection)

    def get(self, name: str) -> AlbumRecord:
        """An album by its name: what it looks for. Raises NotFound, which names what there is."""
        name = clean_name(name, "An album")
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(Album.name == name)).one_or_none()
            if row is None:
                raise _not_found(connection, name)
        return _record(row)

    def open(self, name: str, order: Order = "relevance", offset: int = 0, limit: int = 120) -> Found:
        """A page of an album as the library is now. Raises NotFound, also if its folder or classifier is gone."""
        album, among = self.get(name), None
        if album.pictures is not None:
            return handmade.opened(self._database, album.pictures, order, offset, limit)
        if album.classifier:
            among = _called(self._opened, self._classifiers.get(album.classifier), album.label, album.filters)
        if album.words:
            model, words, filters = self._opened.in_use, album.words, album.filters
            return searching.find(self._database, model, words, [], filters, order, offset, limit, False, among=among)
        if among is not None:
            return searching.found_by_share(self._database, among, order, offset, limit)
        with self._database.reading() as connection:
            images, total = browse(connection, album.filters, order, max(0, offset), max(0, limit))
        return Found([Hit(image, 1.0) for image in images], total, None)

    def change(self, name: str, image_ids: Sequence[int], how: handmade.Change) -> AlbumRecord:
        """Change an album made by hand; see `handmade.Change`. Putting pictures into one that is not there makes it.

        Raises BadInput for a smart album and for more than it may hold, NotFound.
        """
        name = clean_name(name, "An album")
        with self._database.writing() as connection:
            row = connection.execute(select(*_COLUMNS).where(Album.name == name)).one_or_none()
            if row is None and how != "add":
                raise _not_found(connection, name)
            if row is not None and "pictures" not in row.query:
                raise BadInput(f"“{name}” fills itself by a search; choose another name for an album made by hand.")
            there = handmade.pictures_of(connection, image_ids)
            return _put(connection, name, handmade.changed(row.query["pictures"] if row else [], there, how))

    def put(self, name: str, pictures: Sequence[str], replace: bool = False) -> AlbumRecord:
        """An album made by hand, as it once was; its pictures by their own names. Raises BadInput for a name that is taken,
        unless it is to `replace` that album."""
        name = clean_name(name, "An album")
        with self._database.writing() as connection:
            if not replace and connection.scalar(select(Album.id).where(Album.name == name)) is not None:
                raise BadInput(f"There is an album “{name}” already; choose another name, or delete that one first.")
            return _put(connection, name, handmade.checked(pictures))

    def delete(self, name: str) -> None:
        """Forget an album; its pictures stay. Raises NotFound."""
        name = clean_name(name, "An album")
        with self._database.writing() as connection:
            if not connection.execute(delete(Album).where(Album.name == name)).rowcount:
                raise _not_found(connection, name)


def _put(connection: Connection, name: str, pictures: list[str]) -> AlbumRecord:
    connection.execute(delete(Album).where(Album.name == name))
    query = {"words": "", "filters": {}, "pictures": pictures}
    return _record(connection.execute(insert(Album).values(name=name, query=query).returning(*_COLUMNS)).one())


def _every(connection: Connection) -> list[AlbumRecord]:
    records = map(_record, connection.execute(select(*_COLUMNS)))
    return sorted(records, key=lambda album: (album.name.casefold(), album.name))


def _called(opened: Opened, classifier: Classifier, label: str, filters: Filters) -> dict[int, float]:
    """The ids of the pictures that a classifier calls by this label, among those the filters leave, each with its share.

    A classifier of one label, which has no other to choose, calls what has at least half a share. Raises SpaceMismatch, and
    NotFound if the classifier has the label no more.
    """
    model = opened.in_use
    model.space.require(classifier.space, "This classifier")
    if label not in classifier.labels:
        raise NotFound(f"The classifier has no class “{label}” any more; choose another for this album.")
    with opened.database.reading() as connection:
        selection = chosen(connection, filters, model.space_id)
    ids, vectors = model.index.vectors_by_id(set(selection.values()))
    shares = classifier.shares(vectors)
    place = classifier.labels.index(label)
    is_called = (shares.argmax(1) == place) & ((len(classifier.labels) > 1) | (shares[:, place] >= 0.5))
    share_of = dict(zip(ids[is_called].tolist(), shares[is_called, place].tolist(), strict=True))
    return {image: share_of[vector] for image, vector in selection.items() if vector in share_of}


def _record(row: AnyRow) -> AlbumRecord:
    query = row.query
    filters = Filters.from_json(query["filters"])
    pictures = tuple(query["pictures"]) if "pictures" in query else None
    asked = query["words"], filters, query.get("classifier"), query.get("label", "")
    return AlbumRecord(row.id, row.name, *asked, row.created, pictures)


def _not_found(connection: Connection, name: str) -> NotFound:
    names = [album.name for album in _every(connection)]
    there = f"there are {', '.join(names[:20])}" if names else "none has been saved yet"
    return NotFound(f"No album is called “{name}”; {there}.")
