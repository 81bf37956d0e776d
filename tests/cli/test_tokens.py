"""Tokens are made, listed and revoked on the command line; the client of docs/ works with a real server."""

import itertools

import pytest

from docs.sayso_client import Sayso, SaysoError
from tests.support.commands import invoke, sayso
from tests.support.fakes import photo
from tests.support.server import served


def test_a_token_is_shown_once_listed_and_revoked(tmp_path):
    (row,), _ = sayso("tokens", "add", "robot", "--scopes", "read,label", "--json", home=tmp_path)
    assert row["token"].startswith("sayso_")
    assert row["scopes"] == ["read", "label"]
    (listed,), _ = sayso("tokens", "--json", home=tmp_path)
    assert row["token"] not in str(listed)
    assert (listed["name"], listed["person"]) == ("robot", None)
    sayso("tokens", "revoke", row["id"], home=tmp_path)
    assert sayso("tokens", "--json", home=tmp_path)[0] == []
    for words, said in ((("add", "x", "--scopes", "all"), "scope"), (("revoke", "robot"), "number"), (("add",), "what for")):
        assert said.split()[0] in invoke("tokens", *words, home=tmp_path, code=2)[1]


def test_the_client_works_with_a_server(tmp_path):
    (made,), _ = sayso("tokens", "add", "robot", "--scopes", "read,label,manage", "--json", home=tmp_path / "home")
    files = [photo(tmp_path / f"{colour}.png", colour, (60, 40)) for colour in ("red", "blue")]
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    with served(tmp_path, SAYSO_PASSWORD="sesame-open") as address:
        client = Sayso(address, made["token"])
        red, no, blue = client.classify([files[0], broken, files[1]], labels=["red", "blue"], top=1)
        assert (red.picture, red.shares[0]["label"]) == ("red.png", "red")
        assert blue.shares[0]["label"] == "blue"
        assert "not a picture" in no.error
        job = client.wait(client.add(files))
        assert (job.state, job.result["new"]) == ("done", 2)
        first, second = client.search(order="oldest")
        assert next(client.classify([first.id], labels=["red", "blue"])).picture == str(first.id)
        assert client.label([first.id, second.id], "seen") == 2
        assert [one.id for one in client.search(label="seen", most=1)]
        assert [one.id for one in client.similar(first.id)] == [second.id]
        with pytest.raises(SaysoError, match="saved classifier or labels"):
            list(itertools.islice(client.classify([first.id]), 1))
        with pytest.raises(SaysoError) as refused:
            list(Sayso(address, "sayso_wrong").search())
        assert refused.value.status == 401
    with pytest.raises(SaysoError, match="No Sayso answers"):
        list(Sayso(address).search())
