"""Class names typed and written back: what is written is read back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipcore import BadInput, format_labels, parse_labels
from clipcore.classify.prompts import clean_label
from clipcore.classify.typed import parse_names, quoted

CASES = [  # also what the page's own script makes of them, tests/browser/test_names.py
    ("cat, dog", ["cat", "dog"]),
    ('"tench, Tinca tinca", goldfish', ["tench, Tinca tinca", "goldfish"]),
    ('dog = "puppy, small" | hound; "a = b"', ["dog", "a = b"]),
    ('5" disk, 3.5" disk', ['5" disk', '3.5" disk']),
    ('"say ""hi""", x', ['say "hi"', "x"]),
    ('"open, end', ['"open', "end"]),
    ('"a" b, c', ['"a" b', "c"]),
    ('cat,,\n "red; blue" \n,dog|wolf', ["cat", "red; blue", "dog|wolf"]),
]


@pytest.mark.parametrize(("text", "names"), CASES)
def test_names_in_quotes(text, names):
    assert parse_labels(text)[0] == parse_names(text) == names
    assert parse_names(format_labels(names)) == names


def test_other_names_in_quotes():
    text = '"tench, Tinca tinca" = "doctor fish" | "a | b" | c = d, dog'
    labels, synonyms = parse_labels(text)
    assert labels == ["tench, Tinca tinca", "dog"]
    assert synonyms == {"tench, Tinca tinca": ("doctor fish", "a | b", "c = d")}
    for between in (", ", "\n"):
        assert parse_labels(format_labels(labels, synonyms, between)) == (labels, synonyms)


def test_plain_names_are_written_plainly():
    assert format_labels(["cat", "snow leopard", '5" disk']) == 'cat, snow leopard, 5" disk'
    assert quoted("a,b") == '"a,b"'


@pytest.mark.parametrize("text", ['""', 'cat, ""', '"" = dog'])
def test_an_empty_name_in_quotes_is_a_mistake(text):
    with pytest.raises(BadInput, match="empty"):
        parse_labels(text)


def clean(text):
    try:
        return clean_label(text)
    except BadInput:
        return None


names = st.text(st.sampled_from("ab \",;=|'\n\\") | st.characters(), min_size=1, max_size=12).map(clean).filter(bool)


@given(st.lists(st.tuples(names, st.lists(names, max_size=3, unique=True)), min_size=1, max_size=5))
def test_whatever_is_written_is_read_back(classes):
    labels, synonyms, seen = [], {}, set()
    for label, others in classes:
        if label.casefold() in seen:
            continue
        seen.add(label.casefold())
        labels.append(label)
        if others := tuple(other for other in others if other != label):
            synonyms[label] = others
    for between in (", ", "\n"):
        assert parse_labels(format_labels(labels, synonyms, between)) == (labels, synonyms)
