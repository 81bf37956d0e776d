"""The Measure tab without a browser: jobs that measure, the routes behind the figures, plots and files."""

import io
import json
import re
import tarfile
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from clipcore import Classifier, NotFound, SaysoError, zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.maps import unpacked
from ui.measure.fields import classifiers
from ui.measure.jobs import keep_comparison
from ui.measure.models import payload as models_payload
from ui.measure.pictures import SetPictures
from ui.measure.sets import checked_path
from ui.server import create_app
from ui.studio import Studio

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Six pictures in the library; one red picture is labelled green, so that zero-shot gets five of six."""
    folder = tmp_path_factory.mktemp("measured")
    colours = ("red", "red", "red", "green", "green", "blue")
    for index, colour in enumerate(colours):
        photo(folder / "photos" / f"{index}{colour}.png", colour, (30 + index, 20))
        photo(folder / "set" / colour / f"{index}.png", colour, (40 + index, 20))
    photo(folder / "set" / HOSTILE.replace("/", "") / "x.png", "blue", (50, 20))
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        for image in library.images():
            library.label(image.id, "green" if image.name == "0red.png" else image.name[1:-4])
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
        yield client


def measured(studio: Studio, kind: str = "measure", **payload: object) -> int:
    job = studio.jobs.wait(studio.jobs.submit(kind, payload))
    assert job.state == "done", job.error
    return job.result["report"]


@pytest.fixture(scope="module")
def report(studio, client) -> int:
    return measured(studio, classifier="names", set="labels", pack="bare")


def test_the_librarys_labels_are_measured(client, report):
    answer = client.get(f"/api/reports/{report}").json()
    assert answer["name"] == "zero-shot with bare names on my labels"
    assert (answer["n"], answer["top1"]) == (6, pytest.approx(5 / 6))
    assert answer["confusion"] == [["blue", "blue", 1], ["green", "green", 2], ["green", "red", 1], ["red", "red", 2]]
    assert [one["name"] for one in answer["plots"]] == ["reliability", "coverage"]
    assert all(one["title"] and one["words"].endswith(".") for one in answer["plots"])
    assert answer["notes"] == []


def test_mistakes_lie_on_the_map_of_the_library(client, studio, report):
    assert client.get(f"/api/reports/{report}").json()["mapped"]
    head, *_ = unpacked(client.get(f"/api/reports/{report}/map"))
    assert (head["made"], head["shown"], head["images"]) == (False, 0, 6)
    studio.jobs.wait(client.post("/api/map", json={}).json()["job"])
    head, ids, _, groups = unpacked(client.get(f"/api/reports/{report}/map"))
    wrong = [int(image_id) for image_id, group in zip(ids, groups, strict=True) if head["groups"][group]["tone"] == "bad"]
    assert [studio.library.image(image_id).name for image_id in wrong] == ["0red.png"]
    head, *_ = unpacked(client.get(f"/api/reports/{report}/map", params={"by": "truth"}))
    assert {group["name"]: group["count"] for group in head["groups"]} == {"red": 2, "green": 3, "blue": 1}


def test_a_cell_leads_to_its_pictures(client, report):
    cell = client.get(f"/api/reports/{report}/images", params={"truth": "green", "guess": "red"}).json()
    assert cell["total"] == 1
    [[image_id, content, name, truth, guess, confidence]] = cell["images"]
    assert (name, truth, guess) == ("0red.png", "green", "red")
    assert 0.9 < confidence <= 1
    assert client.get(f"/thumb/{image_id}/{content}.webp").status_code == 200
    assert client.get(f"/api/reports/{report}/images").json()["images"] == cell["images"]  # the only mistake
    answer = client.get(f"/api/reports/{report}/images", params={"truth": "pink", "guess": "red"})
    assert (answer.status_code, "no class “pink”" in answer.json()["error"]) == (400, True)
    assert client.get("/api/reports/999999").status_code == 404


def test_a_folders_pictures_are_shown_though_they_are_not_the_librarys(studio, client, tmp_path):
    path = studio.library.home.parent / "set"
    report = measured(studio, classifier="names", set="path", path=str(path), pack="bare")
    answer = client.get(f"/api/reports/{report}").json()
    assert answer["n"] == 7
    [image] = client.get(f"/api/reports/{report}/images").json()["images"]
    row, content, name = image[:3]
    assert (content, name) == ("set", f"set/{HOSTILE}/x.png")
    small = client.get(f"/api/reports/{report}/pictures/{row}/thumb.webp")
    assert Image.open(io.BytesIO(small.content)).size == (50, 20)
    assert client.get(f"/api/reports/{report}/pictures/{row}/preview.webp").status_code == 200
    for wrong in (f"{row}/huge", "999/thumb", "-1/thumb"):
        assert client.get(f"/api/reports/{report}/pictures/{wrong}.webp").status_code == 404


def test_a_shards_pictures_are_shown_until_they_change(studio, client, tmp_path):
    shard = tmp_path / "few.tar"
    write_shard(shard, {"a": ("red", "red"), "b": ("green", "red"), "c": ("green", "green")})
    report = measured(studio, classifier="names", set="path", path=str(shard), pack="bare")
    [image] = client.get(f"/api/reports/{report}/images").json()["images"]
    assert image == [1, "set", "few/b", "red", "green", image[5]]
    page = client.get(f"/api/reports/{report}/report.html").text
    assert page.count("data:image/webp;base64,") == 1
    write_shard(shard, {"a": ("red", "red"), "b": ("blue", "red")})
    record = studio.library.reports.get(report)
    assert SetPictures().prepare(record.report["source"], ["few/b"], [record.report["judged"]["keys"][1]]) == {}
    shard.unlink()
    with pytest.raises(NotFound, match="moved or has changed"):
        SetPictures().get(record, 1, "thumb")


def write_shard(path, samples):
    """A shard of pictures of one colour: name -> (colour, label)."""
    with tarfile.open(path, "w") as tar:
        for name, (colour, label) in samples.items():
            file = io.BytesIO()
            Image.new("RGB", (30, 20), {"green": (0, 255, 0)}.get(colour, colour)).save(file, "PNG")
            for ending, data in (("png", file.getvalue()), ("json", json.dumps({"label": label}).encode())):
                member = tarfile.TarInfo(f"{name}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def test_a_saved_classifier_says_what_it_left_out_and_what_it_was_taught(studio, client):
    encoder = studio.encoder()
    plain = zero_shot_classifier(encoder, ["red", "green"], "bare")
    taught = Classifier(plain.labels, plain.weight, plain.bias, plain.scale, plain.space, kind="few-shot")
    studio.library.save(taught, "two")
    assert ("two · 2 classes · few-shot", "saved:two") in classifiers(studio)
    answer = client.get(f"/api/reports/{measured(studio, classifier='saved:two', set='labels')}").json()
    assert answer["n"] == 5
    assert answer["notes"][0] == "1 image left out: two has no class “blue”."
    assert answer["notes"][1].startswith("Of these 5 images 5 were taught")


def test_a_comparison_outlives_its_reports(studio, client):
    encoder = studio.encoder()
    plain = zero_shot_classifier(encoder, ["red", "green", "blue"], "bare")
    order = [1, 0, 2]
    swapped = Classifier(plain.labels, plain.weight[order], plain.bias, plain.scale, plain.space)
    studio.library.save(plain, "plain")
    studio.library.save(swapped, "swapped")
    first, second = (measured(studio, classifier=f"saved:{name}", set="labels") for name in ("plain", "swapped"))
    record = keep_comparison(studio, first, second)
    for gone in (first, second):
        studio.library.reports.delete(gone)
    answer = client.get(f"/api/reports/{record.id}").json()
    assert (answer["lost"], answer["gained"], answer["moved"]) == (4, 1, 0)
    assert answer["difference"] == pytest.approx(-3 / 6)
    lost = client.get(f"/api/reports/{record.id}/images", params={"change": "lost"}).json()
    assert sorted(image[2] for image in lost["images"]) == ["1red.png", "2red.png", "3green.png", "4green.png"]
    assert all(image[0] for image in lost["images"])
    page = client.get(f"/api/reports/{record.id}/report.html").text
    assert "Right before, wrong now: 4" in page
    taught = Classifier(plain.labels, plain.weight, plain.bias, plain.scale, plain.space, kind="few-shot")
    studio.library.save(taught, "knows")
    pair = [measured(studio, classifier=f"saved:{name}", set="labels") for name in ("plain", "knows")]
    answer = client.get(f"/api/reports/{keep_comparison(studio, *pair).id}").json()
    assert answer["notes"] == [
        "knows on my labels: Of these 6 images 6 were taught: the accuracy is too good. Measure on images it has not seen."
    ]
    other = measured(studio, classifier="names", set="path", path=str(studio.library.home.parent / "set"))
    with pytest.raises(SaysoError, match="not measured on the same images"):
        keep_comparison(studio, other, measured(studio, classifier="names", set="labels"))


def test_models_side_by_side(studio, client, monkeypatch):
    from clipcore import UnknownModel

    def load(name: str) -> FakeEncoder:
        if name == "gone":
            raise UnknownModel("There is no model named gone.")
        encoder = FakeEncoder(name)
        encoder.cost = lambda: ({"small": 1.0, "large": 100.0}[name], 5.0)
        return encoder

    monkeypatch.setattr("clipcore.models.load", load)
    path = studio.library.home.parent / "set"
    report = measured(studio, "measure-models", **models_payload(["small"], " large \n\ngone", str(path), "bare"))
    answer = client.get(f"/api/reports/{report}").json()
    assert [row["name"] for row in answer["rows"]] == ["small", "large"]
    assert [row["gflops"] for row in answer["rows"]] == [1, 100]
    assert answer["rows"][0]["accuracy"] == pytest.approx(6 / 7)
    assert answer["rows"][0]["per_second"] > 0
    assert answer["notes"] == ["There is no model named gone."]
    assert "operations an image, bn" in client.get(f"/api/reports/{report}/report.html").text
    names = [record.name for record in studio.library.reports.all("accuracy")][:2]
    assert names == ["large on set", "small on set"]  # two models can be compared, too


class Resources(HTMLParser):
    """Collects whatever a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "img" and dict(attrs)["src"].startswith("data:image/webp;base64,"):
            return  # it is in the page itself
        self.found += [tag] if tag in ("script", "link", "iframe", "img", "object") else []
        self.found += [str(value) for name, value in attrs if name in ("src", "srcset") or name.startswith("on")]
        self.found += [str(v) for n, v in attrs if n in ("href", "xlink:href") and not str(v).startswith("#")]


