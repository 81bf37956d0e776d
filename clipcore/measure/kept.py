"""What is kept of a measurement, as plain values: a summary that a list shows, and the whole.

Of accuracy that is what was answered for each picture (`Judged`); every figure is worked out of it when it is looked at, so
that results of different days can be compared.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .answers import Judged
from .report import summarise
from .suite import Suite

NAME_LIMIT = 200


def kept_accuracy(
    judged: Judged, classifier: str, kind: str, model: str, set_name: str, notes: Sequence[str] = (), source: str = ""
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, summary and content of an accuracy result. `source` is the path of a set that is not the library's own."""
    report = summarise(judged)
    summary = {
        "top1": report.top1,
        "interval": report.interval,
        "n": report.n,
        "classifier": classifier,
        "set": set_name,
    }
    about = {"Classifier": classifier if kind in classifier else f"{classifier} ({kind})", "Model": model, "Set": set_name}
    content = {
        "judged": judged.to_json(),
        "about": about,
        "notes": list(notes),
        "ours": not source,
        "source": source,
    }
    return f"{classifier} on {set_name}"[:NAME_LIMIT], summary, content


def kept_suite(
    found: Suite, folder: Path, models: Sequence[str], packs: Sequence[str] = ()
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, summary and content of a table of many sets."""
    best = min(found.ranks, key=lambda arm: found.ranks[arm])
    summary = {"sets": len(found.sets), "best": best, "mean": found.means[best], "n": sum(one.n for one in found.sets)}
    about = {"Sets": folder.name, "Models": ", ".join(models), "Prompts": ", ".join(packs) or "each task's own"}
    content = {"result": found.to_json(), "about": about, "notes": list(found.skipped), "ours": False, "source": ""}
    return f"{len(found.sets)} {'set' if len(found.sets) == 1 else 'sets'} of {folder.name}"[:NAME_LIMIT], summary, content


def kept_curve(
    found: Mapping[str, Any], set_name: str, about: Mapping[str, str], notes: Sequence[str] = ()
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Name, summary and content of a curve of few labels, `training.heads.curve.Curve.to_json`."""
    summary = {"n": found["n"], "zero_shot": found["zero_shot"], "worth": found["worth"], "set": set_name}
    content = {"result": dict(found), "about": dict(about), "notes": list(notes), "ours": True, "source": ""}
    return f"labels on {set_name}"[:NAME_LIMIT], summary, content
