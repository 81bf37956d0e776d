"""A promise on the board, by its routes: refused with a number, made, kept with the classifier, taken back, taught anew."""

import pytest

from clipcore import NONE, Decision, zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from tests.ui.classify.test_board import load, move, taught
from ui.studio import Studio

SHADES = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}
COUNT = 60


@pytest.fixture
def studio(tmp_path):
    for index in range(COUNT):
        name = list(SHADES)[index % 2]
        colour = tuple(255 * part if part else 3 * (index // 2) for part in SHADES[name])
        photo(tmp_path / "photos" / f"{index:02}.png", colour, (8, 8))
    for index in range(4):
        photo(tmp_path / "photos" / f"x{index}.png", (0, index, 255), (8, 8))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture
def client(studio):
    with answering(studio) as client:
        yield client


@pytest.fixture
def run(studio):
    return f"/api/runs/{studio.library.runs.start(zero_shot_classifier(FakeEncoder(), ['red', 'green'])).id}"


def ids(studio):
    return {image.name: image.id for image in studio.library.images()}


def label_right(client, run, studio, count):
    of = ids(studio)
    for code in (0, 1):
        move(client, run, code, [[None, [of[f"{index:02}.png"] for index in range(count) if index % 2 == code]]])


def test_a_promise_is_refused_made_and_taken_back(client, run, studio):
    answer = client.post(f"{run}/promise", json={"wrong": 0.05})
    assert answer.status_code == 400
    assert "Label some of them first, chosen at random" in answer.json()["error"]
    label_right(client, run, studio, 20)
    answer = client.post(f"{run}/promise", json={"wrong": 0.1}).json()["error"]
    assert (
        answer
        == "For at most 10 % wrong there are too few labels. About 2 more labels are needed, of images chosen at random."
    )
    assert load(client, run)["promise"] is None

    label_right(client, run, studio, 40)
    assert client.post(f"{run}/promise", json={"wrong": 0.1}).status_code == 200
    board = load(client, run)
    assert board["promise"]["wrong"] == 0.1
    assert board["promise"]["sentence"].startswith("At most 10 % of the answers are wrong, 90 % sure: 0 of ")
    kept = studio.library.runs.get(run.split("/")[-1]).classifier.decision
    assert (kept.promise, kept.sure) == (0.1, board["sure"])
    assert client.post(f"{run}/promise", json={"wrong": 0.7}).status_code == 400

    assert client.post(f"{run}/dial", json={"sure": 0.4}).status_code == 200  # whoever turns the dial promises nothing
    assert load(client, run)["promise"] is None
    assert client.post(f"{run}/promise", json={"wrong": 0.1}).status_code == 200
    assert client.post(f"{run}/promise", json={"wrong": None}).status_code == 200
    assert (load(client, run)["promise"], load(client, run)["sure"]) == (None, board["sure"])


def test_pictures_of_no_class_count_as_wrong(client, run, studio):
    label_right(client, run, studio, 40)
    strangers = [image_id for name, image_id in ids(studio).items() if name.startswith("x")]
    run_id = run.split("/")[-1]
    classifier = studio.library.runs.get(run_id).classifier
    studio.library.runs.change(run_id, classifier.with_decision(Decision()), keep=False)
    move(client, run, NONE, [[None, strangers]])
    assert client.post(f"{run}/promise", json={"wrong": 0.1}).status_code == 200
    unseen = studio.library.runs.get(run_id).classifier.metrics["unseen"]
    assert unseen["truth"].count(-1) == 4
    again = client.post(f"{run}/promise", json={"wrong": 0.1})
    assert again.status_code == 200
    assert studio.library.runs.get(run_id).classifier.metrics["unseen"]["truth"].count(-1) == 4  # and not twice


def test_pictures_to_label_are_dealt_by_chance_and_begin_with_the_check_sample(client, run, studio):
    first = client.get(f"{run}/random").json()["items"]
    assert [item[0] for item in first][:20] == [item[0] for item in client.get(f"{run}/check").json()["items"]]
    move(client, run, 0, [[None, [first[0][0]]]])
    assert first[0][0] not in [item[0] for item in client.get(f"{run}/random").json()["items"]]


def test_what_labels_teach_keeps_the_promise(client, run, studio):
    label_right(client, run, studio, 40)
    assert client.post(f"{run}/promise", json={"wrong": 0.1}).status_code == 200
    taught(client, run, 40)
    assert client.post(f"{run}/lesson/use").status_code == 200
    board = load(client, run)
    decision = studio.library.runs.get(run.split("/")[-1]).classifier.decision
    assert decision.promise == 0.1
    assert "on 40 labelled images it had not seen" in board["promise"]["sentence"]
