"""Retrieval by hand, and whole sets embedded and measured."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from clipcore import BadInput
from clipcore.measure import evaluate_retrieval, iter_embed_set, measure_set
from clipcore.measure.intervals import clustered_interval
from clipcore.measure.sets import fitting
from clipcore.models import load
from clipcore.progress import drain
from tests.support.small_clip import CLIP, write_model
from training.data.pairs import Pair


def unit(*degrees: float) -> np.ndarray:
    return np.array([(math.cos(math.radians(d)), math.sin(math.radians(d))) for d in degrees], np.float32)


def test_recall_by_hand() -> None:
    # pictures at 0, 20, ..., 100 degrees; captions: picture 0 has one at 1 and one at 95, picture 1 one at 75
    images = unit(0, 20, 40, 60, 80, 100)
    report = evaluate_retrieval(images, unit(1, 95, 75), [0, 0, 1])
    # 1 finds 0 first; 95 finds it last of six; 75 finds picture 1 (55 away) fourth, after 80, 60, 100 and 40: fifth
    assert report.text_to_image == {1: pytest.approx(1 / 3), 5: pytest.approx(2 / 3), 10: 1}
    # picture 0's nearest caption is its own; picture 1 is nearer to 1 degree (19) than to its own (55)
    assert report.image_to_text == {1: 0.5, 5: 1, 10: 1}
    assert (report.n, report.captions) == (6, 3)
    assert "text to image @1  33.3%" in str(report)


def test_intervals_allow_for_captions_of_one_picture() -> None:
    """Whole pictures are found or not, with five captions each: as much is known as from one caption each."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        found = rng.random(120) < 0.3
        low, high = clustered_interval(5 * found, np.full(120, 5))
        held += low <= 0.3 <= high
    assert 0.92 <= held / 400 <= 0.98
    independent = rng.binomial(5, 0.3, 120)
    one, other = clustered_interval(independent, np.full(120, 5)), clustered_interval(5 * (independent > 1), np.full(120, 5))
    assert (one[1] - one[0]) < 0.7 * (other[1] - other[0])
    assert clustered_interval(np.zeros(4), np.full(4, 5))[1] > 0.4  # four pictures say little
    report = evaluate_retrieval(unit(0, 20, 40, 60, 80, 100), unit(1, 95, 75), [0, 0, 1])
    for way, recall in (("text_to_image", report.text_to_image), ("image_to_text", report.image_to_text)):
        assert all(report.intervals[way][k][0] <= share <= report.intervals[way][k][1] for k, share in recall.items())


def test_a_constant_model_finds_nothing() -> None:
    same = np.tile(unit(10), (20, 1))
    report = evaluate_retrieval(same, same, range(20))
    assert set(report.text_to_image.values()) == set(report.image_to_text.values()) == {0}
    broken = np.full_like(same, np.nan)
    assert set(evaluate_retrieval(broken, same, range(20)).text_to_image.values()) == {0}
    with pytest.raises(BadInput, match="no pictures with captions"):
        evaluate_retrieval(same[:0], same[:0], [])


def test_a_set_of_both_kinds_is_measured_both_ways(tmp_path) -> None:
    encoder = load(write_model(tmp_path / "model", CLIP), "cpu", "fp32")

    def png(shade: int) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (40, 30), (shade, 255 - shade, 9)).save(file, "PNG")
        return file.getvalue()

    long = "word " * 200
    samples = [Pair(f"a/{i}", png(40 * i), name=("cat", "dog")[i % 2]) for i in range(5)]
    samples += [
        Pair("b/0", png(7), (long, "short")),
        Pair("b/1", png(200), ("other",)),
        Pair("bad", b"no picture", ("lost",)),
    ]
    steps = []
    embedded = drain(iter_embed_set(encoder, iter(samples)), steps.append)
    assert steps[-1].done == 8
    assert embedded.vectors.shape == (7, encoder.dim)
    assert embedded.classes == ["cat", "dog"]
    assert embedded.skipped[0].startswith("bad: This is not a picture")
    np.testing.assert_allclose(embedded.vectors[5], encoder.embed_images([png(7)])[0], atol=1e-6)

    from clipcore import zero_shot_classifier

    reports = measure_set(encoder, embedded, {"bare": zero_shot_classifier(encoder, ["cat", "dog"], "bare")})
    assert list(reports) == ["bare", "captions"]
    assert reports["bare"].n == 5
    assert (reports["captions"].n, reports["captions"].captions) == (2, 3)
    assert encoder.count_tokens(fitting(encoder, long)) == encoder.context_length
    assert fitting(encoder, "two  words") == "two words"
    with pytest.raises(BadInput, match="no picture with a label or a caption"):
        measure_set(encoder, drain(iter_embed_set(encoder, iter([]))), {})
