"""Saved classifiers, as immutable versions of a name."""

from sqlalchemy import Connection, delete, func, insert, select, update

from clipcore import BadInput, Classifier, NotFound

from ..names import clean_name
from ..records import ClassifierRecord
from ..tables import Album, AnyRow, ClassifierRow
from ..vectors.opened import Opened

ABOUT_LIMIT = 2000  # letters of a description

_COLUMNS = (
    ClassifierRow.id,
    ClassifierRow.name,
    ClassifierRow.version,
    ClassifierRow.created,
    ClassifierRow.kind,
    ClassifierRow.labels,
    ClassifierRow.space_name,
    ClassifierRow.space_key,
    ClassifierRow.parent_id,
    ClassifierRow.about,
)


class Classifiers:
    """The saved classifiers of a library."""

    def __init__(self, opened: Opened) -> None:
        self._database = opened.database

    def save(self, classifier: Classifier, name: str) -> ClassifierRecord:
        """Keep a classifier under a name; a name that is taken gets its next version. Raises BadInput for a bad name."""
        with self._database.writing() as connection:
            return _save(connection, classifier, clean_name(name))

    def get(self, name: str, version: int | None = None) -> Classifier:
        """The latest version of a saved classifier, or the one asked for. Raises NotFound, which names what there is."""
        with self._database.reading() as connection:
            return _load(connection, clean_name(name), version)

    def all(self) -> list[ClassifierRecord]:
        """The latest version of every saved classifier, by name."""
        with self._database.reading() as connection:
            return _latest(connection)

    def versions(self, name: str) -> list[ClassifierRecord]:
        """Every version of a saved classifier, newest first. Raises NotFound."""
        name = clean_name(name)
        rows = select(*_COLUMNS).where(ClassifierRow.name == name).order_by(ClassifierRow.version.desc())
        with self._database.reading() as connection:
            versions = [_record(row) for row in connection.execute(rows)]
            if not versions:
                raise _not_found(connection, name)
        return versions

    def restore(self, name: str, version: int) -> ClassifierRecord:
        """Go back to an earlier version: it is saved again as the newest, and those in between stay. Raises NotFound."""
        name = clean_name(name)
        with self._database.writing() as connection:
            return _save(connection, _load(connection, name, version), name)

    def rename(self, name: str, to: str) -> ClassifierRecord:
        """Give a classifier, with all its versions, another name; albums that go by it follow. Raises NotFound, and BadInput
        for a bad name or one that is taken."""
        name, to = clean_name(name), clean_name(to)
        with self._database.writing() as connection:
            if to != name and connection.scalar(select(ClassifierRow.id).where(ClassifierRow.name == to).limit(1)):
                raise BadInput(f"There is a classifier “{to}” already; choose another name, or delete that one first.")
            _change(connection, name, {"name": to})
            for album_id, query in connection.execute(select(Album.id, Album.query)).all():
                if query.get("classifier") == name:
                    changed = update(Album).where(Album.id == album_id)
                    connection.execute(changed.values(query={**query, "classifier": to}))
        return self.versions(to)[0]

    def describe(self, name: str, about: str) -> ClassifierRecord:
        """Keep a person's own words on a classifier; none take them away. Raises NotFound, BadInput if too long."""
        name, about = clean_name(name), about.strip()
        if len(about) > ABOUT_LIMIT:
            raise BadInput(f"The description has {len(about):,} letters, but {ABOUT_LIMIT:,} is the most; shorten it.")
        with self._database.writing() as connection:
            _change(connection, name, {"about": about})
        return self.versions(name)[0]

    def delete(self, name: str) -> None:
        """Delete every version of a classifier. Raises NotFound."""
        name = clean_name(name)
        rows = select(ClassifierRow.id).where(ClassifierRow.name == name).order_by(ClassifierRow.id.desc())
        with self._database.writing() as connection:
            ids = connection.scalars(rows).all()
            if not ids:
                raise _not_found(connection, name)
            for row_id in ids:  # newest first, because each points at the one before it
                connection.execute(delete(ClassifierRow).where(ClassifierRow.id == row_id))


def _save(connection: Connection, classifier: Classifier, name: str) -> ClassifierRecord:
    latest = select(ClassifierRow.id, ClassifierRow.version, ClassifierRow.about).where(ClassifierRow.name == name)
    before = connection.execute(latest.order_by(ClassifierRow.version.desc())).first()
    values = {
        "name": name,
        "version": before.version + 1 if before else 1,
        "parent_id": before.id if before else None,
        "kind": classifier.kind,
        "labels": list(classifier.labels),
        "space_key": classifier.space.key,
        "space_name": classifier.space.name,
        "file": classifier.to_bytes(),
        "about": before.about if before else "",
    }
    return _record(connection.execute(insert(ClassifierRow).values(values).returning(*_COLUMNS)).one())


def _change(connection: Connection, name: str, values: dict[str, str]) -> None:
    if not connection.execute(update(ClassifierRow).where(ClassifierRow.name == name).values(values)).rowcount:
        raise _not_found(connection, name)


def _load(connection: Connection, name: str, version: int | None) -> Classifier:
    wanted = select(ClassifierRow.file).where(ClassifierRow.name == name).order_by(ClassifierRow.version.desc())
    if version is not None:
        wanted = wanted.where(ClassifierRow.version == version)
    file = connection.scalars(wanted.limit(1)).first()
    if file is None:
        raise _not_found(connection, name)
    return Classifier.from_bytes(file)


def _latest(connection: Connection) -> list[ClassifierRecord]:
    latest = select(func.max(ClassifierRow.id)).group_by(ClassifierRow.name)
    rows = connection.execute(select(*_COLUMNS).where(ClassifierRow.id.in_(latest)))
    return sorted(map(_record, rows), key=lambda record: (record.name.casefold(), record.name))


def _record(row: AnyRow) -> ClassifierRecord:
    values = dict(row._mapping)
    return ClassifierRecord(**{**values, "labels": tuple(values["labels"])})


def _not_found(connection: Connection, name: str) -> NotFound:
    names = [record.name for record in _latest(connection)]
    there = f"there are {', '.join(names[:20])}" if names else "none has been saved yet"
    return NotFound(f"No classifier is called “{name}”; {there}.")
