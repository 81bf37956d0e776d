"""Which folder is the class: parts of a set, wrappers, ids and numbers, zipped; by paths alone."""

import io
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from clipcore import BadImage, BadInput
from clipcore.pictures.archives import open_archive, read_packed
from clipcore.pictures.classes import NO_CLASS, class_names, find_classes, find_labelled_images, part_of


def labels(*paths: str) -> dict[str, str]:
    found = find_classes(map(PurePosixPath, paths))
    return {
        str(path): f"{found.parts[path]}: {label}" if path in found.parts else label for path, label in found.labels.items()
    }


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Training", "Validation", "Testing"), ("TRAIN", "valid", "eval")]
)
def test_train_val_and_test_are_parts_and_no_classes(names):
    paths = [f"{name}/{label}/{i}.jpg" for name in names for label in ("cat", "dog") for i in range(2)]
    found = find_classes(map(PurePosixPath, paths))
    assert {*found.labels.values()} == {"cat", "dog"}
    assert [found.parts[PurePosixPath(f"{name}/cat/0.jpg")] for name in names] == ["train", "val", "test"]
    assert found.notes == [
        "The set has parts: 4 images to learn from in train, 4 images to check on in val, 4 images to measure on in test."
    ]


def test_a_train_is_also_a_thing():
    assert labels("train/1.jpg", "bus/2.jpg") == {"train/1.jpg": "train", "bus/2.jpg": "bus"}
    assert labels("train/old/1.jpg", "bus/2.jpg") == {"train/old/1.jpg": "train", "bus/2.jpg": "bus"}
    assert labels("train/train/1.jpg", "train/bus/2.jpg") == {
        "train/train/1.jpg": "train: train",
        "train/bus/2.jpg": "train: bus",
    }


def test_parts_beside_others_and_pictures_without_a_class():
    found = find_classes(
        map(PurePosixPath, ("train/cat/1.jpg", "val/cat/2.jpg", "extra/3.jpg", "test/images/4.jpg", "5.jpg"))
    )
    assert {str(path): label for path, label in found.labels.items()} == {"train/cat/1.jpg": "cat", "val/cat/2.jpg": "cat"}
    assert list(map(str, found.unlabelled)) == ["extra/3.jpg", "test/images/4.jpg", "5.jpg"]


def test_parts_without_class_folders_are_taken_for_classes_and_it_is_said():
    found = find_classes(map(PurePosixPath, ("train/cat.0.jpg", "test/1.jpg")))
    assert set(found.labels.values()) == {"train", "test"}
    assert found.notes == [
        "The folders test and train are taken for classes; if they are parts, give each class a folder in them."
    ]


def test_folders_that_only_wrap_the_set():
    assert labels("pets/pets/cat/1.jpg", "pets/pets/dog/2.jpg", "readme.png") == {
        "pets/pets/cat/1.jpg": "cat",
        "pets/pets/dog/2.jpg": "dog",
    }
    assert set(labels("a/train/cat/1.jpg", "a/val/cat/2.jpg").values()) == {"train: cat", "val: cat"}
    assert set(labels("ILSVRC/Data/train/n01440764/1.JPEG", "ILSVRC/Data/val/n01440764/2.JPEG").values()) == {
        "train: tench",
        "val: tench",
    }
    # a class, whose folder may have folders
    assert labels("cat/a.jpg", "cat/2019/b.jpg") == {"cat/a.jpg": "cat", "cat/2019/b.jpg": "cat"}
    assert labels("cat/2019/b.jpg", "dog/2019/c.jpg") == {"cat/2019/b.jpg": "cat", "dog/2019/c.jpg": "dog"}


def test_wordnet_ids_and_numbers_get_their_names():
    assert class_names(["n01440764", "n02085620-Chihuahua", "n99999999", "sea_horse"]) == {
        "n01440764": "tench",
        "n02085620-Chihuahua": "Chihuahua",
        "n99999999": "n99999999",
        "sea_horse": "sea horse",
    }
    cranes = class_names(["n02012849", "n03126707"])
    assert len(set(cranes.values())) == 2  # a bird and a machine
    assert all(name.startswith("crane (") for name in cranes.values())
    assert (
        class_names(["001.Black_footed_Albatross", "002.Laysan_Albatross"])["001.Black_footed_Albatross"]
        == "Black footed Albatross"
    )
    assert class_names(["001.a", "b"]) == {"001.a": "001.a", "b": "b"}


def test_words_for_parts():
    assert [part_of(word) for word in ("Train", "valid", "dev", "test_set", "cat", "")] == [
        "train",
        "val",
        "val",
        "test",
        "",
        "",
    ]


def picture(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(file, "PNG")
    return file.getvalue()


def test_pictures_beside_class_folders_are_said(tmp_path: Path):
    for name in ("cat/1.png", "loose.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    skipped: list = []
    assert set(find_labelled_images(tmp_path, skipped).labels.values()) == {"cat"}
    assert [(bad.path.name, bad.reason) for bad in skipped] == [("loose.png", NO_CLASS)]


def test_a_zip_is_read_without_being_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "pets.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("cat/1.png", "__MACOSX/cat/._1.png", "dog\\2.png", "dog/notes.txt", "café/3.png"):
            file.writestr(name, picture())
    with open_archive(tmp_path / "pets.zip") as archive:
        assert list(map(str, archive.pictures)) == ["cat/1.png", "dog/2.png", "café/3.png"]
        assert archive.read(PurePosixPath("dog/2.png")) == picture()
    assert read_packed(str(tmp_path / "pets.zip" / "cat" / "1.png")) == picture()
    assert read_packed(str(tmp_path / "pets.zip" / "cat" / "2.png")) is None
    assert read_packed(str(tmp_path / "nothing" / "cat" / "2.png")) is None


def test_a_mac_does_not_say_that_names_are_utf8(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as file:
        file.writestr("cafXX/1.png", picture())
    data = (tmp_path / "mac.zip").read_bytes().replace(b"cafXX", "café".encode())
    (tmp_path / "mac.zip").write_bytes(data)
    with open_archive(tmp_path / "mac.zip") as archive:
        assert [path.parts[0] for path in archive.pictures] == ["café"]
        assert archive.read(PurePosixPath("café/1.png")) == picture()


def test_damaged_and_locked_archives(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("cat/1.png", picture())
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[60:70] = b"\0" * 10
    (tmp_path / "a.zip").write_bytes(data)
    with open_archive(tmp_path / "a.zip") as archive, pytest.raises(BadImage, match="damaged"):
        archive.read(PurePosixPath("cat/1.png"))
    (tmp_path / "b.zip").write_bytes(b"no archive")
    with pytest.raises(BadInput, match="no ZIP file"), open_archive(tmp_path / "b.zip"):
        pass
