"""The password, and patience with who does not know it: each wrong one makes its address wait longer, and no other."""

import base64
import ipaddress
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

LEAST_LETTERS = 8
FREE = 5  # wrong passwords, as people mistype
LONGEST = 300  # seconds between two tries in the end
FORGOTTEN = 900  # seconds without a try
KEPT = 10_000  # addresses, or names


class Patience:
    """Who has failed, and how long they wait. `clock` gives seconds. All calls come from the event loop's thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()  # who -> wrong tries, when the last came

    def wait(self, address: str) -> int:
        """For how many seconds nothing from this address is looked at; 0 mostly."""
        count, last = self._failed.get(network(address), (0, 0.0))
        if count < FREE:
            return 0
        return max(0, math.ceil(last + min(2.0 ** (count - FREE), LONGEST) - self._clock()))

    def failed(self, address: str) -> None:
        """A wrong try came from there."""
        key, now = network(address), self._clock()
        count, last = self._failed.pop(key, (0, now))
        self._failed[key] = (count + 1 if now - last < FORGOTTEN else 1, now)
        while len(self._failed) > KEPT:
            self._failed.popitem(last=False)

    def forgive(self, address: str) -> None:
        """The right one came."""
        self._failed.pop(network(address), None)


class Passwords(Patience):
    """One password, and who has failed to say it."""

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._password = password.encode()

    def admits(self, address: str, header: str) -> bool:
        """Whether an Authorization header carries the password (HTTP Basic; any user name). None at all is no wrong one."""
        given = _basic(header)
        if given is None:
            return False
        if secrets.compare_digest(given, self._password):
            self.forgive(address)
            return True
        self.failed(address)
        return False


def _basic(header: str) -> bytes | None:
    """The password of a header; b"" where it cannot be read, None where there is no header."""
    scheme, _, given = header.partition(" ")
    if not header:
        return None
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2] if scheme.lower() == "basic" else b""
    except ValueError:  # no base64, or letters that it has not
        return b""


def network(address: str) -> str:
    """Who is meant by an address: of IPv6 the network of 64 bits, which is one household's or one server's."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
