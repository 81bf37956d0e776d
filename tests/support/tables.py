"""The long form of attacks and faults as two tables: what was tried and what has to come of it, how often, what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field

TITLES = {"security": "Attacks", "faults": "Faults"}


@dataclass
class Row:
    """One test, with all its cases. A test's name is the sentence that has to hold; what it counts, it records."""

    cases: int = 0
    failed: int = 0
    skipped: int = 0
    counted: dict[str, int] = field(default_factory=dict)

    def add(self, report) -> None:
        self.cases += report.when == "call" or not report.passed
        self.failed += report.failed
        self.skipped += report.skipped
        if report.when == "teardown":  # has what was recorded at any time
            for what, count in report.user_properties:
                self.counted[what] = self.counted.get(what, 0) + count

    @property
    def tried(self) -> str:
        return ", ".join(f"{count:,} {what}" for what, count in self.counted.items()) or f"{self.cases}"

    @property
    def seen(self) -> str:
        if self.failed:
            return f"{self.failed} of {self.cases} failed"
        return "not tried here" if self.skipped == self.cases else "holds"


def written(reports: Iterable) -> list[str]:
    """The lines of both tables, from pytest's reports."""
    rooms: dict[str, dict[tuple[str, str], Row]] = {}
    for report in reports:
        parts = report.nodeid.split("::")[0].removesuffix(".py").split("/")
        if len(parts) == 3 and parts[1] in TITLES:
            theme = parts[2].removeprefix("test_")
            name = report.nodeid.split("::")[1].split("[")[0].removeprefix("test_").replace("_", " ")
            rooms.setdefault(parts[1], {}).setdefault((theme, name), Row()).add(report)
    lines = []
    for room, rows in sorted(rooms.items(), reverse=True):
        lines += [f"| {TITLES[room]}, and what must come of it | tried | seen |", "|---|---|---|"]
        lines += [f"| {theme}: {name} | {row.tried} | {row.seen} |" for (theme, name), row in rows.items()]
        lines.append("")
    return lines
