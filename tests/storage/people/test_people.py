"""Accounts and secrets: who may come in, with which name, password or token, and for how long."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from clipcore import BadInput, NotFound
from storage import Library
from storage.tables import TokenRow, now

PASSWORD = "correct horse battery"


@pytest.fixture
def people(tmp_path):
    with Library(tmp_path) as library:
        yield library.people


def test_an_account_from_its_beginning_to_its_end(people):
    assert not people.any()
    with pytest.raises(BadInput, match="first person must be an owner"):
        people.add("Bo", "labeller", PASSWORD)
    ana, bo = people.add("Ana", "owner", PASSWORD), people.add(" Bo  Ek ", "labeller")
    assert people.any()
    assert [(one.name, one.role) for one in people.all()] == [("Ana", "owner"), ("Bo Ek", "labeller")]
    assert people.get("ANA") == people.get(ana.id) == ana
    with pytest.raises(BadInput, match="already"):
        people.add("aNA", "viewer", PASSWORD)
    assert people.check("ana", PASSWORD) == ana
    assert people.check("Ana", PASSWORD.upper()) is None
    assert people.check("nobody", PASSWORD) is None
    assert people.check("Bo Ek", "") is None, "without a password nobody signs in with one"
    people.set_password(bo.id, "another long one")
    assert people.check("bo ek", "another long one").id == bo.id
    assert people.set_role("bo ek", "viewer").role == "viewer"
    people.disable("Bo Ek")
    assert people.get(bo.id).disabled
    assert people.check("bo ek", "another long one") is None
    people.disable("Bo Ek", False)
    assert people.check("bo ek", "another long one")


def test_an_owner_is_always_left(people):
    ana = people.add("Ana", "owner", PASSWORD)
    for change in (lambda: people.set_role("Ana", "viewer"), lambda: people.disable("Ana")):
        with pytest.raises(BadInput, match="only owner"):
            change()
        assert people.get("Ana") == ana, "nothing was changed"
    people.add("Bo", "owner")
    assert people.set_role("Ana", "viewer").role == "viewer"


@pytest.mark.parametrize(
    ("name", "role", "password", "word"),
    [
        *(("", "owner", PASSWORD, "name"), ("A\nB\x00", "owner", PASSWORD, "shown"), ("Bo", "king", PASSWORD, "role")),
        *(("Bo", "owner", "short", "guessed"), ("Bo", "owner", "x" * 1001, "at most")),
    ],
)
def test_what_is_no_account(people, name, role, password, word):
    with pytest.raises(BadInput, match=word):
        people.add(name, role, password)
    assert people.all() == []


def test_roles_are_steps(people):
    bo = people.add("Ana", "owner") and people.add("Bo", "labeller")
    assert [bo.may(role) for role in ("viewer", "labeller", "owner")] == [True, True, False]


@pytest.mark.sqlite
def test_no_password_and_no_secret_lies_in_the_file(people, tmp_path):
    ana = people.add("Ana", "owner", PASSWORD)
    secret, token = people.tokens.create(ana.id, "script", ["read"])
    assert people.tokens.check(secret) == token
    data = b"".join(path.read_bytes() for path in tmp_path.glob("sayso.db*"))
    assert b"$argon2id$" in data
    assert PASSWORD.encode() not in data
    assert secret.encode() not in data


def test_tokens_end(people):
    ana, tokens = people.add("Ana", "owner", PASSWORD), people.tokens
    secret, token = tokens.create(ana.id, "script", ["read", "label"], timedelta(days=1))
    browser, _ = tokens.create(ana.id, "browser", lasts=timedelta(days=1), kind="page")
    forever, _ = tokens.create(None, "the one alone", ["manage"])
    assert tokens.check(secret).scopes == ("read", "label")
    assert tokens.check(secret, "page") is None, "a program's token is no browser's"
    assert tokens.check(secret + "x") is None
    assert [one.name for one in tokens.all(ana.id)] == ["script"]
    assert tokens.all(ana.id)[0].last_used
    with people._database.writing() as connection:
        connection.execute(update(TokenRow).where(TokenRow.id == token.id).values(expires=now() - timedelta(seconds=1)))
    assert tokens.check(secret) is None
    people.set_password("Ana", "an altogether other one")
    assert tokens.check(browser, "page") is None, "another password ends what the old one began"
    assert tokens.check(forever)
    tokens.revoke(tokens.all()[0].id)
    assert tokens.check(forever) is None
    with pytest.raises(NotFound):
        tokens.revoke(999)
    with pytest.raises(BadInput, match="scope"):
        tokens.create(ana.id, "bad", ["everything"])


def test_who_is_disabled_has_no_token_any_more(people):
    people.add("Ana", "owner")
    bo = people.add("Bo", "owner")
    secret, _ = people.tokens.create(bo.id, "script", ["read"])
    people.disable("Bo")
    assert people.tokens.check(secret) is None
    people.disable("Bo", False)
    assert people.tokens.check(secret) is None