def test_the_html_report_stands_alone(studio, client):
    path = studio.library.home.parent / "set"
    report = measured(studio, classifier="names", set="path", path=str(path), pack="bare")
    answer = client.get(f"/api/reports/{report}/report.html")
    assert "attachment" in answer.headers["content-disposition"]
    page = Resources()
    page.feed(answer.text)
    assert page.found == []
    assert not re.search(r"url\((?!#)|@import", answer.text)
    assert HOSTILE not in answer.text
    assert answer.text.count("<svg") == 2
    assert "85.7 %" in answer.text  # 6 of 7


@pytest.mark.parametrize("plot", ["reliability", "coverage"])
def test_plots_read_in_the_dark(client, report, plot):
    svg = client.get(f"/api/reports/{report}/plots/{plot}.svg").text
    tree = ElementTree.fromstring(svg)
    assert tree.get("aria-label")
    styles = [node.get("style", "") for node in tree.iter()]
    painted = {value for style in styles for value in re.findall(r"(?:fill|stroke): ([^;]+)", style)}
    named = {value for value in painted if value == "none" or value == "currentColor" or value.startswith("var(--plot-")}
    assert painted == named  # no colour that a page could not change
    assert any(node.tag.endswith("text") and "%" in "".join(node.itertext()) for node in tree.iter())  # text stays text
    alone = client.get(f"/api/reports/{report}/plots/{plot}.svg?alone=true").text
    assert "prefers-color-scheme: dark" in alone
    assert client.get(f"/api/reports/{report}/plots/{plot}.png").content.startswith(b"\x89PNG")
    assert client.get(f"/api/reports/{report}/plots/nothing.svg").status_code == 404


def test_json_keeps_everything(client, report):
    kept = client.get(f"/api/reports/{report}/report.json").json()
    assert np.mean(np.array(kept["judged"]["rank"]) == 0) == pytest.approx(kept["top1"])
    assert len(kept["judged"]["keys"]) == 6


def test_mistakes_name_the_remedy(studio, tmp_path):
    with pytest.raises(SaysoError, match="where the images are: class folders"):
        checked_path("  ")
    with pytest.raises(SaysoError, match="does not exist"):
        checked_path(str(tmp_path / "nowhere"))
    with pytest.raises(SaysoError, match="holds no class folders"):
        checked_path(str(tmp_path))
    with pytest.raises(SaysoError, match="at least one model"):
        models_payload([], " \n", "x", "bare")
    job = studio.jobs.wait(studio.jobs.submit("measure", {"classifier": "saved:nothing", "set": "labels"}))
    assert (job.state, "No classifier is called" in (job.error or "")) == ("failed", True)
