"""Prompt sets side by side, and templates chosen on labels: answers worked out by hand on the fake encoder."""

import math
import zlib

import numpy as np
import pytest

from clipcore import BadInput, Examples, PromptSet, drain, pack, parse_descriptions, zero_shot_classifier
from clipcore.measure.promptbench import CONTROL, bench_prompts, iter_bench_prompts, random_words, usual_arms
from clipcore.measure.templates import iter_select_templates, select_templates
from tests.support.fakes import FakeEncoder, unit
from tests.support.sentences import assert_sentence

BARE = PromptSet("bare", ("{label}",))
# “green red” points halfway between red and green, so the line between the two classes moves from 45 to 67.5 degrees
GREENISH = PromptSet("greenish", ("green {label}",))


def at(*degrees):
    """Pictures between red (0 degrees) and green (90)."""
    return np.array([[math.cos(math.radians(d)), math.sin(math.radians(d)), 0, 0] for d in degrees], np.float32)


def test_accuracy_gain_and_flips_by_hand():
    arms = {"bare": BARE, "greenish": GREENISH}
    report = bench_prompts(FakeEncoder(), ["red", "green"], at(10, 65, 80, 85), arms, ["red", "green", "green", "green"])
    bare, greenish = report.arms
    assert (bare.accuracy, greenish.accuracy) == (1.0, 0.75)  # 65 degrees lies between the two borders
    assert (greenish.gain, greenish.changed, greenish.p) == (-0.25, 0.25, 1.0)
    assert bare.interval == pytest.approx((0.510, 1.0), abs=1e-3)  # Wilson for 4 of 4
    assert (report.flips, report.unstable, report.best) == (0.25, (1,), bare)
    assert "No prompts are clearly better" in report.sentence
    assert_sentence(report.sentence)


def test_a_clear_gain_is_said():
    X, truth = at(*np.linspace(50, 60, 40), *np.linspace(75, 85, 40)), ["red"] * 40 + ["green"] * 40
    report = bench_prompts(FakeEncoder(), ["red", "green"], X, {"bare": BARE, "greenish": GREENISH}, truth)
    assert report.best is not None
    assert report.best.name == "greenish"
    assert report.best.gain == 0.5
    assert "“greenish” does best with 100.0 %, +50.0 points" in report.sentence


def test_without_labels_only_changes_are_told():
    report = bench_prompts(FakeEncoder(), ["red", "green"], at(10, 65, 80, 85), {"bare": BARE, "greenish": GREENISH})
    assert report.best is None
    assert [arm.accuracy for arm in report.arms] == [None, None]
    assert [arm.changed for arm in report.arms] == [0.0, 0.25]
    assert report.sentence.startswith("25.0 % of 4 images change")


def test_wordings_for_special_images_do_not_count_as_flips():
    arms = {"bare": BARE, "food": GREENISH, CONTROL: GREENISH}
    report = bench_prompts(FakeEncoder(), ["red", "green"], at(10, 65), arms)
    assert report.flips == 0
    assert report.arms[1].changed == 0.5


def test_each_text_is_embedded_once():
    encoder = FakeEncoder()
    arms = {"one": BARE, "two": PromptSet("two", ("{label}", "a {label}")), "three": PromptSet("three", ("a {label}",))}
    steps = []
    drain(iter_bench_prompts(encoder, ["red", "green"], at(10), arms), steps.append)
    assert encoder.texts_encoded == 4
    assert steps[-1].done == steps[-1].total == 3


def test_the_usual_arms():
    arms = usual_arms()
    assert next(iter(arms)) == "bare"
    assert list(arms)[-1] == CONTROL
    assert arms["imagenet80"] == pack("imagenet80")
    told = PromptSet("mine", ("my {label}",), {"cat": ("kitten",)}, {"cat": ("a small tiger",)})
    arms = usual_arms(told, ["seven"])
    assert list(arms) == ["bare", "seven", "mine", "descriptions", "other names", CONTROL]
    assert arms["descriptions"].texts("cat") == ["a photo of a cat.", "a photo of a kitten.", "a small tiger"]
    assert usual_arms(PromptSet("seven", ("my {label}",)), ["seven"])["own seven"].templates == ("my {label}",)


