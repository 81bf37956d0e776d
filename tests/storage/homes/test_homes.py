"""A library of each revision of the tables opens with everything in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import Library, migrate
from tests.support.fakes import FakeEncoder

HERE = Path(__file__).parent
WRITTEN = sorted(path.stem for path in HERE.glob("*.sql"))


def home_of(revision: str, folder: Path) -> Path:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "sayso.db")) as connection:
        connection.executescript((HERE / f"{revision}.sql").read_text())
    return folder


def test_no_revision_is_forgotten():
    revisions = {path.name.split("_")[0] for path in (migrate.SCRIPTS / "versions").glob("*.py")}
    assert revisions - set(WRITTEN) <= {migrate.HEAD}, "run python -m tests.storage.homes.write at the revision before"


@pytest.mark.parametrize("revision", WRITTEN)
def test_a_library_of_before_opens_with_everything_in_it(revision, tmp_path):
    encoder = FakeEncoder()
    with Library(home_of(revision, tmp_path / "home"), encoder) as library:
        assert encoder.embedded == 0
        names = ["0 red.png", "1 red.png", "2 green.png", "3 blue.png", "4 green.png"]
        assert [image.name for image in library.images()] == names
        assert [(folder.name, folder.images) for folder in library.folders()] == [("pictures", 5)]
        assert [Path(skipped.path).name for skipped in library.skipped()] == ["broken.jpg"]
        assert {hit.image.name for hit in library.search("red", 2)} == {"0 red.png", "1 red.png"}
        assert [record.version for record in library.classifiers.versions("colours")] == [2, 1]
        said = library.classify(library.classifiers.get("colours"))[1]
        assert [said[i].label for i in (0, 1, 2, 4)] == ["red", "red", "green", "green"]
        with library.database.reading() as connection:
            run = connection.exec_driver_sql("SELECT id FROM runs").scalar()
            assert connection.exec_driver_sql("SELECT kind, state FROM jobs").all() == [("nobody knows", "queued")]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert len(library.runs.predictions(run)[0]) == 5
        if revision >= "0003":
            assert library.labels.counts() == {"warm": 2}
            warm = {library.image(i).name: values["warm"] for i, values in library.labels.of([1, 2, 3, 4, 5]).items()}
            assert warm == {"0 red.png": 1, "1 red.png": 1, "3 blue.png": -1}
            assert library.albums.open("reds").total == 2
            assert library.reports.get(library.reports.all("accuracy")[0].id).report == {"rows": [1, 2]}
        if revision >= "0008":
            (session,) = library.sessions.all()
            assert (session.name, session.state, session.run) == ("trip", {"names": "red, green"}, run)
            assert library.classifiers.versions("colours")[0].about == "For the garden."
        else:
            assert library.sessions.all() == []
        assert [person.name for person in library.people.all()] == (["Ana"] if revision >= "0011" else [])
    (backup,) = library.backups.all()
    assert backup.why == f"before-{migrate.HEAD}"
