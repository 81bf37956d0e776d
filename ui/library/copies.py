"""The routes of duplicates: their groups, and what can be done with one: say that it is none, or set copies aside."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from clipcore import NotFound
from storage import ImageRecord

from ..ids import Id
from ..studio import Studio
from .search import card, check_number


@dataclass
class Apart:
    """Pictures of a group that are no duplicates; or that are again, to take it back."""

    ids: list[Id]
    apart: bool = True


@dataclass
class Aside:
    """Which picture of a group is kept, and which files go."""

    keep: Id
    others: list[Id]


@dataclass
class Back:
    name: str


def add_copies_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    library = studio.library

    @app.get("/api/duplicates/{job_id}")
    def duplicates(job_id: Id) -> dict[str, Any]:
        """Groups of cards, each with its path, its size in words and its pixels."""
        job = studio.jobs.get(job_id)
        if job.kind != "duplicates" or job.result is None:
            raise NotFound("Those duplicates are not known any more; look for them again.")
        images = {
            image.id: image
            for image in library.images_with_ids(
                [image for kind in job.result.values() for group in kind["groups"] for image in group]
            )
        }
        found = {}
        for kind, result in job.result.items():  # without what was removed, or said to be apart, since
            groups = []
            for ids in result["groups"]:
                there = library.still_together([images[image_id] for image_id in ids if image_id in images])
                if len(there) > 1:
                    groups.append([_described(image) for image in there])
            found[kind] = {"total": result["total"] - len(result["groups"]) + len(groups), "groups": groups}
        return found

    @app.post("/api/duplicates/apart")
    def say_apart(some: Apart) -> dict[str, int]:
        return {"changed": library.say_apart(some.ids, some.apart)}

    @app.post("/api/aside")
    def set_aside(some: Aside) -> dict[str, Any]:
        check_number(len(some.others))
        name, done = library.set_aside(some.keep, some.others)
        failed = [[record.path, record.reason] for record in done.failed]
        return {"name": name, "moved": done.changed, "failed": failed, "folder": str(library.home / "aside" / name)}

    @app.get("/api/aside")
    def aside() -> list[dict[str, Any]]:
        """What can be put back, the newest first."""
        return [{"name": name, "files": files} for name, files in library.set_aside_before()]

    @app.post("/api/aside/back")
    def put_back(back: Back) -> dict[str, Any]:
        done = library.put_back(back.name)
        return {"moved": done.changed, "failed": [[record.path, record.reason] for record in done.failed]}


def _described(image: ImageRecord) -> list[Any]:
    size = f"{image.width:,} × {image.height:,}"
    return [*card(image), image.shown_path, size, image.width * image.height]
