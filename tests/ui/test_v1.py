"""The HTTP API for programs: each route once with what people send, the mistakes they make, and what guards it."""

import os
import threading
import time
from base64 import b64encode

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clipcore import zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.guard.rates import Rates
from ui.studio import Studio
from ui.v1.together import Together

V1 = "/api/v1"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("v1")
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(folder / "photos" / f"{index}{colour}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        library.save(zero_shot_classifier(encoder, ["red", "green", "blue"]), "colours")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with answering(studio) as client:
        studio.encoder()
        yield client


@pytest.fixture
def ids(client):
    return {one["name"][1:-4]: one["id"] for one in client.get(f"{V1}/images").json()["images"]}  # the last of each colour


@pytest.fixture
def blue(tmp_path):
    return photo(tmp_path / "new.png", "blue", (50, 40)).read_bytes()


# pictures in, answers out


def test_pictures_by_id_and_in_base64_are_sorted(client, ids, blue):
    pictures = [{"id": ids["green"]}, {"base64": b64encode(blue).decode()}, {"base64": b64encode(b"text").decode()}]
    said = client.post(f"{V1}/classify", json={"pictures": pictures, "labels": ["red", "green", "blue"], "top": 2}).json()
    assert said["model"] == "fake"
    green, of_blue, text = said["answers"]
    assert (green["picture"], green["answer"], green["verdict"]) == (str(ids["green"]), ["green"], "label")
    assert of_blue["answer"] == ["blue"]
    assert of_blue["shares"][0]["label"] == "blue"
    assert len(of_blue["shares"]) == 2
    assert of_blue["likely_right"] > 0.5
    assert "not a picture" in text["error"]
    assert text["answer"] == []


def test_files_are_sorted_with_a_saved_classifier(client, blue):
    files = [("files", ("a.png", blue)), ("files", ("b.png", blue))]
    said = client.post(f"{V1}/classify/files", files=files, data={"classifier": "colours"}).json()
    assert [(one["picture"], one["answer"]) for one in said["answers"]] == [("a.png", ["blue"]), ("b.png", ["blue"])]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"pictures": [], "labels": ["red", "blue"]}, 400, "no picture"),
        ({"pictures": [{"id": 1}]}, 400, "a saved classifier or labels"),
        ({"pictures": [{"id": 1}], "labels": ["red"], "classifier": "colours"}, 400, "not both"),
        ({"pictures": [{"id": 1}], "classifier": "none"}, 404, "none"),
        ({"pictures": [{"id": 10**6}], "labels": ["red", "blue"]}, 404, "picture"),
        ({"pictures": [{"id": 1, "base64": "AA=="}], "labels": ["red", "blue"]}, 400, "either an id or base64"),
        ({"pictures": [{"base64": "!"}], "labels": ["red", "blue"]}, 400, "no base64"),
        ({"pictures": [{"id": 1}] * 65, "labels": ["red", "blue"]}, 413, "64 go at once"),
        ({"pictures": [{"id": 1}], "labels": ["red", "blue"], "templates": ["a photo"]}, 400, "{label}"),
        ({"pictures": "all"}, 422, "not understood"),
    ],
)
def test_mistakes_are_told_in_a_sentence(client, asked, status, words):
    answer = client.post(f"{V1}/classify", json=asked)
    assert answer.status_code == status
    assert words in answer.json()["error"]


# the library


def test_pictures_are_listed_a_page_at_a_time(client):
    first = client.get(f"{V1}/images", params={"limit": 3}).json()
    rest = client.get(f"{V1}/images", params={"limit": 3, "after": first["next"]}).json()
    assert (first["total"], len(first["images"]), len(rest["images"]), rest["next"]) == (4, 3, 1, None)
    assert len({one["id"] for one in first["images"] + rest["images"]}) == 4
    only = client.get(f"{V1}/images", params={"name": "green"}).json()["images"]
    assert [one["name"] for one in only] == ["2green.png"]
    assert client.get(f"{V1}/images", params={"since": "yesterday"}).status_code == 400


def test_pictures_are_found_by_words_and_by_likeness(client, ids):
    found = client.get(f"{V1}/images", params={"q": "red"}).json()
    assert {one["name"] for one in found["images"]} == {"0red.png", "1red.png"}
    assert found["clear"] is True
    assert found["images"][0]["matches"] is True
    like = client.get(f"{V1}/images/{ids['red']}/similar", params={"limit": 1}).json()["images"]
    assert [one["name"] for one in like] == ["0red.png"]
    one = client.get(f"{V1}/images/{ids['red']}").json()
    assert (one["name"], one["width"], one["score"]) == ("1red.png", 31, None)
    assert client.get(f"{V1}/images/{ids['red']}/thumbnail", params={"side": 16}).content.startswith(b"RIFF")


