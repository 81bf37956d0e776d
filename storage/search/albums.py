"""Smart albums: a search under a name, run again whenever it is opened, so that new photos come in by themselves.

An album is any of these, or all at once: words to look for, filters, and what a saved classifier calls by one of its labels.
The classifier is kept by name: an album follows its versions.
"""

from sqlalchemy import Connection, delete, insert, select

from clipcore import BadInput, Classifier, NotFound
from clipcore.classify.prompts import clean_label

from ..classifiers.versions import clean_name
from ..database import Database
from ..filters import Filters
from ..pictures.browsing import chosen
from ..pictures.folders import find_folder
from ..records import AlbumRecord
from ..tables import Album, AnyRow
from ..vectors.spaces import Model
from .query import parse_query

_COLUMNS = (Album.id, Album.name, Album.query, Album.created)


def save(
    connection: Connection,
    name: str,
    words: str,
    filters: Filters,
    classifier: tuple[str, Classifier] | None,
    label: str,
    replace: bool,
) -> AlbumRecord:
    """Keep a search under a name; `classifier` is a saved one with its name. Raises BadInput for what cannot be opened."""
    name = clean_name(name, "An album")
    words = words.strip()
    query = {"words": words, "filters": filters.to_json()}
    if words:
        parse_query(words)
    if filters.folder_id is not None:
        find_folder(connection, filters.folder_id)
    if classifier:
        label = clean_label(label)
        if label not in classifier[1].labels:
            there = ", ".join(classifier[1].labels[:20])
            raise BadInput(f"The classifier “{classifier[0]}” has no class “{label}”; choose one of {there}.")
        query |= {"classifier": clean_name(classifier[0]), "label": label}
    elif not words and not filters.any:
        raise BadInput("An album needs something to go by; give it words, a filter, or a classifier and its label.")
    taken = connection.scalar(select(Album.id).where(Album.name == name))
    if taken is not None and not replace:
        raise BadInput(f"There is an album “{name}” already; choose another name, or delete that one first.")
    connection.execute(delete(Album).where(Album.name == name))
    return _record(connection.execute(insert(Album).values(name=name, query=query).returning(*_COLUMNS)).one())


def load(connection: Connection, name: str) -> AlbumRecord:
    """An album by its name. Raises NotFound, which names what there is."""
    name = clean_name(name, "An album")
    row = connection.execute(select(*_COLUMNS).where(Album.name == name)).one_or_none()
    if row is None:
        raise _not_found(connection, name)
    return _record(row)


def list_all(connection: Connection) -> list[AlbumRecord]:
    """Every album, by name."""
    records = map(_record, connection.execute(select(*_COLUMNS)))
    return sorted(records, key=lambda album: (album.name.casefold(), album.name))


def remove(connection: Connection, name: str) -> None:
    """Forget an album; its pictures stay. Raises NotFound."""
    name = clean_name(name, "An album")
    if not connection.execute(delete(Album).where(Album.name == name)).rowcount:
        raise _not_found(connection, name)


def called(database: Database, model: Model, classifier: Classifier, label: str, filters: Filters) -> dict[int, float]:
    """The ids of the pictures that a classifier calls by this label, among those the filters leave, each with its share.

    A classifier of one label, which has no other to choose, calls what has at least half a share. Raises SpaceMismatch, and
    NotFound if the classifier has the label no more.
    """
    model.space.require(classifier.space, "This classifier")
    if label not in classifier.labels:
        raise NotFound(f"The classifier has no class “{label}” any more; choose another for this album.")
    with database.reading() as connection:
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
    return AlbumRecord(
        row.id, row.name, query["words"], filters, query.get("classifier"), query.get("label", ""), row.created
    )


def _not_found(connection: Connection, name: str) -> NotFound:
    names = [album.name for album in list_all(connection)]
    there = f"there are {', '.join(names[:20])}" if names else "none has been saved yet"
    return NotFound(f"No album is called “{name}”; {there}.")
