"""Where people sign in, with a page of its own that needs no other script or style; invitations; and signing out."""

from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from clipcore import SaysoError
from storage import Person

from .asking import COOKIE, Doorkeeper

LASTS = timedelta(days=14)  # a browser stays signed in
WRONG = "That name and password are not known here together; type them once more."
LATE = "This invitation was used, or has expired; ask an owner for another."
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Sayso</title>
<style>
:root {{ --page: #f3f4f7; --card: #fff; --ink: #111827; --line: #7b8597; --field: #fff; --accent: #4f46e5; --bad: #b91c1c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #0c0f14; --card: #141921; --ink: #e9edf3; --line: #728096;
  --field: #1c232d; --bad: #fca5a5; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100dvh; display: grid; place-items: center; padding: 16px; background: var(--page);
  color: var(--ink); font: 16px/1.5 Inter, system-ui, sans-serif; }}
main {{ width: min(100%, 360px); padding: 28px; border-radius: 14px; background: var(--card);
  border: 1px solid color-mix(in srgb, var(--line) 35%, transparent); }}
h1 {{ margin: 0 0 4px; font-size: 22px; letter-spacing: -.02em; }}
p {{ margin: 0 0 12px; }}
label {{ display: block; margin: 14px 0 4px; font-size: 14px; font-weight: 500; }}
input {{ width: 100%; height: 44px; padding: 0 12px; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--line); border-radius: 8px; }}
button {{ width: 100%; height: 44px; margin-top: 22px; font: inherit; font-weight: 600; color: #fff;
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }}
:focus-visible {{ outline: 2px solid #818cf8; outline-offset: 2px; }}
.problem {{ color: var(--bad); }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{problem}
{body}
</main>
</body>
</html>
"""
SIGN_IN = """<form method="post" action="/sign-in?next={next}">
<label for="name">Name</label>
<input id="name" name="name" value="{name}" autocomplete="username" required {first}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required {second}>
<button>Sign in</button>
</form>"""
WELCOME = """<p>You will sign in as {name}. Choose a password of 10 letters or more.</p>
<form method="post">
<input type="hidden" name="name" value="{name}" autocomplete="username">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="10" required autofocus>
<button>Begin</button>
</form>"""


def add_sign_in_routes(app: FastAPI, keeper: Doorkeeper) -> None:
    """Hang this module's routes on the app; `ui.guard.asking` lets strangers through to the first two."""

    @app.get("/sign-in")
    def sign_in_page(next: str = "/") -> HTMLResponse:
        return _sign_in(_local(next))

    @app.post("/sign-in")
    async def sign_in(request: Request, next: str = "/") -> Response:
        form = await _form(request)
        name, password = form.get("name", "").strip(), form.get("password", "")
        there, known_as = _local(next), f"name {' '.join(name.split()).casefold()[:200]}"
        address = request.client.host if request.client else ""
        if wait := max(keeper.patience.wait(address), keeper.patience.wait(known_as)):
            words = f"There were too many wrong tries; wait for {wait} second{'s' if wait > 1 else ''}, then try again."
            return _sign_in(there, name, words, 429, {"Retry-After": str(wait)})
        person = await run_sync(keeper.people.check, name, password)
        if person is None:
            keeper.patience.failed(address)
            keeper.patience.failed(known_as)
            return _sign_in(there, name, WRONG, 401)
        keeper.patience.forgive(address)
        keeper.patience.forgive(known_as)
        return await _begin(request, keeper, person, there)

    @app.get("/welcome/{secret}")
    def welcome_page(secret: str) -> HTMLResponse:
        person = _invited(keeper, secret)
        return (
            _page("Welcome to Sayso", WELCOME.format(name=escape(person.name))) if person else _page("Sayso", "", LATE, 404)
        )

    @app.post("/welcome/{secret}")
    async def welcome(request: Request, secret: str) -> Response:
        person = await run_sync(_invited, keeper, secret)
        if person is None:
            return _page("Sayso", "", LATE, 404)
        try:
            await run_sync(keeper.people.set_password, person.id, (await _form(request)).get("password", ""))
        except SaysoError as error:
            return _page("Welcome to Sayso", WELCOME.format(name=escape(person.name)), str(error), 400)
        await run_sync(keeper.people.tokens.end, secret, "invitation")
        return await _begin(request, keeper, person, "/")

    @app.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        if secret := request.cookies.get(COOKIE):
            await run_sync(keeper.people.tokens.end, secret, "page")
            keeper.forget()
        answer = JSONResponse({"to": "/sign-in"})
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @app.get("/api/me")
    def me(request: Request) -> dict[str, Any]:
        """Who is asking, and what they may do; without accounts the one person alone."""
        person: Person | None = request.state.person
        return {"name": person.name if person else None, "role": request.state.role}


def _invited(keeper: Doorkeeper, secret: str) -> Person | None:
    token = keeper.people.tokens.check(secret, "invitation")
    return keeper.people.get(token.person_id) if token and token.person_id else None


async def _begin(request: Request, keeper: Doorkeeper, person: Person, there: str) -> Response:
    """Sign the browser in: a secret in a cookie that no script reads and no other site sends along with a post."""
    browser = request.headers.get("user-agent", "a browser")[:100] or "a browser"
    browser = "".join(letter for letter in browser if letter.isprintable())
    secret, _ = await run_sync(keeper.people.tokens.create, person.id, browser, (), LASTS, "page")
    answer = RedirectResponse(there, 303)
    is_secure = request.url.scheme == "https"
    seconds = int(LASTS.total_seconds())
    answer.set_cookie(COOKIE, secret, seconds, path="/", secure=is_secure, httponly=True, samesite="lax")
    return answer


def _local(path: str) -> str:
    """Where to go afterwards: a page of this server, whatever the address says."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and not path.startswith("/sign-in") else "/"


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace").replace("\0", "")
    if body.count("&") > 10:
        return {}
    return {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}


def _sign_in(
    there: str, name: str = "", problem: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    first, second = ("", "autofocus") if name else ("autofocus", "")
    body = SIGN_IN.format(next=quote(there, safe=""), name=escape(name), first=first, second=second)
    return _page("Sign in to Sayso", body, problem, status, headers)


def _page(
    title: str, body: str, problem: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    said = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    page = PAGE.format(title=title, body=body, problem=said)
    return HTMLResponse(page, status, {"Cache-Control": "no-store", **(headers or {})})
