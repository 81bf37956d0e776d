"""Disks that are full or cannot be written, files that are damaged, gone or changing, and several at work on one home."""

import errno
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from clipcore import BadImage, SaysoError, drain, zero_shot_classifier
from clipcore.encoding.stream import embed_files
from storage import Jobs, Library, LibraryError, files
from storage.damage import find_damage
from storage.export import class_folders, iter_carry_out
from tests.faults import work
from tests.faults.killing import finished
from tests.support.fakes import FakeEncoder, photo
from tests.support.sentences import assert_sentence

PICTURES = 24


@pytest.fixture
def folder(tmp_path):
    for i in range(PICTURES):
        photo(tmp_path / "pictures" / f"{i:02}.png", (10 * i, 255 - 10 * i, 0), size=(16, 12))
    return tmp_path / "pictures"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, of 4 MB; where it cannot be mounted (no Linux, no root) the test is skipped: `a_full_disk` is for
    there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """A file that leaves so many bytes of a disk; called again it grows."""
    stuffing = disk / "stuffing"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with suppress(OSError), open(stuffing, "ab") as file:
        file.write(b"x" * max(0, free - leave))
    return stuffing


def label_until_full(library: Library, kept: int) -> int:
    """Label pictures one by one until a label is refused, in a sentence that says why; gives how many were kept by then."""
    while True:
        try:
            library.labels.label_many([1 + kept % PICTURES], f"label {kept}", 1)
        except SaysoError as error:
            said = str(error)
            break
        kept += 1
    assert_sentence(said)
    assert "full" in said
    return kept


def test_a_disk_that_fills_up_loses_nothing_that_was_kept(small_disk, folder):
    home = small_disk / "home"
    with Library(home, FakeEncoder()) as library:
        library.add(folder)
        library.labels.label_many([1, 2], "kept", 1)
        stuffing = fill(small_disk, leave=200_000)
        kept = label_until_full(library, 0)
        assert library.labels.counts()["kept"] == 2  # looking goes on
        with pytest.raises(LibraryError, match="no room for a backup"):
            library.backups.make()
    fill(small_disk)
    with Library(home, FakeEncoder()) as library:  # also opening does not need room
        assert library.labels.counts()["kept"] == 2
        kept = label_until_full(library, kept)
    stuffing.unlink()
    assert find_damage(home / "sayso.db", thorough=True) is None
    with Library(home, FakeEncoder()) as library:
        assert library.labels.counts() == {"kept": 2, **{f"label {turn}": 1 for turn in range(kept)}}
        assert len(library.search("red", 99)) == PICTURES  # the index that could not be written is only a cache


