"""The routes of the Library tab beyond search: selections, labels and their undo, facts, files, albums, folders."""

import os

import pytest

from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.studio import Studio


@pytest.fixture
def library(tmp_path):
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(tmp_path / "photos" / f"{colour}{index}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield library


@pytest.fixture
def client(library):
    with answering(Studio(library, lambda: library.encoder, "fake")) as client:
        yield client


def ids(client, **question):
    return {name.removesuffix(".png"): id for id, _, name, *_ in client.get("/api/images", params=question).json()["images"]}


def give(client, chosen, label, value=1, op="1"):
    return client.post("/api/label", json={"client": "me", "op": op, "chosen": chosen, "label": label, "value": value})


def labels(client, image_id):
    return client.get(f"/api/images/{image_id}").json()["labels"]


def test_ids_are_labelled_and_it_is_taken_back(client):
    there = ids(client)
    answer = give(client, {"ids": [there["red0"], there["blue3"]]}, " my  dog ").json()
    assert (answer["pictures"], answer["changed"], answer["label"], answer["undo"]) == (2, 2, "my dog", 1)
    assert labels(client, there["red0"]) == {"my dog": 1}
    assert give(client, {"ids": [there["red0"]]}, "my dog", None, "2").json()["changed"] == 1
    assert labels(client, there["red0"]) == {}
    for op in ("3", "4"):
        client.post("/api/label/undo", json={"client": "me", "op": op})
    assert labels(client, there["blue3"]) == {}
    nothing = client.post("/api/label/undo", json={"client": "me", "op": "5"})
    assert (nothing.status_code, nothing.json()["error"]) == (400, "There is no label of yours to take back.")


def test_all_that_answer_a_question_are_labelled_but_for_some(client, library):
    there = ids(client)
    chosen = {"question": {"q": "red"}, "but": [there["red1"]]}
    assert give(client, chosen, "warm").json()["pictures"] == 1
    assert library.labels.of() == {there["red0"]: {"warm": 1}}
    assert ids(client, label="warm") == {"red0": there["red0"]}
    assert give(client, {"question": {"name": "e"}, "but": []}, "any", op="2").json()["pictures"] == 4
    assert give(client, {"question": {"sort": "newest"}}, "every", op="3").json()["pictures"] == 4


@pytest.mark.parametrize(
    ("chosen", "label", "sentence"),
    [
        ({"ids": []}, "dog", "Nothing is selected"),
        ({"question": {"q": "grey"}}, "dog", "Nothing is selected"),
        ({"ids": [1]}, "  ", "class name is empty"),
        ({"ids": [999]}, "dog", "no picture 999"),
        ({"question": {"since": "soon"}}, "dog", "is not a day"),
    ],
)
def test_a_label_that_cannot_be_given_changes_nothing(client, library, chosen, label, sentence):
    answer = give(client, chosen, label)
    assert answer.status_code in (400, 404)
    assert sentence in answer.json()["error"]
    assert library.labels.of() == {}


def test_more_images_than_one_request_may_name(client, library, monkeypatch):
    monkeypatch.setattr("ui.library.search.MOST_AT_ONCE", 3)
    there = list(ids(client).values())
    for chosen in ({"ids": there}, {"question": {}}, {"question": {}, "but": [1, 2, 3, 4]}, {"ids": [7] * 4}):
        for answer in (
            give(client, chosen, "dog"),
            client.post("/api/source", json={**chosen, "but": [*chosen.get("but", ()), 0]}),
            client.post("/api/alike", json=chosen),
        ):
            assert answer.status_code == 413
            assert "3 go at once. Select fewer" in answer.json()["error"]
    assert library.labels.of() == {}
    assert give(client, {"ids": there[:3]}, "dog").json()["changed"] == 3
    assert len(client.get("/api/ids", params={"limit": 10**9}).json()) == 3


def test_three_million_ids_are_refused_at_once(client, library):
    import time

    began = time.monotonic()
    answer = give(client, {"ids": list(range(1, 3_000_001))}, "dog")
    assert answer.status_code == 413
    assert time.monotonic() - began < 20  # nearly all of it is reading 23 MB of JSON
    assert library.labels.of() == {}


def test_a_range_of_places_has_the_ids_of_the_pages(client):
    for question in ({}, {"sort": "newest"}, {"q": "red", "everything": True}, {"name": "r"}):
        shown = list(ids(client, **question).values())
        assert client.get("/api/ids", params={**question, "offset": 1, "limit": 2}).json() == shown[1:3]


def test_a_selection_becomes_a_choice_of_the_classify_tab(client, monkeypatch):
    there = ids(client)
    source = lambda chosen: client.post("/api/source", json=chosen).json()  # noqa: E731
    assert source({"ids": [there["red0"], there["red1"]]}) == {"source": f"ids:{there['red0']},{there['red1']}"}
    assert source({"question": {}}) == {"source": "all"}
    assert source({"question": {"folder": 1}}) == {"source": "folder:1"}
    assert source({"question": {}, "but": [there["red0"]]})["source"].count(",") == 2
    monkeypatch.setattr("ui.library.selection.MOST_ON_A_BOARD", 1)
    assert "at most and these are 2" in source({"question": {"q": "red"}})["error"]


def test_pictures_like_several(client):
    there = ids(client)
    mean = client.post("/api/alike", json={"ids": [there["red0"], there["green2"]]}).json()
    assert mean["name"] == "2 selected images"
    found = client.get("/api/images", params={"picture": mean["picture"]}).json()["images"]
    # red (1, 0, 0) and green (0, 1, 0): half way it is 0.71 to both, and 0 to blue
    assert [name for _, _, name, *_ in found][3] == "blue3.png"
    assert found[0][3] == pytest.approx(0.71, abs=0.02)


def test_facts_of_a_picture(client, tmp_path):
    path = tmp_path / "photos" / "red0.png"
    facts = client.get(f"/api/images/{ids(client)['red0']}").json()
    assert (facts["width"], facts["height"], facts["bytes"], facts["path"]) == (30, 20, path.stat().st_size, str(path))
    assert (facts["folder"], facts["taken"], facts["camera"]) == ("photos", None, None)
    path.unlink()
    assert client.get(f"/api/images/{ids(client)['red0']}").json()["bytes"] is None


def test_the_file_is_given_only_while_it_is_the_picture(client, tmp_path):
    image_id, content, *_ = client.get("/api/images", params={"name": "red0"}).json()["images"][0]
    path = tmp_path / "photos" / "red0.png"
    shown = client.get(f"/original/{image_id}/{content}")
    assert (shown.content, shown.headers["content-type"]) == (path.read_bytes(), "image/png")
    assert shown.headers["content-disposition"].startswith("inline")
    assert client.get(f"/original/{image_id}/{content}?download=1").headers["content-disposition"].startswith("attachment")
    assert client.get(f"/original/{image_id}/ffff").status_code == 404
    assert client.get(f"/original/999/{content}").status_code == 404
    secret = tmp_path / "secret"
    secret.write_text("a password")
    path.unlink()
    os.symlink(secret, path)
    answer = client.get(f"/original/{image_id}/{content}")
    assert answer.status_code == 404
    assert "password" not in answer.text


def test_an_album_is_saved_opened_deleted_and_restored(client, tmp_path, library):
    question = {"q": "red", "folder": 1, "name": ".png", "sort": "newest", "everything": True}
    saved = client.post("/api/albums", json={"name": " Warm ", "question": question}).json()
    assert saved == {"name": "Warm", "about": "“red”, in photos, named “.png”", "hand": False}
    assert sorted(ids(client, album="Warm")) == ["red0", "red1"]
    photo(tmp_path / "photos" / "red9.png", "red", (50, 50))
    library.add(tmp_path / "photos")
    answer = client.get("/api/images", params={"album": "Warm"}).json()
    assert (answer["title"], answer["note"], answer["total"], answer["scale"]) == ("Warm", saved["about"], 3, "cosine")
    assert len(client.get("/api/ids", params={"album": "Warm"}).json()) == 3
    kept = client.post("/api/albums/delete", json={"name": "Warm"}).json()
    assert client.get("/api/albums").json() == []
    assert client.get("/api/images", params={"album": "Warm"}).status_code == 404
    assert client.post("/api/albums/restore", json=kept).json() == saved
    assert client.get("/api/albums").json() == [saved]


@pytest.mark.parametrize(
    ("name", "question", "sentence"),
    [
        ("", {"q": "red"}, "needs a name"),
        ("Warm", {}, "needs something to go by"),
        ("Warm", {"q": "red", "picture": "x"}, "Remove the picture"),
        ("Taken", {"q": "red"}, "already"),
    ],
)
def test_an_album_that_cannot_be_saved(client, name, question, sentence):
    client.post("/api/albums", json={"name": "Taken", "question": {"label": "dog"}})
    answer = client.post("/api/albums", json={"name": name, "question": question})
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]
    assert [album["name"] for album in client.get("/api/albums").json()] == ["Taken"]


