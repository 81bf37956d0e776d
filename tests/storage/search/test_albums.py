"""Smart albums, filters by label and orientation, and a search kept as a classifier, on a model that sees colours only."""

from datetime import date

import pytest
from sqlalchemy import insert

from clipcore import BadInput, NotFound, zero_shot_classifier
from storage import Filters, Library
from storage.tables import LabelRow
from tests.support.fakes import photo
from tests.support.sentences import assert_sentence


@pytest.fixture
def library(tmp_path, encoder, photos):
    with Library(tmp_path / "home", encoder) as library:
        library.add(photos)
        yield library


def names(found) -> list[str]:
    return [hit.image.name for hit in found.hits]


def label(library, name: str, label: str, value: int = 1) -> None:
    """As a person would on the board."""
    image = next(image for image in library.images() if image.name == name)
    with library.database.writing() as connection:
        connection.execute(insert(LabelRow).values(picture=image.picture, label=label, value=value))


# filters


def test_a_label_filters(library):
    label(library, "a.png", "holiday")
    label(library, "c.png", "holiday")
    label(library, "d.webp", "holiday", -1)  # it is not
    label(library, "b.jpg", "work")
    assert [image.name for image in library.browse(Filters(label="holiday"))[0]] == ["a.png", "c.png"]
    assert names(library.find("red", filters=Filters(label="  holiday "), everything=True)) == ["a.png", "c.png"]
    assert library.browse(Filters(label="nobody said this"))[1] == 0
    assert names(library.find("red", filters=Filters(label="holiday", name="c"), everything=True)) == ["c.png"]


def test_orientation_filters(library, tmp_path):
    photo(tmp_path / "more" / "tall.png", "red", (20, 30))
    photo(tmp_path / "more" / "even.png", "red", (20, 20))
    library.add(tmp_path / "more")
    assert names(library.find("red", filters=Filters(orientation="portrait"))) == ["tall.png"]
    assert names(library.find("red", filters=Filters(orientation="square"))) == ["even.png"]
    assert names(library.find("red", filters=Filters(orientation="landscape"))) == ["a.png", "b.jpg"]
    with pytest.raises(BadInput, match="landscape, portrait, square") as problem:
        library.browse(Filters(orientation="diagonal"))
    assert_sentence(problem.value)


def test_filters_as_plain_values():
    filters = Filters(3, "x", date(2024, 5, 1), date(2024, 6, 1), "dog", "portrait")
    assert Filters.from_json(filters.to_json()) == filters
    assert filters.to_json()["since"] == "2024-05-01"
    assert (Filters().to_json(), Filters.from_json({})) == ({}, Filters())


# albums


def test_an_album_includes_new_photos(library, tmp_path):
    kept = library.albums.save(" Red  things ", "red")
    assert (kept.name, kept.words, kept.classifier) == ("Red things", "red", None)
    assert names(library.albums.open("Red things")) == ["a.png", "b.jpg"]
    library.add(photo(tmp_path / "more" / "new.png", "red", (20, 30)).parent)
    assert names(library.albums.open("Red things")) == ["a.png", "b.jpg", "new.png"]
    page = library.albums.open("Red things", offset=1, limit=1)
    assert (names(page), page.total, page.clear) == (["b.jpg"], 3, True)
    assert library.albums.all() == [library.albums.get("Red things")] == [kept]


def test_an_album_of_words_and_filters(library, photos):
    folder = library.add(photos / "sub").folder_id
    library.albums.save("sub", "blue", Filters(folder, orientation="landscape"))
    assert names(library.albums.open("sub")) == ["d.webp"]
    library.remove_folder(folder)
    with pytest.raises(NotFound, match="folder"):
        library.albums.open("sub")


def test_an_album_of_filters_alone(library):
    label(library, "c.png", "holiday")
    library.albums.save("holiday", filters=Filters(label="holiday"))
    assert names(library.albums.open("holiday")) == ["c.png"]
    label(library, "a.png", "holiday")
    assert names(library.albums.open("holiday", "newest", limit=1)) != []
    assert library.albums.open("holiday", limit=1).total == 2


