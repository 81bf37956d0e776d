"""Checks of the library's file: that it is whole, that there is a way back, and that what is in it can be used."""

import re
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, func, select

from clipcore import Classifier, SaysoError, Step
from clipcore.pictures.finding import display_path

from ..backups import DAILY, LATE, Backup, backup, is_due, list_backups
from ..damage import find_damage, require_whole
from ..database import LibraryError, chunks
from ..export.journal import under_way
from ..tables import ClassifierRow, Embedding, Image, Job, SpaceRow
from .findings import Finding, Patient, counted, some

OF_AN_INDEX = re.compile(r"(row \d+ missing from|wrong # of entries in|non-unique entry in) index")
MOST = 1000


def library_file(path: Path, home: Path) -> list[Finding]:
    """The thorough look at a SQLite file. One that is damaged is mended only where its indexes alone are."""
    if not path.exists() or path.stat().st_size == 0:
        try:
            require_whole(path)
        except LibraryError as error:
            return [Finding("library", str(error), _way_back(home))]
        return []
    found = find_damage(path, thorough=True)
    if found is None:
        return []
    if _only_indexes(path):

        def reindex() -> None:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("REINDEX")

        return [Finding("library", f"An index inside the library file is wrong ({found}).", "It is built anew.", reindex)]
    where = display_path(path)
    return [Finding("library", f"The library file {where} is damaged ({found.splitlines()[0][:80]}).", _way_back(home))]


def newest_whole(home: Path) -> Backup | None:
    """The newest backup that is whole."""
    return next((there for there in list_backups(home) if not find_damage(there.path, thorough=True)), None)


def _way_back(home: Path) -> str:
    whole = newest_whole(home)
    if whole is None:
        return "There is no whole backup; move the file away to begin anew, and add your folders again."
    return f"Put back the backup of {whole.made:%Y-%m-%d %H:%M}: python app.py restore {display_path(whole.path)}"


def _only_indexes(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            said = [row[0] for row in connection.execute(f"PRAGMA integrity_check({MOST})")]
        return all(OF_AN_INDEX.match(line) for line in said)
    except sqlite3.Error:
        return False


def backups(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """There is a backup that is not old, and each of them can be opened."""
    library, home, findings = patient.opened, patient.home, []
    there = list_backups(home)
    bad = []
    for number, old in enumerate(there):
        yield Step(number, len(there), "backups")
        if find_damage(old.path, thorough=True):
            bad.append(old.path)
    if bad:

        def aside() -> None:
            for path in bad:
                path.rename(path.with_suffix(".damaged"))

        sentence = f"{counted(len(bad), 'backup')} cannot be used: damaged."
        remedy = "They are renamed to .damaged, so that none is taken for a good one."
        findings.append(Finding("backups", sentence, remedy, aside, len(bad), some(bad)))
    if is_due(library.database, home, LATE) or (there and len(bad) == len(there)):
        sentence = "There is no backup yet." if not there else f"The last backup is of {there[0].made:%Y-%m-%d}."
        findings.append(Finding("backups", sentence, "One is made.", lambda: backup(library.database, home, DAILY)))
    return findings


def vectors(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Vectors have the length of their model, and belong to a picture."""
    yield Step(0, 0, "vectors")
    database, findings = patient.opened.database, []
    size = select(Embedding.id).join(SpaceRow, SpaceRow.id == Embedding.space_id)
    queries = (
        ("have the wrong length", size.where(func.length(Embedding.vector) != 4 * SpaceRow.dim)),
        (
            "belong to no picture",
            select(Embedding.id).where(~select(Image.id).where(Image.content_hash == Embedding.content_hash).exists()),
        ),
    )
    remedies = ("They are deleted; adding the folders again makes them anew.", "They are deleted.")
    for (what, query), remedy in zip(queries, remedies, strict=True):
        with database.reading() as connection:
            ids = list(connection.scalars(query))
        if ids:

            def fix(ids: list[int] = ids) -> None:
                with database.writing() as connection:
                    for some_ids in chunks(ids):
                        connection.execute(delete(Embedding).where(Embedding.id.in_(some_ids)))

            findings.append(Finding("vectors", f"{counted(len(ids), 'vector')} {what}.", remedy, fix, len(ids)))
    return findings


def classifiers(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Every saved classifier can be read."""
    yield Step(0, 0, "classifiers")
    with patient.opened.database.reading() as connection:
        rows = connection.execute(select(ClassifierRow.name, ClassifierRow.version, ClassifierRow.file)).all()
    bad = []
    for row in rows:
        try:
            Classifier.from_bytes(row.file)
        except SaysoError:
            bad.append(f"{row.name}, version {row.version}")
    if not bad:
        return []
    sentence = f"{counted(len(bad), 'saved classifier')} cannot be read."
    remedy = "Go back to another version, or delete it."
    return [Finding("classifiers", sentence, remedy, count=len(bad), examples=some(bad))]


def exports(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """No export was left half done. One of the page goes on by itself, so only those that no job is about are told."""
    yield Step(0, 0, "exports")
    with patient.opened.database.reading() as connection:
        rows = connection.scalars(select(Job.payload).where(Job.kind == "export", Job.state.in_(("queued", "running"))))
        ours = {payload.get("undo") for payload in rows}
    left = [path for path in under_way(patient.home) if path.name not in ours]
    if not left:
        return []
    sentence = f"{counted(len(left), 'export')} did not come to an end."
    shown = display_path(left[0])
    remedy = f"Finish it with python app.py export --finish {shown}, or take it back with --undo {shown}"
    return [Finding("exports", sentence, remedy, count=len(left), examples=some(left))]
