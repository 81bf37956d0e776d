"""Which pictures to label first: some that stand for a folder or the library."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, Labels, Model, command, draw, emit, open_library, picture_files, say, typed_prompts


@command
def choose(
    count: Annotated[int, typer.Argument(min=1, help="How many pictures.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Pictures or folders; the library's pictures without a label if left out.")
    ] = None,
    how: Annotated[
        str, typer.Option(help="typical, diverse, or balanced: as many for each class name; see docs/teaching.md.")
    ] = "",
    labels: Labels = None,
    album: Annotated[str, typer.Option(help="Also keep the library's ones as an album of this name.")] = "",
    to: Annotated[
        Path | None, typer.Option(help="Also write a table (image, label) to fill in; `import-labels` reads it back.")
    ] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Choose pictures that stand for all, to label first: no two of them nearly the same."""
    import csv

    import numpy as np

    from clipcore import BadInput, iter_zero_shot_classifier
    from clipcore.cells import defused
    from clipcore.encoding.stream import iter_embed
    from clipcore.pictures.finding import display_path
    from training.heads.choosing import choose as choose_rows

    typed = None if labels is None else typed_prompts(labels, None, None)
    way = how or ("balanced" if typed else "typical")
    if album and paths:
        raise BadInput("An album holds pictures of the library; add the folder first, then leave the paths out.")
    files = picture_files(paths) if paths else []
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        pictures: list[str] = []
        if files:
            embedded = draw(iter_embed(encoder, files))
            where, vectors = [display_path(path) for path in embedded.paths], embedded.vectors
        else:
            images, vectors = library.embeddings()
            labelled = library.labels.of([image.id for image in images])
            rows = [row for row, image in enumerate(images) if image.id not in labelled]
            where = [images[row].shown_path for row in rows]
            pictures = [images[row].picture for row in rows]
            vectors = np.asarray(vectors[rows])
        answers = None
        if typed and len(vectors):
            head = draw(iter_zero_shot_classifier(encoder, *typed), unit="prompts")
            answers = head.logits(vectors).argmax(1)
        chosen = choose_rows(vectors, count, way, answers)  # type: ignore[arg-type]  # a wrong one is said there
        if album:
            library.albums.put(album, [pictures[row] for row in chosen])
            say(f"The album “{album}” is saved.")
    for number, row in enumerate(chosen, 1):
        told = "" if answers is None or typed is None else typed[0][answers[row]]
        emit(as_json, {"path": where[row], "place": number, "answer": told or None}, f"{where[row]}  {told}".rstrip())
    if len(chosen) < count:
        say(f"There are no more than {len(chosen):,} that are unlike enough.")
    if to:
        try:
            with to.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("image", "label"), *((defused(where[row]), "") for row in chosen)])
        except OSError as error:
            raise BadInput(f"The table cannot be written to {to} ({error.strerror}); choose another place.") from None
        say(f"wrote {to}")
