"""Albums and filters on the command line, with the starter."""

import pytest

from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


def test_albums_from_saving_to_deleting(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "photos"
    for name, colour, size in (("a.png", "red", (40, 30)), ("b.png", "green", (30, 40)), ("c.png", "blue", (30, 30))):
        photo(folder / name, colour, size)
    sayso("add", folder, home=home)
    rows, _ = sayso("search", "red", "--orientation", "portrait", "--json", home=home)
    assert [row["path"] for row in rows] == [str(folder / "b.png")]
    rows, _ = sayso("search", "red", "--label", "nobody said this", "--json", home=home)
    assert rows == []
    _, said = sayso("search", "red", "--orientation", "round", home=home, code=2)
    assert "landscape, portrait, square" in said

    _, said = sayso("album", "Tall ones", "--orientation", "portrait", home=home)
    assert "saved" in said
    _, said = sayso("album", "Tall ones", "--words", "red", home=home, code=2)
    assert "already" in said
    photo(folder / "new.png", "red", (30, 50))
    sayso("add", folder, home=home)
    rows, said = sayso("album", "Tall ones", "--json", home=home)
    assert [row["path"] for row in rows] == [str(folder / "b.png"), str(folder / "new.png")]
    assert "2 images" in said

    sayso("classify", folder, "--labels", "red, green, blue", "--save", "colours", home=home)
    sayso("album", "Reds", "--classifier", "colours", "--calls", "red", home=home)
    rows, _ = sayso("album", "Reds", "--json", home=home)
    assert all(0 < row["share"] <= 1 for row in rows)
    rows, _ = sayso("album", "--json", home=home)
    assert [row["name"] for row in rows] == ["Reds", "Tall ones"]
    lines, _ = sayso("album", home=home)
    assert lines == ["Reds  (colours: red)", "Tall ones  (orientation portrait)"]
    sayso("album", "Reds", "--delete", home=home)
    _, said = sayso("album", "Reds", home=home, code=2)
    assert "Tall ones" in said
    _, said = sayso("album", "--delete", home=home, code=2)
    assert "which album" in said


def test_a_search_is_kept_as_a_classifier(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "photos"
    for index in range(4):
        photo(folder / f"{index}.png", "red" if index % 2 else "blue", (40 + index, 30))
    sayso("add", folder, home=home)
    _, said = sayso("keep-search", "a red wall", "walls", home=home)
    assert "Saved as “walls”, version 1" in said
    rows, _ = sayso("classify", folder, "--classifier", "walls", "--json", home=home)
    assert {row["label"] for row in rows} == {"a red wall"}
    assert len(rows) == 4
    _, said = sayso("keep-search", "red - blue", "no", home=home, code=2)
    assert "minus" in said