def test_files_come_into_the_library_by_a_job(client, studio, blue):
    sent = client.post(f"{V1}/images", files=[("files", ("../../x.png", blue))], data={"collection": "robot"})
    assert sent.status_code == 202
    studio.jobs.wait(sent.json()["id"])
    job = client.get(f"{V1}/jobs/{sent.json()['id']}").json()
    assert (job["state"], job["result"]["new"]) == ("done", 1)
    (image,) = client.get(f"{V1}/images", params={"folder": job["result"]["folder_id"]}).json()["images"]
    assert ".." not in image["name"]
    assert client.get(f"{V1}/jobs", params={"limit": 1}).json()[0]["id"] == job["id"]
    assert client.post(f"{V1}/jobs/{job['id']}/cancel").json()["state"] == "done"
    assert client.get(f"{V1}/jobs/1000000").status_code == 404


# labels and classifiers


def test_labels_are_given_moved_counted_written_out_and_taken_back(client, ids):
    red, green = ids["red"], ids["green"]
    assert client.post(f"{V1}/labels", json={"images": [red, green], "label": "warm"}).json()["changed"] == 2
    moved = {"images": [green], "label": "cold", "among": ["warm", "cold"]}
    assert client.post(f"{V1}/labels", json=moved).json()["changed"] == 1
    assert client.get(f"{V1}/labels").json() == {"warm": 1, "cold": 1}
    assert client.get(f"{V1}/images/{green}/labels").json()["cold"] == 1
    assert "2green.png" in client.get(f"{V1}/exports/labels").text
    assert client.get(f"{V1}/exports/labels", params={"form": "coco"}).json()["annotations"]
    assert client.get(f"{V1}/exports/labels", params={"form": "json"}).json()
    for _ in range(2):
        assert client.post(f"{V1}/labels/undo").json()["changed"] > 0
    assert client.get(f"{V1}/labels").json() == {}
    assert client.post(f"{V1}/labels/undo").status_code == 400
    assert client.post(f"{V1}/labels", json={"images": [], "label": "x"}).status_code == 400
    assert client.post(f"{V1}/labels", json={**moved, "value": -1}).status_code == 400


def test_a_classifier_is_made_fetched_brought_and_deleted(client):
    made = client.post(
        f"{V1}/classifiers", json={"name": "two", "labels": ["red", "blue"], "templates": ["a {label} thing"]}
    )
    assert made.status_code == 201
    number = made.json()["id"]
    assert client.get(f"{V1}/classifiers/{number}").json()["labels"] == ["red", "blue"]
    file = client.get(f"{V1}/classifiers/{number}/file").content
    brought = client.post(f"{V1}/classifiers/files", files={"file": ("two.safetensors", file)}, data={"name": "again"})
    assert brought.json()["name"] == "again"
    assert client.delete(f"{V1}/classifiers/{number}").json()["name"] == "two"
    assert client.get(f"{V1}/classifiers/{number}").status_code == 404
    assert {one["name"] for one in client.get(f"{V1}/classifiers").json()} == {"colours", "again"}
    bad = client.post(f"{V1}/classifiers/files", files={"file": ("x", b"nothing")}, data={"name": "bad"})
    assert "not a classifier" in bad.json()["error"]


# what is said of it


def test_all_of_it_is_described(client):
    described = client.get("/api/openapi.json").json()
    routes = {route.path for route in client.app.routes if route.path.startswith(V1)}
    assert described["paths"].keys() == routes
    page = client.get("/api/docs").text
    for path, ways in described["paths"].items():
        assert path in page
        for one in ways.values():
            assert one["summary"]
            assert "400" in one["responses"]
    assert "http" not in page.replace("HTTP", "")  # nothing of another host
    assert "<script" not in page


# together


class Slow(FakeEncoder):
    """Computes when it is let: `passes` has how many pictures each pass had, `free` lets them go on."""

    def __init__(self) -> None:
        super().__init__(batch_size=6)
        self.passes, self.free = [], threading.Event()

    def embed_prepared(self, batch):
        self.passes.append(len(batch))
        self.free.wait(10)
        return np.arange(len(batch), dtype=np.float32)[:, None] * np.ones((1, self.dim), np.float32)