def test_what_a_classifier_calls_something(library, encoder, tmp_path):
    library.save(zero_shot_classifier(encoder, ["red", "blue"], "bare"), "colours")
    library.albums.save("reds", classifier="colours", label="red")
    found = library.albums.open("reds")
    # green is as far from red as from blue, and the first of equals wins
    assert (names(found), found.total) == (["a.png", "b.jpg", "c.png"], 3)
    assert found.hits[0].score > 0.99
    assert found.hits[2].score == pytest.approx(0.5, abs=0.01)
    library.save(zero_shot_classifier(encoder, ["red", "blue", "green"], "bare"), "colours")  # the next version
    library.add(photo(tmp_path / "more" / "new.png", "red", (20, 30)).parent)
    assert names(library.albums.open("reds")) == ["a.png", "b.jpg", "new.png"]


def test_a_classifier_words_and_filters_together(library, encoder):
    library.save(zero_shot_classifier(encoder, ["red", "blue", "green"], "bare"), "colours")
    library.albums.save("both", "red + green", Filters(name="png"), "colours", "red")
    assert names(library.albums.open("both")) == ["a.png"]


def test_a_classifier_that_went(library, encoder):
    library.save(zero_shot_classifier(encoder, ["red", "blue"], "bare"), "colours")
    library.albums.save("reds", classifier="colours", label="red")
    library.save(zero_shot_classifier(encoder, ["green", "blue"], "bare"), "colours")
    with pytest.raises(NotFound, match="red") as problem:
        library.albums.open("reds")
    assert_sentence(problem.value)
    library.classifiers.delete("colours")
    with pytest.raises(NotFound, match="colours"):
        library.albums.open("reds")


def test_deleting_and_replacing(library):
    library.albums.save("one", "red")
    with pytest.raises(BadInput, match="already") as problem:
        library.albums.save("one", "blue")
    assert_sentence(problem.value)
    assert library.albums.get("one").words == "red"
    assert library.albums.save("one", "blue", replace=True).words == "blue"
    library.albums.delete("one")
    assert library.albums.all() == []
    for asked in (library.albums.get, library.albums.open, library.albums.delete):
        with pytest.raises(NotFound, match="none has been saved"):
            asked("one")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"name": " ", "words": "red"}, "An album needs a name"),
        ({"name": "x"}, "something to go by"),
        ({"name": "x", "words": "- red"}, "no words before|to look for"),
        ({"name": "x", "words": "red", "filters": Filters(99)}, "folder"),
        ({"name": "x", "classifier": "colours", "label": "pink"}, "no class “pink”; choose one of red, blue"),
        ({"name": "x", "classifier": "nothing", "label": "red"}, "No classifier is called"),
    ],
)
def test_an_album_that_could_not_be_opened_is_not_saved(library, encoder, wrong, match):
    library.save(zero_shot_classifier(encoder, ["red", "blue"], "bare"), "colours")
    with pytest.raises((BadInput, NotFound), match=match):
        library.albums.save(**wrong)
    assert library.albums.all() == []


# a search as a classifier


def test_a_search_as_a_classifier(library, tmp_path):
    """The cut-off of "red" is 0.25 + 0.5 * 0.5 = 0.5, see test_search.py; the scale of the model is 10."""
    classifier = library.search_classifier("red")
    assert (classifier.labels, classifier.kind) == (("red",), "search")
    images, predictions = library.classify(classifier)
    shares = {image.name: prediction.score for image, prediction in zip(images, predictions, strict=True)}
    assert shares["a.png"] == pytest.approx(1 / (1 + 2.718281828 ** (-10 * (1 - 0.5))), abs=0.01)
    assert shares["d.webp"] == pytest.approx(1 - shares["a.png"], abs=0.01)
    library.save(classifier, "search for red")
    assert library.classifier("search for red") == classifier
    library.albums.save("kept", classifier="search for red", label="red")
    assert names(library.albums.open("kept")) == ["a.png", "b.jpg"] == names(library.find("red"))
    library.add(photo(tmp_path / "more" / "new.png", "red", (20, 30)).parent)
    assert names(library.albums.open("kept")) == ["a.png", "b.jpg", "new.png"]


def test_a_search_without_a_cut_off_is_no_classifier(library, encoder, tmp_path):
    with pytest.raises(BadInput, match="minus") as problem:
        library.search_classifier("red - blue")
    assert_sentence(problem.value)
    with Library(tmp_path / "empty", encoder) as empty, pytest.raises(BadInput, match="add a folder"):
        empty.search_classifier("red")
