"""The card of a saved classifier: with its description and what was measured of it in this library."""

from .reports import Reports
from .saved import Classifiers


def saved_card(classifiers: Classifiers, reports: Reports, name: str) -> str:
    """An HTML page that stands alone. Raises NotFound."""
    from clipcore.measure import Judged, summarise  # late: measuring takes a while to come in
    from clipcore.measure.card import card_html

    record = classifiers.versions(name)[0]
    measured = [report for report in reports.all("accuracy") if report.summary.get("classifier") == record.name]
    classes = summarise(Judged.from_json(reports.get(measured[0].id).report["judged"])).classes if measured else ()
    summaries = [report.summary for report in measured]
    return card_html(classifiers.get(name), record.name, record.about, summaries, classes, record.version)
