"""The same picture and similar pictures, told apart."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from benchmarks import duplicates as generated
from clipcore import BadInput
from storage import Library
from storage.pictures import fingerprints
from storage.pictures.duplicates import grouped, near
from tests.support.fakes import photo


@pytest.fixture
def folder(tmp_path):
    """A scene, its copies, and pictures of other kinds."""
    folder = tmp_path / "photos"
    folder.mkdir()
    places = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
    scene, other, third = (Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC) for pixels in places)
    scene.save(folder / "a.png")
    shutil.copy(folder / "a.png", folder / "b copied.png")
    scene.save(folder / "c resaved.jpg", quality=60)
    scene.resize((160, 120)).save(folder / "d half.png")
    ImageEnhance.Brightness(scene).enhance(0.6).save(folder / "e darker.png")
    scene.resize((320, 160)).save(folder / "f squashed.png")
    other.save(folder / "g other.png")
    third.save(folder / "h third.png")
    return folder


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


def names(groups) -> list[list[str]]:
    return [[image.name[0] for image in group] for group in groups]


def test_the_same_and_the_similar(library, folder):
    library.add(folder)
    found = library.duplicates(threshold=0.999)
    assert names(found.same) == [["a", "b", "c", "d"]]
    assert [group[:1] for group in names(found.similar)] == [["a"]]  # one stands for the four
    assert {"e", "f"} & set(names(found.similar)[0])
    assert not {"b", "c", "d"} & set(names(found.similar)[0])


def test_flat_pictures_share_a_hash_and_are_not_the_same(library, tmp_path):
    for colour in ("red", "green", "blue"):
        photo(tmp_path / "flat" / f"{colour}.png", colour)
    library.add(tmp_path / "flat")
    found = library.duplicates()
    assert (found.same, found.similar) == ([], [])


def test_similar_only(library, tmp_path):
    photo(tmp_path / "flat" / "a.png", (200, 0, 0))
    photo(tmp_path / "flat" / "b.png", (100, 0, 0))  # the same colour for the model, other pixels
    photo(tmp_path / "flat" / "c.png", (0, 0, 200))
    library.add(tmp_path / "flat")
    found = library.duplicates()
    assert (names(found.same), names(found.similar)) == ([], [["a", "b"]])


def test_pictures_are_looked_at_once(library, folder, monkeypatch):
    library.add(folder)
    first = library.duplicates()
    monkeypatch.setattr(library, "thumbnail", lambda *_: pytest.fail("looked again"))
    assert library.duplicates() == first
    monkeypatch.undo()
    (library.home / "index" / "fingerprints.npy").write_bytes(b"cut short")
    assert library.duplicates() == first


def test_a_file_that_is_gone_costs_only_itself(library, folder):
    library.add(folder)
    for name in ("a.png", "b copied.png"):
        (folder / name).unlink()
    assert sorted(names(library.duplicates(1).same)) == [["a", "b"], ["c", "d"]]


def test_without_pictures(library):
    assert (library.duplicates().same, library.duplicates().similar) == ([], [])
    with pytest.raises(BadInput, match="cosine"):
        library.duplicates(1.5)


def test_no_chains():
    """0-1, 1-2, 2-3: 2 is not with 0 only because both are near 1."""
    assert grouped(5, [(0, 1), (1, 2), (2, 3)]) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(("count", "dim"), [(0, 8), (1, 8), (2600, 100), (700, 16)])
def test_no_pair_is_lost(count, dim):
    """Clusters of all tightnesses, more rows than a block and more dimensions than are looked at first."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(max(1, count // 5), dim))
    rows = centres[random.integers(0, len(centres), count)] + random.uniform(0, 1, (count, 1)) * random.normal(
        size=(count, dim)
    )
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    every = np.triu(rows @ rows.T >= 0.9, 1)
    found = [pair for _, pairs in near(rows, 0.9) for pair in pairs]
    assert sorted(found) == [tuple(pair) for pair in np.argwhere(every)]
    assert bool(count < 2) == (not found)


@pytest.mark.parametrize("kind", generated.FLAT)
def test_flat_pictures_of_one_kind_are_not_the_same_but_their_copies_are(kind):
    """Receipts of one shop, chats of one phone, pages with a dot, scans, drawings, icons: to a small hash mostly one."""
    random = np.random.default_rng(3)
    pictures = [generated.FLAT[kind](random) for _ in range(8)]
    copies = [change(pictures[0], random) for change in generated.FLAT_CHANGES]
    found = generated.by_us(generated.prints([*pictures, *copies]))
    first = {0, *range(8, 8 + len(copies))}
    assert {pair for pair in found if not first.issuperset(pair)} == set()
    assert {(0, copy) for copy in range(8, 8 + len(copies))} <= found


@pytest.mark.parametrize("kind", generated.CHANGES)
def test_copies_of_photographs_are_found(kind):
    random = np.random.default_rng(3)
    for photograph in generated.photographs(random, 4):
        copies = [change(photograph, random) for change in generated.CHANGES[kind]]
        found = generated.by_us(generated.prints([photograph, *copies]))
        assert {(0, copy) for copy in range(1, len(copies) + 1)} <= found


def test_one_line_more_makes_another_receipt():
    """Little of the page, but all of what is there."""
    pages = [Image.new("RGB", (400, 600), "white") for _ in range(2)]
    for page in pages:
        for y in range(60, 300, 40):
            ImageDraw.Draw(page).line((40, y, 300, y), "black", 6)
    ImageDraw.Draw(pages[1]).line((40, 420, 300, 420), "black", 6)
    assert generated.by_us(generated.prints(pages)) == set()


def test_a_library_of_white_pages_has_no_groups(library, tmp_path):
    """And a dot at the very edge counts."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for n, place in enumerate(((2, 2), (2, 790), (590, 2), (300, 400), (200, 100), None)):
        page = Image.new("RGB", (600, 800), "white")
        if place:
            ImageDraw.Draw(page).ellipse((*place, place[0] + 14, place[1] + 14), "black")
        page.save(folder / f"{n}.png")
    library.add(folder)
    assert library.duplicates().same == []


def test_all_copies_are_found_where_there_are_many(monkeypatch):
    """More than are asked about at a time."""
    monkeypatch.setattr(fingerprints, "AT_ONCE", 4)
    picture = generated.photographs(np.random.default_rng(0), 1)[0]
    table = np.repeat(generated.prints([picture]), 11)
    assert {j for i, j in generated.by_us(table) if i == 0} == set(range(1, 11))


def test_fingerprints_of_another_version_are_made_again(library, folder):
    library.add(folder)
    first = library.duplicates()
    kept = library.home / "index" / "fingerprints.npy"
    old = np.dtype([("content", "S64"), ("hash", "u1", 8), ("colours", "u1", 192)])
    np.save(kept, np.zeros(3, old))
    assert library.duplicates() == first
    assert np.load(kept).dtype == fingerprints.FINGERPRINT
