"""The sentences of the page, as they stand in its code: none is longer than fourteen words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    assert not [one for text in strings if is_prose(text) for one in too_long(text)]


def test_a_long_sentence_is_found():
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    assert list(written(f'"""Docstring."""\nname = f"{{who}} goes: {long}."')) == [f"X goes: {long}."]
    assert too_long(f"Short. {long}. Short.") == [f"{long}."]
    assert list(scripted(f"say(`${{count(1)}} {long}`); // not this")) == [f"X {long}"]
