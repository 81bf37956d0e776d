"""The examination of a home: each kind of damage is found, told, and mended where that can be done."""

import os
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from clipcore import drain, zero_shot_classifier
from storage import Library, iter_examine
from storage.backups import list_backups
from tests.storage.test_backups import age, overwrite
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def home(tmp_path, photos):
    """A library in order, closed."""
    encoder = FakeEncoder()
    home = tmp_path / "home"
    with Library(home, encoder) as library:
        library.add(photos)
        file = library.keep_upload((photos / "a.png").read_bytes(), "dropped.png")
        for _ in library.iter_add_files([photo(tmp_path / "one.png", "grey"), file], "Dropped"):
            pass
        library.classifiers.save(zero_shot_classifier(encoder, ["red", "green"]), "colours")
        library.search("red")
        for image in library.images():
            library.thumbnail(image.id)
        library.backups.daily()
    for path in (home, *home.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return home


def examined(home):
    return drain(iter_examine(home))


def test_a_home_in_order(home):
    assert examined(home) == []


def test_no_home_is_made_by_looking(tmp_path):
    (tmp_path / "empty").mkdir()
    assert examined(tmp_path / "empty") == [] or all(found.check == "permissions" for found in examined(tmp_path / "empty"))
    assert list((tmp_path / "empty").iterdir()) == []


def index_file(home):
    return next((home / "index").glob("*.faiss"))


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def sql(statement):
    def harm(home, photos):
        with closing(sqlite3.connect(home / "sayso.db")) as connection, connection:
            connection.execute(statement)

    return harm


def old(path):
    path.write_bytes(b"half")
    os.utime(path, (time.time() - 7200,) * 2)


def stray_upload(home, photos):
    (home / "uploads" / ("0" * 16)).mkdir()
    (home / "uploads" / ("0" * 16) / "stray.png").write_bytes(b"x" * 1000)


def moved_home(home, photos):
    with closing(sqlite3.connect(home / "sayso.db")) as connection, connection:
        for image, path in connection.execute("SELECT id, path FROM images").fetchall():
            path = path.replace(os.fsencode(home), b"/old/home")
            connection.execute("UPDATE images SET path = ? WHERE id = ?", [path, image])


def late_backup(home, photos):
    age(home, 3)
    sql("UPDATE folders SET name = 'new' WHERE id = 1")(home, photos)


def orphan_thumbnail(home, photos):
    folder = home / "thumbs" / "256" / "aa"
    folder.mkdir(exist_ok=True)
    shutil.copy(next((home / "thumbs").rglob("*.webp")), folder / "b.webp")


def contents(home):
    """Every file of a home but the library's own, which an opening touches, and when it was written."""
    files = (path for path in home.rglob("*") if path.is_file() and "sayso.db" not in path.name)
    return sorted((path, path.stat().st_mtime_ns) for path in files)


MENDED = {
    "missing": (lambda home, photos: (photos / "a.png").unlink(), "pictures", "1 image of the library cannot be found"),
    "moved home": (moved_home, "pictures", "1 upload moved along with the home"),
    "index": (lambda home, photos: flip(index_file(home)), "index", "not the file that was written"),
    "index of another library": (
        sql("UPDATE spaces SET token = 'another'"),
        "index",
        "not the file that was written for this library",
    ),
    "thumbnail": (
        lambda home, photos: os.truncate(next((home / "thumbs").rglob("*.webp")), 20),
        "thumbnails",
        "1 thumbnail damaged",
    ),
    "orphan thumbnail": (orphan_thumbnail, "thumbnails", "not in the library"),
    "orphan vector": (
        sql("INSERT INTO embeddings (space_id, content_hash, vector) VALUES (1, 'nothing', zeroblob(16))"),
        "vectors",
        "1 vector belong",
    ),
    "short vector": (sql("UPDATE embeddings SET vector = x'00' WHERE id = 1"), "vectors", "1 vector have the wrong length"),
    "upload": (stray_upload, "uploads", "1 uploaded file of no image"),
    "half written": (lambda home, photos: old(home / "uploads" / "x.png.0123.part"), "leftovers", "1 file half written"),
    "damaged backup": (lambda home, photos: overwrite(list_backups(home)[0].path), "backups", "1 backup cannot be used"),
    "late backup": (late_backup, "backups", "The last backup"),
    "no backup": (lambda home, photos: shutil.rmtree(home / "backups"), "backups", "There is no backup yet"),
}


@pytest.mark.parametrize("name", MENDED)
def test_what_can_be_mended_is_told_first_and_then_mended(home, photos, name):
    harm, check, said = MENDED[name]
    harm(home, photos)
    before = contents(home)
    found = [finding for finding in examined(home) if finding.fix]
    assert said in " ".join(finding.sentence for finding in found if finding.check == check)
    assert contents(home) == before  # looking changes nothing
    for finding in found:
        finding.fix()
    assert examined(home) == []


def test_what_mending_leaves(home, photos):
    """Labels of what is missing stay, and a stray upload is kept where it can be found."""
    with Library(home) as library:
        library.labels.label_many([1], "warm", 1)
    (photos / "a.png").rename(photos / "a.away")
    stray_upload(home, photos)
    for finding in examined(home):
        finding.fix()
    assert (home / "unused-uploads" / ("0" * 16) / "stray.png").read_bytes() == b"x" * 1000
    (photos / "a.away").rename(photos / "a.png")
    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        library.add(photos)
        assert encoder.embedded == 0
        assert library.labels.counts() == {"warm": 1}
        assert library.labels.of([1]) == {1: {"warm": 1}}


def test_an_index_inside_the_file_is_built_anew(home):
    with closing(sqlite3.connect(home / "sayso.db")) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("CREATE TABLE other (label TEXT)")
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_images_content_hash'").fetchone()[0]
        other = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'ix_images_dated'").fetchone()[0]
        connection.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'ix_images_dated'", [page])
        connection.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'ix_images_content_hash'", [other])
        connection.execute("DROP TABLE other")
    (found,) = [finding for finding in examined(home) if finding.check == "library"]
    assert "index" in found.sentence
    found.fix()
    assert examined(home) == []


def test_what_takes_a_person(home, photos, tmp_path):
    model = home / "models" / "birds" / "model"
    model.mkdir(parents=True)
    (model / "open_clip_model.safetensors").write_bytes(b"\x08" + bytes(20))
    (home / "models" / "birds" / "checkpoint.pt").write_bytes(b"PK half")
    photo(photos / "c.png", "blue", (99, 99))
    sql("UPDATE classifiers SET file = x'00'")(home, photos)
    found = examined(home)
    assert {finding.check for finding in found} == {"models", "pictures", "classifiers"}
    assert [finding.fix for finding in found] == [None] * len(found)
    assert "1 image changed since" in " ".join(finding.sentence for finding in found)
    assert any(finding.examples == ("colours, version 1",) for finding in found)
    shutil.move(photos, tmp_path / "elsewhere")
    assert "with 4 images is not there" in " ".join(finding.sentence for finding in examined(home))
    assert not any(finding.fix for finding in examined(home))  # a disk that is not plugged in hides nothing


def test_a_damaged_library_names_its_newest_whole_backup(home):
    with Library(home) as library:
        library.backups.make()
    newest, whole = list_backups(home)
    overwrite(newest.path)
    overwrite(home / "sayso.db")
    found = next(finding for finding in examined(home) if finding.check == "library")
    assert found.fix is None
    assert f"restore {whole.path}" in found.remedy
