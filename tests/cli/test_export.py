"""export, import-labels and import-classifier: the whole command line, in this process."""

import json

import pytest

from clipcore.models import is_here
from storage import Library
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


def paths(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_labels_out_and_back_in(tmp_path):
    """Label, sort into folders, look first, undo, and take the labels into a fresh home."""
    home, photos, out = tmp_path / "home", tmp_path / "photos", tmp_path / "sorted"
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        photo(photos / f"{name}.png", colour, (40, 30))
    sayso("classify", photos, "--labels", "red, green", "--save", "colours", home=home)
    sayso("add", photos, home=home)
    with Library(home) as library:
        ids = {image.name: image.id for image in library.images()}
        library.labels.label_many([ids["a.png"]], "red")
        library.labels.label_many([ids["b.png"]], "green")

    lines, errors = sayso("export", "--folders", out, "--move", "--dry-run", home=home)
    assert lines == [
        f"move {photos}/{name}.png -> {out}/{label}/{name}.png" for name, label in (("a", "red"), ("b", "green"))
    ]
    assert "2 files to be made" in errors
    assert not out.exists()
    _, errors = sayso("export", "--folders", out, "--move", "--undo-file", tmp_path / "undo.json", home=home)
    assert paths(out) == ["green/b.png", "red/a.png"]
    assert f"--undo {tmp_path / 'undo.json'}" in errors
    _, errors = sayso("export", "--undo", tmp_path / "undo.json", home=home)
    assert "2 changes taken back" in errors
    assert paths(photos) == ["a.png", "b.png", "c.png"]

    tables = tmp_path / "tables"
    names = {"csv": "l.csv", "json": "l.json", "coco": "coco.json", "label-studio": "ls.json", "file": "c.safetensors"}
    formats = [part for option, name in names.items() for part in (f"--{option}", tables / name)]
    sayso("export", "--classifier", "colours", *formats, "--xmp", "both", home=home)
    lines, _ = sayso("export", "--csv", "-", home=home)
    assert len(lines) == 3
    assert paths(tables) == ["c.safetensors", "coco.json", "l.csv", "l.json", "ls.json", "ls.xml"]
    assert len(json.loads((tables / "l.json").read_text())["images"]) == 3
    assert "a.png.xmp" in paths(photos)

    fresh = tmp_path / "fresh"
    sayso("add", photos, home=fresh)
    for source in (
        ["--csv", tables / "l.csv"],
        ["--coco", tables / "coco.json"],
        ["--label-studio", tables / "ls.json"],
        ["--xmp"],
    ):
        rows, _ = sayso("import-labels", *source, "--json", home=fresh)
        assert (rows[0]["pictures"], rows[0]["labels"], rows[0]["unknown"]) == (2, ["green", "red"], 0)
    _, errors = sayso("import-classifier", tables / "c.safetensors", "--name", "theirs", home=fresh)
    assert "saved as theirs, version 1" in errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export"], "Nothing to export to"),
        (["export", "--csv", "-"], "no picture has a label yet"),
        (["export", "--onnx", "x.onnx"], "name it with --classifier"),
        (["export", "--folders", "x", "--copy", "--move"], "Choose one"),
        (["export", "--xmp", "photoshop"], "no naming"),
        (["export", "--undo", "README.md"], "not an undo file"),
        (["export", "--csv", "-", "--folder", "nowhere"], "not in the library"),
        (["import-labels"], "Name one source"),
        (["import-labels", "--csv", "README.md"], "no columns path and label"),
        (["import-classifier", "README.md"], "not a classifier"),
    ],
)
def test_mistakes_are_one_sentence(arguments, sentence, tmp_path):
    _, errors = sayso(*arguments, home=tmp_path, code=2)
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1
