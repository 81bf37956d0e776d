"""Smart albums: searches under a name, run again whenever they are opened; and a search kept as a classifier."""

from typing import Annotated

import typer

from .common import Home, Json, Model, command, emit, open_library, say, search_filters, show_hit


@command
def album(
    name: Annotated[str, typer.Argument(help="The album to open, or to save or delete; without one, all are listed.")] = "",
    words: Annotated[str, typer.Option(help="Save it: what to look for, as for search.")] = "",
    classifier: Annotated[str, typer.Option(help="Save it: what this saved classifier ...")] = "",
    calls: Annotated[str, typer.Option(help="... calls by this one of its labels.")] = "",
    file: Annotated[str, typer.Option(help="Save it: only files with this in their name.")] = "",
    since: Annotated[str, typer.Option(help="Save it: only files changed on this day, such as 2024-05-31, or later.")] = "",
    until: Annotated[str, typer.Option(help="Save it: only files changed on this day or earlier.")] = "",
    label: Annotated[str, typer.Option(help="Save it: only images that were given this label.")] = "",
    orientation: Annotated[str, typer.Option(help="Save it: landscape, portrait or square.")] = "",
    place: Annotated[
        str, typer.Option(help="Save it: only images taken near a town, in a region or country of this name.")
    ] = "",
    stars: Annotated[int, typer.Option(min=0, max=5, help="Save it: only images with so many stars, or more.")] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Save it in the place of an album of this name.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it; its images stay.")] = False,
    k: Annotated[int, typer.Option("-k", min=1, max=100_000, help="How many images.")] = 120,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Open a smart album, save one (give it something to look for), delete one, or list them all."""
    from clipcore import BadInput

    filters = search_filters(file, since, until, label, orientation, place, stars)
    saves = bool(words or classifier or filters.any)
    if calls and not classifier:
        raise BadInput("A label to call images by needs its classifier; name it with --classifier.")
    if not name and (saves or delete):
        raise BadInput("Say which album; its name goes first.")
    if name and not (saves or delete):
        with open_library(home, model) as library:
            found = library.albums.open(name, limit=k)
            by_share = not library.albums.get(name).words
            for hit in found.hits:
                show_hit(hit, as_json, "share" if by_share else "cosine")
            say(f"{found.total:,} images are in “{name}” now")
        return
    with open_library(home) as library:
        if delete:
            library.albums.delete(name)
            say(f"The album “{name}” is deleted; its images stay.")
        elif saves:
            kept = library.albums.save(name, words, filters, classifier or None, calls, replace)
            say(f"The album “{kept.name}” is saved; it takes in new images by itself.")
        else:
            for each in library.albums.all():
                set_filters = each.filters.to_json()
                row = {"name": each.name, "words": each.words, "classifier": each.classifier, "label": each.label}
                parts = [each.words, f"{each.classifier}: {each.label}" if each.classifier else ""]
                parts += [f"{name} {value}" for name, value in set_filters.items()]
                parts += [] if each.pictures is None else [f"{len(each.pictures):,} images, put together by hand"]
                emit(as_json, {**row, "filters": set_filters}, f"{each.name}  ({', '.join(filter(None, parts))})")


@command
def keep_search(
    words: Annotated[str, typer.Argument(help="What to look for, as for search.")],
    name: Annotated[str, typer.Argument(help="What to call the classifier.")],
    home: Home = None,
    model: Model = "starter",
) -> None:
    """Save a search as a classifier of one class: an image belongs to it where it matches the search."""
    with open_library(home, model) as library:
        saved = library.save(library.search_classifier(words), name)
        say(f"Saved as “{saved.name}”, version {saved.version}.")
