"""The HTTP API for programs, `/api/v1`: what stands here stays as it is; what the page's own elements ask for may change.

Every route takes ids, never paths; a mistake is {"error": one sentence} with a 4xx. docs/api.md shows it at work.
"""

from fastapi import FastAPI

from ..studio import Studio
from .classifiers import add_classifier_routes
from .classify import add_classify_routes
from .jobs import add_job_routes
from .labels import add_label_routes
from .library import add_library_routes
from .reference import add_reference

__all__ = ["add_v1"]


def add_v1(app: FastAPI, studio: Studio) -> None:
    """Hang the API on the app. Its routes are plain functions, so each runs in a worker thread."""
    add_classify_routes(app, studio)
    add_library_routes(app, studio)
    add_label_routes(app, studio)
    add_classifier_routes(app, studio)
    add_job_routes(app, studio)
    add_reference(app)
