"""Pictures by where they were taken."""

from sqlalchemy import update

from storage import Filters, Library
from storage.tables import Image
from tests.support.fakes import FakeEncoder, photo
from tests.support.places import ROME, ZURICH, located


def names(library, place):
    return [image.name for image in library.browse(Filters(place=place))[0]]


def test_pictures_are_found_by_town_region_and_country(tmp_path):
    located(tmp_path / "a.jpg", ROME)
    located(tmp_path / "b.jpg", ZURICH, "green")
    photo(tmp_path / "c.png", "blue")
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path)
        assert names(library, "rome") == names(library, "LAZIO") == names(library, "Italy") == ["a.jpg"]
        assert names(library, "Zurich") == names(library, "zürich") == ["b.jpg"]
        assert names(library, "Atlantis") == []
        assert names(library, "") == ["a.jpg", "b.jpg", "c.png"]
        assert [hit.image.name for hit in library.find("red", filters=Filters(place="Rome"), everything=True).hits] == [
            "a.jpg"
        ]
        library.albums.save("Rome", "", Filters(place="Rome"))
        assert [hit.image.name for hit in library.albums.open("Rome").hits] == ["a.jpg"]


def test_a_library_from_before_learns_its_places_at_the_next_look(tmp_path):
    located(tmp_path / "a.jpg", ROME)
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path)
        with library.database.writing() as connection:  # as the upgrade leaves it
            connection.execute(update(Image).values(place=None, latitude=None, longitude=None))
        assert names(library, "Rome") == []
        assert library.add(tmp_path).known == 1
        assert names(library, "Rome") == ["a.jpg"]
