"""Pairs from folders, CSV files and shards; captions that are true; the decoded cache."""

import io
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipcore.errors import BadInput
from clipcore.pictures.finding import VIDEO
from clipcore.progress import drain
from training.data.captions import Captioner
from training.data.pairs import Pair, read_folder, read_pairs, read_shards, read_table
from training.data.pixels import decode, iter_cache, prepare
from training.runs.recipe import is_held_out


def picture(colour: str = "red", size: tuple[int, int] = (20, 10)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def write_shard(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as shard:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            shard.addfile(info, io.BytesIO(content))
    return path


def test_class_folders(tmp_path: Path) -> None:
    for name in ("sea_horse/a.png", "sea_horse/deep/b.png", "cat/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    pairs = list(read_pairs(tmp_path))
    assert sorted((Path(pair.key).name, pair.name) for pair in pairs) == [("a.png", "sea horse"), ("b.png", "sea horse")]


def test_class_folders_of_a_mac_and_what_is_no_photo(tmp_path: Path) -> None:
    split = unicodedata.normalize("NFD", "caf\u00e9")
    for name in (f"{split}/a.png", "café/b.png", "@eaDir/c.png", "__MACOSX/café/._b.png", "café/clip.mov"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    skipped: Counter[str] = Counter()
    found = {(Path(pair.key).name, pair.name) for pair in read_pairs(tmp_path, skipped)}
    assert found == {("a.png", "café"), ("b.png", "café")}
    assert skipped == {VIDEO: 1}


def test_a_table_and_a_disk_that_spell_letters_otherwise(tmp_path: Path) -> None:
    split = unicodedata.normalize("NFD", "caf\u00e9")
    for written, on_disk in ((split, "café"), ("café", split)):
        folder = tmp_path / str(on_disk == split)
        folder.mkdir()
        (folder / f"{on_disk}.png").write_bytes(picture())
        (folder / "t.csv").write_text(f"image,label\n{written}.png,{written}\n", encoding="utf-8")
        assert [(pair.image, pair.name) for pair in read_pairs(folder / "t.csv")] == [(folder / f"{on_disk}.png", "café")]


def test_shards_made_on_a_mac(tmp_path: Path) -> None:
    label = b'{"label": "cat"}'
    members = {"./1.png": picture(), "./1.json": label, "./._1.png": b"x", "./._1.json": b"x", "__MACOSX/2.png": b"x"}
    write_shard(tmp_path / "a.tar", members)
    (tmp_path / "._a.tar").write_bytes(b"x")
    skipped: Counter[str] = Counter()
    assert [pair.name for pair in read_pairs(tmp_path, skipped)] == ["cat"]
    assert not skipped


def test_csv_joins_captions_of_one_picture_and_skips_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "b.png").write_bytes(picture())
    rows = 'image,caption\na.png,"A dog, running."\na.png,A  brown dog.\nb.png,\ngone.png,A cat.\n'
    (tmp_path / "pairs.csv").write_text(rows, encoding="utf-8-sig")
    skipped: Counter[str] = Counter()
    (pair,) = read_pairs(tmp_path / "pairs.csv", skipped)
    assert pair.captions == ("A dog, running.", "A brown dog.")
    assert pair.name is None
    assert skipped == {"no caption": 1, "no picture": 1}
    (tmp_path / "other.csv").write_text("file,words,others\na.png,hello,you\n")
    with pytest.raises(BadInput, match="its columns are file, words, others"):
        list(read_table(tmp_path / "other.csv"))


def test_shards_with_labels_captions_text_and_bad_samples(tmp_path: Path) -> None:
    shard = write_shard(
        tmp_path / "data-00000.tar",
        {
            "one.png": picture(),
            "one.json": b'{"label": "guinea_pig"}',
            "two.json": b'{"captions": ["A boat.", " ", "Two boats."]}',
            "two.png": picture(),
            "three.png": picture(),
            "three.txt": b"A hill.\n\nA green hill.\n",
            "four.png": picture(),
            "four.json": b"{not json",
            "five.png": picture(),
            "five.txt": b"  \n",
            "six.json": b'{"label": "cat"}',
        },
    )
    skipped: Counter[str] = Counter()
    pairs = list(read_shards([shard], skipped))
    assert [(p.key, p.name, p.captions) for p in pairs] == [
        ("data-00000/one", "guinea pig", ()),
        ("data-00000/two", None, ("A boat.", "Two boats.")),
        ("data-00000/three", None, ("A hill.", "A green hill.")),
    ]
    assert skipped == {"unreadable text": 1, "no caption": 1, "no picture": 1}


def test_a_shard_that_breaks_off_gives_what_it_has(tmp_path: Path) -> None:
    members = {
        f"{i}.{kind}": picture() if kind == "png" else b'{"label": "cat"}' for i in range(9) for kind in ("png", "json")
    }
    whole = write_shard(tmp_path / "whole.tar", members).read_bytes()
    (tmp_path / "half.tar").write_bytes(whole[: len(whole) // 2 + 700])
    skipped: Counter[str] = Counter()
    pairs = list(read_shards([tmp_path / "half.tar"], skipped))
    assert 0 < len(pairs) < 9
    assert sum(skipped.values()) == 1


def test_what_is_no_source_is_said(tmp_path: Path) -> None:
    for source in (tmp_path / "gone", tmp_path):
        with pytest.raises(BadInput):
            list(read_pairs(source))
    with pytest.raises(BadInput, match="class folders"):
        list(read_folder(tmp_path))


def test_cache_is_made_once_and_counts_broken_pictures(tmp_path: Path) -> None:
    pairs = [Pair("a", picture("red"), name="red"), Pair("b", picture()[:40], name="red"), Pair("c", b"", name="red")]
    pairs.append(Pair("d", picture("blue"), ("Something blue.",)))
    skipped: Counter[str] = Counter()
    cached = drain(iter_cache(pairs, tmp_path / "cache", 8, skipped))
    assert [pair.key for pair in cached.pairs] == ["a", "d"]
    assert skipped == {"broken picture": 2}
    assert cached.images.shape == (2, 8, 8, 3)
    assert cached.images[1, 0, 0].tolist() == [0, 0, 255]
    again = drain(iter_cache([], tmp_path / "cache", 8))
    assert again.pairs == cached.pairs
    assert np.array_equal(again.images, cached.images)
    with pytest.raises(BadInput):
        drain(iter_cache([pairs[1]], tmp_path / "other", 8))


def test_pictures_are_cropped_to_the_centre_and_normalised() -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 255
    file = io.BytesIO()
    Image.fromarray(wide).save(file, "PNG")
    square = decode(file.getvalue(), 8)
    assert square.min() == 255
    x = prepare(square[None], 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert x.shape == (1, 3, 8, 8)
    assert np.allclose(x, 2)
    augmented = prepare(square[None].repeat(4, 0), 8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), np.random.default_rng(0))
    assert augmented.shape == (4, 3, 8, 8)
    assert len(np.unique(augmented[:, 0, 0, 0])) == 4


NAMES = {
    "Egyptian cat": {"synonyms": [], "hypernyms": ["domestic cat", "cat", "animal"]},
    "cat": {"synonyms": ["true cat"], "hypernyms": ["animal"]},
    "bell pepper": {"synonyms": ["sweet pepper"], "hypernyms": ["vegetable"]},
    "sweet pepper": {"synonyms": [], "hypernyms": ["vegetable"]},
    "oboe": {"synonyms": [], "hypernyms": ["musical instrument"]},
}


def captions_of(pairs: list[Pair]) -> tuple[Captioner, list[str], np.ndarray, np.ndarray]:
    captioner = Captioner(pairs, NAMES, hypernym_weight=0.5, hypernyms_per_batch=99)
    captions, targets = captioner.batch(np.arange(len(pairs)), np.random.default_rng(0))
    return captioner, captions, targets.positives, targets.negatives


def test_one_caption_a_name_and_hypernyms_are_true_of_what_descends_from_them() -> None:
    named = ["Egyptian cat", "Egyptian cat", "oboe", "cat"]
    captioner, captions, positives, negatives = captions_of([Pair(str(i), b"", name=name) for i, name in enumerate(named)])
    subjects = ["Egyptian cat", "cat", "oboe", "animal", "domestic cat", "musical instrument"]
    assert len(captions) == len(subjects)
    assert captioner.subjects[:3] == subjects[:3]
    expected = [[1, 0.5, 0, 0.5, 0.5, 0], [1, 0.5, 0, 0.5, 0.5, 0], [0, 0, 1, 0, 0, 0.5], [0, 1, 0, 0.5, 0, 0]]
    assert positives.tolist() == expected
    # a picture called "cat" may well show an Egyptian cat: neither true nor false
    unknown = [(int(i), subjects[j]) for i, j in zip(*np.nonzero((positives == 0) & ~negatives), strict=True)]
    assert unknown == [(3, "Egyptian cat")]


def test_synonyms_are_the_same_thing() -> None:
    _, _, positives, _ = captions_of([Pair("a", b"", name="bell pepper"), Pair("b", b"", name="sweet pepper")])
    assert positives[:, :2].tolist() == [[1, 1], [1, 1]]


def test_free_captions_are_not_denied_what_they_mention() -> None:
    pairs = [Pair("a", b"", name="oboe"), Pair("b", b"", ("Two cats sit on a wall.",)), Pair("c", b"", name="cat")]
    _, captions, positives, negatives = captions_of(pairs)
    assert captions[-1] == "Two cats sit on a wall."
    assert positives[:, -1].tolist() == [0, 1, 0]
    assert negatives[:, -1].tolist() == [True, False, False]
    assert negatives[1, :2].tolist() == [False, True]  # "cat" is mentioned, "oboe" is not


def test_pictures_that_share_a_caption_share_it_as_positives() -> None:
    pairs = [Pair("a", b"", ("A dog.",)), Pair("b", b"", ("A dog.",)), Pair("c", b"", ("A cat.",))]
    _, captions, positives, negatives = captions_of(pairs)
    assert captions == ["A dog.", "A dog.", "A cat."]
    assert positives.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert (negatives == (positives == 0)).all()


def test_descriptions_name_the_thing_or_its_kind() -> None:
    captioner = Captioner([Pair("a", b"", name="Egyptian cat")], NAMES)
    rng = np.random.default_rng(0)
    said = {captioner.describe("Egyptian cat", rng) for _ in range(500)}
    assert all("Egyptian cat" in sentence and "{" not in sentence for sentence in said)
    assert any("a type of domestic cat" in sentence for sentence in said)
    assert any("an Egyptian cat" in sentence for sentence in said)


def test_held_out_share_is_kept_and_repeatable() -> None:
    held = [is_held_out(f"shard/{i}", 0.1) for i in range(5000)]
    assert 400 < sum(held) < 600
    assert held == [is_held_out(f"shard/{i}", 0.1) for i in range(5000)]
    assert not any(is_held_out(f"shard/{i}", 0) for i in range(100))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("told.tsv", 'filepath\ttitle\na.png\tA "big" dog, running.\na.png\tA dog.\nb.png\t\ngone.png\tA cat.\n'),
        (
            "told.jsonl",
            '{"file_name": "a.png", "captions": ["A \\"big\\" dog, running.", "A dog.", 3]}\n\n'
            '{"image": "b.png"}\n{"image": "gone.png", "text": "A cat."}\n',
        ),
    ],
)
def test_tables_of_captions_by_the_names_that_others_use(tmp_path: Path, file: str, content: str) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(picture())
    (tmp_path / file).write_text(content, encoding="utf-8")
    skipped: Counter[str] = Counter()
    (pair,) = read_pairs(tmp_path / file, skipped)
    assert pair.key == "told/a.png"
    assert {*pair.captions} >= {"A dog."}
    assert "big" in pair.captions[0]
    assert len(pair.captions) == 2
    assert skipped == {"no caption": 1, "no picture": 1}


def test_tables_of_labels_and_broken_lines(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "labels.csv").write_text("image,label\na.png,guinea_pig\n")
    (tmp_path / "labels.jsonl").write_text('{"image": "a.png", "label": "cat"}\n{not json\n[1]\n{"label": "cat"}\n')
    assert [pair.name for pair in read_pairs(tmp_path / "labels.csv")] == ["guinea pig"]
    skipped: Counter[str] = Counter()
    assert [pair.name for pair in read_pairs(tmp_path / "labels.jsonl", skipped)] == ["cat"]
    assert skipped == {"unreadable text": 2, "no picture": 1}


def test_hidden_files_and_links_are_no_data(tmp_path: Path) -> None:
    for name in ("cat/a.png", "cat/.b.png", ".trash/c.png", "elsewhere/d.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(picture())
    (tmp_path / "data/elsewhere").rename(tmp_path / "elsewhere")
    (tmp_path / "data/dog").symlink_to(tmp_path / "elsewhere")
    assert [pair.key for pair in read_pairs(tmp_path / "data")] == ["data/cat/a.png"]
