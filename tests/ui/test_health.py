"""What those who run a server ask of it: alive, ready, how much, and which request was it."""

import json
import logging
import re
import sys

import pytest
from fastapi.testclient import TestClient

from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.logs import Lines
from ui.server import create_app
from ui.studio import Studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("health")
    photo(folder / "photos" / "a.png", "red")
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def app(studio):
    return create_app(studio, password="sesame-open")


@pytest.fixture
def client(app):
    right = {"Authorization": "Basic eDpzZXNhbWUtb3Blbg=="}  # x:sesame-open
    return TestClient(app, base_url="http://127.0.0.1:7860", headers=right)


def test_alive_and_ready_without_a_password(app, studio):
    stranger = TestClient(app, base_url="http://127.0.0.1:7860")
    assert stranger.get("/healthz").text == "ok"
    before = stranger.get("/readyz")
    assert (before.status_code, before.json()) == (503, {"model": False, "jobs": False, "database": True})
    with stranger:  # it begins
        studio.encoder()
        assert stranger.get("/readyz").status_code == 200
    assert stranger.get("/readyz").status_code == 503  # and ends
    assert stranger.get("/metrics").status_code == 401


def test_what_was_answered_is_counted_by_route_never_by_path(client):
    for _ in range(3):
        client.get("/api/v1/images/1")
    client.get("/api/v1/images/99")
    client.get("/<script>")
    text = client.get("/metrics").text
    route = r'sayso_requests_total{route="/api/v1/images/\{image_id\}",method="GET",status='
    assert f'{route}"200"}} 3'.replace("\\", "") in text
    assert f'{route}"404"}} 1'.replace("\\", "") in text
    assert 'route="other",method="GET",status="404"' in text
    assert "script" not in text
    assert "sayso_images 1\n" in text
    buckets = re.findall(r'request_seconds_bucket\{route="/api/v1/images/\{image_id\}",le="([^"]+)"\} (\d+)', text)
    assert [int(count) for _, count in buckets] == sorted(int(count) for _, count in buckets)
    assert buckets[-1] == ("+Inf", "4")


@pytest.mark.parametrize(("given", "kept"), [("a-1:b.c", True), ("x" * 65, False), ("a\tb", False), ("", False)])
def test_a_request_has_a_number_in_the_answer_and_in_the_log(client, caplog, given, kept):
    with caplog.at_level(logging.INFO, "sayso.requests"):
        number = client.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (number == given) is kept
    assert re.fullmatch(r"[\w.:-]{1,64}", number)
    (line,) = [record for record in caplog.records if record.name == "sayso.requests"]
    assert (line.request, line.route, line.status) == (number, "/healthz", 200)


def test_the_log_as_lines_of_json():
    try:
        raise ValueError("no")
    except ValueError:
        record = logging.LogRecord("sayso", logging.ERROR, "x.py", 1, "it %s", ("broke\n",), exc_info=sys.exc_info())
    record.request, record.ms = "7f", 1.5
    line = Lines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert (told["level"], told["message"], told["request"], told["ms"]) == ("error", "it broke\n", "7f", 1.5)
    assert "ValueError: no" in told["traceback"]
