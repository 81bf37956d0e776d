"""A library moves to PostgreSQL and back: every row as it was, and ids go on from where they were."""

import pytest
from sqlalchemy import select

from clipcore import BadInput, NotFound, Step, drain, zero_shot_classifier
from storage import Filters, Jobs, Library, LibraryError, moving
from storage.moving import HOME, iter_move
from storage.tables import Base, Job
from tests.support.fakes import photo


@pytest.fixture
def home(tmp_path, photos, encoder):
    """A library with something in most of its tables, of which the last picture and its label have gone."""
    odd = photo(tmp_path / "odd" / "caf\N{LATIN SMALL LETTER E WITH ACUTE} \udce9.png", "blue", (9, 9))
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        library.add(odd.parent)
        library.label(photos / "a.png", "rot\N{ZERO WIDTH JOINER}käppchen")
        library.label(photos / "c.png", "green", -1)
        library.label(odd, "blue")
        library.labels.undo()
        library.save(zero_shot_classifier(encoder, ["red", "green"]), "colours")
        library.albums.save("some", "red", Filters(label="green"))
        library.sessions.start("mine", {"names": ["red"]})
        library.reports.save("accuracy", "one", {"right": 0.5}, {"loss": float("nan")})
        library.rate([1], 4)
        queue = Jobs(library)
        queue.register("work", lambda payload: iter([Step(1, 2, "half", {"loss": float("inf"), "rate": 0.1})]))
        queue.submit("work", {"path": "\udce9"})
        library.remove_folder(library.folders()[0].id if library.folders()[0].name == "odd" else library.folders()[1].id)
    return tmp_path / "home"


def told(library):
    """What a person sees of it."""
    return {
        "images": library.images(),
        "labels": library.labels.of(),
        "undo": library.labels.undo_counts("library"),
        "hits": [(hit.id, hit.score) for hit in library.search("red")],
        "classifiers": library.classifiers.all(),
        "albums": library.albums.all(),
        "sessions": library.sessions.all(),
        "reports": library.reports.all(),
        "stars": library.stars(1),
        "jobs": Jobs(library).recent(),
    }


def test_there_and_back(home, postgres, encoder, tmp_path):
    with Library(home, encoder) as library:
        before = told(library)
    url = postgres.empty()
    steps = []
    counts = drain(iter_move(home, None, url), steps.append)
    assert counts["images"] == len(before["images"]) == 4
    assert counts.keys() == Base.metadata.tables.keys()
    assert steps[-1].done == steps[-1].total == 2 * sum(counts.values())
    with Library(home, encoder, url) as library:
        assert told(library) == before
        fresh = photo(tmp_path / "more" / "new.png", "red", (11, 11))
        library.add(fresh.parent)
        assert max(image.id for image in library.images()) == 6, "the number of the picture that went is not given again"
        library.label(fresh, "red")
        after = told(library)
    with pytest.raises(LibraryError, match=r"was moved to postgresql.*--database"):
        Library(home)
    (home / moving.NOTE).rename(home / "note")
    with pytest.raises(BadInput, match="already"):
        drain(iter_move(home, None, url))
    (home / "note").rename(home / moving.NOTE)
    drain(iter_move(home, url, HOME))
    assert len(list((home / "replaced").glob("*/sayso.db"))) == 1, "the file of before is kept"
    with Library(home, encoder) as library:
        assert told(library) == after
        library.add(photo(tmp_path / "last" / "last.png", "red", (12, 12)).parent)
        assert max(image.id for image in library.images()) == 7


def test_what_does_not_arrive_is_not_moved(home, postgres, monkeypatch):
    url = postgres.empty()
    told = iter(range(1000))
    monkeypatch.setattr(moving, "_plain", lambda value: next(told) if value == b"" else (value, next(told)))
    with pytest.raises(LibraryError, match=r"did not arrive.*nothing was moved"):
        drain(iter_move(home, None, url))
    monkeypatch.undo()
    assert not (home / moving.NOTE).exists()
    with Library(home) as library:  # and it still opens
        assert library.count() == 4
    assert drain(iter_move(home, None, url))["images"] == 4, "nothing was left there that stands in the way"


def test_what_cannot_be_moved_is_said(home, postgres, tmp_path):
    with pytest.raises(BadInput, match="between the home and a server"):
        drain(iter_move(home, None, HOME))
    with pytest.raises(NotFound, match="no library in"):
        drain(iter_move(tmp_path / "nowhere", None, postgres.empty()))
    with pytest.raises(NotFound, match="no library in the database"):
        drain(iter_move(tmp_path / "other", postgres.empty(), HOME))
    with Library(home), pytest.raises(LibraryError, match="in use"):
        drain(iter_move(home, None, postgres.empty()))
    with Library(home) as library, library.database.reading() as connection:
        assert connection.scalars(select(Job.kind)).all() == ["work"]
