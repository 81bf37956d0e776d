"""Which files are pictures, which folders hold none, what is left out by one's own patterns, and what is said of it."""

import inspect
import io
import os
import sys
import unicodedata

import pytest
from PIL import Image

from clipcore import BadImage, BadInput
from clipcore.pictures.classes import find_labelled_images
from clipcore.pictures.finding import (
    SUFFIXES,
    VIDEO,
    VIDEOS,
    Skipped,
    display_path,
    find_images,
    holds_no_photo,
)
from clipcore.pictures.reading import open_image
from tests.support.sentences import assert_sentence


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 32), "red").save(file, kind)
    return file.getvalue()


PNG = encoded("PNG")


def fill(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG)
    return root


def found(root, *args, **options):
    return [path.relative_to(root).as_posix() for path in find_images(root, *args, **options)]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "@eaDir",
            "@tmp",
            "#recycle",
            "@Recycle",
            "#snapshot",
            "$RECYCLE.BIN",
            "$Recycle.Bin",
            "System Volume Information",
        ),
        *("lost+found", "__MACOSX", "node_modules", "Holiday Previews.lrdata", ".Trash-1000", ".thumbnails", "@__thumb"),
    ],
)
def test_what_systems_and_programs_keep_is_neither_picture_nor_class(tmp_path, name):
    fill(tmp_path, f"{name}/cat.jpg/SYNOPHOTO_THUMB_XL.jpg", "cat/1.png", f"cat/{name}/2.png", "cat/._1.png")
    assert found(tmp_path) == ["cat/1.png"]
    assert set(find_labelled_images(tmp_path).labels.values()) == {"cat"}
    assert holds_no_photo(f"photos/{name}/1.png")
    assert found(tmp_path / name) == ["cat.jpg/SYNOPHOTO_THUMB_XL.jpg"]  # one that is named is meant


def test_names_that_only_look_alike_are_pictures(tmp_path):
    names = ["#1.png", "@home/1.png", "lost and found/1.png", "node/1.png", "recycle/1.png"]
    assert found(fill(tmp_path, *names)) == sorted(names)
    assert [holds_no_photo(path) for path in ("./a/1.png", "", "a/._1.png")] == [False, False, True]


def test_ones_own_patterns(tmp_path):
    fill(
        tmp_path,
        "a.png",
        "a.CR2",
        "drafts/b.png",
        "2019/trip/c.jpg",
        "2019/keep.jpg",
        "2020/c.jpg",
        "2020/drafts",
        "d #1.png",
    )
    fill(tmp_path, "2021/deep/x.png", "2021/deep/y.png", "2021/caf\u00e9.png")
    lines = (
        "# RAW beside JPEG",
        "",
        "*.cr2",
        "drafts/",
        "2019/*",
        "!2019/KEEP.jpg",
        "d [#]*",
        unicodedata.normalize("NFD", "café*"),
    )
    (tmp_path / ".saysoignore").write_text("\r\n".join(lines), encoding="utf-8-sig")
    (tmp_path / "2021/deep/.saysoignore").write_text("/x.png\n")
    assert found(tmp_path) == ["2019/keep.jpg", "2020/c.jpg", "2021/deep/y.png", "a.png"]
    assert found(tmp_path / "2021" / "deep") == ["y.png"]
    (tmp_path / "2021/deep/.saysoignore").write_text("!*.cr2\n*\n!y.png")  # the nearer one has the last word
    assert found(tmp_path)[-2:] == ["2021/deep/y.png", "a.png"]


def test_patterns_that_cannot_be_read_are_said(tmp_path):
    fill(tmp_path, "a.png")
    (tmp_path / ".saysoignore").write_bytes(b"caf\xe9")
    skipped: list[Skipped] = []
    assert found(tmp_path, skipped) == ["a.png"]
    assert [bad.path.name for bad in skipped] == [".saysoignore"]
    assert_sentence(skipped[0].reason)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        *((ending, "JPEG") for ending in (".jfif", ".jif", ".pjpeg", ".pjp", ".jpe", ".jps", ".insp", ".JFIF")),
        *((".apng", "PNG"), (".dib", "BMP"), (".dib", "DIB")),
    ],
)
def test_rarer_endings_are_found_and_read(tmp_path, ending, kind):
    (tmp_path / f"a{ending}").write_bytes(encoded(kind))
    assert found(tmp_path) == [f"a{ending}"]
    assert open_image(tmp_path / f"a{ending}").size == (48, 32)


def test_every_maker_of_cameras_is_listed(tmp_path):
    endings = [
        ".dng",
        ".cr2",
        ".cr3",
        ".crw",
        ".nef",
        ".nrw",
        ".arw",
        ".sr2",
        ".raf",
        ".orf",
        ".rw2",
        ".pef",
        ".srw",
        ".3fr",
        ".iiq",
        ".rwl",
        ".x3f",
        ".mrw",
        ".hif",
        ".heic",
    ]
    assert set(endings) <= SUFFIXES


VIDEO_HEADS = {
    "a.mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2",
    "b.MOV": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    "c.mkv": b"\x1a\x45\xdf\xa3" + bytes(20),
    "d.avi": b"RIFF\x10\0\0\0AVI LIST",
}


