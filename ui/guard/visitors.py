"""Refuses strangers, asks for the password, and puts the headers on every answer that tell a browser what it may do."""

import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .asking import Doorkeeper
from .passwords import Passwords

OPEN = ("/healthz", "/readyz")  # they tell nothing that is anybody's, and those who ask have no password

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Scripts are files of ours and Gradio's, and those in the page itself, by its nonce; what a name or a file brought into the
# page, such as an onerror, never runs. Gradio needs the rest: it makes functions of the templates and the `js_on_load` of
# gr.HTML, and sets styles by attribute (without it 73 and 36 console errors on a visit to each tab).
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def policy(nonce: str = "") -> str:
    """The Content-Security-Policy; with a nonce, scripts that carry it run as well."""
    scripts = f"{POLICY['script-src']} 'nonce-{nonce}'" if nonce else POLICY["script-src"]
    return "; ".join(f"{name} {value}" for name, value in {**POLICY, "script-src": scripts}.items())


class Visitors:
    """The outermost guard. `passwords` is None where everyone on this computer may come in. Where there are accounts, they
    alone open the door (`ui.guard.asking`), and a program's token does so in any case."""

    def __init__(self, app: ASGIApp, passwords: Passwords | None, doorkeeper: Doorkeeper | None = None) -> None:
        self.app, self.passwords, self.doorkeeper = app, passwords, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", policy())
            await send(message)

        await self._answer(Request(scope))(scope, receive, send_guarded)

    def _answer(self, request: Request) -> ASGIApp:
        """The app, or what is said instead."""
        if not same_origin(request):
            return PlainTextResponse("This request comes from another site and was refused.", 403)
        if self.passwords is None or request.url.path in OPEN:
            return self.app
        if self.doorkeeper is not None and self.doorkeeper.opens(request):
            return self.app
        address = request.client.host if request.client else ""
        if wait := self.passwords.wait(address):
            words = f"Too many wrong passwords came from this address; try again in {wait} seconds."
            return PlainTextResponse(words, 429, {"Retry-After": str(wait)})
        if not self.passwords.admits(address, request.headers.get("authorization", "")):
            return PlainTextResponse("A password is needed.", 401, {"WWW-Authenticate": 'Basic realm="Sayso"'})
        return self.app


class Nonces:
    """Gives the scripts in the page's own HTML the nonce without which they do not run, and its head what `told` says to who
    asks. Between `Visitors` and the page."""

    def __init__(self, app: ASGIApp, told: Callable[[Scope], str] = lambda scope: "") -> None:
        self.app, self.told = app, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        start: Message = {}
        page = b""

        async def send_marked(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            page += message.get("body", b"")
            if message.get("more_body"):
                return
            marked = page.replace(b"</head>", self.told(scope).encode() + b"</head>", 1)
            marked = re.sub(rb"<script\b", f'<script nonce="{nonce}"'.encode(), marked)
            headers = MutableHeaders(scope=start)
            headers["Content-Security-Policy"] = policy(nonce)
            headers["Cache-Control"] = "no-store"  # a nonce is good once
            if scope["method"] == "GET":
                headers["Content-Length"] = str(len(marked))
            await send(start)
            await send({"type": "http.response.body", "body": marked})

        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]  # compressed further out
        await self.app({**scope, "headers": plain}, receive, send_marked)


def same_origin(request: Request) -> bool:
    """Whether a request that can change something was sent by our own page, or by a program that is no browser."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return True
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:  # such as http://[::1
        return False
