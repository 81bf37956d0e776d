"""Checks of the pictures' files: missing, changed, handed over and belonging to nothing, thumbnails."""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select, update

from clipcore import Step
from clipcore.pictures.finding import display_path

from ..tables import Folder, Image
from .findings import Finding, Patient, counted, deleting, some

EVERY = 500  # files between two steps
ASIDE = "unused-uploads"


def pictures(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Each picture's file is there, and is the one that was read. Only names, sizes and times are looked at."""
    library, home, findings = patient.opened, patient.home, []
    with library.database.reading() as connection:
        rows = connection.execute(select(Image.id, Image.path, Image.size, Image.mtime_ns).where(~Image.missing)).all()
        folders = [path for path in connection.scalars(select(Folder.path)) if path]
    away = [folder for folder in folders if not os.path.isdir(folder)]
    missing: dict[int, str] = {}
    changed, moved = [], dict[int, str]()
    for number, row in enumerate(rows):
        if number % EVERY == 0:
            yield Step(number, len(rows), "pictures")
        try:
            status = os.stat(row.path)
        except OSError:
            upload = Path(home, "uploads", *Path(row.path).parts[-2:])
            if "uploads" in Path(row.path).parts and upload.is_file():
                moved[row.id] = str(upload)
            else:
                missing[row.id] = row.path
            continue
        if (status.st_size, status.st_mtime_ns) != (row.size, row.mtime_ns):
            changed.append(row.path)
    for folder in away:
        inside = [i for i, path in missing.items() if path.startswith(folder.rstrip(os.sep) + os.sep)]
        for i in inside:
            del missing[i]
        sentence = f"The folder {display_path(folder)} with {counted(len(inside), 'image')} is not there."
        findings.append(Finding("pictures", sentence, "Plug its disk in, or forget the folder on the Library tab."))
    if missing:
        sentence = f"{counted(len(missing), 'image')} of the library cannot be found any more."
        remedy = "They are hidden until they come back; their labels stay."
        fix = _changing(patient, {"missing": True}, [{"image": i} for i in missing])
        findings.append(Finding("pictures", sentence, remedy, fix, len(missing), some(list(missing.values()))))
    if moved:
        sentence = f"{counted(len(moved), 'upload')} moved along with the home."
        fix = _changing(patient, {"path": bindparam("to")}, [{"image": i, "to": path} for i, path in moved.items()])
        remedy = "They are looked for here from now on."
        findings.append(Finding("pictures", sentence, remedy, fix, len(moved), some(list(moved.values()))))
    if changed:
        sentence = f"{counted(len(changed), 'image')} changed since they were read."
        remedy = "Add their folder again, which reads them anew."
        findings.append(Finding("pictures", sentence, remedy, count=len(changed), examples=some(changed)))
    return findings


def _changing(patient: Patient, values: dict[str, Any], rows: list[dict[str, Any]]) -> Callable[[], None]:
    def fix() -> None:
        with patient.opened.database.writing() as connection:
            connection.execute(update(Image).where(Image.id == bindparam("image")).values(values), rows)

    return fix


def uploads(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Every file that was handed over belongs to a picture."""
    yield Step(0, 0, "uploads")
    folder = patient.home / "uploads"
    with patient.opened.database.reading() as connection:
        known = {Path(path).parts[-2:] for path in connection.scalars(select(Image.path)) if "uploads" in path}
    there = (path for path in folder.glob("*/*") if path.is_file() and path.suffix != ".part")
    unused = [path for path in there if path.parts[-2:] not in known]  # by their ends: the home may have been moved
    if not unused:
        return []
    megabytes = sum(path.stat().st_size for path in unused) / 1e6

    def aside() -> None:
        for path in unused:
            target = patient.home / ASIDE / path.parent.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target / path.name)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    sentence = f"{counted(len(unused), 'uploaded file')} of no image in the library ({megabytes:,.1f} MB)."
    remedy = f"They are moved to {display_path(patient.home / ASIDE)}, for you to delete."
    return [Finding("uploads", sentence, remedy, aside, len(unused), some(unused))]


def thumbnails(patient: Patient) -> Generator[Step, None, list[Finding]]:
    """Every thumbnail is whole, and of a picture that is known."""
    from ..pictures.lookup import is_whole_thumbnail

    with patient.opened.database.reading() as connection:
        known = set(connection.scalars(select(Image.content_hash).distinct()))
    damaged, orphans = [], []
    for number, path in enumerate((patient.home / "thumbs").glob("*/*/*.webp")):
        if number % EVERY == 0:
            yield Step(number, 0, "thumbnails")
        if path.stem not in known:
            orphans.append(path)
        elif not is_whole_thumbnail(path):
            damaged.append(path)
    wrong = (
        (damaged, "damaged", "They are deleted, and made again when they are looked at."),
        (orphans, "of images that are not in the library", "They are deleted."),
    )
    return [
        Finding("thumbnails", f"{counted(len(of), 'thumbnail')} {what}.", remedy, deleting(of), len(of), some(of))
        for of, what, remedy in wrong
        if of
    ]
