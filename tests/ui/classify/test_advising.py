"""What the Classify tab says of class names while they are typed."""

import pytest
from fastapi.testclient import TestClient

from clipcore import PromptSet, pack
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.classify.advising import MOST_TEXTS, NEAREST, brief
from ui.classify.tab import describe_prompts
from ui.server import create_app
from ui.studio import Studio

PHOTO = "a photo of a {label}."


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A library with eight red pictures and a green one."""
    folder = tmp_path_factory.mktemp("names")
    for index in range(8):
        photo(folder / "photos" / f"{index}.png", "red", (30 + index, 20))
    photo(folder / "photos" / "green.png", "green")
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        studio = Studio(library, lambda: encoder, "fake")
        with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
            studio.encoder()
            yield client


def asked(client, labels, templates=PHOTO):
    return client.post("/api/names", json={"labels": labels, "templates": templates}).json()


def test_ordinary_names_are_left_in_peace(client):
    answer = asked(client, "red, green")
    assert (answer["advice"], answer["notice"]) == ([], "")


def test_an_ambiguous_name_comes_with_what_to_write_instead(client):
    (advice,) = asked(client, "red crane, crane, green")["advice"][:1]
    assert (advice["kind"], advice["labels"]) == ("senses", ["crane"])
    assert "crane (bird)" in advice["suggestions"]


def test_what_the_model_takes_for_the_same_is_said(client):
    found = {tuple(advice["labels"]) for advice in asked(client, "red boat, red house, green tree")["advice"]}
    assert ("red boat", "red house") in found


def test_names_that_judge_people_are_noticed_with_the_way_to_the_bias_tab(client):
    answer = asked(client, "criminal, honest person, tree")
    assert "Bias tab" in answer["notice"]
    assert {label: blurred for label, _, blurred in answer["nearest"]} == {
        "criminal": True,
        "honest person": True,
        "tree": False,
    }


def test_the_nearest_images_of_each_class_before_anything_is_classified(client):
    nearest = {label: images for label, images, _ in asked(client, "red, green")["nearest"]}
    assert [len(images) for images in nearest.values()] == [NEAREST, NEAREST]
    assert "green.png" not in [name for _, _, name in nearest["red"]]
    assert nearest["green"][0][2] == "green.png"
    image_id, content, _ = nearest["red"][0]
    assert client.get(f"/thumb/{image_id}/{content}.webp").status_code == 200


def test_nothing_typed_and_nonsense(client):
    assert asked(client, "  ") == {"advice": [], "notice": "", "nearest": [], "loading": False}
    assert "occurs twice" in asked(client, "a, a")["error"]
    assert "{label}" in asked(client, "a, b", "no place")["error"]


def test_while_the_model_loads_there_is_what_rules_say(tmp_path):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        studio = Studio(library, FakeEncoder, "fake")  # not started
        with_client = TestClient(create_app(studio), base_url="http://127.0.0.1:7860")
        answer = asked(with_client, "dog without leash, cat")
    assert [advice["kind"] for advice in answer["advice"]] == ["negation"]
    assert (answer["nearest"], answer["loading"]) == ([], True)  # the page asks again


def test_once_the_model_is_there_nobody_asks_again(client):
    assert not asked(client, "red, green")["loading"]


def test_long_lists_are_read_in_fewer_sentences():
    eighty = pack("imagenet80")
    assert brief(eighty, 5) is eighty
    short = brief(eighty, 100)
    assert len(short.templates) == MOST_TEXTS // 100
    assert max(eighty.templates, key=len) in short.templates
    assert len(brief(PromptSet(), 10_000).templates) == 1


def test_the_mark_changes_with_either_field():
    assert describe_prompts("", PHOTO)[2] == ""
    marks = {describe_prompts(*fields)[2] for fields in (("crane", PHOTO), ("cranes", PHOTO), ("crane", "{label}"))}
    assert len(marks) == 3
    assert all(marks)
