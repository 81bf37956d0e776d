"""`kill -9` at random moments of everything that takes time: nothing that was promised is lost, and it goes on."""

import json
import os
import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from clipcore import Classifier
from storage import Library
from storage.backups import list_backups
from storage.damage import find_damage
from tests.faults import work
from tests.faults.killing import Toll, finished, killed
from tests.storage.homes.test_homes import home_of
from tests.support.fakes import FakeEncoder, photo

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
PICTURES = 48


@pytest.fixture
def kills(long):
    """How many times each kind of work is killed."""
    return int(os.environ.get("SAYSO_KILLS", 25)) if long else 2


@pytest.fixture
def toll(request, record_property):
    toll = Toll()
    yield toll
    record_property("kills", toll.kills)
    print(f"{request.node.name}: {toll.kills} kills, {toll.ended} ended before")


@pytest.fixture
def rng(request):
    return random.Random(request.node.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(PICTURES):
        photo(folder / f"{i:02}.png", (5 * i, 255 - 5 * i, 0), size=(16, 12))
    return folder


@pytest.fixture
def home(tmp_path, folder):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(folder)
    return tmp_path / "home"


def whole(home: Path) -> None:
    assert find_damage(home / "sayso.db", thorough=True) is None


def test_an_import(kills, toll, rng, tmp_path, folder):
    _, seconds = finished(work.bring_in, tmp_path / "first", folder)
    home = tmp_path / "home"
    for _ in range(kills):
        said = killed(toll, work.bring_in, home, folder, within=0.7 * seconds, rng=rng)
        whole(home)
        with Library(home, FakeEncoder()) as library:
            there = library.count()
            assert there >= max(said, default=0)  # what was said is kept
            assert len(library.embeddings()[1]) == there
            if there == PICTURES:
                library.remove_folder(library.folders()[0].id)  # and once more
    finished(work.bring_in, home, folder)
    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        images, vectors = library.embeddings()
        assert [image.name for image in images] == [f"{i:02}.png" for i in range(PICTURES)]
        np.testing.assert_array_equal(vectors, encoder.embed_images([image.path for image in images]))


def test_labelling_and_teaching(kills, toll, rng, home):
    promised: dict[int, str] = {}
    versions = 0
    for _ in range(kills):
        for said in killed(toll, work.teach, home, within=1.0, rng=rng):
            if said[0] == "version":
                versions = said[1]
            else:
                promised[said[0]] = said[1]
        whole(home)
        with Library(home, FakeEncoder()) as library:
            labels = library.labels.of(list(promised))
            kept = {image: name for image, values in labels.items() for name, value in values.items() if value == 1}
            other = [image for image, label in promised.items() if kept.get(image) != label]
            assert len(other) <= 1  # the last move of all may have been kept and not said
            promised.update({image: kept[image] for image in other})
            saved = library.classifiers.versions("taught") if versions else []
            assert len(saved) in (versions, versions + 1)
            assert [record.version for record in saved] == list(range(len(saved), 0, -1))
            for record in saved:
                assert isinstance(library.classifiers.get("taught", record.version), Classifier)
            versions = len(saved)


def contents(*folders: Path) -> Counter[bytes]:
    return Counter(path.read_bytes() for folder in folders for path in folder.rglob("*.png"))


def consistent(home: Path, folder: Path, target: Path, before: Counter[bytes]) -> None:
    """The library knows each picture by a name that it has, and no picture is lost."""
    whole(home)
    assert set(contents(folder, target)) == set(before)
    with Library(home, FakeEncoder()) as library:
        images = library.images()
        assert len(images) == PICTURES
        assert [image.path for image in images if not os.path.isfile(image.path)] == []
        assert library.labels.counts() == {"kept": 3}


def test_an_export_that_moves_and_its_undoing(kills, toll, rng, tmp_path):
    for i in range(PICTURES):
        photo(tmp_path / "pictures" / f"{i:02}.png", (5 * i, 255 - 5 * i, 0), size=(16, 12))
    home, folder, target = tmp_path / "home", tmp_path / "pictures", tmp_path / "sorted"
    with Library(home, FakeEncoder()) as library:
        library.add(folder)
        library.labels.label_many([1, 2, 3], "kept", 1)
    before = contents(folder)
    _, seconds = finished(work.export, home, target)
    _, back = finished(work.take_back, home)
    consistent(home, folder, target, before)
    for number in range(kills):
        killed(toll, work.export, home, target, within=0.7 * seconds, rng=rng)
        consistent(home, folder, target, before)
        if number % 3 == 2 or number == kills - 1:
            finished(work.export, home, target)
            assert (contents(folder), contents(target)) == (Counter(), before)
            consistent(home, folder, target, before)
            killed(toll, work.take_back, home, within=0.7 * back, rng=rng)
            consistent(home, folder, target, before)
            if (home / "exports" / "undo-test.json").exists():
                finished(work.take_back, home)
            assert (contents(folder), contents(target)) == (before, Counter())
            consistent(home, folder, target, before)
    assert not list(tmp_path.rglob("*.part"))


def test_an_upgrade(kills, toll, rng, tmp_path):
    def old(name):
        home = home_of("0001", tmp_path / name)
        with closing(sqlite3.connect(home / "sayso.db")) as connection, connection:
            connection.executemany(
                "INSERT INTO images (folder_id, path, content_hash, width, height, size, mtime_ns, missing, created) "
                "VALUES (1, ?, ?, 9, 9, 9, 9, 0, '2026-01-01 00:00:00')",
                [(b"/pictures/more/%d.png" % i, f"{i:064}") for i in range(3000)],
            )
        return home

    _, seconds = finished(work.open_it, old("first"))
    for number in range(kills):
        home = old(f"home{number}")
        killed(toll, work.open_it, home, within=0.7 * seconds, rng=rng)
        with Library(home, FakeEncoder()) as library:
            assert library.count() == 3005
            assert [record.version for record in library.classifiers.versions("colours")] == [2, 1]
        whole(home)
        for backup in list_backups(home):
            assert find_damage(backup.path, thorough=True) is None


def fattened(home: Path, megabytes: int = 20) -> Path:
    with closing(sqlite3.connect(home / "sayso.db")) as connection, connection:
        row = "INSERT INTO embeddings (space_id, content_hash, vector) VALUES (1, ?, randomblob(100000))"
        connection.executemany(row, [(f"fat{i}",) for i in range(10 * megabytes)])
    return home


def test_a_backup(kills, toll, rng, home):
    fattened(home)
    _, seconds = finished(work.back_up, home)
    made = 1
    for _ in range(kills):
        made += len(killed(toll, work.back_up, home, within=0.7 * seconds, rng=rng))
        there = list_backups(home)
        assert len(there) >= min(made, 7)
        for backup in there:
            assert find_damage(backup.path, thorough=True) is None
    finished(work.back_up, home)
    assert not [path for path in (home / "backups").iterdir() if path.suffix != ".db"]  # what was half made is gone
    whole(home)


def test_putting_a_backup_back(kills, toll, rng, home):
    fattened(home)
    with Library(home, FakeEncoder()) as library:
        library.labels.label_many([1, 2], "old", 1)
        backup = library.backups.make()
        library.labels.undo()
        library.labels.label_many([3, 4, 5], "new", 1)
        late = library.backups.make()
    _, seconds = finished(work.put_back, home, late)
    for number in range(kills):
        killed(toll, work.put_back, home, (backup, late)[number % 2], within=0.7 * seconds, rng=rng)
        with Library(home, FakeEncoder()) as library:
            assert library.labels.counts() in ({"old": 2}, {"new": 3})  # the one or the other, and all of it
            assert library.count() == PICTURES
        whole(home)
    finished(work.put_back, home, backup)
    with Library(home) as library:
        assert library.labels.counts() == {"old": 2}


def test_a_pretraining(kills, toll, rng, tmp_path):
    import torch

    said, seconds = finished(work.pretrain, tmp_path / "whole")
    losses = dict(said)
    heard: dict[int, float] = {}
    for _ in range(kills):
        heard |= dict(killed(toll, work.pretrain, tmp_path / "broken", within=0.7 * seconds, rng=rng))
    heard |= dict(finished(work.pretrain, tmp_path / "broken")[0])
    assert heard.keys() <= losses.keys()
    assert [heard[step] for step in sorted(heard)] == pytest.approx([losses[step] for step in sorted(heard)], rel=1e-4)
    ends = [torch.load(tmp_path / run / "checkpoint.pt", weights_only=True)["ema"] for run in ("whole", "broken")]
    assert all(torch.allclose(ends[0][name], ends[1][name], atol=1e-5) for name in ends[0])


def test_a_finetuning(long, kills, toll, rng, tmp_path):
    if not long:
        pytest.skip("takes longest, and tests/training has a short one")
    from PIL import Image

    from tests.support.small_clip import write_model

    model = write_model(tmp_path / "model")
    numbers = np.random.default_rng(0)
    for i in range(30):
        colour = ("red", "blue")[i % 2]
        noise = numbers.integers(0, 60, (24, 24, 3), dtype=np.uint8)
        noise[..., 0 if colour == "red" else 2] += 180
        path = tmp_path / "data" / colour / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(path)
    args = (tmp_path / "data", model)
    said, seconds = finished(work.finetune, tmp_path / "whole", *args)
    for _ in range(kills):
        killed(toll, work.finetune, tmp_path / "broken", *args, within=0.7 * seconds, rng=rng)
    finished(work.finetune, tmp_path / "broken", *args)
    whole_run, broken = (Classifier.load(tmp_path / run / "classifier.safetensors") for run in ("whole", "broken"))
    np.testing.assert_allclose(broken.weight, whole_run.weight, atol=1e-5)
    sweeps = [json.loads((tmp_path / run / "tune.json").read_text())["sweep"] for run in ("whole", "broken")]
    assert sweeps[0] == sweeps[1]
    assert said
