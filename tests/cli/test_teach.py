"""`teach` as people run it: folders or a CSV in, a saved classifier out, and one sentence about what it is worth."""

import shutil
import unicodedata

import pytest

from clipcore import Classifier
from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teach")
    for label, colour in (("red", "red"), ("green", "green")):
        for index in range(4):
            photo(folder / label / f"{index}.png", colour, (40 + index, 40))
    (folder / "red" / "bad.jpg").write_text("no picture")
    rows = [f"{label}/{index}.png,{label}" for label in ("red", "green") for index in range(4)]
    (folder / "labels.csv").write_text("\n".join(["path,label", *rows]))
    return folder


def test_from_class_folders_to_a_file_that_classifies(folder, tmp_path):
    file = tmp_path / "colours.safetensors"
    rows, errors = sayso("teach", folder, "--save", "colours", "--out", file, "--json", home=tmp_path / "home")
    assert rows[0]["labels"] == 8
    assert rows[0]["adopted"] is True
    assert rows[0]["after"]["n"] == 8
    assert "bad.jpg" in errors
    assert "saved as colours, version 1" in errors
    assert Classifier.load(file).kind == "few-shot"
    found, _ = sayso("classify", folder / "red", "--classifier", "colours", "--json", home=tmp_path / "home")
    assert {row["label"] for row in found} == {"red"}


def test_from_class_folders_made_on_a_mac(folder, tmp_path):
    split = unicodedata.normalize("NFD", "é red")
    for index in range(4):
        photo(tmp_path / "mac" / split / f"{index}.png", "red", (40 + index, 40))
        photo(tmp_path / "mac" / "green" / f"{index}.png", "green", (40 + index, 40))
        photo(tmp_path / "mac" / "@eaDir" / f"{index}.png", "blue", (40 + index, 40))
    (tmp_path / "mac" / "green" / "clip.mp4").write_bytes(b"x")
    home, file = tmp_path / "home", tmp_path / "mac.safetensors"
    rows, errors = sayso("teach", tmp_path / "mac", "--out", file, "--json", "--force", home=home)
    assert rows[0]["labels"] == 8
    assert "1 x This is a video" in errors
    assert sorted(Classifier.load(file).labels) == ["green", "é red"]
    measured, _ = sayso("evaluate", tmp_path / "mac", "--classifier", file, "--json", home=home)
    assert ([row["label"] for row in measured[0]["classes"]], measured[0]["n"]) == (["green", "é red"], 8)
    found, errors = sayso("classify", tmp_path / "mac", "--labels", "é red，green", "--json", home=home)
    assert len(found) == 8
    assert "clip.mp4: This is a video" in errors


def test_from_a_table(folder, tmp_path):
    lines, errors = sayso("teach", folder / "labels.csv", home=tmp_path / "home")
    assert lines[0].startswith("With your 8 labels: ")
    assert "Nothing was kept" in errors


def test_mistakes(folder, tmp_path):
    home = tmp_path / "home"
    assert "does not exist" in sayso("teach", tmp_path / "nowhere", home=home, code=2)[1]
    assert "There is no class “green”" in sayso("teach", folder, "--labels", "red, blue", home=home, code=2)[1]
    assert ".safetensors" in sayso("teach", folder, "--out", tmp_path / "x.bin", home=home, code=2)[1]


def test_a_set_with_parts_zipped_and_with_descriptions(folder, tmp_path):
    for part, count in (("train", 4), ("val", 2), ("test", 2)):
        for label, colour in (("red", "red"), ("green", "green")):
            for index in range(count):
                photo(tmp_path / "set" / part / label / f"{part}{index}.png", colour, (40 + index, 40 + len(part)))
    home, file = tmp_path / "home", tmp_path / "colours.safetensors"
    (tmp_path / "told.json").write_text('{"red": ["a warm colour"], "blue": ["a cold colour"]}')
    asked = ("teach", tmp_path / "set", "--descriptions", tmp_path / "told.json", "--out", file, "--force", "--json")
    rows, errors = sayso(*asked, home=home)
    assert rows[0]["labels"] == 8
    assert "The part train is learned from, test and val left out." in errors
    assert Classifier.load(file).prompts.class_prompts == {"red": ("red, which is a warm colour",)}
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "set")
    for source in (tmp_path / "set", packed):
        measured, errors = sayso("evaluate", source, "--classifier", file, "--json", home=home)
        assert (measured[0]["n"], sorted(row["label"] for row in measured[0]["classes"])) == (4, ["green", "red"])
        assert "The part test is measured on, train and val left out." in errors


def test_a_folder_is_added_with_its_labels(folder, tmp_path):
    photo(tmp_path / "pets" / "guinea_pig" / "IMG-20230405-WA0007.jpg", "red")
    photo(tmp_path / "pets" / "cat" / "cut.png", "green")
    rows, errors = sayso("add", tmp_path / "pets", "--folder-labels", "--json", home=tmp_path / "home")
    assert rows[0]["labelled"] == 2
    assert "2 pictures with 2 labels" in errors
    found, _ = sayso(
        "search",
        "--label",
        "guinea pig",
        "--since",
        "2023-04-05",
        "--until",
        "2023-04-05",
        "--json",
        "red",
        home=tmp_path / "home",
    )
    assert len(found) == 1
    again, _ = sayso("add", tmp_path / "pets", "--again", "--json", home=tmp_path / "home")
    assert (again[0]["new"], again[0]["known"]) == (0, 2)
