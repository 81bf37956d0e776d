"""Data sets as people have them: parts above class folders, zipped, shards with numbers, tables without endings."""

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from clipcore.errors import BadInput
from tests.training.data.test_pairs import picture, write_shard
from training.data.pairs import find_sources, read_pairs
from training.data.samples import Pair, in_words, learns
from training.data.shards import class_list, templates_of


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(picture())
    return root


def read(source: Path, purpose: str = "all", skipped: Counter[str] | None = None) -> list[tuple[str, str]]:
    return [(str(pair.name), pair.part) for pair in read_pairs(source, skipped, purpose)]  # type: ignore[arg-type]


YOLO = ("train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "test/dog/4.png")


@pytest.mark.parametrize("packed", [False, True])
def test_parts_are_used_for_what_they_are_meant(tmp_path: Path, packed: bool) -> None:
    source = write(tmp_path / "pets", *YOLO)
    if packed:
        source = tmp_path / "pets.zip"
        with zipfile.ZipFile(source, "w") as file:
            for name in YOLO:
                file.write(tmp_path / "pets" / name, f"pets/{name}")
    skipped: Counter[str] = Counter()
    assert read(source) == [("cat", "train"), ("dog", "train"), ("cat", "val"), ("dog", "test")] or sorted(read(source)) == [
        ("cat", "train"),
        ("cat", "val"),
        ("dog", "test"),
        ("dog", "train"),
    ]
    assert sorted(read(source, "learn", skipped)) == [("cat", "train"), ("dog", "train")]
    assert read(source, "measure", skipped) == [("dog", "test")]
    said = "\n".join(in_words(skipped))
    assert "The part train is learned from, test and val left out." in said
    assert "The part test is measured on, train and val left out." in said
    assert "2 images to learn from in train" in said


def test_val_is_measured_on_where_there_is_no_test_and_one_part_is_all(tmp_path: Path) -> None:
    write(tmp_path / "a", "train/cat/1.png", "valid/cat/2.png")
    assert read(tmp_path / "a", "measure") == [("cat", "val")]
    write(tmp_path / "b", "train/cat/1.png", "train/dog/2.png")
    assert read(tmp_path / "b", "learn") == read(tmp_path / "b", "measure") == [("cat", ""), ("dog", "")]


def test_a_part_decides_what_is_held_out() -> None:
    assert [learns(Pair("", b"", part=part), held_out) for part in ("train", "val", "") for held_out in (True, False)] == [
        *(True, True),
        *(False, False),
        *(False, True),
    ]


def test_a_table_with_a_column_of_parts_and_ids_without_ending(tmp_path: Path) -> None:
    write(tmp_path, "images/0a1.png", "images/0b2.png")
    (tmp_path / "labels.csv").write_text("id,breed,split\n0a1,pug,train\n0b2,boxer,test\n0c3,boxer,test\n")
    skipped: Counter[str] = Counter()
    assert read(tmp_path / "labels.csv", "all", skipped) == [("pug", "train"), ("boxer", "test")]
    assert skipped == {"no picture": 1}
    assert read(tmp_path / "labels.csv", "measure") == [("boxer", "test")]


def test_two_labels_of_a_picture_are_two_pairs(tmp_path: Path) -> None:
    write(tmp_path, "a.png")
    (tmp_path / "labels.csv").write_text("path,label\na.png,cat\na.png,indoor\n")
    assert [name for name, _ in read(tmp_path / "labels.csv")] == ["cat", "indoor"]


def test_a_table_of_ours_gives_what_a_person_said(tmp_path: Path) -> None:
    write(tmp_path, "a.png", "b.png")
    rows = 'path,label,by,your label\na.png,dog,you,"dog; ""a;b"""\nb.png,cat,classifier,\n'
    (tmp_path / "labels.csv").write_text(rows, encoding="utf-8-sig")
    assert [name for name, _ in read(tmp_path / "labels.csv")] == ["dog", "a;b"]


def test_wordnet_ids_in_a_headless_list_of_tiny_imagenet(tmp_path: Path) -> None:
    write(tmp_path, "val/images/val_0.png")
    (tmp_path / "val" / "val_annotations.txt").write_text("val_0.png\tn01440764\t0\t32\t44\t62\n")
    assert read(tmp_path / "val" / "val_annotations.txt") == [("tench", "")]


def test_the_layout_of_clip_benchmark(tmp_path: Path) -> None:
    for part, number in (("train", 0), ("test", 1)):
        (tmp_path / part).mkdir()
        (tmp_path / part / "nshards.txt").write_text("1")
        members = {"s0.png": picture(), "s0.cls": str(number).encode(), "s1.png": picture(), "s1.cls": b"7"}
        write_shard(tmp_path / part / "0.tar", members)
    (tmp_path / "classnames.txt").write_text("guinea_pig\nfire truck\n")
    (tmp_path / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\n")
    assert [shard.parent.name for shard in find_sources(tmp_path)] == ["test", "train"]
    assert sorted(read(tmp_path)) == [("7", "test"), ("7", "train"), ("fire truck", "test"), ("guinea pig", "train")]
    assert read(tmp_path, "measure") == [("fire truck", "test"), ("7", "test")]
    assert class_list(tmp_path) == ["guinea pig", "fire truck"]
    assert templates_of(tmp_path) == "a photo of a {c}."


def test_shards_in_one_folder_by_their_names(tmp_path: Path) -> None:
    for name in ("train-0000", "train-0001", "val-0000"):
        write_shard(tmp_path / f"{name}.tar", {"1.png": picture(), "1.cls": b"cat"})
    assert read(tmp_path, "learn") == [("cat", "train")] * 2
    write_shard(tmp_path / "other.tar", {"1.png": picture(), "1.cls": b"cat"})  # then the names are no parts
    assert {part for _, part in read(tmp_path)} == {""}


def test_a_tar_of_class_folders(tmp_path: Path) -> None:
    write_shard(tmp_path / "pets.tar", {f"pets/{name}": picture() for name in ("cat/1.png", "dog/2.png", "dog/3.jpeg")})
    assert [name for name, _ in read(tmp_path / "pets.tar")] == ["cat", "dog", "dog"]


def test_other_archives_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.7z").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"a\.7z cannot be looked into; unpack it"):
        find_sources(tmp_path / "a.7z")


@pytest.mark.parametrize(
    "text",
    [
        '{"a.png": "cat", "b.png": "dog"}',
        '{"a.png": ["cat"], "b.png": ["dog"]}',
        '[{"file": "a.png", "class": "cat"}, {"file": "b.png", "class": "dog"}]',
    ],
)
def test_labels_in_a_json_file(tmp_path: Path, text: str) -> None:
    write(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.json").write_text(text)
    assert [name for name, _ in read(tmp_path / "labels.json")] == ["cat", "dog"]


def test_a_folder_with_the_table_of_hugging_face(tmp_path: Path) -> None:
    write(tmp_path, "a.png", "b.png")
    (tmp_path / "metadata.csv").write_text("file_name,text\na.png,A cat.\nb.png,A dog.\n")
    assert [pair.captions for pair in read_pairs(tmp_path)] == [("A cat.",), ("A dog.",)]


def test_json_that_is_no_table(tmp_path: Path) -> None:
    for text in ("{}", "[1]", "{", "3"):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(BadInput):
            list(read_pairs(tmp_path / "a.json"))
