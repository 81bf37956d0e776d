"""The Images list: what it offers, and that what is chosen stays there."""

import pytest

from clipcore import BadInput
from storage import Library
from tests.support.fakes import photo
from ui.form_values import ALL, fresh_choices, selection, sources, still_there
from ui.studio import Studio


@pytest.fixture
def studio(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture
def folder(studio, photos):
    return studio.library.add(photos).folder_id


@pytest.fixture
def emptied(studio, tmp_path):
    """A folder of which no picture is left, though a file is: one alone would be taken for a disk that is not there."""
    file = photo(tmp_path / "emptied" / "one.png", "red")
    folder = studio.library.add(file.parent).folder_id
    file.write_bytes(b"no picture any more")
    studio.library.add(file.parent)
    return folder


def test_folders_are_offered_with_what_is_in_them(studio, folder):
    assert sources(studio) == [("All images of the library (4)", ALL), ("photos (4)", f"folder:{folder}")]


def test_a_folder_without_images_is_offered_only_while_it_is_chosen(studio, folder, emptied):
    assert [value for _, value in sources(studio)] == [ALL, f"folder:{folder}"]
    assert ("emptied (0)", f"folder:{emptied}") in sources(studio, f"folder:{emptied}")


@pytest.mark.parametrize(("chosen", "words"), [("ids:7", "The chosen image"), ("ids:7,8", "The 2 chosen images")])
def test_chosen_images_are_offered_in_words(studio, chosen, words):
    assert sources(studio, chosen)[-1] == (words, chosen)
    assert chosen not in dict(sources(studio)).values()


def test_what_is_chosen_stays_while_the_list_changes(studio, folder, photos):
    chosen = f"folder:{folder}"
    assert still_there(sources(studio, chosen), chosen) == chosen
    photo(photos / "more.png", "green", (50, 50))
    studio.library.add(photos)
    fresh = fresh_choices(studio, chosen)
    assert ("photos (5)", chosen) in fresh.choices
    assert "value" not in fresh.constructor_args  # a value would take back what was chosen meanwhile


def test_the_whole_library_is_chosen_where_the_folder_was_forgotten(studio, folder):
    studio.library.remove_folder(folder)
    for chosen in (f"folder:{folder}", None):
        fresh = fresh_choices(studio, chosen)
        assert (fresh.value, fresh.choices) == (ALL, [("All images of the library (0)", ALL)])


def test_an_empty_choice_says_what_to_do(studio, emptied):
    with pytest.raises(BadInput, match="There are no images yet"):
        selection(studio, f"folder:{emptied}")
