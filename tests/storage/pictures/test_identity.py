"""Which picture a file is: labels stay with a picture whatever other programs do to its file. Colours stand for meaning."""

import io
import os
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image
from sqlalchemy import select, text

from clipcore.pictures.pixels import pixel_hash
from storage import Filters, Library
from storage.export import class_folders, to_csv, yolo_folders
from storage.labels.imports import read_csv
from storage.labels.moves import all_values
from storage.tables import LabelStep
from tests.support.fakes import photo

BOARD = ("red", "green", "blue")


def noisy(path, colour, seed=0, size=(48, 36), **options):
    """A picture of mostly one colour that no other is alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 40, (size[1], size[0], 3), np.uint8)
    pixels[..., BOARD.index(colour)] += 200
    Image.fromarray(pixels).save(path, **options)
    return path


def rated(path, stars=4, orientation=None):
    """What digiKam or exiftool do: other metadata, the same compressed pixels."""
    data = path.read_bytes()
    exif = Image.Exif()
    exif[0x4746] = stars
    if orientation:
        exif[ExifTags.Base.Orientation] = orientation
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    if path.suffix == ".jpg":
        segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
        path.write_bytes(data[:2] + segment + data[2:])
    else:
        chunk = b"tEXtRating\0" + str(stars).encode()
        path.write_bytes(
            data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
        )
    Image.open(path).load()  # still whole
    return path


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("a.jpg", "b.jpg", "c.png")):
        noisy(tmp_path / "photos" / name, BOARD[seed], seed)
    return tmp_path / "photos"


@pytest.fixture
def library(tmp_path, folder, encoder):
    with Library(tmp_path / "home", encoder) as library:
        library.add(folder)
        for name, label in zip(("a.jpg", "b.jpg", "c.png"), BOARD, strict=True):
            library.label(folder / name, label)
        yield library


def said(library, path):
    (image_id,) = library.labels.ids_at([path])
    return library.labels.of([image_id]).get(image_id, {})


def counted(library, label):
    """How many pictures have a label, as each part of Sayso counts them."""
    library.albums.delete("all") if [a.name for a in library.albums.all()] else None
    library.albums.save("all", filters=Filters(label=label))
    return {
        "label": library.labels.counts().get(label, 0),
        "search": library.browse(Filters(label=label))[1],
        "found": library.find("red", filters=Filters(label=label), everything=True).total,
        "export": sum(label in answer.labels for answer in library.exchange.answers()),
        "examples": library.examples().counts.get(label, 0),
        "several": len(library.labels.truths([label])[0]),
        "album": library.albums.open("all").total,
    }


def everywhere(library, label, count=1):
    assert counted(library, label) == dict.fromkeys(counted(library, label), count)


# the file's pixels


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "progressive.jpg"])
def test_metadata_do_not_change_the_pixels_of_a_file(tmp_path, name):
    path = noisy(tmp_path / name, "red", progressive="progressive" in name)
    before, content = pixel_hash(path.read_bytes()), path.read_bytes()
    assert len(before) == 64
    assert pixel_hash(rated(path).read_bytes()) == before
    assert path.read_bytes() != content
    assert pixel_hash(noisy(tmp_path / f"other-{name}", "red", 1).read_bytes()) not in ("", before)


def test_every_single_bit_of_the_pixels_counts(tmp_path):
    data = bytearray(noisy(tmp_path / "a.jpg", "red").read_bytes())
    before = pixel_hash(bytes(data))
    scan = data.index(b"\xff\xda") + 30
    for at in range(scan, len(data) - 2, 97):
        data[at] ^= 1
        assert pixel_hash(bytes(data)) != before
        data[at] ^= 1


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_tiff_and_webp(tmp_path, compression):
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8))
    plain, tagged, other = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pixels.save(plain, "TIFF", compression=compression)
    pixels.save(tagged, "TIFF", compression=compression, description="a beach", artist="me", software="x" * 200)
    pixels.transpose(Image.Transpose.ROTATE_90).save(other, "TIFF", compression=compression)
    hashes = [pixel_hash(file.getvalue()) for file in (plain, tagged, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert all(hashes)
    for options in ({"lossless": True}, {"quality": 80}):
        plain, tagged = io.BytesIO(), io.BytesIO()
        pixels.save(plain, "WEBP", **options)
        pixels.save(tagged, "WEBP", xmp=b"<x:xmpmeta/>", **options)
        assert pixel_hash(plain.getvalue()) == pixel_hash(tagged.getvalue()) != ""


def test_what_is_not_taken_apart_has_no_pixel_hash(tmp_path):
    assert pixel_hash(b"") == pixel_hash(b"\xff\xd8\xff") == pixel_hash(b"II*\0") == pixel_hash(b"no picture") == ""
    assert pixel_hash(photo(tmp_path / "a.gif", "red").read_bytes()) == ""


# another program writes into the file


@pytest.mark.parametrize("name", ["a.jpg", "c.png"])
def test_labels_stay_when_another_program_writes_a_rating(library, folder, name):
    label = said(library, folder / name)
    before = library.images()
    rated(folder / name)
    added = library.add(folder)
    assert (added.replaced, added.skipped) == ((), [])
    assert said(library, folder / name) == label
    for each in BOARD:
        everywhere(library, each)
    after = library.images()
    assert [image.picture for image in before] == [image.picture for image in after]
    assert [a.content_hash == b.content_hash for a, b in zip(before, after, strict=True)].count(False) == 1


def test_labels_stay_when_the_orientation_changes(library, folder):
    shape = library.image(library.labels.ids_at([folder / "a.jpg"])[0])
    rated(folder / "a.jpg", orientation=6)
    assert library.add(folder).replaced == ()
    turned = library.image(shape.id)
    assert (turned.width, turned.height) == (shape.height, shape.width)
    everywhere(library, "red")


def test_labels_stay_when_a_file_is_saved_again_or_scaled(library, folder):
    with Image.open(folder / "a.jpg") as image:
        image.resize((30, 22)).save(folder / "a.jpg", quality=40)
    assert library.add(folder).replaced == ()
    everywhere(library, "red")


def test_labels_stay_through_many_changes_and_back(library, folder):
    original = (folder / "a.jpg").read_bytes()
    for stars in range(4):
        rated(folder / "a.jpg", stars)
        library.add(folder)
    everywhere(library, "red")
    (folder / "a.jpg").write_bytes(original)  # from a backup
    library.add(folder)
    everywhere(library, "red")


def test_the_examples_of_a_changed_picture_are_its_new_vectors_under_its_old_key(library, folder):
    before = library.examples(["red"])
    with Image.open(folder / "a.jpg") as image:
        image.resize((30, 22)).save(folder / "a.jpg", quality=30)
    library.add(folder)
    after = library.examples(["red"])
    assert after.keys == before.keys  # so it stays in its fold, and in its part of every split
    assert not np.array_equal(after.embeddings, before.embeddings)
    (image_id,) = library.labels.ids_at([folder / "a.jpg"])
    assert np.array_equal(after.embeddings, library.embeddings([image_id])[1])
    assert library.images_with_contents(before.keys)[before.keys[0]].id == image_id


# files move, are copied, go and come back


def test_a_moved_file_is_known_by_its_bytes_and_by_its_pixels(library, folder):
    (folder / "2024").mkdir()
    shutil.move(folder / "a.jpg", folder / "2024" / "x.jpg")
    shutil.move(folder / "b.jpg", folder / "2024" / "y.jpg")
    rated(folder / "2024" / "y.jpg")  # moved and rated before the folder was looked at again
    library.add(folder)
    assert said(library, folder / "2024" / "x.jpg") == {"red": 1}
    assert said(library, folder / "2024" / "y.jpg") == {"green": 1}
    everywhere(library, "green")


def test_files_that_change_names_take_their_labels_along(library, folder):
    os.rename(folder / "a.jpg", folder / "t.jpg")
    os.rename(folder / "b.jpg", folder / "a.jpg")
    os.rename(folder / "t.jpg", folder / "b.jpg")
    assert library.add(folder).replaced == ()
    assert (said(library, folder / "a.jpg"), said(library, folder / "b.jpg")) == ({"green": 1}, {"red": 1})


def test_copies_are_one_picture_whichever_of_them_is_rated(library, folder):
    shutil.copy(folder / "a.jpg", folder / "copy.jpg")
    shutil.copy(folder / "a.jpg", folder / "copy2.jpg")
    rated(folder / "copy2.jpg")
    library.add(folder)
    rated(folder / "a.jpg", 5)
    library.add(folder)
    assert len({library.image(i).picture for i in library.labels.ids_at([folder])}) == 3
    library.label(folder / "copy.jpg", "indoor")
    for name in ("a.jpg", "copy.jpg", "copy2.jpg"):
        assert said(library, folder / name) == {"red": 1, "indoor": 1}
    assert library.labels.counts()["red"] == len(library.examples(["red"])) == 1  # one picture
    assert library.browse(Filters(label="red"))[1] == 3  # three files


def test_copies_with_other_metadata_are_never_on_both_sides_of_a_split(library, folder, tmp_path):
    for seed in range(12):
        path = noisy(tmp_path / "more" / f"{seed}.jpg", "blue", 100 + seed)
        rated(shutil.copy(path, path.with_name(f"copy of {path.name}")) and path)
    library.add(tmp_path / "more")
    for image in library.images():
        library.label(image.id, "blue")
    plan = yolo_folders(library.exchange.answers(), tmp_path / "yolo", "copy", 0.5)
    sides = {}
    for change in plan.changes:
        sides.setdefault(os.path.basename(change.source).removeprefix("copy of "), set()).add("/val/" in change.target)
    assert {len(side) for side in sides.values()} == {1}
    assert len({side for each in sides.values() for side in each}) == 2
    assert len(library.examples(["blue"])) == 15


def test_a_file_that_goes_and_comes_back(library, folder, tmp_path):
    shutil.move(folder / "a.jpg", tmp_path / "away.jpg")
    library.add(folder)
    assert counted(library, "red") == dict.fromkeys(counted(library, "red"), 0)  # nowhere counted while it is away
    rated(tmp_path / "away.jpg")
    shutil.move(tmp_path / "away.jpg", folder / "a.jpg")
    library.add(folder)
    everywhere(library, "red")


def test_a_folder_that_is_removed_and_added_again(library, folder):
    rated(folder / "a.jpg")
    library.add(folder)
    library.remove_folder(library.folders()[0].id)
    assert library.labels.counts() == {}
    library.add(folder)
    for label in BOARD:
        everywhere(library, label)


# a file replaced by something that looks otherwise


def test_a_replaced_file_keeps_its_labels_and_that_is_said(library, folder):
    shutil.copy(folder / "a.jpg", folder / "copy.jpg")
    library.add(folder)
    noisy(folder / "a.jpg", "blue", 77)
    added = library.add(folder)
    assert [row.path for row in added.replaced] == [str(folder / "a.jpg")]
    assert "“red”" in added.replaced[0].reason
    assert said(library, folder / "a.jpg") == said(library, folder / "copy.jpg") == {"red": 1}
    assert [image.name for image in library.replaced()] == ["a.jpg"]
    assert library.labels.counts()["red"] == 2  # two pictures now
    library.labels.move(
        library.labels.ids_at([folder / "a.jpg"]), "blue", BOARD
    )  # a copy of the old file is not labelled along
    assert (said(library, folder / "a.jpg"), said(library, folder / "copy.jpg")) == ({"blue": 1}, {"red": 1})
    assert library.replaced() == []
    assert library.add(folder).replaced == ()


def test_to_label_it_the_same_again_confirms_it(library, folder):
    noisy(folder / "a.jpg", "blue", 77)
    library.add(folder)
    assert len(library.replaced()) == 1
    library.label(folder / "a.jpg", "red")
    assert library.replaced() == []


def test_a_file_put_in_the_place_of_one_that_was_seen_missing_is_new(library, folder):
    os.remove(folder / "a.jpg")
    library.add(folder)
    noisy(folder / "a.jpg", "blue", 77)  # a memory card that counts from 1 again
    assert library.add(folder).replaced == ()
    assert said(library, folder / "a.jpg") == {}


def test_a_replaced_file_without_labels_is_nothing_to_speak_of(library, folder):
    noisy(folder / "d.jpg", "green", 5)
    library.add(folder)
    noisy(folder / "d.jpg", "blue", 6)
    assert library.add(folder).replaced == ()
    assert library.replaced() == []


def test_the_old_picture_under_a_new_name_beside_its_successor(library, folder):
    os.rename(folder / "a.jpg", folder / "z.jpg")
    noisy(folder / "a.jpg", "blue", 77)
    library.add(folder)
    library.labels.move(library.labels.ids_at([folder / "a.jpg"]), "blue", BOARD)
    assert (said(library, folder / "a.jpg"), said(library, folder / "z.jpg")) == ({"blue": 1}, {"red": 1})


# undo


@pytest.mark.parametrize("change", ["rated", "replaced"])
def test_undo_reaches_over_a_change_of_the_file(library, folder, change):
    ids = library.labels.ids_at([folder / "a.jpg"])
    library.labels.move(ids, "green", BOARD, client="me")
    library.labels.move(ids, "blue", BOARD, client="me")
    rated(folder / "a.jpg") if change == "rated" else noisy(folder / "a.jpg", "green", 77)
    library.add(folder)
    assert said(library, folder / "a.jpg") == {"blue": 1}
    library.labels.undo("me")
    assert said(library, folder / "a.jpg") == {"green": 1}
    library.labels.undo("me")
    assert said(library, folder / "a.jpg") == {"red": 1}
    library.labels.redo("me")
    assert said(library, folder / "a.jpg") == {"green": 1}
    replayed(library)


def replayed(library):
    """The log leads to the labels that are there."""
    values = {}
    with library.database.reading() as connection:
        for groups in connection.scalars(select(LabelStep.changes).order_by(LabelStep.id)):
            for pictures, changes in groups:
                for picture in pictures:
                    for label, before, after in changes:
                        assert values.setdefault(picture, {}).get(label) == before
                        values[picture].pop(label, None)
                        if after is not None:
                            values[picture][label] = after
        assert {picture: v for picture, v in values.items() if v} == all_values(connection)


# out and in


def test_exports_of_a_changed_picture_are_read_back(library, folder, tmp_path):
    rated(folder / "a.jpg")
    library.add(folder)
    (tmp_path / "labels.csv").write_text(to_csv(library.exchange.answers()))
    library.labels.undo()
    library.labels.undo()
    library.labels.undo()
    assert library.labels.counts() == {}
    library.exchange.import_labels(read_csv(tmp_path / "labels.csv"))
    assert library.labels.counts() == dict.fromkeys(sorted(BOARD), 1)
    assert len(class_folders(library.exchange.answers(), tmp_path / "out", "copy").changes) == 3


# a library from before


@pytest.mark.sqlite
def test_a_library_from_before_pictures_loses_nothing(tmp_path, folder, encoder, monkeypatch):
    """Its labels hang on content hashes. One file was rated since: its labels hung on nothing, and come back."""
    import storage.migrate

    home = tmp_path / "home"
    with Library(home, encoder) as library:
        library.add(folder)
        for name, label in zip(("a.jpg", "b.jpg", "c.png"), BOARD, strict=True):
            library.label(folder / name, label)
        old = {image.name: image.content_hash for image in library.images()}
        rated(folder / "a.jpg")
        library.add(folder)
        with library.database.writing() as connection:  # the tables as they were at revision 0005
            for statement in (
                "DROP TABLE apart",
                "DROP TABLE ratings",
                *(f"ALTER TABLE folders DROP COLUMN {name}" for name in ("every", "sorter", "looked")),
                "DROP INDEX ix_images_place",
                *(f"ALTER TABLE images DROP COLUMN {name}" for name in ("latitude", "longitude", "place", "rating")),
                "ALTER TABLE classifiers DROP COLUMN about",
                "DROP TABLE sessions",
                "DROP TABLE contents",
                "DROP INDEX ix_images_picture",
                "ALTER TABLE images DROP COLUMN picture",
                "DROP INDEX ix_label_steps_part_of",
                "CREATE TABLE old_steps AS SELECT id, op, client, changes, undoes, created FROM label_steps",
                "DROP TABLE label_steps",
                "CREATE TABLE label_steps (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, op VARCHAR(64) NOT NULL,"
                " client VARCHAR(64) NOT NULL, changes JSON NOT NULL, undoes INTEGER, created DATETIME NOT NULL,"
                " CONSTRAINT uq_label_steps_op UNIQUE (op),"
                " CONSTRAINT fk_label_steps_undoes_label_steps FOREIGN KEY(undoes) REFERENCES label_steps (id))",
                "INSERT INTO label_steps SELECT * FROM old_steps",
                "DROP TABLE old_steps",
                "CREATE INDEX ix_label_steps_client ON label_steps (client)",
                "ALTER TABLE labels RENAME TO new_labels",
                "DROP INDEX ix_labels_label",
                "CREATE TABLE labels (id INTEGER NOT NULL PRIMARY KEY, content_hash VARCHAR(64) NOT NULL,"
                " label TEXT NOT NULL, value SMALLINT NOT NULL, created DATETIME NOT NULL,"
                " CONSTRAINT uq_labels_content_hash_label UNIQUE (content_hash, label))",
                "INSERT INTO labels SELECT id, picture, label, value, created FROM new_labels",
                "DROP TABLE new_labels",
                *(f"DROP TABLE {name}" for name in ("opinions", "tokens", "deliveries", "webhooks", "people")),
                "CREATE INDEX ix_labels_label ON labels (label)",
                "ALTER TABLE jobs DROP COLUMN furthest",
                "UPDATE alembic_version SET version_num = '0005'",
            ):
                connection.execute(text(statement))
    assert storage.migrate.HEAD > "0005"
    with Library(home, encoder) as library:
        assert said(library, folder / "a.jpg") == {"red": 1}
        assert {image.name: image.picture for image in library.images()} == old
        for label in BOARD:
            everywhere(library, label)
        library.labels.undo()
        assert library.labels.counts() == {"green": 1, "red": 1}
        library.labels.redo()
        library.add(folder)  # looks at the stored pixels of labelled pictures
        os.rename(folder / "b.jpg", folder / "moved.jpg")
        rated(folder / "moved.jpg")
        library.add(folder)
        assert said(library, folder / "moved.jpg") == {"green": 1}
