"""How much a request may bring, and how long it may take to: beyond it 413 or 408, with one sentence."""

import asyncio
import re

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 4_000_000  # bytes of JSON: half a million ids, or the longest list of names
UPLOAD = 500_000_000  # bytes of files in one request
PICTURE = 50_000_000  # bytes of a picture to search with
JSON_PICTURES = 80_000_000  # bytes of JSON with pictures in it, which is read as a whole
LARGER = {
    re.compile(r"/gradio_api/upload/?"): UPLOAD + 1_000_000,
    re.compile(r"/api/pictures"): PICTURE + 1,
    re.compile(r"/api/v1/classify"): JSON_PICTURES,
    re.compile(r"/api/v1/(classify/files|images|classifiers/files)"): UPLOAD + 1_000_000,
}
FIRST = 20.0  # seconds within which something must have come
LEAST_RATE = 5_000  # bytes a second after that; the slowest lines are faster


class Bodies:
    """Counts what comes in. What is refused on the way breaks off the request: the rest is not read."""

    def __init__(self, app: ASGIApp, first: float = FIRST) -> None:
        self.app, self.first = app, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = next((limit for path, limit in LARGER.items() if path.fullmatch(scope["path"])), MOST)
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or int(said) > most:
            await refusal(most)(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        begun, got, more = loop.time(), 0, True
        refused: JSONResponse | None = None

        async def receive_counted() -> Message:
            nonlocal got, more, refused
            if not more:
                return await receive()
            left = begun + self.first + got / LEAST_RATE - loop.time()
            try:
                message = await asyncio.wait_for(receive(), max(0.01, left))
            except TimeoutError:
                refused = SLOW
                raise HTTPException(408) from None
            got += len(message.get("body", b""))
            more = message["type"] == "http.request" and bool(message.get("more_body"))
            if got > most:
                refused = refusal(most)
                raise HTTPException(413)
            return message

        async def send_if_not_refused(message: Message) -> None:
            if refused is None:  # else what the app makes of it does not matter
                await send(message)

        try:
            await self.app(scope, receive_counted, send_if_not_refused)
        except HTTPException:
            if refused is None:
                raise
        if refused is not None:
            await refused(scope, receive, send)


SLOW = JSONResponse({"error": "The request did not arrive in time; send it again."}, 408, {"Connection": "close"})


def refusal(most: int) -> JSONResponse:
    """What is said of a body above `most` bytes."""
    words = f"This is more than {most // 1_000_000} MB, the most at once. Send less."
    return JSONResponse({"error": words, "detail": words}, 413, {"Connection": "close"})
