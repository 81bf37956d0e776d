"""The server's guards and routes, without a browser: hosts, origins, password, ids instead of paths."""

import logging
import socket
import sys

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from clipcore import BadInput, zero_shot_classifier
from storage import Library, SkippedRecord
from tests.support.fakes import FakeEncoder, photo
from ui.server import create_app, is_news, listen
from ui.studio import Studio

HERE = {"Host": "127.0.0.1:7860"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(folder / "photos" / f"{colour}{index}.png", colour, (30 + index, 20))
    (folder / "photos" / f"{HOSTILE.replace('/', '')}.png").write_text("no picture")
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
        yield client


@pytest.fixture(scope="module")
def run(studio, client):
    classifier = zero_shot_classifier(studio.encoder(), ["red", "green", HOSTILE])
    return studio.library.runs.start(classifier, skipped=[SkippedRecord("a.jpg", "It is damaged.")]).id


def test_the_page_is_served_with_guards(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "Sayso" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["/", "/config", "/api/images", "/thumb/1/00.webp"])
def test_another_host_name_is_refused(client, path):
    """DNS rebinding: a site that points its own name at 127.0.0.1."""
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}, True),
        ({}, True),
    ],
)
def test_only_our_own_page_may_post(client, headers, allowed):
    answer = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}, headers=headers)
    assert (answer.status_code != 403) == allowed


