"""Results of measuring, kept in the library."""

import pytest

from clipcore import BadInput, NotFound
from storage import Library
from tests.support.fakes import photo


def test_reports_are_saved_listed_and_deleted(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        first = library.save_report("accuracy", "  pets on   my labels ", {"top1": 0.5}, {"rows": [1, [2, None]]})
        second = library.save_report("compare", "a and b", {}, {})
        third = library.save_report("accuracy", "grün 🌿", {"top1": 1.0}, {"text": "<b>"})
        assert first.name == "pets on my labels"
        assert [record.id for record in library.reports()] == [third.id, second.id, first.id]
        assert [record.name for record in library.reports("accuracy")] == ["grün 🌿", "pets on my labels"]
        assert library.reports("accuracy")[1].report == {}  # a list is light
        whole = library.report(first.id)
        assert (whole.summary, whole.report, whole.created) == ({"top1": 0.5}, {"rows": [1, [2, None]]}, first.created)
        library.change_report(second.id, {"n": 2}, {"rows": []})
        assert (library.report(second.id).report, library.report(second.id).name) == ({"rows": []}, "a and b")
        gone = library.delete_report(first.id)
        assert gone.report == whole.report
        for missing in (library.report, library.delete_report):
            with pytest.raises(NotFound, match="not there any more"):
                missing(first.id)
        with pytest.raises(NotFound, match="not there any more"):
            library.change_report(first.id, {}, {})
        with pytest.raises(BadInput, match="needs a name"):
            library.save_report("accuracy", "  ", {}, {})
    with Library(tmp_path / "home") as again:  # needs no model, and outlives the process
        assert [record.kind for record in again.reports()] == ["accuracy", "compare"]


def test_pictures_are_found_by_their_content(tmp_path, encoder):
    photo(tmp_path / "photos" / "red.png", "red")
    photo(tmp_path / "photos" / "copy of red.png", "red")
    photo(tmp_path / "photos" / "blue.png", "blue")
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        by_name = {image.name: image for image in library.images()}
        red, blue = by_name["red.png"].content_hash, by_name["blue.png"].content_hash
        found = library.images_with_contents([blue, red, "none"])
        assert found[blue] == by_name["blue.png"]
        assert found[red].id == min(by_name["red.png"].id, by_name["copy of red.png"].id)
        assert len(found) == 2
