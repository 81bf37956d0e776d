"""Which pictures a job measures on, and which classifier: what its payload names, looked up."""

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipcore import BadInput, Classifier, Examples, Step, pack, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK, zero_shot_name
from clipcore.measure import iter_embed_set
from training.data.pairs import Pair, read_pairs

from ..studio import Studio

LABELS = "labels"  # the set of the library's own labels
PATH = "path"  # a set on this computer
EVERYTHING = "library"  # every image of the library, without labels
ZERO_SHOT = "names"  # the set's class names, with a prompt pack


@dataclass(frozen=True)
class LabelledSet:
    """Pictures, mostly with labels: where they come from, what each is called, and what could not be read.

    `source` is the path of a set that is not the library's; without `labelled` every label is empty.
    """

    name: str
    examples: Examples
    names: list[str]
    skipped: int
    source: str = ""
    labelled: bool = True


def iter_read_set(studio: Studio, payload: Mapping[str, Any]) -> Generator[Step, None, LabelledSet]:
    """The set that a job's payload names: {"set": LABELS}, {"set": EVERYTHING} or {"set": PATH, "path": ...}.

    Raises BadInput.
    """
    library = studio.library
    yield Step(0, 0, f"loading the model {studio.model}")
    encoder = studio.encoder()
    if payload.get("set") == EVERYTHING:
        images, vectors = library.embeddings()
        if not images:
            raise BadInput("The library is empty; add a folder of pictures first.")
        keys = tuple(image.picture for image in images)
        everything = Examples(vectors, ("",) * len(images), encoder.space, keys)
        return LabelledSet("all my images", everything, [image.name for image in images], 0, labelled=False)
    if payload.get("set") == LABELS:
        examples = library.examples()
        if not len(examples):
            raise BadInput("No image of the library has a label yet. Label some in the Classify tab first.")
        known = library.images_with_contents(examples.keys)
        names = [known[key].name if key in known else "" for key in examples.keys]
        return LabelledSet("my labels", examples, names, 0)
    path = set_path(payload)
    unread: Counter[str] = Counter()
    pictures = yield from iter_embed_set(encoder, labelled(path, unread))
    examples, names = pictures.examples(encoder.space)
    return LabelledSet(path.name, examples, names, len(pictures.skipped) + unread.total(), source=str(path))


def iter_find_pictures(studio: Studio, payload: Mapping[str, Any]) -> Generator[Step, None, tuple[str, list[Pair]]]:
    """The name of such a set and its pictures as files, for work that needs pixels and not vectors. Raises BadInput."""
    yield Step(0, 0, "looking for pictures")
    library = studio.library
    if payload["set"] == PATH:
        path = set_path(payload)
        return path.name, list(labelled(path))
    if payload["set"] == EVERYTHING:
        images, _ = library.embeddings()
        return "all my images", [Pair(image.picture, Path(image.path)) for image in images]
    examples = library.examples()
    known = library.images_with_contents(examples.keys)
    labels = zip(examples.keys, examples.labels, strict=True)
    return "my labels", [Pair(key, Path(known[key].path), name=label) for key, label in labels if key in known]


def checked_path(path: str) -> str:
    """A set's path as typed. Raises BadInput if nothing can be read from it."""
    if not (path or "").strip():
        raise BadInput("Type where the images are: class folders, a CSV table or a .tar file.")
    next(labelled(Path(path.strip()).expanduser()), None)
    return path.strip()


def set_path(payload: Mapping[str, Any], name: str = "path") -> Path:
    """Where the set of a payload lies."""
    return Path(str(payload.get(name, "")).strip()).expanduser().absolute()


def labelled(path: Path, unread: "Counter[str] | None" = None) -> Generator[Pair, None, None]:
    """The pictures of a set that have a label."""
    for pair in read_pairs(path, unread, "measure"):
        if pair.name:
            yield pair


def pick_classifier(
    studio: Studio, choice: str, names: list[str], prompts: str = DEFAULT_PACK, synonyms: Any = None
) -> tuple[str, Classifier]:
    """What to call a classifier, and it: a saved one, the one of a run, or zero-shot with `names` and a prompt pack."""
    kind, _, value = choice.partition(":")
    if kind == "saved":
        return value, studio.library.classifier(value)
    if kind == "run":
        return "the board's", studio.library.runs.get(value).classifier
    if not names:
        raise BadInput("None of these images has a label. Name a folder with a folder for each class.")
    return zero_shot_name(prompts), zero_shot_classifier(
        studio.encoder(), names, pack(prompts).with_synonyms(synonyms or {})
    )
