"""Backups of each day, damage that is noticed at the next opening, and a backup put back with everything in it."""

import os
import sqlite3
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from clipcore import BadInput, NotFound, zero_shot_classifier
from storage import Jobs, Keeper, Library, LibraryError, backups
from storage.backups import DAILY, KEPT, Stopped, is_due, list_backups
from storage.restoring import NOT_RUN, finish_restoring, restore
from tests.support.fakes import FakeEncoder


@pytest.fixture
def home(tmp_path, photos):
    """A library with something of everything."""
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        library.classifiers.save(zero_shot_classifier(encoder, ["red", "green"]), "colours")
        library.labels.label_many([1, 2], "warm", 1)
        library.albums.save("reds", "red")
        library.reports.save("accuracy", "first", {"accuracy": 0.5}, {"rows": [1, 2]})
    return tmp_path / "home"


def everything(home):
    """What a person would miss."""
    with Library(home, FakeEncoder()) as library:
        images = library.images()
        return {
            "images": [(image.id, image.path) for image in images],
            "searches": [[(hit.image.id, round(hit.score, 5)) for hit in library.search(w, 9)] for w in ("red", "blue")],
            "labels": library.labels.of([image.id for image in images]),
            "counts": library.labels.counts(),
            "classifiers": [(record.name, record.version) for record in library.classifiers.all()],
            "answers": [answer.label for answer in library.classify(library.classifiers.get("colours"))[1]],
            "albums": [(album.name, library.albums.open(album.name).total) for album in library.albums.all()],
            "reports": [library.reports.get(report.id).report for report in library.reports.all()],
        }


def age(home, days: float, newest_only: bool = True) -> None:
    """Make the newest backup, or all, this much older; the library stays of today."""
    for backup in list_backups(home)[: 1 if newest_only else None][::-1]:
        made = backup.made - timedelta(days=days)
        to = backup.path.with_name(f"sayso-{made:{backups.MOMENT}}-{backup.why}.db")
        backup.path.rename(to)
        os.utime(to, (made.timestamp(), made.timestamp()))


def overwrite(path, start: float = 0.3, stop: float = 0.6) -> None:
    """Write noise over pages in the middle of a file."""
    with open(path, "r+b") as file:
        size = path.stat().st_size
        file.seek(int(size * start))
        file.write(os.urandom(int(size * (stop - start))))


# made


def test_the_first_day_has_a_backup_and_a_new_library_needs_none(tmp_path, photos):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        assert library.backups.daily() is None
        library.add(photos)
        made = library.backups.daily()
        assert [backup.why for backup in library.backups.all()] == [DAILY]
        assert library.backups.daily() is None  # one a day
    with closing(sqlite3.connect(made)) as copy:
        assert copy.execute("SELECT count(*) FROM images").fetchone() == (4,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)  # one file, nothing beside it
    assert [path.name for path in made.parent.iterdir()] == [made.name]
    assert made.stat().st_mode & 0o077 == 0


def test_a_day_without_anything_new_needs_no_backup(home):
    with Library(home) as library:
        library.backups.daily()
    age(home, 1.01)
    library_file = home / "sayso.db"
    os.utime(library_file, (0, 0))
    with Library(home) as library:
        assert not is_due(library.database, home)
        library.labels.label_many([3], "warm", 1)
        assert is_due(library.database, home)
        assert library.backups.daily() is not None


def test_a_clock_that_was_wrong_stops_no_backups(home):
    with Library(home) as library:
        library.backups.daily()
    age(home, -400)
    os.utime(list_backups(home)[0].path, (0, 0))
    with Library(home) as library:
        assert library.backups.daily() is not None


def test_seven_are_kept_and_those_made_by_hand_push_none_of_them_out(home):
    for _ in range(KEPT + 2):
        with Library(home) as library:
            backups.backup(library.database, home, DAILY)
        age(home, 1, newest_only=False)
    with Library(home) as library:
        for _ in range(KEPT + 2):
            library.backups.make()
        kept = [backup.why for backup in library.backups.all()]
    assert sorted(set(kept)) == ["by-hand", "daily"]
    assert (kept.count("by-hand"), kept.count("daily")) == (KEPT, KEPT)


