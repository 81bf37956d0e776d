"""The fine-tuning job: from the library's labels to a model in the list, and on again after a stop."""

import json
import re
from types import SimpleNamespace

import gradio as gr
import pytest

import clipcore
from clipcore.models import is_here
from storage import Library
from tests.support.fakes import photo
from ui.models import jobs, training_folders
from ui.models.training_requests import finetune_payload
from ui.models.training_tab import Parts, _choose, _end, _look, _open, _slide
from ui.models.training_view import training_html
from ui.studio import Studio

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


DAYS = {"red": "sunday", "blue": "monday"}  # the starter would have it the other way round


@pytest.fixture
def studio(tmp_path, request):
    names = getattr(request, "param", DAYS)
    encoder = clipcore.load("starter", "cpu", "fp32")
    with Library(tmp_path / "home", encoder) as library:
        for index in range(30):
            colour = ("red", "blue")[index % 2]
            photo(tmp_path / "photos" / f"{colour} {index}.png", colour, (64 + index, 48))
        library.add(tmp_path / "photos")
        for image in library.images():
            library.label(image.id, names[image.name.split()[0]])
        studio = Studio(library, lambda: encoder, "starter")
        jobs.register(studio)
        yield studio


def run_files(studio):
    return list((studio.library.home / "models").glob("*"))


def test_from_labels_to_a_model(studio):
    asked = ("My labels in the library", "", "starter", "head", 3, "bare", "")
    with pytest.raises(clipcore.BadInput, match="at most 1"):
        finetune_payload(studio, "two colours", *asked, "1.5")
    with pytest.raises(clipcore.BadInput, match="must be a number such as"):
        finetune_payload(studio, "two colours", *asked, "low")
    assert finetune_payload(studio, "two colours", *asked)["rate"] is None
    payload = finetune_payload(studio, " two colours ", *asked, " 2e-4", 0.4)
    assert payload["name"] == "two colours"
    told = clipcore.drain(jobs._estimate(studio, {"of": "finetune", **payload}))
    assert re.match(r"About .+ at most: .+ for each of 3 epochs over \d+ images", told["sentence"])
    assert not run_files(studio)
    # stopped after the first epoch, as a restart of the program does, then done again with the same payload
    steps = jobs._finetune(studio, payload)
    while next(steps).metrics.get("lr") is None:
        pass
    steps.close()
    run = training_folders.training(studio, "two colours")
    assert len(run.log()) == 1
    assert run.model is None
    done = clipcore.drain(jobs._finetune(studio, payload))
    said = "“two colours” is ready. Only the classifier learned; the model itself is unchanged. Only "
    assert done["sentence"].startswith(said)
    assert len(run.log()) == 3
    plan = json.loads((run.folder / "tune.json").read_text())["plan"]
    assert (plan["tuning"]["learning_rate"], plan["held_out"], plan["prompts"]["name"]) == (2e-4, 0.4, "bare")
    assert max(row["lr"] for row in run.log()) <= 2e-4
    assert sorted(run.sweep) == pytest.approx([i / 10 for i in range(11)])
    assert run.alpha == 1.0  # all of a head that learned alone
    assert run.model is None  # a copy of the starter under another name would say nothing new
    html = training_html(run, 0.5)
    assert html.count("<figure") == 3
    assert html.count('scope="row"') == 11
    assert studio.library.classifier("two colours (fine-tuned)").labels == ("monday", "sunday")
    clipcore.drain(jobs._mix(studio, {"name": "two colours", "alpha": 0.9}))
    assert run.alpha == 0.9
    taught = studio.library.classifier("two colours (fine-tuned)")
    assert taught.space.key == studio.library.encoder.space.key
    images = studio.library.images()
    answers = taught.predict(studio.library.encoder.embed_images([image.path for image in images]))
    assert [answer.label for answer in answers] == [DAYS[image.name.split()[0]] for image in images]
    # what is drawn is where the slider stands; the slider moves only when another training is ready
    at = Parts()
    for name in Parts.__annotations__:
        setattr(at, name, name)
    ended = SimpleNamespace(id=1, kind="finetune", result=done)
    for answer, marked in (
        (_choose(studio, at, "two colours"), 0.9),
        (_choose(studio, at, "two colours", 0.7, "another"), 0.9),
        (_open(studio, at, None, 0.5, ""), 0.9),
        (_open(studio, at, "two colours", 0.7, "two colours"), 0.7),
        (_end(studio, at, ended, True, 0.7, "two colours"), 0.7),
        (_look(studio, at, "two colours", 0.7, "two colours", ""), 0.7),
    ):
        assert answer["ready"] == "two colours"
        assert answer["view"] == training_html(run, marked)
    assert _look(studio, at, "two colours", 0.5, "", answer["drawn"]) == {"drawn": gr.skip()}
    assert 'data-act="delete"' not in answer["rows"]  # it is over; what came of it stays
    slider, button, on_slider = _slide(studio, "two colours", "")
    assert (slider.value, slider.visible, button.visible, on_slider) == (0.9, True, True, "two colours")
    (run.folder / "tune.json").rename(run.folder / "kept.json")  # as before its end
    assert _look(studio, at, "two colours", 0.5, "", "")["ready"] == ""
    assert not _slide(studio, "", "two colours")[0].visible
    assert _slide(studio, "two colours", "two colours") == gr.skip()  # it may be in somebody's hand
    (run.folder / "kept.json").rename(run.folder / "tune.json")
    with pytest.raises(clipcore.BadInput, match="already"):
        finetune_payload(studio, "two colours", *asked)
    training_folders.delete_training(studio, "two colours")
    assert not run.folder.exists()
    assert training_folders.trainings(studio) == []


@pytest.mark.parametrize("studio", [{"red": "red", "blue": "sky"}], indirect=True)
def test_where_nothing_is_better_it_is_said_and_no_classifier_is_saved(studio):
    asked = ("My labels in the library", "", "starter", "head", 3, "bare", "", "2e-4", 0.4)
    done = clipcore.drain(jobs._finetune(studio, finetune_payload(studio, "red or blue", *asked)))
    assert done["sentence"].startswith("Nothing was better than what you had; the model is unchanged. Only ")
    run = training_folders.training(studio, "red or blue")
    assert "red or blue (fine-tuned)" not in [record.name for record in studio.library.classifiers.all()]
    assert (run.model, run.mixable) == (None, False)
    assert done["sentence"] in training_html(run, 0.5)
    with pytest.raises(clipcore.BadInput, match="nothing to mix"):
        clipcore.drain(jobs._mix(studio, {"name": "red or blue", "alpha": 1.0}))
