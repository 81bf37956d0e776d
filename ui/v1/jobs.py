"""Long work: how it stands, and its end."""

from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query

from ..ids import Id, Offset
from ..studio import Studio
from .shapes import MISTAKES, Job, job


def add_job_routes(app: FastAPI, studio: Studio) -> None:
    """Hang this module's routes on the app."""
    jobs = studio.jobs
    asks, says = (partial(way, responses=MISTAKES, tags=["jobs"]) for way in (app.get, app.post))

    @asks("/api/v1/jobs", summary="The latest jobs")
    def latest(limit: Annotated[Offset, Query(ge=1, le=100)] = 20) -> list[Job]:
        """The newest first."""
        return [job(one) for one in jobs.recent(limit)]

    @asks("/api/v1/jobs/{job_id}", summary="One job")
    def one(job_id: Id) -> Job:
        return job(jobs.get(job_id))

    @says("/api/v1/jobs/{job_id}/cancel", summary="Stop a job")
    def cancel(job_id: Id) -> Job:
        """After its current step; what it has done so far stays."""
        jobs.get(job_id)
        jobs.cancel(job_id)
        return job(jobs.get(job_id))
