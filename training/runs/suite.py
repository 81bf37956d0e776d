"""A suite of sets under one model or several: each set is read once for each, one model in memory at a time."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clipcore import BadInput, SaysoError, Step, pack, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK
from clipcore.measure import judge
from clipcore.measure.answers import Judged
from clipcore.measure.sets import iter_embed_set
from clipcore.measure.suite import ACCURACY, PER_CLASS, Measured, Suite, suite_table

from ..data.suite import SetPlace, find_suite, read_set

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

OWN = "task"  # in the place of a pack: of each set its task's, else the usual one


def iter_suite(
    folder: Path, models: Sequence[str], load: "Callable[[str], Encoder]", packs: Sequence[str] = (OWN,)
) -> Generator[Step, None, Suite]:
    """Measure every labelled set of a folder under each model with each prompt pack.

    A set without labels, or that cannot be read, is left out and said. Raises BadInput if there is nothing to measure.
    """
    places = find_suite(folder)
    for name in packs:
        if name != OWN:
            pack(name)  # a wrong name is said before anything is read
    judged: dict[str, dict[str, Judged]] = {}
    skipped: dict[str, str] = {}
    for model in models:
        yield Step(0, 0, f"loading {model}")
        encoder = load(model)
        for number, place in enumerate(places):
            if place.name in skipped:
                continue
            try:
                found = yield from _judge_set(encoder, place, packs, f"{place.name} ({number + 1} of {len(places)})")
            except SaysoError as error:
                skipped[place.name] = f"{place.name}: {error}"
                continue
            for name, answers in found.items():
                arm = name if len(models) == 1 else model if len(packs) == 1 else f"{model}, {name}"
                judged.setdefault(place.name, {})[arm] = answers
        del encoder  # the next one may need the room
    measured = []
    for place in places:
        arms = judged.get(place.name, {})
        if place.name in skipped or not arms:
            continue
        if len({one.keys for one in arms.values()}) > 1:
            skipped[place.name] = f"{place.name}: its pictures changed while it was measured; measure again."
            continue
        measured.append(Measured.of(place.name, place.known.name if place.known else "", arms, **_about(place)))
    if not measured:
        raise BadInput(" ".join(skipped.values()) or f"{folder} holds no set with labels.")
    yield Step(0, 0, "working out the table")
    return suite_table(measured, tuple(skipped.values()))


def _judge_set(
    encoder: "Encoder", place: SetPlace, packs: Sequence[str], words: str
) -> Generator[Step, None, dict[str, Judged]]:
    unread: Counter[str] = Counter()
    steps = iter_embed_set(encoder, read_set(place, unread))
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            pictures = end.value
            break
        yield Step(step.done, step.total, words)
    examples, where = pictures.examples(encoder.space)
    if not len(examples):
        raise BadInput("there is no labelled picture in it.")
    classes = sorted(set(examples.labels))
    names = place.known.named(classes) if place.known else {name: name for name in classes}
    spelt: dict[str, str] = {}  # a model reads Cardigan, the dog, as it reads cardigan: they are one class
    names = {name: spelt.setdefault(called.casefold(), called) for name, called in names.items()}
    examples = type(examples)(
        examples.embeddings, tuple(names[label] for label in examples.labels), examples.space, examples.keys
    )
    labels = list(dict.fromkeys(names.values()))
    if len(labels) < 2:
        raise BadInput("all its pictures are of one class.")
    found = {}
    for name in packs:
        own = place.task.prompts if place.task else pack(DEFAULT_PACK)
        prompts = (own if name == OWN else pack(name)).with_synonyms(_synonyms(place, labels))
        found[name] = judge(zero_shot_classifier(encoder, labels, prompts), examples, where)
    return found


def _synonyms(place: SetPlace, labels: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    known = place.known.synonyms if place.known else {}
    return {label: names for label, names in known.items() if label in labels}


def _about(place: SetPlace) -> dict[str, str | float | None]:
    """How a set is measured, and what is known of it."""
    if place.known is None or place.task is None:
        return {}
    same = place.known.measure in (ACCURACY, PER_CLASS)
    paper = round(place.known.paper / 100, 4) if place.known.paper and same else None
    measure = place.known.measure if same else ACCURACY
    return {"measure": measure, "paper": paper, "advice": f"{place.task.limit} {place.task.instead}"}
