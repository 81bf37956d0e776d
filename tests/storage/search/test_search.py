"""Searching with a model that sees colours only: sums, pictures, the cut-off, filters, order and pages, worked out by hand.

The library holds two red pictures, a green and a blue one: their mean is about (0.5, 0.25, 0.25, 0). None of the generic
queries names a colour: each is (0.5, 0.5, 0.5, 0.5), scores 0.5 on every picture and has a peak of 0.5 - 0.5 * 0.5 = 0.25.
"""

import os
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from clipcore import BadInput, NotFound
from storage import Filters, Library, parse_day
from storage.vectors.relevance import Scale, soft_maximum
from tests.support.fakes import FakeEncoder, photo
from tests.support.sentences import assert_sentence


@pytest.fixture
def library(tmp_path, encoder, photos):
    for day, name in enumerate(("c.png", "a.png", "sub/d.webp", "b.jpg"), start=1):
        changed = datetime(2024, 5, day, 12).timestamp()
        os.utime(photos / name, (changed, changed))
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        yield library


def names(items) -> list[str]:
    return [(item.image if hasattr(item, "image") else item).name for item in items]


# what is asked


def test_a_weighted_sum(library):
    hits = library.find("2*red + green", everything=True).hits
    assert [round(hit.score, 2) for hit in hits] == [0.89, 0.89, 0.45, 0.0]  # (2, 1) / sqrt(5)
    assert names(hits)[2] == "c.png"


def test_a_difference_ranks_and_does_not_judge(library):
    found = library.find("red - blue")
    assert [round(hit.score, 1) for hit in found.hits] == [0.7, 0.7, 0.0, -0.7]
    assert found.clear is None
    assert {(hit.rank, hit.margin, hit.matches) for hit in found.hits} == {(None, None, None)}


def test_words_and_a_picture_together(library, encoder):
    green, blue = (next(image.id for image in library.images() if image.name == name) for name in ("c.png", "d.webp"))
    found = library.find("red", image_id=green)
    assert set(names(found.hits)[:2]) == {"a.png", "b.jpg"}
    assert found.hits[0].score == pytest.approx(0.707, abs=0.01)
    assert green not in [hit.id for hit in found.hits]
    vector = library.embeddings([blue])[1][0]
    assert names(library.find("3*green", picture=vector).hits)[:2] == ["c.png", "d.webp"]
    assert library.find(picture=vector, limit=1).hits[0].score == pytest.approx(1)


def test_what_cancels_out_is_said(library):
    with pytest.raises(BadInput, match="cancel") as problem:
        library.find("red - red")
    assert_sentence(problem.value)
    with pytest.raises(BadInput, match="Type what"):
        library.find()
    with pytest.raises(NotFound):
        library.find(image_id=999)


# whether it is there


def test_only_what_matches_is_found(library):
    found = library.find("red")
    assert (found.clear, found.total, found.suggestions) == (True, 2, ())
    for hit in found.hits:
        assert hit.matches
        assert hit.rank == 1  # 1.0 against 0.5
        assert hit.margin == pytest.approx(0.5, abs=0.02)  # the cut is 0.5, what all queries without a colour score


def test_nothing_matches(library):
    found = library.find("grey")
    assert (found.hits, found.total, found.clear) == ([], 0, False)
    assert len(found.suggestions) == 5
    closest = library.find("grey", everything=True)
    assert (closest.total, closest.clear) == (4, False)
    assert {hit.matches for hit in closest.hits} == {False}
    assert closest.hits[0].margin == pytest.approx(-0.5, abs=0.02)
    assert closest.hits[0].rank == 0


def scale_of(peaks, usual: float = 0.0, leans=None) -> Scale:
    """A scale of as many generic queries as there are peaks; its one picture is none that anything leans to."""
    m = len(peaks)
    bank = np.eye(m + 1, dtype=np.float32)[:m]
    leans = np.zeros(m) if leans is None else np.array(leans)
    return Scale(tuple("abc"[:m]), bank, np.array(peaks), leans, usual, np.eye(m + 1, dtype=np.float32)[m:], 10.0)


def test_what_is_suggested_is_there():
    """Of three generic queries the library has only the last; the first is nearest to the query, and is not there."""
    assert scale_of([0.1, 0.1, 0.9]).suggestions(np.array([0.9, 0.1, 0.4, 0], np.float32)) == ["c"]


def test_the_soft_maximum_by_hand():
    """One picture of four at 1, the others at 0, sharpness 4: log((e^4 + 3) / 4) / 4. Sharper, it is the largest."""
    cosines = np.array([[1.0, 0, 0, 0], [0.3, 0.3, 0.3, 0.3]], np.float32).T
    assert soft_maximum(cosines, 4) == pytest.approx([np.log((np.e**4 + 3) / 4) / 4, 0.3])
    assert soft_maximum(cosines, 400) == pytest.approx([1, 0.3], abs=0.01)
    assert soft_maximum(cosines, 0.001) == pytest.approx([0.25, 0.3], abs=0.01)


def test_the_bar_by_hand():
    """Three generic queries; on five equal pictures they score 0.6, 0.2 and 0, and the library leans to them as much: they
    are worth five times that. The quantile of 0.7 is at 0.4 of the way from 0.2 to 0.6; the usual is the middle one."""
    bank = np.eye(3, dtype=np.float32)
    scale = Scale.of(("x", "y", "z"), bank, np.tile(np.array([[0.6, 0.2, 0]], np.float32), (5, 1)), 100)
    assert scale.peaks == pytest.approx([0.6, 0.2, 0])
    assert scale.leans == pytest.approx([0.6, 0.2, 0])
    assert (scale.bar, scale.usual, scale.sharpness) == pytest.approx((5 * 0.36, 0.2, 40))


