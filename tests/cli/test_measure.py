"""The commands `evaluate` and `compare` on the fake model."""

import json
import re
import shutil

import pytest

from clipcore import zero_shot_classifier
from storage import Library
from tests.support import commands
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Class folders with a mislabelled picture, the same as a CSV, and a library with two classifiers."""
    monkeypatch.setattr("clipcore.load", lambda name="starter", *_: FakeEncoder(name))
    rows = ["image,label"]
    for index, colour in enumerate(("red", "red", "green", "green", "blue", "blue", "blue", "red")):
        label = "green" if index == 7 else colour
        photo(tmp_path / "set" / label / f"{index}.png", colour, (40 + index, 20))
        rows.append(f"set/{label}/{index}.png,{label}")
    (tmp_path / "set.csv").write_text("\n".join(rows))
    with Library(tmp_path / "home", FakeEncoder("starter")) as library:
        library.save(zero_shot_classifier(library.encoder, ["red", "green", "blue"], "bare"), "all")
        library.save(zero_shot_classifier(library.encoder, ["red", "green"], "bare"), "two")
        library.add(tmp_path / "set" / "red")
        for image in library.images():
            library.label(image.id, "red")
    return tmp_path


def sayso(*arguments, home, code=0):
    return commands.invoke(*arguments, home=home / "home", code=code)


def test_sets_of_every_kind_in_one_table(home):
    out, _ = sayso("evaluate", home / "set", home / "set.csv", "labels", "--pack", "bare", "--json", home=home)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["set"], row["n"], row["top1"]) for row in rows] == [
        ("set", 8, 7 / 8),
        ("set.csv", 8, 7 / 8),
        ("labels", 2, 1),
    ]
    assert rows[0]["mistakes"][0][:3] == ["set/green/7.png", "green", "red"]
    assert rows[0]["interval"][0] < 7 / 8 < rows[0]["interval"][1]
    assert rows[0]["reliability"]["error"] >= 0


def test_a_classifier_and_its_report(home):
    out, said = sayso("evaluate", home / "set", "--classifier", "two", "--report", home / "two.html", home=home)
    assert "top-1  80.0%" in out
    assert "3 images of “blue” left out" in said
    page = (home / "two.html").read_text(encoding="utf-8")
    assert "set/green/7.png" in page
    assert "3 images of “blue” left out" in page
    sayso("evaluate", home / "set", home / "set.csv", "--report", home / "more.html", home=home)
    assert sorted(path.name for path in home.glob("more*")) == ["more-1.html", "more-2.html"]
    _, said = sayso("evaluate", home / "set", "--report", home / "no" / "where.html", home=home, code=2)
    assert "cannot be written" in said


def test_all_three_accuracies_come_with_intervals_and_are_kept(home):
    out, _ = sayso("evaluate", home / "set", home=home)
    top1, top5, recall = re.findall(r"\d+\.\d% \((\d+\.\d)% to (\d+\.\d)%\)", out)
    assert all(float(low) < float(high) for low, high in (top1, recall))
    assert top5[1] == "100.0"
    with Library(home / "home") as library:
        [record] = library.reports.all("accuracy")
        kept = library.reports.get(record.id).report
    assert (record.name, record.summary["n"]) == ("zero-shot with seven prompts on set", 8)
    assert (kept["source"], kept["ours"]) == (str(home / "set"), False)


def test_the_page_brings_the_surest_mistakes_along(home):
    sayso("evaluate", home / "set", "--report", home / "seen.html", home=home)
    page = (home / "seen.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp;base64,") == 1  # of one mistake


def test_what_was_taught_from_a_folder_is_noticed_whatever_the_library_has(home):
    """The folder was never the library's, and one of the test pictures is a resaved one."""
    sayso("teach", home / "set", "--save", "knows", "--out", home / "knows.safetensors", "--force", home=home)
    photo(home / "test" / "red" / "other.png", "red", (99, 20))
    (home / "test" / "blue").mkdir()
    shutil.copy(home / "set" / "blue" / "4.png", home / "test" / "blue" / "same.png")
    for classifier in ("knows", home / "knows.safetensors"):
        out, said = sayso("evaluate", home / "test", "--classifier", classifier, "--json", home=home)
        assert "Of these 2 images 1 were taught and 1 look nearly like one that was taught" in said
        assert said.strip() in json.loads(out)["notes"]
    out, said = sayso("compare", "knows", "bare", "--set", home / "test", "--json", home=home)
    assert "knows: Of these 2 images 1 were taught" in said
    assert "the first among 3 and the second among 2" in said  # the set has no green picture
    assert len(json.loads(out)["notes"]) == 2


