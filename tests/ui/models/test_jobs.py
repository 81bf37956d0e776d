"""Changing the model of a library: the old one stays until the new one is ready, and classifiers can be made again."""

import re
import threading
import time

import pytest

import clipcore
from clipcore import BadInput, ModelNotHere
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.models import jobs, offer, training_folders
from ui.models.curves import curves_svg
from ui.models.list_view import models_html
from ui.models.training_requests import finetune_payload, pretrain_asked, pretrain_payload
from ui.models.training_view import training_html, trainings_html
from ui.studio import Studio, remembered_model


@pytest.fixture
def studio(tmp_path, photos):
    others = {"other": FakeEncoder("other")}

    def load(name):
        if name not in others:
            raise ModelNotHere(f"The weights of {name} are not on this computer; fetch them.")
        return others[name]

    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        studio = Studio(library, lambda: encoder, "fake", load)
        jobs.register(studio)
        studio.start()
        yield studio
        studio.stop()


def finish(studio, kind):
    """The last job of this kind, when it is over."""
    job = next(job for job in studio.jobs.recent() if job.kind == kind)
    return studio.jobs.wait(job.id, 20)


def test_switching(studio):
    library, old = studio.library, studio.encoder()
    done = studio.jobs.wait(studio.switch("other"), 20)
    assert done.state == "done", done.error
    assert done.result["missing"] == 4
    assert studio.model == "other"
    assert library.encoder.name == "other"
    assert finish(studio, "embed").result == {"missing": 0, "problems": []}
    assert library.encoder.embedded == 4
    assert remembered_model(library.home) == "other"
    # the old vectors are there still: going back embeds nothing
    studio.load_other = lambda name: old
    before = old.embedded
    assert studio.jobs.wait(studio.switch("fake"), 20).result["missing"] == 0
    assert old.embedded == before


def test_status_counts_the_vectors_that_are_missing(studio):
    assert studio.encoder().name == "fake"  # waits until it is loaded
    assert studio.status() == "fake · CPU · 4 images"
    studio.library.encoder = FakeEncoder("third")
    assert studio.status() == "third · CPU · 4 images · this model has read 0"


def test_a_model_that_does_not_load_changes_nothing(studio):
    job = studio.jobs.wait(studio.switch("nowhere"), 20)
    assert (job.state, job.error) == ("failed", "The weights of nowhere are not on this computer. Fetch them.")
    assert studio.model == "fake"
    assert studio.encoder().name == "fake"
    assert remembered_model(studio.library.home) is None


def test_a_damaged_memory_of_the_choice_is_none(tmp_path):
    for text in ("", "{", "[]", "{}"):
        (tmp_path / "model.json").write_text(text)
        assert remembered_model(tmp_path) is None


def test_the_old_model_answers_while_the_new_one_loads(studio):
    loading, go_on = threading.Event(), threading.Event()

    def slow(name):
        loading.set()
        assert go_on.wait(20)
        return FakeEncoder("other")

    studio.load_other = slow
    job = studio.switch("other")
    assert loading.wait(20)
    assert studio.encoder().name == "fake"
    assert studio.library.search("red", k=1)[0].image.name in ("a.png", "b.jpg")
    go_on.set()
    assert studio.jobs.wait(job, 20).state == "done"
    assert studio.encoder().name == "other"


def test_rebuilding_a_classifier(studio):
    library = studio.library
    library.save(clipcore.zero_shot_classifier(studio.encoder(), ["red", "green"]), "colours")
    assert jobs.foreign(studio) == []
    studio.jobs.wait(studio.switch("other"), 20)
    finish(studio, "embed")
    (record,) = jobs.foreign(studio)
    assert (record.name, record.space_name) == ("colours", "fake")
    with pytest.raises(clipcore.SpaceMismatch):
        library.classify(library.classifier("colours"))
    made = jobs.rebuild(studio, "colours")
    assert (made.version, made.space_name, made.labels) == (2, "other", ("red", "green"))
    images, found = library.classify(library.classifier("colours"))
    assert {image.name: p.label for image, p in zip(images, found, strict=True)}["c.png"] == "green"
    assert jobs.foreign(studio) == []


def test_mistakes_are_said_before_a_job_begins(studio, tmp_path):
    with pytest.raises(BadInput, match="labelled images of two classes"):
        finetune_payload(studio, "x", "My labels in the library", "", "starter", "image", 3, "seven", "")
    with pytest.raises(BadInput, match="where the images are"):
        pretrain_payload(studio, "x", " ", "small", 3)
    with pytest.raises(BadInput, match="does not exist"):
        pretrain_payload(studio, "x", "/no/such/folder", "small", 3)
    with pytest.raises(BadInput, match="how many minutes"):
        pretrain_payload(studio, "x", str(tmp_path), "small", 0)
    with pytest.raises(BadInput, match="not on this computer"):
        pretrain_payload(studio, "x", str(tmp_path), "small", 1, "ViT-B-32/laion2b_s34b_b79k")
    for name in ("", "../x", "a/b", ".hidden", "x" * 61):
        with pytest.raises(BadInput, match="name"):
            pretrain_payload(studio, name, str(tmp_path), "small", 1)
    (studio.library.home / "models" / "taken").mkdir(parents=True)
    with pytest.raises(BadInput, match="already"):
        pretrain_payload(studio, "taken", str(tmp_path), "small", 1)