def test_a_clear_answer_brings_its_near_matches():
    """The best of the generic queries is at 0.9, the usual score 0.4: with the best above that, pictures from
    0.4 + 0.7 * 0.5 on match; with a best of 0.8, from 0.4 + 0.7 * 0.4 on."""
    scale = scale_of([0.9], usual=0.4)
    assert scale.cut(0.95, True) == pytest.approx(0.75)
    assert scale.cut(0.8, True) == pytest.approx(0.68)


@pytest.mark.parametrize("best", [0.3, 0.95])
def test_without_a_clear_answer_no_picture_matches(best):
    assert np.float32(best) < scale_of([0.9], usual=0.4).cut(best, False)


def test_what_a_library_is_full_of_is_there_though_no_picture_stands_out():
    """Both queries have a best picture at 0.5, below that of the generic ones. All pictures are alike for the first, for
    the second one of them is alone; the bar is 0.6 + 4 * 0.15."""
    pictures = np.array([[0.5, 0.5]] + 9 * [[0.5, 0]], np.float32)
    scale = Scale(("a",), np.eye(2, dtype=np.float32)[:1], np.array([0.6]), np.array([0.15]), 0.1, pictures, 4.0)
    assert scale.worth(np.array([1, 0], np.float32), 0.5) > scale.bar
    assert scale.worth(np.array([0, 1], np.float32), 0.5) < scale.bar
    assert scale.worth(np.array([0, 1], np.float32), 0.9) > scale.bar  # it is the best picture that finds the one photo


def test_the_scale_follows_the_library(library, encoder, tmp_path, monkeypatch):
    assert library.find("grey").clear is False
    before = encoder.texts_encoded
    scale = library._in_use.relevance.scale()
    assert library._in_use.relevance.scale() is scale  # nothing changed, nothing done
    folder = library.add(photo(tmp_path / "more" / "grey.png", (90, 90, 90)).parent).folder_id
    assert names(library.find("grey").hits) == ["grey.png"]
    assert encoder.texts_encoded == before
    library.remove_folder(folder)
    assert library.find("grey").clear is False


def test_a_large_library_is_judged_by_a_sample(library, monkeypatch):
    monkeypatch.setattr("storage.vectors.relevance.SAMPLE", 3)
    assert library.find("red").clear
    scale, sample = library._in_use.relevance.scale(), library._in_use.index.sample(3)
    assert sample.shape == (3, 4)
    np.testing.assert_allclose(scale.peaks, (sample @ scale.bank.T).max(0), atol=1e-6)


def test_an_empty_library(tmp_path):
    with Library(tmp_path / "empty", FakeEncoder()) as empty:
        found = empty.find("red")
    assert (found.hits, found.clear) == ([], None)


# filters, order, pages


def test_filters(library, photos):
    folder = library.add(photos / "sub").folder_id
    assert names(library.find("red", filters=Filters(folder), everything=True).hits) == ["d.webp"]
    assert library.find("red", filters=Filters(folder)).clear is False
    assert names(library.find("red", filters=Filters(name="B.J")).hits) == ["b.jpg"]
    assert library.find("red", filters=Filters(name="photos")).hits == []  # a folder's name is not the file's
    days = Filters(since=date(2024, 5, 2), until=date(2024, 5, 3))
    assert names(library.find("blue", filters=days, everything=True).hits) == ["d.webp", "a.png"]
    assert library.browse(days)[1] == 2
    with pytest.raises(NotFound):
        library.find("red", filters=Filters(99))


def test_a_copy_elsewhere_is_not_found_in_this_folder(library, photos, tmp_path):
    copy = tmp_path / "other" / "copy.png"
    copy.parent.mkdir()
    copy.write_bytes((photos / "c.png").read_bytes())
    folder = library.add(copy.parent).folder_id
    assert names(library.find("green", filters=Filters(folder)).hits) == ["copy.png"]


def test_order(library):
    assert names(library.find("red", order="newest").hits) == ["b.jpg", "a.png"]
    assert names(library.find("red", order="oldest", everything=True).hits) == ["c.png", "a.png", "d.webp", "b.jpg"]
    assert names(library.browse(Filters(), "newest")[0]) == ["b.jpg", "d.webp", "a.png", "c.png"]
    with pytest.raises(BadInput, match="order"):
        library.find("red", order="random")


def test_pages(library, monkeypatch):
    whole = library.find("red + green + blue", everything=True)
    parts = [library.find("red + green + blue", everything=True, offset=start, limit=3) for start in (0, 3, 6)]
    assert [hit for part in parts for hit in part.hits] == whole.hits
    assert {part.total for part in parts} == {4}
    assert library.browse(Filters(), offset=3, limit=3)[0] == library.images()[3:]


def test_more_than_the_first_look_matches(library, tmp_path, monkeypatch):
    """The index is asked for 100 first; 302 pictures match."""
    monkeypatch.setattr("storage.search.searching.FIRST_LOOK", 100)
    for index in range(300):
        photo(tmp_path / "many" / f"{index}.png", "red", (8 + index % 20, 8 + index // 20))
    library.add(tmp_path / "many")
    assert library.find("red").total == 302


@pytest.mark.parametrize("typed", ["yesterday", "2024-13-01", "31.5.2024"])
def test_a_bad_day_is_one_sentence(typed):
    with pytest.raises(BadInput, match="2024-05-31"):
        parse_day(typed)


def test_days():
    assert parse_day(" 2024-05-31 ") == date(2024, 5, 31)
    assert parse_day("") is None
    assert Filters(name="GRÜN").fits_name(str(Path("x") / "grün.jpg"))
