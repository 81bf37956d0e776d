"""What the API's answers are made of, field by field, with an example of each; OpenAPI shows them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from clipcore.classify.answers import Answers
from storage import ImageRecord, JobRecord
from storage.export import answer_row

Words = Annotated[str, Field(max_length=2000)]
Likely = Annotated[float, Field(examples=[0.87], description="How likely the best label is right, 0.01 to 0.99.")]


@dataclass
class Share:
    """A label and what it gets of all labels' shares, 0 to 1."""

    label: Annotated[str, Field(examples=["dog"])]
    share: Annotated[float, Field(examples=[0.91])]


@dataclass
class Answer:
    """What a classifier says of one picture. `answer` is empty where `verdict` is unsure or none of these; then `why_not`
    says why. `error` stands in place of all that where the picture cannot be read."""

    picture: Annotated[str, Field(description="The picture's name, or its place in the request.", examples=["0"])]
    answer: Annotated[list[str], Field(examples=[["dog"]])]
    verdict: Annotated[str, Field(examples=["label"], description="label, unsure or none of these.")]
    likely_right: Likely
    why_not: Annotated[str, Field(examples=[""])]
    shares: list[Share]
    error: str | None = None


@dataclass
class Answered:
    """The answers, in the order of the pictures, and the model whose they are."""

    model: Annotated[str, Field(examples=["starter"])]
    answers: list[Answer]


@dataclass
class Image:
    """A picture of the library. What a search says of it is null elsewhere."""

    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["beach.jpg"])]
    content: Annotated[str, Field(description="The sha256 of its file.")]
    width: int
    height: int
    folder: int
    dated: datetime
    taken: datetime | None
    camera: str | None
    place: str | None
    score: Annotated[float | None, Field(description="Cosine with the query.")] = None
    matches: Annotated[bool | None, Field(description="Whether the words fit it far better than everyday words do.")] = None


@dataclass
class Images:
    """A page of pictures; `next` is the `after` of the next page, null on the last one."""

    total: int
    images: list[Image]
    next: int | None
    clear: Annotated[bool | None, Field(description="Whether anything matches; null where nothing was searched.")] = None


@dataclass
class Job:
    """Long work as it stands: queued, running, done, failed or cancelled."""

    id: Annotated[int, Field(examples=[12])]
    kind: Annotated[str, Field(examples=["drop"])]
    state: Annotated[str, Field(examples=["running"])]
    done: int
    total: int
    message: str
    error: str | None
    created: datetime
    finished: datetime | None
    result: dict[str, Any] | None


@dataclass
class Mistake:
    """What an answer of 4xx or 5xx holds."""

    error: Annotated[str, Field(examples=["There is no picture 7 any more."])]


# what every route may answer beside what it is for
MISTAKES: dict[int | str, dict[str, Any]] = {
    400: {"model": Mistake, "description": "The request cannot be carried out; the sentence says what to change."},
    404: {"model": Mistake, "description": "What the request names is not there."},
    422: {"model": Mistake, "description": "The request is not of the form that is asked for."},
}


def image(record: ImageRecord, score: float | None = None, matches: bool | None = None) -> Image:
    return Image(
        *(record.id, record.name, record.content_hash, record.width, record.height, record.folder_id),
        *(record.dated, record.taken, record.camera, record.place),
        *(None if score is None else round(score, 4), matches),
    )


def job(record: JobRecord) -> Job:
    return Job(
        *(record.id, record.kind, record.state, record.done, record.total, record.message, record.error),
        *(record.created, record.finished, record.result),
    )


def answers(found: Answers, labels: tuple[str, ...], names: list[str], whys: list[str], top: int) -> list[Answer]:
    """An `Answer` for each row of what a classifier found."""
    said, predictions = found.verdicts(labels), found.predictions(labels)
    rows = []
    for name, verdict, prediction, figure, why in zip(names, said, predictions, found.figure.tolist(), whys, strict=True):
        row = answer_row(name, prediction, verdict, figure, why, top)
        shares = [Share(label, share) for label, share in row["top"]]
        rows.append(Answer(name, row["answer"], row["verdict"], row["likely right"], why, shares))
    return rows
