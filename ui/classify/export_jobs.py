"""What the page writes for other programs and takes from them. An export is a plan that can be looked at first, a job that
carries it out, and an undo file that another job takes back. No Gradio."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipcore import BadInput, Classifier, Step
from storage import ClassifierRecord, Imported
from storage.export import (
    Plan,
    class_folders,
    iter_carry_out,
    iter_finish,
    iter_undo,
    new_undo_file,
    sidecars,
    undo_files,
    yolo_folders,
)
from storage.labels.imports import read_labels

from ..models.jobs import remade
from ..studio import Studio, Work

FOLDERS, YOLO, XMP, ONNX = "folders", "yolo", "xmp", "onnx"
TOLD = 100  # files that are listed by name
KINDS = ("export", "export-undo", "export-onnx")


def register(studio: Studio) -> None:
    """Let the studio's jobs export."""
    for kind, work in (("export", _export), ("export-undo", _undo), ("export-onnx", _onnx)):
        studio.jobs.register(kind, _bound(work, studio), lane="long")


def _bound(work: Any, studio: Studio) -> Any:
    return lambda payload: work(studio, payload)


@dataclass(frozen=True)
class Wish:
    """What is to be exported of a board; plain values, so that it can be a job's payload.

    what    FOLDERS, YOLO or XMP
    folder  where class folders go; nothing for sidecars, which lie beside the pictures
    how     copy, link, symlink or move
    naming  of sidecars: digikam, lightroom or both
    mine    only pictures that a person labelled
    """

    run: str
    what: str
    folder: str = ""
    how: Any = "copy"
    naming: Any = "digikam"
    mine: bool = False


def checked(wish: Wish) -> Wish:
    """The wish with its folder as a whole path. Raises BadInput where something is missing."""
    if not wish.run:
        raise BadInput("There is nothing to export yet; classify some images first.")
    if wish.what not in (FOLDERS, YOLO):
        return wish
    if wish.what == YOLO and wish.how == "move":
        raise BadInput("Images cannot be moved into YOLO's folders; copy or link them.")
    if not wish.folder.strip():
        raise BadInput("Type the folder that the images are to be sorted into.")
    folder = Path(wish.folder.strip().strip('"')).expanduser()
    if not folder.is_absolute():
        raise BadInput("Type the whole path of the folder, such as /home/me/sorted.")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file, not a folder; type another path.")
    return Wish(**{**vars(wish), "folder": str(folder)})


def plan_of(studio: Studio, wish: Wish) -> Plan:
    """What an export would change on the disk; nothing is changed. Raises BadInput, NotFound, SpaceMismatch."""
    wish = checked(wish)
    answers = studio.library.exchange.run_said(wish.run) if wish.mine else studio.library.exchange.run_answers(wish.run)
    if wish.what == XMP:
        return sidecars(answers, wish.naming, studio.library.given_stars(answer.image.picture for answer in answers))
    layout = yolo_folders if wish.what == YOLO else class_folders
    return layout(answers, wish.folder, wish.how)


def last_export(studio: Studio) -> Path | None:
    """The undo file of the newest export that was not taken back yet."""
    return next(iter(undo_files(studio.library.home)), None)


# in


def bring_classifier(studio: Studio, file: str, name: str) -> ClassifierRecord:
    """Keep a classifier that came as a file. Raises BadClassifierFile, and SpaceMismatch with the names of both models."""
    studio.encoder()
    return studio.library.exchange.import_classifier(Classifier.load(file).to_bytes(), name)


def rebuild_classifier(studio: Studio, file: str, name: str) -> ClassifierRecord:
    """Make one like it for the model in use, from its names, its prompts and the library's labels."""
    return studio.library.save(remade(studio, Classifier.load(file)), name)


def bring_labels(studio: Studio, file: str) -> Imported:
    """Labels from a table, COCO or Label Studio's JSON, as one step. Raises BadInput."""
    rows = read_labels(file)
    return replace(studio.library.exchange.import_labels(rows), notes=tuple(rows.notes))


# the jobs


def export_payload(studio: Studio, wish: Wish) -> dict[str, Any]:
    """What a job of exporting needs, also to go on after a restart: the wish, and the name of its undo file."""
    return {**vars(wish), "undo": new_undo_file(studio.library.home).name}


def _export(studio: Studio, payload: dict[str, Any]) -> Work:
    """Plan, and carry out; after a restart, go on from the undo file, which holds the plan: that needs no model."""
    name = payload.get("undo") or new_undo_file(studio.library.home).name
    undo = studio.library.home / "exports" / name
    if undo.exists():
        done, left = (yield from iter_finish(undo, studio.library.exchange.moved)), 0
    else:
        wish = Wish(**{key: value for key, value in payload.items() if key != "undo"})
        if not wish.mine:
            yield from studio.wait_for_model()
        yield Step(0, 0, "looking at what is there")
        plan = plan_of(studio, wish)
        left = len(plan.left)
        if not plan.changes:
            return {"sentence": f"There was nothing to do: {left:,} images are left as they are."}
        done = yield from iter_carry_out(plan, undo, studio.library.exchange.moved)
    failed = [[row.path, row.reason] for row in done.failed[:TOLD]]
    words = f"{done.changed:,} files made, {left + len(done.failed):,} images left as they are."
    return {"sentence": words, "failed": failed}


def _undo(studio: Studio, payload: dict[str, Any]) -> Work:
    undo = last_export(studio)
    if undo is None:
        raise BadInput("There is no export to take back.")
    done = yield from iter_undo(undo, studio.library.exchange.moved)
    failed = [[row.path, row.reason] for row in done.failed[:TOLD]]
    return {"sentence": f"{done.changed:,} changes taken back, {len(done.failed):,} could not be.", "failed": failed}


def _onnx(studio: Studio, payload: dict[str, Any]) -> Work:
    """Image tower and classifier as one file in the home folder; the page then offers it as a download."""
    import clipcore
    from clipcore.classify.onnx_file import export_onnx

    yield Step(0, 0, "writing the ONNX file")
    classifier = studio.library.runs.get(payload["run"]).classifier
    folder = studio.library.home / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    # in full precision, whatever is fastest on this computer
    encoder = clipcore.load(studio.model, device="cpu", precision="fp32")
    off = export_onnx(encoder, classifier, folder / "classifier.onnx", bool(payload.get("pictures")))
    return {
        "sentence": f"The ONNX file is ready; it differs from the model by {off:.0e} at most.",
        "file": "classifier.onnx",
    }
