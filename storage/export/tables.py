"""What is known of pictures as tables: CSV for spreadsheets, JSON for programs."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from clipcore import Classifier, Prediction
from clipcore.cells import defused, joined

from ..records import Answer, Verdict, in_words

TOP = 5
COLUMNS = (
    *("path", "label", "by", "your label", "classifier label", "share", "runner-up", "runner-up share", "margin"),
    *("classifier answer", "likely right", "why not"),
)

AUTHORS = ("author", "labelled")


def to_csv(answers: Iterable[Answer]) -> str:
    """One row per picture. `label` is the person's, or else the classifier's, and empty where neither gave one.

    `classifier label` is the classifier's best one, whether it was sure or not; `classifier answer` is what it answered by
    its dial, `likely right` its one figure, 0.01 to 0.99, which the dial compares, and `why not` why there is no answer.
    Several labels of a picture are joined with "; ", see `label_cell`. Every cell is quoted, and one that a
    spreadsheet would take for a formula is defused with a leading apostrophe. `storage.labels.imports.read_csv` reads back
    exactly what a person said. Where people have accounts, two columns more say who said it and when.
    """
    answers = list(answers)
    has_authors = any(answer.author for answer in answers)
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow((*COLUMNS, *(AUTHORS if has_authors else ())))
    for answer in answers:
        found, second = answer.prediction, answer.runner_up
        cells = [
            answer.image.shown_path,
            label_cell(answer.labels),
            answer.by if answer.labels else "",
            label_cell(answer.said),
            found.label if found else "",
            f"{found.score:.6f}" if found else "",
            second[0] if second else "",
            f"{second[1]:.6f}" if second else "",
            f"{found.margin:.6f}" if found else "",
            label_cell(answer.found),
            f"{answer.figure:.2f}" if answer.figure is not None else "",
            answer.why,
            *((answer.author, answer.when.isoformat() if answer.when else "") if has_authors else ()),
        ]
        writer.writerow([defused(cell) for cell in cells])
    return text.getvalue()


def to_json(answers: Iterable[Answer], classifier: Classifier | None = None) -> str:
    """The classifier's labels, prompts and model, and for each picture its label, whose it is, and all shares.

    `said` and `answer` are the labels of the person and of the classifier, none where it is unsure or none of these;
    `said verdict` and `verdict` tell these apart: "label", "unsure", "none of these", or null where nothing was said.
    """
    rows = []
    for answer in answers:
        row = {"path": answer.image.shown_path, **_said(answer)}
        if answer.prediction:
            row["classifier"] = prediction_row(answer.image.shown_path, answer.prediction, len(answer.prediction.labels))
            del row["classifier"]["path"]
        rows.append(row)
    header = _header(classifier) if classifier else {}
    return json.dumps({**header, "images": rows}, ensure_ascii=False, indent=1)


def _said(answer: Answer) -> dict[str, Any]:
    row: dict[str, Any] = {
        "labels": list(answer.labels),
        "by": answer.by if answer.labels else None,
        "said": labels_of(answer.said),
        "said verdict": kind_of(answer.said),
        "answer": labels_of(answer.found),
        "verdict": kind_of(answer.found),
    }
    if answer.author:
        row |= {"author": answer.author, "labelled": answer.when.isoformat() if answer.when else None}
    return row if answer.figure is None else {**row, "likely right": round(answer.figure, 2), "why not": answer.why}


def _header(classifier: Classifier) -> dict[str, Any]:
    return {
        "labels": classifier.labels,
        "kind": classifier.kind,
        "activation": classifier.activation,
        "temperature": classifier.decision.temperature,
        "calibrated": classifier.decision.calibrated,
        "dial": classifier.decision.sure,
        "prompts": classifier.prompts.to_json(),
        "model": {"name": classifier.space.name, "space": classifier.space.key},
    }


def sets_to_csv(sets: Mapping[str, Iterable[Answer]]) -> str:
    """One row per picture, and for each label set, by its name, three columns as in `to_csv`: label, by, likely right."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["path", *(defused(cell) for name in sets for cell in (name, f"{name}: by", f"{name}: likely right"))])
    for path, answers in _by_path(sets):
        cells = [path]
        for answer in map(answers.get, sets):
            label = label_cell(answer.labels) if answer else ""
            likely = f"{answer.figure:.2f}" if answer and answer.figure is not None else ""
            cells += [label, answer.by if answer and label else "", likely]
        writer.writerow([defused(cell) for cell in cells])
    return text.getvalue()


def sets_to_json(sets: Mapping[str, Iterable[Answer]], classifiers: Mapping[str, Classifier]) -> str:
    """The label sets by name, each with what `to_json` says of its classifier, and for each picture what it has in each."""
    rows = [
        {"path": path, "sets": {name: _said(answer) for name, answer in answers.items()}} for path, answers in _by_path(sets)
    ]
    header = {name: _header(classifier) for name, classifier in classifiers.items()}
    return json.dumps({"sets": header, "images": rows}, ensure_ascii=False, indent=1)


def _by_path(sets: Mapping[str, Iterable[Answer]]) -> list[tuple[str, dict[str, Answer]]]:
    found: dict[int, tuple[str, dict[str, Answer]]] = {}
    for name, answers in sets.items():
        for answer in answers:
            found.setdefault(answer.image.id, (answer.image.shown_path, {}))[1][name] = answer
    return [found[image_id] for image_id in sorted(found)]


def prediction_row(path: str, prediction: Prediction, k: int = TOP) -> dict[str, Any]:
    """One image's answer as plain values, the k best labels with it."""
    return {
        "path": path,
        "label": prediction.label,
        "share": round(prediction.score, 6),
        "margin": round(prediction.margin, 6),
        "top": [[label, round(share, 6)] for label, share in prediction.top(k)],
    }


def answer_row(path: str, prediction: Prediction, verdict: Verdict, figure: float, why: str, k: int = TOP) -> dict[str, Any]:
    """`prediction_row` with the answer, a list of labels, its verdict ("label", "unsure" or "none of these") and its figure;
    or why there is no answer."""
    told = {"answer": labels_of(verdict), "verdict": kind_of(verdict), "likely right": round(figure, 2), "why not": why}
    return {**prediction_row(path, prediction, k), **told}


def label_cell(verdict: Verdict) -> str:
    """A verdict as one cell: labels (see `clipcore.cells.joined`), "unsure", "none of these", or nothing."""
    return joined(verdict) if isinstance(verdict, tuple) else in_words(verdict)


def labels_of(verdict: Verdict | None) -> list[str]:
    return list(verdict) if isinstance(verdict, tuple) else []


def kind_of(verdict: Verdict | None) -> str | None:
    return "label" if isinstance(verdict, tuple) else in_words(verdict) or None