def test_random_words_are_a_fixed_control():
    assert random_words() == random_words()
    assert random_words(seed=1) != random_words()
    assert len(set(random_words().templates)) == 7
    zero_shot_classifier(FakeEncoder(), ["red"], random_words())  # every one can be used


def test_nothing_to_bench():
    for X, arms in ((at(), {"bare": BARE}), (at(1), {})):
        with pytest.raises(BadInput, match="name a folder") as caught:
            bench_prompts(FakeEncoder(), ["red"], X, arms)
        assert_sentence(caught.value)


# choosing templates


def examples(n=40):
    X = at(*np.linspace(50, 60, n // 2), *np.linspace(75, 85, n // 2))
    return Examples(X, ("red",) * (n // 2) + ("green",) * (n // 2), FakeEncoder().space)


def test_the_template_that_helps_is_chosen():
    steps = []
    chosen = drain(
        iter_select_templates(
            FakeEncoder(), examples(), ["red", "green"], ["{label}", "blue {label}", "green {label}"], BARE
        ),
        steps.append,
    )
    assert chosen.templates == ("green {label}",)
    assert (chosen.accuracy, chosen.baseline, chosen.gain) == (1.0, 0.5, 0.5)
    assert chosen.better
    assert chosen.stability == (chosen.folds,) == (5,)
    assert (steps[-1].done, steps[-1].total) == (6, 6)
    assert_sentence(chosen.sentence)


class Chance(FakeEncoder):
    """Every text gets a direction by chance, always the same for the same text."""

    def _encode(self, text):
        seed = zlib.crc32(text.encode())
        return unit(np.random.default_rng(seed).standard_normal((1, 4)))[0].astype(np.float32)


def test_the_choice_is_measured_on_images_that_it_did_not_see():
    # Labels by chance: nothing can be better than half, but the best of many templates looks so on the images it saw.
    rng = np.random.default_rng(0)
    X = unit(rng.standard_normal((60, 4))).astype(np.float32)
    labels = tuple(rng.permutation(["red", "green"] * 30))
    candidates = [f"{{label}} {number}" for number in range(60)]
    encoder = Chance()
    seen = []
    for template in candidates:
        head = zero_shot_classifier(encoder, ["red", "green"], PromptSet("one", (template,)))
        seen.append(np.mean([p.label == label for p, label in zip(head.predict(X), labels, strict=True)]))
    chosen = select_templates(encoder, Examples(X, labels, encoder.space), ["red", "green"], candidates, BARE)
    assert max(seen) > 0.62
    assert chosen.accuracy < 0.62
    assert not chosen.better
    assert "keep “bare”" in chosen.sentence


def test_too_few_labels_to_choose():
    with pytest.raises(BadInput, match="label at least 20"):
        select_templates(FakeEncoder(), examples(10), ["red", "green"], ["{label}"], BARE)
    with pytest.raises(BadInput, match="no templates to choose from"):
        select_templates(FakeEncoder(), examples(), ["red", "green"], [], BARE)


# descriptions


def test_descriptions_in_both_forms():
    lines = parse_descriptions("cat: a small tiger\n\nDog : man's best friend: loyal\ncat: it purrs\n")
    assert lines == {"cat": ("a small tiger", "it purrs"), "Dog": ("man's best friend: loyal",)}
    assert parse_descriptions('{"cat": ["a small tiger", "it purrs"], "dog": "loyal"}') == {
        "cat": ("cat, which is a small tiger", "it purrs"),  # descriptors, as WaffleCLIP reads them
        "dog": ("dog, which has loyal",),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a small tiger", "has no class"),
        ("", "There are no descriptions"),
        ('{"cat": 3}', "no JSON of the form"),
        ("{cat", "no JSON of the form"),
        ('{"cat": []}', "There are no descriptions"),
    ],
)
def test_bad_descriptions(text, says):
    with pytest.raises(BadInput, match=says) as caught:
        parse_descriptions(text)
    assert_sentence(caught.value)
