"""Every route of ours with hostile numbers, texts and bodies: an answer below 500, in one sentence, and nothing changed."""

import json
import random
import time

import pytest

from .conftest import SECRET
from .routes import HOSTILE, NUMBERS, TEXTS, address, api_routes, each_spoilt, example, parameters, query, spoilt

SECONDS = 60  # for any one answer: what hangs never comes; a busy machine is not a fault


def known(served):
    """Values with which a route does its work."""
    return {
        **{"run_id": served.run, "image_id": served.image, "content": served.content, "report_id": 1, "job_id": 1},
        **{"folder_id": 1, "name": "x", "size": "thumb", "row": 0, "kind": "undo", "what": "use", "image": served.image},
        **{"client": "c", "op": "o", "since": 0},
    }


def send(served, route, path, body=None):
    method = next(iter(route.methods - {"HEAD"}))
    content = None if body is None else json.dumps(body).encode()
    begun = time.monotonic()
    answer = served.client.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, (method, path[:300], str(body)[:300], answer.text[:300])
    assert time.monotonic() - begun < SECONDS, (method, path[:300], str(body)[:300])
    assert SECRET not in answer.text
    if answer.status_code >= 400 and "json" in answer.headers.get("content-type", ""):
        assert {"error", "detail"} & answer.json().keys()
    return answer


def test_there_are_routes(served):
    assert len(api_routes(served.app)) > 50


def test_every_number_and_text_in_an_address(served, long):
    dice = random.Random(2)
    right = known(served)

    def some(values, count):
        return values if long else dice.sample(values, count)

    for route in api_routes(served.app):
        in_path, in_query, bodies = parameters(route)
        body = example(bodies[0], right) if bodies else None
        for name in in_path:
            for bad in some([*NUMBERS, *TEXTS], 3):
                send(served, route, address(route, {**{one: right.get(one, "x") for one in in_path}, name: bad}), body)
        path = address(route, {one: right.get(one, "x") for one in in_path})
        for name in in_query:
            for bad in some([*NUMBERS, *TEXTS], 3):
                send(served, route, f"{path}?{query({name: bad, **({'q': 'red'} if name != 'q' else {})})}", body)


def test_ids_beyond_64_bits_are_not_found(served):
    """No row has one; the database's driver would raise OverflowError."""
    right, tried = known(served), 0
    for route in api_routes(served.app):
        in_path, _, bodies = parameters(route)
        for name in (one for one in in_path if one.endswith("_id") and one != "run_id"):
            for beyond in (2**63, 2**70, -(2**70)):
                path = address(route, {**{one: right.get(one, "x") for one in in_path}, name: beyond})
                answer = send(served, route, path, example(bodies[0], right) if bodies else None)
                assert answer.status_code == 404, (path, answer.text)
                tried += 1
    assert tried > 40
    for path in (
        f"/api/runs/{served.run}/changes?since={2**70}",
        f"/api/images?image={2**63}",
        f"/api/images?folder={2**63}",
    ):
        assert served.client.get(path).status_code == 404


@pytest.mark.parametrize(
    "filters", [{"name": [1]}, {"since": 5}, {"folder_id": "1"}, {"folder_id": 2**70}, {"orientation": "x"}]
)
def test_filters_that_are_none_make_no_album(served, filters):
    before = served.client.get("/api/albums").json()
    answer = served.client.post("/api/albums/restore", json={"name": "bad", "words": "red", "filters": filters})
    assert answer.status_code in (400, 404)
    assert answer.json()["error"].endswith(".")
    assert served.client.get("/api/albums").json() == before


def test_every_field_of_every_body(served, long, record_property):
    right, sent = known(served), 0
    for route in api_routes(served.app):
        in_path, _, bodies = parameters(route)
        path = address(route, {one: right.get(one, "x") for one in in_path})
        bad = list(each_spoilt(example(bodies[0], right))) if bodies else []
        for body in random.Random(route.path).sample(bad, len(bad) if long else min(8, len(bad))):
            send(served, route, path, body)
            sent += 1
    record_property("requests", sent)
    assert {album["name"] for album in served.client.get("/api/albums").json()} >= {"reds"}


def test_fuzzed_requests(served, long, record_property):
    """Any route, anything in its path, its query and its body at once; 100,000 in the long form."""
    dice, right, routes = random.Random(1), known(served), api_routes(served.app)
    record_property("requests", 100_000 if long else 200)
    for _ in range(100_000 if long else 200):
        route = dice.choice(routes)
        if route.name == "heat_map":  # the fake encoder has no tower in which it could look; bad numbers are sent above
            continue
        in_path, in_query, bodies = parameters(route)
        at = {one: right.get(one, "x") if dice.random() < 0.8 else dice.choice(HOSTILE) for one in in_path}
        asked = {one: dice.choice(HOSTILE) for one in in_query if dice.random() < 0.3}
        body = spoilt(example(bodies[0], right), dice) if bodies else None
        # a client refuses addresses of 65,536 letters; a server those of fewer
        send(served, route, f"{address(route, at)}?{query(asked)}"[:60_000], body)
        if not served.library.count():  # forgetting a folder is a request like others
            served.library.add(served.folder / "photos")
            served.image = served.library.images()[0].id
            right = known(served)
    assert len(list((served.folder / "photos").iterdir())) == 4  # files are not touched
