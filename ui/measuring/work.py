"""The jobs of the Measure tab: pictures with labels are read, a classifier is judged on them, and the result is kept.

A kept accuracy report is what was answered for each picture (`Judged`), and a few words about it; every figure is worked out
of these when it is looked at, so that reports of different days can be compared.
"""

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipcore import BadInput, Classifier, Examples, Step, pack, zero_shot_classifier
from clipcore.measure import Comparison, Judged, Report, compare, find_leaks, iter_embed_set, judge, known, summarise
from storage import ReportRecord
from training.pairs import Pair, read_pairs

from ..search import many
from ..studio import Studio, Work

if TYPE_CHECKING:
    pass

LABELS = "labels"  # the set of the library's own labels
PATH = "path"  # a set on this computer
NAME_LIMIT = 200
ZERO_SHOT = "names"  # the set's class names, with a prompt pack


def register(studio: Studio) -> None:
    """Let the studio's jobs measure."""
    studio.jobs.register("measure", lambda payload: _measure(studio, payload))
    studio.jobs.register("measure-models", lambda payload: _side_by_side(studio, payload))


@dataclass(frozen=True)
class LabelledSet:
    """Pictures with labels: where they come from, what each is called, and what could not be read."""

    name: str
    examples: Examples
    names: list[str]
    skipped: int
    ours: bool  # pictures of the library, which can be shown


def iter_read_set(studio: Studio, source: Mapping[str, Any]) -> Generator[Step, None, LabelledSet]:
    """The set that a job's payload names: {"set": "labels"} or {"set": "path", "path": ...}. Raises BadInput."""
    library = studio.library
    yield Step(0, 0, f"loading the model {studio.model}")
    encoder = studio.encoder()
    if source.get("set") == LABELS:
        examples = library.examples()
        if not len(examples):
            raise BadInput("No image of the library has a label yet; put some right on the board of the Classify tab first.")
        images = library.images_with_contents(examples.keys)
        names = [images[key].name if key in images else "" for key in examples.keys]
        return LabelledSet("my labels", examples, names, 0, True)
    path = Path(str(source.get("path", "")).strip()).expanduser()
    unread: Counter[str] = Counter()
    pictures = yield from iter_embed_set(encoder, _labelled(path, unread))
    examples, names = pictures.examples(encoder.space)
    return LabelledSet(path.name, examples, names, len(pictures.skipped) + unread.total(), False)


def checked_path(path: str) -> str:
    """A set's path as typed. Raises BadInput if nothing can be read from it."""
    if not (path or "").strip():
        raise BadInput("Type where the images are: a folder with one folder for each class, a CSV table or a .tar shard.")
    next(iter(_labelled(Path(path.strip()).expanduser(), Counter())), None)
    return path.strip()


def _labelled(path: Path, unread: "Counter[str]") -> Generator[Pair, None, None]:
    for pair in read_pairs(path, unread):
        if pair.name:
            yield pair


def pick_classifier(studio: Studio, choice: str, names: list[str], prompts: str) -> tuple[str, Classifier]:
    """What to call a classifier, and it: a saved one, the one of a run, or zero-shot with `names` and a prompt pack."""
    kind, _, value = choice.partition(":")
    if kind == "saved":
        return value, studio.library.classifier(value)
    if kind == "run":
        return "the board's", studio.library.run(value).classifier
    if not names:
        raise BadInput("None of these images has a label; name a folder with one folder of images for each class.")
    return f"zero-shot, {prompts}", zero_shot_classifier(studio.encoder(), names, pack(prompts))


