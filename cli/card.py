"""A classifier's card: what it is for, what it learned from, how right it is, and its limits, as an HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from .common import Home, Json, command, emit, open_library, saved_classifier


@command
def card(
    classifier: Annotated[str, typer.Argument(help="A saved classifier's name, or its file.")],
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("card.html"),
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a classifier's card, an HTML page that stands alone: classes, prompts, labels, accuracy, limits."""
    from clipcore import BadInput
    from clipcore.measure.card import card_html

    with open_library(home) as library:
        if classifier.endswith(".safetensors"):
            page = card_html(saved_classifier(library, classifier), Path(classifier).stem)
        else:
            page = library.card(classifier)
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"The card cannot be written to {out} ({error.strerror}); choose another place.") from None
    emit(as_json, {"classifier": classifier, "path": str(out)}, f"wrote {out}")
