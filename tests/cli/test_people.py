"""The commands people and agreement: the first account, roles, an invitation, who agrees; the first start with accounts."""

import pytest

import app
from clipcore import BadInput
from storage import Library, acting
from tests.support.commands import sayso
from tests.support.fakes import FakeEncoder
from ui.guard.asking import Proxy

PASSWORD = "correct horse battery"


def test_accounts_from_the_command_line(tmp_path, monkeypatch):
    _, said = sayso("people", home=tmp_path)
    assert "no accounts" in said
    _, said = sayso("people", "add", "Ana", home=tmp_path, code=2)
    assert "guessed" in said, "an empty line is no password"
    monkeypatch.setenv("SAYSO_PASSWORD", PASSWORD)
    assert sayso("people", "add", "Ana", "--json", home=tmp_path)[0] == [{"name": "Ana", "role": "owner"}]
    monkeypatch.delenv("SAYSO_PASSWORD")
    (invited,), _ = sayso("people", "invite", "Bo", "--role", "viewer", "--json", home=tmp_path)
    sayso("people", "role", "bo", "--role", "labeller", home=tmp_path)
    sayso("people", "disable", "Bo", home=tmp_path)
    rows, _ = sayso("people", "--json", home=tmp_path)
    assert [(row["name"], row["role"], bool(row["disabled"])) for row in rows] == [
        ("Ana", "owner", False),
        ("Bo", "labeller", True),
    ]
    _, said = sayso("people", "disable", "Ana", home=tmp_path, code=2)
    assert "only owner" in said
    with Library(tmp_path) as library:
        assert library.people.check("ana", PASSWORD)
        assert library.people.tokens.check(invited["path"].removeprefix("/welcome/"), "invitation") is None, "disabled"
        assert app.first_owner(library) is None


def test_the_first_start_with_accounts_invites_an_owner(tmp_path):
    with Library(tmp_path) as library:
        first, again = app.first_owner(library), app.first_owner(library)
        assert first.startswith("/welcome/")
        assert again != first
        (owner,) = library.people.all()
        library.people.set_password(owner.id, PASSWORD)
        assert app.first_owner(library) is None


def test_a_header_is_believed_from_named_addresses_alone():
    with pytest.raises(BadInput, match="trusted-proxy"):
        Proxy("X-Forwarded-User")
    with pytest.raises(BadInput, match="no address"):
        Proxy("X-Forwarded-User", ("proxy.example",))


def test_how_far_people_agree(tmp_path, photos):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(photos)
        for name, answers in (("Ana", "aabb"), ("Bo", "aaba")):
            person = library.people.add(name, "owner")
            with acting(person.id):
                for image, answer in enumerate(answers, 1):
                    library.labels.say([image], answer, ["a", "b"])
    rows, said = sayso("agreement", "--json", home=tmp_path / "home")
    assert [(row["kind"], row["pictures"], row["same"], row["kappa"]) for row in rows] == [
        ("Cohen", 4, 0.75, 0.5),
        ("Fleiss", 4, 0.75, 0.4667),
    ]
    assert "people differ" in said
    (row,), _ = sayso("agreement", "--open", "--json", home=tmp_path / "home")
    assert row["said"] == {"Ana": "b", "Bo": "a"}
    sayso("agreement", "--decide", row["path"], "--as", "a", home=tmp_path / "home")
    assert sayso("agreement", "--open", "--json", home=tmp_path / "home")[0] == []
    lines, _ = sayso("export", "--csv", "-", home=tmp_path / "home")
    assert lines[0].endswith('"author","labelled"')
    assert sum('"Ana"' in line for line in lines[1:]) == 3, "one was decided here, by nobody with an account"
