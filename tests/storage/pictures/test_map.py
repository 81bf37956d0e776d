"""The map of a library: kept, followed by what is new, thrown away where it cannot be read, known to the doctor."""

import numpy as np
import pytest

from clipcore import NotFound, drain
from storage import Library, iter_examine
from storage.pictures import map as kept
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def library(tmp_path):
    for n in range(6):
        photo(tmp_path / "photos" / f"{n}.png", (250 - n, 3 * n, 40), (20, 20))
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path / "photos")
        yield library


def make(library, anew=False):
    return drain(library.map.iter_make(anew))


def places(library):
    plane = library.map.get()
    return dict(zip(plane.ids.tolist(), plane.places.tolist(), strict=True))


def test_it_is_laid_out_once_and_kept(library):
    assert library.map.get() is None
    assert make(library) == 6
    first = places(library)
    assert first.keys() == {image.id for image in library.images()}
    with Library(library.home, FakeEncoder()) as again:
        assert places(again) == first
    assert library.map.get().method == "PCA"  # six are too few for t-SNE


def test_new_pictures_are_placed_and_the_others_stay(library, tmp_path):
    make(library)
    before = places(library)
    photo(tmp_path / "photos" / "new.png", "blue")
    library.add(tmp_path / "photos")
    after = places(library)
    assert {image: after[image] for image in before} == before
    assert len(after) == 7
    (new,) = after.keys() - before.keys()
    with Library(library.home, FakeEncoder()) as again:
        assert places(again)[new] == after[new]


def test_a_copy_lies_on_its_original_and_a_missing_file_nowhere(library, tmp_path):
    make(library)
    (tmp_path / "photos" / "copy.png").write_bytes((tmp_path / "photos" / "0.png").read_bytes())
    (tmp_path / "photos" / "5.png").unlink()
    library.add(tmp_path / "photos")
    of = {image.name: image.id for image in library.images()}
    now = places(library)
    assert now.keys() == set(of.values())
    assert now[of["copy.png"]] == now[of["0.png"]]


def test_many_new_pictures_wait_for_a_job(library, tmp_path, monkeypatch):
    make(library)
    monkeypatch.setattr(kept, "AT_ONCE", 2)
    for n in range(3):
        photo(tmp_path / "photos" / f"later {n}.png", (10, 200 + n, 9), (24, 24))
    library.add(tmp_path / "photos")
    plane = library.map.get()
    assert (len(plane.ids), plane.missing, plane.is_old) == (6, 3, False)
    before = places(library)
    assert make(library) == 9
    after = places(library)
    assert library.map.get().missing == 0
    assert {image: after[image] for image in before} == before
    for n in range(4):
        photo(tmp_path / "photos" / f"last {n}.png", (10, 9, 200 + n), (24, 24))
    library.add(tmp_path / "photos")
    assert library.map.get().is_old  # 13 where there were 6
    make(library, anew=True)
    assert not library.map.get().is_old


def test_each_model_has_a_map_of_its_own(library):
    make(library)
    library.encoder = FakeEncoder("other")
    assert library.map.get() is None
    with pytest.raises(NotFound, match="add a folder"):
        make(library)


@pytest.mark.sqlite
def test_a_damaged_file_is_found_by_the_doctor_and_laid_out_anew(library):
    make(library)
    file = library.map.file
    data = bytearray(file.read_bytes())
    with np.load(file) as arrays:
        data[data.index(arrays["places"].tobytes())] ^= 0x01  # one bit of one place
    file.write_bytes(data)
    assert library.map.get() is None
    (finding,) = (one for one in drain(iter_examine(library.home)) if "map" in one.sentence)
    assert (finding.check, "cannot be read" in finding.sentence) == ("index", True)
    finding.fix()
    assert not file.exists()
    assert not [one for one in drain(iter_examine(library.home)) if "map" in one.sentence]
    assert make(library) == 6


def test_keys_are_the_first_bits_of_a_hash():
    keys = kept.keys_of(["00000000000000ff" + "9" * 48, "f" * 64])
    assert keys.dtype == np.uint64
    assert keys.tolist() == [255, 2**64 - 1]
