"""What those who run a server ask of it: whether it lives (/healthz), whether it can answer (/readyz), how much it does
(/metrics, in Prometheus's text format), and a number for each request, in the log and in the answer (X-Request-ID)."""

import logging
import re
import secrets
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipcore import SaysoError

from .studio import Studio

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ASKED = re.compile(rb"[\w.:-]{1,64}")

STREAM = re.compile(r"/gradio_api/(heartbeat|queue/data|upload_progress)\b")
LATE = JSONResponse({"error": "Sayso is ending; ask again in a moment."}, 503, {"Retry-After": "5", "Connection": "close"})

log = logging.getLogger("sayso.requests")


class Counts:
    """What was answered since the start: by route, method and status, and how long it took. For the event loop's thread.

    `under_way` are requests that will have an answer; streams of news to open pages, which go on for ever, are none. Once
    `ending` is set all that comes is refused.
    """

    def __init__(self) -> None:
        self.under_way, self.ending = 0, False
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(SECONDS) + 1))
        self._sums: Counter[str] = Counter()

    def add(self, route: str, method: str, status: int, seconds: float) -> None:
        self._answers[route, method, status] += 1
        self._seconds[route][bisect_left(SECONDS, seconds)] += 1
        self._sums[route] += seconds  # type: ignore[assignment]

    def lines(self) -> Iterator[str]:
        """In Prometheus's text format."""
        yield "# TYPE sayso_requests_total counter"
        for (route, method, status), count in sorted(self._answers.items()):
            yield f'sayso_requests_total{{route="{route}",method="{method}",status="{status}"}} {count}'
        yield "# TYPE sayso_request_seconds histogram"
        for route, counts in sorted(self._seconds.items()):
            total = 0
            for bound, count in zip((*map(str, SECONDS), "+Inf"), counts, strict=True):
                total += count
                yield f'sayso_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'sayso_request_seconds_sum{{route="{route}"}} {self._sums[route]:.6f}'
            yield f'sayso_request_seconds_count{{route="{route}"}} {total}'


class Counted:
    """Counts and numbers every request, and refuses what comes when the server is ending. The outermost of all: also what is
    refused is counted."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self.app, self.counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        number = given.decode() if ASKED.fullmatch(given) else secrets.token_hex(8)
        began, status = time.perf_counter(), 500

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        app: ASGIApp = LATE if self.counts.ending and scope["path"] != "/healthz" else self.app
        is_awaited = STREAM.match(scope["path"]) is None
        self.counts.under_way += is_awaited
        try:
            await app(scope, receive, send_numbered)
        finally:
            self.counts.under_way -= is_awaited
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "other")  # never the path itself: there is no end of them
            self.counts.add(route, scope["method"], status, seconds)
            told = {"request": number, "method": scope["method"], "route": route, "status": status}
            log.info("%s %s %s", scope["method"], route, status, extra={**told, "ms": round(1000 * seconds, 1)})


def add_health(app: FastAPI, studio: Studio, counts: Counts) -> None:
    """Hang the routes on the app."""

    @app.get("/healthz")
    async def healthz() -> PlainTextResponse:
        """On the event loop, without a worker thread: an answer means that the process lives, and no more than that."""
        return PlainTextResponse("ok")

    @app.get("/readyz")
    def readyz() -> JSONResponse:
        """200 once the model is there and the database answers; 503 before, and when it is ending."""
        parts = {"model": not studio.loading and studio.encoder_if_ready() is not None, "jobs": studio.jobs.alive}
        try:
            studio.jobs.newest()
            parts["database"] = True
        except SaysoError:
            parts["database"] = False
        return JSONResponse(parts, 200 if all(parts.values()) else 503)

    @app.get("/metrics")
    def metrics() -> PlainTextResponse:
        """Counts since the start, and how things stand."""
        active = Counter(job.state for job in studio.jobs.active())
        lines = [
            *counts.lines(),
            "# TYPE sayso_jobs gauge",
            *(f'sayso_jobs{{state="{state}"}} {active[state]}' for state in ("queued", "running")),
            "# TYPE sayso_images gauge",
            f"sayso_images {studio.library.count()}",
            "# TYPE sayso_model_ready gauge",
            f"sayso_model_ready {int(studio.encoder_if_ready() is not None)}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")
