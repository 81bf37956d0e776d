"""A saved classifier's name, description and file, and deleting it."""

from types import SimpleNamespace

import gradio as gr
import pytest

from clipcore import BadInput, Classifier, NotFound, zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder
from tests.support.routes import answering
from ui.classify import saved_panel
from ui.studio import Studio

PARTS = SimpleNamespace(**{name: name for name in ("chosen", "name", "about", "file", "question", "sure", "no")})


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setattr(gr, "Info", lambda *said, **how: None)
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.save(zero_shot_classifier(encoder, ["red", "green"]), "colours")
        library.albums.save("reds", classifier="colours", label="red")
        yield Studio(library, lambda: encoder, "fake")


def test_it_gets_a_name_and_a_description(studio):
    shown = saved_panel.fill(studio, PARTS, "colours")
    assert (shown["name"], shown["about"]) == ("colours", "")
    assert "2 classes" in shown["file"]
    changed = saved_panel.change(studio, PARTS, "colours", "a/b <b>", "For the garden.")
    assert (changed["chosen"].value, changed["name"], changed["about"]) == ("a/b <b>", "a/b <b>", "For the garden.")
    assert "/api/classifiers/file.safetensors?name=a%2Fb%20%3Cb%3E" in changed["file"]
    assert "<b>" not in changed["file"]
    assert studio.library.albums.get("reds").classifier == "a/b <b>"
    studio.library.save(studio.library.classifier("a/b <b>"), "others")
    with pytest.raises(BadInput, match="“others” already"):
        saved_panel.change(studio, PARTS, "a/b <b>", "others", "")


def test_it_is_deleted_only_after_a_question(studio):
    question = saved_panel.ask(studio, PARTS, "colours")["question"]
    assert "1 version," in question
    assert "reds" in question
    assert [record.name for record in studio.library.classifiers.all()] == ["colours"]
    gone = saved_panel.forget(studio, PARTS, "colours")
    assert (gone["chosen"].value, gone["name"], gone["question"]) == (None, "", "")
    assert studio.library.classifiers.all() == []
    with pytest.raises(NotFound):
        saved_panel.forget(studio, PARTS, "colours")
    for call in (saved_panel.ask, saved_panel.forget):
        with pytest.raises(BadInput, match="Choose a saved classifier"):
            call(studio, PARTS, None)


def test_its_file_has_its_own_name(studio, tmp_path):
    studio.library.classifiers.rename("colours", "grün: a")
    with answering(studio) as client:
        answer = client.get("/api/classifiers/file.safetensors", params={"name": "grün: a"})
        assert client.get("/api/classifiers/file.safetensors", params={"name": "nobody"}).status_code == 404
    assert "gr%C3%BCn-%20a.safetensors" in answer.headers["content-disposition"]
    assert Classifier.from_bytes(answer.content).labels == ("red", "green")