def test_models_side_by_side(home, monkeypatch):
    def load(name="starter", *_):
        encoder = FakeEncoder(name)
        encoder.cost = lambda: ({"small": 1.0, "large": 100.0}[name], 5.0)
        return encoder

    monkeypatch.setattr("clipcore.models.load", load)
    page = home / "models.html"
    options = ("--pack", "bare", "--report", page, "--json")
    rows, _ = commands.sayso("side-by-side", home / "set", "small", "large", *options)
    assert [(row["name"], row["gflops"], row["accuracy"]) for row in rows] == [("small", 1, 7 / 8), ("large", 100, 7 / 8)]
    assert "Error against compute" in page.read_text(encoding="utf-8")


def test_compare_names_the_images_that_change(home):
    options = ("--set", home / "set")
    out, _ = sayso("compare", "all", "bare", *options, "--json", "--report", home / "pair.html", home=home)
    row = json.loads(out)
    assert (row["n"], row["difference"], row["p"], row["gained"], row["lost"]) == (8, 0, 1, [], [])
    assert "pair" in (home / "pair.html").name
    out, said = sayso("compare", "all", "two", *options, home=home)
    assert "two: 3 images of “blue” left out: two has no such class" in said
    assert "on these 5 images" in out
    _, said = sayso("compare", "all", "nothing", *options, home=home, code=2)
    assert "No classifier is called" in said


def test_compare_loads_another_model(home):
    out, _ = sayso("compare", "bare", "bare@other", "--set", home / "set", "--json", home=home)
    assert json.loads(out)["n"] == 8


def test_a_suite_is_one_table_and_is_kept(home):
    shutil.copytree(home / "set", home / "sets" / "caltech-101")
    shutil.copytree(home / "set", home / "sets" / "mine")
    out, said = sayso(
        "evaluate", "--suite", home / "sets", "--against", "other", "--report", home / "suite.html", "--json", home=home
    )
    first, second, mean = [json.loads(line) for line in out.splitlines()]
    assert (first["called"], first["scores"]["starter"], second["scores"]["other"]) == ("Caltech-101", 8 / 9, 7 / 8)
    assert mean["ranks"] == {"starter": 1.5, "other": 1.5}
    assert "guessing" in (home / "suite.html").read_text(encoding="utf-8")
    with Library(home / "home") as library:
        assert library.reports.all("suite")[0].id == mean["kept"]
    _, said = sayso("evaluate", home=home, code=2)
    assert "--suite" in said


def test_tasks_are_listed_and_their_names_classify(home):
    rows, _ = commands.sayso("tasks", "--json")
    assert {"digits", "satellite", "aircraft"} <= {row["task"] for row in rows}
    rows, _ = commands.sayso("tasks", "mnist", "--json")
    assert rows[0]["labels"]["MNIST"] == [str(n) for n in range(10)]
    out, said = sayso("classify", home / "set", "--task", "stl-10", home=home)
    assert "STL-10: " in said
    assert len(out.splitlines()) == 8


def test_what_labels_are_worth(home):
    for index in range(5):
        for colour in ("red", "green"):
            photo(home / "many" / colour / f"{index}.png", colour, (40 + index, 20))
    out, _ = sayso("labels-worth", home / "many", "--report", home / "curve.html", home=home)
    assert "worth about 1 label of each class" in out
    assert "taught head" in (home / "curve.html").read_text(encoding="utf-8")
    rows = json.loads(sayso("labels-worth", home / "many", "--json", home=home)[0])
    assert (rows["zero_shot"], [row["everything"] for row in rows["rows"]]) == (1, [False, True])


def test_several_sets_of_labels_a_tree_and_tiles(home):
    pictures = home / "set" / "red"
    rows, _ = commands.sayso(
        *("classify", pictures, "--labels", "kind=red, blue", "--labels", "place: green, grey", "--json"),
        *("--csv", home / "both.csv"),
        home=home / "home",
    )
    table = (home / "both.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "image,kind,kind likely right,place,place likely right"
    assert ",red,0.99,none of these," in table[1]
    assert len(table) == len(rows) + 1
    assert {tuple(row["sets"]) for row in rows} == {("kind", "place")}
    assert rows[0]["sets"]["kind"]["answer"] == ["red"]
    rows, _ = commands.sayso(
        *("classify", pictures, "--labels", "warm > red, cold > blue", "--tiles", 2, "--map", home / "maps", "--json"),
        home=home / "home",
    )
    assert [name for name, _ in rows[0]["levels"]] == ["warm", "warm > red"]
    assert {label for label, _, _ in rows[0]["tiles"]} == {"warm > red"}
    assert len(list((home / "maps").iterdir())) == len(rows)
    for wrong, says in (
        (("--labels", "red, blue", "--labels", "place: a, b"), "its name first"),
        (("--labels", "a: red", "--labels", "a: blue"), "same name"),
        (("--labels", "red, blue", "--map", home), "give --tiles"),
    ):
        _, said = sayso("classify", pictures, *wrong, home=home, code=2)
        assert says in said