def test_a_backup_goes_where_it_is_told_and_overwrites_nothing(home, tmp_path):
    (tmp_path / "disk").mkdir()
    with Library(home) as library:
        assert library.backups.make(tmp_path / "disk" / "mine.db") == tmp_path / "disk" / "mine.db"
        assert library.backups.make(tmp_path / "disk").parent == tmp_path / "disk"
        with pytest.raises(BadInput, match="already a file"):
            library.backups.make(tmp_path / "disk" / "mine.db")
        with pytest.raises(BadInput, match="make it first"):
            library.backups.make(tmp_path / "nowhere" / "mine.db")
        assert library.backups.all() == []


def test_a_backup_is_of_one_moment_while_others_write(home):
    stop = threading.Event()

    def write():
        with Library(home) as other:
            while not stop.is_set():
                other.labels.label_many([1, 2, 3], "busy", 1)
                other.labels.undo()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with Library(home) as library:
            copies = [library.backups.make() for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    for copy in copies:
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM labels WHERE label = 'busy'").fetchone()[0] in (0, 3)


def test_a_damaged_library_pushes_no_good_backup_out(home):
    with Library(home) as library:
        good = library.backups.make()
        overwrite(home / "sayso.db")
        for _ in range(KEPT + 1):
            with pytest.raises(LibraryError, match=r"damaged.*restore"):
                library.backups.make()
        assert [backup.path for backup in library.backups.all()] == [good]
        assert [path.name for path in good.parent.iterdir()] == [good.name]


def test_without_room_there_is_a_sentence_and_nothing_half_written(home, monkeypatch):
    monkeypatch.setattr(backups, "ROOM", 10**18)
    with Library(home) as library:
        with pytest.raises(LibraryError, match="no room for a backup"):
            library.backups.make()
        assert list((home / "backups").iterdir()) == []


def test_a_backup_is_left_off_when_the_program_ends(home):
    stop = threading.Event()
    stop.set()
    with Library(home) as library:
        with pytest.raises(Stopped):
            library.backups.daily(stop)
        assert list((home / "backups").iterdir()) == []


# on the page


def test_the_keeper_makes_them_and_says_when_they_are_old(home, monkeypatch):
    with Library(home) as library:
        working = Keeper(library)
        working.start()
        end = time.monotonic() + 20
        while not library.backups.all() and time.monotonic() < end:
            time.sleep(0.01)
        working.stop()
        assert (len(library.backups.all()), working.warning) == (1, "")
        keeper = Keeper(library)
        age(home, 3)
        library.labels.label_many([3], "warm", 1)
        monkeypatch.setattr(backups, "ROOM", 10**18)
        keeper.look()
        assert "no room for a backup" in keeper.warning
        monkeypatch.undo()
        monkeypatch.setattr(backups.Backups, "daily", lambda *_: None)
        keeper.look()
        old = datetime.now() - timedelta(days=3)
        assert keeper.warning == f"the last backup is of {old:%Y-%m-%d}"
        monkeypatch.undo()
        keeper.look()
        assert keeper.warning == ""


# damage


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_bytes(b""), "is empty, but it has backups.*restore"),
        (lambda path: path.unlink(), "is gone, but it has backups.*restore"),
        (lambda path: os.truncate(path, path.stat().st_size // 2), "is damaged.*restore"),
        (lambda path: overwrite(path), "is damaged.*restore"),
        (lambda path: overwrite(path, 0.0, 0.01), "is damaged.*restore"),
    ],
    ids=["emptied", "gone", "truncated", "pages", "head"],
)
def test_damage_is_noticed_at_the_next_opening_and_a_backup_is_put_back(home, harm, said):
    before = everything(home)
    with Library(home) as library:
        backup = library.backups.make()
    harm(home / "sayso.db")
    harmed = (home / "sayso.db").read_bytes() if (home / "sayso.db").exists() else None
    for _ in range(2):
        with pytest.raises(LibraryError, match=said):
            Library(home)
    aside = restore(home, backup)
    assert everything(home) == before
    assert (aside.read_bytes() if aside else None) == harmed  # what was damaged is kept


