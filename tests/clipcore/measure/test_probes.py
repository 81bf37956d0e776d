"""The drawn probes: what is drawn is what the caption says, and a model that knows colours alone is told so."""

import numpy as np
import pytest

from clipcore import drain
from clipcore.measure.probes import COLOURS, GROUND, NUMBERS, PROBES, drawn, iter_probe, sentence
from tests.support.fakes import FakeEncoder


def blobs(image, colour) -> list[tuple[float, float, int]]:
    """(x, y, pixels) of each connected thing of a colour."""
    from scipy.ndimage import center_of_mass, label

    mask = (np.asarray(image) == COLOURS[colour]).all(-1)
    parts, count = label(mask)
    middles = center_of_mass(mask, parts, range(1, count + 1))
    return [(x, y, int((parts == i + 1).sum())) for i, (y, x) in enumerate(middles)]


def test_the_same_seed_draws_the_same():
    for name in PROBES:
        one, again, other = drawn(name, 6), drawn(name, 6), drawn(name, 6, seed=1)
        assert [(item.caption, item.image.tobytes()) for item in one] == [
            (item.caption, item.image.tobytes()) for item in again
        ]
        assert [item.caption for item in one] != [item.caption for item in other]
        assert all(item.caption != item.negative for item in one)


def test_captions_tell_what_is_drawn():
    for item in drawn("number", 30):
        number, colour, _ = item.caption.split()
        assert len(blobs(item.image, colour)) == NUMBERS.index(number) + 1
    for item in drawn("relation", 30):
        words = item.caption.split()
        first, second = words[1], words[-2]
        (ax, ay, _), (bx, by, _) = (blobs(item.image, colour)[0] for colour in (first, second))
        assert {"left": ax < bx, "right": ax > bx, "above": ay < by, "below": ay > by}[
            next(word for word in words if word in ("left", "right", "above", "below"))
        ]
    for item in drawn("negation", 30):
        found = {tuple(pixel) for row in np.asarray(item.image) for pixel in row.tolist()} - {GROUND}
        assert len(found) == (1 if "without" in item.caption else 2)
    for item in drawn("word order", 30):
        assert sorted(item.caption.split()) == sorted(item.negative.split())


def test_a_model_of_colours_passes_the_probe_of_colours_alone(monkeypatch):
    for colour in set(COLOURS) - {"red", "green", "blue"}:
        monkeypatch.delitem(COLOURS, colour)
    report = drain(iter_probe(FakeEncoder(), each=60))
    assert set(report.scores) == set(PROBES)
    assert report.scores["word order"].share == 0  # the same words are the same to it, and a tie is a mistake
    assert report.scores["relation"].share == 0
    assert (report.scores["colour"].share, report.scores["colour"].chance, report.scores["colour"].n) == (1.0, 0.5, 60)
    assert sentence(report).startswith("Beyond chance: colour. Not told apart from guessing: shape 0.0 %, number")


@pytest.mark.parametrize("name", list(PROBES))
def test_things_lie_inside_and_not_over_each_other(name):
    for item in drawn(name, 20):
        pixels = np.asarray(item.image)
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (edge == GROUND).all()
