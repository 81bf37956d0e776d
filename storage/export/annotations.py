"""What is known of pictures for labelling tools and training pipelines: Label Studio's tasks, and COCO.

COCO was made for boxes; labels of whole pictures follow the dialect of COCO Camera Traps: an annotation has an image and a
category, and no box.
"""

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from ..records import Answer

LOCAL_FILES = "/data/local-files/?d="  # how Label Studio names a file below its document root


def to_label_studio(answers: Iterable[Answer], root: str | None = None, version: str = "sayso") -> str:
    """Tasks for Label Studio's import: a person's label becomes an annotation, a classifier's a prediction with its figure.

    Pictures are named as local files relative to `root`, which is what LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT must say; left
    out, it is the root of the disk. The project needs the configuration of `label_studio_config`.
    """
    tasks = []
    for number, answer in enumerate(answers):
        path = os.path.relpath(answer.image.path, root or os.path.abspath(os.sep))
        where = LOCAL_FILES + quote(os.fsencode(path.replace(os.sep, "/")))
        task: dict[str, Any] = {"data": {"image": where, "path": answer.image.shown_path}}
        if isinstance(answer.said, tuple):
            task["annotations"] = [{"result": [_choices(answer.said, f"said{number}")]}]
        if answer.prediction and isinstance(answer.found, tuple):
            score = round(answer.prediction.score if answer.figure is None else answer.figure, 6)
            guess = {"model_version": version, "score": score, "result": [_choices(answer.found, f"found{number}")]}
            task["predictions"] = [guess]
        tasks.append(task)
    return json.dumps(tasks, ensure_ascii=False, indent=1)


def label_studio_config(labels: Sequence[str], many: bool = False) -> str:
    """The labelling configuration of a Label Studio project with these labels; `many` lets a picture have several."""
    choice = "multiple" if many else "single-radio"
    lines = [f"    <Choice value={quoteattr(label)}/>" for label in labels]
    head = '  <Image name="image" value="$image"/>\n' + f'  <Choices name="label" toName="image" choice="{choice}">'
    return "\n".join(["<View>", head, *lines, "  </Choices>", "</View>", ""])


def _choices(labels: Sequence[str], name: str) -> dict[str, Any]:
    value = {"choices": list(labels)}
    return {"id": name, "from_name": "label", "to_name": "image", "type": "choices", "value": value}


def to_coco(answers: Iterable[Answer], labels: Sequence[str] = (), root: str | None = None) -> str:
    """COCO with labels of whole pictures: images, categories (numbered from 1, `labels` first), annotations without a box.

    A classifier's annotation has its share as `score`, a person's has none. `file_name` is relative to `root`, if given.
    """
    answers = list(answers)
    used = {label for answer in answers for label in answer.labels}
    names = [*labels, *sorted(used - set(labels))]
    number = {name: i for i, name in enumerate(names, 1)}
    images, annotations = list[dict[str, Any]](), list[dict[str, Any]]()
    for answer in answers:
        image = answer.image
        name = os.path.relpath(image.path, root).replace(os.sep, "/") if root else image.path
        shown = name.encode("utf-8", "replace").decode()
        images.append({"id": image.id, "file_name": shown, "width": image.width, "height": image.height})
        for label in answer.labels:
            annotation: dict[str, Any] = {"id": len(annotations) + 1, "image_id": image.id, "category_id": number[label]}
            if answer.by == "classifier" and answer.prediction:
                annotation["score"] = round(_share(answer, label), 6)
            annotations.append(annotation)
    categories = [{"id": i, "name": name, "supercategory": ""} for name, i in number.items()]
    info = {"description": "Labels of whole pictures, after COCO Camera Traps: annotations have no box."}
    coco = {"info": info, "images": images, "categories": categories, "annotations": annotations}
    return json.dumps(coco, ensure_ascii=False, indent=1)


def _share(answer: Answer, label: str) -> float:
    assert answer.prediction is not None
    return float(answer.prediction.shares[answer.prediction.labels.index(label)])
