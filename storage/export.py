"""What a classification says, as files other programs read: CSV and JSON."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from clipcore import Classifier, Prediction

from .records import ImageRecord

TOP = 5


def to_csv(images: Sequence[ImageRecord], predictions: Iterable[Prediction]) -> str:
    """One row per image: path, the best label, its share, the margin to the next, and up to five labels with shares.

    Every cell is quoted, and one that a spreadsheet would take for a formula is defused with a leading apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    ranks = [f"{column} {rank}" for rank in range(1, TOP + 1) for column in ("label", "share")]
    writer.writerow(["path", "label", "share", "margin", *ranks])
    for image, prediction in zip(images, predictions, strict=True):
        top = [cell for label, share in prediction.top(TOP) for cell in (defused(label), f"{share:.6f}")]
        padding = [""] * (2 * TOP - len(top))
        best = [defused(prediction.label), f"{prediction.score:.6f}", f"{prediction.margin:.6f}"]
        writer.writerow([defused(image.shown_path), *best, *top, *padding])
    return text.getvalue()


def to_json(images: Sequence[ImageRecord], predictions: Iterable[Prediction], classifier: Classifier) -> str:
    """The classifier's labels, prompts and model, and for each image its path, label, margin and all shares."""
    rows = [
        prediction_row(image.shown_path, prediction, len(classifier.labels))
        for image, prediction in zip(images, predictions, strict=True)
    ]
    header = {
        "labels": classifier.labels,
        "kind": classifier.kind,
        "activation": classifier.activation,
        "prompts": classifier.prompts.to_json(),
        "model": {"name": classifier.space.name, "space": classifier.space.key},
    }
    return json.dumps({**header, "images": rows}, ensure_ascii=False, indent=1)


def prediction_row(path: str, prediction: Prediction, k: int = TOP) -> dict[str, Any]:
    """One image's answer as plain values, the k best labels with it."""
    return {
        "path": path,
        "label": prediction.label,
        "share": round(prediction.score, 6),
        "margin": round(prediction.margin, 6),
        "top": [[label, round(share, 6)] for label, share in prediction.top(k)],
    }


def defused(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula: before = + - @ or a control character goes an apostrophe."""
    return "'" + cell if cell[:1] in tuple("=+-@\t\r\n") else cell
