"""Which column says what, and which file a cell means."""

from pathlib import Path

import pytest

from clipcore import BadInput
from clipcore.pictures.places import ByName, OnDisk, address
from clipcore.pictures.tables import column_name, from_objects, pictures_of, read_pictures
from clipcore.tables import parse_table


def read(text: str, captions: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    return [(row.picture, row.labels) for row in pictures_of(parse_table(text), captions)]


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.jpg,dog\n",
        "Label;FILENAME\ndog;a.jpg\n",
        "\ufeffFile_Name\tClass\na.jpg\tdog\n",
        "imagePath,Category Name,category id\na.jpg,dog,3\n",
        "width,height,image,species\n3,4,a.jpg,dog\n",
        "a.jpg,dog\n",  # no heading
        "dog;a.jpg\n",
        "bild,klasse\na.jpg,dog\n",  # a heading of other words
        "id,image,note 1,what\n17,a.jpg,0.5,dog\n",  # the only column in words
        "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at\n1,1,dog,x,7,/data/upload/1/0123abcd-a.jpg,1,y\n",
        "image,label\nfile:///home/me/a.jpg,dog\n".replace("/home/me/", ""),
        "image,cat,dog\na.jpg,0,1\n",  # a column for each label
        "path,label,by,your label,classifier label\na.jpg,cat,classifier,dog,cat\n",  # of Sayso: only what a person said
    ],
)
def test_columns_by_their_names_and_by_what_they_hold(text):
    ((picture, labels),) = read(text)
    assert (Path(picture).name, labels) == ("a.jpg", ("dog",))


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ('"{""choices"": [""dog"", ""cat, big""]}"', ("dog", "cat, big")),
        ('"[""dog"", ""cat""]"', ("dog", "cat")),
        ("dog;cat", ("dog", "cat")),
        ("dog|cat", ("dog", "cat")),
        ('"tench, Tinca tinca"', ("tench, Tinca tinca",)),
    ],
)
def test_several_labels_in_a_cell(cell, labels):
    assert read(f"image,labels\na.jpg,{cell}\n")[0][1] == labels


def test_one_hot_columns_ids_without_ending_and_parts():
    table = "image_id,healthy,rust\nleaf_1,0,1\nleaf_2,1.0,1.0\nleaf_3,0,0\n"
    assert read(table) == [("leaf_1", ("rust",)), ("leaf_2", ("healthy", "rust")), ("leaf_3", ())]
    (row,) = pictures_of(parse_table("id,breed,split\n0a1,pug,Train\n"))
    assert (row.picture, row.labels, row.part) == ("0a1", ("pug",), "Train")


def test_json_min_is_a_table_too():
    rows = from_objects(
        "t.json", [{"img": "/data/upload/2/89abcdef-dog_1.jpg", "id": 3, "kind": {"choices": ["dog"]}}], False
    )
    assert [(row.picture, row.labels) for row in rows] == [("dog_1.jpg", ("dog",))]


def test_what_is_missing_is_said_with_the_columns():
    for text, says in (("a,b,c\n1,2,3\n", "It has: a, b, c"), ("image,a,b\nx.jpg,u,v\n", "its columns are image, a, b")):
        with pytest.raises(BadInput, match=says):
            read(text)


def test_a_name_with_a_letter_that_cannot_be_read_is_no_class(tmp_path):
    lines = [f"{i}.jpg,café".encode() for i in range(9)]
    (tmp_path / "t.csv").write_bytes(b"\n".join([b"image,label", *lines, b"x.jpg,caf\xe9"]))
    rows = read_pictures(tmp_path / "t.csv")
    assert {row.labels for row in rows} == {("café",)}
    assert rows.left_out == {"letters that cannot be read": 1}


def test_names_of_columns():
    assert {column_name(cell) for cell in ("File_Name", "fileName", "file-name", "\ufeffFILE NAME ")} == {"file name"}


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("file:///home/me/a%20b.jpg", "/home/me/a b.jpg"),
        ("file:///C:/me/a.jpg", "C:/me/a.jpg"),
        ("file://server/share/a.jpg", "//server/share/a.jpg"),
        ("https://example.org/x/a.jpg?size=3", "/x/a.jpg"),
        ("s3://bucket/x/a.jpg", "/x/a.jpg"),
        ("/data/upload/4/0123abcd-dog_1.jpg", "dog_1.jpg"),
        ("/data/local-files/?d=home/me/a.jpg", "/home/me/a.jpg"),
        (" pets/a.jpg ", "pets/a.jpg"),
        ("/data/a.jpg", "/data/a.jpg"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_addresses(cell, means):
    assert address(cell) == means


def test_a_path_from_elsewhere_finds_its_file():
    paths = ["/p/cat/dog 1.jpg", "/p/one/same.jpg", "/p/two/same.jpg", "/p/IMG.JPG", "/p/0a1b.png"]
    known = ByName((path, path) for path in paths)
    for asked, found in {
        "C:\\Users\\me\\cat\\dog 1.jpg": 0,
        "dog_1.jpg": 0,  # as Label Studio stores it
        "0123abcd-dog_1.jpg": 0,
        "D:/elsewhere/two/same.jpg": 2,
        "same.jpg": None,  # could be either
        "img.jpg": 3,
        "0a1b": 4,  # an id without its ending
        "0a1b.jpg": None,
        "gone.jpg": None,
    }.items():
        assert known.find(asked) == (None if found is None else paths[found]), asked


def test_pictures_of_a_table_on_the_disk(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0a1b.jpg").write_bytes(b"x")
    place = OnDisk(tmp_path)
    for path in ("train/0a1b.jpg", "train\\0a1b.jpg", "0a1b", "0a1b.jpg", r"D:\data\train\0a1b.jpg"):
        assert place.find(path) == tmp_path / "train" / "0a1b.jpg", path
    assert place.find("x" * 5000) is None
    assert place.find("nul\0.jpg") is None