def test_videos_are_named_with_the_reason(tmp_path):
    fill(tmp_path, "a.png", "notes.txt")
    for name, data in VIDEO_HEADS.items():
        (tmp_path / name).write_bytes(data)
    skipped: list[Skipped] = []
    assert found(tmp_path, skipped) == ["a.png"]
    assert sorted((bad.path.name, bad.reason) for bad in skipped) == [(name, VIDEO) for name in VIDEO_HEADS]
    assert_sentence(VIDEO)
    assert not VIDEOS & SUFFIXES


@pytest.mark.parametrize("name", VIDEO_HEADS)
def test_a_video_that_is_handed_over_is_called_a_video(tmp_path, name):
    (tmp_path / "odd.jpg").write_bytes(VIDEO_HEADS[name])
    with pytest.raises(BadImage, match="This is a video"):
        open_image(tmp_path / "odd.jpg")


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    fill(tmp_path, "a/1.png", "b/2.png")
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    skipped: list[Skipped] = []
    assert found(tmp_path, skipped) == ["b/2.png"]
    ((bad),) = skipped
    assert bad.path == tmp_path / "a"
    assert "folder cannot be read (Permission denied)" in bad.reason
    assert_sentence(bad.reason)


def test_links_to_files_where_they_are_asked_for(tmp_path):
    outside = fill(tmp_path / "outside", "1.png")
    root = fill(tmp_path / "root", "cat/2.png")
    (root / "cat" / "1.png").symlink_to(outside / "1.png")
    (root / "all").symlink_to(outside, target_is_directory=True)
    assert found(root) == ["cat/2.png"]
    assert found(root, links=True) == ["cat/1.png", "cat/2.png"]


def test_class_folders_made_on_a_mac_are_the_same_classes(tmp_path):
    for form in ("NFC", "NFD"):
        fill(tmp_path, *(f"{unicodedata.normalize(form, name)}/{form}.png" for name in ("é_t\u00e9", "한글")))
    fill(tmp_path, "sea\u200b_horse\u00ad/1.png")
    assert set(find_labelled_images(tmp_path).labels.values()) == {"é té", "한글", "sea horse"}


def test_find_images_walks_in_order_and_stays_inside(tmp_path):
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    for name in ("b/2.JPG", "b/1.png", "a.webp", "c.txt", ".hidden.png", ".git/x.png", "d.heic", "d😀.gif", "B.tiff"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"x")
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "link.png").symlink_to(outside / "secret.png")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "folder.png").mkdir()
    os.mkfifo(root / "pipe.png")
    names = [path.relative_to(root).as_posix() for path in find_images(root)]
    assert names == ["B.tiff", "a.webp", "b/1.png", "b/2.JPG", "d.heic", "d😀.gif"]


def test_find_images_with_names_that_are_not_utf8(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(name, "wb") as file:
        file.write(PNG)
    (path,) = find_images(tmp_path)
    assert open_image(path).size == (48, 32)
    assert display_path(path).endswith("caf\ufffd.png")
    display_path(path).encode("utf-8")
    assert display_path("lone \ud800 surrogate") == "lone \ufffd surrogate"


def test_find_images_deeper_than_python_recurses(tmp_path):
    depth = 400
    folder = tmp_path.joinpath(*"d" * depth)
    folder.mkdir(parents=True)
    (folder / "deep.png").write_bytes(PNG)
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack(0)) + depth // 2)
        assert list(find_images(tmp_path)) == [folder / "deep.png"]
    finally:
        sys.setrecursionlimit(limit)


def test_find_labelled_images(tmp_path, monkeypatch):
    for name in ("cat/1.png", "cat/more/2.png", "snow_leopard/3.png", "loose.png", ".hidden/4.png", "empty/readme.txt"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(PNG)
    found = find_labelled_images(tmp_path / "set").labels
    assert {path.name: label for path, label in found.items()} == {"1.png": "cat", "2.png": "cat", "3.png": "snow leopard"}
    assert all(path.exists() for path in found)
    monkeypatch.chdir(tmp_path / "set")
    assert len(find_labelled_images(".").labels) == 3
    with pytest.raises(BadInput, match="no class folders") as caught:
        find_labelled_images(tmp_path / "set" / "empty")
    assert_sentence(caught.value)
    with pytest.raises(BadInput, match="does not exist"):
        find_labelled_images("~no-such-person/x")


def test_find_images_where_there_is_no_folder(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    for folder, says in {
        tmp_path / "nowhere": "does not exist",
        tmp_path / "a.png": "is a file",
        "nul\0": "does not exist",
        "y" * 5000: "does not exist",
        "~no-such-person/x": "does not exist",
    }.items():
        with pytest.raises(BadInput, match=says) as caught:
            find_images(folder)  # at once, not at the first picture
        assert_sentence(caught.value)


def test_find_images_in_folders_that_may_not_be_read(tmp_path, monkeypatch):
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(PNG)
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert [path.name for path in find_images(tmp_path)] == ["2.png"]
    with pytest.raises(BadInput, match="Permission denied"):
        find_images(tmp_path / "a")
