"""A way back: backups of the library, putting one back, and the examination of everything the home holds."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, command, database_url, draw, emit, home_folder, open_library, say


@command
def backup(
    to: Annotated[
        Path | None, typer.Option(help="A new file, or a folder on another disk; else the home's backups.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy the library's file, also while Sayso runs, and look the copy through. Each day's copy is made by itself.

    It holds folders, labels, classifiers, albums, results and vectors. Uploads and models are files of the home beside it.
    """
    from clipcore import BadInput

    with open_library(home) as library:
        made = library.backups.make(to)
        if made is None:
            raise BadInput("This library is in a server's database; back it up with that server's own tools: pg_dump.")
        size = made.stat().st_size
        emit(as_json, {"path": str(made), "bytes": size}, f"{made}  {size / 1e6:,.1f} MB")


@command
def restore(
    file: Annotated[Path | None, typer.Argument(help="A backup. Without one: list those there are.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the library's place. What was there is kept aside; indexes are built again."""
    from clipcore import BadInput
    from storage import Library
    from storage.backups import list_backups
    from storage.restoring import restore as put_back

    folder = home_folder(home)
    if database_url():
        raise BadInput("This library is in a server's database; put it back with that server's own tools: pg_restore.")
    if file is None:
        for there in list_backups(folder):
            row = {"path": str(there.path), "made": there.made.isoformat(), "why": there.why, "bytes": there.size}
            emit(as_json, row, f"{there.made:%Y-%m-%d %H:%M}  {there.why:<12} {there.size / 1e6:>9,.1f} MB  {there.path}")
        say("restore FILE puts one of them back" if list_backups(folder) else f"there are no backups in {folder}")
        return
    aside = put_back(folder, file)
    with Library(folder) as library:
        labels = sum(library.labels.counts().values())
        row = {"pictures": library.count(), "labels": labels, "classifiers": len(library.classifiers.all())}
        row |= {"albums": len(library.albums.all()), "reports": len(library.reports.all())}
    if aside:
        say(f"the library before is kept in {aside}")
    text = ", ".join(f"{count:,} {what}" for what, count in row.items())
    emit(as_json, {**row, "replaced": str(aside) if aside else None}, f"restored: {text}")


@command
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Do what it says it would do.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Examine the home: the library's file, backups, pictures, uploads, thumbnails, indexes, models, disk, permissions.

    It says what it would do, and changes nothing without --fix. Exit code 1 if something is left that is not in order.
    """
    from clipcore.pictures.finding import display_path
    from storage import iter_examine

    folder = home_folder(home)
    if not folder.is_dir():
        say(f"There is no home in {display_path(folder)} yet; nothing to examine.")
        return
    findings = draw(iter_examine(folder, database=database_url()), "file")
    left = 0
    for found in findings:
        row = {"check": found.check, "found": found.sentence, "count": found.count, "examples": list(found.examples)}
        row |= {"remedy": found.remedy, "fixable": found.fix is not None, "fixed": False}
        lines = [f"{found.check}: {found.sentence}", *(f"    {example}" for example in found.examples)]
        if fix and found.fix:
            found.fix()
            row["fixed"] = True
            lines.append(f"  done: {found.remedy}")
        else:
            left += 1
            lines.append(f"  {'with --fix' if found.fix else 'for you'}: {found.remedy}")
        emit(as_json, row, "\n".join(lines))
    say("everything is in order" if not findings else f"{len(findings)} found, {len(findings) - left} mended, {left} left")
    if left:
        raise typer.Exit(1)
