"""The sections Prompts, Robustness and Captions without a browser: their jobs, and what is drawn of them."""

import pytest
from fastapi.testclient import TestClient

from clipcore import BadInput
from storage import Library
from tests.fakes import FakeEncoder, photo
from ui.measuring import captions, prompts, robustness
from ui.server import create_app
from ui.studio import Studio

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Two red and two green pictures, labelled."""
    folder = tmp_path_factory.mktemp("bench")
    for index, colour in enumerate(("red", "red", "green", "green")):
        photo(folder / "photos" / f"{index}{colour}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        for image in library.images():
            library.label(image.id, image.name[1:-4])
        studio = Studio(library, lambda: encoder, "fake")
        with TestClient(create_app(studio), base_url="http://127.0.0.1:7860"):
            yield studio


def done(studio, kind, payload):
    job = studio.jobs.wait(studio.jobs.submit(kind, payload))
    assert job.state == "done", job.error
    return job.result


def test_prompts_with_the_librarys_labels(studio):
    asked = prompts.payload(studio, "labels", "", "", "a tiny {label}", f"red: {HOSTILE}", False)
    result = done(studio, "prompts", asked)
    arms = {arm["name"]: arm for arm in result["arms"]}
    assert {"bare", "imagenet80", "your own", "descriptions", "random words"} <= arms.keys()
    assert arms["your own"]["accuracy"] == 1.0
    drawn = prompts.drawn(result)
    assert "100.0 % (51.0 to 100.0)" in drawn
    assert prompts.bench.last_result(studio, "prompts", prompts.drawn, "") == drawn  # it is there after a reload


def test_prompts_without_labels(studio):
    result = done(studio, "prompts", prompts.payload(studio, "library", "", "red, green", "", "", True))
    assert (result["labelled"], result["n"]) == (False, 4)
    assert "Accuracy" not in prompts.drawn(result)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("library", "", "", "", "", False), "type at least one"),
        (("path", "", "", "", "", False), "Type where the images are"),
        (("labels", "", "", "no place", "", False), "write {label} where"),
        (("labels", "", "", "", "no colon", False), "has no class"),
    ],
)
def test_mistakes_in_the_fields_are_said(studio, values, says):
    with pytest.raises(BadInput, match=says):
        prompts.payload(studio, *values)


def test_a_description_of_no_class(studio):
    job = studio.jobs.wait(studio.jobs.submit("prompts", {"set": "labels", "own": "", "told": "pink: rosy"}))
    assert job.state == "failed"
    assert "“pink”, which is no class" in (job.error or "")


def test_robustness_of_the_librarys_labels(studio):
    asked = {"set": "labels", "classifier": "names", "pack": "bare", "limit": 3}
    result = done(studio, "robustness", asked)
    assert (result["n"], result["labelled"], result["accuracy"]) == (3, 3, 1.0)
    drawn = robustness.drawn(result)
    assert drawn.count("<tr>") == 1 + 11
    assert "Clean pictures: 100.0 % of 3 right" in drawn


def test_captions(studio, tmp_path):
    files = studio.keep([str(photo(tmp_path / "red.png", "red"))])
    result = done(studio, "captions", {"files": files, "captions": ["a red thing", "a green thing", HOSTILE]})
    assert result["best"] == ["a red thing"]
    drawn = captions.drawn(result)
    assert HOSTILE not in drawn
    assert "&lt;img src=x" in drawn
    assert drawn.count("<strong>") == 1
