"""Who may do what: each route and each event asked as a stranger, a viewer, a labeller and an owner, and ways around it."""

import json
import time
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from docs.roles import PAGE, blocks_of, example, page
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.guard import roles
from ui.guard.asking import COOKIE, Doorkeeper, Proxy
from ui.guard.passwords import FREE
from ui.guard.roles import event_name, least_for, least_for_event
from ui.server import create_app
from ui.studio import Studio

from .routes import api_routes

PASSWORD = "correct horse battery"
ALL = (None, "viewer", "labeller", "owner")
RANK = {"anonymous": 0, "viewer": 1, "labeller": 2, "owner": 3}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An app with somebody of each role, each signed in."""
    folder = tmp_path_factory.mktemp("people")
    photo(folder / "photos" / "a.png", "red")
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        secrets = {}
        for role in ("owner", "labeller", "viewer"):
            person = library.people.add(f"The {role}", role, PASSWORD if role == "viewer" else None)
            secrets[role] = library.people.tokens.create(person.id, "test", kind="page")[0]
        app = create_app(Studio(library, lambda: encoder, "fake"))
        clients = {
            role: TestClient(
                app,
                base_url="http://127.0.0.1:7860",
                cookies={COOKIE: secrets[role]} if role else {},
                raise_server_exceptions=False,
                follow_redirects=False,
            )
            for role in ALL
        }
        yield SimpleNamespace(app=app, library=library, clients=clients)


def refused(answer):
    return answer.status_code in (401, 403) and ("Sign in" in answer.text or "Your role" in answer.text)


def test_every_route_for_everybody(house, monkeypatch):
    """Whether the gate opens, route by route; what the route itself then does is tested elsewhere."""
    reached = []

    async def answer(self, scope, receive, send):
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr("starlette.routing.Router.__call__", answer)  # behind all guards
    routes = [(method, example(route.path)) for route in api_routes(house.app) for method in route.methods]
    asked = [*routes, ("GET", "/"), ("GET", "/config"), ("POST", "/gradio_api/upload"), ("POST", "/gradio_api/queue/join")]
    asked += [("GET", "/gradio_api/file=x"), ("DELETE", "/api/images"), ("POST", "/no/such/thing"), ("GET", "//api/images")]
    for method, path in asked:
        least = least_for(method, path)
        for role in ALL:
            before = len(reached)
            said = house.clients[role].request(method, path)
            opened = RANK[role or "anonymous"] >= RANK[least]
            assert len(reached) - before == opened, (method, path, role, said.text)
            assert refused(said) != opened or method == "HEAD", (method, path, role)
    assert len(routes) > 80


def test_no_line_of_the_tables_is_for_nothing(house):
    """Each names a route or an event that there is: a slip of the pen would leave something closed, or open."""
    there = {f"{method} {example(route.path)}" for route in api_routes(house.app) for method in route.methods}
    for least, lines in roles.ROUTES.items():
        for line in filter(None, map(str.strip, lines.splitlines())):
            methods, _, path = line.partition(" ")
            for method in methods.split(","):
                asked = example(path)
                assert least_for(method, asked) == least, (line, "another line comes first")
                is_gradios = not path.startswith(("/api/", "/sign", "/welcome", "/thumb", "/preview", "/original"))
                is_gradios |= path in ("/healthz", "/readyz")
                if path.startswith(("/api/v1/", "/api/docs", "/api/openapi.json")) and not any(
                    "/api/v1/" in one for one in there
                ):
                    continue  # the HTTP API is built beside this
                assert is_gradios or f"{method} {asked}" in there, line
    names = {event_name(event.fn) for event in blocks_of(house.app).fns.values()}
    for lines in roles.EVENTS.values():
        for line in filter(None, map(str.strip, lines.splitlines())):
            module = line.removesuffix(" *")
            assert any(name == line or (line.endswith("*") and name.startswith(f"{module} ")) for name in names), line


def join(client, number, **more):
    body = {"data": [], "fn_index": number, "session_hash": "s", "event_data": None, "trigger_id": None, **more}
    return client.post("/gradio_api/queue/join", content=json.dumps(body), headers={"Content-Type": "application/json"})


def test_every_event_for_everybody(house, monkeypatch):
    reached = []

    async def answer(scope, receive, send):
        reached.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    events = blocks_of(house.app).fns
    monkeypatch.setattr(house.app.routes[-1].app, "app", answer)
    seen = set()
    for number, event in events.items():
        name = event_name(event.fn)
        if name in seen:
            continue
        seen.add(name)
        least = least_for_event(name)
        for role in ALL:
            before = len(reached)
            said = join(house.clients[role], number)
            assert len(reached) - before == (RANK[role or "anonymous"] >= RANK[least]), (name, role, said.text)
    assert len(events) > 100
    first = next(number for number, event in events.items() if least_for_event(event_name(event.fn)) == "viewer")
    for strange in (str(first), float(first), True, None, [first], 10**6, -1):
        assert refused(join(house.clients["viewer"], strange)), strange
    assert refused(house.clients["viewer"].post("/gradio_api/queue/join/", json={"fn_index": strange}))


def test_what_is_not_named_needs_an_owner():
    assert least_for("POST", "/api/something/new") == least_for("PUT", "/api/images") == "owner"
    assert least_for("GET", "/api/images/") == "owner"
    assert least_for_event("library.tab something_new") == least_for_event("") == "owner"


def test_the_page_of_roles_is_as_the_app_is(house):
    assert PAGE.read_text(encoding="utf-8") == page(house.app), "run python -m docs.roles"


def test_signing_in_and_out(house):
    browser = TestClient(house.app, base_url="http://127.0.0.1:7860", follow_redirects=False)
    sent = browser.get("/?a=b", headers={"Accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2F%3Fa%3Db")
    assert browser.get("/api/images").status_code == 401
    form = browser.get(sent.headers["location"])
    assert 'type="password"' in form.text
    right = {"name": "the VIEWER", "password": PASSWORD}
    assert browser.post("/sign-in", data=right, headers={"Origin": "http://evil.example"}).status_code == 403
    wrong = browser.post("/sign-in", data={**right, "password": "no"})
    assert wrong.status_code == 401
    assert PASSWORD not in wrong.text
    entered = browser.post(sent.headers["location"], data=right)
    assert (entered.status_code, entered.headers["location"]) == (303, "/?a=b")
    cookie = entered.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age="))
    assert "Secure" not in cookie
    assert browser.get("/api/me").json() == {"name": "The viewer", "role": "viewer"}
    assert (
        browser.post("/api/label/undo", json={"client": "c", "op": "o"}, headers={"Origin": "http://evil"}).status_code
        == 403
    )
    kept = browser.cookies[COOKIE]
    browser.post("/sign-out")
    browser.cookies.set(COOKIE, kept)
    assert browser.get("/api/me").status_code == 401, "the secret is worth nothing any more"


@pytest.mark.parametrize("there", ["//evil.example", "/\\evil", "https://evil.example", "/sign-in", "x", "/a\nb"])
def test_signing_in_leads_nowhere_else(house, there):
    browser = TestClient(house.app, base_url="http://127.0.0.1:7860", follow_redirects=False, client=("10.9.9.9", 1))
    sent = browser.post("/sign-in", params={"next": there}, data={"name": "The viewer", "password": PASSWORD})
    assert sent.headers["location"] == "/"


def test_guessing_is_slowed_down_by_address_and_by_name(house):
    def tried(name, address):
        client = TestClient(house.app, base_url="http://127.0.0.1:7860", client=(address, 1))
        return client.post("/sign-in", data={"name": name, "password": "wrong"}).status_code

    assert [tried(f"nobody {i}", "10.0.0.1") for i in range(FREE + 1)] == [401] * FREE + [429]
    assert [tried("The labeller", f"10.0.1.{i}") for i in range(FREE + 1)] == [401] * FREE + [429]
    assert tried("The owner", "10.0.2.1") == 401, "nobody else waits"


def test_a_token_may_less_than_its_person(house):
    tokens, owner = house.library.people.tokens, house.library.people.get("The owner")
    secret, token = tokens.create(owner.id, "script", ["read"])
    asked = {"Authorization": f"Bearer {secret}"}
    stranger = TestClient(house.app, base_url="http://127.0.0.1:7860", client=("10.3.3.3", 1))
    assert stranger.get("/api/me", headers=asked).json() == {"name": "The owner", "role": "viewer"}
    assert refused(stranger.post("/api/label", json={}, headers=asked))
    tokens.revoke(token.id)
    house.app.state.doorkeeper.forget()
    assert stranger.get("/api/me", headers=asked).status_code == 401
    assert stranger.get("/api/me", headers={"Authorization": "Bearer x"}).status_code == 401
    nobodys, _ = tokens.create(None, "of before there were accounts", ["manage"])
    assert stranger.get("/api/me", headers={"Authorization": f"Bearer {nobodys}"}).status_code == 401


def test_an_invitation_is_good_once(house):
    people = house.library.people
    guest = people.add("Guest", "viewer")
    secret, _ = people.tokens.create(guest.id, "welcome", kind="invitation")
    browser = TestClient(house.app, base_url="http://127.0.0.1:7860", follow_redirects=False)
    assert "Guest" in browser.get(f"/welcome/{secret}").text
    assert "10 letters" in browser.post(f"/welcome/{secret}", data={"password": "short"}).text
    assert browser.post(f"/welcome/{secret}", data={"password": PASSWORD}).status_code == 303
    assert browser.get("/api/me").json()["name"] == "Guest"
    assert browser.get(f"/welcome/{secret}").status_code == 404
    people.disable("Guest")
    house.app.state.doorkeeper.forget()
    assert browser.get("/api/me").status_code == 401


def test_a_proxys_word_counts_from_its_address_alone(house, tmp_path):
    proxy = Proxy("X-Forwarded-User", ("10.5.5.0/24",))
    studio = Studio(house.library, FakeEncoder, "fake")
    app = create_app(studio, proxy=proxy, hosts=["photos.example"])

    def who(address, **headers):
        client = TestClient(app, base_url="http://photos.example", client=(address, 1))
        return client.get("/api/me", headers=headers)

    assert who("10.5.5.7", **{"X-Forwarded-User": "the labeller"}).json()["role"] == "labeller"
    assert who("10.6.6.6", **{"X-Forwarded-User": "the labeller"}).status_code == 401
    assert who("10.5.5.7", **{"X-Forwarded-User": "somebody"}).status_code == 401
    assert who("10.5.5.7").status_code == 401


def test_without_accounts_nothing_is_asked(tmp_path):
    now = 0.0
    with Library(tmp_path) as library:
        keeper = Doorkeeper(library.people, clock=lambda: now)
        assert not keeper.has_accounts()
        library.people.add("Ana", "owner", PASSWORD)
        now += 5
        assert keeper.has_accounts(), "noticed while the server runs"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(house):
    def seconds(name):
        begun = time.perf_counter()
        assert house.library.people.check(name, "wrong password") is None
        return time.perf_counter() - begun

    known, unknown = (sorted(seconds(name) for _ in range(3))[1] for name in ("The viewer", "nobody"))
    assert unknown > known / 4
