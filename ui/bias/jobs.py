"""Loading groups as a job, and the measurements that are being worked on.

What is kept is one report of the kind "bias": the study (which pictures, which facts), the design, and the figures. The page
edits the design in place; each edit is measured and kept.
"""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clipcore import BadInput, Step
from clipcore.measure.bias import (
    FOLDERS,
    LABELS,
    NAMES,
    Bench,
    Design,
    Study,
    read_study,
    read_table,
    report_json,
)
from clipcore.pictures.finding import display_path, is_no_photo
from storage import ReportRecord

from ..library.search import many
from ..studio import Studio, Work

KIND = "bias"
TABLE = "table"
SOURCES = (TABLE, NAMES, FOLDERS, LABELS)
KEPT_BENCHES = 4
NAME_LIMIT = 200
TOO_LARGE = 200_000


def register(studio: Studio) -> None:
    """Let the studio's jobs load groups."""
    studio.jobs.register(KIND, lambda payload: _load(studio, payload))


def checked_payload(folder_id: int | None, folder: str, source: str, table: str | None) -> dict[str, Any]:
    """A job's payload, with mistakes said before anything runs. `table` is the path of a file that is kept."""
    if source not in SOURCES:
        raise BadInput("That kind of groups is not known; choose another from the list.")
    if folder_id is None:
        path = Path((folder or "").strip()).expanduser()
        if not (folder or "").strip():
            raise BadInput("Type the folder that holds the images, or choose one of the library.")
        if not path.is_dir():
            raise BadInput(f"There is no folder {display_path(path)}; check the path.")
        if source == TABLE and not table:
            table = _table_beside(path)
    elif source == TABLE and not table:
        raise BadInput("Send a CSV file with the groups, with columns such as file and age.")
    if table:
        read_table(table)
    return {"folder_id": folder_id, "folder": (folder or "").strip(), "source": source, "table": table}


def _table_beside(folder: Path) -> str:
    """The one table that lies in the folder or beside it."""
    for place in (folder, folder.parent):
        tables = (file for file in place.iterdir() if file.suffix.lower() in (".csv", ".tsv"))
        found = sorted(file for file in tables if not is_no_photo(file.name))
        if len(found) == 1:
            return str(found[0])
    raise BadInput("Send the table with the groups. No CSV file lies in the folder or beside it, or several do.")


def _load(studio: Studio, payload: dict[str, Any]) -> Work:
    """Embed what is new, find out who is in which group, and keep a first design; the result is the report's id."""
    yield Step(0, 0, f"loading the model {studio.model}")
    studio.encoder()
    library = studio.library
    folder_id, root = payload["folder_id"], payload["folder"]
    if folder_id is None:
        added = yield from library.iter_add(root)
        folder_id, skipped = added.folder_id, len(added.skipped)
        root = str(Path(root).expanduser().absolute())
    else:
        folder = next((one for one in library.folders() if one.id == folder_id), None)
        if folder is None:
            raise BadInput("That folder is not in the library any more; choose another.")
        root, skipped = folder.path or folder.name, 0
        if folder.path and library.count(folder_id, embedded=True) < folder.images:
            yield from library.iter_add(folder.path)
    yield Step(0, 0, "finding out who is in which group")
    images, _ = library.embeddings(folder_id=folder_id)
    if len(images) > TOO_LARGE:
        raise BadInput(f"{len(images):,} images are more than {TOO_LARGE:,}; measure on a sample of them.")
    source = payload["source"]
    labels = library.labels.of([image.id for image in images]) if source == LABELS else None
    table = read_table(payload["table"]) if source == TABLE else source
    study = read_study(images, table, root, labels)
    notes = [f"{many(skipped, 'file')} could not be read and {'is' if skipped == 1 else 'are'} left out."] if skipped else []
    record = library.reports.save(KIND, study.name[:NAME_LIMIT], *kept(study, None, {"notes": notes}))
    return {"report": record.id}


def kept(study: Study, design: Design | None, figures: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A report's summary and content."""
    by = list(design.by) if design else []
    return {"n": len(study.ids), "by": by}, {**figures, "study": study.to_json()}


class Benches:
    """The measurements that were looked at last, with their vectors in memory, by report and model."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._kept: OrderedDict[tuple[int, str], Bench] = OrderedDict()
        self._lock = Lock()

    def get(self, record: ReportRecord) -> Bench:
        """The pictures of a report as vectors of the model in use. Raises BadInput if some are not there any more."""
        encoder = self._studio.encoder()
        key = (record.id, encoder.space.key)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        study = Study.from_json(record.report["study"])
        images, vectors = self._studio.library.embeddings(study.ids)
        at = {(image.id, image.picture): row for row, image in enumerate(images)}
        rows = [at.get(one, -1) for one in zip(study.ids, study.keys, strict=True)]
        if missing := rows.count(-1):
            raise BadInput(
                f"{many(missing, 'image')} of this result {'is' if missing == 1 else 'are'} gone, changed, or not read "
                f"by {encoder.space.name}. Load the groups again."
            )
        bench = Bench(encoder, np.asarray(vectors)[rows], study.facts)
        with self._lock:
            self._kept[key] = bench
            while len(self._kept) > KEPT_BENCHES:
                self._kept.popitem(last=False)
        return bench


def measure(studio: Studio, benches: Benches, report_id: int, data: dict[str, Any]) -> dict[str, Any]:
    """Measure a design on the pictures of a report, keep both there, and return the figures. Raises SaysoError."""
    record = studio.library.reports.get(report_id)
    study = Study.from_json(record.report["study"])
    bench = benches.get(record)
    design = Design.from_json(data)
    figures = report_json(record.name, study.facts, study.keys, bench.encoder, design, bench.measure(design))
    studio.library.reports.change(report_id, *kept(study, design, {**figures, "notes": record.report.get("notes", [])}))
    return figures
