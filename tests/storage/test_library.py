"""The library with a model that sees colours only, so that every answer can be worked out by hand."""

import os
import shutil
import unicodedata
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import inspect, text

from clipcore import BadImage, BadInput, NotFound, SpaceMismatch, Step, zero_shot_classifier
from clipcore.encoding.text_cache import MemoryCache
from clipcore.pictures.reading import content_hash
from storage import Filters, Library, LibraryError, SkippedRecord, migrate
from storage.database import Database
from storage.labels.imports import read_folders
from storage.pictures.lookup import unsealed
from storage.vectors.index import to_blob
from storage.vectors.relevance import generic_queries
from tests.support.fakes import FakeEncoder, photo
from tests.support.sentences import assert_sentence

COLOURS = ["red", "green", "blue"]


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


def names(hits_or_images) -> list[str]:
    return [Path(item.path).name for item in hits_or_images]


def touch_later(path: Path) -> None:
    """A change of the file that its time shows, whatever the clock's grain."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


# adding


def test_add_tells_what_it_does(library, encoder, photos):
    steps, added = [], None
    work = library.iter_add(photos)
    try:
        while True:
            steps.append(next(work))
    except StopIteration as end:
        added = end.value

    assert steps[0] == Step(0, 0, "looking for pictures")
    assert (steps[1].done, steps[1].total) == (0, 4)
    assert (steps[-1].done, steps[-1].total, steps[-1].message) == (4, 4, "embedding")
    assert steps[-1].metrics.keys() == {"new", "known", "skipped", "per_second"}
    assert (added.new, added.known, added.skipped) == (4, 0, [])
    assert library.count() == library.count(added.folder_id) == encoder.embedded == 4
    folder = library.folders()[0]
    assert (folder.id, folder.path, folder.name, folder.images) == (added.folder_id, str(photos), "photos", 4)


def test_each_picture_is_embedded_once_ever(library, encoder, photos):
    library.add(photos)
    again = library.add(photos)
    assert (again.new, again.known) == (0, 4)
    assert encoder.embedded == 4


def test_unchanged_files_are_not_even_read(library, photos, monkeypatch):
    library.add(photos)
    monkeypatch.setattr("clipcore.encoding.stream.read_bytes", lambda path: pytest.fail(f"read {path}"))
    assert library.add(photos).known == 4


def test_a_renamed_file_is_not_embedded_again(library, encoder, photos):
    library.add(photos)
    (photos / "c.png").rename(photos / "sub" / "emerald.png")
    again = library.add(photos)
    assert (again.new, again.known, encoder.embedded) == (0, 4, 4)
    assert names(library.search("green", 1)) == ["emerald.png"]
    assert library.count() == 4


def test_a_copy_shares_the_vector(library, encoder, photos):
    library.add(photos)
    shutil.copy(photos / "c.png", photos / "copy.png")
    library.add(photos)
    assert encoder.embedded == 4
    assert sorted(names(library.search("green", 2))) == ["c.png", "copy.png"]


def test_a_changed_file_is_embedded_again(library, encoder, photos):
    library.add(photos)
    photo(photos / "c.png", "blue", size=(33, 24))
    touch_later(photos / "c.png")
    again = library.add(photos)
    assert (again.new, again.known, encoder.embedded) == (1, 3, 5)
    assert set(names(library.search("blue", 2))) == {"c.png", "d.webp"}
    assert library.search("green", 4)[0].score < 0.01
    assert library.count() == 4


def test_a_missing_file_is_hidden_until_it_comes_back(library, encoder, photos):
    folder = library.add(photos).folder_id
    ids = {image.path: image.id for image in library.images()}
    away = photos.parent / "away.png"
    shutil.move(photos / "c.png", away)
    library.add(photos)
    assert library.count() == library.count(folder) == library.folders()[0].images == 3
    assert "c.png" not in names(library.images()) + names(library.search("green", 4)) + names(library.embeddings()[0])
    assert len(library.search("green", 3)) == 3  # its vector is the nearest, and does not take a place

    shutil.move(away, photos / "c.png")
    library.add(photos)
    assert {image.path: image.id for image in library.images()} == ids
    assert encoder.embedded == 4


def test_a_folder_that_is_gone_loses_nothing(library, photos):
    library.add(photos)
    photos.rename(photos.parent / "unplugged")
    with pytest.raises(BadInput, match="does not exist"):
        library.add(photos)
    assert library.count() == 4


@pytest.mark.parametrize("folder", ["", "  ", "/no/such/folder", "a\0b", "x" * 10_000, "~nobody-of-that-name/x"])
def test_a_bad_folder_is_said_plainly(library, folder):
    with pytest.raises(BadInput, match=r"path|folder"):
        library.add(folder)
    assert library.folders() == []


def test_an_empty_mount_point_is_no_empty_library(library, photos):
    """A disk that is not connected leaves an empty folder where its pictures were."""
    library.add(photos)
    library.labels.label(photos / "a.png", "red")
    photos.rename(photos.with_name("disk"))
    photos.mkdir()
    added = library.add(photos)
    assert_sentence(added.note)
    assert "had 4, which are kept" in added.note
    assert (added.new, added.known, added.skipped, library.count()) == (0, 0, [], 4)
    photos.rmdir()
    photos.with_name("disk").rename(photos)
    added = library.add(photos)
    assert (added.new, added.known, added.note, library.count()) == (0, 4, "", 4)
    assert library.labels.counts() == {"red": 1}


def test_a_folder_that_never_had_pictures_is_nothing_to_speak_of(library, tmp_path):
    (tmp_path / "empty").mkdir()
    assert library.add(tmp_path / "empty").note == ""


def test_a_folder_below_that_may_not_be_read_is_named_and_nothing_of_it_hidden(library, photos, monkeypatch):
    library.add(photos)
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("/sub"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    (photos / "c.png").unlink()
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", guarded)
        added = library.add(photos)
    assert [(Path(bad.path).name, "Permission denied" in bad.reason) for bad in added.skipped] == [("sub", True)]
    assert names(library.images()) == ["a.png", "b.jpg", "d.webp"]
    assert [bad.path for bad in library.skipped()] == [str(photos / "sub")]
    assert library.add(photos).skipped == library.skipped() == []


def test_videos_are_listed_and_what_is_no_photo_is_not(library, photos):
    for name in ("clip.mp4", "@eaDir/a.png/SYNOPHOTO_THUMB_M.jpg", "#recycle/old.jpg"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes((photos / "a.png").read_bytes())
    added = library.add(photos)
    assert [Path(bad.path).name for bad in added.skipped] == ["clip.mp4"]
    assert "video" in added.skipped[0].reason
    assert library.skipped() == added.skipped
    assert library.count() == 4
    (photos / ".saysoignore").write_text("sub/\n*.MP4\n")
    assert library.add(photos).skipped == library.skipped() == []
    assert library.count() == 3


@pytest.mark.parametrize(("kept", "typed"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_are_found_however_their_letters_are_spelt(library, tmp_path, kept, typed):
    photo(tmp_path / "p" / f"{unicodedata.normalize(kept, 'Café 한글')}.png", "red")
    library.add(tmp_path / "p")
    for wanted in ("café", "한글", "CAF\u00ad\u00c9"):
        found = library.find("red", filters=Filters(name=unicodedata.normalize(typed, wanted)))
        assert len(found.hits) == 1


def test_labels_come_in_however_their_letters_are_spelt(library, tmp_path):
    """Class folders and tables made on a Mac, of pictures that lie here in the usual spelling, or the other way round."""
    split = unicodedata.normalize("NFD", "café")
    for index, spelt in enumerate(("café", split)):
        photo(tmp_path / "p" / str(index) / f"{spelt}.png", "red", (40 + index, 30))
    library.add(tmp_path / "p")
    photo(tmp_path / "sorted" / split / "x.png", "red", (40, 30))
    photo(tmp_path / "sorted" / "café" / "y.png", "red", (41, 30))
    photo(tmp_path / "sorted" / "@eaDir" / "z.png", "red", (41, 30))
    imported = library.exchange.import_labels(read_folders(tmp_path / "sorted"))
    assert (imported.labels, imported.pictures, imported.unknown) == (("café",), 2, [])
    rows = [(f"elsewhere/0/{split}.png", "drink"), ("elsewhere/1/café.png", "drink")]
    assert library.exchange.import_labels(rows).pictures == 2
    assert library.labels.counts() == {"café": 2, "drink": 2}


def test_bad_files_are_listed_and_the_others_go_in(library, encoder, photos):
    (photos / "text.jpg").write_text("not a picture")
    (photos / "empty.png").touch()
    (photos / "cut.jpg").write_bytes((photos / "b.jpg").read_bytes()[:200])
    added = library.add(photos)
    assert (added.new, len(added.skipped), library.count()) == (4, 3, 4)
    assert [Path(bad.path).name for bad in library.skipped()] == ["cut.jpg", "empty.png", "text.jpg"]
    assert library.skipped(added.folder_id) == library.skipped()
    reasons = {Path(bad.path).name: bad.reason for bad in added.skipped}
    assert "empty" in reasons["empty.png"]
    assert "not a picture" in reasons["text.jpg"]

    photo(photos / "text.jpg", "grey")  # mended
    (photos / "empty.png").unlink()  # gone
    library.add(photos)
    assert [Path(bad.path).name for bad in library.skipped()] == ["cut.jpg"]
    assert library.count() == 5


def test_a_picture_that_is_damaged_later_is_hidden(library, photos):
    library.add(photos)
    (photos / "c.png").write_text("overwritten")
    touch_later(photos / "c.png")
    library.add(photos)
    assert library.count() == 3
    assert [Path(bad.path).name for bad in library.skipped()] == ["c.png"]


def test_odd_names_are_files_like_any_other(library, photos):
    for name in ("\N{CAT FACE} caf\u00e9.png".encode(), b"caf\xe9.png", b"new\nline.png", b"'; drop table images;--.png"):
        photo(photos / "new.png", "green", size=(len(name), 9))
        os.rename(photos / "new.png", os.fsencode(photos) + b"/" + name)
    library.add(photos)
    assert library.count() == 8
    latin = next(image for image in library.images() if os.fsencode(image.path).endswith(b"caf\xe9.png"))
    assert (latin.name, latin.width) == ("caf\N{REPLACEMENT CHARACTER}.png", 8)
    assert latin.shown_path.encode().endswith(latin.name.encode())
    assert latin.path in [hit.path for hit in library.search("green", 5)]
    assert library.thumbnail(latin.id).startswith(b"RIFF")
    assert library.similar(latin.id, 1)[0].score == pytest.approx(1)


def test_a_folder_with_an_odd_name(library, photos):
    odd = Path(os.fsdecode(os.fsencode(photos) + b" \xff%_"))
    photos.rename(odd)
    folder = library.add(odd).folder_id
    assert library.count(folder) == 4
    assert library.folders()[0].name == "photos \N{REPLACEMENT CHARACTER}%_"
    assert Path(library.folders()[0].path) == odd


# folders


def test_a_folder_that_holds_the_library(library, photos):
    library.add(photos)
    library.thumbnail(library.images()[0].id)
    library.keep_upload((photos / "a.png").read_bytes(), "upload.png")
    added = library.add(library.home.parent)
    assert (added.new, added.known, library.count()) == (0, 5, 5)  # no thumbnail is taken for a picture


def test_nested_folders_share_their_pictures(library, encoder, photos):
    outer = library.add(photos).folder_id
    inner = library.add(photos / "sub").folder_id
    beside = library.add(photo(photos.parent / "photos2" / "z.png", "grey").parent).folder_id  # begins like “photos”
    assert {folder.id: folder.images for folder in library.folders()} == {outer: 4, inner: 1, beside: 1}
    assert names(library.images(inner)) == ["d.webp"]
    assert names(library.search("red", 5, folder_id=inner)) == ["d.webp"]
    assert encoder.embedded == 5

    library.remove_folder(outer)
    assert names(library.images()) == ["d.webp", "z.png"]
    library.add(photos)
    library.remove_folder(inner)
    assert library.count() == 5


def test_remove_folder_forgets_rows_and_no_file(library, encoder, photos):
    folder = library.add(photos).folder_id
    thumbnail = library.thumbnail(library.images()[0].id)
    library.search("red")
    assert list((library.home / "thumbs").rglob("*.webp"))
    library.remove_folder(folder)
    assert library.count() == 0
    assert library.search("red") == []
    assert library.embeddings()[1].shape == (0, 4)
    assert not list((library.home / "thumbs").rglob("*.webp"))
    assert len(list(photos.rglob("*.*"))) == 4
    library.add(photos)
    assert encoder.embedded == 8
    assert library.thumbnail(library.images()[0].id) == thumbnail
    assert library.images()[0].id > 4  # an old page does not show another picture
    with pytest.raises(NotFound):
        library.remove_folder(folder)


def test_a_folder_removed_while_it_is_added(library, photos):
    work = library.iter_add(photos)
    next(work), next(work)
    library.remove_folder(library.folders()[0].id)
    with pytest.raises(NotFound, match="not in the library any more"):
        list(work)
    assert library.add(photos).new == 4


def test_pages_of_images(library, photos):
    folder = library.add(photos, "Holiday").folder_id
    first = library.images(limit=3)
    assert names(first) == ["a.png", "b.jpg", "c.png"]
    assert names(library.images(folder, after=first[-1].id, limit=3)) == ["d.webp"]
    assert library.image(first[0].id) == first[0]
    assert (first[1].width, first[1].height) == (40, 30)
    assert library.folders()[0].name == "Holiday"
    for ask in (lambda: library.image(99), lambda: library.images(99), lambda: library.count(99)):
        with pytest.raises(NotFound, match="not in the library"):
            ask()


# files handed over


def test_uploads(library, encoder, photos):
    data = (photos / "c.png").read_bytes()
    place = library.keep_upload(data, "c.png")
    assert place.read_bytes() == data
    assert library.keep_upload(data, "c.png") == place
    assert (place.name, place.parent.parent) == ("c.png", library.home / "uploads")
    bad = library.keep_upload(b"nonsense", "bad.png")
    second = library.keep_upload((photos / "a.png").read_bytes(), "a.png")

    work = library.iter_add_files([second, bad, place, second])
    while True:
        try:
            next(work)
        except StopIteration as end:
            added = end.value
            break
    assert (added.new, len(added.skipped)) == (2, 1)
    assert [library.image(i).name for i in added.image_ids] == ["a.png", "c.png"]
    assert library.folders()[0].name == "Dropped images"
    assert library.count(added.folder_id) == 2
    assert [Path(bad.path).name for bad in library.skipped(added.folder_id)] == ["bad.png"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        (".hidden.png", "hidden.png"),
        ("", "image"),
        ("...", "image"),
        ("a\0b\n<c>.png", "a_b__c_.png"),
        ("caf\udce9.png", "caf_.png"),
        ("\N{CAT FACE}" * 100 + ".jpeg", "\N{CAT FACE}" * 36 + ".jpeg"),
    ],
)
def test_names_of_uploads_are_made_safe(library, given, kept):
    place = library.keep_upload(b"x", given)
    assert place.name == kept
    assert place.parent.parent == library.home / "uploads"


def test_an_upload_that_does_not_fit(library, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(LibraryError, match="No space left"):
        library.keep_upload(b"x", "a.png")
    assert not [file for file in (library.home / "uploads").rglob("*") if file.is_file()]


# asking


def test_search_by_words_and_by_picture(library, photos):
    library.add(photos)
    hits = library.search("something red", k=3)
    assert set(names(hits[:2])) == {"a.png", "b.jpg"}
    assert [hit.score for hit in hits] == pytest.approx([1, 1, 0], abs=0.01)
    assert hits[0].id == hits[0].image.id
    red = hits[0]
    alike = library.similar(red.id, k=3)
    assert red.id not in [hit.id for hit in alike]
    assert alike[0].score == pytest.approx(1)
    assert len(library.search("red", k=100)) == 4
    assert library.search("red", k=0) == []
    for words in ("", "  "):
        with pytest.raises(BadInput):
            library.search(words)


def test_words_are_encoded_once(library, encoder, photos):
    library.add(photos)
    library.search("red")
    before = encoder.texts_encoded
    library.search("red ")
    assert encoder.texts_encoded == before == 1 + len(generic_queries())


def test_embeddings_are_what_the_encoder_gave(library, encoder, photos):
    folder = library.add(photos).folder_id
    images, vectors = library.embeddings()
    assert vectors.dtype == np.float32
    assert [image.id for image in images] == sorted(image.id for image in images)
    np.testing.assert_array_equal(vectors, encoder.embed_images([image.path for image in images]))
    some, rows = library.embeddings(image_ids=[images[2].id, images[0].id, 99])
    assert some == [images[0], images[2]]
    np.testing.assert_array_equal(rows, vectors[[0, 2]])
    assert library.embeddings(folder_id=folder)[0] == images
    assert library.embeddings(image_ids=[])[1].shape == (0, 4)


def test_classify(library, encoder, photos):
    folder = library.add(photos).folder_id
    images, predictions = library.classify(zero_shot_classifier(encoder, COLOURS), folder)
    assert dict(zip(names(images), [p.label for p in predictions], strict=True)) == {
        "a.png": "red",
        "b.jpg": "red",
        "c.png": "green",
        "d.webp": "blue",
    }


def test_thumbnails(library, photos, monkeypatch):
    Image.new("RGB", (600, 300), "red").save(photos / "wide.png")
    library.add(photos)
    wide = next(image for image in library.images() if image.name == "wide.png")
    data = library.thumbnail(wide.id, side=128)
    file = library.home / "thumbs" / "128" / wide.content_hash[:2] / f"{wide.content_hash}.webp"
    assert unsealed(file.read_bytes()) == data
    with Image.open(file) as small:
        assert (small.format, small.size) == ("WEBP", (128, 64))

    file.write_bytes(data[:50])  # cut short by a crash
    assert library.thumbnail(wide.id, side=128) == data
    kept = file.read_bytes()
    for at in (30, len(kept) // 2, len(kept) - 1):  # damaged at equal length
        file.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
        assert library.thumbnail(wide.id, side=128) == data
        assert file.read_bytes() == kept  # made again
    (photos / "wide.png").unlink()
    assert library.thumbnail(wide.id, side=128) == data  # made once
    file.write_bytes(data)  # by a Sayso that kept no checksum: better than nothing
    assert library.thumbnail(wide.id, side=128) == data
    file.write_bytes(kept[:-1] + b"?")
    with pytest.raises(BadImage, match="gone"):
        library.thumbnail(wide.id, side=128)
    with pytest.raises(BadImage, match="gone"):
        library.thumbnail(wide.id, side=64)
    for side in (0, 100_000):
        with pytest.raises(BadInput, match="pixels"):
            library.thumbnail(wide.id, side=side)


def test_a_thumbnail_of_a_file_that_has_changed_is_not_kept(library, photos):
    library.add(photos)
    image = library.images()[0]
    photo(photos / "a.png", "blue", size=(90, 90))
    assert library.thumbnail(image.id)
    assert not list((library.home / "thumbs").rglob("*.webp"))


# classifiers and runs


def test_classifiers_have_versions(library, encoder):
    two = zero_shot_classifier(encoder, ["red", "green"])
    three = zero_shot_classifier(encoder, COLOURS)
    first = library.save(two, " My  colours ")
    second = library.save(three, "My colours")
    assert (first.name, first.version, second.version) == ("My colours", 1, 2)
    assert [(record.name, record.labels) for record in library.classifiers.all()] == [
        ("My colours", ("red", "green", "blue"))
    ]
    assert second.created.tzinfo is not None
    assert (second.space_key, second.space_name, second.kind) == (encoder.space.key, "fake", "zero-shot")
    kept = library.classifier("My colours")
    np.testing.assert_array_equal(kept.weight, three.weight)
    assert library.classifier("My colours", version=1).labels == ("red", "green")
    library.classifiers.delete("My colours")
    assert library.classifiers.all() == []


def test_an_unknown_classifier_names_those_there_are(library, encoder):
    with pytest.raises(NotFound, match="“pets”; none has been saved"):
        library.classifier("pets")
    for name in ("cars", "birds"):
        library.save(zero_shot_classifier(encoder, COLOURS), name)
    with pytest.raises(NotFound, match="“pets”; there are birds, cars"):
        library.classifier("pets")
    with pytest.raises(NotFound):
        library.classifier("cars", version=2)
    with pytest.raises(NotFound):
        library.classifiers.delete("pets")


@pytest.mark.parametrize("name", ["", " \n", "x" * 201, "a\0b", "a\u202eb", "\udc80"])
def test_a_bad_name_is_said_plainly(library, encoder, name):
    with pytest.raises(BadInput, match="name"):
        library.save(zero_shot_classifier(encoder, COLOURS), name)


def test_runs_reload(library, encoder, photos):
    folder = library.add(photos).folder_id
    classifier = zero_shot_classifier(encoder, COLOURS)
    ids = [image.id for image in library.images()]
    some = library.runs.start(classifier, image_ids=ids[1:3], skipped=[SkippedRecord("x.png", "why")])
    whole = library.runs.start(classifier, folder_id=folder)
    assert some.id != whole.id

    with Library(library.home, FakeEncoder()) as later:
        run = later.runs.get(some.id)
        assert (run.image_ids, run.folder_id, run.skipped) == ((ids[1], ids[2]), None, [SkippedRecord("x.png", "why")])
        assert run.created.tzinfo is not None
        images, predictions = later.runs.predictions(some.id)
        assert [image.id for image in images] == ids[1:3]
        assert [p.label for p in predictions] == ["red", "green"]
        assert len(later.runs.predictions(whole.id)[0]) == 4
        with pytest.raises(NotFound, match="classify the images again"):
            later.runs.get("'; --")


def test_old_runs_go(library, encoder, monkeypatch):
    monkeypatch.setattr("storage.classifiers.runs.KEPT_RUNS", 2)
    classifier = zero_shot_classifier(encoder, COLOURS)
    first, *others = [library.runs.start(classifier, []).id for _ in range(3)]
    with pytest.raises(NotFound):
        library.runs.get(first)
    assert [library.runs.get(run_id).id for run_id in others] == others


# models


def test_another_model_has_its_own_vectors(library, photos):
    library.add(photos)
    other = FakeEncoder("other")
    assert library.count(embedded=True) == 4
    library.encoder = other
    assert (library.count(), library.count(embedded=True)) == (4, 0)
    assert library.search("red") == []
    with pytest.raises(NotFound, match="no vector of other"):
        library.similar(library.images()[0].id)
    assert library.add(photos).new == other.embedded == 4
    assert set(names(library.search("red", 2))) == {"a.png", "b.jpg"}


def test_a_classifier_of_another_model_is_refused(library, photos):
    library.add(photos)
    foreign = zero_shot_classifier(FakeEncoder("other"), COLOURS)
    library.save(foreign, "colours")
    with pytest.raises(SpaceMismatch, match=r"other.*fake"):
        library.classify(library.classifier("colours"))
    with pytest.raises(SpaceMismatch):
        library.runs.predictions(library.runs.start(foreign).id)


def test_without_a_model(library, encoder, photos):
    library.add(photos)
    library.save(zero_shot_classifier(encoder, COLOURS), "colours")
    library.close()
    with Library(library.home) as plain:
        assert plain.encoder is None
        assert plain.count() == len(plain.images()) == 4
        assert plain.thumbnail(plain.images()[0].id)
        assert plain.classifier("colours").labels == ("red", "green", "blue")
        assert plain.folders()
        for ask in (lambda: plain.search("red"), lambda: plain.add(photos), plain.embeddings):
            with pytest.raises(BadInput, match="needs a model"):
                ask()
        plain.encoder = FakeEncoder()
        assert plain.search("red", 1)


def test_an_encoder_outlives_its_library(tmp_path):
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder):
        encoder.embed_texts(["red"])
    shutil.rmtree(tmp_path / "home")
    assert isinstance(encoder.text_cache, MemoryCache)
    encoder.embed_texts(["red"])


# dates and cameras


def dated_photo(path: Path, colour: str, taken: str) -> Path:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = taken
    exif[0x0110] = "X100"
    exif[0x0112] = 6
    Image.new("RGB", (40, 30), colour).save(path, exif=exif)
    return path


def test_a_picture_is_of_the_day_its_camera_says(library, photos):
    """Copying a photo to this computer makes the file new, not the picture."""
    dated_photo(photos / "old.jpg", "green", "2004:05:06 23:59:59")
    library.add(photos)
    assert [image.name for image in library.browse(Filters(until=date(2004, 5, 6)), "newest")[0]] == ["old.jpg"]
    assert library.browse(Filters(until=date(2004, 5, 5)), "newest")[1] == 0
    assert library.browse(Filters(), "oldest")[0][0].name == "old.jpg"
    assert library.find("green", order="oldest").hits[0].image.name == "old.jpg"


def test_dates_and_cameras_are_kept(library, photos):
    dated_photo(photos / "dated.jpg", "green", "2024:05:06 12:34:56")
    library.add(photos)
    dated = next(image for image in library.images() if image.name == "dated.jpg")
    assert (dated.taken, dated.camera) == (datetime(2024, 5, 6, 12, 34, 56), "X100")
    assert (dated.width, dated.height) == (30, 40)
    assert {(image.taken, image.camera) for image in library.images() if image is not dated} >= {(None, None)}
    assert library.search("green", 2)[0].image.taken or library.search("green", 2)[1].image.taken
    assert library.embeddings([dated.id])[0] == [dated]


@pytest.mark.sqlite
def test_a_library_from_before_dates_were_kept(tmp_path, photos, encoder, monkeypatch):
    """Made by the revision of then, upgraded with a backup, and filled at the next look without the model."""
    dated_photo(photos / "dated.jpg", "green", "2024:05:06 12:34:56")
    old_home = tmp_path / "home"
    old_home.mkdir()
    old = Database.at(old_home / "sayso.db")
    migrate.upgrade(old, old_home, head="0001")
    with old.writing() as connection:
        assert "taken" not in {column["name"] for column in inspect(connection).get_columns("images")}
        space = {"key": encoder.space.key, "name": "fake", "dim": 4, "token": "t"}
        connection.execute(text("INSERT INTO spaces (key, name, dim, token) VALUES (:key, :name, :dim, :token)"), space)
        folder = {"path": os.fsencode(photos)}
        connection.execute(text("INSERT INTO folders (path, name, created) VALUES (:path, 'photos', '2025-01-01')"), folder)
        for file in sorted(photos.rglob("*.*")):
            data, status = file.read_bytes(), file.stat()
            row = {"path": os.fsencode(file), "hash": content_hash(data), "size": status.st_size, "m": status.st_mtime_ns}
            connection.execute(
                text(
                    "INSERT INTO images (folder_id, path, content_hash, width, height, size, mtime_ns, missing, created)"
                    " VALUES (1, :path, :hash, 9, 9, :size, :m, 0, '2025-01-01')"
                ),
                row,
            )
            vector = {"hash": row["hash"], "vector": to_blob(encoder.embed_images([data])[0])}
            connection.execute(
                text("INSERT INTO embeddings (space_id, content_hash, vector) VALUES (1, :hash, :vector)"), vector
            )
    old.close()
    encoder.embedded = 0

    with Library(old_home, encoder) as library:
        assert [copy.name.endswith(f"before-{migrate.HEAD}.db") for copy in (old_home / "backups").iterdir()] == [True]
        assert library.count() == 5
        assert {image.taken for image in library.images()} == {None}
        assert {image.dated for image in library.images()} == {
            datetime.fromtimestamp(file.stat().st_mtime_ns / 1e9) for file in photos.rglob("*.*")
        }
        monkeypatch.setattr("clipcore.encoding.stream.read_bytes", lambda path: pytest.fail(f"read {path}"))
        steps = list(library.iter_add(photos))
        assert "reading dates" in {step.message for step in steps}
        assert encoder.embedded == 0
        dated = next(image for image in library.images() if image.name == "dated.jpg")
        assert (dated.taken, dated.camera) == (datetime(2024, 5, 6, 12, 34, 56), "X100")
        assert dated.dated == dated.taken
        assert "reading dates" not in {step.message for step in library.iter_add(photos)}  # once is enough
