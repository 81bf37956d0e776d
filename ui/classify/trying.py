"""One picture at once: what the classifier of a board says of a picture that is pasted or comes from a camera. Nothing of it
is kept; the picture itself came by `/api/pictures`."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from clipcore import decide
from clipcore.classify.answers import stand_alone
from clipcore.classify.reasons import reasons

from ..library.search import Pictures
from ..studio import Studio
from .board import Boards


@dataclass
class Trial:
    picture: str  # the name that `/api/pictures` gave it


def add_trying_routes(app: FastAPI, studio: Studio, boards: Boards, pictures: Pictures) -> None:
    """Hang this module's route on the app. It is a plain function, so it runs in a worker thread."""

    @app.post("/api/runs/{run_id}/try")
    def answer(run_id: str, trial: Trial) -> dict[str, Any]:
        classifier = boards.get(run_id).run.classifier
        X = pictures.get(trial.picture, studio.encoder().space.key)[None]
        found = decide(classifier, X, studio.bank())
        (said,) = found.verdicts(classifier.labels)
        return {
            "labels": list(said) if isinstance(said, tuple) else [],  # none where it is unsure, or none of the classes
            "place": int(found.places[0]),
            "figure": round(float(found.figure[0]), 2),
            "why": reasons(found, classifier.labels, stand_alone(classifier))[0],
            "top": found.predictions(classifier.labels)[0].top(5),
        }