def test_damaged_filters_are_one_sentence(client):
    answer = client.post("/api/albums/restore", json={"name": "x", "words": "red", "filters": {"colour": 1}})
    assert (answer.status_code, answer.json()["error"]) == (400, "These filters cannot be read. Make the album anew.")


def test_a_search_is_kept_as_a_classifier(client, library):
    answer = client.post("/api/classifiers", json={"name": "warm", "question": {"q": "red"}})
    assert answer.json() == {"name": "warm", "version": 1}
    there = ids(client)
    images, predictions = library.classify(library.classifier("warm"))
    assert {image.id for image, one in zip(images, predictions, strict=True) if one.top(1)[0][1] > 0.5} == {
        there["red0"],
        there["red1"],
    }


def test_a_folder_is_forgotten(client, tmp_path):
    places = client.get("/api/places").json()
    assert (places["total"], places["folders"], places["labels"]) == (4, [[1, "photos", 4]], [])
    assert client.post("/api/folders/1/forget").status_code == 200
    assert client.get("/api/places").json()["total"] == 0
    assert client.post("/api/folders/1/forget").status_code == 404
    assert (tmp_path / "photos" / "red0.png").exists()


def test_an_album_made_by_hand_is_filled_changed_and_had_back(client):
    there = ids(client)

    def change(names, how):
        chosen = {"ids": [there[name] for name in names]}
        return client.post("/api/albums/pictures", json={"name": "Trip", "chosen": chosen, "how": how}).json()

    made = change(["green2", "red0"], "add")
    assert (made["about"], made["hand"], made["before"], made["changed"]) == (
        "2 images, put together by hand",
        True,
        None,
        2,
    )
    grown = change(["blue3", "red0"], "add")
    assert list(ids(client, album="Trip")) == ["green2", "red0", "blue3"]
    assert grown["changed"] == 1
    change(["blue3"], "first")
    assert list(ids(client, album="Trip")) == ["blue3", "green2", "red0"]
    taken = change(["green2"], "remove")
    assert client.get("/api/images", params={"album": "Trip"}).json()["total"] == 2
    assert client.post("/api/albums/restore", json=taken["before"]).json()["about"] == "3 images, put together by hand"
    kept = client.post("/api/albums/delete", json={"name": "Trip"}).json()
    client.post("/api/albums/restore", json=kept)
    assert list(ids(client, album="Trip")) == ["blue3", "green2", "red0"]
    odd = client.post("/api/albums/restore", json={**kept, "replace": True, "pictures": ["x" * 65]})
    assert odd.status_code == 400


def test_months_lead_to_their_first_picture(client, library, tmp_path):
    for name, when in (
        ("red0", 1_577_880_000),
        ("red1", 1_577_890_000),
        ("green2", 1_590_000_000),
        ("blue3", 1_600_000_000),
    ):
        os.utime(tmp_path / "photos" / f"{name}.png", (when, when))
    library.add(tmp_path / "photos")
    months = client.get("/api/months", params={"sort": "newest"}).json()
    assert months == [[2020, 9, 1, 0], [2020, 5, 1, 1], [2020, 1, 2, 2]]
    order = list(ids(client, sort="newest"))
    assert order[:2] == ["blue3", "green2"]
    assert client.get("/api/months", params={"sort": "oldest", "name": "red"}).json() == [[2020, 1, 2, 0]]
