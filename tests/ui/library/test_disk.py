"""Choosing a folder: names of folders and numbers of pictures, for who sits at the computer or knows the password."""

import os

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.api import add_routes
from ui.studio import Studio


@pytest.fixture
def app(tmp_path):
    photo(tmp_path / "photos" / "summer" / "1.png", "red")
    photo(tmp_path / "photos" / "2.jpg", "blue")
    (tmp_path / "photos" / "notes.txt").write_text("secret")
    (tmp_path / "photos" / ".hidden").mkdir()
    (tmp_path / "photos" / "Autumn").mkdir()
    (tmp_path / "photos" / "@eaDir").mkdir()
    with Library(tmp_path / "home", FakeEncoder()) as library:
        app = FastAPI()
        add_routes(app, Studio(library, lambda: library.encoder, "fake"))
        yield app


def client(app, host="127.0.0.1"):
    return TestClient(app, base_url="http://127.0.0.1:7860", client=(host, 5000))


def test_folders_are_named_and_nothing_else(app, tmp_path):
    there = client(app).get("/api/disk", params={"at": str(tmp_path / "photos")}).json()
    assert [name for name, _ in there["folders"]] == ["Autumn", "summer"]
    assert (there["pictures"], there["path"], there["up"]) == (1, str(tmp_path / "photos"), str(tmp_path))
    assert "notes" not in str(there)
    below = client(app).get("/api/disk", params={"at": there["folders"][1][1]}).json()
    assert (below["folders"], below["pictures"], below["known"]) == ([], 1, False)
    assert client(app).get("/api/disk").json()["places"]


def test_only_for_who_sits_here_or_knows_the_password(app):
    answer = client(app, "192.168.0.7").get("/api/disk")
    assert answer.status_code == 400
    assert "only on the computer that runs Sayso" in answer.json()["error"]
    assert client(app, "::1").get("/api/disk").status_code == 200
    app.state.has_password = True  # without it `Visitors` would have let nobody in
    assert client(app, "192.168.0.7").get("/api/disk").status_code == 200


@pytest.mark.parametrize("at", ["/no/such/folder", "a\x00b", "~nobody-of-this-name/x", "x" * 5000])
def test_what_is_no_folder_is_one_sentence(app, at):
    answer = client(app).get("/api/disk", params={"at": at})
    assert answer.status_code == 400
    assert "Choose another one." in answer.json()["error"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_folder_that_may_not_be_read_is_one_sentence(app, tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    assert client(app).get("/api/disk", params={"at": str(tmp_path / "closed")}).status_code == 400
