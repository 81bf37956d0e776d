"""uvicorn's connections with an end to waiting: it closes those that are idle after an answer, but not those that send
nothing at all, or a head letter by letter (Slowloris)."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0  # for the whole head of a request, from when the connection is free for one
MOST = 500  # connections at once; beyond, 503


class Connection(H11Protocol):
    """A connection that is closed unless the head of a request is there in time."""

    head_seconds = HEAD_SECONDS
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # idle, or in the middle of a head: no request is known that is not answered yet
        if self.conn.their_state is h11.IDLE and self._waiting is None and not self.transport.is_closing():
            self._wait()
        elif self.conn.their_state is not h11.IDLE:
            self._rest()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing() and self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.head_seconds, self._close)

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _close(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.close()
