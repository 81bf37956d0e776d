"""Labels and classifiers out of the library, and into it."""

import sys
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Home, Json, Model, command, draw, emit, open_library, saved_classifier, say, show

if TYPE_CHECKING:
    from storage import Answer, Library, SkippedRecord
    from storage.export import Plan

Out = Path | None


@command
def export(
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name or file; else labels alone.")] = None,
    folder: Annotated[Out, typer.Option(help="Only this folder of the library.")] = None,
    csv: Annotated[Out, typer.Option(help="Write a table; - is standard output.")] = None,
    json: Annotated[Out, typer.Option(help="Write JSON with all shares; - is standard output.")] = None,
    label_studio: Annotated[Out, typer.Option(help="Write tasks for Label Studio, and a configuration beside.")] = None,
    coco: Annotated[Out, typer.Option(help="Write COCO with labels of whole pictures (after COCO Camera Traps).")] = None,
    folders: Annotated[Out, typer.Option(help="Sort the pictures into DIR/<label>/; see --copy and the like.")] = None,
    yolo: Annotated[Out, typer.Option(help="Sort them into DIR/train/<label>/ and DIR/val/<label>/ for YOLO-cls.")] = None,
    copy: Annotated[bool, typer.Option("--copy", help="For --folders and --yolo: copy the pictures; the default.")] = False,
    link: Annotated[bool, typer.Option("--link", help="... make hard links: no space, the same disk.")] = False,
    symlink: Annotated[bool, typer.Option("--symlink", help="... make symbolic links.")] = False,
    move: Annotated[bool, typer.Option("--move", help="... move the pictures; their labels go with them.")] = False,
    xmp: Annotated[str, typer.Option(help="Sidecars: digikam (photo.jpg.xmp), lightroom (photo.xmp) or both.")] = "",
    held_out: Annotated[float, typer.Option(min=0, max=0.9, help="Share of the pictures for --yolo's val.")] = 0.2,
    file: Annotated[Out, typer.Option(help="Write the classifier itself, as one small file.")] = None,
    onnx: Annotated[Out, typer.Option(help="Write model and classifier as one ONNX file.")] = None,
    with_preprocessing: Annotated[
        bool, typer.Option("--with-preprocessing", help="--onnx takes pictures of any size, uint8 [h, w, 3].")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would change on the disk.")] = False,
    undo: Annotated[Out, typer.Option(help="Take back what this undo file of an earlier export tells.")] = None,
    finish: Annotated[Out, typer.Option(help="Go on with the export of this undo file, which was interrupted.")] = None,
    undo_file: Annotated[Out, typer.Option(help="Where to write the undo file; in the home unless told.")] = None,
    home: Home = None,
    model: Model = "starter",
) -> None:
    """Write labels, and a classifier's answers where there is none, for other programs. Nothing is ever overwritten by a
    picture; what changes on the disk can be listed first (--dry-run) and taken back (--undo FILE)."""
    from clipcore import BadInput
    from storage.export import label_studio_config, sidecars, to_coco, to_csv, to_json, to_label_studio

    if undo or finish:
        with open_library(home) as library:
            if undo:
                _undo(library, undo)
            if finish:
                _finish(library, finish)
        return
    if (onnx or file) and not classifier:
        raise BadInput("--onnx and --file write a classifier; name it with --classifier.")
    if with_preprocessing and not onnx:
        raise BadInput("--with-preprocessing is about an ONNX file; name it with --onnx.")
    asked = {"copy": copy, "link": link, "symlink": symlink, "move": move}
    hows: list[Any] = [how for how, wanted in asked.items() if wanted]
    if len(hows) > 1 or (yolo and move):
        raise BadInput("Choose one of --copy, --link, --symlink and --move; --yolo cannot move.")
    if xmp not in ("", "digikam", "lightroom", "both"):
        raise BadInput(f"There is no naming {xmp!r} of sidecars; use digikam, lightroom or both.")
    tables = [path for path in (csv, json, label_studio, coco, folders, yolo) if path]
    if not (tables or xmp or onnx or file):
        raise BadInput("Nothing to export to was named; give --csv FILE, --folders DIR, --xmp digikam or another.")
    with open_library(home, model if classifier else None) as library:
        head = saved_classifier(library, classifier) if classifier else None
        if head and file:
            _write(file, head.to_bytes())
        if head and onnx:
            from clipcore import load
            from clipcore.classify.onnx_file import export_onnx

            # in full precision, whatever is fastest on this computer
            export_onnx(load(model, device="cpu", precision="fp32"), head, onnx, with_preprocessing)
            say(f"wrote {onnx}, checked against the model")
        if not (tables or xmp):
            return
        answers = library.exchange.answers(head, _folder_id(library, folder))
        if not answers:
            raise BadInput("There is nothing to export: no picture has a label yet; label some, or name a --classifier.")
        names = head.labels if head else tuple(sorted({label for answer in answers for label in answer.labels}))
        many = any(len(answer.labels) > 1 for answer in answers)
        tables_to: tuple[tuple[Path | None, Callable[[], str]], ...] = (
            (csv, lambda: to_csv(answers)),
            (json, lambda: to_json(answers, head)),
            (label_studio, lambda: to_label_studio(answers)),
            (label_studio and label_studio.with_suffix(".xml"), lambda: label_studio_config(names, many)),
            (coco, lambda: to_coco(answers, names)),
        )
        for path, write in tables_to:
            if path:
                _write(path, write())
        plans = _plans(answers, folders, yolo, hows[0] if hows else "copy", held_out)
        if xmp:
            stars = library.given_stars(answer.image.picture for answer in answers)
            plans.append(sidecars(answers, xmp, stars))  # type: ignore[arg-type]
        if plans:
            _carry_out(library, plans, dry_run, undo_file)


@command
def import_labels(
    csv: Annotated[Out, typer.Option(help="A table of pictures and labels, from any program.")] = None,
    folders: Annotated[Out, typer.Option(help="Class folders, also zipped; pictures are known by content.")] = None,
    coco: Annotated[Out, typer.Option(help="COCO annotations.")] = None,
    label_studio: Annotated[Out, typer.Option(help="Label Studio's JSON, JSON-MIN or CSV.")] = None,
    xmp: Annotated[bool, typer.Option("--xmp", help="Keywords of the sidecars beside the library's pictures.")] = False,
    keywords: Annotated[bool, typer.Option("--keywords", help="Keywords inside the library's pictures.")] = False,
    only: Annotated[str, typer.Option(help='Only these labels, such as "cat, dog".')] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Leave pictures alone that have one of these labels.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take labels from other programs, for pictures of the library. One step, which undo takes back."""
    from clipcore import BadInput, parse_labels
    from clipcore.letters import one_spelling
    from storage.labels.imports import Rows, read_coco, read_embedded, read_folders, read_label_studio, read_labels, read_xmp

    sources = [(csv, read_labels), (coco, read_coco), (label_studio, read_label_studio)]
    if sum(bool(path) for path, _ in sources) + bool(folders) + xmp + keywords != 1:
        raise BadInput("Name one source of labels: --csv, --folders, --coco, --label-studio, --xmp or --keywords.")
    with open_library(home) as library:
        skipped: list[SkippedRecord] = []
        if xmp:
            rows, skipped = read_xmp(library.images(limit=library.count()))
        elif keywords:
            rows, skipped = read_embedded(library.images(limit=library.count()))
        else:
            known = library.labels.counts()
            rows = read_folders(folders, known) if folders else next(read(path) for path, read in sources if path)
        if only:
            wanted = set(parse_labels(only)[0])
            rows = Rows([row for row in rows if one_spelling(row[1]) in wanted], rows.notes)
        found = library.exchange.import_labels(rows, keep)
    for note in rows.notes:
        say(note)
    for bad in [*skipped, *found.unknown]:
        say(f"skipped {bad.path}: {bad.reason}")
    row = {"pictures": found.pictures, "changed": found.changed, "labels": found.labels, "unknown": len(found.unknown)}
    text = f"{found.pictures:,} pictures with {len(found.labels)} labels, {found.changed:,} of them new or changed"
    emit(as_json, row, text)


@command
def import_classifier(
    file: Path,
    name: Annotated[str, typer.Option(help="Its name in the library; the file's unless told.")] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make one like it, from its names and prompts.")] = False,
    home: Home = None,
    model: Model = "starter",
) -> None:
    """Keep a classifier that someone else made. One of another model is refused; --rebuild makes one like it."""
    from clipcore import Classifier, SpaceMismatch
    from training import teach as give_lesson

    head = Classifier.load(file)
    with open_library(home, model) as library:
        assert library.encoder is not None
        if rebuild and head.space.key != library.encoder.space.key:
            made, examples = library.exchange.rebuild(head), library.labels.examples(head.labels)
            taught = head.kind != "zero-shot" and len(examples) > 1
            record = library.classifiers.save(give_lesson(examples, made).kept if taught else made, name or file.stem)
            told = (
                f"and {len(examples):,} labels"
                if taught
                else "and its prompts; what it had learned from labels is not in it"
            )
            say(f"made again from {len(head.labels)} names {told}")
        else:
            try:
                record = library.exchange.import_classifier(head.to_bytes(), name or file.stem)
            except SpaceMismatch as error:
                raise SpaceMismatch(str(error).rstrip(".") + " (--rebuild does that).") from None
        say(f"saved as {record.name}, version {record.version}")


def _plans(answers: "list[Answer]", folders: Out, yolo: Out, how: Any, held_out: float) -> "list[Plan]":
    from storage.export import class_folders, yolo_folders

    plans = [class_folders(answers, folders, how)] if folders else []
    return [*plans, yolo_folders(answers, yolo, how, held_out)] if yolo else plans


def _carry_out(library: "Library", plans: "list[Plan]", dry_run: bool, undo_file: Out) -> None:
    from storage.export import Plan, iter_carry_out, new_undo_file

    plan = Plan([change for plan in plans for change in plan.changes], [row for plan in plans for row in plan.left])
    if dry_run:
        for change in plan.changes:
            show(str(change))
    for row in plan.left:
        say(f"left {row.path}: {row.reason}")
    if dry_run or not plan.changes:
        say(f"{len(plan.changes):,} files to be made, {len(plan.left):,} left as they are; nothing was changed")
        return
    undo = undo_file or new_undo_file(library.home)
    try:
        done = draw(iter_carry_out(plan, undo, library.exchange.moved), "file")
    except KeyboardInterrupt:
        say(f"To go on: python app.py export --finish {undo}")
        say(f"To take back what was done so far: python app.py export --undo {undo}")
        raise
    for row in done.failed:
        say(f"failed {row.path}: {row.reason}")
    say(f"{done.changed:,} files made, {len(plan.left) + len(done.failed):,} left")
    say(f"To take it back: python app.py export --undo {undo}")


def _finish(library: "Library", undo: Path) -> None:
    from storage.export import iter_finish

    done = draw(iter_finish(undo, library.exchange.moved), "file")
    for row in done.failed:
        say(f"failed {row.path}: {row.reason}")
    say(f"{done.changed:,} files made, {len(done.failed):,} could not be")
    say(f"To take it back: python app.py export --undo {undo}")


def _undo(library: "Library", undo: Path) -> None:
    from storage.export import iter_undo

    done = draw(iter_undo(undo, library.exchange.moved), "file")
    for row in done.failed:
        say(f"failed {row.path}: {row.reason}")
    say(f"{done.changed:,} changes taken back, {len(done.failed):,} could not be")


def _folder_id(library: "Library", folder: Out) -> int | None:
    from clipcore import NotFound

    if folder is None:
        return None
    for record in library.folders():
        if record.path and Path(record.path) == folder.expanduser().absolute():
            return record.id
    raise NotFound(f"The folder {folder} is not in the library; add it first.")


def _write(path: Path, content: str | bytes) -> None:
    from clipcore import BadInput
    from storage.files import write_beside

    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if str(path) == "-":
        sys.stdout.buffer.write(data)
        return
    if path.suffix.lower() == ".csv":
        data = BOM_UTF8 + data  # by which Excel knows UTF-8
    try:
        write_beside(path, data, private=False)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    say(f"wrote {path}")
