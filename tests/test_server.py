"""The server's guards and routes, without a browser: hosts, origins, password, ids instead of paths."""

import pytest
from fastapi.testclient import TestClient

from clipcore import BadInput, zero_shot_classifier
from storage import Library, SkippedRecord
from tests.fakes import FakeEncoder, photo
from ui.server import create_app
from ui.studio import Studio

HERE = {"Host": "127.0.0.1:7860"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(folder / "photos" / f"{colour}{index}.png", colour, (30 + index, 20))
    (folder / "photos" / f"{HOSTILE.replace('/', '')}.png").write_text("no picture")
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(create_app(studio), base_url="http://127.0.0.1:7860") as client:
        yield client


@pytest.fixture(scope="module")
def run(studio, client):
    classifier = zero_shot_classifier(studio.encoder(), ["red", "green", HOSTILE])
    return studio.library.start_run(classifier, skipped=[SkippedRecord("a.jpg", "It is damaged.")]).id


def test_the_page_is_served_with_guards(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "Sayso" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["/", "/config", "/api/images", "/thumb/1/00.webp"])
def test_another_host_name_is_refused(client, path):
    """DNS rebinding: a site that points its own name at 127.0.0.1."""
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}, True),
        ({}, True),
    ],
)
def test_only_our_own_page_may_post(client, headers, allowed):
    answer = client.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}, headers=headers)
    assert (answer.status_code != 403) == allowed


def test_an_open_address_needs_a_password(studio):
    with pytest.raises(BadInput, match="SAYSO_PASSWORD"):
        create_app(studio, "0.0.0.0")


def test_the_password_covers_every_route(studio):
    client = TestClient(create_app(studio, "127.0.0.1", "sesame"), base_url="http://127.0.0.1:7860")
    paths = ("/", "/config", "/api/images", "/thumb/1/00.webp", "/elements/board.js", "/theme.css")
    assert {client.get(path).status_code for path in paths} == {401}
    assert client.get("/api/images", auth=("anyone", "wrong")).status_code == 401
    assert client.get("/api/images", auth=("anyone", "sesame")).status_code == 200


def test_board_of_a_run(client, run):
    answer = client.get(f"/api/runs/{run}").json()
    assert answer["labels"] == ["red", "green", HOSTILE]
    assert len(answer["images"]) == 4
    by_name = {name: top for _, _, name, top in answer["images"]}
    assert by_name["red0.png"][0][0] == 0
    assert by_name["green2.png"][0][0] == 1
    assert answer["skipped"] == [["a.jpg", "It is damaged."]]


def test_downloads_of_a_run(client, run):
    table = client.get(f"/api/runs/{run}/labels.csv")
    assert table.headers["content-disposition"].startswith("attachment")
    assert len(table.text.splitlines()) == 5
    assert len(client.get(f"/api/runs/{run}/labels.json").json()["images"]) == 4


def test_thumbnails_go_by_id_and_content(client):
    image_id, content, _, _ = client.get("/api/images").json()["images"][0]
    answer = client.get(f"/thumb/{image_id}/{content}.webp")
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    assert client.get(f"/thumb/{image_id}/ffff.webp").status_code == 404
    assert client.get("/thumb/9999/00.webp").status_code == 404
    assert client.get("/thumb/..%2F..%2Fetc/passwd.webp").status_code in (404, 422)


def test_search_and_similar(client):
    answer = client.get("/api/search", params={"q": "a red thing"}).json()
    assert [name for _, _, name, _ in answer["images"]][:2] in (["red0.png", "red1.png"], ["red1.png", "red0.png"])
    image_id = answer["images"][0][0]
    alike = client.get("/api/similar", params={"image": image_id}).json()
    assert alike["images"][0][2].startswith("red")


def test_unknown_ids_are_one_sentence(client):
    for path in ("/api/runs/nothing", "/api/similar?image=12345"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"].endswith((".", "again"))


def test_a_job_of_the_page_runs_to_its_end(studio, client):
    payload = {"labels": ["red", "blue"], "prompts": {"name": "bare", "templates": ["{label}"]}}
    job = studio.jobs.wait(studio.jobs.submit("classify", payload), 10)
    assert job.state == "done", job.error
    images, predictions = studio.library.run_predictions(job.result["run"])
    assert {image.name[:3]: prediction.label for image, prediction in zip(images, predictions, strict=True)}["red"] == "red"
