"""What people, or their programs, say of pictures: labels given, taken back, counted, written out."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import Field

from clipcore import BadInput
from storage.export import to_coco, to_csv, to_json

from ..downloads import download
from ..ids import Id
from ..library.search import check_number
from ..studio import Studio
from .shapes import MISTAKES, Words

CLIENT = "api"  # whose steps they are, for undo
Format = Literal["csv", "json", "coco"]


@dataclass
class Labelling:
    """Of the `images` it is said that they are a `label` (1), are not (-1), or that it cannot be told (0). With `among`, the
    classes that exclude each other, the label takes the place of the others."""

    images: list[Id]
    label: Annotated[Words, Field(examples=["dog"])]
    value: Literal[1, 0, -1] = 1
    among: list[Words] = field(default_factory=list)


@dataclass
class Changed:
    """How many pictures were changed, and how many were left alone because somebody else had changed them meanwhile."""

    changed: int
    skipped: int = 0


def add_label_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library
    asks, says = (partial(way, responses=MISTAKES, tags=["labels"]) for way in (app.get, app.post))

    @asks("/api/v1/labels", summary="Labels and their numbers of pictures")
    def counts() -> dict[str, int]:
        return library.labels.counts()

    @asks("/api/v1/images/{image_id}/labels", summary="What is said of a picture")
    def of(image_id: Id) -> dict[str, int]:
        """1 it is, -1 it is not, 0 it cannot be told."""
        library.image(image_id)
        return library.labels.of([image_id]).get(image_id, {})

    @says("/api/v1/labels", summary="Label pictures")
    def label(step: Labelling) -> Changed:
        """All of them as one step, which undo takes back."""
        check_number(len(step.images))
        if not step.images:
            raise BadInput("No picture is named; give one or more ids in images.")
        if step.among:
            if step.value != 1 or step.label not in step.among:
                raise BadInput("With among, the label is one of those classes, and the value is 1.")
            moved = library.labels.move(step.images, step.label, step.among, CLIENT)
        else:
            moved = library.labels.label_many(step.images, step.label, step.value, CLIENT)
        return Changed(len(moved.changed), len(moved.skipped))

    @says("/api/v1/labels/undo", summary="Take the last step back")
    def undo() -> Changed:
        """The last one that came by this API."""
        moved = library.labels.undo(CLIENT)
        if moved is None:
            raise BadInput("There is no label to take back.")
        return Changed(len(moved.changed), len(moved.skipped))

    @asks("/api/v1/exports/labels", summary="All labelled pictures", response_class=Response)
    def labels(form: Format = "csv", folder: Id | None = None) -> Response:
        """As a table, as JSON, or as COCO's categories."""
        answers = library.exchange.answers(folder_id=folder)
        if form == "csv":
            return download("\ufeff" + to_csv(answers), "text/csv; charset=utf-8", "labels.csv")
        if form == "coco":
            return download(to_coco(answers, list(library.labels.counts())), "application/json", "coco.json")
        return download(to_json(answers), "application/json", "labels.json")
