"""The server: FastAPI first, Gradio mounted on it, and guards before both.

Loopback only, unless a password is given. Whatever the address, a page of another site can neither read from it (host
check, against DNS rebinding) nor post to it (origin check; a multipart post needs no preflight).
"""

import asyncio
import base64
import binascii
import logging
import os
import secrets
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from fastapi import FastAPI, HTTPException, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipcore import BadInput

from .api import add_routes
from .studio import Studio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STATIC = Path(__file__).with_name("static")
GRACE = 3  # seconds that answers under way get at the end; a page's stream of news has no end of its own
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses strangers, and puts `HEADERS` on every answer. Plain ASGI: Starlette's `@app.middleware` passes each answer
    through a queue and a task, four times the work (0.16 ms against 0.04)."""

    def __init__(self, app: ASGIApp, password: str | None) -> None:
        self.app, self.password = app, password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer: ASGIApp = self.app
        if not same_origin(request := Request(scope)):
            answer = PlainTextResponse("This request comes from another site and was refused.", 403)
        elif self.password and not knows(request, self.password):
            answer = PlainTextResponse("A password is needed.", 401, {"WWW-Authenticate": 'Basic realm="Sayso"'})
        await answer(scope, receive, send_guarded)


def create_app(studio: Studio, host: str = "127.0.0.1", password: str | None = None) -> FastAPI:
    """The whole application, ready for uvicorn. Raises BadInput for an open address without a password."""
    if host not in LOOPBACK and not password:
        raise BadInput(f"Serving at {host} would let anyone on the network in; set SAYSO_PASSWORD first, or use 127.0.0.1.")
    import gradio as gr

    from .page import HEAD, build
    from .theme import CSS, THEME

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> "AsyncIterator[None]":
        studio.start()
        yield
        studio.stop()

    app = FastAPI(title="Sayso", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    app.add_middleware(Guard, password=password)
    app.add_middleware(GZipMiddleware, minimum_size=2000)
    if host in LOOPBACK:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.mount("/elements", StaticFiles(directory=STATIC), name="elements")  # /static is one of Gradio's own paths
    add_routes(app, studio)
    return gr.mount_gradio_app(
        app,
        build(studio),
        path="/",
        theme=THEME,
        css=CSS,
        head=HEAD,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        max_file_size="500mb",
    )


def same_origin(request: Request) -> bool:
    """Whether a request that can change something was sent by our own page, or by a program that is no browser."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return True
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def knows(request: Request, password: str) -> bool:
    """Whether the request carries the password (HTTP Basic; any user name)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        _, _, word = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return secrets.compare_digest(word.encode(), password.encode())


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections. Raises OSError."""
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # An answer goes out in two parts, head and body; without this the second may wait 40 ms for the first one's receipt.
    # Connections inherit it. asyncio sets it itself, but only where a socket names its protocol, and this one does not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def is_news(record: logging.LogRecord) -> bool:
    """A filter of uvicorn's log: without what Gradio raises, as a page of traceback, where a window goes in the moment in
    which its next stream of messages begins, and without the streams of open pages that are cut off when Sayso ends. Nothing
    is lost by that: there is nobody left to tell."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, asyncio.CancelledError) or "timeout graceful shutdown exceeded" in record.getMessage():
        return False
    cause = error.__cause__ if isinstance(error, RuntimeError) else None
    return not (isinstance(cause, HTTPException) and cause.status_code == 404)


def serve(studio: Studio, host: str, port: int, password: str | None = None) -> None:
    """Serve until interrupted. Raises BadInput if the address cannot be used, for instance because the port is taken."""
    import uvicorn

    app = create_app(studio, host, password)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise BadInput(
            f"Port {port} at {host} cannot be used ({os.strerror(error.errno or 0)}); choose another with --port."
        ) from None
    shown = f"[{host}]" if ":" in host else host
    print(f"Sayso is at http://{shown}:{port}  (Ctrl+C ends it)", flush=True)
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE)
    logging.getLogger("uvicorn.error").addFilter(is_news)
    with listener:
        uvicorn.Server(config).run([listener])
