"""Which caption fits which picture, and tests of composition."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, Model, command, draw, emit, open_library, picture_files, say
from .sets import PageOut, write_pages


@command
def captions(
    sources: Annotated[
        list[Path] | None, typer.Argument(help="Pictures; or SugarCrepe or Winoground files, with --images.")
    ] = None,
    caption: Annotated[list[str] | None, typer.Option(help="A caption to match the pictures with; give several.")] = None,
    images: Annotated[Path | None, typer.Option(help="The folder with the pictures that such a file names.")] = None,
    drawn: Annotated[
        bool, typer.Option("--drawn", help="Probe with coloured shapes that are drawn on the spot; nothing else is needed.")
    ] = False,
    report: PageOut = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Which caption fits? Pictures against captions that you write, or a test of composition."""
    from clipcore import BadInput
    from clipcore.encoding.stream import iter_embed
    from clipcore.measure.bench_html import composition_html
    from clipcore.measure.composition import iter_composition, match
    from clipcore.pictures.finding import display_path

    if drawn:
        return _probe(home, model, report, as_json)
    if not sources:
        raise BadInput("Name pictures and give --caption, or take --drawn, which needs none.")
    if bool(caption) == bool(images):
        raise BadInput("Give either --caption, for pictures, or --images, for a SugarCrepe or Winoground file.")
    if report and not images:
        raise BadInput("A report is made of a SugarCrepe or Winoground file; take --json for pictures and captions.")
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if images:
            pages = []
            for path in sources:
                found = draw(iter_composition(encoder, path, images))
                for reason in found.skipped:
                    say(f"skipped {reason}")
                for name, score in found.scores.items():
                    row = {"set": found.name, "score": name, **vars(score), "cut": found.cut}
                    emit(as_json, row, f"{found.name}  {name:12} {score}   {score.n:,} items")
                pages.append(composition_html(found.to_json(), found.name, {"Model": encoder.name, "File": path.name}))
            write_pages(report, pages)
            return
        embedded = draw(iter_embed(encoder, picture_files(sources)))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        matched = match(encoder, embedded.vectors, caption or [])
        for text in matched.cut:
            say(f"The caption “{text[:60]}…” is longer than {encoder.name} reads; its last words were left out.")
        for i, path in enumerate(embedded.paths):
            order = matched.by_picture[i].argsort()[::-1]
            shares = {matched.captions[j]: round(float(matched.by_picture[i, j]), 4) for j in order}
            row = {"path": display_path(path), "best": matched.best_captions[i], "shares": shares}
            emit(
                as_json,
                row,
                display_path(path),
                *(f"  {share:6.1%}  {text}" for text, share in shares.items()),
            )


def _probe(home: Path | None, model: str, report: Path | None, as_json: bool) -> None:
    """Composition by drawn shapes: a row for each probe."""
    from clipcore.measure.bench_html import composition_html
    from clipcore.measure.probes import iter_probe, sentence

    with open_library(home, model) as library:
        assert library.encoder is not None
        found = draw(iter_probe(library.encoder))
        for name, score in found.scores.items():
            row = {"set": found.name, "score": name, **vars(score), "cut": found.cut}
            emit(as_json, row, f"{found.name}  {name:12} {score}   {score.n:,} items")
        say(sentence(found))
        page = composition_html(found.to_json(), found.name, {"Model": library.encoder.name})
        write_pages(report, [page] if report else [])
