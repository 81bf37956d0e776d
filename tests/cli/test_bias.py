"""The command `bias` on the fake model."""

import json

import pytest

from storage import Library
from tests.support.commands import invoke
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Four circles, of which one is blue, and four squares, half of them green."""
    monkeypatch.setattr("clipcore.load", lambda name="starter", *_: FakeEncoder(name))
    rows = ["file,shape,age"]
    for index, colour in enumerate(("red", "red", "red", "blue", "green", "green", "red", "red")):
        photo(tmp_path / "set" / f"{index}.png", colour, (40 + index, 20))
        rows.append(f"{index}.png,{'circle' if index < 4 else 'square'},{index}")
    (tmp_path / "groups.csv").write_text("\n".join(rows))
    return tmp_path


def bias(home, *options, code=0):
    return invoke("bias", home / "set", "--groups", home / "groups.csv", *options, home=home / "home", code=code)


def test_tables_a_change_and_a_report(home):
    options = ("--label-set", "people=red man, green woman", "--label-set", "harm=red, green, blue thief")
    out, err = bias(
        home, *options, "--by", "shape", "--category", "crime=blue thief", "--small", "2", "--json", "--add", "blue child",
        "--report", home / "r.html",
    )  # fmt: skip
    people, harm, *changes = map(json.loads, out.splitlines())
    assert (people["label_set"], people["by"], people["counts"]) == ("people", ["shape"], [[4, 2], [0, 2]])
    assert harm["counts"] == [[1, 0], [3, 2], [0, 2], [1, 0]]
    assert [(one["label_set"], one["moved"]) for one in changes] == [("people", 1), ("harm", 0)]  # the thief keeps its own
    assert changes[0]["pairs"] == [["red man", "blue child", 1]]
    assert "Do not decide about people" in err
    page = (home / "r.html").read_text()
    assert "blue thief" in page
    assert "What if: people becomes red man, green woman, blue child" in page
    assert "new: 25.0 %" in page  # one of four circles
    with Library(home / "home") as library:
        [record] = library.reports.all("bias")
        assert record.name == "set by shape"
        assert library.reports.get(record.id).report["tables"][0]["counts"] == people["counts"]


def test_every_usable_column_in_words(home):
    out, _ = bias(home, "--label-set", "people=red man, green woman", "--small", "2", "--bins", "age=0, 4")
    assert "set by shape: people" in out
    assert "set by age: people" in out
    lines = out.splitlines()
    assert any(line.startswith("circle") and "100.0 (51.0 to 100.0)" in line for line in lines)
    assert any(line.startswith("4 and over") and "50.0 (15.0 to 85.0)" in line for line in lines)
    crossed, _ = bias(home, "--label-set", "people=red, green", "--by", "shape, age", "--bins", "age=0,2,6")
    assert "circle · 0-1" in crossed
    assert "too few" in crossed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--label-set", "red, green"), "needs a name before an equals sign"),
        (("--label-set", "a=red"), "needs two classes"),
        (("--label-set", "a=red, green", "--label-set", "a=red, blue"), "given twice"),
        (("--label-set", "a=red, green", "--by", "height"), "no column “height”"),
        (("--label-set", "a=red, green", "--by", "shape", "--against", "circle"), "too few to compare"),
        (("--label-set", "a=red, green", "--bins", "age=young"), "not numbers"),
    ],
)
def test_mistakes_are_one_sentence(home, options, words):
    _, err = bias(home, *options, code=2)
    assert words in err
