"""The sections Prompts, Robustness and Captions without a browser: their jobs, and what is kept and shown of them."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from clipcore import BadInput
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.measure import captions, prompts, robustness, suite
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
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
        yield client


def kept(studio, kind, payload):
    """The id of the result that a job keeps."""
    job = studio.jobs.wait(studio.jobs.submit(kind, payload))
    assert job.state == "done", job.error
    return job.result["report"]


def shown(studio, client, kind, payload):
    """What the element is told of it; the HTML page and every plot are made once, too."""
    report = kept(studio, kind, payload)
    assert studio.library.reports.all(kind)[0].id == report
    answer = client.get(f"/api/reports/{report}").json()
    if answer["html"]:
        page = client.get(f"/api/reports/{report}/report.html").text
        assert HOSTILE not in page
        assert answer["name"] in page
    for plot in (one["name"] for one in answer["plots"]):
        painted = client.get(f"/api/reports/{report}/plots/{plot}.svg").text
        colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", painted))
        assert all(c in ("none", "currentColor") or c.startswith("var(--plot-") for c in colours), colours
        assert client.get(f"/api/reports/{report}/plots/{plot}.png").content.startswith(b"\x89PNG")
    return answer


def test_prompts_with_the_librarys_labels(studio, client):
    asked = prompts.payload(studio, "labels", "", "", "a tiny {label}", f"red: {HOSTILE}", False)
    result = shown(studio, client, "prompts", asked)
    arms = {arm["name"]: arm for arm in result["arms"]}
    assert {"bare", "imagenet80", "your own", "descriptions", "random words"} <= arms.keys()
    assert arms["your own"]["accuracy"] == 1.0
    assert arms["your own"]["interval"][0] == pytest.approx(0.51, abs=0.01)
    assert ([one["name"] for one in result["plots"]], result["chosen"]) == (["prompts"], None)


def test_images_whose_label_hangs_on_the_wording_are_shown(studio, client):
    asked = prompts.payload(studio, "library", "", "red, crimson", "a green {label}", "", True)
    result = shown(studio, client, "prompts", asked)
    assert (result["labelled"], result["n"]) == (False, 4)
    behind = client.get(f"/api/reports/{result['id']}/images").json()
    assert behind["total"] == round(result["flips"] * 4)
    for image_id, content, name, said in behind["images"]:
        assert client.get(f"/thumb/{image_id}/{content}.webp").status_code == 200
        assert name.endswith(".png")
        assert set(said.split(", ")) == {"red", "crimson"}


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


def test_a_description_of_no_class(studio, client):
    job = studio.jobs.wait(studio.jobs.submit("prompts", {"set": "labels", "own": "", "told": "pink: rosy"}))
    assert job.state == "failed"
    assert "None of the 1 descriptions is of one of these classes" in (job.error or "")


def robust(studio, source="labels", path="", names="", how="spoilt", second="", others=""):
    return robustness.payload(studio, "names", "bare", source, path, names, how, 3, second, others)


def test_robustness_of_the_librarys_labels(studio, client):
    result = shown(studio, client, "robustness", robust(studio))
    assert (result["n"], result["labelled"], result["accuracy"]) == (3, 3, 1.0)
    assert len(result["curves"]) == 11
    assert all(len(curve) == 5 for curve in result["curves"].values())
    assert [one["name"] for one in result["plots"]] == ["robustness"]


def test_robustness_without_labels_is_agreement(studio, client):
    result = shown(studio, client, "robustness", robust(studio, "library", names="red, green"))
    assert (result["labelled"], result["accuracy"]) == (0, None)
    assert "stay the same" in result["sentence"]
    with pytest.raises(BadInput, match="type at least one"):
        robust(studio, "library")


def test_a_natural_shift_and_what_other_models_lead_one_to_expect(studio, client, tmp_path, monkeypatch):
    """Sketches are photos here, but for some that are of the other colour."""
    wrong = {"mine": 1, "weak": 2, "middle": 1}
    for index in range(8):
        for label, other in (("red", "green"), ("green", "red")):
            photo(tmp_path / "photos" / label / f"{index}.png", label if index else other, (20 + index, 20))
            photo(tmp_path / "sketches" / label / f"{index}.png", other if index < 3 else label, (40 + index, 20))

    class Weaker(FakeEncoder):
        def prepare(self, image):
            found = super().prepare(image)
            width = image.size[0] if hasattr(image, "size") else len(image)
            return found[[1, 0, 2, 3]] if width % wrong.get(self.name, 1) else found

    monkeypatch.setattr(studio, "load_other", lambda name: Weaker(name))
    asked = robust(studio, "path", str(tmp_path / "photos"), how="shifted", second=str(tmp_path / "sketches"))
    result = shown(studio, client, "robustness", asked)
    (mine,) = result["models"]
    assert (mine["accuracy"], mine["shifted"]) == (7 / 8, 5 / 8)
    assert result["effective"] is None
    assert "25.0 points less" in result["sentence"]
    asked = {**asked, "models": ["weak", "middle"]}
    result = shown(studio, client, "robustness", asked)
    assert len(result["models"]) == 3
    assert "effective robustness" in result["sentence"]
    for values, says in (
        ({"source": "library", "names": "red, green"}, "choose images that have some"),
        ({"others": "weak"}, "Choose a set on this computer"),
        ({"second": ""}, "Type where the images are"),
    ):
        with pytest.raises(BadInput, match=says):
            robust(studio, **{"how": "shifted", "second": str(tmp_path / "sketches"), **values})


def test_captions(studio, client, tmp_path):
    picture = str(photo(tmp_path / "red.png", "red"))
    asked = captions.payload(studio, "match", [picture], f"a red thing\na green thing\n{HOSTILE}", "", "")
    result = shown(studio, client, "captions", asked)
    assert result["best"] == ["a red thing"]
    assert not result["html"]
    assert client.get(f"/api/reports/{result['id']}/report.html").status_code == 404
    assert client.get(f"/api/reports/{result['id']}/report.json").json()["captions"][2] == HOSTILE


def test_a_file_of_sugarcrepes_kind(studio, client, tmp_path):
    photo(tmp_path / "images" / "0.png", "red")
    items = {"0": {"filename": "0.png", "caption": "a red wall", "negative_caption": "a green wall"}}
    (tmp_path / "swap.json").write_text(json.dumps(items))
    asked = captions.payload(studio, "composition", None, "", str(tmp_path / "swap.json"), str(tmp_path / "images"))
    result = shown(studio, client, "captions", asked)
    assert (result["scores"]["accuracy"]["share"], result["wrong"]) == (1.0, [])
    (tmp_path / "swap.json").write_text("{}}")
    with pytest.raises(BadInput, match="neither JSON nor JSON Lines"):
        captions.payload(studio, "composition", None, "", str(tmp_path / "swap.json"), str(tmp_path / "images"))
    with pytest.raises(BadInput, match="Name the file and the folder"):
        captions.payload(studio, "composition", None, "", "x.json", " ")


def test_recall_on_a_captioned_set(studio, client, tmp_path):
    for colour in ("red", "green", "blue"):
        photo(tmp_path / f"{colour}.png", colour)
    rows = ["image,caption", "red.png,a red wall", "green.png,a green wall", "blue.png,a red door"]
    (tmp_path / "said.csv").write_text("\n".join(rows))
    result = shown(studio, client, "captions", captions.payload(studio, "recall", None, "", str(tmp_path / "said.csv"), ""))
    assert result["text_to_image"]["1"] == pytest.approx(2 / 3)
    assert result["intervals"]["image_to_text"]["1"][1] > 2 / 3
    with pytest.raises(BadInput, match="does not exist"):
        captions.payload(studio, "recall", None, "", str(tmp_path / "nothing.csv"), "")


def test_the_curve_of_labels_is_drawn_and_kept(studio, client, tmp_path):
    for colour in ("red", "green"):
        for index in range(6):
            photo(tmp_path / "set" / colour / f"{index}.png", colour, (30 + index, 20))
    answer = shown(studio, client, "labels", {"set": "path", "path": str(tmp_path / "set"), "pack": "bare"})
    assert answer["zero_shot"] == 1
    assert [row["shots"] for row in answer["rows"]] == [1, 2, 3]
    assert answer["plots"][0]["name"] == "shots"


def test_a_folder_of_sets_is_one_table(studio, client, tmp_path):
    for name in ("eurosat", "mine"):
        for colour in ("red", "green"):
            photo(tmp_path / name / colour / "1.png", colour)
    wanted = suite.payload(str(tmp_path), ["task", "bare"], [studio.model])
    answer = shown(studio, client, "suite", wanted)
    assert [one["called"] for one in answer["sets"]] == ["EuroSAT", ""]
    assert answer["means"] == {"task": 1, "bare": 1}
    for path, packs, models, says in (
        ("", ["task"], ["fake"], "Name the folder"),
        (str(tmp_path), [], ["fake"], "at least one kind"),
        (str(tmp_path), ["x"], ["fake"], "no prompts"),
    ):
        with pytest.raises(BadInput, match=says):
            suite.payload(path, packs, models)
