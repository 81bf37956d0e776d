"""Putting a saved classifier back on the page: what its field then says means the same classes."""

from types import SimpleNamespace

import pytest

from clipcore import PromptSet, parse_labels, parse_templates, zero_shot_classifier
from storage import Library
from ui.classify.tab import use_saved


@pytest.mark.parametrize(
    ("labels", "synonyms"),
    [
        (["tench, Tinca tinca", "goldfish"], {}),
        (['the "best"', '"best" cat', "red; blue", "a = b", "a | b"], {}),
        (["tench, Tinca tinca", "dog"], {"tench, Tinca tinca": ("doctor fish", "a, b | c")}),
    ],
)
def test_a_saved_classifier_comes_back_with_its_own_names(tmp_path, photos, encoder, labels, synonyms):
    prompts = PromptSet(templates=("a photo of a {label}",), synonyms=synonyms)
    page = SimpleNamespace(labels="labels", templates="templates", many="many")
    asked = []
    page.jobs = SimpleNamespace(start=lambda kind, payload, *typed: asked.append((kind, payload["classifier"])) or {})
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        library.save(zero_shot_classifier(encoder, labels, prompts), "mine")
        changes = use_saved(SimpleNamespace(library=library), page, "mine", "all")
    assert asked == [("classify", "mine")]
    assert parse_labels(changes["labels"]) == (labels, synonyms)
    assert parse_templates(changes["templates"]).templates == prompts.templates
