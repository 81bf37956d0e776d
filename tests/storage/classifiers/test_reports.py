"""Results of measuring, kept in the library."""

import pytest

from clipcore import BadInput, NotFound
from storage import Library
from tests.support.fakes import photo


def test_reports_are_saved_listed_and_deleted(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        first = library.reports.save("accuracy", "  pets on   my labels ", {"top1": 0.5}, {"rows": [1, [2, None]]})
        second = library.reports.save("compare", "a and b", {}, {})
        third = library.reports.save("accuracy", "grün 🌿", {"top1": 1.0}, {"text": "<b>"})
        assert first.name == "pets on my labels"
        assert [record.id for record in library.reports.all()] == [third.id, second.id, first.id]
        assert [record.name for record in library.reports.all("accuracy")] == ["grün 🌿", "pets on my labels"]
        assert library.reports.all("accuracy")[1].report == {}  # a list is light
        whole = library.reports.get(first.id)
        assert (whole.summary, whole.report, whole.created) == ({"top1": 0.5}, {"rows": [1, [2, None]]}, first.created)
        library.reports.change(second.id, {"n": 2}, {"rows": []})
        assert (library.reports.get(second.id).report, library.reports.get(second.id).name) == ({"rows": []}, "a and b")
        gone = library.reports.delete(first.id)
        assert gone.report == whole.report
        for missing in (library.reports.get, library.reports.delete):
            with pytest.raises(NotFound, match="not there any more"):
                missing(first.id)
        with pytest.raises(NotFound, match="not there any more"):
            library.reports.change(first.id, {}, {})
        with pytest.raises(BadInput, match="needs a name"):
            library.reports.save("accuracy", "  ", {}, {})
    with Library(tmp_path / "home") as again:  # needs no model, and outlives the process
        assert [record.kind for record in again.reports.all()] == ["accuracy", "compare"]


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
