"""Runs: one classification, kept for the page to come back to, with the classifier that it has by now."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from clipcore import BadInput, Classifier, NotFound, Predictions

from ..pictures.lookup import classified
from ..records import ImageRecord, Run, SkippedRecord
from ..tables import AnyRow, RunRow, SessionRow
from ..vectors.opened import Opened

KEPT_RUNS = 500


class Runs:
    """The runs of a library. Their ids cannot be guessed; the newest KEPT_RUNS stay, and those of sessions."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self._database = opened, opened.database

    def start(
        self,
        classifier: Classifier,
        image_ids: Sequence[int] | None = None,
        folder_id: int | None = None,
        skipped: Sequence[SkippedRecord] = (),
    ) -> Run:
        """Keep what is being classified; without pictures or a folder it is the whole library.

        `skipped` are the files that could not be read on the way.
        """
        run_id = secrets.token_urlsafe(12)
        selection = {
            "image_ids": None if image_ids is None else [int(image_id) for image_id in image_ids],
            "folder_id": folder_id,
            "skipped": [[record.path, record.reason] for record in skipped],
        }
        old = select(RunRow.id).order_by(RunRow.created.desc(), RunRow.id).offset(KEPT_RUNS)
        with self._database.writing() as connection:
            connection.execute(insert(RunRow).values(id=run_id, classifier=classifier.to_bytes(), selection=selection))
            if gone := connection.scalars(old).all():
                connection.execute(delete(RunRow).where(RunRow.id.in_(set(gone) - _of_sessions(connection))))
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """A run by its id. Raises NotFound."""
        columns = (RunRow.classifier, RunRow.selection, RunRow.created)
        with self._database.reading() as connection:
            row = connection.execute(select(*columns).where(RunRow.id == run_id)).one_or_none()
        if row is None:
            raise _gone()
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

    def edition(self, run_id: str) -> int:
        """How often the classifier of a run has changed; cheaper than `get`. Raises NotFound."""
        wanted = select(RunRow.selection["edition"].as_integer()).where(RunRow.id == run_id)
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise _gone()
        return row[0] or 0

    def change(self, run_id: str, classifier: Classifier, expected: int | None = None, keep: bool = True) -> Run:
        """Give a run another classifier: a taught one, or the same with another dial.

        With `keep` the classifier it had can be had back with `revert`. Raises NotFound, and BadInput if the run is not at
        the `expected` edition any more.
        """
        with self._database.writing() as connection:
            row = _locked(connection, run_id)
            chosen = dict(row.selection)
            if expected is not None and chosen.get("edition", 0) != expected:
                raise BadInput("The board was changed in another window meanwhile; look at it once more and try again.")
            if keep:
                kept = secrets.token_urlsafe(12)
                connection.execute(insert(RunRow).values(id=kept, classifier=row.classifier, selection=chosen))
                chosen["before"] = kept
            _put(connection, run_id, classifier.to_bytes(), chosen)
        return self.get(run_id)

    def revert(self, run_id: str) -> Run:
        """Give a run back the classifier that it had before the last kept change. Raises NotFound if there is none."""
        with self._database.writing() as connection:
            chosen = dict(_locked(connection, run_id).selection)
            before = select(RunRow.classifier, RunRow.selection).where(RunRow.id == chosen.get("before"))
            kept = connection.execute(before).one_or_none()
            if kept is None:
                raise NotFound("There is no earlier classifier of this board to go back to.")
            connection.execute(delete(RunRow).where(RunRow.id == chosen["before"]))
            _put(connection, run_id, kept.classifier, {**chosen, "before": kept.selection.get("before")})
        return self.get(run_id)

    def predictions(self, run_id: str) -> tuple[list[ImageRecord], Predictions]:
        """The pictures of a run as they are now, with what its classifier says of them. Raises NotFound, SpaceMismatch."""
        run = self.get(run_id)
        return classified(self._opened, run.classifier, run.folder_id, run.image_ids)


def copy_run(connection: Connection, run_id: str) -> str:
    """A copy of a run, and of those that it can be taken back to: what is done to one leaves the other as it is."""
    row = _locked(connection, run_id)
    chosen = dict(row.selection)
    before = chosen.get("before")
    if before is not None:  # gone, where the run was older than the newest ones before a session had it
        there = connection.scalar(select(RunRow.id).where(RunRow.id == before))
        chosen["before"] = copy_run(connection, before) if there else None
    copy = secrets.token_urlsafe(12)
    connection.execute(insert(RunRow).values(id=copy, classifier=row.classifier, selection=chosen))
    return copy


def require_run(connection: Connection, run_id: str) -> None:
    """Raise NotFound if there is no such run any more."""
    if connection.scalar(select(RunRow.id).where(RunRow.id == run_id)) is None:
        raise _gone()


def _of_sessions(connection: Connection) -> set[str]:
    """The runs on the boards of sessions, and those that they can be taken back to."""
    found: set[str] = set()
    waiting = {run_id for run_id in connection.scalars(select(SessionRow.run_id)) if run_id}
    while waiting:
        found |= waiting
        before = select(RunRow.selection["before"].as_string()).where(RunRow.id.in_(waiting))
        waiting = {run_id for run_id in connection.scalars(before) if run_id} - found
    return found


def _locked(connection: Connection, run_id: str) -> AnyRow:
    row = connection.execute(
        select(RunRow.classifier, RunRow.selection).where(RunRow.id == run_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise _gone()
    return row


def _put(connection: Connection, run_id: str, file: bytes, chosen: dict[str, Any]) -> None:
    chosen["edition"] = chosen.get("edition", 0) + 1
    connection.execute(update(RunRow).where(RunRow.id == run_id).values(classifier=file, selection=chosen))


def _gone() -> NotFound:
    return NotFound("This result is not in the library any more; classify the images again.")
