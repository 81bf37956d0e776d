"""The Bias tab without a browser: the job that loads groups, and what its element asks."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from clipcore import BadInput
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.bias.jobs import checked_payload
from ui.server import create_app
from ui.studio import Studio

HOSTILE = "<img src=x onerror=alert(1)>"
DESIGN = {
    "label_sets": [
        {"name": "people", "labels": "red man, green woman"},
        {"name": "more", "labels": "red, green, blue thief"},
    ],
    "by": ["shape"],
    "categories": {"crime": "blue thief"},
    "bins": {},
    "prompts": "bare",
    "small": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Circles: 3 red, 1 blue. Squares: 2 green, 1 blue. One more that the table does not know."""
    folder = tmp_path_factory.mktemp("bias") / "photos"
    rows = ["file,shape,age"]
    for index, (colour, shape) in enumerate(
        [("red", "circle")] * 3 + [("blue", "circle")] + [("green", "square")] * 2 + [("blue", "square")]
    ):
        photo(folder / shape / f"{index}_0_1_2017.png", colour, (30 + index, 20))
        rows.append(f"{shape}/{index}_0_1_2017.png,{shape},{index * 9}")
    photo(folder / "other.png", "red", (50, 20))
    (folder.parent / "groups.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def studio(folder):
    encoder = FakeEncoder()
    with Library(folder.parent / "home", encoder) as library:
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
        yield client


def loaded(
    studio: Studio, folder: Path, source: str = "table", folder_id: int | None = None, table: str | None = None
) -> str:
    job = studio.jobs.wait(studio.jobs.submit("bias", checked_payload(folder_id, str(folder), source, table)))
    assert job.state == "done", job.error
    return f"/api/bias/{job.result['report']}"


@pytest.fixture
def address(studio, client, folder) -> str:
    return loaded(studio, folder)


def test_groups_from_the_table_beside_the_folder(client, address):
    kept = client.get(address).json()
    assert kept["data"]["n"] == 8
    assert [column["name"] for column in kept["data"]["columns"]] == ["shape", "age"]
    assert kept["data"]["notes"] == ["1 image of the folder is not in groups.csv and left out."]
    assert "tables" not in kept
    assert "study" not in kept
    answer = client.get(f"{address}/report.html")
    assert (answer.status_code, "Nothing is measured yet" in answer.json()["error"]) == (400, True)


def test_a_design_is_measured_and_kept(client, address):
    figures = client.post(f"{address}/measure", json=DESIGN).json()
    people, more = figures["tables"]
    assert [(group["name"], group["n"], group["small"]) for group in people["groups"]] == [
        ("circle", 4, False),
        ("square", 3, False),
    ]
    assert people["counts"] == [[4, 1], [0, 2]]  # blue is as far from red as from green: the first has it
    assert more["rows"][0] == {"name": "crime", "kind": "category", "labels": ["blue thief"]}
    assert more["counts"] == [[1, 1], [3, 0], [0, 2], [1, 1]]
    assert "crime" in figures["notice"]
    kept = client.get(address).json()
    assert kept["tables"] == figures["tables"]
    assert kept["design"]["categories"] == {"crime": ["blue thief"]}
    binned = client.post(f"{address}/measure", json={**DESIGN, "by": ["age"], "bins": {"age": "0, 18"}}).json()
    assert [group["name"] for group in binned["tables"][0]["groups"]] == ["0-17", "18 and over"]


def test_a_cell_and_a_change_lead_to_their_images(client, address):
    design = client.post(f"{address}/measure", json=DESIGN).json()["design"]
    cell = {"label_set": "more", "row": "crime", "kind": "category", "group": "square"}
    found = client.post(f"{address}/images", json=cell).json()
    assert found["total"] == 1
    [[image_id, content, name, words]] = found["images"]
    assert name == "6_0_1_2017.png"
    assert words == "blue thief 99.9 %"  # never 100 for less
    assert client.get(f"/thumb/{image_id}/{content}.webp").status_code == 200
    change = client.post(f"{address}/what-if", json={"label_set": "people", "add": "blue child"}).json()
    assert (change["moved"], change["pairs"]) == (2, [["red man", "blue child", 2]])
    assert {image[3] for image in change["images"]} == {"red man → blue child"}
    assert (
        client.post(f"{address}/what-if", json={"label_set": "people", "add": "blue child", "offset": 2}).json()["images"]
        == []
    )
    # A question is about the design that it carries, whatever is kept by now.
    client.post(f"{address}/measure", json={**DESIGN, "label_sets": DESIGN["label_sets"][1:]})
    assert client.post(f"{address}/what-if", json={"label_set": "people", "add": "x", "design": design}).status_code == 200
    answer = client.post(f"{address}/what-if", json={"label_set": "people", "add": "x"})
    assert (answer.status_code, "no label set “people”" in answer.json()["error"]) == (400, True)


def test_thresholds_and_distractors(client, address):
    client.post(f"{address}/measure", json=DESIGN)
    sweep = client.post(f"{address}/sweep", json={"label_set": "more"}).json()
    assert [len(sweep["share"]), len(sweep["share"][0]), len(sweep["share"][0][0])] == [4, 2, len(sweep["thresholds"])]
    plot = client.post(f"{address}/plot", json={"label_set": "more", "row": "crime", "kind": "category"}).json()
    assert plot["svg"].startswith("<svg")
    found = client.post(f"{address}/stress", json={"label_set": "people", "captions": "a blue thing\n\n"}).json()
    assert (found["captions"], found["taken"], found["by_group"]) == (["a blue thing"], [2], [[0.25, 0.333333]])


def test_reports_stand_alone(client, address):
    hostile = {**DESIGN, "label_sets": [{"name": HOSTILE, "labels": f"red, green {HOSTILE}"}]}
    client.post(f"{address}/measure", json=hostile)
    page = client.get(f"{address}/report.html")
    assert "attachment" in page.headers["content-disposition"]
    assert HOSTILE not in page.text
    assert "What this cannot show" in page.text
    figures = client.get(f"{address}/report.json").json()
    assert figures["design"]["label_sets"][0]["name"] == HOSTILE
    assert figures["sweeps"][0]["label_set"] == HOSTILE
    json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize(
    "design",
    [
        {},
        {**DESIGN, "by": []},
        {**DESIGN, "by": ["height"]},
        {**DESIGN, "label_sets": [{"name": "a", "labels": "one"}]},
        {**DESIGN, "bins": {"age": "young"}},
        {**DESIGN, "reference": "triangle"},
        {**DESIGN, "label_sets": "people"},
        {**DESIGN, "prompts": "none such"},
        {**DESIGN, "categories": {"x": {"y": 1}, "z": 3}},
    ],
)
def test_bad_designs_are_one_sentence_and_keep_the_last(client, address, design):
    before = client.post(f"{address}/measure", json=DESIGN).json()
    answer = client.post(f"{address}/measure", json=design)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert client.get(address).json()["tables"] == before["tables"]


def test_groups_from_names_folders_and_labels(studio, client, folder):
    names = client.get(loaded(studio, folder, "names")).json()
    assert [column["name"] for column in names["data"]["columns"]] == ["age", "gender", "race"]
    library = studio.library
    [own] = [one for one in library.folders() if one.path == str(folder)]
    folders = client.get(loaded(studio, Path(), "folders", own.id)).json()
    assert folders["data"]["columns"][0]["values"] == [["circle", 4], ["square", 3]]
    for image in library.images(own.id)[:3]:
        library.label(image.id, "nice")
    labels = client.get(loaded(studio, Path(), "labels", own.id)).json()
    assert labels["data"]["columns"][0]["values"] == [["nice", 3]]
    assert studio.encoder().embedded == 8  # each picture once, however often its groups are loaded


def test_images_that_are_gone_are_said(studio, client, tmp_path):
    photo(tmp_path / "set" / "a" / "1.png", "red")
    photo(tmp_path / "set" / "b" / "2.png", "green")
    address = loaded(studio, tmp_path / "set", "folders")
    [own] = [one for one in studio.library.folders() if one.path == str(tmp_path / "set")]
    studio.library.remove_folder(own.id)
    answer = client.post(f"{address}/measure", json={**DESIGN, "by": ["folder"]})
    assert (answer.status_code, "2 images of this result are gone" in answer.json()["error"]) == (400, True)
    other = studio.library.reports.save("accuracy", "x", {}, {})
    assert "no bias measurement" in client.get(f"/api/bias/{other.id}").json()["error"]
    assert client.get("/api/bias/99999").status_code == 404


def test_mistakes_are_said_before_a_job_runs(tmp_path, folder):
    empty = tmp_path / "deep" / "empty"
    empty.mkdir(parents=True)
    for arguments, words in (
        ((None, "", "names", None), "Type the folder"),
        ((None, str(tmp_path / "none"), "names", None), "There is no folder"),
        ((None, str(empty), "table", None), "No CSV file lies"),
        ((3, "", "table", None), "Send a CSV file"),
        ((3, "", "faces", None), "kind of groups"),
        ((3, "", "table", str(tmp_path / "none.csv")), "cannot be read"),
    ):
        with pytest.raises(BadInput, match=words):
            checked_payload(*arguments)
