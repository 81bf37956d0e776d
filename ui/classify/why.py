"""Why a picture got its label: votes of the prompts, the nearest labelled pictures, and where in the picture it is."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from clipcore.classify.explain import overlay, why
from clipcore.classify.tree import is_tree, leaf, levels
from clipcore.pictures.reading import open_image

from ..ids import Id
from ..library.search import card
from ..studio import Studio
from .board import Boards

SIDE = 640  # of the picture with the heat on it
SHOWN = 12  # prompts of a label


def add_why_routes(app: FastAPI, studio: Studio, boards: Boards) -> None:
    """Hang this module's routes on the app. They are plain functions, so each runs in a worker thread."""
    library = studio.library

    @app.get("/api/runs/{run_id}/why/{image_id}")
    def reasons(run_id: str, image_id: Id) -> dict[str, Any]:
        board = boards.get(run_id)
        row = board.row(image_id)
        classifier = board.run.classifier
        examples = library.examples(classifier.labels)
        others = examples.take([i for i, key in enumerate(examples.keys) if key != board.images[row].picture])
        shares = board.answers.shares[row]
        found = why(studio.encoder(), classifier, board.X[row], others, shares=shares)
        tree = levels(classifier.labels, shares) if board.exclusive and is_tree(classifier.labels) else []
        pictures = library.images_with_contents(neighbour.key for neighbour in found.neighbours)
        return {
            "label": found.label,
            "runner_up": found.runner_up,
            "margin": round(found.margin, 4),
            "templates": found.templates,
            "kind": classifier.kind,
            "exclusive": board.exclusive,
            "levels": [[leaf(name), round(share, 4)] for name, share in tree],
            "votes": [
                {
                    "label": votes.label,
                    "share": round(votes.share, 4),
                    "won": votes.won,
                    "prompts": [
                        [prompt, round(cosine, 4)]
                        for prompt, cosine in list(zip(votes.prompts, votes.cosines, strict=True))[:SHOWN]
                    ],
                }
                for votes in found.votes
            ],
            "neighbours": [
                [*card(pictures[neighbour.key]), neighbour.label, round(neighbour.cosine, 3)]
                for neighbour in found.neighbours
                if neighbour.key in pictures
            ],
        }

    @app.get("/api/runs/{run_id}/why/{image_id}/heat.png")
    def heat_map(run_id: str, image_id: Id, label: str | None = None) -> Response:
        from clipcore.classify.heat import heat  # its arrays are NumPy's, but its work is torch's

        classifier = library.runs.get(run_id).classifier
        image = library.image(image_id)
        heated = heat(studio.encoder(), classifier, image.path, label)
        picture = open_image(library.thumbnail(image_id, SIDE))
        headers = {"Cache-Control": "no-store", "X-Heat": heated.method}
        return Response(overlay(picture, heated), media_type="image/png", headers=headers)
