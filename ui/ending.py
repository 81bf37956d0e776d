"""The end of the server: what was asked before is answered, whatever comes is refused, and only then it goes down."""

import asyncio
import socket

import uvicorn

from .health import Counts

PATIENCE = 30.0  # seconds that answers under way get; a second Ctrl+C does not wait


class Server(uvicorn.Server):
    """A uvicorn that, told to end, first lets the answers under way come to their end.

    Its own way, one time for all connections, would either cut off an answer that takes longer, or wait that long for the
    stream of news of each open page, which has no end.
    """

    def __init__(self, config: uvicorn.Config, counts: Counts) -> None:
        super().__init__(config)
        self._counts = counts

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once, on the event loop, when a signal has come."""
        self._counts.ending = True
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while self._counts.under_way and not self.force_exit and loop.time() < until:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)
