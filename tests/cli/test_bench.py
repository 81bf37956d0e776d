"""advise, prompts, robustness and captions as people run them, with the starter."""

import json

import pytest

from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("bench-home")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    for label in ("red", "green"):
        for index in range(12):
            photo(folder / label / f"{index}.png", label, (40 + index, 40))
    return folder


def test_advise_without_the_model(home):
    rows, _ = sayso("advise", "crane, heron, dog without leash", "--no-ask", "--json", home=home)
    assert [row["kind"] for row in rows] == ["negation", "senses"]
    assert rows[1]["suggestions"] == ["crane (bird)", "crane (lifting device)"]
    lines, said = sayso("advise", "cat, dog, rabbit", "--no-ask", home=home)
    assert (lines, said) == ([], "Nothing to say against these names.\n")
    _, said = sayso("advise", " , ", home=home, code=2)
    assert "type at least one" in said


def test_advise_with_the_model_and_the_library(home, folder):
    sayso("add", folder, home=home)
    rows, _ = sayso("advise", "red, green", "--nearest", 3, "--json", home=home)
    nearest = {row["label"]: row["paths"] for row in rows if row["kind"] == "nearest"}
    assert nearest.keys() == {"red", "green"}
    assert all(len(paths) == 3 for paths in nearest.values())


def test_prompts_with_labels(home, folder, tmp_path):
    (tmp_path / "told.json").write_text(json.dumps({"red": ["the colour of blood"]}))
    (tmp_path / "mine.txt").write_text("a field of {label}")
    options = ["--pack", "photo", "--descriptions", tmp_path / "told.json", "--templates", tmp_path / "mine.txt", "--select"]
    page = tmp_path / "prompts.html"
    rows, _ = sayso("prompts", folder, *options, "--json", "--report", page, home=home)
    assert "Chosen templates" in page.read_text(encoding="utf-8")
    arms = {row["name"]: row for row in rows if "accuracy" in row and "name" in row}
    assert list(arms) == ["bare", "photo", "mine", "descriptions", "random words"]
    assert all(row["n"] == 24 and row["interval"][0] <= row["accuracy"] <= row["interval"][1] for row in arms.values())
    chosen = rows[-1]
    assert chosen["folds"] == 5
    assert 1 <= len(chosen["templates"]) <= 8


def test_prompts_without_labels(home, folder):
    lines, _ = sayso("prompts", folder, "--labels", "red, green = lime", "--pack", "seven", home=home)
    assert lines[0].endswith("24 images, 2 classes")
    assert "of labels change" in lines[1]
    assert "change their label with the wording" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["prompts", ".", "--labels", "a, b", "--select"], "needs labelled images"),
        (["robustness", ".", "--only", "fog"], "choose among blur"),
        (["robustness", ".", "--limit", "0"], "limit of 1 or more"),
        (["robustness", ".", "--against", "x"], "name one with --shifted"),
        (["captions", "."], "Give either --caption"),
    ],
)
def test_mistakes_are_said(home, arguments, says):
    _, said = sayso(*arguments, home=home, code=2)
    assert says in said


def test_robustness_sheet(home, folder, tmp_path):
    page = tmp_path / "sheet.html"
    options = ["--limit", 4, "--only", "blur", "--only", "word", "--json", "--report", page]
    rows, _ = sayso("robustness", folder, *options, home=home)
    assert "How often the pasted word is believed" in page.read_text(encoding="utf-8")
    (sheet,) = rows
    assert (sheet["n"], sheet["labelled"]) == (4, 4)
    assert list(sheet["curves"]) == ["blur", "word"]
    assert [point["strength"] for point in sheet["curves"]["blur"]] == [1, 2, 3, 4, 5]
    lines, _ = sayso("robustness", folder, "--labels", "red, green", "--limit", 3, "--only", "jpeg", home=home)
    assert lines[1].startswith("same answer by strength")


def test_shifted_set(home, folder, tmp_path):
    page = tmp_path / "shift.html"
    rows, _ = sayso("robustness", folder, "--shifted", folder, "--json", "--report", page, home=home)
    assert "0.0 points less" in page.read_text(encoding="utf-8")
    assert rows[0]["accuracy"] == rows[0]["shifted"]


def test_captions(home, folder, tmp_path):
    red = folder / "red" / "0.png"
    rows, _ = sayso("captions", red, "--caption", "a dog", "--caption", "the colour red", "--json", home=home)
    assert sum(rows[0]["shares"].values()) == pytest.approx(1, abs=1e-3)
    items = {"0": {"filename": "0.png", "caption": "red", "negative_caption": "a dog in the snow"}}
    (tmp_path / "add_obj.json").write_text(json.dumps(items))
    page = tmp_path / "composition.html"
    options = ["--images", folder / "red", "--json", "--report", page]
    rows, _ = sayso("captions", tmp_path / "add_obj.json", *options, home=home)
    assert "95 % interval" in page.read_text(encoding="utf-8")
    assert (rows[0]["set"], rows[0]["score"], rows[0]["n"], rows[0]["chance"]) == ("add_obj", "accuracy", 1, 0.5)
