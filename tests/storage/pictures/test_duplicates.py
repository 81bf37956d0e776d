"""The same picture and similar pictures, told apart."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from clipcore import BadInput
from storage import Library
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
