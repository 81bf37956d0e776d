"""What comes in from Label Studio in all its forms, and from files of any kind by what is in them."""

import json

import pytest

from clipcore import BadInput
from storage import Library
from storage.labels.imports import read_folders, read_json, read_label_studio, read_labels
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def library(tmp_path):
    for name in ("dog 1.jpg", "cat.jpg"):
        photo(tmp_path / "photos" / name, "red" if "dog" in name else "green")
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path / "photos")
        yield library


def task(address, *labels, key="image", kind="choices", **more):
    result = [{"type": kind, "from_name": "label", "to_name": key, "value": {kind: list(labels)}}]
    return {"data": {key: address, "other": "text"}, "annotations": [{"result": result, **more}]}


UPLOAD = "/data/upload/7/0123abcd-dog_1.jpg"  # of "dog 1.jpg"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("json", json.dumps([task(UPLOAD, "dog")])),
        ("another key", json.dumps([task(UPLOAD, "dog", key="photo_of_pet")])),
        ("regions", json.dumps([task(UPLOAD, "dog", kind="rectanglelabels")])),
        ("taxonomy", json.dumps([task(UPLOAD, ["animal", "dog"], kind="taxonomy")])),
        (
            "min",
            json.dumps([{"image": UPLOAD, "id": 1, "choice": "dog", "annotator": 1, "created_at": "x", "lead_time": 2}]),
        ),
        ("min, several", json.dumps([{"img": UPLOAD, "kind": {"choices": ["dog"]}, "id": 1}])),
        ("csv", f"annotation_id,annotator,choice,created_at,id,image,lead_time\n1,1,dog,x,1,{UPLOAD},3\n"),
        ("csv, several", f'id,image,label\n1,{UPLOAD},"{{""choices"": [""dog""]}}"\n'),
        ("local files", json.dumps([task("/data/local-files/?d=photos/dog%201.jpg", "dog")])),
    ],
)
def test_label_studio_in_all_its_forms(library, tmp_path, name, text):
    (tmp_path / "export").write_text(text)
    for read in (read_label_studio, read_labels):
        found = library.exchange.import_labels(read(tmp_path / "export"))
        assert (found.pictures, found.labels, found.unknown) == (1, ("dog",), []), name


def test_what_was_cancelled_or_only_predicted_is_no_label(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([task(UPLOAD, "dog", was_cancelled=True), task(UPLOAD, "cat")]))
    assert [label for _, label in read_label_studio(tmp_path / "a.json")] == ["cat"]
    (tmp_path / "b.json").write_text(json.dumps([{"data": {"image": UPLOAD}, "predictions": [{"result": []}]}]))
    with pytest.raises(BadInput, match="predictions alone; submit some tasks") as caught:
        read_label_studio(tmp_path / "b.json")
    assert str(caught.value).endswith("export it again.")


def test_our_own_json_gives_what_a_person_said(tmp_path):
    images = [
        {"path": "a.jpg", "said": ["dog", "cat"]},
        {"path": "b.jpg", "said": "unsure"},
        {"path": "c.jpg", "said": None},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"images": images}))
    assert read_json(tmp_path / "a.json") == [(str(tmp_path / "a.jpg"), "dog"), (str(tmp_path / "a.jpg"), "cat")]


def test_a_table_says_what_it_could_not_read(tmp_path):
    lines = [f"{i}.jpg,café".encode() for i in range(9)]
    (tmp_path / "t.csv").write_bytes(b"\n".join([b"image,label", *lines, b"x.jpg,caf\xe9", b",dog"]))
    rows = read_labels(tmp_path / "t.csv")
    assert len(rows) == 9
    assert [note.split(" of ")[0] for note in rows.notes] == [
        "1 lines",
        "skipped 1 x letters that cannot be read",
        "skipped 1 x no picture",
    ]


def test_a_class_folder_keeps_the_spelling_that_the_library_has(tmp_path):
    photo(tmp_path / "set" / "guinea_pig" / "a.jpg", "red")
    assert [label for _, label in read_folders(tmp_path / "set")] == ["guinea pig"]
    assert [label for _, label in read_folders(tmp_path / "set", ["guinea_pig"])] == ["guinea_pig"]
