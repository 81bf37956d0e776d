"""How often a program may ask the HTTP API: beyond it 429, with when to ask again. A bucket for each token or address."""

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

API = "/api/v1/"
RATE = 50.0  # requests a second that go on for ever
BURST = 200  # that may come at once
KEPT = 10_000  # buckets


class Rates:
    """Limits what begins with /api/v1. Programs on this computer that need no token are not limited: they are its owner's.

    All calls come from the event loop's thread; `clock` gives seconds.
    """

    def __init__(
        self, app: ASGIApp, rate: float = RATE, burst: int = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self.rate, self.burst, self._clock = app, rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # who -> what is left, when it was

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith(API)
        if is_api and (who := _who(scope)) and (wait := self._wait(who)):
            words = f"That is more than {self.rate:g} requests a second; ask again in {wait} s."
            await JSONResponse({"error": words}, 429, {"Retry-After": str(wait)})(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _wait(self, who: str) -> int:
        """Take one request out of a bucket; seconds until there is one again if it is empty."""
        now = self._clock()
        left, then = self._buckets.pop(who, (float(self.burst), now))
        left = min(float(self.burst), left + (now - then) * self.rate)
        self._buckets[who] = (left - 1 if left >= 1 else left, now)
        while len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else math.ceil((1 - left) / self.rate)


def _who(scope: Scope) -> str:
    """Whose bucket it is: the token's or password's, else the address's; nobody's for this computer without either."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hashlib.sha256(value).hexdigest()
    address = scope["client"][0] if scope.get("client") else ""
    try:
        return "" if ipaddress.ip_address(address).is_loopback else address
    except ValueError:
        return address
