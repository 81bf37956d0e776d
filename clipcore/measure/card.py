"""A classifier's card as an HTML page that stands alone: what it is for, what it learned from, how right it is, its limits
(after Mitchell et al., 2019, Model Cards for Model Reporting)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..classify.classifier import Classifier
from ..classify.promise import in_words
from ..errors import BadInput
from .intervals import points
from .page import between, page, plain_table
from .report import ClassRow

MOST = 200  # classes and results that are listed
LIMITS = (
    "It knows no class beside its own: pictures of other things are to be found as “none of these”, which is imperfect.",
    "It counts, reads fine print, tells left from right and understands “no” and “without” poorly.",
    "On pictures of another kind than those it was measured on it may be right less often.",
)


def card_html(
    classifier: Classifier,
    name: str,
    about: str = "",
    measured: Sequence[Mapping[str, Any]] = (),
    classes: Sequence[ClassRow] = (),
    version: int = 0,
) -> str:
    """The card. `about` is what its owner wrote of it; `measured` are summaries of accuracy results (set, n, top1,
    interval), the newest first; `classes` are those of the newest, the worst first."""
    decision = classifier.decision
    facts = {
        "Version": str(version or ""),
        "Model": classifier.space.name,
        "Kind": classifier.kind,
        "Classes": f"{len(classifier.labels):,}",
    }
    several = "each picture can have several of these" if decision.many else "each picture has one of these, or none"
    sections = [
        _part("What it is for", about or "Nobody has written what it is for."),
        f"<h2>Classes</h2><p>{escape(several.capitalize())}.</p>",
        plain_table(("class", "other names", "described as"), _classes(classifier)),
        _part("Prompts", f"{classifier.prompts.name}: {' / '.join(classifier.prompts.templates[:8])}"),
        _part("What it learned from", *_learned(classifier)),
        _part("How it answers", *_answers(classifier)),
        "<h2>Measured on labelled sets</h2>",
        _measured(measured),
        _by_class(classes),
        "<h2>Limits</h2>",
        f"<ul>{''.join(f'<li>{escape(limit)}</li>' for limit in LIMITS)}</ul>",
    ]
    return page(f"Card of {name}", facts, [classifier.notice] if classifier.notice else [], sections)


def _part(title: str, *sentences: str) -> str:
    return f"<h2>{escape(title)}</h2>" + "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences if sentence)


def _classes(classifier: Classifier) -> list[tuple[str, str, str]]:
    prompts = classifier.prompts
    rows = [
        (label, ", ".join(prompts.synonyms.get(label, ())), " ".join(prompts.class_prompts.get(label, ())))
        for label in classifier.labels[:MOST]
    ]
    more = len(classifier.labels) - MOST
    return [*rows, (f"and {more:,} more", "", "")] if more > 0 else rows


def _learned(classifier: Classifier) -> list[str]:
    """The labels that it was taught, and what cross-validation said of them."""
    metrics = classifier.metrics
    if classifier.kind == "zero-shot":
        told = ["The names and prompts alone; no labelled picture has moved it."]
    else:
        count = metrics.get("labels")
        told = [f"{count:,} labelled pictures." if isinstance(count, int) else "Labelled pictures."]
    before, after = (_accuracy(metrics.get(when)) for when in ("before", "after"))
    if after:
        what = str(metrics.get("measure", "accuracy"))
        told.append(
            f"On labelled pictures that it had not seen: {what} {after}"
            + (f"; by the words alone {before}." if before else ".")
        )
    return told


def _accuracy(found: Any) -> str:
    if not isinstance(found, Mapping) or not {"accuracy", "low", "high", "n"} <= found.keys():
        return ""
    ends = between((found["low"], found["high"]))
    return f"{points(found['accuracy'])} (95 % interval {ends}, {found['n']:,} pictures)"


def _answers(classifier: Classifier) -> list[str]:
    decision = classifier.decision
    of = f"measured on {decision.calibrated:,} labels" if decision.calibrated else "estimated, not measured on labels"
    told = [f"A picture is answered if the answer is {100 * decision.sure:.0f} % sure or more; how sure it is, is {of}."]
    if decision.promise is not None:
        try:
            told.append(f"It keeps a promise. {in_words(classifier, decision.promise)}")
        except BadInput as error:
            told.append(str(error))
    curve = classifier.metrics.get("curve")
    if isinstance(curve, Mapping) and isinstance(curve.get("error"), float):
        told.append(
            f"What it says to be sure of is off by {points(curve['error'])} on average; chance alone would show "
            f"{points(float(curve.get('chance', 0.0)))} on as many pictures."
        )
    return told


def _by_class(classes: Sequence[ClassRow]) -> str:
    if not classes:
        return ""
    rows = ((row.label, row.support, points(row.recall), between(row.interval)) for row in classes[:MOST])
    return "<h2>Class by class, the worst first</h2>" + plain_table(("class", "pictures", "found", "95 % interval"), rows)


def _measured(results: Sequence[Mapping[str, Any]]) -> str:
    rows: list[Sequence[object]] = [
        (str(row["set"]), int(row["n"]), points(row["top1"]), between(row["interval"])) for row in results[:MOST]
    ]
    if not rows:
        return "<p>It has not been measured on a labelled set yet; the Measure tab and <code>evaluate</code> do that.</p>"
    return plain_table(("set", "pictures", "right", "95 % interval"), rows)
