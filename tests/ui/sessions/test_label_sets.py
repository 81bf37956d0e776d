"""Several label sets of one session: each has fields, a board and labels of its own, over the same pictures."""

import csv
import io

import pytest

from clipcore import BadInput, NotFound, zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.classify.board import Boards
from ui.classify.classes import change_classes
from ui.sessions.label_sets import require_own
from ui.studio import Studio

FIELDS = {"names": "red, green", "templates": "{label}", "many": False, "source": "all"}


@pytest.fixture
def studio(tmp_path):
    for index, colour in enumerate(("red", "green")):
        photo(tmp_path / "photos" / f"{index}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture
def client(studio):
    with answering(studio) as client:
        yield client


def two_sets(studio):
    sessions = studio.library.sessions
    kind = sessions.start("pets", FIELDS)
    place = studio.library.label_sets.add(kind.id, "place", "kind")
    sessions.save(place.id, {**FIELDS, "names": "dark, bright"})
    for one, names in ((kind, ["red", "green"]), (place, ["dark", "bright"])):
        sessions.show(one.id, studio.library.runs.start(zero_shot_classifier(FakeEncoder(), names)).id)
    return sessions.get(kind.id), sessions.get(place.id)


def names(studio, session_id):
    return [one.label_set for one in studio.library.label_sets.of(session_id)]


def test_sets_are_one_session_over_the_same_pictures(studio):
    sessions, sets = studio.library.sessions, studio.library.label_sets
    kind, place = two_sets(studio)
    assert (names(studio, place.id), place.name, place.state["names"]) == (["kind", "place"], "pets", "dark, bright")
    assert [one.id for one in sessions.all()] == [place.id]  # once in the list, as the set that was last used
    sessions.save(place.id, {**place.state, "source": "folder:1"})
    assert sessions.get(kind.id).state == {**kind.state, "source": "folder:1"}  # the images, and nothing else
    assert sessions.get(kind.id).edition == kind.edition + 1  # so that another window hears of it
    assert sessions.start("pets").name == "pets 2"
    assert sessions.rename(place.id, "pets").name == "pets"
    assert sessions.rename(place.id, "animals").name == sessions.get(kind.id).name == "animals"
    with pytest.raises(BadInput, match="“Kind” already"):
        sets.rename(place.id, "Kind")
    copy = sessions.duplicate(place.id)
    assert names(studio, copy.id) == ["kind", "place"]
    assert copy.first != kind.id
    assert copy.run not in (None, place.run)
    sessions.delete(copy.id)
    with pytest.raises(NotFound):
        sessions.get(copy.first)
    assert names(studio, sessions.restore(copy.id).id) == ["kind", "place"]


def test_the_first_set_may_go_and_come_back(studio):
    sessions, sets = studio.library.sessions, studio.library.label_sets
    kind, place = two_sets(studio)
    sets.add(kind.id, "light")
    assert sets.remove(kind.id).id == place.id
    assert names(studio, place.id) == ["place", "light"]
    assert sessions.restore(kind.id).run == kind.run
    assert names(studio, place.id) == ["place", "kind", "light"]
    only = sessions.start("alone")
    with pytest.raises(BadInput, match="only label set"):
        sets.remove(only.id)


def test_labels_of_one_set_never_touch_anothers(studio, client):
    kind, place = two_sets(studio)
    library, boards = studio.library, Boards(studio)
    ids = [image.id for image in library.images()]
    boards.move(kind.run, "me", "a", 0, 0, [[None, ids]])
    changes = boards.changes(place.run, "me", 0)["changes"]
    assert sorted(changes) == [(image_id, None) for image_id in sorted(ids)]  # in no order of their own
    boards.move(place.run, "me", "b", 0, -2, [[None, ids[:1]]])  # none of these: of its own classes
    taken_back = boards.reverse(kind.run, "me", "c", 0, redo=False)["changes"]
    assert sorted(taken_back) == [(image_id, None) for image_id in sorted(ids[:2])]
    assert library.labels.of(ids) == {ids[0]: {"dark": -1, "bright": -1}}
    with pytest.raises(BadInput, match="“red” is a class of the label set “kind”"):
        require_own(studio, place, ["red", "dark"])
    with pytest.raises(BadInput, match="“red” is a class of the label set “kind”"):
        change_classes(studio, boards, place.run, "me", "d", ["red", "bright"], {"dark": "red"})
    require_own(studio, place, ["dark", "dim"])


def test_one_file_has_a_column_for_each_set(studio, client):
    kind, place = two_sets(studio)
    ids = [image.id for image in studio.library.images()]
    studio.library.labels.label_many(ids[:1], "bright")
    text = client.get(f"/api/sessions/{kind.id}/sets/labels.csv").text.removeprefix("\ufeff")
    told = client.get(f"/api/sessions/{place.id}/sets/labels.json").json()
    sets = client.get(f"/api/sessions/{place.id}").json()["sets"]
    made = client.post(f"/api/sessions/{place.id}/sets", json={"name": "light"}).json()
    refused = client.post(f"/api/sessions/{place.id}/sets", json={"name": "light"})
    left = client.post(f"/api/sessions/{made['id']}/sets/remove").json()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["kind"], row["kind: by"]) for row in rows] == [("red", "classifier"), ("green", "classifier")]
    assert (rows[0]["place"], rows[0]["place: by"]) == ("bright", "you")
    assert float(rows[0]["kind: likely right"]) > 0.5
    assert told["sets"]["place"]["labels"] == ["dark", "bright"]
    assert told["images"][0]["sets"]["place"]["said"] == ["bright"]
    assert told["images"][1]["sets"]["kind"]["labels"] == ["green"]
    assert [(one["name"], one["sorted"]) for one in sets] == [("kind", True), ("place", True)]
    assert refused.status_code == 400
    assert "already" in refused.json()["error"]
    assert left["id"] == kind.id
