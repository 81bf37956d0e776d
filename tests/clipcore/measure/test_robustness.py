"""Spoilt pictures and shifted sets: curves that can be worked out by hand."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from clipcore import BadInput, Examples, SpaceMismatch, drain, zero_shot_classifier
from clipcore.measure.corruptions import CORRUPTIONS, STRENGTHS, corrupt, working_size
from clipcore.measure.robustness import iter_robustness, robustness, some_of
from clipcore.measure.shift import Shift, effective_robustness, measure_shift
from tests.support.fakes import FakeEncoder
from tests.support.sentences import assert_sentence


@dataclass
class Sample:
    key: str
    image: object
    name: str | None = None
    captions: tuple[str, ...] = ()


def plain(colour, size=(48, 32)):
    return Image.new("RGB", size, colour)


@pytest.fixture(scope="module")
def scene():
    """A picture with edges, colours and shades."""
    y, x = np.mgrid[0:96, 0:128]
    pixels = np.stack([x, y + 30, 60 + 60 * ((x // 16 + y // 16) % 2)], -1) + np.random.default_rng(0).integers(
        99, size=(96, 128, 1)
    )
    return Image.fromarray(pixels.astype(np.uint8))


# one corruption


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_same_picture_same_result(scene, name):
    for strength in STRENGTHS:
        once, again = corrupt(scene, name, strength, "cat"), corrupt(scene.copy(), name, strength, "cat")
        assert once.mode == "RGB"
        assert once.tobytes() == again.tobytes() != scene.tobytes()


@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"crop", "rotation"}))
def test_stronger_is_further_from_the_picture(scene, name):
    original = np.asarray(scene, float)
    distances = [np.abs(np.asarray(corrupt(scene, name, s, "cat"), float) - original).mean() for s in STRENGTHS]
    assert all(later > 0.96 * before for before, later in pairwise(distances)), distances
    assert distances[-1] > distances[0]


def test_crop_keeps_less_and_less(scene):
    sizes = [corrupt(scene, "crop", strength).size for strength in STRENGTHS]
    assert sizes == [(115, 86), (96, 72), (77, 58), (58, 43), (38, 29)]


def test_brightness_is_scikit_images(scene):
    from skimage.color import hsv2rgb, rgb2hsv

    hsv = rgb2hsv(np.asarray(scene))
    hsv[..., 2] = np.clip(hsv[..., 2] + 0.3, 0, 1)
    assert np.abs(np.asarray(corrupt(scene, "brightness", 3), int) - 255 * hsv2rgb(hsv)).max() <= 1
    assert corrupt(plain("black"), "brightness", 3).getpixel((0, 0)) == (76, 76, 76)


def test_half_a_turn(scene):
    turned = np.asarray(corrupt(scene, "rotation", 5), int)
    assert np.abs(turned - np.asarray(scene, int)[::-1, ::-1]).max() <= 1


def test_the_word_is_written_and_fits(scene):
    for word in ("cat", "a very long name of a class that has to shrink", "x"):
        for strength in STRENGTHS:
            spoilt = np.asarray(corrupt(scene, "word", strength, word), int)
            assert spoilt.shape == (96, 128, 3)
            white = (spoilt == 255).all(-1)
            assert white.any()
            assert strength < 3 or (spoilt.sum(-1) < 60).any() or len(word) > 9  # letters; grey where they are small
    assert corrupt(scene, "word", 3, "cat").tobytes() != corrupt(scene, "word", 3, "dog").tobytes()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (640, 480)])
def test_any_size_can_be_spoilt(size):
    for name in CORRUPTIONS:
        assert min(corrupt(plain("red", size), name, 5, "cat").size) >= 1


def test_bad_names_and_strengths(scene):
    for arguments, says in ((("fog", 1), "choose among blur"), (("blur", 6), "choose 1 to 5"), (("word", 1), "no word to")):
        with pytest.raises(BadInput, match=says) as caught:
            corrupt(scene, *arguments)
        assert_sentence(caught.value)


def test_large_pictures_are_brought_to_the_models_size():
    assert working_size(plain("red", (2000, 1000)), 224).size == (448, 224)
    assert working_size(plain("red", (48, 32)), 224).size == (48, 32)


# a sheet


@pytest.fixture
def colours():
    encoder = FakeEncoder()
    return encoder, zero_shot_classifier(encoder, ["red", "green", "grey"], "bare")


def test_curves_by_hand(colours):
    encoder, head = colours
    samples = [Sample(f"red {i}", plain("red"), "red") for i in range(3)]
    sheet = robustness(encoder, head, samples)
    assert (sheet.n, sheet.labelled, sheet.accuracy) == (3, 3, 1.0)
    # pure red keeps 255 f of its colour over 76 (1 - f) of grey: grey wins from f = 0.2 on, the fourth strength
    assert [point.accuracy for point in sheet.curves["greyscale"]] == [1, 1, 1, 0, 0]
    for name in ("blur", "contrast", "rotation", "crop", "pixelation"):  # a plain picture stays what it is
        assert [point.agreement for point in sheet.curves[name]] == [1, 1, 1, 1, 1], name
    assert sheet.mean("greyscale") == pytest.approx(0.6)
    assert sheet.curves["greyscale"][0].interval == pytest.approx((0.4385, 1.0), abs=1e-3)  # Wilson for 3 of 3
    assert "weakest against greyscale (60.0 %)" in sheet.sentence
    assert_sentence(sheet.sentence)
    assert sheet.to_json()["means"]["greyscale"] == sheet.mean("greyscale")


def test_without_labels_there_is_agreement(colours):
    encoder, head = colours
    sheet = robustness(encoder, head, [Sample("a", plain("red")), Sample("b", plain((90, 90, 90)))], ["greyscale"])
    assert (sheet.labelled, sheet.accuracy, sheet.interval) == (0, None, None)
    assert [point.agreement for point in sheet.curves["greyscale"]] == [1, 1, 1, 0.5, 0.5]  # grey stays grey
    assert [point.accuracy for point in sheet.curves["greyscale"]] == [None] * 5
    assert_sentence(sheet.sentence)


def test_accuracy_is_of_the_labelled_pictures_alone(colours):
    encoder, head = colours
    sheet = robustness(encoder, head, [Sample("a", plain("red"), "green"), Sample("b", plain("red"))], ["blur"])
    assert (sheet.n, sheet.labelled, sheet.accuracy) == (2, 1, 0.0)


def test_a_model_that_reads_believes_the_word():
    class Reader(FakeEncoder):
        def prepare(self, image):
            white = (np.asarray(image) == 255).all(-1).any() if isinstance(image, Image.Image) else False
            return np.array([0, 1, 0, 0], np.float32) if white else super().prepare(image)

    encoder = Reader()
    head = zero_shot_classifier(encoder, ["red", "green"], "bare")
    sheet = robustness(encoder, head, [Sample("a", plain("red"), "red")], ["word"])  # the only wrong word is green
    assert [point.believed for point in sheet.curves["word"]] == [1.0] * 5
    assert [point.accuracy for point in sheet.curves["word"]] == [0.0] * 5
    assert "a pasted word is believed on up to 100.0 %" in sheet.sentence


def test_bad_pictures_are_skipped_and_said(colours, tmp_path):
    encoder, head = colours
    (tmp_path / "bad.png").write_text("no picture")
    sheet = robustness(encoder, head, [Sample("bad", tmp_path / "bad.png"), Sample("a", plain("red"))], ["blur"])
    assert sheet.n == 1
    assert sheet.skipped[0].startswith("bad: This is not a picture")
    with pytest.raises(BadInput, match="None of the pictures"):
        robustness(encoder, head, [Sample("bad", tmp_path / "bad.png")], ["blur"])


def test_steps_and_stopping(colours):
    encoder, head = colours
    samples = [Sample(str(i), plain("red")) for i in range(20)]
    steps = []
    drain(iter_robustness(encoder, head, samples, ["blur"]), steps.append)
    assert [(step.done, step.total) for step in steps] == [(8, 20), (16, 20), (20, 20)]
    encoder.embedded = 0
    work = iter_robustness(encoder, head, samples, ["blur"])
    next(work)
    work.close()
    assert encoder.embedded == 8 * (1 + 5)


def test_what_cannot_be_measured(colours):
    encoder, head = colours
    with pytest.raises(BadInput, match="no class “pink”"):
        robustness(encoder, head, [Sample("a", plain("red"), "pink")])
    with pytest.raises(BadInput, match="two or more"):
        robustness(encoder, zero_shot_classifier(encoder, ["red"], "bare"), [Sample("a", plain("red"))])
    with pytest.raises(SpaceMismatch):
        robustness(FakeEncoder("other"), head, [Sample("a", plain("red"))])


def test_some_of_each_class():
    samples = [Sample(f"{label}{i}", b"", label) for label in ("red", "green") for i in range(50)]
    some = some_of([*samples, Sample("rare", b"", "blue")], 9)
    assert sorted(s.name for s in some) == ["blue"] + ["green"] * 4 + ["red"] * 4
    assert some == some_of(list(reversed([Sample("rare", b"", "blue"), *samples])), 9)  # whatever the order
    assert len(some_of(samples, 1000)) == 100


# natural shift


def shift(name, accuracy, shifted, n=10_000):
    return Shift(name, n, accuracy, (0, 1), n, shifted, (0, 1))


def on_line(accuracy):
    """Where the line logit(shifted) = 0.8 logit(accuracy) - 1 puts a model."""
    return 1 / (1 + math.exp(-(0.8 * math.log(accuracy / (1 - accuracy)) - 1)))


def test_effective_robustness_by_hand():
    others = [shift(f"m{a}", a, on_line(a)) for a in (0.3, 0.5, 0.6, 0.8)]
    found = effective_robustness(shift("clip", 0.7, on_line(0.7) + 0.1), others)
    assert (found.slope, found.intercept) == pytest.approx((0.8, -1.0))
    assert found.expected == pytest.approx(on_line(0.7))
    assert found.value == pytest.approx(0.1)
    assert 0.08 < found.interval[0] < 0.1 < found.interval[1] < 0.12
    assert "more robust than its accuracy leads one to expect: effective robustness +10.0 points" in found.sentence
    assert_sentence(effective_robustness(shift("clip", 0.7, on_line(0.7)), others).sentence.replace("clip", "Clip"))


def test_interval_holds_the_truth_95_times_in_a_hundred():
    rng = np.random.default_rng(0)
    truth = [(a, on_line(a)) for a in (0.3, 0.5, 0.6, 0.8)] + [(0.7, on_line(0.7) + 0.05)]
    n, held = 1000, 0
    for seed in range(200):
        seen = [shift("m", rng.binomial(n, a) / n, rng.binomial(n, s) / n, n) for a, s in truth]
        low, high = effective_robustness(seen[-1], seen[:-1], seed).interval
        held += low <= 0.05 <= high
    assert 180 <= held <= 198  # 190 expected, standard deviation 3


def test_perfect_models_do_not_break_the_line():
    found = effective_robustness(shift("clip", 1.0, 1.0), [shift("a", 0.0, 0.0), shift("b", 1.0, 0.9)])
    assert np.isfinite(found.value)
    with pytest.raises(BadInput, match="two or more other models"):
        effective_robustness(shift("clip", 0.5, 0.5), [shift("a", 0.5, 0.5), shift("b", 0.5, 0.4)])


def test_shift_is_measured_on_the_classes_of_both_sets(colours):
    encoder, head = colours
    eye = np.eye(4, dtype=np.float32)
    photos = Examples(eye[[0, 1, 3]], ("red", "green", "grey"), encoder.space)
    sketches = Examples(eye[[0, 3]], ("Red", "green"), encoder.space)  # folders may differ in capitals
    found = measure_shift("fake", head, photos, sketches)
    assert (found.n, found.accuracy, found.shifted_n, found.shifted) == (2, 1.0, 2, 0.5)
    with pytest.raises(BadInput, match="in common"):
        measure_shift("fake", head, photos.only(["grey"]), sketches)
