"""Copies are set aside and put back; what somebody says is no duplicate is none at the next search."""

import pytest

from clipcore import BadInput, NotFound
from storage import Library
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    photo(folder / "a.png", "red")
    for name in ("sub/a.png", "b.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((folder / "a.png").read_bytes())
    photo(folder / "other.png", (250, 4, 0), (33, 24))
    return folder


@pytest.fixture
def library(tmp_path, photos):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(photos)
        yield library


def ids(library):
    return {image.path: image.id for image in library.images()}


def test_copies_are_set_aside_and_put_back(library, photos):
    of = ids(library)
    keep, *others = (of[str(photos / name)] for name in ("a.png", "sub/a.png", "b.png"))
    library.label(keep, "rose")
    name, done = library.set_aside(keep, others)
    assert (done.changed, done.failed) == (2, [])
    assert sorted(path.name for path in photos.rglob("*.png")) == ["a.png", "other.png"]
    assert sorted(path.name for path in (library.home / "aside" / name).iterdir()) == ["a.png", "b.png"]
    assert library.count() == 2
    library.add(photos)  # a look at the folder does not bring them back
    assert library.count() == 2
    assert library.set_aside_before() == [(name, 2)]
    assert library.put_back(name).changed == 2
    assert ids(library) == of
    assert library.labels.of(others) == {image: {"rose": 1} for image in others}
    assert library.set_aside_before() == []
    assert not (library.home / "aside" / name).exists()
    with pytest.raises(NotFound):
        library.put_back(name)


def test_two_of_one_name_lie_beside_each_other(library, photos):
    of = ids(library)
    keep = of[str(photos / "b.png")]
    name, _ = library.set_aside(keep, [of[str(photos / "a.png")], of[str(photos / "sub" / "a.png")]])
    assert sorted(path.name for path in (library.home / "aside" / name).iterdir()) == ["a (2).png", "a.png"]


def test_the_last_one_stays(library, photos):
    of = ids(library)
    keep, other = of[str(photos / "a.png")], of[str(photos / "b.png")]
    (photos / "a.png").unlink()
    with pytest.raises(BadInput, match="the others stay"):
        library.set_aside(keep, [other])
    with pytest.raises(BadInput, match="which image is kept"):
        library.set_aside(other, [other])
    assert (photos / "b.png").is_file()


@pytest.mark.parametrize("name", ["", "../../etc", "2026-01-01-000000-000000"])
def test_only_what_was_set_aside_is_put_back(library, name):
    with pytest.raises(NotFound):
        library.put_back(name)


def test_what_is_said_to_be_no_duplicate_is_none(library, photos):
    groups = library.duplicates(0.9)
    (pair,) = groups.similar
    assert {image.name for image in pair} >= {"other.png"}
    some = [image.id for image in pair]
    assert library.say_apart(some) == 1
    assert library.say_apart(some) == 0
    again = library.duplicates(0.9)
    assert again.similar == []
    assert len(again.same[0]) == 3  # files of one picture cannot be told apart by its name
    assert [image.id for image in library.still_together(pair)] == [pair[0].id]
    assert library.say_apart(some, are_apart=False) == 1
    assert len(library.duplicates(0.9).similar) == 1
