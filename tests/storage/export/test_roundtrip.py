"""CSV out and in: what a person said comes back unchanged, and no cell is one that a spreadsheet would run."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipcore import NONE, UNSURE
from clipcore.cells import defused, labels_in, undefused
from storage import Answer, ImageRecord, Library
from storage.export import to_csv
from storage.export.tables import label_cell
from storage.labels.imports import read_csv
from tests.support.fakes import photo

HARD = [
    "unsure",
    "none of these",
    "red; blue",
    "'=SUM(1)",
    "''=SUM(1)",
    "=SUM(1)",
    "'",
    '"',
    '"red"',
    '"red"; blue',
    'say "hi"',
    "a,b",
    "-1",
    "@me",
    "; ",
    ";",
    "Unsure",
]


def read_back(said, tmp_path):
    image = ImageRecord(1, "/photos/a.jpg", "0" * 64, 1, 1, 1)
    table = tmp_path / "labels.csv"
    table.write_text(to_csv([Answer(image, said)]), encoding="utf-8", newline="")
    _, cells = csv.reader(io.StringIO(to_csv([Answer(image, said)])))
    for cell in cells:
        assert not cell or cell[0] not in "=+-@\t\r\n"
    return tuple(label for _, label in read_csv(table))


@pytest.mark.parametrize("label", HARD)
def test_hard_labels_come_back(tmp_path, label):
    assert read_back((label,), tmp_path) == (label,)
    assert read_back(("a", label, "z"), tmp_path) == ("a", label, "z")


def test_plain_labels_look_plain():
    assert label_cell(("red", "deep blue")) == "red; deep blue"
    assert (label_cell(UNSURE), label_cell(NONE), label_cell(None), label_cell(())) == ("unsure", "none of these", "", "")
    assert labels_in("red;blue; unsure") == ["red", "blue"]  # typed by hand


letters = st.text(st.sampled_from("ab;\"' \n\r\t=+-@,") | st.characters(exclude_categories=("Cs",)), min_size=1, max_size=10)


@settings(max_examples=300)
@given(st.lists(letters.filter(str.strip), min_size=1, max_size=4, unique=True))
def test_every_label_comes_back(tmp_path_factory, labels):
    assert labels_in(label_cell(tuple(labels))) == labels
    assert read_back(tuple(labels), tmp_path_factory.mktemp("csv")) == tuple(labels)


@given(letters)
def test_every_cell_comes_back_from_being_defused(cell):
    assert undefused(defused(cell)) == cell
    assert not re.match(r"[=+\-@\t\r\n]", defused(cell))


def test_labels_of_a_library_come_back(tmp_path, encoder):
    for index, _ in enumerate(HARD):
        photo(tmp_path / "photos" / f"{index:02}.png", "red", (30 + index, 20))
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        for image, label in zip(library.images(), HARD, strict=True):
            library.label(image.id, label)
        before = library.labels.of()
        (tmp_path / "labels.csv").write_text(to_csv(library.exchange.answers()), encoding="utf-8", newline="")
        for _ in HARD:
            library.labels.undo()
        assert library.labels.of() == {}
        library.exchange.import_labels(read_csv(tmp_path / "labels.csv"))
        assert library.labels.of() == before
