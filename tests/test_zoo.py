"""The zoo: odd files and odd data sets through adding, sorting, teaching, measuring, export and back. Nothing is lost, and
nothing is silent. docs/files.md lists what is in it."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.zoo import cell
from clipcore import decide, drain, generic_bank, zero_shot_classifier
from clipcore.measure import iter_embed_set, judge, summarise
from storage import Library
from storage.export import class_folders, iter_carry_out, label_studio_config, to_coco, to_csv, to_json, to_label_studio
from storage.labels.imports import read_coco, read_csv, read_folders, read_json, read_label_studio
from tests.support.fakes import FakeEncoder
from tests.support.sentences import assert_sentence
from tests.support.zoo import NOTED, NOTHING, READ, SKIPPED, files, lay_out, sets
from training import few_shot
from training import teach as give_lesson
from training.data.pairs import read_pairs

FILES, SETS = files(), sets()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The files, added to a library: it, the result of adding, and where each file lies."""
    root = tmp_path_factory.mktemp("zoo")
    places = {lay_out(root / "files", odd): odd for odd in FILES}
    assert len(places) == len(FILES)
    with Library(root / "home", FakeEncoder(batch_size=16)) as library:
        yield library, library.add(root / "files"), places, root


def test_there_is_enough_in_it():
    assert len(FILES) >= 150
    assert len(SETS) >= 40


def test_all_of_it_stands_in_the_documents():
    told = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
    for odd in (*FILES, *SETS):
        assert f"| {cell(odd.situation)} |" in told, "python -m benchmarks.zoo writes it"


def test_every_file_is_read_or_named_with_a_reason(zoo):
    library, added, places, _ = zoo
    there = {image.path for image in library.images(limit=10_000)}
    skipped = {bad.path: bad.reason for bad in added.skipped}
    noted = {bad.path: bad.reason for bad in added.noted}
    shown = {path: os.fsencode(path).decode("utf-8", "replace") for path in places}
    seen = {}
    for path, odd in places.items():
        is_read, is_skipped = str(path) in there, shown[path] in skipped
        seen[odd.situation] = (NOTED if shown[path] in noted else READ) if is_read else SKIPPED if is_skipped else NOTHING
        assert not (is_read and is_skipped), odd.situation
    assert seen == {odd.situation: odd.right for odd in FILES}
    for reason in {*skipped.values(), *noted.values()}:
        assert_sentence(reason)


def test_every_picture_is_sorted_by_its_colour(zoo):
    library = zoo[0]
    classifier = zero_shot_classifier(library.encoder, ["red", "green", "blue"])
    images, vectors = library.embeddings()
    assert len(images) == sum(odd.right in (READ, NOTED) for odd in FILES)
    answers = decide(classifier, vectors, generic_bank(library.encoder))
    assert {prediction.label for prediction in answers.predictions(classifier.labels)} == {"red", "green", "blue"}


def everything(library):
    return {image.path: sorted(library.labels.of([image.id]).get(image.id, {})) for image in library.images(limit=10_000)}


def test_labels_go_out_and_come_back_unchanged(zoo, tmp_path):
    library, _, _, root = zoo
    names = ["red cat", 'say "hi"', "tench, Tinca tinca", "=SUM(1)", "café", "a; b", "unsure"]
    for number, image in enumerate(library.images(limit=10_000)):
        library.label(image.id, names[number % len(names)])
    before = everything(library)
    answers = library.exchange.answers()
    outs = {
        "l.csv": ("\ufeff" + to_csv(answers), read_csv),
        "l.json": (to_json(answers), read_json),
        "ls.json": (to_label_studio(answers), read_label_studio),
        "coco.json": (to_coco(answers), read_coco),
    }
    assert label_studio_config(names)
    for name, (text, read) in outs.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        with Library(tmp_path / f"home of {name}", FakeEncoder(batch_size=16)) as fresh:
            fresh.add(root / "files")
            found = fresh.exchange.import_labels(read(tmp_path / name))
            assert found.unknown == [], name
            assert everything(fresh) == before, name


def test_class_folders_go_out_and_come_back(zoo, tmp_path):
    library, _, _, root = zoo
    for number, image in enumerate(library.images(limit=10_000)):
        library.labels.move([image.id], ["red cat", "green dog"][number % 2], ["red cat", "green dog"])
    answers = library.exchange.answers()
    plan = class_folders(answers, tmp_path / "out", "copy")
    done = drain(iter_carry_out(plan, tmp_path / "undo.json", library.exchange.moved))
    assert done.failed == []
    rows = read_folders(tmp_path / "out", library.labels.counts())
    assert len(rows) == len(plan.changes)
    with Library(tmp_path / "home", FakeEncoder(batch_size=16)) as fresh:
        fresh.add(root / "files")
        found = fresh.exchange.import_labels(rows)
        assert found.unknown == []
        assert found.pictures == len({answer.image.picture for answer in answers})


# data sets


@pytest.mark.parametrize("odd", SETS, ids=[odd.situation for odd in SETS])
def test_every_set_has_its_classes(odd, tmp_path):
    source = odd.make(tmp_path / "set")
    skipped: Counter[str] = Counter()
    assert Counter(pair.name for pair in read_pairs(source, skipped)) == odd.right
    assert Counter(pair.name for pair in read_pairs(source, None, "learn")) == (odd.learned or odd.right)
    assert Counter(pair.name for pair in read_pairs(source, skipped, "measure")) == (odd.measured or odd.right)
    if odd.learned:
        assert odd.learned == odd.right or any("part" in reason or "parts" in reason for reason in skipped)
    for reason in skipped:
        assert reason


FOLDERS = [odd for odd in SETS if odd.situation.startswith(("class folders", "train", "zipped", "WordNet", "numbers"))]
TABLES = [odd for odd in SETS if odd.situation.startswith(("table", "columns", "ids", "a column", "Label Studio"))]


@pytest.mark.parametrize("odd", [*FOLDERS, *TABLES], ids=lambda odd: odd.situation)
def test_the_labels_of_a_set_come_into_a_library(odd, tmp_path):
    source = odd.make(tmp_path / "set")
    with Library(tmp_path / "home", FakeEncoder()) as library:
        pictures = tmp_path / "set"
        if source.suffix == ".zip":
            shutil.unpack_archive(source, tmp_path / "set" / "unpacked")
        library.add(pictures)
        rows = read_folders(source) if odd in FOLDERS else read_csv(source)
        found = library.exchange.import_labels(rows)
        assert found.unknown == []
        assert set(found.labels) == set(odd.right)


@pytest.mark.parametrize(
    "odd", SETS[:4:3] + [odd for odd in SETS if "Kaggle" in odd.situation], ids=lambda odd: odd.situation
)
def test_a_set_teaches_and_measures(odd, tmp_path):
    source, encoder = odd.make(tmp_path / "set"), FakeEncoder()
    learned = drain(iter_embed_set(encoder, read_pairs(source, None, "learn")))
    examples, _ = learned.examples(encoder.space)
    start = zero_shot_classifier(encoder, sorted(odd.right))
    lesson = give_lesson(examples, start, few_shot)
    measured = drain(iter_embed_set(encoder, read_pairs(source, None, "measure")))
    truth, where = measured.examples(encoder.space)
    report = summarise(judge(lesson.kept, truth, where))
    assert report.n == sum((odd.measured or odd.right).values())
    assert report.top1 == 1
