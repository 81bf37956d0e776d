"""Results of measuring, kept: a summary that a list shows, and the whole report. Both are plain JSON."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from clipcore import NotFound

from ..records import ReportRecord
from ..tables import ReportRow
from .versions import clean_name

_LISTED = (ReportRow.id, ReportRow.kind, ReportRow.name, ReportRow.summary, ReportRow.created)


def save(
    connection: Connection, kind: str, name: str, summary: Mapping[str, Any], report: Mapping[str, Any]
) -> ReportRecord:
    """Keep a report; every one is new. Raises BadInput for a bad name."""
    values = {"kind": kind, "name": clean_name(name), "summary": dict(summary), "report": dict(report)}
    row = connection.execute(insert(ReportRow).values(values).returning(*_LISTED)).one()
    return ReportRecord(**row._mapping)


def list_reports(connection: Connection, kind: str | None) -> list[ReportRecord]:
    """Every report, or those of a kind, the newest first, without their figures."""
    query = select(*_LISTED).order_by(ReportRow.id.desc())
    if kind is not None:
        query = query.where(ReportRow.kind == kind)
    return [ReportRecord(**row._mapping) for row in connection.execute(query)]


def load(connection: Connection, report_id: int) -> ReportRecord:
    """A report with its figures. Raises NotFound."""
    query = select(*_LISTED, ReportRow.report).where(ReportRow.id == report_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("That result is not there any more; measure again.")
    return ReportRecord(**row._mapping)


def change(connection: Connection, report_id: int, summary: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """Give a report other figures; its name and day stay. Raises NotFound."""
    values = {"summary": dict(summary), "report": dict(report)}
    if not connection.execute(update(ReportRow).where(ReportRow.id == report_id).values(values)).rowcount:
        raise NotFound("That result is not there any more; measure again.")


def remove(connection: Connection, report_id: int) -> None:
    """Delete a report. Raises NotFound."""
    if not connection.execute(delete(ReportRow).where(ReportRow.id == report_id)).rowcount:
        raise NotFound("That result is not there any more.")
