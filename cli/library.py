"""The library: add folders, search, find duplicates."""

from pathlib import Path
from typing import Annotated, Any

import typer

from .common import Home, Json, Model, command, draw, emit, open_library, say, search_filters, show_hit


@command
def add(
    folder: Path,
    folder_labels: Annotated[
        bool, typer.Option("--folder-labels", help="Also label each picture with the name of its class folder.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read every file, also those that have kept their size and time (exiftool -P).")
    ] = False,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Add a folder to the library: each picture is embedded once, ever."""
    from storage import Jobs, Pieces
    from storage.labels.imports import read_folders

    with open_library(home, model) as library:
        added = draw(Pieces(library, Jobs(library)).iter_add(folder, again=again))
        for skipped in added.skipped:
            say(f"skipped {skipped.path}: {skipped.reason}")
        for noted in added.noted:
            say(f"note {noted.path}: {noted.reason}")
        for replaced in added.replaced:
            say(f"replaced {replaced.path}: {replaced.reason}")
        counts = {"new": added.new, "known": added.known, "skipped": len(added.skipped), "in the library": library.count()}
        if added.replaced:
            counts["replaced"] = len(added.replaced)
        if added.note:
            say(added.note)
        if folder_labels:
            rows = read_folders(folder.expanduser(), library.labels.counts())
            for note in rows.notes:
                say(note)
            found = library.exchange.import_labels(rows)
            say(f"{found.pictures:,} pictures with {len(found.labels)} labels, {found.changed:,} of them new or changed")
            counts |= {"labelled": found.pictures}
        emit(as_json, counts, ", ".join(f"{count:,} {name}" for name, count in counts.items()))


@command
def search(
    words: Annotated[str, typer.Argument(help='Such as "a dog on a beach", or a sum: \'2*dog + beach - "red car"\'.')] = "",
    like: Annotated[Path | None, typer.Option(help="A picture to look for, alone or together with words.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many images.")] = 20,
    name: Annotated[str, typer.Option(help="Only files with this in their name.")] = "",
    since: Annotated[str, typer.Option(help="Only files changed on this day, such as 2024-05-31, or later.")] = "",
    until: Annotated[str, typer.Option(help="Only files changed on this day or earlier.")] = "",
    label: Annotated[str, typer.Option(help="Only images that were given this label.")] = "",
    orientation: Annotated[str, typer.Option(help="landscape, portrait or square.")] = "",
    place: Annotated[str, typer.Option(help="Only images taken near a town, in a region or country of this name.")] = "",
    stars: Annotated[int, typer.Option(min=0, max=5, help="Only images with so many stars, or more.")] = 0,
    sort: Annotated[str, typer.Option(help="relevance, newest or oldest.")] = "relevance",
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Find the library's images that fit the words best; each says whether it matches (see storage/vectors/relevance.py)."""
    from clipcore import BadInput
    from clipcore.advice import reads_english_alone
    from clipcore.advice.searching import search_hint
    from storage import ORDERS

    if sort not in ORDERS:
        raise BadInput(f"There is no order {sort!r}; choose one of {', '.join(ORDERS)}.")
    filters = search_filters(name, since, until, label, orientation, place, stars)
    with open_library(home, model) as library:
        assert library.encoder is not None
        picture = library.encoder.embed_images([like])[0] if like else None
        order: Any = sort
        found = library.find(words, picture=picture, filters=filters, order=order, limit=k, everything=True)
        if not found.hits:
            say("no image passes the filters" if library.count() else "the library has no images yet; add a folder first")
        elif found.clear is False:
            say(f"Nothing here clearly matches “{words}”; these are the closest. Here are: {', '.join(found.suggestions)}.")
        if hint := search_hint(words, reads_english_alone(library.encoder.space.name), found.clear):
            say(hint)
        for hit in found.hits:
            show_hit(hit, as_json)


@command
def duplicates(
    similar: Annotated[bool, typer.Option("--similar", help="Similar pictures instead of the same picture.")] = False,
    above: Annotated[float, typer.Option(help="Cosine from which on pictures are similar; models differ.")] = 0.92,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """List pictures that are there more than once, a group at a time. Nothing is deleted."""
    with open_library(home, model) as library:
        found = draw(library.iter_duplicates(above))
        groups = found.similar if similar else found.same
        for group in groups:
            paths = [image.shown_path for image in group]
            emit(as_json, {"kind": "similar" if similar else "same", "paths": paths}, *paths, "")
        counts = f"{len(found.same):,} groups of the same picture, {len(found.similar):,} of similar ones"
        say(f"{counts}; nothing was deleted")
