"""The place of a picture: degrees from the camera's GPS, and the nearest town from them."""

import pytest
from PIL import ExifTags, Image

from clipcore.pictures.exif import position
from clipcore.pictures.reading import picture_facts
from clipcore.pictures.towns import place_names
from tests.support.places import ROME, located

GPS = ExifTags.GPS


def block(**values):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({getattr(GPS, name): value for name, value in values.items()})
    return exif


def test_a_photo_knows_its_position(tmp_path):
    facts = picture_facts(located(tmp_path / "a.jpg", ROME))
    assert (facts.latitude, facts.longitude) == pytest.approx(ROME, abs=1e-4)


def test_south_and_west_are_below_zero():
    said = block(GPSLatitude=(33, 51, 30), GPSLatitudeRef="S", GPSLongitude=(151, 12.6, 0), GPSLongitudeRef="w\0")
    assert position(said) == pytest.approx((-33.8583, -151.21), abs=1e-4)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"GPSLatitude": (41, 53, 30)},
        {"GPSLatitude": (0, 0, 0), "GPSLongitude": (0, 0, 0)},
        {"GPSLatitude": (91, 0, 0), "GPSLongitude": (12, 0, 0)},
        {"GPSLatitude": (float("nan"), 0, 0), "GPSLongitude": (12, 0, 0)},
        {"GPSLatitude": "north", "GPSLongitude": (12, 0, 0)},
    ],
)
def test_what_is_no_position_is_none(values):
    assert position(block(**values)) is None


def test_the_nearest_town_with_its_region_and_country():
    names = place_names([ROME, None, (0.0, -30.0), (1.29, 103.85), (-17.8, 179.99)])
    assert names[0] == "Rome, Lazio, Italy"
    assert names[1:3] == ["", ""]  # none, and the open sea
    assert names[3].endswith("Singapore")
    assert names[3].count("Singapore") == 1
    assert "Fiji" in names[4]


def test_without_positions_no_town_is_read(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "reverse_geocode", None)
    assert place_names([None, None]) == ["", ""]
