"""What looks the same is the same, and what looks different stays so."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcore.classify.prompts import clean_label
from clipcore.letters import letters, one_spelling


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "dog",
            " dog ",
            "do\u00adg",
            "d\u200bog",
            "dog\ufeff",
            "\u200edog\u200f",
            "do\u2060g",
            "\u202adog\u202c",
            "d\u200do\u200cg",
        ),
        *("dog\u200d", "\u200ddog", "do\u034fg", "dog\u3164", "\tdog\n", "d\x00og"),
    ],
)
def test_what_nobody_sees_makes_no_difference(typed):
    assert one_spelling(typed) == clean_label(typed) == "dog"


@pytest.mark.parametrize("name", ["été", "한글", "Ångström", "ño", "がぎぐ", "tiếng Việt"])
def test_the_spelling_of_a_mac_is_the_usual_one(name):
    split = unicodedata.normalize("NFD", name)
    assert split != name
    assert one_spelling(split) == name
    assert one_spelling(split[:1] + "\u200b" + split[1:]) == name  # an unseen letter between the parts


@pytest.mark.parametrize(
    "name",
    ["👩\u200d🚀", "❤\ufe0f\u200d🔥", "👩🏽\u200d🚀", "می\u200cخواهم", "क्\u200dष", "ക\u0d4d\u200d ക", "straße", "Σίσυφος"],
)
def test_joiners_that_are_seen_stay(name):
    assert one_spelling(name) == name


def test_letters_keep_spaces():
    assert letters("a  b\u00ad ") == "a  b "


@given(st.text(st.sampled_from("a é\u0301ᄒ\u1161\u11ab\u200b\u200c\u200d\u00adم🚀👩\u3164") | st.characters(), max_size=12))
def test_once_is_enough(text):
    once = one_spelling(text)
    assert one_spelling(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()
