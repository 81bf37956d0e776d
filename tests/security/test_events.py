"""Gradio's side: which of its routes there are, and that no event, whatever is sent to it, reads a file of the server's.

Events and their components are taken from the page's own configuration.
"""

import json
import os
import random
import re
import time

import pytest

from ui.guard.uploads import ANOTHER, named_files

from .conftest import SECRET
from .routes import HOSTILE

# what the page needs of Gradio; whatever else Gradio has or will have is not there
THERE = {
    *(
        "/",
        "/config",
        "/config/",
        "/theme.css",
        "/robots.txt",
        "/favicon.ico",
        "/manifest.json",
        "/pwa_icon",
        "/pwa_icon/{size}",
    ),
    *("/assets/{path:path}", "/static/{path:path}", "/svelte/{path:path}"),
    *(
        f"/gradio_api/{name}"
        for name in (
            *("app_id", "startup-events", "info", "info/", "queue/data", "queue/status", "upload_progress", "theme.css"),
            *("heartbeat/{session_hash}", "file={path_or_url:path}", "queue/join", "upload", "cancel", "reset", "reset/"),
        )
    ),
}


@pytest.fixture(scope="session")
def config(served):
    return served.client.get("/config").json()


def file_data(path, **more):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}, "orig_name": "a.json", **more}


def join(served, event, data, **more):
    body = {"data": data, "fn_index": event["id"], "session_hash": "s", "event_data": None, "trigger_id": None}
    content = json.dumps({**body, **more}).encode()  # ASCII: half characters, too, are sent as they are
    return served.client.post("/gradio_api/queue/join", content=content, headers={"Content-Type": "application/json"})


def routes_of(app):
    """Every path of Gradio's own app, below its routers as well."""
    waiting, found = list(app.routes), set()
    while waiting:
        route = waiting.pop()
        below = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if below:
            waiting += below
        elif hasattr(route, "path"):
            found.add((route.path, frozenset(getattr(route, "methods", None) or {"GET"})))
    return found


def test_only_the_routes_that_the_page_needs(served):
    gradio = served.app.routes[-1].app.app
    routes = routes_of(gradio)
    assert len(routes) > 40
    for path, methods in routes:
        filled = re.sub(r"\{[^}]*\}", "x", path)
        for method in methods:
            if path not in THERE:
                answer = served.client.request(method, filled, json={})
                assert answer.status_code in (404, 405), (method, path, answer.status_code)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/gradio_api/call/classify",
            "/gradio_api/run/classify",
            "/gradio_api/api/classify",
            "/gradio_api/component_server",
        ),
        *("/gradio_api/process_recording", "/gradio_api/vibe-edit", "/gradio_api/call/v2/classify", "/gradio_api/stream/x"),
        *("/login", "/gradio_api/stream/x/close", "/gradio_api/run-history/connect", "/gradio_api/../gradio_api/call/x"),
        *("//gradio_api/call/x", "/gradio_api//call/x", "/gradio_api/Queue/Join", "/gradio_api/queue/join/x"),
    ],
)
def test_ways_around_the_gate(served, path):
    secret = file_data(served.secret)
    answer = served.client.post(path, json={"data": [secret], "session_hash": "s", "fn_index": 0})
    assert answer.status_code in (404, 405)
    assert SECRET not in answer.text


