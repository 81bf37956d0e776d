"""Saved classifiers, as immutable versions of a name, and runs: one classification kept for the page."""

import secrets
import unicodedata
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from clipcore import BadInput, Classifier, NotFound

from ..records import ClassifierRecord, Run, SkippedRecord
from ..tables import AnyRow, ClassifierRow, RunRow

NAME_LIMIT = 200  # letters
KEPT_RUNS = 500

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
)


def clean_name(name: str, what: str = "A classifier") -> str:
    """A name as it is kept: one spelling of each letter, no space around it. Raises BadInput if it cannot be a name."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise BadInput(f"{what} needs a name; type one.")
    if len(name) > NAME_LIMIT:
        raise BadInput(f"The name has {len(name)} letters, but {NAME_LIMIT} is the most; choose a shorter one.")
    if any(
        unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
        for letter in name
    ):
        raise BadInput("The name has letters that cannot be shown; use plain ones.")
    return name


def save(connection: Connection, classifier: Classifier, name: str) -> ClassifierRecord:
    """Keep a classifier as the next version of `name`; the versions before it stay as they are."""
    name = clean_name(name)
    latest = select(ClassifierRow.id, ClassifierRow.version).where(ClassifierRow.name == name)
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
    }
    return _record(connection.execute(insert(ClassifierRow).values(values).returning(*_COLUMNS)).one())


def load(connection: Connection, name: str, version: int | None) -> Classifier:
    """The latest version of `name`, or the one that is asked for. Raises NotFound, which names what exists."""
    name = clean_name(name)
    wanted = select(ClassifierRow.file).where(ClassifierRow.name == name).order_by(ClassifierRow.version.desc())
    if version is not None:
        wanted = wanted.where(ClassifierRow.version == version)
    file = connection.scalars(wanted.limit(1)).first()
    if file is None:
        raise _not_found(connection, name)
    return Classifier.from_bytes(file)


def list_latest(connection: Connection) -> list[ClassifierRecord]:
    """The latest version of each classifier, by name."""
    latest = select(func.max(ClassifierRow.id)).group_by(ClassifierRow.name)
    rows = connection.execute(select(*_COLUMNS).where(ClassifierRow.id.in_(latest)))
    return sorted(map(_record, rows), key=lambda record: (record.name.casefold(), record.name))


def list_versions(connection: Connection, name: str) -> list[ClassifierRecord]:
    """Every version of `name`, newest first. Raises NotFound."""
    name = clean_name(name)
    rows = select(*_COLUMNS).where(ClassifierRow.name == name).order_by(ClassifierRow.version.desc())
    versions = [_record(row) for row in connection.execute(rows)]
    if not versions:
        raise _not_found(connection, name)
    return versions


def remove(connection: Connection, name: str) -> None:
    """Delete every version of `name`. Raises NotFound."""
    name = clean_name(name)
    ids = connection.scalars(
        select(ClassifierRow.id).where(ClassifierRow.name == name).order_by(ClassifierRow.id.desc())
    ).all()
    if not ids:
        raise _not_found(connection, name)
    for row_id in ids:  # newest first, because each points at the one before it
        connection.execute(delete(ClassifierRow).where(ClassifierRow.id == row_id))


def start_run(
    connection: Connection,
    classifier: Classifier,
    image_ids: Sequence[int] | None,
    folder_id: int | None,
    skipped: Sequence[SkippedRecord],
) -> str:
    """Keep a classification and return its id, which cannot be guessed. The newest KEPT_RUNS stay."""
    run_id = secrets.token_urlsafe(12)
    selection = {
        "image_ids": None if image_ids is None else [int(image_id) for image_id in image_ids],
        "folder_id": folder_id,
        "skipped": [[record.path, record.reason] for record in skipped],
    }
    connection.execute(insert(RunRow).values(id=run_id, classifier=classifier.to_bytes(), selection=selection))
    old = select(RunRow.id).order_by(RunRow.created.desc(), RunRow.id).offset(KEPT_RUNS)
    connection.execute(delete(RunRow).where(RunRow.id.in_(connection.scalars(old).all())))
    return run_id


def load_run(connection: Connection, run_id: str) -> Run:
    """A run by its id. Raises NotFound."""
    columns = (RunRow.classifier, RunRow.selection, RunRow.created)
    row = connection.execute(select(*columns).where(RunRow.id == run_id)).one_or_none()
    if row is None:
        raise _run_gone()
    chosen: dict[str, Any] = row.selection
    return Run(
        id=run_id,
        classifier=Classifier.from_bytes(row.classifier),
        image_ids=None if chosen["image_ids"] is None else tuple(chosen["image_ids"]),
        folder_id=chosen["folder_id"],
        created=row.created,
        skipped=[SkippedRecord(path, reason) for path, reason in chosen["skipped"]],
        edition=chosen.get("edition", 0),
        before=chosen.get("before") is not None,
    )


def run_edition(connection: Connection, run_id: str) -> int:
    """How often the classifier of a run has changed. Raises NotFound."""
    row = connection.execute(select(RunRow.selection["edition"].as_integer()).where(RunRow.id == run_id)).one_or_none()
    if row is None:
        raise _run_gone()
    return row[0] or 0


def change_run(connection: Connection, run_id: str, classifier: Classifier, expected: int | None, keep: bool) -> None:
    """Give a run another classifier; with `keep` the one it had can be had back. Raises NotFound, and BadInput if the run
    has meanwhile got another edition than the `expected` one."""
    row = _locked(connection, run_id)
    chosen = dict(row.selection)
    if expected is not None and chosen.get("edition", 0) != expected:
        raise BadInput("The board was changed in another window meanwhile; look at it once more and try again.")
    if keep:
        kept = secrets.token_urlsafe(12)
        connection.execute(insert(RunRow).values(id=kept, classifier=row.classifier, selection=chosen))
        chosen["before"] = kept
    _put(connection, run_id, classifier.to_bytes(), chosen)


def revert_run(connection: Connection, run_id: str) -> None:
    """Give a run the classifier back that it had before the last kept change. Raises NotFound if there is none."""
    chosen = dict(_locked(connection, run_id).selection)
    kept = connection.execute(
        select(RunRow.classifier, RunRow.selection).where(RunRow.id == chosen.get("before"))
    ).one_or_none()
    if kept is None:
        raise NotFound("There is no earlier classifier of this board to go back to.")
    connection.execute(delete(RunRow).where(RunRow.id == chosen["before"]))
    _put(connection, run_id, kept.classifier, {**chosen, "before": kept.selection.get("before")})


def _locked(connection: Connection, run_id: str) -> AnyRow:
    row = connection.execute(
        select(RunRow.classifier, RunRow.selection).where(RunRow.id == run_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise _run_gone()
    return row


def _put(connection: Connection, run_id: str, file: bytes, chosen: dict[str, Any]) -> None:
    chosen["edition"] = chosen.get("edition", 0) + 1
    connection.execute(update(RunRow).where(RunRow.id == run_id).values(classifier=file, selection=chosen))


def _run_gone() -> NotFound:
    return NotFound("This result is not in the library any more; classify the images again.")


def _record(row: AnyRow) -> ClassifierRecord:
    values = dict(row._mapping)
    return ClassifierRecord(**{**values, "labels": tuple(values["labels"])})


def _not_found(connection: Connection, name: str) -> NotFound:
    names = [record.name for record in list_latest(connection)]
    there = f"there are {', '.join(names[:20])}" if names else "none has been saved yet"
    return NotFound(f"No classifier is called “{name}”; {there}.")
