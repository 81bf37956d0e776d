"""Stars: read from a picture and from its sidecar, given here, filtered by, and written into sidecars."""

import pytest
from PIL import Image

from clipcore import BadInput
from clipcore.pictures.exif import xmp_rating
from clipcore.pictures.reading import picture_facts
from storage import Filters, Library
from storage.export.xmp import merged
from tests.support.fakes import FakeEncoder, photo

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    "<rdf:Description {}/></rdf:RDF></x:xmpmeta>"
)
RATED = 'rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{}"'


def packet(stars):
    return XMP.format(RATED.format(stars)).encode()


def names(library, stars):
    return [image.name for image in library.browse(Filters(stars=stars))[0]]


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "photos"
    for number, (colour, stars) in enumerate((("red", 4), ("green", None), ("blue", -1))):
        image = Image.new("RGB", (40 + number, 30), colour)
        folder.mkdir(exist_ok=True)
        image.save(folder / f"{colour}.jpg", **({} if stars is None else {"xmp": packet(stars)}))
    photo(folder / "white.png", "white", (50, 30))
    (folder / "white.png.xmp").write_bytes(
        XMP.format("").replace("/>", "><xap:Rating>5</xap:Rating></rdf:Description>", 1).encode()
    )
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(folder)
        yield library


def test_stars_of_other_programs_are_read(library, tmp_path):
    assert {image.name: library.stars(image.id) for image in library.images()} == {
        "blue.jpg": 0,
        "green.jpg": 0,
        "red.jpg": 4,
        "white.png": 5,
    }
    assert names(library, 4) == ["red.jpg", "white.png"]
    assert names(library, 5) == ["white.png"]
    exif = Image.Exif()
    exif[0x4746] = 3
    Image.new("RGB", (30, 30)).save(tmp_path / "windows.jpg", exif=exif)
    assert picture_facts(tmp_path / "windows.jpg").rating == 3
    assert [xmp_rating(text) for text in (b"", b"xmp:Rating='2'", b"<xmp:Rating>1</xmp:Rating>", b'xmp:Rating="9"')] == [
        None,
        2,
        1,
        0,
    ]


def test_stars_that_are_given_here_go_before_the_files_and_stay(library, tmp_path):
    red, white = (next(image for image in library.images() if image.name == name) for name in ("red.jpg", "white.png"))
    assert library.rate([red.id], 2) == 1
    assert library.rate([white.id], 0) == 1
    assert names(library, 1) == ["red.jpg"]
    Image.open(red.path).save(red.path, xmp=packet(5))  # Lightroom has another opinion
    library.add(tmp_path / "photos")
    assert library.stars(red.id) == 2
    assert library.given_stars([red.picture, white.picture]) == {red.picture: 2, white.picture: 0}
    with pytest.raises(BadInput, match="from 0"):
        library.rate([red.id], 6)
    with pytest.raises(BadInput):
        Filters.from_json({"stars": 9})
    assert Filters.from_json(Filters(stars=4).to_json()) == Filters(stars=4)


def test_sidecars_take_stars(library):
    made = merged(None, [], stars=4)
    assert xmp_rating(made) == 4
    assert merged(made, [], stars=4) == made
    assert xmp_rating(merged(made, ["dog"])) == 4  # nobody rated it here: what it says stays
    assert xmp_rating(merged(packet(1), [], stars=5)) == 5
    assert merged(packet(1), [], stars=5).count(b"Rating") == 1
    assert merged(None, [], stars=0) is None
