"""An examination of a home: every check in turn. Nothing is changed by it; what a finding would change, its `fix` does."""

from collections.abc import Generator
from pathlib import Path

from clipcore import Step

from ..database import FILE
from ..library import Library
from . import made, pictures, place, truth
from .findings import Check, Finding, Patient

# by name; what needs the library to be open is left out where it is too damaged for that
CHECKS: dict[str, Check] = {
    "disk": place.disk,
    "permissions": place.permissions,
    "leftovers": place.leftovers,
    "backups": truth.backups,
    "vectors": truth.vectors,
    "classifiers": truth.classifiers,
    "exports": truth.exports,
    "pictures": pictures.pictures,
    "uploads": pictures.uploads,
    "thumbnails": pictures.thumbnails,
    "index": made.index,
    "models": made.models,
}
WITHOUT_LIBRARY = ("disk", "permissions", "leftovers", "models")


def iter_examine(home: Path, database: str | None = None) -> Generator[Step, None, list[Finding]]:
    """Look at everything; returns what is not as it should be. Raises LibraryError for a home that cannot be used."""
    yield Step(0, 0, "the library's file")
    findings = truth.library_file(home / FILE, home) if database is None else []
    if any(finding.fix is None for finding in findings) or (database is None and not (home / FILE).exists()):
        for name in WITHOUT_LIBRARY:
            findings += yield from CHECKS[name](Patient(home, None))
        return findings
    with Library(home, database=database) as library:
        for check in CHECKS.values():
            findings += yield from check(Patient(home, library))
    return findings
