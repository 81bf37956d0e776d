"""Exports and imports: tables, class folders with their undo, XMP, Label Studio, COCO, YOLO. Colours stand for meaning."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from clipcore import NONE, UNSURE, BadInput, SpaceMismatch, zero_shot_classifier
from clipcore.cells import defused
from clipcore.classify.decision import DIAL
from clipcore.progress import drain
from storage import Library
from storage.export import (
    class_folders,
    iter_carry_out,
    iter_finish,
    iter_undo,
    label_studio_config,
    sidecars,
    to_coco,
    to_csv,
    to_json,
    to_label_studio,
    yolo_folders,
)
from storage.export.journal import under_way
from storage.export.xmp import keywords, merged
from storage.labels.imports import read_coco, read_csv, read_embedded, read_folders, read_label_studio, read_xmp
from tests.support.fakes import FakeEncoder, photo

BOARD = ["red", "green"]


@pytest.fixture
def library(tmp_path, encoder):
    """r0 r1 (red) and g0 (green); a person said: r0 is green (on purpose), r1 unsure."""
    for name, colour in (("r0", "red"), ("r1", "red"), ("g0", "green")):
        photo(tmp_path / "photos" / f"{name}.png", colour, (30 + int(name[1]), 20))
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield library


@pytest.fixture
def ids(library):
    return {image.name.split(".")[0]: image.id for image in library.images()}


@pytest.fixture
def answers(library, ids, encoder):
    library.labels.move([ids["r0"]], "green", BOARD)
    library.labels.move([ids["r1"]], UNSURE, BOARD)
    return library.exchange.answers(zero_shot_classifier(encoder, BOARD))


def paths(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def carried_out(library, plan, undo):
    return drain(iter_carry_out(plan, undo, library.exchange.moved))


# what is written


def test_a_persons_word_goes_before_the_classifiers(answers):
    rows = {row["path"].rsplit("/")[-1]: row for row in csv.DictReader(io.StringIO(to_csv(answers)))}
    r0, r1, g0 = rows["r0.png"], rows["r1.png"], rows["g0.png"]
    assert (r0["label"], r0["by"], r0["your label"], r0["classifier label"]) == ("green", "you", "green", "red")
    assert (r0["runner-up"], float(r0["share"]) > 0.9) == ("green", True)
    assert (r1["label"], r1["by"], r1["your label"], r1["classifier answer"]) == ("", "", "unsure", "red")
    assert (g0["label"], g0["by"], g0["your label"]) == ("green", "classifier", "")
    for answer, row in zip(answers, rows.values(), strict=True):
        assert (row["likely right"], row["why not"]) == (f"{answer.figure:.2f}", answer.why)
        assert (round(answer.figure, 2) >= DIAL) == isinstance(answer.found, tuple) == (not answer.why)


def test_cells_that_spreadsheets_would_run_are_defused(library, ids, tmp_path):
    hostile = '=HYPERLINK("http://x","y")'
    library.labels.label(ids["r0"], hostile)
    text = to_csv(library.exchange.answers())
    assert f"'{hostile}".replace('"', '""') in text
    (tmp_path / "labels.csv").write_text(text)
    assert read_csv(tmp_path / "labels.csv") == [(str(tmp_path / "photos" / "r0.png"), hostile)]
    assert [defused(cell) for cell in ("+1", "-1", "@a", "\tb", "fine")] == ["'+1", "'-1", "'@a", "'\tb", "fine"]


def test_json_has_both_verdicts_and_every_share(answers, encoder):
    data = json.loads(to_json(answers, zero_shot_classifier(encoder, BOARD)))
    rows = {row["path"].rsplit("/")[-1]: row for row in data["images"]}
    assert data["labels"] == BOARD
    assert (rows["r0.png"]["said"], rows["r0.png"]["answer"], rows["r0.png"]["labels"]) == (["green"], ["red"], ["green"])
    assert (rows["r1.png"]["said"], rows["r1.png"]["said verdict"], rows["r1.png"]["labels"]) == ([], "unsure", [])
    assert len(rows["g0.png"]["classifier"]["top"]) == 2
    assert [row["likely right"] for row in data["images"]] == pytest.approx([answer.figure for answer in answers])


def test_without_a_classifier_the_labelled_pictures_alone(library, ids):
    library.labels.label(ids["r0"], "red")
    library.labels.label(ids["r0"], "indoor")
    library.labels.move([ids["g0"]], NONE, BOARD)
    found = {answer.image.id: answer.said for answer in library.exchange.answers()}
    assert found == {ids["r0"]: ("indoor", "red"), ids["g0"]: NONE}


def test_label_studio_tells_annotations_from_predictions(answers, tmp_path):
    tasks = json.loads(to_label_studio(answers))
    r0, r1, g0 = (
        next(task for task in tasks if task["data"]["path"].endswith(name)) for name in ("r0.png", "r1.png", "g0.png")
    )
    assert r0["annotations"][0]["result"][0]["value"] == {"choices": ["green"]}
    assert r0["predictions"][0]["result"][0]["value"] == {"choices": ["red"]}
    assert "annotations" not in r1
    assert g0["predictions"][0]["score"] > 0.9
    assert g0["data"]["image"].startswith("/data/local-files/?d=")
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    assert read_label_studio(tmp_path / "tasks.json") == [(str(tmp_path / "photos" / "r0.png"), "green")]
    config = label_studio_config(['a "b" <c>'])
    assert "<Choice value='a \"b\" &lt;c&gt;'/>" in config


def test_coco_has_categories_of_whole_pictures(answers, tmp_path):
    text = to_coco(answers, BOARD)
    coco = json.loads(text)
    assert [row["name"] for row in coco["categories"]] == BOARD
    assert {(row["image_id"], row["category_id"]) for row in coco["annotations"]} == {
        (answer.image.id, 2) for answer in answers if answer.labels
    }
    assert [("score" in row, "bbox" in row) for row in coco["annotations"]].count((True, False)) == 1  # the classifier's
    (tmp_path / "coco.json").write_text(text)
    assert read_coco(tmp_path / "coco.json") == [(str(tmp_path / "photos" / "r0.png"), "green")]


# class folders


@pytest.mark.parametrize("how", ["copy", "link", "symlink"])
def test_class_folders_and_back(library, answers, tmp_path, how):
    out = tmp_path / "sorted"
    plan = class_folders(answers, out, how)
    assert not out.exists()  # a plan changes nothing
    assert [str(change).split()[0] for change in plan.changes] == [how, how]
    assert ["unsure" in row.reason for row in plan.left] == [True]
    done = carried_out(library, plan, tmp_path / "undo.json")
    assert (done.changed, done.failed) == (2, [])
    assert paths(out) == ["green/g0.png", "green/r0.png"]
    assert (out / "green" / "g0.png").read_bytes() == (tmp_path / "photos" / "g0.png").read_bytes()
    assert os.path.samefile(out / "green" / "g0.png", tmp_path / "photos" / "g0.png") == (how != "copy")

    again = class_folders(answers, out, how)
    assert again.changes == []
    assert drain(iter_undo(tmp_path / "undo.json", library.exchange.moved)).changed == 2
    assert not out.exists()
    assert paths(tmp_path / "photos") == ["g0.png", "r0.png", "r1.png"]
    assert not (tmp_path / "undo.json").exists()


def test_a_move_keeps_the_labels_and_takes_sidecars_along(library, ids, answers, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "sorted"
    (photos / "r0.png.xmp").write_text("mine")
    (photos / "g0.xmp").write_text("mine too")
    carried_out(library, class_folders(answers, out, "move"), tmp_path / "undo.json")
    assert paths(photos) == ["r1.png"]
    assert paths(out) == ["green/g0.png", "green/g0.xmp", "green/r0.png", "green/r0.png.xmp"]
    assert library.image(ids["r0"]).path == str(out / "green" / "r0.png")
    assert library.labels.of([ids["r0"]]) == {ids["r0"]: {"green": 1}}
    assert library.count() == 3
    before = library.encoder.embedded
    library.add(photos)
    library.add(out)  # what was moved is known there, nothing is embedded again, nothing is missing
    assert (library.encoder.embedded, library.count()) == (before, 3)

    drain(iter_undo(tmp_path / "undo.json", library.exchange.moved))
    assert paths(photos) == ["g0.png", "g0.xmp", "r0.png", "r0.png.xmp", "r1.png"]
    assert library.image(ids["r0"]).path == str(photos / "r0.png")
    assert library.labels.of([ids["r0"]]) == {ids["r0"]: {"green": 1}}


def test_nothing_is_overwritten(library, answers, tmp_path):
    out = tmp_path / "sorted"
    (out / "green").mkdir(parents=True)
    (out / "green" / "G0.PNG").write_text("someone's")  # differs in case only: one file on some disks
    plan = class_folders(answers, out, "copy")
    (out / "green" / "r0.png").write_text("came in between")
    done = carried_out(library, plan, tmp_path / "undo.json")
    assert paths(out) == ["green/G0.PNG", "green/g0 (2).png", "green/r0.png"]
    assert ["not overwritten" in row.reason for row in done.failed] == [True]
    assert (out / "green" / "r0.png").read_text() == "came in between"
    drain(iter_undo(tmp_path / "undo.json", library.exchange.moved))
    assert paths(out) == ["green/G0.PNG", "green/r0.png"]
    with pytest.raises(BadInput, match="already a file"):
        carried_out(library, plan, out / "green" / "r0.png")


def test_undo_leaves_alone_what_was_changed_since(library, answers, tmp_path):
    out, undo = tmp_path / "sorted", tmp_path / "undo.json"
    carried_out(library, class_folders(answers, out, "copy"), undo)
    (out / "green" / "r0.png").write_text("edited")
    done = drain(iter_undo(undo, library.exchange.moved))
    assert (done.changed, len(done.failed)) == (1, 1)
    assert paths(out) == ["green/r0.png"]
    assert undo.exists()  # there is something left to undo


def test_a_move_that_is_killed_half_way_can_be_undone(library, ids, answers, tmp_path):
    undo = tmp_path / "undo.json"
    steps = iter_carry_out(class_folders(answers, tmp_path / "sorted", "move"), undo, lambda moved: None)
    next(steps)
    next(steps)  # one file is moved; the library has not been told, as after kill -9
    planned = undo.read_bytes()
    steps.close()
    undo.write_bytes(planned)
    assert len(paths(tmp_path / "photos")) == 2
    drain(iter_undo(undo, library.exchange.moved))
    assert paths(tmp_path / "photos") == ["g0.png", "r0.png", "r1.png"]
    assert not (tmp_path / "sorted").exists()
    assert library.image(ids["g0"]).path == str(tmp_path / "photos" / "g0.png")


def test_stopping_keeps_what_was_moved(library, ids, answers, tmp_path):
    undo = tmp_path / "undo.json"
    steps = iter_carry_out(class_folders(answers, tmp_path / "sorted", "move"), undo, library.exchange.moved)
    next(steps)
    next(steps)
    steps.close()
    moved = [image for image in library.images() if "sorted" in image.path]
    assert len(moved) == len(json.loads(undo.read_text())["changes"]) == 1
    assert os.path.exists(moved[0].path)


def at_home(library, plan, places) -> None:
    """Every picture of the library is where it is known, and those of the plan at their old or new places."""
    assert all(os.path.exists(image.path) for image in library.images())
    of_plan = {change.image_id: getattr(change, places) for change in plan.changes}
    assert {image_id: library.image(image_id).path for image_id in of_plan} == of_plan


def test_a_stopped_export_is_finished_and_undone_as_one(library, ids, answers, tmp_path):
    undo = tmp_path / "undo.json"
    plan = class_folders(answers, tmp_path / "sorted", "move")
    steps = iter_carry_out(plan, undo, library.exchange.moved)
    next(steps)
    next(steps)
    steps.close()
    done = drain(iter_finish(undo, library.exchange.moved))
    assert (done.changed, done.failed) == (len(plan.changes), [])
    at_home(library, plan, "target")
    assert drain(iter_undo(undo, library.exchange.moved)).changed == len(plan.changes)
    at_home(library, plan, "source")


@pytest.mark.parametrize("died", ["before anything", "in the copies", "before it was told", "before the old names went"])
def test_an_export_that_was_killed_is_finished(library, answers, tmp_path, died):
    """Each state in which `kill -9` can leave a batch of moves."""
    undo = tmp_path / "exports" / "undo-1.json"
    plan = class_folders(answers, tmp_path / "sorted", "move")
    assert len(plan.changes) > 1

    class Killed(BaseException):
        pass

    def moved(paths):
        if died == "before the old names went":
            library.exchange.moved(paths)
        raise Killed

    with pytest.raises(Killed):
        drain(iter_carry_out(plan, undo, moved))
    if died in ("before anything", "in the copies"):
        for change in plan.changes[0 if died == "before anything" else 1 :]:
            os.unlink(change.target)
    at_home(library, plan, "target" if died == "before the old names went" else "source")
    assert under_way(tmp_path) == [undo]
    half = undo.with_name(f"{undo.name}.0a1b2c3d.part")  # it was killed while it wrote, too
    half.write_text("{")
    done = drain(iter_finish(undo, library.exchange.moved))
    assert (done.changed, done.failed) == (len(plan.changes), [])
    assert not any(os.path.exists(change.source) for change in plan.changes)
    at_home(library, plan, "target")
    assert under_way(tmp_path) == []
    assert drain(iter_undo(undo, library.exchange.moved)).failed == []
    assert not any(os.path.exists(change.target) for change in plan.changes)
    at_home(library, plan, "source")
    assert not half.exists()


@pytest.mark.parametrize("how", ["copy", "link", "symlink", "write"])
def test_an_export_of_every_kind_that_was_killed_is_finished(library, answers, tmp_path, how):
    undo = tmp_path / "undo.json"
    plan = sidecars(answers) if how == "write" else class_folders(answers, tmp_path / "sorted", how)
    steps = iter_carry_out(plan, undo, library.exchange.moved)
    next(steps)
    begun = undo.read_bytes()
    drain(steps)
    made = [Path(change.target).read_bytes() for change in plan.changes]
    undo.write_bytes(begun)  # killed before its end was written down, and its last change is lost
    Path(plan.changes[-1].target).unlink()
    done = drain(iter_finish(undo, library.exchange.moved))
    assert (done.changed, done.failed) == (len(plan.changes), [])
    assert [Path(change.target).read_bytes() for change in plan.changes] == made
    assert drain(iter_undo(undo, library.exchange.moved)).failed == []
    assert not any(os.path.lexists(change.target) for change in plan.changes)


def test_a_picture_that_was_seen_at_its_new_place_meanwhile_is_still_one(library, ids, answers, tmp_path):
    library.labels.label(ids["g0"], "kept")
    before = library.labels.counts()
    plan = class_folders(answers, tmp_path / "sorted", "move")
    steps = iter_carry_out(plan, tmp_path / "undo.json", library.exchange.moved)
    next(steps)
    next(steps)
    library.add(tmp_path / "sorted")  # it has both names just now
    drain(steps)
    at_home(library, plan, "target")
    assert library.count() == 3
    assert library.labels.counts() == before


def test_names_of_labels_become_names_of_folders(library, ids, tmp_path):
    for name, label in (("r0", "../../etc"), ("r1", "dog"), ("g0", "Dog")):
        library.labels.label(ids[name], label)
    carried_out(library, class_folders(library.exchange.answers(), tmp_path / "out", "copy"), tmp_path / "undo.json")
    assert paths(tmp_path / "out") == ["Dog/g0.png", "_.._etc/r0.png", "dog (2)/r1.png"]


def test_a_picture_with_two_labels_is_copied_to_both_and_not_moved(library, ids, tmp_path):
    library.labels.label(ids["r0"], "red")
    library.labels.label(ids["r0"], "indoor")
    out = tmp_path / "out"
    assert "several labels" in class_folders(library.exchange.answers(), out, "move").left[0].reason
    carried_out(library, class_folders(library.exchange.answers(), out, "copy"), tmp_path / "undo.json")
    assert paths(out) == ["indoor/r0.png", "red/r0.png"]


def test_yolo_splits_by_content(library, ids, tmp_path):
    for index in range(40):
        photo(tmp_path / "more" / f"{index}.png", "blue", (20 + index, 20))
    shutil.copy(tmp_path / "more" / "0.png", tmp_path / "more" / "copy.png")
    library.add(tmp_path / "more")
    for image in library.images():
        library.labels.label(image.id, "blue")
    plan = yolo_folders(library.exchange.answers(), tmp_path / "yolo", "symlink", 0.3)
    parts = {change.target.split("/yolo/")[1].split("/")[0] for change in plan.changes}
    assert parts == {"train", "val"}
    by_content = {}
    for change in plan.changes:
        by_content.setdefault(change.content, set()).add(change.target.split("/yolo/")[1].split("/")[0])
    assert all(len(sides) == 1 for sides in by_content.values())
    carried_out(library, plan, tmp_path / "undo.json")
    assert len(read_folders(tmp_path / "yolo")) == len(plan.changes) == 44
    assert {label for _, label in read_folders(tmp_path / "yolo")} == {"blue"}


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"sayso_undo": 1, "changes": [{"do": "rm -rf"}], "folders": []}'])
def test_what_is_no_undo_file_is_refused(library, tmp_path, text):
    (tmp_path / "undo.json").write_text(text)
    with pytest.raises(BadInput, match="not an undo file"):
        drain(iter_undo(tmp_path / "undo.json", library.exchange.moved))


# XMP

FOREIGN = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- a comment -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmp:Rating="4" crs:Exposure2012="+0.35">
   <dc:subject><rdf:Bag><rdf:li>Harbour</rdf:li><rdf:li>cat</rdf:li></rdf:Bag></dc:subject>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Évening &amp; sea</rdf:li></rdf:Alt></dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


def test_a_sidecar_is_merged_and_foreign_properties_stay():
    once = merged(FOREIGN, ["dog", "cat"])
    assert keywords(once) == ["Harbour", "cat", "dog"]
    assert merged(once, ["dog", "cat"]) == once
    for foreign in (
        b'xmp:Rating="4"',
        b'crs:Exposure2012="+0.35"',
        b"<!-- a comment -->",
        "Évening &amp; sea".encode(),
        b"xpacket",
    ):
        assert foreign in once
    assert keywords(merged(once, ["bird"])) == ["Harbour", "cat", "bird"]  # our dog goes, their cat stays
    assert keywords(merged(once, [])) == ["Harbour", "cat"]
    assert merged(None, []) is None
    assert merged(FOREIGN, ["cat"]) == FOREIGN  # it says so already


def test_guesses_are_not_read_back_as_a_persons_word():
    guess = merged(None, ["dog"], guessed=True)
    assert b">dog<" in guess
    assert keywords(guess) == []
    assert keywords(merged(guess, ["dog"])) == ["dog"]  # confirmed since


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<html/>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><x/>'.encode("utf-16"),
        FOREIGN[:200],
    ],
)
def test_what_is_no_xmp_is_left_alone(data, library, ids, answers, tmp_path):
    with pytest.raises(BadInput, match="left alone"):
        merged(data, ["dog"])
    sidecar = tmp_path / "photos" / "r0.png.xmp"
    sidecar.write_bytes(data)
    plan = sidecars(answers)
    assert [row.path for row in plan.left] == [str(sidecar)]
    assert str(sidecar) not in {change.target for change in plan.changes}


def test_sidecars_are_written_and_taken_back(library, ids, answers, tmp_path):
    photos = tmp_path / "photos"
    originals = {path: path.read_bytes() for path in photos.iterdir()}
    (photos / "r0.png.xmp").write_bytes(FOREIGN)
    assert carried_out(library, sidecars(answers, "both"), tmp_path / "undo.json").changed == 4
    assert paths(photos) == ["g0.png", "g0.png.xmp", "g0.xmp", "r0.png", "r0.png.xmp", "r0.xmp", "r1.png"]
    assert keywords((photos / "r0.png.xmp").read_bytes()) == ["Harbour", "cat", "green"]
    assert all(path.read_bytes() == data for path, data in originals.items())
    assert sidecars(answers, "both").changes == []

    rows, skipped = read_xmp(library.images())
    assert (set(rows), skipped) == ({(str(photos / "r0.png"), word) for word in ("Harbour", "cat", "green")}, [])
    (photos / "g0.xmp").write_text("changed by another program")
    done = drain(iter_undo(tmp_path / "undo.json", library.exchange.moved))
    assert (done.changed, len(done.failed)) == (3, 1)
    assert (photos / "r0.png.xmp").read_bytes() == FOREIGN
    assert paths(photos) == ["g0.png", "g0.xmp", "r0.png", "r0.png.xmp", "r1.png"]


def test_two_pictures_that_would_share_a_sidecar(library, tmp_path):
    photo(tmp_path / "photos" / "r0.webp", "green", (33, 22))
    library.add(tmp_path / "photos")
    for image in library.images():
        library.labels.label(image.id, "red" if image.name == "r0.png" else "green")
    assert sorted(
        os.path.basename(change.target) for change in sidecars(library.exchange.answers(), "lightroom").changes
    ) == [
        "g0.xmp",
        "r0.xmp",
        "r1.xmp",
    ]
    assert "would share r0.xmp" in sidecars(library.exchange.answers(), "lightroom").left[0].reason
    assert len(sidecars(library.exchange.answers(), "digikam").changes) == 4


@pytest.mark.skipif(not shutil.which("exiftool"), reason="exiftool is not installed")
def test_exiftool_reads_the_sidecars(tmp_path):
    sidecar = tmp_path / "a.jpg.xmp"
    for before in (None, FOREIGN):
        sidecar.write_bytes(merged(before, ["dog", "AC/DC", "Ünïcode | pipe"]))
        done = subprocess.run(["exiftool", "-j", "-G1", "-a", "-struct", str(sidecar)], capture_output=True, check=True)
        read = json.loads(done.stdout)[0]
        assert "ExifTool:Warning" not in read
        theirs = ["Harbour", "cat"] if before else []
        assert read["XMP-dc:Subject"] == [*theirs, "dog", "AC/DC", "Ünïcode | pipe"]
        assert read["XMP-lr:HierarchicalSubject"] == ["dog", "AC/DC", "Ünïcode - pipe"]
        assert read["XMP-digiKam:TagsList"] == ["dog", "AC-DC", "Ünïcode | pipe"]
    assert (read["XMP-xmp:Rating"], read["XMP-dc:Title"]) == (4, "Évening & sea")


# imports


def test_labels_come_in_as_one_step(library, ids, tmp_path):
    library.labels.label(ids["r0"], "red")
    library.labels.label(ids["r0"], "indoor")
    (tmp_path / "labels.csv").write_text("\ufeffpath,label\nphotos/r0.png,green\nphotos/g0.png,red\nnowhere.png,red\n")
    found = library.exchange.import_labels(read_csv(tmp_path / "labels.csv"))
    assert (found.pictures, found.changed, found.labels) == (2, 2, ("green", "red"))
    assert [row.path for row in found.unknown] == [str(tmp_path / "nowhere.png")]
    # red and green exclude each other; indoor is not among what came in
    assert library.labels.of() == {ids["r0"]: {"green": 1, "indoor": 1}, ids["g0"]: {"red": 1}}
    library.labels.undo()
    assert library.labels.of() == {ids["r0"]: {"red": 1, "indoor": 1}}
    assert library.exchange.import_labels(read_csv(tmp_path / "labels.csv"), keep=True).pictures == 1
    assert library.labels.of()[ids["r0"]] == {"red": 1, "indoor": 1}


def test_a_table_of_ours_into_a_fresh_home(library, answers, encoder, tmp_path):
    (tmp_path / "labels.csv").write_text(to_csv(answers))
    with Library(tmp_path / "other", encoder) as fresh:
        fresh.add(tmp_path / "photos")
        fresh.exchange.import_labels(read_csv(tmp_path / "labels.csv"))
        # what the classifier said of g0 is no person's word, nor is "unsure" a label
        assert [list(values) for values in fresh.labels.of().values()] == [["green"]]


def test_pictures_are_found_by_content_and_by_name(library, ids, tmp_path):
    shutil.copy(tmp_path / "photos" / "r0.png", tmp_path / "renamed.png")
    rows = [(str(tmp_path / "renamed.png"), "a"), ("C:\\Users\\x\\photos\\g0.png", "b")]
    assert library.exchange.import_labels(rows).pictures == 2
    assert library.labels.of() == {ids["r0"]: {"a": 1}, ids["g0"]: {"b": 1}}
    photo(tmp_path / "two" / "g0.png", "blue")
    library.add(tmp_path / "two")
    assert len(library.exchange.import_labels([("/elsewhere/g0.png", "b")]).unknown) == 1  # could be either
    assert library.exchange.import_labels([("/elsewhere/two/g0.png", "b")]).pictures == 1


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_csv, "a,b\n1,2\n"),
        (read_csv, "path,label\n"),
        (read_coco, "{"),
        (read_coco, '{"images": []}'),
        (read_label_studio, '[{"data": {"text": "x"}, "annotations": 3}]'),
        (read_label_studio, '[{"data": {"image": "x"}, "predictions": [{"result": []}]}]'),
        (read_label_studio, "[]"),
    ],
)
def test_files_without_labels_are_refused_with_a_sentence(tmp_path, read, text):
    (tmp_path / "x").write_text(text)
    with pytest.raises(BadInput):
        read(tmp_path / "x")
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path / "gone")


def test_a_classifier_of_another_model_is_refused_with_both_names(library, encoder):
    library.exchange.import_classifier(zero_shot_classifier(encoder, BOARD).to_bytes(), "mine")
    assert library.classifiers.get("mine").labels == ("red", "green")
    theirs = zero_shot_classifier(FakeEncoder("other"), BOARD, "photo")
    with pytest.raises(SpaceMismatch, match=r"theirs was made with the model other .* in use is fake"):
        library.exchange.import_classifier(theirs.to_bytes(), "theirs")
    made = library.exchange.rebuild(theirs)
    assert (made.space, made.labels, made.prompts) == (encoder.space, theirs.labels, theirs.prompts)
    assert made == zero_shot_classifier(encoder, BOARD, "photo")


SINGLE = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:digiKam="http://www.digikam.org/ns/1.0/" {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize(
    ("attributes", "elements", "words"),
    [
        ("", "<dc:subject>cat</dc:subject>", ["cat"]),
        ('dc:subject="cat"', "", ["cat"]),
        ("", "<dc:subject><rdf:Bag><rdf:li>\n  big\n  cat\n </rdf:li></rdf:Bag></dc:subject>", ["big cat"]),
        ("", "<lr:hierarchicalSubject><rdf:Bag><rdf:li>animal|cat</rdf:li></rdf:Bag></lr:hierarchicalSubject>", ["cat"]),
        ("", "<digiKam:TagsList><rdf:Seq><rdf:li>animal/cat</rdf:li></rdf:Seq></digiKam:TagsList>", ["cat"]),
        ('lr:hierarchicalSubject="animal|cat"', "", ["cat"]),
    ],
)
def test_keywords_as_programs_write_them_are_read_and_stay(attributes, elements, words):
    sidecar = SINGLE.format(attributes, elements).encode()
    assert keywords(sidecar) == words
    after = merged(sidecar, ["dog"])
    assert set(keywords(after)) == {*words, "dog"}
    assert set(keywords(merged(after, []))) == set(words)


def test_a_sidecar_in_capitals_is_read_and_added_to(library, ids, tmp_path):
    (tmp_path / "photos" / "r0.XMP").write_bytes(SINGLE.format('dc:subject="cat"', "").encode())
    rows, skipped = read_xmp(library.images())
    assert (rows, skipped) == ([(str(tmp_path / "photos" / "r0.png"), "cat")], [])
    library.labels.label(ids["r0"], "dog")
    plan = sidecars(library.exchange.answers(), "lightroom")
    assert [Path(change.target).name for change in plan.changes] == ["r0.XMP"]
    assert set(keywords(plan.changes[0].data)) == {"cat", "dog"}


def test_keywords_inside_pictures_are_a_source(library, ids, tmp_path):
    file = tmp_path / "photos" / "r0.png"
    data = file.read_bytes()
    file.write_bytes(data + SINGLE.format('dc:subject="cat"', "").encode())
    rows, skipped = read_embedded(library.images())
    assert (rows, skipped) == ([(str(file), "cat")], [])
