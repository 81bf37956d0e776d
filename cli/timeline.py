"""What a video shows when: its frames classified, and joined to a timeline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import Home, Json, Labels, Model, command, draw, emit, open_library, saved_classifier, say, typed_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence


@command
def timeline(
    video: Annotated[Path, typer.Argument(help="The video; needs the extra video.")],
    labels: Labels = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    every: Annotated[float, typer.Option(help="Look at a frame every so many seconds.")] = 1.0,
    sure: Annotated[
        float | None, typer.Option(min=0, max=1, help="How likely right an answer must be; as classify.")
    ] = None,
    frames_to: Annotated[Path | None, typer.Option("--frames", help="Also keep the frames in this folder, as JPEG.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Classify a video by its frames: from when to when it shows what."""
    from dataclasses import replace

    import numpy as np

    from clipcore import BadInput, decide, generic_bank, iter_zero_shot_classifier
    from clipcore.classify.answers import grounded
    from clipcore.pictures.video import frames
    from storage.export.tables import label_cell

    if (labels is None) == (classifier is None):
        raise BadInput('Give either --labels "cat, dog, rabbit" or --classifier NAME.')
    if not video.is_file():
        raise BadInput(f"There is no video {video}; check the path.")
    typed = None if labels is None else typed_prompts(labels, None, None)
    with open_library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if typed is not None:
            head = draw(iter_zero_shot_classifier(encoder, *typed), unit="prompts")
        else:
            head = saved_classifier(library, str(classifier))
            encoder.space.require(head.space, f"The classifier {classifier}")
        head = head if sure is None else head.with_decision(replace(head.decision, sure=sure, promise=None))
        times: list[float] = []
        vectors: list[np.ndarray] = []
        batch: list[Any] = []
        for time, picture in frames(video, every):
            if frames_to:
                frames_to.mkdir(parents=True, exist_ok=True)
                picture.save(frames_to / f"{video.stem}-{time:09.2f}.jpg", quality=90)
            times.append(time)
            batch.append(encoder.prepare(picture))
            if len(batch) == encoder.batch_size:
                vectors.append(encoder.embed_prepared(batch))
                batch = []
        if batch:
            vectors.append(encoder.embed_prepared(batch))
        if not vectors:
            raise BadInput(f"{video.name} has no frame that could be read.")
        X = np.concatenate(vectors)
        head = grounded(head, X, generic_bank(encoder))
        answers = decide(head, X)
        told = [label_cell(verdict) for verdict in answers.verdicts(head.labels)]
        if head.notice:
            say(head.notice)
    row: dict[str, Any]
    for start, end, label, rows in joined(times, told, every):
        likely = float(answers.figure[rows].mean())
        row = {"from": round(start, 2), "to": round(end, 2), "answer": label, "frames": len(rows)}
        row["likely right"] = round(likely, 2)
        emit(as_json, row, f"{clock(start)} to {clock(end)}  {label:20}  {likely:4.0%}  {len(rows):,} frames")


def joined(times: "Sequence[float]", answers: "Sequence[str]", every: float) -> list[tuple[float, float, str, list[int]]]:
    """Neighbouring frames with the same answer as one: from, to, the answer, and which frames."""
    spans: list[tuple[float, float, str, list[int]]] = []
    for row, (time, answer) in enumerate(zip(times, answers, strict=True)):
        end = times[row + 1] if row + 1 < len(times) else time + every
        if spans and spans[-1][2] == answer:
            start, _, _, rows = spans[-1]
            spans[-1] = start, end, answer, [*rows, row]
        else:
            spans.append((time, end, answer, [row]))
    return spans


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{seconds % 60:04.1f}"
