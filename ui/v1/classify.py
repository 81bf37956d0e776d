"""Pictures in, answers out: pictures of the library by id, pictures in base64, or files of a form; with a saved classifier
or with class names. Nothing that is sent is kept."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from fastapi import Body, FastAPI, File, Form, UploadFile
from pydantic import Field

from clipcore import BadImage, BadInput, Classifier, PromptSet, TooMany, decide, zero_shot_classifier
from clipcore.classify.answers import grounded, stand_alone
from clipcore.classify.reasons import reasons
from clipcore.pictures.reading import MAX_BYTES

from ..ids import Id
from ..studio import Studio
from .shapes import MISTAKES, Answer, Answered, Words, answers
from .together import Together

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

MOST = 64  # pictures of a request
TOP = 5  # labels with their shares in an answer, unless asked for
Top = Annotated[int, Field(ge=1, le=1000, description="So many labels with their shares.")]
EXAMPLES: dict[str, Any] = {
    "class names": {"value": {"pictures": [{"id": 7}], "labels": ["dog", "cat"], "templates": ["a photo of a {label}."]}},
    "a saved classifier": {"value": {"pictures": [{"base64": "iVBORw0KGgo="}], "classifier": "pets"}},
}


@dataclass
class Sent:
    """A picture: the `id` of one of the library's, or a file of at most 50 MB in `base64`."""

    id: Id | None = None
    base64: Annotated[str, Field(max_length=4 * 50_000_000 // 3 + 4)] = ""


@dataclass
class Asked:
    """Pictures, and what to sort them by: the name of a saved `classifier`, or `labels` with the templates of their prompts
    (without any, Sayso's seven)."""

    pictures: list[Sent]
    classifier: Words = ""
    labels: list[Words] = field(default_factory=list)
    templates: list[Words] = field(default_factory=list)
    top: Top = TOP


class Sorting:
    """What the routes share: classifiers that are ready, and forward passes."""

    def __init__(self, studio: Studio) -> None:
        self._studio, self._library = studio, studio.library
        self._together = Together()
        self._zero_shot: dict[tuple[Any, ...], Classifier] = {}  # the latest few, by what they were made of

    def answer(self, names: Sequence[str], files: Sequence[bytes | int], asked: Asked) -> Answered:
        """Raises BadInput, NotFound, SpaceMismatch; a picture that cannot be read has an answer that says so."""
        if not names:
            raise BadInput("There is no picture in this; send one or more.")
        if len(names) > MOST:
            raise TooMany(f"These are {len(names)} pictures; {MOST} go at once. Send the others in another request.")
        encoder = self._studio.encoder()
        classifier = self._classifier(encoder, asked)
        prepared = [_done(one) for one in [self._prepared(encoder, file) for file in files]]
        readable = [i for i, picture in enumerate(prepared) if not isinstance(picture, str)]
        found: list[Answer] = [
            Answer(name, [], "", 0.0, "", [], picture if isinstance(picture, str) else None)
            for name, picture in zip(names, prepared, strict=True)
        ]
        if readable:
            X = self._vectors(encoder, [prepared[i] for i in readable])
            decided = decide(classifier, X, self._studio.bank() if classifier.decision.level is None else None)
            why = reasons(decided, classifier.labels, stand_alone(classifier))
            told = answers(decided, classifier.labels, [names[i] for i in readable], why, asked.top)
            for i, answer in zip(readable, told, strict=True):
                found[i] = answer
        return Answered(encoder.space.name, found)

    def _prepared(self, encoder: "Encoder", file: bytes | int) -> "np.ndarray | Future[Any]":
        """A picture on its way to be ready for the model, or its vector if it is the library's and has one."""
        if isinstance(file, bytes):
            return self._together.do(encoder, lambda: encoder.prepare(file))
        _, X = self._library.embeddings([file])
        if len(X):
            return X[0]
        return self._together.do(encoder, lambda: encoder.prepare(self._library.thumbnail(file, 1280)))

    def _vectors(self, encoder: "Encoder", prepared: Sequence[Any]) -> np.ndarray:
        """Vectors [n, dim]: those that are there already, and the others from the model."""
        fresh = iter(self._together.embed(encoder, [one for one in prepared if not isinstance(one, np.ndarray)]))
        return np.stack([one if isinstance(one, np.ndarray) else next(fresh) for one in prepared])

    def _classifier(self, encoder: "Encoder", asked: Asked) -> Classifier:
        if bool(asked.classifier) == bool(asked.labels):
            raise BadInput("Give either the name of a saved classifier or labels, and not both.")
        if asked.classifier:
            if asked.templates:
                raise BadInput("A saved classifier has prompts of its own; leave the templates out.")
            head = self._library.classifiers.get(asked.classifier)
            encoder.space.require(head.space, f"The classifier {asked.classifier}")
            return head
        key = (encoder.space.key, tuple(asked.labels), tuple(asked.templates))
        if key not in self._zero_shot:
            prompts: tuple[Any, ...] = (PromptSet(templates=tuple(asked.templates)),) if asked.templates else ()
            made = zero_shot_classifier(encoder, asked.labels, *prompts)
            sample = self._library.sample(1000)
            while len(self._zero_shot) >= 16:
                self._zero_shot.pop(next(iter(self._zero_shot)))
            self._zero_shot[key] = grounded(made, sample, self._studio.bank()) if len(sample) else made
        return self._zero_shot[key]


def add_classify_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    sorting = Sorting(studio)
    says = partial(app.post, responses=MISTAKES, tags=["classify"])

    @says("/api/v1/classify", summary="Sort pictures")
    def classify(asked: Annotated[Asked, Body(openapi_examples=EXAMPLES)]) -> Answered:
        """Pictures of the library by id, or in base64. One that cannot be read has an `error` in place of an answer."""
        names = [str(one.id) if one.id is not None else str(place) for place, one in enumerate(asked.pictures)]
        return sorting.answer(names, [_content(one) for one in asked.pictures], asked)

    @says("/api/v1/classify/files", summary="Sort files")
    def classify_files(
        files: Annotated[list[UploadFile], File(description="Picture files, 64 at most.")],
        classifier: Annotated[Words, Form()] = "",
        labels: Annotated[list[Words] | None, Form(description="One field for each class name.")] = None,
        templates: Annotated[list[Words] | None, Form()] = None,
        top: Annotated[Top, Form()] = TOP,
    ) -> Answered:
        """The same for files as a form sends them, which costs a third less to send."""
        asked = Asked([], classifier, labels or [], templates or [], top)
        return sorting.answer(
            [file.filename or "" for file in files], [file.file.read(MAX_BYTES + 1) for file in files], asked
        )


def _done(one: "np.ndarray | Future[Any]") -> Any:
    """A vector, a picture that is ready for the model, or why it cannot be read."""
    try:
        return one if isinstance(one, np.ndarray) else one.result()
    except BadImage as error:
        return str(error)


def _content(sent: Sent) -> bytes | int:
    if (sent.id is None) == (not sent.base64):
        raise BadInput("A picture has either an id or base64; send one of them for each.")
    if sent.id is not None:
        return sent.id
    try:
        return b64decode(sent.base64, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("That is no base64; send the picture's bytes in it.") from None