def test_an_estimate_does_not_wait_behind_long_work(studio, tmp_path, monkeypatch):
    """It says that it was timed beside other work."""
    from training.runs import estimate

    asked = []

    def estimated(plan):
        asked.append(plan)
        yield clipcore.Step(0, message="timing the model")
        return estimate.Estimate(10, 60.0, "About 1 min.")

    monkeypatch.setattr(estimate, "iter_estimate_training", estimated)
    go_on = threading.Event()

    def long(payload):
        while not go_on.wait(0.05):
            yield clipcore.Step(0)
        return {}

    studio.jobs.register("an import", long)
    first = studio.jobs.submit("an import", {})
    photo(tmp_path / "pictures" / "red" / "a.png", "red")
    asked_for = pretrain_asked(studio, str(tmp_path / "pictures"), "small", 2)
    payload = {"of": "pretrain", **asked_for}
    try:
        while studio.jobs.get(first).state != "running":
            time.sleep(0.01)
        job = studio.jobs.wait(studio.jobs.submit("estimate", payload), 20)
        assert job.result == {"sentence": "About 1 min. Timed beside other work; alone it is quicker."}
    finally:
        go_on.set()
    assert studio.jobs.wait(first, 20).state == "done"
    alone = studio.jobs.wait(studio.jobs.submit("estimate", payload), 20)
    assert alone.result == {"sentence": "About 1 min."}
    assert {(plan.recipe, plan.minutes, plan.data) for plan in asked} == {("small", 2.0, (str(tmp_path / "pictures"),))}


def test_a_training_that_has_just_begun_has_no_curves(studio):
    run = training_folders.training(studio, "new one")
    assert "has not learned anything yet" in training_html(run, 0.5)
    run.folder.mkdir(parents=True)
    (run.folder / "log.jsonl").write_text('{"step": 5, "loss": 2.5, "held_out": 0.25}\n{"step": 10, "lo')
    html = training_html(run, 0.5)
    assert html.count("<figure") == 2
    assert run.model is None


def test_a_training_tells_how_fast_it_is():
    def steps():
        yield clipcore.Step(0, message="reading")
        for done in (0, 1, 2):
            yield clipcore.Step(done, 4, metrics={"loss": 1.0})
        return "model"

    told = []
    assert clipcore.drain(jobs._timed(steps()), told.append) == "model"
    assert ["per_second" in step.metrics for step in told] == [False, False, True, True]
    assert told[-1].metrics["loss"] == 1.0


def test_a_model_is_trained_further_on_captions(studio, tmp_path):
    found = pretrain_payload(studio, "x", str(tmp_path), "small", 2, "starter")
    assert (found["model"], found["minutes"], found.get("recipe")) == ("starter", 2.0, None)
    assert "model" not in pretrain_payload(studio, "x", str(tmp_path), "small", 2, " ")


def test_curves_are_where_they_belong():
    svg = curves_svg("T <", {"a": [(0, 0.0), (10, 1.0)]}, "steps", share=True, marked=5)
    assert "T &lt;" in svg
    assert 'points="46.0,160.0 408.0,12.0"' in svg
    assert 'class="mark" x1="227.0"' in svg
    assert curves_svg("T", {}, "steps") == ""


def test_trainings_whose_names_differ_behind_a_dot_have_their_own_labels(studio):
    one, two = (training_folders.training(studio, f"pets.v{number}") for number in (1, 2))
    assert one.table != two.table
    library = studio.library
    for image, label in zip(library.images(), ("cat", "cat", "dog", "dog"), strict=True):
        library.label(image.id, label)
    jobs._write_labels(studio, one.table)
    first = one.table.read_text()
    library.labels.move([image.id for image in library.images()][:1], "dog", ["cat", "dog"])
    jobs._write_labels(studio, two.table)
    assert one.table.read_text() == first != two.table.read_text()
    training_folders.delete_training(studio, "pets.v2")
    assert one.table.exists()
    assert not two.table.exists()


def test_the_rows_have_what_can_be_done(studio):
    """Each model its own buttons; those that would do nothing are not there."""
    from clipcore.models import ModelInfo

    made = f"local-dir:{studio.library.home / 'models' / 'birds' / 'model'}"
    infos = [
        ModelInfo("fake", "", 1, None, here=True),
        ModelInfo("other", "", 1, None),
        ModelInfo(made, "", 1, None, here=True),
        ModelInfo("local-dir:/elsewhere/tiny", "", 1, None, here=True),
    ]
    found = models_html(studio, infos)
    assert re.findall(r'data-act="([\w-]+)" data-of="([^"]+)"', found) == [
        ("self-test", "fake"),
        ("speed", "fake"),
        ("get", "other"),
        *[(act, made) for act in ("self-test", "speed", "remove", "use")],
        *[(act, "local-dir:/elsewhere/tiny") for act in ("self-test", "speed", "use")],
    ]
    assert "birds (made here)" in found  # as in the line about the model in use
    assert studio.shown("local-dir:/elsewhere/tiny") == "local-dir:tiny"


def test_trainings_are_rows(studio):
    for name in ("half", "birds"):
        (studio.library.home / "models" / name / "model").mkdir(parents=True)
    (studio.library.home / "models" / "birds" / "model" / "open_clip_model.safetensors").touch()
    runs = sorted(training_folders.trainings(studio), key=lambda run: run.name)
    found = trainings_html(runs, "birds", set())
    assert re.findall(r'data-act="([\w-]+)" data-of="([^"]+)"', found) == [("show", "half"), ("delete", "half")]
    assert 'data-act="delete"' not in trainings_html(runs, "birds", {"half"})  # it is at work


def test_a_real_model_is_offered_until_someone_answers(studio):
    from clipcore.models import CURATED, catalogue

    told = next(info for info in catalogue() if info.name == offer.MODEL)
    assert (CURATED[0], told.megabytes, round(told.imagenet)) == (offer.MODEL, offer.MEGABYTES, offer.RIGHT)
    assert not offer.is_due(studio)  # another model than the starter is in use
    studio.model = "starter"
    assert offer.is_due(studio)
    (studio.library.home / offer.LATER).touch()
    assert not offer.is_due(studio)
