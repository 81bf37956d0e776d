"""Who labelled what: several people's labels of one picture, each person's own undo, and what people differ on."""

import pytest
from sqlalchemy import select

from clipcore import NONE
from storage import Library, acting
from storage.tables import LabelRow, LabelStep
from tests.support.fakes import FakeEncoder

AMONG = ["dog", "cat"]


@pytest.fixture
def library(tmp_path, photos):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(photos)
        for name in ("Ana", "Bo", "Cy"):
            library.people.add(name, "owner")
        yield library


def who(library, name):
    return acting(library.people.get(name).id)


def said(library, image_id):
    names = {person.id: person.name for person in library.people.all()}
    picture = library.image(image_id).picture
    return {(names[word.person_id], word.label): word.value for word in library.labels.words_of(picture)}


def test_a_label_and_its_step_have_an_author(library):
    with who(library, "Ana"):
        library.labels.move([1, 2], "dog", AMONG)
    library.labels.move([3], "cat", AMONG)
    ana = library.people.get("Ana").id
    with library.database.reading() as connection:
        assert set(connection.execute(select(LabelRow.label, LabelRow.author_id))) == {("dog", ana), ("cat", None)}
        assert list(connection.scalars(select(LabelStep.author_id).order_by(LabelStep.id))) == [ana, None]
    picture = library.image(1).picture
    (author, when) = library.labels.authors([picture])[picture, "dog"]
    assert author == ana
    assert when.tzinfo


def test_several_peoples_labels_of_one_picture_are_kept(library):
    with who(library, "Ana"):
        library.labels.move([1], "dog", AMONG)
    with who(library, "Bo"):
        library.labels.move([1], "cat", AMONG)
    assert library.labels.of([1]) == {1: {"cat": 1}}, "on a board that both see, the last one counts"
    assert said(library, 1) == {("Ana", "dog"): 1, ("Bo", "cat"): 1}
    with who(library, "Cy"):
        library.labels.say([1], "dog", AMONG)
        library.labels.say([2], NONE, AMONG)
    assert library.labels.of([1, 2]) == {1: {"cat": 1}, 2: {"cat": -1, "dog": -1}}, "what stands is not overwritten"
    assert said(library, 1)["Cy", "dog"] == 1
    assert library.labels.differing() == [1]


def test_saying_what_others_said_is_a_step(library):
    with who(library, "Ana"):
        library.labels.move([1], "dog", AMONG)
    with who(library, "Bo"):
        assert library.labels.undo_counts("library") == (0, 0)
        library.labels.move([1], "dog", AMONG)
        assert library.labels.undo_counts("library") == (1, 0)
        library.labels.undo()
    assert said(library, 1) == {("Ana", "dog"): 1}
    assert library.labels.of([1]) == {1: {"dog": 1}}


def test_undo_takes_back_ones_own_last_step_only(library):
    with who(library, "Ana"):
        library.labels.move([1], "dog", AMONG)
    with who(library, "Bo"):
        library.labels.move([2], "cat", AMONG)
        assert library.labels.undo().changed == (library.image(2).picture,)
        assert library.labels.undo() is None, "the other step is Ana's"
        library.labels.redo()
    with who(library, "Ana"):
        library.labels.undo()
        assert library.labels.undo() is None
    assert library.labels.undo() is None, "and nobody's steps are nobody's"
    assert library.labels.of() == {2: {"cat": 1}}
    assert said(library, 1) == {}
    assert said(library, 2) == {("Bo", "cat"): 1}


def test_somebody_decides(library):
    with who(library, "Ana"):
        library.labels.say([1, 2], "dog", AMONG)
    with who(library, "Bo"):
        library.labels.say([1], "cat", AMONG)
        library.labels.say([2], "dog", AMONG)
    assert library.labels.differing() == [1]
    with who(library, "Cy"):
        library.labels.decide([1], "dog", AMONG)
        assert library.labels.differing() == []
        assert library.labels.of([1]) == {1: {"dog": 1}}
        assert said(library, 1) == {("Ana", "dog"): 1, ("Bo", "cat"): 1}, "a decision is no further opinion"
    with who(library, "Bo"):
        library.labels.move([1], "cat", AMONG)
    assert library.labels.differing() == [1], "somebody moved it since"


def test_each_person_has_a_share_of_what_is_to_be_labelled(library):
    pictures = [f"{number:064x}" for number in range(2000)]
    mine = {}
    for name in ("Ana", "Bo", "Cy"):
        with who(library, name):
            mine[name] = ~library.labels.not_mine(pictures)
    by = sum(each.astype(int) for each in mine.values())
    assert set(by) == {1, 2}, "nobody's is no picture"
    assert 0.07 < (by == 2).mean() < 0.13
    assert all(0.3 < each.mean() < 0.43 for each in mine.values())
    library.people.disable("Cy")
    with who(library, "Ana"):
        now = ~library.labels.not_mine(pictures)
    assert now[mine["Ana"]].all(), "what was mine stays mine"
    assert not library.labels.not_mine(pictures).any(), "who works alone has it all"
