"""The one way to Gradio: the routes that the page uses, and no file but those that this server's upload route wrote.

Gradio takes the path of a file from whoever posts it, copies the file to its cache and serves the copy. Its own check of the
path rests on `has_launched`, which only `launch()` sets; mounted on another app it stays false and nothing is checked
(gradio 6.31, `processing_utils._check_allowed`). So `mount` sets it, and `Gate` looks at every body before Gradio does.
"""

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from fastapi.responses import JSONResponse
from filelock import FileLock, Timeout
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storage import acting

from .asking import role_of
from .roles import Least, allows, event_name, least_for_event, refusal

KEPT_SECONDS = 86_400  # an uploaded file stays until it is used: for a day
LOOKED_AFTER = 3_600  # seconds between two looks for older ones
API = "/gradio_api"
# What the page asks of Gradio. All else that Gradio offers (calls by name, server functions, streams, proxies, recordings,
# its login, its editor) is not there.
PAGES = re.compile(
    r"/(config/?|theme\.css|robots\.txt|favicon\.ico|manifest\.json|pwa_icon(/[\w.-]+)?|(assets|static|svelte)/[\w./@~+-]+)?"
)
READ = re.compile(r"/(app_id|startup-events|info/?|queue/(data|status)|upload_progress|heartbeat/\w+|theme\.css|file=.+)")
WRITTEN = re.compile(r"/(queue/join|upload|cancel|reset)/?")
ANOTHER = "This file did not come through the page; choose it once more."


class Incoming:
    """The folder of this process alone in which Gradio keeps uploads: below HOME/.incoming, for nobody else to read.

    What a process left behind that was killed is emptied by the next one; a lock says whether it still lives.
    """

    _ours: dict[Path, "Incoming"] = {}  # noqa: RUF012  # one for each home in a process

    def __init__(self, home: Path) -> None:
        root = home / ".incoming"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in root.glob("*.lock"):
            try:
                with FileLock(left, timeout=0):
                    shutil.rmtree(left.with_suffix(""), ignore_errors=True)
                left.unlink(missing_ok=True)
            except (Timeout, OSError):
                continue  # another server is at work on this home
        self.folder = root / secrets.token_hex(8)
        self._lock = FileLock(self.folder.with_suffix(".lock"))
        self._lock.acquire()
        self.folder.mkdir(mode=0o700)

    @classmethod
    def of(cls, home: Path) -> "Incoming":
        """The one of this process for a home."""
        kept = cls._ours.get(home)
        if kept is None or not kept.folder.is_dir():
            kept = cls._ours[home] = cls(home)
        return kept

    def empty(self) -> None:
        """Delete all that came in."""
        for entry in self.folder.iterdir():
            shutil.rmtree(entry, ignore_errors=True)

    def holds(self, path: object) -> bool:
        """Whether a path that someone sent names a plain file in here. Nothing is opened."""
        if not isinstance(path, str) or not path or len(path) > 4096:
            return False
        try:
            real = Path(os.path.realpath(path, strict=True))
            return real.is_relative_to(self.folder.resolve()) and stat.S_ISREG(os.lstat(real).st_mode)
        except (OSError, ValueError):
            return False


class Gate:
    """Wraps Gradio's app."""

    def __init__(self, app: ASGIApp, incoming: Incoming, events: Mapping[int, Least] | None = None) -> None:
        self.app, self.incoming, self.events = app, incoming, events or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, is_read = scope["path"], scope["method"] in ("GET", "HEAD")
        call = path.removeprefix(API) if path.startswith(f"{API}/") else None
        if not (PAGES.fullmatch(path) if call is None else (READ if is_read else WRITTEN).fullmatch(call)):
            await _refusal("There is nothing here; load the page again.", 404)(scope, receive, send)
        elif call is None and not is_read:
            await _refusal("This can only be read.", 405)(scope, receive, send)
        elif is_read and call and call.startswith("/file=") and not self.incoming.holds(call.removeprefix("/file=")):
            await _refusal(ANOTHER, 403)(scope, receive, send)
        elif is_read or (call or "").rstrip("/") == "/upload":
            await self.app(scope, receive, send)
        else:
            await self._checked(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a JSON body on if every file in it is one of ours; as it was read here, so that Gradio reads the same."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the sender is gone
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            said = json.loads(body)
            if not isinstance(said, dict):
                raise ValueError("no object")
            files = list(named_files(said))
            passed = json.dumps(said, ensure_ascii=False, allow_nan=False).encode()  # also no half letters
        except (ValueError, RecursionError):
            await _refusal("The body is not JSON; load the page again.", 400)(scope, receive, send)
            return
        if scope["path"].rstrip("/").endswith("/queue/join"):
            event, role = said.get("fn_index"), role_of(scope)
            least = self.events.get(event, "owner") if type(event) is int else "owner"
            if not allows(role, least):
                await _refusal(refusal(role, least), 403)(scope, receive, send)
                return
        if not all(self.incoming.holds(path) for path in files):
            await _refusal(ANOTHER, 403)(scope, receive, send)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": passed, "more_body": False}

        length = (b"content-length", str(len(passed)).encode())
        headers = [header for header in scope["headers"] if header[0] not in (b"content-length", b"transfer-encoding")]
        await self.app({**scope, "headers": [*headers, length]}, again, send)


def _refusal(sentence: str, status: int) -> JSONResponse:
    return JSONResponse({"error": sentence, "detail": sentence}, status)  # Gradio's script shows the detail


def named_files(body: Any) -> Iterator[object]:
    """The path of everything in a body that Gradio could take for a file: each object with a `path`, however deep."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value or "meta" in value:
                yield value.get("path")
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def mount(app: Any, blocks: Any, incoming: Incoming, **options: Any) -> None:
    """Mount Gradio's page at the root of a FastAPI app, behind the gate."""
    import gradio as gr

    gr.mount_gradio_app(app, blocks, path="/", **options)
    blocks.has_launched = True  # see above
    events = {number: least_for_event(event_name(event.fn)) for number, event in blocks.fns.items()}
    for event in blocks.fns.values():
        event.fn = event.fn and _by_who_asks(event.fn)
    there = app.routes[-1]
    there.app = Gate(there.app, incoming, events)


def _by_who_asks(handler: Callable[..., Any]) -> Callable[..., Any]:
    """An event's handler, so that what it does is done by who began the event: the queue runs it in a task of its own."""
    from gradio.context import LocalContext

    @wraps(handler)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        request = getattr(LocalContext.request.get(None), "request", None)
        person = request.scope.get("state", {}).get("person") if request is not None else None
        with acting(person.id if person else None):
            return handler(*args, **kwargs)

    return wrapped