def test_a_full_disk_leaves_old_files_whole(tmp_path, monkeypatch):
    """Where no disk can be mounted: writing fails as a full one makes it fail."""
    target = tmp_path / "kept.json"
    files.write_beside(target, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_beside(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_export_to_a_full_disk_leaves_pictures_where_they_are(small_disk, folder, tmp_path):
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(folder)
        answers = library.exchange.answers(zero_shot_classifier(library.encoder, ["red", "green"]))
        fill(small_disk)
        plan = class_folders(answers, small_disk / "sorted", "move")
        done = drain(iter_carry_out(plan, tmp_path / "undo.json", library.exchange.moved))
        assert done.changed == 0
        assert len(done.failed) == PICTURES
        assert "No space" in done.failed[0].reason
        assert len(list(folder.iterdir())) == PICTURES
        assert all(os.path.isfile(image.path) for image in library.images())


def test_a_home_that_cannot_be_written_is_said(small_disk, folder):
    with Library(small_disk / "home", FakeEncoder()) as library:
        library.add(folder)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(LibraryError) as caught:
        Library(small_disk / "home")
    assert_sentence(str(caught.value))
    assert "Read-only" in str(caught.value)


def test_a_disk_that_cannot_be_written_any_more_while_it_is_in_use(small_disk, folder):
    with Library(small_disk / "home", FakeEncoder()) as library:
        library.add(folder)
        subprocess.run(["mount", "-o", "remount,ro", small_disk], capture_output=True, check=False)
        if os.access(small_disk, os.W_OK):  # files that are open for writing keep it writable
            pytest.skip("this system does not let go of a disk in use")
        with pytest.raises(LibraryError):
            library.labels.label_many([1], "late", 1)
        assert library.count() == PICTURES


def test_a_folder_that_vanishes_while_it_is_read(folder, tmp_path):
    encoder = FakeEncoder(batch_size=2)
    with Library(tmp_path / "home", encoder) as library:
        steps = library.iter_add(folder)
        while next(steps).done < 4:
            pass
        folder.rename(tmp_path / "away")
        added = drain(steps)
        assert added.new + len(added.skipped) == PICTURES
        assert added.new >= 4
        with pytest.raises(SaysoError, match="does not exist"):
            library.add(folder)
        assert library.count() == added.new  # nothing is hidden because a disk is away
        (tmp_path / "away").rename(folder)
        library.add(folder)
        assert library.count() == PICTURES
        assert library.skipped() == []


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, folder):
    changing = folder / "05.png"

    class Meddler(FakeEncoder):
        def prepare(self, image):
            if not self.embedded:
                photo(changing, "blue", (40, 40))
            return super().prepare(image)

    with Library(tmp_path / "home", Meddler()) as library:
        library.add(folder)
        library.add(folder)
        image = next(image for image in library.images() if image.name == "05.png")
        assert (image.width, image.height) == (40, 40)
        assert library.search("blue", 1)[0].image.name == "05.png"


@pytest.mark.parametrize("harm", ["cut", "noise", "empty", "folder"])
def test_pictures_that_are_damaged_are_skipped_with_a_reason(folder, tmp_path, harm):
    bad = folder / "07.png"
    data = bad.read_bytes()
    bad.unlink()
    if harm == "folder":
        bad.mkdir()
    else:
        bad.write_bytes({"cut": data[: len(data) // 2], "noise": os.urandom(200), "empty": b""}[harm])
    with Library(tmp_path / "home", FakeEncoder()) as library:
        added = library.add(folder)
        assert added.new == PICTURES - 1
        for skipped in added.skipped:
            assert_sentence(skipped.reason)
    batches = list(embed_files(FakeEncoder(), [bad]))
    assert [len(batch.skipped) for batch in batches if batch.skipped or batch.pictures] == [1]


def test_thumbnails_and_index_that_are_damaged_are_made_again(folder, tmp_path):
    home = tmp_path / "home"
    with Library(home, FakeEncoder()) as library:
        library.add(folder)
        before = [(hit.image.id, hit.score) for hit in library.search("red", 5)]
        thumbnail = library.thumbnail(1)
    for path in [*(home / "thumbs").rglob("*.webp"), *(home / "index").iterdir()]:
        os.truncate(path, path.stat().st_size // 2)
    with Library(home, FakeEncoder()) as library:
        assert [(hit.image.id, hit.score) for hit in library.search("red", 5)] == before
        assert library.thumbnail(1) == thumbnail
        Path(library.image(2).path).unlink()
        with pytest.raises(BadImage):
            library.thumbnail(2, 128)


def test_a_model_that_is_damaged_is_said(tmp_path):
    import clipcore
    from tests.support.small_clip import write_model

    name = write_model(tmp_path / "model")
    weights = tmp_path / "model" / "open_clip_model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    with pytest.raises(SaysoError) as caught:
        clipcore.load(name)
    assert_sentence(str(caught.value))


def test_two_servers_and_commands_on_one_home(folder, tmp_path):
    """Two queues of jobs, an import in another process, and people who label: every label is there, every job ran once."""
    home = tmp_path / "home"
    ran: list[int] = []

    def job(payload):
        ran.append(payload["number"])
        yield from ()
        return {}

    with Library(home, FakeEncoder()) as one, Library(home, FakeEncoder()) as two:
        one.add(folder)
        queues = [Jobs(one), Jobs(two)]
        for queue in queues:
            queue.register("count", job)
            queue.start()

        def label(number):
            library = (one, two)[number % 2]
            library.labels.label_many([1 + number % PICTURES], f"label {number % 4}", 1)
            return library.thumbnail(1 + number % PICTURES)

        with ThreadPoolExecutor(6) as people:
            imports = people.submit(finished, work.bring_in, home, folder)
            ids = [queues[number % 2].submit("count", {"number": number}) for number in range(20)]
            assert len(set(map(len, people.map(label, range(60))))) >= 1
            assert {queues[0].wait(job_id, 60).state for job_id in ids} == {"done"}
            imports.result(120)
        for queue in queues:
            queue.stop()
        assert sorted(ran) == list(range(20))
        said = {(1 + number % PICTURES, f"label {number % 4}") for number in range(60)}
        labels = two.labels.of([image.id for image in two.images()])
        assert {(image, name) for image, values in labels.items() for name in values} == said
    assert find_damage(home / "sayso.db", thorough=True) is None


def test_a_backup_is_made_while_two_libraries_write(folder, tmp_path):
    stop = threading.Event()
    with Library(tmp_path / "home", FakeEncoder()) as one, Library(tmp_path / "home") as two:
        one.add(folder)

        def write(library):
            for turn in range(10_000):
                if stop.is_set():
                    return turn
                library.labels.label_many([1, 2], f"label {turn % 5}", 1)
            return 10_000

        with ThreadPoolExecutor(2) as people:
            writers = [people.submit(write, library) for library in (one, two)]
            made = [one.backups.make() for _ in range(3)]
            stop.set()
            assert all(writer.result(30) for writer in writers)
        assert [find_damage(path, thorough=True) for path in made] == [None] * 3