def test_connections_send_without_waiting():
    """Nagle's algorithm would hold the second part of every answer back for 40 ms."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_gradio_makes_no_statistics_of_events():
    """It would after each event, of all the last 10,000; if its settings are renamed one day, this says so."""
    from gradio import Blocks

    with Blocks() as page:
        queue = page._queue
    queue.events_recorded = 100_000
    made = queue.compute_analytics_summary([{"function": "look", "status": "success", "process_time": 0.1}])
    assert made == {"functions": {}}
    assert queue.ANALYTICS_MAX_EVENTS == 1


def test_an_open_address_needs_a_password(studio):
    with pytest.raises(BadInput, match="SAYSO_PASSWORD"):
        create_app(studio, "0.0.0.0")


def test_the_password_covers_every_route(studio):
    client = TestClient(create_app(studio, "127.0.0.1", "sesame"), base_url="http://127.0.0.1:7860")
    paths = ("/", "/config", "/api/images", "/thumb/1/00.webp", "/elements/classify/board.js", "/theme.css")
    assert {client.get(path).status_code for path in paths} == {401}
    assert client.get("/api/images", auth=("anyone", "wrong")).status_code == 401
    assert client.get("/api/images", auth=("anyone", "sesame")).status_code == 200


def test_downloads_of_a_run(client, run):
    table = client.get(f"/api/runs/{run}/labels.csv")
    assert table.headers["content-disposition"].startswith("attachment")
    assert len(table.text.splitlines()) == 5
    assert len(client.get(f"/api/runs/{run}/labels.json").json()["images"]) == 4


def test_thumbnails_go_by_id_and_content(client):
    image_id, content, _, _ = client.get("/api/images").json()["images"][0]
    answer = client.get(f"/thumb/{image_id}/{content}.webp")
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"/thumb/{image_id}/ffff.webp").status_code == 404
    assert client.get("/thumb/9999/00.webp").status_code == 404
    assert client.get("/thumb/..%2F..%2Fetc/passwd.webp").status_code in (404, 422)


def names(answer) -> list[str]:
    return [name for _, _, name, *_ in answer["images"]]


def test_search_and_similar(client):
    answer = client.get("/api/images", params={"q": "a red thing"}).json()
    assert sorted(names(answer)) == ["red0.png", "red1.png"]
    assert (answer["title"], answer["clear"], answer["total"]) == ("2 images match “a red thing”", True, 2)
    image_id, _, _, score, rank, margin, matches = answer["images"][0]
    assert (score, rank, matches) == (pytest.approx(1, abs=0.01), 1, True)
    assert margin == pytest.approx(0.5, abs=0.02)
    alike = client.get("/api/images", params={"image": image_id}).json()
    assert alike["images"][0][2].startswith("red")
    assert alike["clear"] is None


def test_a_search_for_what_is_not_there(client):
    answer = client.get("/api/images", params={"q": "grey"}).json()
    assert (answer["title"], answer["images"], answer["clear"]) == ("Nothing here clearly matches “grey”", [], False)
    assert len(answer["suggestions"]) == 5
    closest = client.get("/api/images", params={"q": "grey", "everything": True}).json()
    assert closest["title"] == answer["title"]  # it is still not there
    assert closest["note"] == "These are the closest all the same."
    assert len(closest["images"]) == 4
    assert closest["images"][0][6] is False


def test_a_search_in_pages(client, monkeypatch):
    monkeypatch.setattr("ui.library.search.PAGE", 2)
    seen = []
    for offset in (0, 2):
        answer = client.get("/api/images", params={"q": "red", "everything": True, "offset": offset}).json()
        seen += names(answer)
        assert answer["total"] == 4
    assert len(seen) == len(set(seen)) == 4
    assert "further than" in client.get("/api/images", params={"q": "red", "offset": 10**6}).json()["error"]
    first = client.get("/api/images").json()
    rest = client.get("/api/images", params={"offset": 2}).json()
    assert len({*names(first), *names(rest)}) == 4


def test_filters_and_order(client):
    assert names(client.get("/api/images", params={"name": "RED"}).json()) == ["red0.png", "red1.png"]
    assert names(client.get("/api/images", params={"q": "red", "name": "0"}).json()) == ["red0.png"]
    assert names(client.get("/api/images", params={"since": "2001-01-01", "until": "2001-01-02"}).json()) == []
    newest, oldest = (client.get("/api/images", params={"sort": sort}).json() for sort in ("newest", "oldest"))
    assert names(newest) == names(oldest)[::-1]
    assert client.get("/api/images", params={"since": "soon"}).json()["error"].startswith("“soon” is not a day")
    assert client.get("/api/images", params={"q": "red", "sort": "random"}).status_code == 422


def test_a_picture_to_search_with(client, tmp_path):
    data = photo(tmp_path / "new.png", "green").read_bytes()
    kept = client.post("/api/pictures", content=data, headers={"Content-Type": "image/png"}).json()["picture"]
    assert names(client.get("/api/images", params={"picture": kept}).json())[0] == "green2.png"
    both = client.get("/api/images", params={"picture": kept, "q": "3*blue"}).json()
    assert names(both)[:2] == ["blue3.png", "green2.png"]
    assert both["title"] == "Closest to “3*blue” and the picture"


@pytest.mark.parametrize(
    ("content", "kind", "status", "sentence"),
    [
        (b"no picture", "image/png", 400, "not a picture"),
        (b"x", "text/plain", 400, "not a picture"),
        (b"x" * 200, "image/png", 400, "larger than"),
    ],
)
def test_a_bad_picture_to_search_with(client, monkeypatch, content, kind, status, sentence):
    monkeypatch.setattr("ui.library.search.MAX_UPLOAD", 100)
    answer = client.post("/api/pictures", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_a_forgotten_picture_is_said(client, tmp_path, monkeypatch):
    monkeypatch.setattr("ui.library.search.KEPT_PICTURES", 1)
    data = photo(tmp_path / "new.png", "green").read_bytes()
    first, _ = (client.post("/api/pictures", content=data, headers={"Content-Type": "image/png"}).json() for _ in "12")
    answer = client.get("/api/images", params={"picture": first["picture"]})
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "The picture is not here any more. Choose it again.",
    )


def test_another_site_may_not_send_a_picture(client):
    headers = {"Content-Type": "image/png", "Origin": "http://evil.example"}
    assert client.post("/api/pictures", content=b"x", headers=headers).status_code == 403


def test_duplicates_go_by_job_and_id(studio, client):
    """The two red pictures are not of one shape, so they are similar only."""
    job = studio.jobs.wait(studio.jobs.submit("duplicates", {}), 20)
    assert job.state == "done", job.error
    answer = client.get(f"/api/duplicates/{job.id}").json()
    assert answer["same"] == {"total": 0, "groups": []}
    (group,) = answer["similar"]["groups"]
    assert [name for _, _, name, *_ in group] == ["red0.png", "red1.png"]
    assert group[0][4] == "30 × 20"
    assert client.get("/api/duplicates/999").status_code == 404


def test_unknown_ids_are_one_sentence(client):
    for path in ("/api/runs/nothing", "/api/images?image=12345"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"].endswith((".", "again"))


def test_a_job_of_the_page_runs_to_its_end(studio, client):
    payload = {"labels": ["red", "blue"], "prompts": {"name": "bare", "templates": ["{label}"]}}
    job = studio.jobs.wait(studio.jobs.submit("classify", payload), 10)
    assert job.state == "done", job.error
    images, predictions = studio.library.runs.predictions(job.result["run"])
    assert {image.name[:3]: prediction.label for image, prediction in zip(images, predictions, strict=True)}["red"] == "red"


def test_the_pulse_changes_with_jobs_and_trainings(studio, client):
    def pulse():
        return client.get("/api/pulse").json()

    before = pulse()
    assert before["status"] == studio.status()
    assert pulse() == before
    job = studio.jobs.submit("duplicates", {})
    assert pulse()["news"] != before["news"]
    studio.jobs.wait(job)
    ended = pulse()["news"]
    log = studio.library.home / "models" / "mine" / "log.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}")
    assert pulse()["news"] != ended


@pytest.mark.parametrize(
    ("error", "cause", "kept"),
    [(RuntimeError, HTTPException(404), False), (RuntimeError, None, True), (KeyError, HTTPException(404), True)],
)
def test_a_window_that_goes_leaves_no_traceback_in_the_log(error, cause, kept):
    """Gradio raises 404 into a stream that has begun, and Starlette a RuntimeError from it."""
    try:
        raise error("the answer has begun") from cause
    except error:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "in the application", (), sys.exc_info())
    assert is_news(record) is kept