def test_an_empty_file_without_a_backup_is_a_new_library(tmp_path):
    (tmp_path / "sayso.db").touch()  # as a first start that was killed leaves it
    with Library(tmp_path) as library:
        assert library.count() == 0


# put back


def test_a_backup_is_put_back_with_everything_in_it(home, photos):
    before = everything(home)
    with Library(home) as library:
        backup = library.backups.make()
        waiting = Jobs(library).submit("export", {})
        library.labels.label_many([1, 2, 3, 4], "wrong", 1)
        library.classifiers.delete("colours")
        library.albums.delete("reds")
        library.remove_folder(1)
        late = library.backups.make()
    assert restore(home, backup).parent.parent == home / "replaced"
    assert everything(home) == before
    restore(home, late)  # one that has a job waiting: the world has moved on
    with Library(home) as library:
        job = Jobs(library).get(waiting)
        assert (job.state, job.error) == ("cancelled", NOT_RUN)
        assert library.count() == 0
    restore(home, backup)
    assert everything(home) == before
    assert len(list((home / "replaced").iterdir())) == 3


def test_a_copy_of_the_file_made_by_hand_is_taken_with_its_log(home, tmp_path):
    before = everything(home)
    with Library(home) as library:
        library.labels.label_many([3], "late", 1)
        (tmp_path / "copy").mkdir()
        for name in ("sayso.db", "sayso.db-wal"):
            (tmp_path / "copy" / name).write_bytes((home / name).read_bytes())
    restore(tmp_path / "other", tmp_path / "copy" / "sayso.db")
    with Library(tmp_path / "other", FakeEncoder()) as library:
        assert library.labels.counts() == {**before["counts"], "late": 1}


@pytest.mark.skipif(os.name == "nt", reason="there an open file cannot be replaced")
def test_a_library_in_use_is_not_replaced(home):
    with Library(home) as library:
        backup = library.backups.make()
        with pytest.raises(LibraryError, match="in use; end Sayso"):
            restore(home, backup)
    restore(home, backup)


def test_what_is_no_backup_is_refused(home, tmp_path):
    (tmp_path / "text.db").write_text("no database")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE images (id)")
    with Library(home) as library:
        damaged = library.backups.make(tmp_path / "damaged.db")
        newer = library.backups.make(tmp_path / "newer.db")
    overwrite(damaged)
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = everything(home)
    with pytest.raises(BadInput, match="newer Sayso"):
        restore(home, newer)
    with pytest.raises(NotFound, match="lists the backups"):
        restore(home, tmp_path / "nothing.db")
    with pytest.raises(BadInput, match="own file"):
        restore(home, home / "sayso.db")
    for file in ("text.db", "other.db", "damaged.db"):
        with pytest.raises(BadInput, match="damaged; choose another"):
            restore(home, tmp_path / file)
    assert everything(home) == before


def test_a_restore_that_was_decided_on_is_finished_at_the_next_opening(home):
    with Library(home) as library:
        backup = library.backups.make()
        library.labels.label_many([3, 4], "late", 1)
    for step in range(3):  # nothing done yet; the old file moved; the old file and its log moved
        (home / "sayso.db.restored").write_bytes(backup.read_bytes())
        aside = (
            home / "replaced" / f"{datetime.fromtimestamp((home / 'sayso.db.restored').stat().st_mtime):%Y-%m-%d-%H%M%S-%f}"
        )
        (home / "sayso.db-wal").write_bytes(b"of the old file" if step < 2 else b"")
        if step:
            aside.mkdir(parents=True)
            (home / "sayso.db").rename(aside / "sayso.db")
        with Library(home) as library:
            assert library.labels.counts() == {"warm": 2}
        assert not (home / "sayso.db.restored").exists()
    assert finish_restoring(home / "sayso.db", home) is None
