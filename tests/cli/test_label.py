"""`label` and several labels a picture, as people run them."""

import pytest

from clipcore import Classifier
from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("label")
    for label, colour in (("red", "red"), ("green", "green")):
        for index in range(8):
            photo(folder / label / f"{index}.png", colour, (40 + index, 40))
    rows = [f"{label}/{index}.png,{label}" for label in ("red", "green") for index in range(8)]
    rows += [f"{label}/{index}.png,colour" for label in ("red", "green") for index in range(4)]
    (folder / "several.csv").write_text("\n".join(["path,label", *rows]))
    return folder


def counts(home):
    rows, _ = sayso("label", "--json", home=home)
    return {row["label"]: row["pictures"] for row in rows}


def test_pictures_and_folders_get_labels_that_can_be_taken_back(folder, tmp_path):
    home = tmp_path / "home"
    sayso("add", folder, home=home)
    assert sayso("label", folder / "red", "--as", "red", "--json", home=home)[0] == [{"pictures": 8, "changed": 8}]
    sayso("label", folder / "red" / "0.png", "--as", "pretty", home=home)
    assert counts(home) == {"red": 8, "pretty": 1}
    sayso("label", folder / "red" / "1.png", "--as", "green", "--among", "red, green", home=home)
    assert counts(home) == {"red": 7, "green": 1, "pretty": 1}
    sayso("label", "--undo", home=home)
    assert counts(home) == {"red": 8, "pretty": 1}
    sayso("label", folder / "red" / "0.png", "--as", "pretty", "--remove", home=home)
    sayso("label", folder, "--among", "red, green", "--none", home=home)
    assert counts(home) == {}


def test_names_with_split_or_unseen_letters_are_the_same_labels(folder, tmp_path):
    home = tmp_path / "home"
    sayso("add", folder, home=home)
    sayso("label", folder / "red", "--as", "cafe\u0301\u200b", "--among", "café，tea", home=home)
    assert counts(home) == {"café": 8}
    (tmp_path / "labels.csv").write_text(f"path,label\n{folder}/green/0.png,te\u00ada\n{folder}/green/1.png,x\n")
    sayso("import-labels", "--csv", tmp_path / "labels.csv", "--only", "['tea', 'coffee']", home=home)
    assert counts(home) == {"café": 8, "tea": 1}


def test_a_threshold_is_learned_for_each_of_several_labels(folder, tmp_path):
    home, file = tmp_path / "home", tmp_path / "several.safetensors"
    rows, _ = sayso("teach", folder / "several.csv", "--many", "--out", file, "--json", "--force", home=home)
    assert (rows[0]["measure"], rows[0]["labels"]) == ("F1", 16)
    head = Classifier.load(file)
    assert head.decision.many
    assert len(head.decision.thresholds) == len(head.labels) == 3
    found, _ = sayso("classify", folder / "red", "--classifier", file, "--json", home=home)
    assert all((row["verdict"] == "label") == bool(row["answer"]) for row in found)


def test_the_dial_and_a_single_class(folder, tmp_path):
    home = tmp_path / "home"
    options = ("classify", folder, "--labels", "red", "--json")
    always, _ = sayso(*options, "--sure", "0", "--save", "one", home=home)
    assert {tuple(row["answer"]) for row in always} == {("red",)}
    assert all(row["share"] < 1 for row in always)  # one class never goes through a softmax alone
    again, _ = sayso("classify", folder, "--classifier", "one", "--json", home=home)
    assert again == always  # the dial is in the classifier
    never, _ = sayso(*options, "--sure", "1", home=home)
    assert {(*row["answer"], row["verdict"]) for row in never} <= {("unsure",), ("none of these",)}


def test_mistakes(folder, tmp_path):
    home = tmp_path / "home"
    sayso("add", folder, home=home)
    picture = folder / "red" / "0.png"
    for arguments, sentence in (
        (["label", picture], "Say which label"),
        (["label", tmp_path / "nowhere.png", "--as", "red"], "nowhere.png is not in the library"),
        (["label", picture, "--as", "blue", "--among", "red, green"], "one of its classes"),
        (["label", picture, "--as", "red", "--not", "--remove"], "Choose one of"),
        (["label", "--undo"], "no step to take back"),
        (["teach", folder, "--head", "tree"], "no such head"),
    ):
        assert sentence in sayso(*arguments, home=home, code=2)[1]


def test_a_file_that_was_replaced_is_said_and_listed(tmp_path):
    home, picture = tmp_path / "home", photo(tmp_path / "photos" / "a.png", "red", (60, 40))
    sayso("add", picture.parent, home=home)
    sayso("label", picture, "--as", "dog", home=home)
    assert "No file has replaced" in sayso("label", "--replaced", home=home)[1]
    photo(picture, "blue", (90, 40))
    rows, said = sayso("add", picture.parent, "--json", home=home)
    assert rows[0]["replaced"] == 1
    assert "still labelled “dog”" in said
    assert counts(home) == {"dog": 1}
    assert sayso("label", "--replaced", "--json", home=home)[0] == [{"path": str(picture), "labels": ["dog"]}]
    assert "1 of the labelled files replaced another picture" in sayso("label", home=home)[1]
    sayso("label", picture, "--as", "dog", home=home)
    assert "No file has replaced" in sayso("label", "--replaced", home=home)[1]


def test_a_choice_stands_for_all_and_leaves_out_what_has_a_label(folder, tmp_path):
    home = tmp_path / "home"
    rows, said = sayso("choose", 4, folder, "--to", tmp_path / "fill.csv", "--json", home=home)
    assert sorted(row["path"].split("/")[-2] for row in rows) == ["green", "red"]  # the others are nearly the same
    assert "no more than 2" in said
    assert (tmp_path / "fill.csv").read_text().splitlines()[1:] == [f"{row['path']}," for row in rows]
    sayso("add", folder, home=home)
    sayso("label", folder / "red", "--as", "red", home=home)
    rows, _ = sayso("choose", 4, "--labels", "red, green", "--album", "first", "--json", home=home)
    assert [(row["path"].split("/")[-2], row["place"]) for row in rows] == [("green", 1)]
    assert len(sayso("album", "first", "--json", home=home)[0]) == 1
