"""Saved classifiers: listed, made from class names, fetched and brought as files, deleted. A number names one version."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import FastAPI, Form, UploadFile
from fastapi.responses import Response
from pydantic import Field

from clipcore import NotFound, PromptSet, zero_shot_classifier
from storage import ClassifierRecord

from ..downloads import download
from ..ids import Id
from ..studio import Studio
from .shapes import MISTAKES, Words

MOST_BYTES = 200_000_000  # of a classifier's file


@dataclass
class Named:
    """A classifier to be made: names of classes, and templates with {label} in them (without any, Sayso's seven)."""

    name: Annotated[Words, Field(examples=["pets"])]
    labels: Annotated[list[Words], Field(examples=[["dog", "cat"]])]
    templates: list[Words] = field(default_factory=list)


@dataclass
class Saved:
    """One saved version of a classifier."""

    id: int
    name: str
    version: int
    created: datetime
    kind: Annotated[str, Field(examples=["zero-shot"])]
    labels: list[str]
    model: str
    about: str


def saved(record: ClassifierRecord) -> Saved:
    return Saved(
        *(record.id, record.name, record.version, record.created, record.kind),
        *(list(record.labels), record.space_name, record.about),
    )


def add_classifier_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library
    asks, says = (partial(way, responses=MISTAKES, tags=["classifiers"]) for way in (app.get, app.post))

    def record(classifier_id: int) -> ClassifierRecord:
        for one in library.classifiers.all():
            if one.id == classifier_id:
                return one
        raise NotFound(f"There is no classifier {classifier_id}, or a newer version; list them again.")

    @asks("/api/v1/classifiers", summary="Saved classifiers")
    def classifiers() -> list[Saved]:
        """The newest version of each."""
        return [saved(one) for one in library.classifiers.all()]

    @asks("/api/v1/classifiers/{classifier_id}", summary="One classifier")
    def one(classifier_id: Id) -> Saved:
        return saved(record(classifier_id))

    @asks("/api/v1/classifiers/{classifier_id}/file", summary="A classifier's file", response_class=Response)
    def file(classifier_id: Id) -> Response:
        """safetensors, which Sayso anywhere opens, and the script of the README without Sayso."""
        found = record(classifier_id)
        data = library.classifiers.get(found.name, found.version).to_bytes()
        return download(data, "application/octet-stream", "classifier.safetensors")

    @says("/api/v1/classifiers", status_code=201, summary="Make a classifier from class names")
    def make(named: Named) -> Saved:
        """It is saved; a name that is taken gets a new version."""
        prompts = (PromptSet(templates=tuple(named.templates)),) if named.templates else ()
        return saved(library.save(zero_shot_classifier(studio.encoder(), named.labels, *prompts), named.name))

    @says("/api/v1/classifiers/files", status_code=201, summary="Bring a classifier's file")
    def bring(file: UploadFile, name: Annotated[Words, Form()]) -> Saved:
        """A file that a Sayso with the same model has written."""
        studio.encoder()
        return saved(library.exchange.import_classifier(file.file.read(MOST_BYTES), name))

    @app.delete(
        "/api/v1/classifiers/{classifier_id}", responses=MISTAKES, tags=["classifiers"], summary="Delete a classifier"
    )
    def delete(classifier_id: Id) -> Saved:
        """All its versions; the answer is what was deleted."""
        found = record(classifier_id)
        library.classifiers.delete(found.name)
        return saved(found)
