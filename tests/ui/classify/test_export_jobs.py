"""Exports and imports of the page: a plan first, a job that carries it out, another that takes it back."""

import pytest

from clipcore import BadClassifierFile, BadInput, SpaceMismatch, zero_shot_classifier
from clipcore.progress import drain
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.classify import export_jobs
from ui.classify.export_jobs import FOLDERS, XMP, YOLO, Wish
from ui.classify.export_panel import plan_html
from ui.studio import Studio

BOARD = ["red", "green"]


@pytest.fixture
def studio(tmp_path):
    for index in range(6):
        photo(tmp_path / "photos" / f"<b>{index}.png", BOARD[index % 2], (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        studio = Studio(library, lambda: encoder, "fake")
        studio.load_model()
        export_jobs.register(studio)
        yield studio


@pytest.fixture
def run(studio):
    return studio.library.runs.start(zero_shot_classifier(studio.encoder(), BOARD)).id


def work(studio, kind, payload):
    """Run a job's work to its end, as a worker would."""
    return drain(studio.jobs._kinds[kind][1](payload))


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_class_folders_are_shown_made_and_taken_back(studio, run, tmp_path):
    wish = Wish(run, FOLDERS, str(tmp_path / "sorted"), "move")
    before = files(tmp_path / "photos")
    shown = plan_html(export_jobs.plan_of(studio, wish))
    assert "6 files would be made. Nothing has been changed yet." in shown
    assert "<b>0.png" not in shown  # names are escaped
    assert not (tmp_path / "sorted").exists()
    assert work(studio, "export", vars(wish))["sentence"].startswith("6 files made, 0 images left")
    assert len(files(tmp_path / "sorted" / "red")) == 3
    assert files(tmp_path / "photos") == []
    assert "nothing to do" in work(studio, "export", vars(wish))["sentence"]
    assert work(studio, "export-undo", {})["sentence"].startswith("6 changes taken back, 0 could not")
    assert files(tmp_path / "photos") == before
    assert export_jobs.last_export(studio) is None
    with pytest.raises(BadInput, match="no export to take back"):
        work(studio, "export-undo", {})


def test_only_what_a_person_said(studio, run, tmp_path):
    one = studio.library.images()[0]
    studio.library.labels.move([one.id], "green", BOARD)
    plan = export_jobs.plan_of(studio, Wish(run, XMP, naming="both", mine=True))
    assert [change.target for change in plan.changes] == [f"{one.path}.xmp", one.path.replace(".png", ".xmp")]


def test_wishes_that_cannot_be_met(studio, run, tmp_path):
    (tmp_path / "file").write_text("")
    for wish, sentence in (
        (Wish("", FOLDERS, "/x"), "classify some images first"),
        (Wish(run, FOLDERS, " "), "Type the folder"),
        (Wish(run, FOLDERS, "here"), "whole path"),
        (Wish(run, FOLDERS, str(tmp_path / "file")), "is a file, not a folder"),
        (Wish(run, YOLO, "/x", "move"), "cannot be moved"),
    ):
        with pytest.raises(BadInput, match=sentence):
            export_jobs.plan_of(studio, wish)


def test_a_classifier_comes_in_or_one_like_it_is_made(studio, tmp_path):
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    zero_shot_classifier(studio.encoder(), BOARD).save(ours)
    zero_shot_classifier(FakeEncoder("other"), BOARD).save(theirs)
    assert export_jobs.bring_classifier(studio, str(ours), "ours").version == 1
    with pytest.raises(SpaceMismatch, match=r"other.*fake|fake.*other"):
        export_jobs.bring_classifier(studio, str(theirs), "theirs")
    assert export_jobs.rebuild_classifier(studio, str(theirs), "theirs").space_name == "fake"
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadClassifierFile):
        export_jobs.bring_classifier(studio, str(tmp_path / "bad.safetensors"), "bad")


def test_labels_come_in_as_a_table_or_json(studio, run, tmp_path):
    from storage.export import to_coco, to_csv, to_label_studio

    library = studio.library
    library.labels.move([image.id for image in library.images()], "red", BOARD)
    answers = library.exchange.run_answers(run)
    for name, text in (
        ("labels.csv", to_csv(answers)),
        ("coco.json", to_coco(answers, BOARD)),
        ("label-studio.json", to_label_studio(answers)),
    ):
        (tmp_path / name).write_text(text)
        library.labels.move([image.id for image in library.images()], None, BOARD)
        assert library.labels.counts() == {}
        assert export_jobs.bring_labels(studio, str(tmp_path / name)).changed == 6
        assert library.labels.counts() == {"red": 6}


def test_a_job_that_moves_goes_on_by_itself_and_without_a_model(studio, run, tmp_path):
    payload = export_jobs.export_payload(studio, Wish(run, FOLDERS, str(tmp_path / "sorted"), "move"))
    steps = studio.jobs._kinds["export"][1](payload)
    for _ in range(4):
        next(steps)
    steps.close()  # the server stops
    assert 0 < len(files(tmp_path / "sorted")) < 6
    with Library(studio.library.home) as library:  # and starts again, its model still loading
        later = Studio(library, lambda: None, "fake")
        export_jobs.register(later)
        found = work(later, "export", payload)
        assert found == {"sentence": "6 files made, 0 images left as they are.", "failed": []}
        assert len(files(tmp_path / "sorted")) == 6
        assert all("sorted" in image.path for image in library.images())
        assert work(later, "export-undo", {})["sentence"].startswith("6 changes taken back")  # all of it, at once


def test_an_export_waits_for_its_model_only_if_it_needs_one(studio, run, tmp_path):
    studio.library.labels.move([1], "red", BOARD)
    with Library(studio.library.home) as library:
        later = Studio(library, FakeEncoder, "fake")  # not loaded yet
        export_jobs.register(later)
        mine = Wish(run, FOLDERS, str(tmp_path / "mine"), mine=True)
        assert work(later, "export", export_jobs.export_payload(later, mine))["sentence"].startswith("1 files made")
        steps = later.jobs._kinds["export"][1](export_jobs.export_payload(later, Wish(run, FOLDERS, str(tmp_path / "all"))))
        assert "Loading the model" in next(steps).message
        later.load_model()
        assert "looking" in next(steps).message
