"""Results of measuring, kept: a summary that a list shows, and the whole report. Both are plain JSON."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from clipcore import NotFound

from ..names import clean_name
from ..records import ReportRecord
from ..tables import ReportRow
from ..vectors.opened import Opened

_LISTED = (ReportRow.id, ReportRow.kind, ReportRow.name, ReportRow.summary, ReportRow.created)


class Reports:
    """What was measured in a library."""

    def __init__(self, opened: Opened) -> None:
        self._database = opened.database

    def save(self, kind: str, name: str, summary: Mapping[str, Any], report: Mapping[str, Any]) -> ReportRecord:
        """Keep something measured, as plain JSON: `summary` is what a list shows of it. Raises BadInput for a bad name."""
        values = {"kind": kind, "name": clean_name(name), "summary": dict(summary), "report": dict(report)}
        with self._database.writing() as connection:
            row = connection.execute(insert(ReportRow).values(values).returning(*_LISTED)).one()
        return ReportRecord(**row._mapping)

    def all(self, kind: str | None = None) -> list[ReportRecord]:
        """What was measured, or what of a kind, the newest first, without the figures."""
        query = select(*_LISTED).order_by(ReportRow.id.desc())
        if kind is not None:
            query = query.where(ReportRow.kind == kind)
        with self._database.reading() as connection:
            return [ReportRecord(**row._mapping) for row in connection.execute(query)]

    def get(self, report_id: int) -> ReportRecord:
        """Something measured, with its figures. Raises NotFound."""
        query = select(*_LISTED, ReportRow.report).where(ReportRow.id == report_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound("That result is not there any more; measure again.")
        return ReportRecord(**row._mapping)

    def change(self, report_id: int, summary: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        """Give something measured other figures, where it is worked on in place; name and day stay. Raises NotFound."""
        values = {"summary": dict(summary), "report": dict(report)}
        with self._database.writing() as connection:
            if not connection.execute(update(ReportRow).where(ReportRow.id == report_id).values(values)).rowcount:
                raise NotFound("That result is not there any more; measure again.")

    def delete(self, report_id: int) -> ReportRecord:
        """Delete something measured and return it, so that it can be saved again. Raises NotFound."""
        gone = self.get(report_id)
        with self._database.writing() as connection:
            if not connection.execute(delete(ReportRow).where(ReportRow.id == report_id)).rowcount:
                raise NotFound("That result is not there any more.")
        return gone
