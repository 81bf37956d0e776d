"""The routes of the map: places and groups as the page's script unpacks them, and the job that lays it out."""

import numpy as np
import pytest

from clipcore import PromptSet
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.maps import unpacked
from tests.support.routes import answering
from ui.library.map import OUT
from ui.studio import Studio


@pytest.fixture
def library(tmp_path):
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(tmp_path / ("warm" if colour == "red" else "cold") / f"{colour}{index}.png", colour, (30 + index, 20))
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path / "warm")
        library.add(tmp_path / "cold")
        yield library


@pytest.fixture
def studio(library):
    return Studio(library, lambda: library.encoder, "fake")


@pytest.fixture
def client(studio):
    with answering(studio) as client:
        yield client


def lay_out(client, studio):
    job = client.post("/api/map", json={}).json()["job"]
    studio.jobs.wait(job)
    told = client.get(f"/api/map/jobs/{job}").json()
    assert (told["state"], told["error"]) == ("done", None)


def coloured(client, library, **asked):
    """Name -> group, and how many the header counts of each."""
    head, ids, _, groups = unpacked(client.get("/api/map", params=asked))
    names = [group["name"] for group in head["groups"]] + [""] * OUT
    of = {
        library.image(int(one)).name: names[group] if group != OUT else None for one, group in zip(ids, groups, strict=True)
    }
    return of, {group["name"]: group["count"] for group in head["groups"] if group["count"]}


def test_before_it_is_laid_out_and_after(client, studio, library):
    head, *_ = unpacked(client.get("/api/map"))
    assert (head["made"], head["images"], head["shown"]) == (False, 4, 0)
    lay_out(client, studio)
    head, ids, places, _ = unpacked(client.get("/api/map"))
    assert (head["made"], head["shown"], head["missing"], head["by"], head["job"]) == (True, 4, 0, "folder", None)
    assert ids.tolist() == [image.id for image in library.images()]
    assert np.isfinite(places).all()


def test_colours_by_folder_and_label(client, studio, library):
    lay_out(client, studio)
    of, counts = coloured(client, library, by="folder")
    assert of == {"red0.png": "warm", "red1.png": "warm", "green2.png": "cold", "blue3.png": "cold"}
    assert counts == {"warm": 2, "cold": 2}
    ids = {image.name: image.id for image in library.images()}
    library.label(ids["red0.png"], "rose")
    library.label(ids["green2.png"], "leaf")
    library.label(ids["green2.png"], "tree")
    of, counts = coloured(client, library)  # there are labels now: they are what one sees first
    assert of == {"red0.png": "rose", "red1.png": "no label", "green2.png": "several labels", "blue3.png": "no label"}
    assert counts == {"rose": 1, "several labels": 1, "no label": 2}


def test_colours_by_a_boards_answers_and_its_mistakes(client, studio, library):
    lay_out(client, studio)
    job = studio.jobs.submit("classify", {"labels": ["red", "blue"], "prompts": PromptSet().to_json()})
    run = studio.jobs.wait(job).result["run"]
    board = library.runs.get(run).classifier
    library.runs.change(run, board.with_decision(type(board.decision)(sure=0.0)))
    of, _ = coloured(client, library, run=run)
    assert (of["red0.png"], of["blue3.png"]) == ("red", "blue")
    ids = {image.name: image.id for image in library.images()}
    library.labels.move([ids["red0.png"]], "red", board.labels)
    library.labels.move([ids["red1.png"]], "blue", board.labels)
    of, counts = coloured(client, library, run=run, by="mistake")
    assert (of["red0.png"], of["red1.png"], of["blue3.png"]) == ("right", "mistake", "not labelled")
    assert counts == {"right": 1, "mistake": 1, "not labelled": 2}
    assert client.get("/api/map", params={"by": "mistake"}).status_code == 404


def test_what_does_not_answer_the_question_is_out(client, studio, library):
    lay_out(client, studio)
    of, counts = coloured(client, library, by="folder", name="red")
    assert {name for name, group in of.items() if group is None} == {"green2.png", "blue3.png"}
    assert counts == {"warm": 2}
    of, _ = coloured(client, library, by="folder", q="red")
    assert of["red0.png"] == "warm"
    assert of["blue3.png"] is None


def test_cards_by_id_and_jobs_that_are_no_map(client, studio, library):
    ids = [image.id for image in library.images()]
    cards = client.post("/api/cards", json={"ids": [ids[2], ids[0], 10**9, ids[0]]}).json()
    assert [card[0] for card in cards] == [ids[2], ids[0]]
    other = studio.jobs.submit("embed", {})
    assert client.get(f"/api/map/jobs/{other}").status_code == 404
    assert client.post(f"/api/map/jobs/{other}/stop", json={}).status_code == 404


def test_who_asks_twice_joins_the_one_that_is_at_work(library):
    idle = Studio(library, lambda: library.encoder, "fake")  # its workers are not started: the job waits
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from ui.api import add_routes

    app = FastAPI()
    add_routes(app, idle)
    client = TestClient(app, base_url="http://127.0.0.1:7860")
    jobs = [client.post("/api/map", json={}).json()["job"] for _ in range(2)]
    assert jobs[0] == jobs[1]
    assert client.post(f"/api/map/jobs/{jobs[0]}/stop", json={}).json() == {}
    assert client.get(f"/api/map/jobs/{jobs[0]}").json()["state"] == "cancelled"
