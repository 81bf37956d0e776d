"""What a lesson leaves behind in a classifier, and teaching a new one with the labels that taught the one before it."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from clipcore import Classifier, Examples
from training import Lesson, teach


def taught_by(lesson: Lesson, taught_with: str) -> Classifier:
    """The better head of a lesson with what was measured of it; `taught_with` names the labels that it was made from."""
    after = lesson.after if lesson.adopt else lesson.before
    metrics = {
        **lesson.kept.metrics,
        "taught_with": taught_with,
        "measure": lesson.measure,
        "before": asdict(lesson.before),
        "after": asdict(after),
        "curve": curve_of(lesson),
    }
    return replace(lesson.kept, metrics=metrics)


def carried_on(fresh: Classifier, before: Classifier, examples: Examples) -> Classifier:
    """`fresh`, made from words, taught with the labels of its classes if the one `before` it was taught: adding, renaming
    or removing a class does not forget."""
    if "taught_with" not in before.metrics or fresh.decision.many or len(examples) < 2:
        return fresh
    taught = taught_by(teach(examples, fresh), name_of(examples.keys, examples.labels))
    return taught.with_decision(replace(taught.decision, sure=before.decision.sure))


def curve_of(lesson: Lesson) -> dict[str, Any] | None:
    """How often figures held on pictures not learned from, as plain values; None where there were too few labels."""
    if lesson.curve is None:
        return None
    curve = lesson.curve
    return {
        "confidence": curve.confidence.round(4).tolist(),
        "accuracy": curve.accuracy.round(4).tolist(),
        "counts": curve.counts.tolist(),
        "error": round(curve.error, 4),
        "chance": round(curve.chance, 4),
        "debiased": round(curve.debiased, 4),
    }


def name_of(keys: Sequence[str], labels: Sequence[Any]) -> str:
    """A short name of these labels of these pictures, whatever their order."""
    said = sorted(zip(keys, labels, strict=True))
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
