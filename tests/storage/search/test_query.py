"""What people type, read as terms."""

import pytest

from clipcore import BadInput
from storage.search.query import Term, parse_query
from tests.support.sentences import assert_sentence


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("a dog on a beach", [(1, "a dog on a beach")]),
        ("  dog \n beach ", [(1, "dog beach")]),
        ("2*dog + beach - snow", [(2, "dog"), (1, "beach"), (-1, "snow")]),
        ("2 * dog + .5*beach", [(2, "dog"), (0.5, "beach")]),
        ('dog - 3*"red car"', [(1, "dog"), (-3, "red car")]),
        ('a "red car" in snow', [(1, "a red car in snow")]),
        ('"black + white" - "2*x"', [(1, "black + white"), (-1, "2*x")]),
        ("“red car” − snow", [(1, "red car"), (-1, "snow")]),
        ("t-shirt - x-ray", [(1, "t-shirt"), (-1, "x-ray")]),
        ("- snow + dog", [(-1, "snow"), (1, "dog")]),
        ("2 dogs", [(1, "2 dogs")]),
        ("2:dog", [(1, "2:dog")]),
        ("route 66 *", None),
        ("2*big dog", [(2, "big dog")]),
    ],
)
def test_terms(typed, terms):
    if terms is None:
        with pytest.raises(BadInput):
            parse_query(typed)
    else:
        assert parse_query(typed) == tuple(Term(weight, text) for weight, text in terms)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type what"),
        (" \t ", "Type what"),
        ('""', "no words after it"),
        ('a "red car', "no partner"),
        ("dog +", "no words after it"),
        ("dog + + cat", "no words before"),
        ("+ dog", "no words before"),
        ("- snow", "needs something to look for"),
        ("dog -snow", "space on both sides"),
        ("dog*2", "before its words"),
        ("0*dog", "above 0"),
        ("1000*dog", "above 0"),
        ("2*", "no words after it"),
        ("x" * 301, "301 characters"),
        (" + ".join("abcdefghijklmnopq"), "17 parts"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(typed, sentence):
    with pytest.raises(BadInput, match=sentence) as problem:
        parse_query(typed)
    assert_sentence(problem.value) if not problem.value.args[0][0].isdigit() else None
