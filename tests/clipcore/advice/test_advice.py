"""Advice on class names: what is caught, what is left in peace, and what a person is told to do."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from clipcore import BadInput, PromptSet, parse_labels, wordnet, zero_shot_classifier
from clipcore.advice import advise, nearest_per_class
from clipcore.advice.searching import search_hint
from clipcore.wordnet import senses
from tests.support.advice_lists import FINE, FLAWED
from tests.support.fakes import FakeEncoder, unit
from tests.support.sentences import assert_sentence


def kinds(labels, **more):
    return {advice.kind: advice.labels for advice in advise(labels, **more)}


# the forty lists


@pytest.mark.parametrize(("labels", "kind", "about"), FLAWED, ids=lambda value: value if isinstance(value, str) else None)
def test_flaw_is_caught(labels, kind, about):
    found = [advice for advice in advise(labels) if advice.kind == kind]
    named = {label for advice in found for label in advice.labels}
    missed = {"camion"}  # an English word too, for a cart: nothing tells it from the French one
    assert named == about - missed
    for advice in found:
        assert_sentence(advice)


@pytest.mark.parametrize("labels", FINE, ids=lambda labels: labels[0])
def test_fine_list_is_left_in_peace(labels):
    assert advise(labels) == []


# senses


def test_the_sense_that_fits_the_other_classes_comes_first():
    (bird,) = advise(["crane", "heron", "stork"])
    (machine,) = advise(["crane", "excavator", "bulldozer"])
    assert bird.suggestions == ("crane (bird)", "crane (lifting device)")
    assert machine.suggestions == ("crane (lifting device)", "crane (bird)")
    for advice in (bird, machine):  # a suggestion can be typed as it is, and is not ambiguous any more
        assert parse_labels(", ".join(advice.suggestions))[0] == list(advice.suggestions)
        assert advise(advice.suggestions) == []


def test_plurals_are_known_and_names_are_not_judged():
    assert senses.several("cranes") == senses.several("crane") != []
    assert kinds(["Jaguar", "Kite", "Crane"]) == {}


# words that are mistyped


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        *[("hosre", "horse"), ("elepant", "elephant"), ("catt", "cat"), ("umbrela", "umbrella"), ("giraffw", "giraffe")],
        *[("adidas", None), ("ramen", None), ("chihuahua", None), ("Hosre", None), ("pferd", None), ("dogs", None)],
    ],
)
def test_a_slip_of_the_finger_is_pointed_at_with_a_guess(word, meant):
    found = [advice for advice in advise(["table", "chair", word]) if advice.kind == "spelling"]
    assert [advice.suggestions for advice in found] == ([(meant,)] if meant else [])
    for advice in found:
        assert_sentence(advice)
        assert word in str(advice)


def test_a_word_of_another_language_is_not_called_mistyped():
    assert kinds(["hund", "katze", "vogel"]) == {"language": ("hund", "katze", "vogel")}
    assert kinds(["hosre"]) == {"spelling": ("hosre",)}
    assert kinds(["horse", "hosre"]) == {}  # both are there: nothing to write instead


# sentences that CLIP models misread


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["no parking sign", "stop sign"], set()),
        (["non-stick pan", "notebook", "northern lights"], set()),
        (["a man who isn't smiling", "a man who smiles"], {"negation"}),
        (["iPhone 12", "Boeing 747", "Peugeot 208"], set()),
        (["3 apples", "an apple tree"], {"counting"}),
        (["three people", "empty street"], {"counting"}),
        (["two-storey house", "bungalow"], set()),
        (["underwater", "road under construction"], set()),
        (["the dog chases the cat", "the cat chases the dog"], {"order"}),
        (["cat", "dog", "other"], {"leftover"}),
        (["cat", "dog", "none of these"], {"leftover"}),
        (["otter", "mother"], set()),
        (["café", "naïve painting"], set()),
        (["ein hund", "Eine Katze"], {"language"}),
        (["dog", "katze", "bird"], set()),  # one unknown word may be a name
        (["red car", "car"], {"contains"}),
        (["hot dog", "dog"], set()),
        (["couch", "Sofa", "table"], {"synonym"}),
    ],
)
def test_what_is_advised(labels, expected):
    assert set(kinds(labels)) == expected


def test_the_negated_part_is_left_out_of_the_suggestion():
    (advice,) = advise(["dog without leash", "dog with leash"])
    assert advice.suggestions == ("dog",)


def test_unfinished_typing_is_no_error():
    assert advise([]) == advise(["", "  "]) == []
    assert [advice.kind for advice in advise(["x " * 200])] == ["too long"]


# with a model


def test_token_limit_is_the_models_own():
    encoder = FakeEncoder()
    encoder.context_length = 6
    prompts = PromptSet("p", ("{label}", "a very fine photo of {label} here"))
    (advice,) = advise(["red"], prompts, encoder)
    assert (advice.kind, advice.labels) == ("too long", ("red",))
    assert "9 tokens, but the model reads only 6" in advice.sentence  # seven words and two marks
    assert advise(["red"], "bare", encoder) == []


def test_classes_that_coincide_in_text_space():
    # the colours lie at right angles; “red dish” and “red plate” both read as red
    names = ["red plate", "red dish", "green", "blue", "grey"]
    encoder = FakeEncoder()
    found = [advice for advice in advise(names, "bare", encoder) if advice.kind == "similar"]
    assert [advice.labels for advice in found] == [("red plate", "red dish")]
    assert_sentence(found[0])


def test_a_short_list_is_compared_with_everyday_words():
    class Angles(FakeEncoder):
        """“near NUMBER” lies at that many degrees from the first axis, each other word at an angle of its own."""

        def _encode(self, text):
            number = re.search(r"near (\d+)", text)
            degrees = int(number[1]) if number else 15 * (1 + sum(map(ord, text)) % 12)
            return unit(np.array([[np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0, 0]]))[0].astype(np.float32)

    assert "similar" in kinds(["near 10", "near 12"], prompts="bare", encoder=Angles())
    assert "similar" not in kinds(["near 10", "near 80"], prompts="bare", encoder=Angles())


def test_a_model_of_many_languages_is_not_warned_of_them():
    assert "language" in kinds(["собака", "кошка"], encoder=FakeEncoder())
    assert "language" not in kinds(["собака", "кошка"], encoder=FakeEncoder("xlm-roberta-base-ViT-B-32"))


def test_nearest_per_class():
    encoder = FakeEncoder()
    colours = zero_shot_classifier(encoder, ["red", "green"], "bare")
    X = unit(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [3, 1, 0, 0], [1, 2, 0, 0]], np.float32))
    assert nearest_per_class(colours, X, 2).tolist() == [[1, 2], [0, 3]]
    assert nearest_per_class(colours, X, 9).tolist() == [[1, 2, 3, 0], [0, 3, 2, 1]]
    with pytest.raises(BadInput, match="add a folder"):
        nearest_per_class(colours, X[:0])


# the files made from WordNet


def test_wordnet_files_are_whole():
    folder = Path(wordnet.__file__).parent
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in (folder / "LICENSE").read_text()
    lines = gzip.decompress((folder / "nouns.tsv.gz").read_bytes()).decode().split("\n")
    for row, line in enumerate(lines):  # parents come first, so nothing goes round in circles
        assert all(int(parent) < row for parent in line.split("\t")[1].split(",") if parent)
    assert {name for meaning in wordnet.meanings("poodle") for name in meaning.names} >= {"poodle"}
    assert "dog" in [above.names[0] for above in wordnet.broader(wordnet.meanings("poodles")[0])]


@pytest.mark.parametrize(
    "word", ["dog", "dogs", "running", "walked", "happier", "smartphone", "screenshot", "mice", "quickly"]
)
def test_english(word):
    assert wordnet.is_english(word)


@pytest.mark.parametrize("word", ["hund", "katze", "vogel", "perro", "oiseau", "pikachu"])
def test_not_english(word):
    assert not wordnet.is_english(word)


@pytest.mark.skipif(not Path("/usr/share/wordnet/data.noun").exists(), reason="WordNet's database is not on this machine")
def test_files_are_what_the_script_makes():
    from clipcore.wordnet.__main__ import noun_lines, words

    folder = Path(wordnet.__file__).parent
    for name, lines in (("nouns.tsv.gz", noun_lines), ("words.txt.gz", words)):
        assert gzip.decompress((folder / name).read_bytes()).decode().split("\n") == lines(Path("/usr/share/wordnet"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("photos without dogs", "Search with a minus instead: photo - dogs"),
        ("beach without any people", "Search with a minus instead: beach - people"),
        ("a street with no cars", "instead: a street - cars"),
        ("3 horses", "cannot count"),
        ("where is my dog?", "answers no questions"),
        ("which photos show a dog", "answers no questions"),
        ("Hund", "may not be English"),
        ("perro", "may not be English"),
        ("dog", ""),
        ("dog - snow", ""),
        ("a no parking sign", ""),
        ("what", ""),
        ("t-shirt", ""),
    ],
)
def test_hints_where_people_fail_to_search(words, says):
    hint = search_hint(words, reads_english_alone=True, is_clear=False)
    assert says in hint
    assert bool(hint) is bool(says)


def test_no_hint_of_language_where_something_matches_or_the_model_reads_it():
    assert search_hint("Xqwzy", True, True) == ""
    assert search_hint("Hund", False, False) == ""


def test_questions_and_german_nouns_as_class_names():
    assert "question" in kinds(["is it a dog?", "cat"])
    assert "language" in kinds(["Hund", "Katze"])
    assert "language" not in kinds(["Rex", "Anna"])


# what the paper found such models to be poor at


@pytest.mark.parametrize(
    ("labels", "about", "figure"),
    [
        ("0, 1, 2, 3", "0, 1, 2, 3", "88 %"),
        ("digit three, digit five", "digit three, digit five", "88 %"),
        ("benign lesion, malignant lesion, skin", "benign lesion, malignant lesion", "63 %"),
        ("France, Spain, Italy", "France, Spain, Italy", "35 %"),
        ("Boeing 737-800, Airbus A320, cat", "Boeing 737-800, Airbus A320", "37 %"),
        ("empty square, small crowd, large crowd", "empty square, small crowd, large crowd", "25 %"),
        ("happy face, sad face", "happy face, sad face", "58 %"),
    ],
)
def test_a_known_limit_is_said_with_its_figure(labels, about, figure):
    found = [advice for advice in advise(parse_labels(labels)[0]) if advice.kind == "task"]
    assert [", ".join(advice.labels) for advice in found] == [about]
    assert figure in found[0].sentence


@pytest.mark.parametrize(
    "labels", ["turkey, chicken", "crowd, dog, tree", "happy dog, sad dog", "Mercedes A200, BMW 320", "3"]
)
def test_no_limit_is_said_of_other_names(labels):
    assert "task" not in kinds(parse_labels(labels)[0])
