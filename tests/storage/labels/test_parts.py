"""Very many pictures at once: written in parts, so that others get in between, and still one step for whoever did it."""

import pytest

from clipcore import NONE
from storage import Library
from storage.labels import labelling
from tests.support.fakes import photo

BOARD = ("red", "green", "blue")


@pytest.fixture
def library(tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(labelling, "LOCKED", 4)
    monkeypatch.setattr(labelling, "PAUSE", 0)
    for index in range(18):
        photo(tmp_path / "photos" / f"{index:02}.png", "red", (30 + index, 20))
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield library


@pytest.fixture
def ids(library):
    return [image.id for image in library.images()]


def between(monkeypatch, then):
    """Do something whenever the lock is given away."""
    times = []

    def sleep(_):
        times.append(len(times))
        then(len(times))

    monkeypatch.setattr(labelling.time, "sleep", sleep)
    return times


def test_others_write_between_the_parts(library, ids, monkeypatch):
    times = between(monkeypatch, lambda number: library.label(ids[-number], f"other {number}"))
    moved = library.labels.label_many(ids, "dog", client="me")
    assert (len(moved.changed), len(times)) == (18, 4)  # a part of four, and another writer after each but the last
    assert library.labels.counts() == {"dog": 18} | {f"other {number}": 1 for number in (1, 2, 3, 4)}
    assert library.labels.undo_counts("me") == (1, 0)
    monkeypatch.undo()
    assert len(library.labels.undo("me").changed) == 18
    assert library.labels.counts() == {f"other {number}": 1 for number in (1, 2, 3, 4)}
    assert len(library.labels.redo("me").changed) == 18
    assert library.labels.undo_counts("me") == (1, 0)
    library.labels.undo("me")
    assert library.labels.undo_counts("me") == (0, 1)
    assert "dog" not in library.labels.counts()


def test_wide_moves_have_fewer_pictures_in_a_part(library, ids, monkeypatch):
    times = between(monkeypatch, lambda number: None)
    library.labels.move(ids, NONE, BOARD)
    assert len(times) == 17  # three labels for each picture: one picture at a time
    assert library.labels.of() == dict.fromkeys(ids, dict.fromkeys(BOARD, -1))


def test_what_someone_did_between_the_parts_stays(library, ids, monkeypatch):
    def faster(number):
        if number == 1:
            library.labels.move(ids[-1:], "green", BOARD, client="other")

    between(monkeypatch, faster)
    moved = library.labels.move(ids, "red", BOARD, client="me", held=dict.fromkeys(ids))
    assert (len(moved.changed), len(moved.skipped)) == (17, 1)
    assert library.labels.of(ids[-1:]) == {ids[-1]: {"green": 1}}


@pytest.mark.parametrize("stop_at", [1, 3])
@pytest.mark.parametrize("what", ["label", "undo"])
def test_a_step_that_was_cut_off_goes_on_when_it_is_asked_for_again(library, ids, monkeypatch, what, stop_at):
    def do(op):
        if what == "label":
            return library.labels.label_many(ids, "dog", client="me", op=op)
        return library.labels.undo("me", op=op)

    if what == "undo":
        library.labels.label_many(ids, "dog", client="me", op="first")

    def cut(number):
        if number == stop_at:
            raise ConnectionError("the process died here")

    between(monkeypatch, cut)
    with pytest.raises(ConnectionError):
        do("again")
    there = library.labels.counts().get("dog", 0)
    assert there == (4 * stop_at if what == "label" else 18 - 4 * stop_at)
    between(monkeypatch, lambda number: None)
    assert len(do("again").changed) == 18
    assert library.labels.counts().get("dog", 0) == (18 if what == "label" else 0)
    assert library.labels.undo_counts("me") == ((1, 0) if what == "label" else (0, 1))
    back = library.labels.undo("me") if what == "label" else library.labels.redo("me")
    assert len(back.changed) == 18


def test_an_import_of_very_many_labels_is_one_step(library, ids, tmp_path, monkeypatch):
    times = between(monkeypatch, lambda number: None)
    rows = [(image.path, "dog" if image.id % 2 else "cat") for image in library.images()]
    assert library.exchange.import_labels(rows).changed == 18
    assert len(times) > 3
    assert library.labels.undo_counts(labelling.ME) == (1, 0)
    library.labels.undo()
    assert library.labels.of() == {}
