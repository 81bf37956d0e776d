"""What the Classify tab says of class names while they are typed."""

from clipcore import PromptSet
from ui.advising import MOST, advice_html
from ui.classify import describe_prompts


def test_ordinary_names_are_left_in_peace():
    assert advice_html(["cat", "cup of coffee", "rocket"], PromptSet()) == ""


def test_an_ambiguous_name_comes_with_what_to_write_instead():
    said = advice_html(["crane", "heron"], PromptSet())
    assert "“crane”" in said
    assert "crane (bird)" in said


def test_names_that_judge_people_come_first_with_the_way_to_the_bias_tab():
    said = advice_html(["criminal", "crane"], PromptSet())
    assert said.index("Bias tab") < said.index("“crane”")


def test_no_more_is_shown_than_anyone_reads_and_the_rest_is_counted():
    many = [f"{number} dogs" for number in ("two", "three", "four", "five", "six", "seven")]
    said = advice_html([*many, "crane", "nail", "boxer", "dog without leash"], PromptSet())
    assert said.count("<li>") == MOST + 1
    assert "more like these" in said


def test_what_was_typed_is_escaped():
    assert "<b>" not in advice_html(["dog without <b>leash</b>"], PromptSet())


def test_an_empty_field_is_not_commented():
    assert describe_prompts("", "a photo of a {label}.")[2] == ""
    assert "crane" in describe_prompts("crane, dog", "a photo of a {label}.")[2]
