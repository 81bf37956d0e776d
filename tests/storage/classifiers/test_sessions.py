"""Sessions: kept, found again, two windows on one, copies with a board of their own, deleted and had back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from clipcore import BadInput, NotFound, Overtaken, TooMany, zero_shot_classifier
from storage import Library
from storage.classifiers import runs
from storage.tables import RunRow, SessionRow, now

STATE = {"names": "dog, cat", "templates": "{label}", "many": False, "source": "folder:1", "tab": "classify"}


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


@pytest.fixture
def classifier(encoder):
    return zero_shot_classifier(encoder, ["red", "green"])


def test_a_session_outlives_the_process(tmp_path, library, classifier):
    run = library.runs.start(classifier)
    session = library.sessions.start("  Summer   trip ")
    assert (session.name, session.state, session.run, session.edition) == ("Summer trip", {}, None, 0)
    kept = library.sessions.save(session.id, STATE, expected=0)
    library.sessions.show(session.id, run.id)
    assert library.sessions.save(session.id, STATE, expected=1) == library.sessions.get(session.id)  # nothing new
    with Library(tmp_path / "home") as again:  # needs no model
        (found,) = again.sessions.all()
    assert (found.id, found.name, found.state) == (session.id, "Summer trip", STATE)
    assert (found.run, found.edition, kept.edition) == (run.id, 1, 1)


def test_the_last_used_comes_first(library):
    first, second = library.sessions.start("first"), library.sessions.start("second")
    assert [session.name for session in library.sessions.all()] == ["second", "first"]
    library.sessions.use(first.id)
    assert [session.name for session in library.sessions.all()] == ["first", "second"]
    library.sessions.save(second.id, STATE)
    assert library.sessions.all()[0].id == second.id


def test_two_windows_do_not_overwrite_each_other(library):
    session = library.sessions.start()
    library.sessions.save(session.id, {**STATE, "names": "of one window"}, expected=0)
    with pytest.raises(Overtaken, match="another window"):
        library.sessions.save(session.id, {**STATE, "names": "of the other"}, expected=0)
    assert library.sessions.get(session.id).state["names"] == "of one window"
    library.sessions.save(session.id, {**STATE, "names": "of the other"}, expected=1)  # it knows now, and chose its own
    library.sessions.save(session.id, {**STATE, "names": "of the other"}, expected=0)  # both say the same: no one loses
    assert library.sessions.get(session.id).edition == 2


def test_where_someone_is_overwrites_nothing(library):
    session = library.sessions.start()
    library.sessions.save(session.id, STATE, expected=0)
    library.sessions.look(session.id, {"tab": "library", "search": {"q": "dog"}})
    looked = library.sessions.look(session.id, {"tab": "models"})
    assert (looked.state, looked.edition) == ({**STATE, "view": {"tab": "models"}}, 1)
    saved = library.sessions.save(session.id, {**STATE, "many": True}, expected=1)
    assert saved.state == {**STATE, "many": True, "view": {"tab": "models"}}


def test_names_are_one_a_session(library):
    names = [library.sessions.start().name for _ in range(3)]
    assert names == ["New session", "New session 2", "New session 3"]
    session = library.sessions.all()[0]
    assert library.sessions.rename(session.id, " pets ").name == "pets"
    assert library.sessions.rename(session.id, "pets").name == "pets"  # its own name is not taken
    with pytest.raises(BadInput, match="a session “New session” already"):
        library.sessions.rename(session.id, "New session")
    with pytest.raises(BadInput, match="A session needs a name"):
        library.sessions.rename(session.id, " ")


def test_a_copy_has_a_board_of_its_own(library, classifier):
    run = library.runs.start(classifier)
    library.runs.change(run.id, replace(classifier, kind="taught"))
    session = library.sessions.start("pets", STATE)
    library.sessions.show(session.id, run.id)
    copy = library.sessions.duplicate(session.id)
    assert (copy.name, copy.state) == ("pets copy", STATE)
    assert copy.run not in (None, run.id)
    assert library.runs.revert(copy.run).classifier.kind == "zero-shot"  # what was taught is taken back in one of them
    assert library.runs.get(run.id).classifier.kind == "taught"
    assert library.runs.revert(run.id).classifier.kind == "zero-shot"
    assert library.sessions.duplicate(library.sessions.start("empty").id).run is None


def test_deleted_and_had_back(library, photos):
    library.add(photos)
    library.label(1, "dog")
    session = library.sessions.start("pets", STATE)
    assert library.sessions.delete(session.id).name == "pets"
    assert library.sessions.all() == []
    assert library.labels.counts() == {"dog": 1}
    for call in (library.sessions.get, library.sessions.use, library.sessions.duplicate, library.sessions.delete):
        with pytest.raises(NotFound, match="not there any more"):
            call(session.id)
    library.sessions.start("pets")  # the name was free meanwhile
    back = library.sessions.restore(session.id)
    assert (back.name, back.state) == ("pets 2", STATE)
    with pytest.raises(NotFound):
        library.sessions.restore(session.id)


def test_what_was_deleted_long_ago_goes_for_good(library):
    old, young = library.sessions.start("old"), library.sessions.start("young")
    library.sessions.delete(old.id)
    with library.database.writing() as connection:
        long_ago = now() - timedelta(days=31)
        connection.execute(update(SessionRow).where(SessionRow.id == old.id).values(deleted=long_ago))
    library.sessions.delete(young.id)
    with pytest.raises(NotFound):
        library.sessions.restore(old.id)
    assert library.sessions.restore(young.id).name == "young"


def test_boards_of_sessions_are_kept_however_many_runs_come(library, classifier, monkeypatch):
    run = library.runs.start(classifier)
    library.runs.change(run.id, replace(classifier, kind="taught"))
    lost = library.runs.start(classifier)
    session = library.sessions.start()
    library.sessions.show(session.id, run.id)
    monkeypatch.setattr(runs, "KEPT_RUNS", 2)
    with library.database.writing() as connection:  # older than all that come
        connection.execute(update(RunRow).values(created=now() - timedelta(days=1)))
    for _ in range(3):
        library.runs.start(classifier)
    assert library.runs.revert(run.id).classifier == classifier
    with pytest.raises(NotFound):
        library.sessions.show(session.id, lost.id)
    assert library.sessions.get(session.id).run == run.id


def test_a_state_is_no_store_for_anything(library):
    session = library.sessions.start()
    with pytest.raises(TooMany, match="too long to be kept"):
        library.sessions.save(session.id, {"names": "x" * 1_000_001})
    library.sessions.save(session.id, {"names": "half a letter \ud800"})
    assert library.sessions.get(session.id).state == {"names": "half a letter \ud800"}
