"""Class names typed and written back: what is written is read back unchanged."""

import pytest
from hypothesis import example, given
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
    ("dog，猫、鳥；كلب،قطة؛x", ["dog", "猫", "鳥", "كلب", "قطة", "x"]),
    ('"a，b", c', ["a，b", "c"]),
    ("['dog', 'cat']", ["dog", "cat"]),
    ('["dog", "tench, Tinca tinca"]\n', ["dog", "tench, Tinca tinca"]),
    ("('dog', 'cat',)", ["dog", "cat"]),
    ("'dog', 'cat'", ["dog", "cat"]),
    ("[dog, snow leopard]", ["dog", "snow leopard"]),
    ("{0: 'tench, Tinca tinca', 1: \"sheriff's star\"}", ["tench, Tinca tinca", "sheriff's star"]),
    (r"""['dog\'s', '5" disk']""", ["dog's", '5" disk']),
    (r'["caf\u00e9", "\ud83d\ude00"]', ["café", "😀"]),
    ("1. dog 2. cat", ["dog", "cat"]),
    ("1) dog, 2) snow leopard; 3) cat", ["dog", "snow leopard", "cat"]),
    ("0: dog\n1: cat\n", ["dog", "cat"]),
    ("- dog\n- cat\n", ["dog", "cat"]),
    ("• dog • cat", ["dog", "cat"]),
    ("* dog\n\n* cat", ["dog", "cat"]),
    ("dog\tcat\tsnow leopard", ["dog", "cat", "snow leopard"]),
    ('dog\r\n"snow\nleopard"\r\ncat\r\n', ["dog", "snow leopard", "cat"]),
    ("1. FC Köln, 50. birthday", ["1. FC Köln", "50. birthday"]),  # numbers that do not count are names
    ("- 20 degrees, x", ["20 degrees", "x"]),
    ("[sic] note, x", ["[sic] note", "x"]),
    ('"1. dog", "2. cat"', ["1. dog", "2. cat"]),
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
    assert [name for name in ("[a", "(a", "'a", "- a", "1. a", "• a", "a、b") if quoted(name) == name] == []


@pytest.mark.parametrize("text", ['""', 'cat, ""', '"" = dog'])
def test_an_empty_name_in_quotes_is_a_mistake(text):
    with pytest.raises(BadInput, match="empty"):
        parse_labels(text)


def clean(text):
    try:
        return clean_label(text)
    except BadInput:
        return None


names = (
    st.text(st.sampled_from("ab \",;=|'\n\\[](){}0123.:)-•、\t") | st.characters(), min_size=1, max_size=12)
    .map(clean)
    .filter(bool)
)


@given(st.lists(st.tuples(names, st.lists(names, max_size=3, unique=True)), min_size=1, max_size=5))
@example([("-", ["0"])])  # no bullet
@example([("1.", ["0"])])
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