def test_no_event_takes_a_file_that_was_not_uploaded(served, config):
    """Each event gets the secret in each of its inputs, plainly and hidden: in lists, in other objects, by link, by URL."""
    link = served.folder / "link.json"
    link.symlink_to(served.secret)
    pipe = served.folder / "pipe.json"
    os.mkfifo(pipe)
    inside = next(iter(served.app.routes[-1].app.incoming.folder.parent.iterdir()))
    bad = [
        *map(
            file_data, (served.secret, link, pipe, "/dev/zero", "/etc/passwd", "/proc/self/environ", inside, served.folder)
        ),
        *map(
            file_data,
            (f"{inside}/../../../secret.json", "secret.json", "", "\x00", "http://127.0.0.1:7860/", "file:///etc/passwd"),
        ),
        file_data(served.secret, url="data:,x", is_stream=True),
        {"path": str(served.secret)},
        {"meta": {"_type": "gradio.FileData"}, "path": None},
        [file_data(served.secret)],
        {"value": {"files": [[file_data(served.secret)]]}},
        [[["x", file_data(pipe)]]],
    ]
    kinds = {part["id"]: part["type"] for part in config["components"]}
    files, begun = 0, time.monotonic()
    for event in config["dependencies"]:
        for place, part in enumerate(event["inputs"] or [None]):
            takes_files = kinds.get(part) in ("file", "uploadbutton", "image", "gallery", "audio", "video")
            files += takes_files
            for value in bad if takes_files else bad[:1]:
                data = [None] * len(event["inputs"])
                data[place : place + 1] = [value]
                answer = join(served, event, data)
                assert (answer.status_code, answer.json()["error"]) == (403, ANOTHER), (event["id"], value)
        answer = join(served, event, [], event_data=file_data(served.secret))
        assert answer.status_code == 403
    assert files >= 5
    assert time.monotonic() - begun < 20  # a pipe that was opened would have waited for ever


def test_what_was_uploaded_is_taken(served, config):
    """The way of the page itself, to the end: the labels of an uploaded table are there."""
    (image,) = [image for image in served.library.images() if image.name.startswith("blue")]
    table = f"path,label\n{image.path},sky\n".encode()
    (path,) = served.client.post("/gradio_api/upload", files={"files": ("labels.csv", table)}).json()
    part = next(part["id"] for part in config["components"] if part["props"].get("elem_id") == "import-file")
    event = next(event for event in config["dependencies"] if event["targets"] == [[part, "upload"]])
    assert join(served, event, [file_data(path)]).status_code == 200
    until = time.monotonic() + 20
    while "sky" not in served.library.labels.counts() and time.monotonic() < until:
        time.sleep(0.02)
    assert served.library.labels.counts()["sky"] == 1
    assert served.client.get(f"/gradio_api/file={path}").content == table


@pytest.mark.parametrize(
    "path", ["{secret}", "{home}/sayso.db", "/etc/passwd", "..%2f..%2fetc%2fpasswd", "http://127.0.0.1:7860/", "/dev/zero"]
)
def test_no_file_but_uploads_is_served(served, path):
    asked = path.format(secret=served.secret, home=served.library.home)
    answer = served.client.get(f"/gradio_api/file={asked}")
    assert answer.status_code in (403, 404)
    assert SECRET not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000, b"null", b"[]", b'"x"', b"1e999"])
def test_bodies_that_are_no_calls(served, body):
    answer = served.client.post("/gradio_api/queue/join", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


def test_files_are_found_however_deep():
    deep = {"path": "x"}
    for _ in range(100_000):
        deep = [deep]
    assert list(named_files(deep)) == ["x"]


def test_events_with_hostile_values(served, config, long, record_property):
    """No event hangs or stops the queue, and none gives away what lies on the disk; every one of them in the long form."""
    dice = random.Random(3)
    events = [event for event in config["dependencies"] if event["backend_fn"]]
    times = 20 if long else 1
    chosen = events if long else dice.sample(events, 15)
    record_property("calls", times * len(chosen))
    for event in chosen:
        for _ in range(times):
            data = [dice.choice(HOSTILE) for _ in event["inputs"]]
            answer = join(served, event, data)
            assert answer.status_code < 500
            if answer.status_code == 200:
                said = ""
                with served.client.stream("GET", "/gradio_api/queue/data?session_hash=s") as stream:
                    for line in stream.iter_lines():
                        said += line
                        if "process_completed" in line:
                            break
                assert SECRET not in said
                assert "root:x:" not in said
    assert served.client.get("/api/pulse").status_code == 200
