"""The jobs of the Measure tab: pictures with labels are read, a classifier is judged on them, and the result is kept.

Of what, is in `sets.py`; how it is shown again, in `kinds.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clipcore import BadInput, Step, pack
from clipcore.classify.prompts import DEFAULT_PACK, zero_shot_name
from clipcore.measure import (
    Comparison,
    Judged,
    Report,
    above,
    compare,
    find_leaks,
    iter_side_by_side,
    judge,
    known,
    other_classes,
    summarise,
)
from clipcore.measure.kept import NAME_LIMIT, kept_accuracy
from clipcore.measure.promises import claims
from storage import ReportRecord

from ..library.search import many
from ..studio import Studio, Work
from .sets import iter_read_set, labelled, pick_classifier, set_path


def register(studio: Studio) -> None:
    """Let the studio's jobs measure."""
    studio.jobs.register("measure", lambda payload: _measure(studio, payload))
    studio.jobs.register("measure-models", lambda payload: _side_by_side(studio, payload))


def keep(
    studio: Studio,
    kind: str,
    name: str,
    summary: Mapping[str, Any],
    result: Mapping[str, Any],
    about: Mapping[str, str],
    notes: Sequence[str] = (),
    source: str = "",
    pictures: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Keep what a section found, and give its id as a job's result.

    `source` is the path of a set that is not the library's own; `pictures` are the "keys" and "names" of those that the
    result leads to.
    """
    content = {"result": dict(result), "about": dict(about), "notes": list(notes), "ours": not source, "source": source}
    if pictures:
        content["pictures"] = dict(pictures)
    return {"report": studio.library.reports.save(kind, name[:NAME_LIMIT], summary, content).id}


def left_out(name: str, left: Mapping[str, int], skipped: int = 0) -> list[str]:
    """Sentences about the images of a set that were not measured."""
    notes = [f"{many(sum(left.values()), 'image')} left out: {name} has no class {_few(left)}."] if left else []
    return [*notes, *([f"{many(skipped, 'file')} left out: unreadable."] if skipped else [])]


def _measure(studio: Studio, payload: dict[str, Any]) -> Work:
    """Judge a classifier on a set and keep the report; the result is its id."""
    found = yield from iter_read_set(studio, payload)
    labels = sorted(set(found.examples.labels))
    name, classifier = pick_classifier(studio, payload["classifier"], labels, payload.get("pack", DEFAULT_PACK))
    studio.encoder().space.require(classifier.space, f"The classifier {name}")
    rows, examples, left = known(found.examples, classifier.labels)
    if not len(examples):
        raise BadInput(f"This set's classes ({_few(left)}) are none of {name}. Choose another classifier.")
    yield Step(0, 0, "working out the figures")
    judged = judge(classifier, examples, [found.names[row] for row in rows])
    further = above(judged)
    notes = left_out(name, left, found.skipped)
    if classifier.kind != "zero-shot":
        leaks = find_leaks(examples, studio.library.examples(classifier.labels), classifier)
        notes += [leaks.sentence] if leaks else []
    notes += further
    notes += claims(classifier, examples, studio.encoder())
    model = classifier.space.name
    kept = kept_accuracy(judged, name, classifier.kind, model, found.name, notes, found.source)
    return {"report": studio.library.reports.save("accuracy", *kept).id}


def _side_by_side(studio: Studio, payload: dict[str, Any]) -> Work:
    """The same names and prompts under several models; each leaves an accuracy report too, so that two can be compared."""
    path, prompts = set_path(payload), payload.get("pack", DEFAULT_PACK)
    found = yield from iter_side_by_side(payload["models"], lambda: labelled(path), pack(prompts))
    for row, judged in zip(found.rows, found.judged, strict=True):
        _, summary, content = kept_accuracy(judged, row.name, "zero-shot", row.name, path.name, source=str(path))
        content["about"]["Classifier"] = zero_shot_name(prompts)
        studio.library.reports.save("accuracy", f"{row.name} on {path.name}"[:NAME_LIMIT], summary, content)
    record = studio.library.reports.save(
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
    one, other = studio.library.reports.get(first), studio.library.reports.get(second)
    judged = [read_report(record)[0] for record in (one, other)]
    found = compare(*judged)
    name = f"{one.summary['classifier']} and {other.summary['classifier']} on {one.summary['set']}"
    summary = {"difference": found.difference, "interval": found.interval, "p": found.p, "n": found.n}
    about = {"First": one.name, "Second": other.name}
    sides = [{"name": record.name, **record.report} for record in (one, other)]
    notes = [note] if (note := other_classes(*judged)) else []
    notes += [f"{side['name']}: {note}" for side in sides for note in side["notes"]]  # such as: those images were taught
    content = {"sides": sides, "about": about, "notes": list(dict.fromkeys(notes))}
    return studio.library.reports.save("compare", name[:NAME_LIMIT], summary, content)


def read_comparison(record: ReportRecord) -> tuple[list[str], list[Judged], Comparison]:
    """What the two are called, what each answered, and the comparison."""
    sides = record.report["sides"]
    judged = [Judged.from_json(dict(side["judged"])) for side in sides]
    return [str(side["name"]) for side in sides], judged, compare(*judged)


def _few(counts: Mapping[str, int], most: int = 4) -> str:
    names = sorted(counts, key=lambda name: -counts[name])
    return ", ".join(f"“{name}”" for name in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
