"""The commands `backup`, `restore` and `doctor`, and the backup that a command leaves behind."""

import os
from pathlib import Path

import pytest

from storage import Library
from tests.support.commands import sayso
from tests.support.fakes import FakeEncoder


@pytest.fixture
def home(tmp_path, photos):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(photos)
    return tmp_path / "home"


def test_a_backup_is_made_listed_and_put_back(home, photos, tmp_path):
    sayso("label", photos / "a.png", "--as", "kept", home=home)
    (made,), _ = sayso("backup", "--json", home=home)
    sayso("label", photos / "b.jpg", "--as", "late", home=home)
    listed, _ = sayso("restore", "--json", home=home)
    assert {row["why"] for row in listed} == {"by-hand", "daily"}  # that of the day came with the first label
    assert made["path"] in {row["path"] for row in listed}
    os.truncate(home / "sayso.db", 5000)
    _, said = sayso("label", home=home, code=2)
    assert "restore" in said
    (row,), said = sayso("restore", made["path"], "--json", home=home)
    assert (row["pictures"], row["labels"]) == (4, 1)
    assert Path(row["replaced"]).stat().st_size == 5000
    assert "is kept in" in said
    assert sayso("label", "--json", home=home)[0] == [{"label": "kept", "pictures": 1}]
    (tmp_path / "disk").mkdir()
    (elsewhere,), _ = sayso("backup", "--to", tmp_path / "disk", "--json", home=home)
    assert Path(elsewhere["path"]).parent == tmp_path / "disk"


def test_mistakes_are_one_sentence(home, tmp_path):
    _, said = sayso("restore", tmp_path / "nothing.db", home=home, code=2)
    assert "lists the backups" in said
    assert "there are no backups" in sayso("restore", home=tmp_path / "empty")[1]
    assert "nothing to examine" in sayso("doctor", home=tmp_path / "empty")[1]


def test_the_doctor_says_what_it_would_do_and_then_does_it(home, photos):
    sayso("doctor", "--fix", home=home)  # permissions, and the first backup
    assert sayso("doctor", home=home)[1].endswith("everything is in order\n")
    (photos / "a.png").unlink()
    rows, said = sayso("doctor", "--json", home=home, code=1)
    assert [(row["check"], row["fixable"], row["fixed"]) for row in rows] == [("pictures", True, False)]
    assert rows[0]["examples"] == [str(photos / "a.png")]
    assert "1 found, 0 mended, 1 left" in said
    rows, said = sayso("doctor", "--fix", "--json", home=home)
    assert [row["fixed"] for row in rows] == [True]
    assert sayso("doctor", home=home)[0] == []
