"""A folder of sets: what is found in it, and the published layouts of some, read as they are."""

import json
import tarfile

import pytest

from clipcore import BadInput, drain
from clipcore.measure.suite import PER_CLASS
from tests.support.fakes import FakeEncoder, photo
from training.data.suite import find_suite, read_set
from training.runs.suite import iter_suite


def names_of(folder):
    (place,) = find_suite(folder)
    return sorted((pair.image.name, pair.name) for pair in read_set(place))


def listed(folder, name, lines, *pictures):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(lines)
    for picture in pictures:
        photo(folder / picture, "red")


def test_published_layouts_are_read_by_their_lists(tmp_path):
    food, pets, planes, dtd, clevr = (tmp_path / name for name in ("a", "b", "c", "d", "e"))
    listed(
        food / "food-101", "meta/test.txt", "apple_pie/1\n", "images/apple_pie/1.jpg", "images/apple_pie/2.jpg"
    )  # 2 is one to learn from
    assert names_of(food) == [("1.jpg", "apple pie")]
    listed(pets / "oxford-iiit-pet", "annotations/test.txt", "# a remark\nMaine_Coon_7 1 1 1\n", "images/Maine_Coon_7.jpg")
    assert names_of(pets) == [("Maine_Coon_7.jpg", "Maine Coon")]
    listed(planes / "fgvc-aircraft-2013b" / "fgvc", "data/images_variant_test.txt", "12 BAE 146-200\n", "data/images/12.jpg")
    assert names_of(planes) == [("12.jpg", "BAE 146-200")]
    listed(dtd / "dtd", "labels/test1.txt", "banded/banded_1.jpg\n../../secret.jpg\n", "images/banded/banded_1.jpg")
    assert names_of(dtd) == [("banded_1.jpg", "banded")]
    scenes = {"scenes": [{"image_filename": "x.png", "objects": [{}] * 4}]}
    listed(clevr / "CLEVR_v1.0", "scenes/CLEVR_val_scenes.json", json.dumps(scenes), "images/val/x.png")
    assert names_of(clevr) == [("x.png", "4")]


def test_of_shards_side_by_side_the_test_part_is_measured(tmp_path):
    for name in ("shapes-train-00000.tar", "shapes-test-00000.tar", "shapes-test-00001.tar", "other-train-00000.tar"):
        with tarfile.open(tmp_path / name, "w"):
            pass
    assert [(place.name, len(place.paths)) for place in find_suite(tmp_path)] == [("other-train", 1), ("shapes-test", 2)]
    with pytest.raises(BadInput, match="holds no sets"):
        find_suite(photo(tmp_path / "empty" / "1.png", "red").parent)


def test_a_table_of_sets_has_scores_means_and_ranks(tmp_path):
    for index, (folder, colour) in enumerate([("red", "red"), ("red", "red"), ("red", "blue"), ("green", "green")]):
        photo(tmp_path / "plain" / folder / f"{index}.png", colour, (30 + index, 20))
        photo(tmp_path / "caltech101" / folder / f"{index}.png", colour, (40 + index, 20))
    photo(tmp_path / "one" / "red" / "1.png", "red")
    found = drain(iter_suite(tmp_path, ["fake"], FakeEncoder, ("task", "bare")))
    caltech, plain = found.sets
    assert (caltech.called, caltech.measure, caltech.paper) == ("Caltech-101", PER_CLASS, 0.928)
    assert caltech.scores["task"] == pytest.approx((2 / 3 + 1) / 2)  # the mean of each class's share
    assert plain.scores["bare"] == pytest.approx(3 / 4)
    assert plain.chance == 1 / 2
    low, high = plain.intervals["bare"]
    assert low < 3 / 4 < high
    assert found.means["bare"] == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert found.ranks == {"task": 1.5, "bare": 1.5}  # equal everywhere
    assert found.skipped == ("one: all its pictures are of one class.",)
    with pytest.raises(BadInput, match="no prompt pack"):
        drain(iter_suite(tmp_path, ["fake"], FakeEncoder, ("nonsense",)))
