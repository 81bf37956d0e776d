"""A classifier's card, and what is said of names that judge people, alike wherever they are typed."""

from dataclasses import replace

import pytest

from clipcore import Classifier, PromptSet, zero_shot_classifier
from clipcore.advice import advise
from clipcore.classify.sensitive import sensitive
from clipcore.measure.card import card_html
from clipcore.measure.report import ClassRow
from tests.support.fakes import FakeEncoder


def made(*labels, **changes) -> Classifier:
    prompts = PromptSet("one", ("a photo of a {label}",)).with_synonyms({"red": ("crimson",)} if "red" in labels else {})
    return replace(zero_shot_classifier(FakeEncoder(), labels, prompts), **changes)


def test_the_card_tells_what_it_is_for_what_it_learned_and_how_right_it_is():
    after = {"accuracy": 0.8, "low": 0.6, "high": 0.9, "n": 20}
    taught = made("red", "green", kind="few-shot", metrics={"labels": 20, "after": after, "before": after})
    row = ClassRow("green", 10, 0.5, (0.24, 0.76), 0.5, 0.5, "red", 5)
    measured = [{"set": "walls", "n": 40, "top1": 0.75, "interval": (0.6, 0.86)}]
    page = card_html(taught, "paints", "For walls & doors", measured, [row], 3)
    for words in (
        *(
            "Card of paints",
            "Version: 3",
            "For walls &amp; doors",
            "crimson",
            "a photo of a {label}",
            "20 labelled pictures.",
        ),
        *("accuracy 80.0 % (95 % interval 60.0 % to 90.0 %, 20 pictures)", "<td>walls</td>", "75.0 %", "<td>green</td>"),
    ):
        assert words in page
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched from anywhere"
    fresh = card_html(made("red", "green"), "<b>")
    assert "no labelled picture has moved it" in fresh
    assert "has not been measured on a labelled set yet" in fresh
    assert "<b>" not in fresh


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("man", "woman", "criminal"), "crime"),
        (("visitor", "intruder"), "what they are watched for"),
        (("happy face", "sad face"), "face or identity"),
        (("honest man", "dishonest man"), "character"),
    ],
)
def test_advice_the_file_and_the_card_say_the_same_of_people(labels, kind):
    classifier = made(*labels)
    advice = [one for one in advise(list(labels), encoder=FakeEncoder()) if one.kind == "people"]
    assert [one.sentence for one in advice] == [classifier.notice]
    assert kind in classifier.notice
    assert classifier.notice.encode() in classifier.to_bytes()
    assert Classifier.from_bytes(classifier.to_bytes()).notice == classifier.notice
    assert classifier.notice.replace("'", "&#x27;") in card_html(classifier, "x")


def test_no_advice_to_make_people_and_a_judgement_one_class():
    """To the hand-made model these names are all the same."""
    found = advise(["man", "woman", "criminal"], encoder=FakeEncoder())
    assert [one.kind for one in found] == ["people"]
    assert not any("one class" in one.sentence or "leave" in one.sentence for one in found)
    assert [one.kind for one in advise(["sofa", "couch"], encoder=FakeEncoder())] == ["synonym"]
    assert not [one for one in advise(["person", "thief"]) if one.kind == "contains"]


def test_faces_that_are_nobodys():
    assert sensitive(["clock face", "sundial", "rock face"]) == []
    assert sensitive(["faces", "ketch", "leopards"]) == []
    assert made("red", "green").notice == ""
    assert b"notice" not in made("red", "green").to_bytes()