def _measure(studio: Studio, payload: dict[str, Any]) -> Work:
    """Judge a classifier on a set and keep the report; the result is its id."""
    found = yield from iter_read_set(studio, payload)
    name, classifier = pick_classifier(
        studio, payload["classifier"], sorted(set(found.examples.labels)), payload.get("pack", "seven")
    )
    studio.encoder().space.require(classifier.space, f"The classifier {name}")
    rows, examples, left = known(found.examples, classifier.labels)
    if not len(examples):
        raise BadInput(f"None of the classes of this set ({_few(left)}) is a class of {name}; choose another classifier.")
    yield Step(0, 0, "working out the figures")
    judged = judge(classifier, examples, [found.names[row] for row in rows])
    notes = []
    if left:
        notes.append(f"{many(sum(left.values()), 'image')} left out: {name} has no class {_few(left)}.")
    if found.skipped:
        notes.append(f"{many(found.skipped, 'file')} left out: unreadable.")
    if classifier.kind != "zero-shot":
        leaks = find_leaks(examples, studio.library.examples(classifier.labels))
        notes += [leaks.sentence] if leaks else []
    report = summarise(judged)
    record = studio.library.save_report(
        "accuracy",
        f"{name} on {found.name}"[:NAME_LIMIT],
        {"top1": report.top1, "interval": report.interval, "n": report.n, "classifier": name, "set": found.name},
        {
            "judged": judged.to_json(),
            "about": {"Classifier": f"{name} ({classifier.kind})", "Model": classifier.space.name, "Set": found.name},
            "notes": notes,
            "ours": found.ours,
        },
    )
    return {"report": record.id}


def _side_by_side(studio: Studio, payload: dict[str, Any]) -> Work:
    """The same names and prompts under several models; each leaves an accuracy report too, so that two can be compared."""
    from clipcore.measure import iter_side_by_side

    path = Path(payload["path"]).expanduser()
    prompts = payload.get("pack", "seven")
    found = yield from iter_side_by_side(payload["models"], lambda: _labelled(path, Counter()), pack(prompts))
    for row, judged in zip(found.rows, found.judged, strict=True):
        about = {"Classifier": f"zero-shot, {prompts}", "Model": row.name, "Set": path.name}
        summary = {"top1": row.accuracy, "interval": row.interval, "n": row.n, "classifier": row.name, "set": path.name}
        kept = {"judged": judged.to_json(), "about": about, "notes": [], "ours": False}
        studio.library.save_report("accuracy", f"{row.name} on {path.name}"[:NAME_LIMIT], summary, kept)
    record = studio.library.save_report(
        "models",
        f"{many(len(found.rows), 'model')} on {path.name}"[:NAME_LIMIT],
        {"n": found.rows[0].n, "set": path.name, "models": [row.name for row in found.rows]},
        {
            "rows": [row.to_json() for row in found.rows],
            "about": {"Set": path.name, "Prompts": prompts},
            "notes": list(found.skipped),
        },
    )
    return {"report": record.id}


def read_report(record: ReportRecord) -> tuple[Judged, Report]:
    """What was answered, and its figures. Raises BadInput for a report of another kind."""
    if "judged" not in record.report:
        raise BadInput(f"“{record.name}” is no accuracy report; choose another.")
    judged = Judged.from_json(dict(record.report["judged"]))
    return judged, summarise(judged)


def keep_comparison(studio: Studio, first: int, second: int) -> ReportRecord:
    """Compare two kept accuracy reports on the images that both have, and keep that, whole: either may be deleted later.

    Raises NotFound, or BadInput if they have no image in common.
    """
    one, other = studio.library.report(first), studio.library.report(second)
    found = compare(read_report(one)[0], read_report(other)[0])
    name = f"{one.summary['classifier']} and {other.summary['classifier']} on {one.summary['set']}"
    summary = {"difference": found.difference, "interval": found.interval, "p": found.p, "n": found.n}
    about = {"First": one.name, "Second": other.name}
    sides = [{"name": record.name, **record.report} for record in (one, other)]
    return studio.library.save_report("compare", name[:NAME_LIMIT], summary, {"sides": sides, "about": about, "notes": []})


def read_comparison(record: ReportRecord) -> tuple[list[str], list[Judged], Comparison]:
    """What the two are called, what each answered, and the comparison."""
    sides = record.report["sides"]
    judged = [Judged.from_json(dict(side["judged"])) for side in sides]
    return [str(side["name"]) for side in sides], judged, compare(*judged)


def _few(counts: Mapping[str, int], most: int = 4) -> str:
    names = sorted(counts, key=lambda name: -counts[name])
    return ", ".join(f"“{name}”" for name in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
