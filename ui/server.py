"""The server: FastAPI first, Gradio mounted on it, and guards before both (`ui.guard`).

Loopback only, unless a password is given. Whatever the address, a page of another site can neither read from it (host
check, against DNS rebinding) nor post to it (origin check; a multipart post needs no preflight).
"""

import asyncio
import logging
import os
import socket
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from fastapi import FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from clipcore import BadInput

from .api import add_routes
from .guard.asking import NO_PROXY, Asking, Doorkeeper, Proxy
from .guard.bodies import UPLOAD, Bodies
from .guard.offered import head_for
from .guard.passwords import LEAST_LETTERS, Passwords
from .guard.rates import Rates
from .guard.sign_in import add_sign_in_routes
from .guard.uploads import Incoming, mount
from .guard.visitors import Nonces, Visitors
from .health import Counted, Counts, add_health
from .studio import Studio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gradio import Blocks

LOOPBACK = ("127.0.0.1", "localhost", "::1")
STATIC = Path(__file__).with_name("static")
GRACE = 1  # seconds that connections get at the very end; a page's stream of news has no end of its own


def create_app(
    studio: Studio,
    host: str = "127.0.0.1",
    password: str | None = None,
    proxy: Proxy = NO_PROXY,
    hosts: "Sequence[str]" = (),
) -> FastAPI:
    """The whole application, ready for uvicorn. Raises BadInput for an open address without accounts or a good password.

    proxy   the reverse proxy that says who asks
    hosts   the names under which it serves this
    """
    keeper = Doorkeeper(studio.library.people, proxy)
    has_accounts = keeper.has_accounts()
    if host not in LOOPBACK and not password and not has_accounts:
        raise BadInput(
            f"Serving at {host} would let anyone on the network in. Set SAYSO_PASSWORD first, make accounts with "
            "“python app.py people add”, or use 127.0.0.1."
        )
    if host not in LOOPBACK and password and not has_accounts and len(password) < LEAST_LETTERS:
        raise BadInput(f"On a network that password is soon guessed. Give SAYSO_PASSWORD {LEAST_LETTERS} letters or more.")
    incoming = Incoming.of(studio.library.home)
    os.environ["GRADIO_TEMP_DIR"] = str(incoming.folder)  # before Gradio's parts are made: each keeps it
    from .page import FIRST, HEAD, build
    from .theme import CSS, THEME

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> "AsyncIterator[None]":
        studio.start()
        yield
        studio.stop()
        incoming.empty()

    app = FastAPI(title="Sayso", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    app.state.has_password, app.state.doorkeeper = bool(password), keeper
    # the last one added is asked first
    app.add_middleware(CORSMiddleware)  # allows nobody; without it Gradio would allow every page of this computer
    app.add_middleware(Nonces, told=lambda scope: FIRST + head_for(scope, blocks))
    app.add_middleware(Bodies)
    app.add_middleware(Asking, doorkeeper=keeper)
    app.add_middleware(Rates)
    app.add_middleware(Visitors, passwords=Passwords(password) if password else None, doorkeeper=keeper)
    app.add_middleware(GZipMiddleware, minimum_size=2000)
    if host in LOOPBACK or hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]", *hosts])
    app.state.counts = counts = Counts()
    app.add_middleware(Counted, counts=counts)
    app.mount("/elements", StaticFiles(directory=STATIC), name="elements")  # /static is one of Gradio's own paths
    add_sign_in_routes(app, keeper)
    add_routes(app, studio)
    add_health(app, studio, counts)
    blocks = build(studio)
    mount(
        app,
        blocks,
        incoming,
        theme=THEME,
        css=CSS,
        head=HEAD,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        max_file_size=UPLOAD,
    )
    _calm(blocks)
    return app


def _calm(blocks: "Blocks") -> None:
    """Gradio asks its own queue a thousand times a second whether there is work, which takes a core 70 ms of each second.
    Two hundred times costs 15, and an event waits 2.5 ms more; its progress bars, asked about as often, are not used."""
    queue = blocks._queue
    queue.sleep_when_free = max(queue.sleep_when_free, 0.005)
    queue.progress_update_sleep_when_free = max(queue.progress_update_sleep_when_free, 0.2)


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


def serve(
    studio: Studio,
    host: str,
    port: int,
    password: str | None = None,
    listening: "Callable[[str], object] | None" = None,
    proxy: Proxy = NO_PROXY,
    hosts: "Sequence[str]" = (),
) -> None:
    """Serve until interrupted; `listening` is told the address as soon as it takes connections.

    Raises BadInput if the address cannot be used, for instance because the port is taken.
    """
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from .logs import log_as_json

    as_json = os.environ.get("SAYSO_LOG") == "json"
    if as_json:
        log_as_json()

    from .ending import Server
    from .guard.connections import MOST as MOST_CONNECTIONS
    from .guard.connections import Connection

    app = create_app(studio, host, password, proxy, hosts)
    try:
        listener = listen(host, port)
    except OSError as error:
        raise BadInput(
            f"Port {port} at {host} cannot be used ({os.strerror(error.errno or 0)}); choose another with --port."
        ) from None
    shown = f"[{host}]" if ":" in host else host
    print(f"Sayso is at http://{shown}:{port}  (Ctrl+C ends it)", flush=True)
    if listening:
        listening(f"http://{shown}:{port}")
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_level="warning",
        log_config=None if as_json else LOGGING_CONFIG,
        server_header=False,
        proxy_headers=not proxy.addresses,  # else `Asking` reads them, and of the trusted proxy alone
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
    )
    logging.getLogger("uvicorn.error").addFilter(is_news)
    with listener:
        Server(config, app.state.counts).run([listener])
