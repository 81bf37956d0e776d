"""Choose N on the page: its job makes an album of images that have no label yet."""

import pytest

from clipcore import BadInput, drain
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.library.choosing import payload, work
from ui.studio import Studio


def test_the_choice_is_an_album_without_what_has_a_label(tmp_path, request):
    for index, colour in enumerate(("red", "green", "blue", "red", "green", "blue")):
        photo(tmp_path / "photos" / f"{index}{colour}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        studio = Studio(library, lambda: encoder, "fake")
        studio.start()
        request.addfinalizer(studio.stop)
        for image in library.images():
            if "blue" in image.name:
                library.label(image.id, "blue")
        result = drain(work(studio, payload(studio, "all", 2, "balanced", "red, green")))
        album = library.albums.open(result["album"])
        assert sorted(hit.image.name[1:-4] for hit in album.hits) == ["green", "red"]
        assert "2 images are in the album" in result["sentence"]
        more = drain(work(studio, payload(studio, "all", 5, "typical", "")))
        assert "No more are unlike enough of the 4" in more["sentence"]  # two reds are one picture to this model
        with pytest.raises(BadInput, match="at least one"):
            payload(studio, "all", 0, "typical", "")
        with pytest.raises(BadInput, match="no class names"):
            payload(studio, "all", 2, "balanced", "")
        for image in library.images():
            library.label(image.id, "seen")
        with pytest.raises(BadInput, match="have labels already"):
            drain(work(studio, payload(studio, "all", 2, "typical", "")))
