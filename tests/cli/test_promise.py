"""`classify --promise` and `--names`, what `evaluate` says of a promise, `card`, and care for names; with the starter."""

import pytest

from clipcore import Classifier
from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("promise")
    for index in range(15):
        photo(folder / "red" / f"{index}.png", (255 - 3 * index, 2 * index, 0), (24, 24))
        photo(folder / "green" / f"{index}.png", (0, 255 - 3 * index, 2 * index), (24, 24))
    return folder


@pytest.fixture(scope="module")
def home(folder, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    sayso("teach", folder, "--save", "colours", home=home)
    return home


def test_a_promise_is_made_kept_in_the_file_measured_and_told_on_the_card(folder, home, tmp_path):
    told = ("--promise", 0.9, "--names", 0.9, "--save", "promised")
    rows, said = sayso("classify", folder, "--classifier", "colours", *told, "--json", home=home)
    assert "At most 10 % of the answers are wrong, 90 % sure: 0 of 30 were, on 30 labelled images it had not seen" in said
    assert "The names hold the right one in 90 % of cases, 90 % sure: tested on 30 labelled images" in said
    assert all(row["names"][0] == row["label"] for row in rows)
    file = tmp_path / "promised.safetensors"
    sayso("export", "--classifier", "promised", "--file", file, home=home)
    assert Classifier.load(file).decision.promise == pytest.approx(0.1)

    rows, said = sayso("evaluate", folder, "--classifier", file, "--json", home=home)
    assert any(note.startswith("Promised: at most 10 % of the answers are wrong. Here 0 of ") for note in rows[0]["notes"])
    assert any(note.startswith("Sets of names for 90 %") for note in rows[0]["notes"])

    sayso("evaluate", folder, "--classifier", "promised", home=home)
    page = tmp_path / "card.html"
    rows, _ = sayso("card", "promised", "--out", page, "--json", home=home)
    assert rows == [{"classifier": "promised", "path": str(page)}]
    assert "It keeps a promise. At most 10 %" in page.read_text(encoding="utf-8")
    assert f"<td>{folder.name}</td>" in page.read_text(encoding="utf-8")
    sayso("card", file, "--out", page, home=home)
    assert "Card of promised" in page.read_text(encoding="utf-8")


def test_a_promise_that_cannot_be_kept_is_refused(folder, home, tmp_path):
    _, said = sayso("classify", folder, "--classifier", "colours", "--promise", 0.99, home=home, code=2)
    assert "For at most 1 % wrong there are too few labels; about 200 more labels are needed" in said
    _, said = sayso("classify", folder, "--classifier", "colours", "--promise", 0.4, home=home, code=2)
    assert "such as 0.95" in said
    _, said = sayso("classify", folder, "--classifier", "colours", "--promise", 0.9, "--sure", 0.5, home=home, code=2)
    assert "Give either --promise or --sure" in said
    _, said = sayso("classify", folder, "--labels", "red, green", "--promise", 0.9, home=tmp_path / "new", code=2)
    assert "label some of them first, chosen at random" in said
    _, said = sayso("classify", folder, "--labels", "red, green", "--many", "--promise", 0.9, home=home, code=2)
    assert "two classes or more" in said


def test_names_that_judge_people_are_spoken_of_wherever_they_are_typed(folder, home):
    _, said = sayso("classify", folder / "red", "--labels", "man, woman, criminal", home=home)
    notice = "These names sort people by sex or gender and crime."
    assert notice in said
    rows, _ = sayso("advise", "man, woman, criminal", "--json", home=home)
    assert [row["kind"] for row in rows] == ["people"]
    assert rows[0]["advice"].startswith(notice)
    assert rows[0]["advice"] in said
