"""Labelled and captioned sets as the commands take them, and reports as files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import draw, picture_files, say

if TYPE_CHECKING:
    from clipcore import Examples
    from clipcore.encoding.encoder import Encoder
    from clipcore.measure import EmbeddedSet
    from clipcore.measure.sets import Sample
    from storage import Library

PageOut = Annotated[
    Path | None, typer.Option("--report", help="Also write an HTML file that stands alone; several tables are numbered.")
]
OWN = "labels"  # in the place of a path: the library's own labels


def embedded_set(library: "Library", encoder: "Encoder", path: Path) -> "tuple[EmbeddedSet, int]":
    """A set's vectors and how many samples were left out, which are named on standard error."""
    import numpy as np

    from clipcore import BadInput
    from clipcore.measure import EmbeddedSet, iter_embed_set
    from training.data.pairs import read_pairs
    from training.data.samples import in_words

    if str(path) == OWN:
        if library.encoder is None or library.encoder.space != encoder.space:
            raise BadInput("The library's labels are measured with the model in use; give it with --model.")
        own = library.examples()
        if not len(own):
            raise BadInput("No image of the library has a label yet; put some right on the board first.")
        images = library.images_with_contents(own.keys)
        names = [images[key].shown_path if key in images else key for key in own.keys]
        captions: list[tuple[str, ...]] = [()] * len(own)
        return EmbeddedSet(np.asarray(own.embeddings), list(own.labels), captions, [], names, list(own.keys)), 0
    unread: Counter[str] = Counter()
    pictures = draw(iter_embed_set(encoder, read_pairs(path, unread, "measure")))
    for line in [*(f"skipped {reason}" for reason in pictures.skipped), *in_words(unread)]:
        say(line)
    return pictures, len(pictures.skipped) + unread.total()


def labelled_examples(library: "Library", encoder: "Encoder", path: Path) -> "Examples":
    """The labelled pictures of a set. Raises BadInput if it has none."""
    from clipcore import BadInput

    examples = embedded_set(library, encoder, path)[0].examples(encoder.space)[0]
    if not len(examples):
        raise BadInput(f"{path.name} has no labelled pictures; name a folder of class folders, or give --labels.")
    return examples


def samples_of(library: "Library", paths: Sequence[Path], labelled: bool) -> "list[Sample]":
    """What to spoil: the labelled pictures of sets, or plain pictures. Raises BadInput."""
    from clipcore import BadInput
    from training.data.pairs import read_pairs
    from training.data.samples import Pair

    if not labelled:
        return [Pair(str(path), path) for path in picture_files(paths)]
    found: list[Sample] = []
    for path in paths:
        if str(path) == OWN:
            own = library.examples()
            images = library.images_with_contents(own.keys)
            known = zip(own.keys, own.labels, strict=True)
            found += [Pair(key, Path(images[key].path), name=label) for key, label in known if key in images]
        else:
            found += [pair for pair in read_pairs(path, purpose="measure") if pair.name]
    if not found:
        raise BadInput("There are no labelled pictures; name a folder of class folders, or give --labels.")
    return found


def small_pictures(library: "Library", path: Path, names: Iterable[str], side: int = 160) -> dict[str, bytes]:
    """Small copies, as WebP, of those pictures of a set that have these names; unreadable ones are left out."""
    from clipcore import SaysoError
    from clipcore.pictures.reading import small_copy
    from training.data.pairs import read_pairs
    from training.data.samples import Pair

    wanted = set(names)
    found: dict[str, bytes] = {}
    pairs = (Pair(name, Path(name)) for name in wanted) if str(path) == OWN else read_pairs(path, purpose="measure")
    for pair in pairs:
        if pair.key in wanted:
            try:
                found[pair.key] = small_copy(pair.image, side)
            except SaysoError:
                continue
        if len(found) == len(wanted):
            break
    return found


def write_pages(path: Path | None, pages: Sequence[str]) -> None:
    """Write reports as HTML files: one goes where it was asked for, several get a number each. Raises BadInput."""
    from clipcore import BadInput

    for number, page in enumerate(pages if path else (), 1):
        assert path is not None
        place = path if len(pages) == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        try:
            place.write_text(page, encoding="utf-8")
        except OSError as error:
            raise BadInput(f"The report cannot be written to {place} ({error.strerror}); choose another place.") from None
        say(f"wrote {place}")
