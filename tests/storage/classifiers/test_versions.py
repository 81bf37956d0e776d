"""Versions of saved classifiers, and the classifiers that a run has had."""

from dataclasses import replace

import pytest

from clipcore import BadInput, NotFound, zero_shot_classifier
from storage import Library


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


def test_versions_are_listed_and_gone_back_to(library, encoder):
    first, second = (zero_shot_classifier(encoder, labels) for labels in (["red", "green"], ["red", "blue"]))
    library.save(first, "colours")
    library.save(second, "colours")
    versions = library.classifiers.versions("colours")
    assert [record.version for record in versions] == [2, 1]
    assert versions[0].parent_id == versions[1].id
    assert versions[1].parent_id is None
    restored = library.classifiers.restore("colours", 1)
    assert (restored.version, restored.parent_id) == (3, versions[0].id)
    assert library.classifier("colours") == first
    assert library.classifier("colours", 2) == second
    with pytest.raises(NotFound):
        library.classifiers.versions("shapes")
    with pytest.raises(NotFound):
        library.classifiers.restore("colours", 9)


def test_a_run_takes_another_classifier_and_the_one_before_back(library, encoder):
    first = zero_shot_classifier(encoder, ["red", "green"])
    second, third = replace(first, kind="second"), replace(first, kind="third")
    run = library.runs.start(first)
    assert (run.edition, run.before) == (0, False)
    library.runs.change(run.id, second)
    library.runs.change(run.id, third, expected=1)
    changed = library.runs.change(run.id, replace(third, kind="dial"), keep=False)
    assert (changed.classifier.kind, changed.edition, changed.before) == ("dial", 3, True)
    assert library.runs.edition(run.id) == 3
    with pytest.raises(BadInput, match="another window"):
        library.runs.change(run.id, first, expected=1)
    assert library.runs.revert(run.id).classifier.kind == "second"
    back = library.runs.revert(run.id)
    assert (back.classifier, back.edition, back.before) == (first, 5, False)
    with pytest.raises(NotFound, match="no earlier classifier"):
        library.runs.revert(run.id)
    for call in (library.runs.edition, library.runs.revert):
        with pytest.raises(NotFound, match="not in the library any more"):
            call("nothing")


def test_a_classifier_is_renamed_with_its_versions_and_albums(library, encoder):
    classifier = zero_shot_classifier(encoder, ["red", "green"])
    library.save(classifier, "colours")
    assert library.classifiers.describe("colours", " For the garden. ").about == "For the garden."
    assert library.save(classifier, "colours").about == "For the garden."  # of the name, not of one version
    library.save(classifier, "others")
    library.albums.save("reds", classifier="colours", label="red")
    library.albums.save("greens", classifier="others", label="green")
    renamed = library.classifiers.rename("colours", " garden  colours ")
    assert (renamed.name, renamed.version, renamed.about) == ("garden colours", 2, "For the garden.")
    assert [record.version for record in library.classifiers.versions("garden colours")] == [2, 1]
    assert [library.albums.get(name).classifier for name in ("reds", "greens")] == ["garden colours", "others"]
    with pytest.raises(NotFound, match="No classifier is called “colours”"):
        library.classifier("colours")
    with pytest.raises(BadInput, match="a classifier “others” already"):
        library.classifiers.rename("garden colours", "others")
    assert library.classifiers.rename("others", "others").name == "others"
    for call in (library.classifiers.rename, library.classifiers.describe):
        with pytest.raises(NotFound):
            call("colours", "x")
    with pytest.raises(BadInput, match="2,001 letters"):
        library.classifiers.describe("others", "x" * 2001)
