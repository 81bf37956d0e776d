"""Who is asking, and whether their role allows it: the one gate before every route. Events of the page are held to the same
tables at the door of Gradio's queue (`ui.guard.uploads`).

A request's `state.person` is somebody with an account, or None: the one person alone, who may do all, as long as nobody has
made accounts. `state.role` is what they may; a program's token may narrow it.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote

from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from clipcore import BadInput, NotFound
from storage import ROLES, SCOPES, People, Person, Role, Token, acting

from .passwords import Patience
from .roles import allows, least_for, refusal

COOKIE = "sayso_session"
FRESH = 2.0  # seconds for which what was found of a secret counts, and in which the first account is noticed
KEPT = 1000  # secrets


@dataclass(frozen=True)
class Proxy:
    """A reverse proxy that says who is asking: in `header`, believed from these addresses alone."""

    header: str = ""
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for address in self.addresses:
            try:
                ipaddress.ip_network(address, strict=False)
            except ValueError:
                raise BadInput(f"{address} is no address of a proxy; give one such as 127.0.0.1 or 10.0.0.0/8.") from None
        if self.header and not self.addresses:
            raise BadInput("--proxy-header needs --trusted-proxy ADDRESS: a header from anybody else proves nothing.")

    def is_at(self, address: str) -> bool:
        """Whether a connection comes from the proxy."""
        try:
            here = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(here in ipaddress.ip_network(one, strict=False) for one in self.addresses)


NO_PROXY = Proxy()


@dataclass
class Doorkeeper:
    """Knows the people of a library, and for a moment what each secret was worth. `clock` gives seconds."""

    people: People
    proxy: Proxy = NO_PROXY
    insist: bool = False  # accounts are wanted, also while there are none yet
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.patience = Patience(self.clock)
        self._on, self._looked = self.insist or bool(self.proxy.header), -FRESH
        self._lock = Lock()  # it is asked in threads
        self._found: OrderedDict[tuple[str, str], tuple[Person | None, Token | None, float]] = OrderedDict()

    def has_accounts(self) -> bool:
        """Whether there are accounts, so that a stranger may do nothing. Once there are, there always are."""
        if not self._on and self.clock() - self._looked >= FRESH:
            self._on, self._looked = self.people.any(), self.clock()
        return self._on

    def opens(self, request: Request) -> bool:
        """Whether `Asking` looks at this request itself, so that nobody need know the one password."""
        return self.has_accounts() or _bearer(request.headers.get("authorization", "")) is not None

    def forget(self) -> None:
        """Ask the library anew: somebody's account has changed, or somebody signed out."""
        with self._lock:
            self._found.clear()

    def known(self, kind: str, secret: str) -> tuple[Person | None, Token | None]:
        """Whose a secret is: a browser's ("page"), a program's ("api"), or a name the proxy gives ("name")."""
        key, now = (kind, secret), self.clock()
        person, token, until = self._found.get(key, (None, None, 0.0))
        if until <= now:
            person, token = self._look_up(kind, secret)
            with self._lock:
                self._found[key] = person, token, now + FRESH
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)
        return person, token

    def _look_up(self, kind: str, secret: str) -> tuple[Person | None, Token | None]:
        try:
            if kind == "name":
                person = self.people.get(secret)
                return (None if person.disabled else person), None
            token = self.people.tokens.check(secret, "page" if kind == "page" else "api")
            return (self.people.get(token.person_id) if token and token.person_id else None), token
        except NotFound:
            return None, None


class Asking:
    """Finds out who asks, refuses what their role does not allow, and has what is done be theirs."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self.app, self.doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if self.doorkeeper.proxy.is_at(scope["client"][0] if scope["client"] else ""):
            state["from_proxy"] = True
            _look_behind(scope)
        said = await self._who(Request(scope), state)
        if said is None:
            with acting(state["person"].id if state["person"] else None):
                await self.app(scope, receive, send)
        else:
            await said(scope, receive, send)

    async def _who(self, request: Request, state: dict[str, Any]) -> ASGIApp | None:
        """Write into `state` who asks; an answer where they may not."""
        keeper = self.doorkeeper
        state.update(person=None, role="owner", doorkeeper=keeper)
        bearer = _bearer(request.headers.get("authorization", ""))
        if bearer is not None:
            address = request.client.host if request.client else ""
            if wait := keeper.patience.wait(address):
                return _said(f"Too many wrong tokens came from this address; try again in {wait} seconds.", 429, wait)
            person, token = await run_sync(keeper.known, "api", bearer)
            if token is None or (person is None and keeper.has_accounts()):
                keeper.patience.failed(address)
                return _said("This token is unknown, has expired or was taken back; ask for another.", 401)
            keeper.patience.forgive(address)
            state.update(person=person, role=_narrowed(person.role if person else "owner", token), token=token)
        elif keeper.has_accounts():
            person = await self._signed_in(request)
            state.update(person=person, role=person.role if person else None)
        else:
            return None
        least = least_for(request.method, request.url.path)
        if allows(state["role"], least):
            return None
        if state["role"] is None:
            return _to_sign_in(request)
        return _said(refusal(state["role"], least), 403)

    async def _signed_in(self, request: Request) -> Person | None:
        keeper = self.doorkeeper
        header = keeper.proxy.header
        if header and getattr(request.state, "from_proxy", False):
            name = request.headers.get(header, "")
            return (await run_sync(keeper.known, "name", name))[0] if name else None
        cookie = request.cookies.get(COOKIE)
        return (await run_sync(keeper.known, "page", cookie))[0] if cookie else None


def _look_behind(scope: Scope) -> None:
    """Take the visitor's own address, and whether it is https, from what the trusted proxy says; the last is its own."""
    headers = dict(scope["headers"])
    last = headers.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
    if last:
        scope["client"] = (last, 0)
    if headers.get(b"x-forwarded-proto", b"").strip() == b"https":
        scope["scheme"] = "https"


def role_of(scope: Scope) -> Role | None:
    """The role of who asks; None for a stranger."""
    role: Role | None = scope.get("state", {}).get("role", "owner")
    return role


def _narrowed(role: Role, token: Token) -> Role | None:
    """What a token's scopes leave of a role; none at all where it has no scope."""
    scopes = [ROLES.index(SCOPES[scope]) for scope in token.scopes if scope in SCOPES]
    return ROLES[min(ROLES.index(role), max(scopes))] if scopes else None


def _bearer(header: str) -> str | None:
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _to_sign_in(request: Request) -> ASGIApp:
    """A browser that opens a page is shown where to sign in; all else is told so."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(path, safe='')}", 303)
    return _said(refusal(None, "viewer"), 401)


def _said(sentence: str, status: int, wait: int = 0) -> JSONResponse:
    headers = {"Retry-After": str(wait)} if wait else {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse({"error": sentence, "detail": sentence}, status, headers)