def test_pictures_that_come_together_go_through_the_model_together(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    together, slow, found = Together(), Slow(), {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: together.embed(slow, [n])})) for n in range(12)]

    def until(is_so):
        while not is_so():
            time.sleep(0.001)

    threads[0].start()  # alone: at once, where it stands
    until(lambda: slow.passes == [1])
    threads[1].start()  # takes the core
    until(lambda: slow.passes == [1, 1])
    for thread in threads[2:]:
        thread.start()
    until(lambda: len(together._waiting) == 10)
    slow.free.set()
    for thread in threads:
        thread.join(10)
    assert slow.passes == [1, 1, 6, 4]  # as many as a pass takes, and the others
    assert sorted(vector[0, 0] for vector in found.values()) == sorted([0, 0, *range(6), *range(4)])


def test_whoever_is_alone_computes_in_its_own_thread_with_all_cores():
    class Tells(FakeEncoder):
        def embed_prepared(self, batch):
            here.append(threading.current_thread())
            return super().embed_prepared(batch)

    together, encoder, here = Together(), Tells(), []
    prepared = together.do(encoder, lambda: encoder.prepare(np.zeros((4, 4, 3), np.uint8))).result()
    assert together.embed(encoder, [prepared]).shape == (1, encoder.dim)
    assert here == [threading.current_thread()]


def test_a_model_changed_meanwhile_gets_passes_of_its_own(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    together, slow, others, found = Together(), Slow(), [FakeEncoder("one"), FakeEncoder("two")], []
    threads = [threading.Thread(target=together.embed, args=(slow, [1])) for _ in range(2)]
    red = np.array([1, 0, 0, 0], np.float32)
    threads += [threading.Thread(target=lambda e=e: found.append(together.embed(e, [red] * 5))) for e in others * 3]
    for thread in threads:
        thread.start()
    while len(together._waiting) < 30:
        time.sleep(0.001)
    slow.free.set()
    for thread in threads:
        thread.join(10)
    assert all(rows.tolist() == [red.tolist()] * 5 for rows in found)
    assert len(found) == 6
    assert [one.embedded for one in others] == [15, 15]


def test_a_pass_that_fails_fails_for_those_in_it_alone(monkeypatch):
    class Broken(Slow):
        def embed_prepared(self, batch):
            super().embed_prepared(batch)
            raise ValueError("no")

    together, sound, broken, said = Together(), FakeEncoder(), Broken(), []

    def ask():
        with pytest.raises(ValueError, match="no"):
            together.embed(broken, [1])
        said.append("no")

    threads = [threading.Thread(target=ask) for _ in range(3)]  # one alone, two who share
    for thread in threads:
        thread.start()
    broken.free.set()
    for thread in threads:
        thread.join(10)
    assert len(said) == 3
    prepared = [sound.prepare(np.zeros((4, 4, 3), np.uint8))]
    assert together.embed(sound, prepared).shape == (1, sound.dim)
    assert together.embed(sound, []).shape == (0, sound.dim)


# how often


def test_who_asks_too_often_waits():
    now = [0.0]
    app = FastAPI()
    app.get(f"{V1}/x")(lambda: 1)
    app.get("/api/x")(lambda: 1)
    limited = Rates(app, rate=2, burst=3, clock=lambda: now[0])
    far = TestClient(limited, client=("10.0.0.1", 1))
    assert [far.get(f"{V1}/x").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = far.get(f"{V1}/x")
    assert "requests a second" in refused.json()["error"]
    assert refused.headers["retry-after"] == "1"
    assert far.get("/api/x").status_code == 200  # the page's own
    assert far.get(f"{V1}/x", headers={"Authorization": "Bearer another"}).status_code == 200
    now[0] += 0.5
    assert [far.get(f"{V1}/x").status_code for _ in range(2)] == [200, 429]
    here = TestClient(limited, client=("127.0.0.1", 1))
    assert {here.get(f"{V1}/x").status_code for _ in range(10)} == {200}


# with tokens


def test_a_token_opens_what_its_scopes_say(studio):
    from ui.server import create_app

    tokens = studio.library.people.tokens
    reads, _ = tokens.create(None, "reader", ["read"])
    labels, _ = tokens.create(None, "labeller", ["read", "label"])
    app = create_app(studio, password="sesame-open")

    def asks(token, method, path, **sent):
        client = TestClient(app, base_url="http://127.0.0.1:7860", headers={"Authorization": f"Bearer {token}"})
        return client.request(method, V1 + path, **sent).status_code

    step = {"images": [1], "label": "seen"}
    assert asks("sayso_wrong", "GET", "/images") == 401
    assert asks(reads, "GET", "/images") == 200
    assert asks(reads, "POST", "/labels", json=step) == 403
    assert asks(labels, "POST", "/labels", json=step) == 200
    assert asks(labels, "DELETE", "/classifiers/1") == 403
    assert asks(labels, "POST", "/labels/undo") == 200
