"""Trees of labels and tiles: shares pooled upwards, windows that find what is small."""

import numpy as np
import pytest
from PIL import Image

from clipcore import BadInput, Examples, pack, zero_shot_classifier
from clipcore.classify.tiles import Tile, boxes, drawn, look, surest, windows
from clipcore.classify.tree import leaf, levels, path_of, right_above, sure_above
from clipcore.measure import above, judge, known
from tests.support.fakes import FakeEncoder

LABELS = ["animal > dog", "animal > cat", "vehicle > car", "sky"]


def test_shares_are_pooled_upwards_and_the_way_down_stays_within_a_branch():
    assert path_of("animal > dog > poodle") == ("animal", "dog", "poodle")
    assert path_of("a>b") == ("a>b",)
    found = levels(LABELS, np.array([0.3, 0.25, 0.35, 0.1]))
    assert found == [("animal", pytest.approx(0.55)), ("animal > dog", pytest.approx(0.3))]  # though car has most alone
    assert levels(LABELS, np.array([0.1, 0.1, 0.1, 0.7])) == [("sky", pytest.approx(0.7))]


def test_the_text_tower_reads_the_last_name_alone():
    assert pack("photo").texts("animal > dog") == pack("photo").texts("dog")
    assert leaf("dog") == "dog"


def test_measuring_a_tree_takes_folders_of_leaves_and_says_what_is_right_above():
    encoder = FakeEncoder()
    head = zero_shot_classifier(encoder, ["warm > red", "cold > blue", "cold > green"], "bare")
    truth = ("red", "blue", "green", "blue")
    X = encoder.embed_images([np.full((4, 4, 3), c, np.uint8) for c in ((255, 0, 0), (0, 0, 255), (0, 255, 0), (0, 255, 0))])
    _, examples, left = known(Examples(X, truth, encoder.space), head.labels)
    assert (examples.labels[1], left) == ("cold > blue", {})
    judged = judge(head, examples)
    assert judged.right.tolist() == [True, True, True, False]
    assert right_above(judged.labels, judged.truth, judged.guess) == [(1, 1.0)]
    assert above(judged) == ["Right further up the tree of labels: 100.0 % at level 1."]


def test_windows_cover_a_picture_and_find_what_is_small():
    assert boxes(40, 40, 2) == [(x, y, x + 20, y + 20) for y in (0, 10, 20) for x in (0, 10, 20)]
    assert boxes(30, 10, 3)[-1] == (20, 0, 30, 10)
    picture = Image.new("RGB", (90, 60), (0, 0, 255))
    picture.paste((255, 0, 0), (60, 30, 90, 60))
    encoder = FakeEncoder()
    head = zero_shot_classifier(encoder, ["red", "blue"], "bare")
    found = look(encoder, head, picture, 3)
    (red,) = [tile for tile in found if tile.label == "red"]
    assert red.box == (60, 30, 90, 60)
    assert drawn(picture, found, head.labels).size == (90, 60)
    with pytest.raises(BadInput, match="2 to 12"):
        look(encoder, head, picture, 1)


def test_of_neighbours_that_say_the_same_the_surest_speaks():
    tiles = [Tile((0, 0, 10, 10), "red", 0.6), Tile((5, 0, 15, 10), "red", 0.9), Tile((5, 0, 15, 10), "blue", 0.5)]
    assert surest(tiles) == [tiles[1], tiles[2]]


def test_the_upper_level_may_be_sure_where_the_label_is_not():
    labels = ("animal > dog", "animal > cat", "car")
    assert sure_above(labels, np.array([0.5, 0.43, 0.07]), 0.9) == ("animal", pytest.approx(0.93))
    assert sure_above(labels, np.array([0.5, 0.3, 0.2]), 0.9) is None
    assert sure_above(labels, np.array([0.02, 0.02, 0.96]), 0.9) is None  # a label itself is no upper level


def test_a_map_is_warm_where_windows_show_the_label():
    picture = Image.new("RGB", (90, 60), (0, 0, 255))
    picture.paste((255, 0, 0), (60, 30, 90, 60))
    encoder = FakeEncoder()
    head = zero_shot_classifier(encoder, ["red", "blue"], "bare")
    warm = windows(encoder, head, picture, 3).map_of(0)
    assert warm.shape == (32, 48)
    assert np.unravel_index(warm.argmax(), warm.shape)[0] >= 16
    assert np.unravel_index(warm.argmax(), warm.shape)[1] >= 32
    assert warm[0, 0] < 0.1 * warm.max()
