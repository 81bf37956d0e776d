"""Class names and prompts: what a person types is checked, cleaned, and never run."""

import pytest

from clipcore import PACKS, BadInput, PromptSet, pack, parse_labels, parse_templates
from clipcore.classify.prompts import MAX_LABELS, MAX_TEMPLATES, check_labels, check_template, clean_label
from tests.support.sentences import assert_sentence

# packs


@pytest.mark.parametrize(
    ("name", "constant"), [("imagenet80", "OPENAI_IMAGENET_TEMPLATES"), ("seven", "SIMPLE_IMAGENET_TEMPLATES")]
)
def test_packs_are_the_published_ones(name, constant):
    import open_clip

    published = [template("snow leopard") for template in getattr(open_clip, constant)]
    assert pack(name).texts("snow leopard") == published


def test_every_pack_can_be_used():
    for name in PACKS:
        templates = pack(name).templates
        assert len(set(templates)) == len(templates) > 0, name
        for template in templates:
            check_template(template)
            assert template == template.strip(), name
    with pytest.raises(BadInput, match="choose one of bare, photo") as caught:
        pack("nonsense")
    assert_sentence(caught.value)


# templates


@pytest.mark.parametrize("label", ["{label.__class__}", "{0}", "{label!r:>{0}}", "{label}", "%s", "\\g<0>", "$label"])
def test_a_label_is_only_ever_text(label):
    assert parse_templates("a photo of a {label}.").texts(label) == [f"a photo of a {label}."]


def test_a_template_is_only_ever_text():
    assert PromptSet("p", ("{label} {label.__class__} {0} {}",)).texts("cat") == ["cat {label.__class__} {0} {}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write at least one line"),
        ("# only a remark\n\n", "write at least one line"),
        ("a photo", "write {label} where the class name goes"),
        ("a photo of a {thing}", "write {label} where the class name goes"),
        ("{label.__class__.__mro__}", "write {label} where the class name goes"),
        ("{label} and {0}", "other braces"),
        ("{{label}}", "other braces"),
        ("{} of {x}", "other braces"),
        ("{label} }", "other braces"),
        ("{label}" + "x" * 300, "keep it under 300"),
        ("\n".join(f"{i} {{label}}" for i in range(MAX_TEMPLATES + 1)), "keep the best ones"),
    ],
)
def test_bad_templates(text, says):
    with pytest.raises(BadInput, match=says) as caught:
        parse_templates(text)
    assert_sentence(caught.value)


def test_templates_one_a_line():
    prompts = parse_templates("  a {label}.  \r\n\n# remark\na {label}.\nthe\t{label}\u202e \x07and\ud800 {label}\n", "mine")
    assert prompts == PromptSet("mine", ("a {label}.", "the {label} and {label}"))
    assert prompts.texts("cat") == ["a cat.", "the cat and cat"]


@pytest.mark.parametrize(
    "place", ["{}", "{ }", "{c}", "{0}", "{name}", "{Label}", "{class_name}", "<class>", "[CLASS]", "%s"]
)
def test_the_place_of_the_name_as_others_write_it(place):
    assert parse_templates(f"a photo of a {place}.").templates == ("a photo of a {label}.",)


@pytest.mark.parametrize(
    "text",
    [
        "['a photo of a {}.', 'the {}.']",
        '["a photo of a {}.",\n "the {}."]',
        "[\n    'a photo of a {}.',\n    'the {}.',\n]",
        "lambda c: f'a photo of a {c}.',\nlambda c: f'the {c}.',",
    ],
)
def test_lists_of_templates_as_they_are_published(text):
    assert parse_templates(text).templates == ("a photo of a {label}.", "the {label}.")


def test_sentences_and_descriptors_for_single_classes():
    told = (
        '{"tench": ["A tench is a fish.", "a long body", "has fins", "often green", "small eyes"], "Great_White_Shark": []}'
    )
    prompts = parse_templates(told)
    assert prompts.templates == pack("seven").templates
    assert prompts.class_prompts["tench"] == (
        "A tench is a fish.",
        "tench, which is a long body",
        "tench, which has fins",
        "tench, which often green",
        "tench, which has small eyes",
    )
    many = parse_templates('{"Great_White_Shark": ["It swims."], "hen": ["It clucks."]}').among(["great white shark", "cat"])
    assert many.class_prompts == {"great white shark": ("It swims.",)}
    with pytest.raises(BadInput, match="None of the 1 descriptions is of one of these classes") as caught:
        parse_templates('{"hen": ["It clucks."]}').among(["cat"])
    assert_sentence(caught.value)
    assert parse_templates("a {label}").among(["cat"]).templates == ("a {label}",)


def test_texts_of_synonyms_and_class_prompts():
    prompts = PromptSet("p", ("a {label}", "the {label}"), {"dog": ("puppy",)}, {"dog": ("man's best friend",)})
    assert prompts.texts("dog") == ["a dog", "the dog", "a puppy", "the puppy", "man's best friend"]
    assert prompts.texts("cat") == ["a cat", "the cat"]
    assert prompts.with_synonyms({"cat": ["kitten"]}).texts("dog") == ["a dog", "the dog", "man's best friend"]
    assert PromptSet.from_json(prompts.to_json()) == prompts


# labels


def test_labels_are_split_and_cleaned():
    assert parse_labels(" cat,dog;  snow \t leopard\nrabbit,,\n") == (["cat", "dog", "snow leopard", "rabbit"], {})
    assert parse_labels("<b>cat</b>, <script>alert(1)</script>")[0] == ["<b>cat</b>", "<script>alert(1)</script>"]
    assert parse_labels("🐈, Straße, 猫")[0] == ["🐈", "Straße", "猫"]


def test_synonyms():
    labels, synonyms = parse_labels("dog = puppy | hound | puppy | dog, cat =, bird=budgie")
    assert labels == ["dog", "cat", "bird"]
    assert synonyms == {"dog": ("puppy", "hound"), "bird": ("budgie",)}


def test_what_cannot_be_seen_is_taken_out():
    assert clean_label("\x00c\x1ba\u202et\u2066\ufeff\x9f \ud800") == "cat"
    assert clean_label("e\u0301te\u0301") == "été"  # the two ways to write it are one name
    assert clean_label("👩\u200d🚀") == "👩\u200d🚀"  # the joiner is part of the astronaut
    assert clean_label("a\u2028b\u00a0c\r\nd") == "a b c d"
    clean_label("cat\ud83d").encode("utf-8")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "type at least one"),
        (" , ;\n", "type at least one"),
        ("cat, = kitten", "give every class a name"),
        ("cat, \u202e\x00", "give every class a name"),
        ("cat, \u200d", "give every class a name"),
        ("cat, \u200b", "give every class a name"),
        ("cat, dog, Cat", "“Cat” occurs twice; keep it once"),
        ("STRASSE, straße", "occurs twice"),
        ("été, e\u0301te\u0301", "occurs twice"),
        ("x" * 10_000, "has 10000 characters; keep names under 200"),
        ("dog = " + "x" * 10_000, "keep names under 200"),
    ],
)
def test_bad_labels(text, says):
    with pytest.raises(BadInput, match=says) as caught:
        parse_labels(text)
    assert_sentence(caught.value)
    assert len(str(caught.value)) < 300


def test_too_many_labels():
    with pytest.raises(BadInput, match="use fewer"):
        check_labels(str(i) for i in range(MAX_LABELS + 1))
