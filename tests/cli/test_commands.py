"""The command line as people run it, with the starter: the answers in this process, what a process alone shows in one."""

import json
import os
import socket
import subprocess
import sys

import pytest

from clipcore.classify.decision import DIAL
from clipcore.models import is_here
from tests.support.commands import process, sayso
from tests.support.fakes import photo
from tests.support.server import ROOT

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("cli-home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    for label, colour in (("red", "red"), ("green", "green")):
        for index in range(3):
            photo(folder / label / f"{index}.png", colour, (40 + index, 40))
    (folder / "red" / "bad.jpg").write_text("no picture")
    return folder


def test_a_process_of_its_own_answers_the_same(home, folder):
    """And standard output has the results only, and standard error the rest."""
    options = ("classify", folder, "--labels", "red, green", "--json")
    out, errors = process(*options, home=home)
    rows, said = sayso(*options, home=home)
    assert [json.loads(line) for line in out.splitlines()] == rows
    assert errors == said


def test_classify_save_and_use_again(home, folder):
    rows, errors = sayso("classify", folder, "--labels", "red, green=lime", "--save", "colours", "--json", home=home)
    assert len(rows) == 6
    fields = {"path", "label", "share", "margin", "top", "answer", "verdict", "likely right", "why not"}
    assert all(set(row) == fields for row in rows)
    assert all((row["likely right"] >= DIAL) == bool(row["answer"]) == (not row["why not"]) for row in rows)
    assert "saved as colours, version 1" in errors
    assert "bad.jpg: This is not a picture" in errors
    again, _ = sayso("classify", folder, "--classifier", "colours", "--json", home=home)
    assert again == rows


def test_add_twice_then_search(home, folder):
    first, _ = sayso("add", folder, "--json", home=home)
    assert first == [{"new": 6, "known": 0, "skipped": 1, "in the library": 6}]
    second, _ = sayso("add", folder, "--json", home=home)
    assert second == [{"new": 0, "known": 6, "skipped": 1, "in the library": 6}]
    hits, _ = sayso("search", "something red", "-k", "4", "--json", home=home)
    assert len(hits) == 4
    assert [hit["cosine"] for hit in hits] == sorted((hit["cosine"] for hit in hits), reverse=True)
    assert all(set(hit) == {"path", "cosine", "rank", "margin", "matches"} for hit in hits)
    assert all(hit["matches"] == (hit["margin"] >= 0) for hit in hits)
    alike, _ = sayso("search", "--like", folder / "red" / "0.png", "-k", "1", "--json", home=home)
    assert (alike[0]["cosine"], alike[0]["matches"]) == (pytest.approx(1, abs=0.01), None)


def test_duplicates(home, folder):
    sayso("add", folder, home=home)
    groups, errors = sayso("duplicates", "--json", home=home)
    assert all(group["kind"] == "same" and len(group["paths"]) > 1 for group in groups)
    assert "nothing was deleted" in errors


def test_evaluate_several_packs_at_once(folder):
    rows, _ = sayso("evaluate", folder, "--pack", "bare", "--pack", "seven", "--json")
    assert [row["prompts"] for row in rows] == ["bare", "seven"]
    for row in rows:
        assert row["n"] == 6
        assert row["top5"] == 1  # two classes
        assert 0 <= row["interval"][0] <= row["top1"] <= row["interval"][1] <= 1
        assert set(row["recall"]) == {"red", "green"}


def test_models_lists_the_starter_first():
    rows, _ = sayso("models", "--json")
    assert rows[0]["name"] == "starter"
    assert rows[0]["here"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["classify", "nowhere", "--labels", "a,b"], "no file or folder nowhere"),
        (["classify", ".", "--labels", ""], "no class names"),
        (["classify", ".", "--labels", "a,a"], "occurs twice"),
        (["classify", "."], "Give either --labels"),
        (["classify", ".", "--labels", "a", "--pack", "none"], "no prompt pack"),
        (["evaluate", "nowhere"], "does not exist"),
        (["add", "README.md"], "is a file, not a folder"),
        (["models", "--get", "NoSuch/model"], "NoSuch"),
        (["search", "words", "--sort", "random"], "no order"),
        (["search", "words", "--since", "soon"], "not a day"),
        (["search", "dog -snow"], "space on both sides"),
        (["duplicates", "--above", "2"], "cosine"),
        (["search", "words", "--model", "ViT-B-32/laion2b_s34b_b79k"], "models --get ViT-B-32/laion2b_s34b_b79k"),
        (["search", "words", "--model", "ViT-Z/x"], "no model named"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, sentence, tmp_path):
    options = [] if arguments[0] == "models" else ["--home", str(tmp_path)]
    _, errors = sayso(*arguments, *options, code=2)
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, errors = sayso("serve", "--port", port, home=tmp_path, code=2)
    assert f"Port {port}" in errors
    assert "--port" in errors
    assert len(errors.strip().splitlines()) == 1


def test_a_reader_that_is_gone_is_no_error():
    """As `head` is once it has seen enough: what is printed finds no reader, and that is the end, without a word."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "app.py", "models"], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=180)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_command_has_help():
    for command in ("serve", "add", "classify", "search", "duplicates", "evaluate", "models"):
        lines, _ = sayso(command, "--help")
        assert any("--help" in line for line in lines)


def test_help_waits_for_nothing_heavy():
    code = """import runpy, sys
try:
    runpy.run_path("app.py", run_name="__main__")
finally:
    print(*sorted({"torch", "open_clip", "gradio", "faiss", "sqlalchemy", "sklearn"} & set(sys.modules)), file=sys.stderr)"""
    done = subprocess.run([sys.executable, "-c", code, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "classify" in done.stdout
    assert done.stderr.strip() == ""
