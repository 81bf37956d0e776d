"""Albums made by hand: their pictures in their order, through moved files and lost ones."""

import pytest

from clipcore import BadInput, NotFound
from storage import Library
from storage.search import handmade
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def library(tmp_path):
    for n in range(5):
        photo(tmp_path / "photos" / f"{n}.png", (250 - 40 * n, 40 * n, 9))
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path / "photos")
        yield library


def ids(library):
    return {image.name.removesuffix(".png"): image.id for image in library.images()}


def names(library, order="relevance"):
    return "".join(hit.image.name.removesuffix(".png") for hit in library.albums.open("Trip", order).hits)


def change(library, letters, how):
    of = ids(library)
    return library.albums.change("Trip", [of[letter] for letter in letters], how)


def test_pictures_are_put_in_taken_out_and_ordered(library):
    change(library, "3", "add")
    album = change(library, "013", "add")
    assert names(library) == "301"
    assert len(album.pictures) == 3
    for how, some, expected in (
        ("last", "3", "013"),
        ("first", "13", "130"),
        ("later", "1", "310"),
        ("earlier", "0", "301"),
    ):
        change(library, some, how)
        assert names(library) == expected
    change(library, "3", "remove")
    assert names(library) == "01"
    assert names(library, "newest") in ("01", "10")
    assert library.albums.open("Trip", offset=1, limit=5).total == 2


@pytest.mark.parametrize(
    ("some", "how", "expected"),
    [
        ("bd", "earlier", "bdac"),
        ("bc", "later", "adbc"),
        ("d", "later", "abcd"),
        ("a", "earlier", "abcd"),
        ("ac", "later", "bdac"),
        ("x", "later", "abcd"),
    ],
)
def test_several_go_together(some, how, expected):
    assert "".join(handmade.changed("abcd", some, how)) == expected


def test_a_file_that_moves_stays_and_one_that_is_gone_comes_back(library, tmp_path):
    change(library, "204", "add")
    photos = tmp_path / "photos"
    (photos / "2.png").rename(photos / "9.png")
    (photos / "0.png").rename(tmp_path / "0.png")
    library.add(photos)
    assert names(library) == "94"
    (tmp_path / "0.png").rename(photos / "0.png")
    library.add(photos)
    assert names(library) == "904"


def test_what_cannot_be_is_one_sentence(library, monkeypatch):
    library.albums.save("Reds", "red")
    with pytest.raises(BadInput, match="fills itself"):
        library.albums.change("Reds", [1], "add")
    with pytest.raises(NotFound, match="No album is called"):
        change(library, "1", "remove")
    with pytest.raises(NotFound, match="no picture 999"):
        library.albums.change("Trip", [999], "add")
    monkeypatch.setattr(handmade, "MOST", 2)
    with pytest.raises(BadInput, match="at most 2"):
        change(library, "012", "add")
    assert [album.name for album in library.albums.all()] == ["Reds"]


def test_it_is_had_back_as_it_was(library):
    before = change(library, "012", "add")
    change(library, "1", "remove")
    library.albums.put("Trip", before.pictures, replace=True)
    assert names(library) == "012"
    with pytest.raises(BadInput, match="already"):
        library.albums.put("Trip", [])
    library.albums.delete("Trip")
    assert library.albums.put("Trip", before.pictures).pictures == before.pictures
