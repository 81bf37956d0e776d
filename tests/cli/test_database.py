"""--database: every command on a PostgreSQL server, mistakes in one sentence, and a password that nobody sees."""

import os
import re
import sys

import typer.main

from cli.common import commands
from tests.support.commands import invoke, sayso
from tests.support.postgres import PASSWORD, postgres  # noqa: F401
from tests.support.processes import free_port


def test_a_library_on_a_server_by_commands(postgres, tmp_path, photos, monkeypatch):  # noqa: F811
    home, there = tmp_path / "home", postgres.url(name_of(postgres.empty()), "127.0.0.1")
    row, said = sayso("add", photos, "--database", there, "--json", home=home)
    assert row[0]["new"] == 4
    monkeypatch.setenv("SAYSO_DATABASE", there)
    sayso("label", photos / "a.png", "--as", "red", home=home)
    hits, _ = sayso("search", "something red", "-k", "2", "--json", home=home)
    assert len(hits) == 2
    assert not (home / "sayso.db").exists()
    for command in (("backup",), ("restore",)):
        _, said = invoke(*command, home=home, code=2)
        assert "server's own tools: pg_" in said
    _, said = sayso("doctor", home=home)
    assert "everything is in order" in said
    monkeypatch.delenv("SAYSO_DATABASE")
    rows, _ = sayso("move-database", "home", "--database", there, "--json", home=home)
    assert (rows[0]["to"], rows[0]["rows"]["labels"]) == ("home", 1)
    rows, said = sayso("search", "something red", "-k", "2", "--json", home=home)
    assert [row["path"] for row in rows] == [row["path"] for row in hits]


def name_of(url: str) -> str:
    return url.split("/")[3].split("?")[0]


def test_every_command_with_a_home_has_it():
    for name, command in typer.main.get_command(commands).commands.items():
        options = {option.name for option in command.params}
        assert ("home" in options) == ("database" in options), name


def test_mistakes_are_one_sentence_without_the_password(postgres, tmp_path, monkeypatch, caplog):  # noqa: F811
    port, said = postgres.port, []
    for address, sentence in (
        (f"postgresql+psycopg://sayso:{PASSWORD}@127.0.0.1:{free_port()}/x", r"does not answer; see that its server runs"),
        (f"postgresql+psycopg://sayso:{PASSWORD}x@127.0.0.1:{port}/postgres", r"refuses this user or password"),
        (f"postgresql+psycopg://sayso@127.0.0.1:{port}/postgres", r"refuses this user or password"),
        (f"postgresql://sayso:{PASSWORD}@127.0.0.1:{port}/nothing", r"no database “nothing” at 127.0.0.1:\d+; create it"),
        (f"postgresql+psycopg://sayso:{PASSWORD}@127.0.0.1:{port}x/n", r"cannot be used; give it as postgresql"),
        (f"mysql://sayso:{PASSWORD}@127.0.0.1/n", r"no library in a database of the kind mysql"),
        (PASSWORD, r"cannot be used; give it as postgresql"),
    ):
        _, text = invoke("album", "--database", address, home=tmp_path / "home", code=2)
        assert text.count("\n") == 1
        said.append(text)
        assert re.search(sentence, text), text
    monkeypatch.setitem(sys.modules, "psycopg", None)
    _, text = invoke("album", "--database", postgres.url(), home=tmp_path / "home", code=2)
    assert "psycopg, which is not installed; install it with: pip install -r requirements-extras/postgres.txt" in text
    assert PASSWORD not in f"{said}{caplog.text}"
    assert os.environ.get("PGPASSWORD") is None
