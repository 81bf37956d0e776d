"""The sentences of the page, as they stand in its code, and those of the core's errors that reach it: none is longer than
fourteen words, and none speaks of commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from clipcore import BadInput, errors
from tests.support.server import ROOT

MOST = 14
UI = Path(ROOT) / "ui"
END = re.compile(r"(?<=[.!?])\s+")
TAG = re.compile(r"<[^>]+>")
# in scripts: a string in quotes, or a template whose parts that are worked out have no string with a backtick in them
SCRIPT_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
WORKED_OUT = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
COMMENT = re.compile(r"(?:^|\s)//.*")


def written(source: str) -> Iterator[str]:
    """The strings of a Python module but for its docstrings; what is worked out in one counts as a word."""
    tree = ast.parse(source)
    left_out = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node) is not None
        ):
            left_out.add(id(node.body[0].value))  # type: ignore[attr-defined]
        if isinstance(node, ast.JoinedStr):
            left_out.update(id(part) for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def scripted(source: str) -> Iterator[str]:
    """The strings of a script."""
    for quoted, template in SCRIPT_STRING.findall(COMMENT.sub("", source)):
        yield WORKED_OUT.sub("X", quoted or template)


def too_long(text: str) -> list[str]:
    """The sentences of a text with more than `MOST` words; a word has a letter or a digit."""
    found = END.split(TAG.sub(" ", text))
    return [one for one in found if sum(any(map(str.isalnum, word)) for word in one.split()) > MOST]


def is_prose(text: str) -> bool:
    """Not a style sheet, a shader, a path of a drawing or a list of names."""
    return not re.search(r"\{ |[{;]\n", text) and not text.startswith("M") and re.search(r"[a-z]{2} [a-z]", text) is not None


@pytest.mark.parametrize(
    "file", sorted([*UI.rglob("*.py"), *UI.rglob("*.js")]), ids=lambda file: file.relative_to(UI).as_posix()
)
def test_no_sentence_has_more_than_fourteen_words(file):
    source = file.read_text(encoding="utf-8")
    strings = written(source) if file.suffix == ".py" else scripted(source)
    if file.name == "roles.py":  # its tables of routes and events are no prose
        strings = [text for text in strings if "/{" not in text and " *\n" not in text]
    assert not [one for text in strings if is_prose(text) for one in too_long(text)]


def test_a_long_sentence_is_found():
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    assert list(written(f'"""Docstring."""\nname = f"{{who}} goes: {long}."')) == [f"X goes: {long}."]
    assert too_long(f"Short. {long}. Short.") == [f"{long}."]
    assert list(scripted(f"say(`${{count(1)}} {long}`); // not this")) == [f"X {long}"]


# What the page cannot do: notebooks, commands of their own, the address of a database, towers that are joined
NOT_ON_THE_PAGE = (
    *("clipcore/notebook.py", "storage/database.py", "storage/moving.py"),
    *("training/runs/joined.py", "training/runs/estimate.py"),
)
NOT_ASKED_FOR = ("--stream", "--recipe out")  # options that the page does not have
CORE = [file for room in ("clipcore", "storage", "training") for file in sorted((Path(ROOT) / room).rglob("*.py"))]
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
COMMAND = re.compile(r"\bpip\b|\bhf auth|\bpython |(?<!\w)--[a-z]|`|\b(SAYSO|HF)_[A-Z]|\.txt\b")


def as_text(node: ast.AST | None, constants: dict[str, str]) -> str | None:
    """A string as it stands in the code; what is worked out in it counts as a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def on_the_page(source: str) -> Iterator[str]:
    """What the page says for each error that a module makes, where its words stand in the module."""
    tree = ast.parse(source)
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = as_text(node.value, {}) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS and node.args:
            page = next((as_text(word.value, constants) for word in node.keywords if word.arg == "page"), "") or ""
            yield BadInput(as_text(node.args[0], constants) or "", page).page


@pytest.mark.parametrize("room", ["clipcore", "storage", "training"])
def test_errors_of_the_core_say_what_to_do_on_the_page(room):
    files = [file for file in CORE if file.relative_to(ROOT).parts[0] == room]
    wrong, heard = [], 0
    for file in files:
        if file.relative_to(ROOT).as_posix() in NOT_ON_THE_PAGE:
            continue
        for text in on_the_page(file.read_text(encoding="utf-8")):
            heard += bool(text)
            is_command = COMMAND.search(text) and not any(option in text for option in NOT_ASKED_FOR)
            wrong += [f"{file.name}: {text}"] if is_command or too_long(text) else []
    assert heard > 50
    assert wrong == []


def test_an_error_carries_what_the_page_says():
    assert BadInput("That is not there; check the path.").page == "That is not there. Check the path."
    assert BadInput("Needs more: pip install it.", page="Ask for more.").page == "Ask for more."
    assert str(BadInput("Needs more: pip install it.", page="Ask for more.")) == "Needs more: pip install it."
    made = 'raise BadInput(f"No {name}; give --name.", page="Choose a name.")\nraise BadInput("No; leave --it out.")'
    assert list(on_the_page(made)) == ["Choose a name.", "No. Leave --it out."]
    assert COMMAND.search("No. Leave --it out.")
