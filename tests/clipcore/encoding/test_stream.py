"""A folder through the model: in order, overlapped, and no bad file stops it."""

import os
import threading
import time

import numpy as np
import pytest

from clipcore import BadInput, drain
from clipcore.encoding.stream import embed_files, embed_stream, iter_embed
from clipcore.pictures.finding import find_images
from clipcore.pictures.reading import content_hash
from tests.support.fakes import FakeEncoder, photo


@pytest.fixture
def files(tmp_path):
    return [photo(tmp_path / f"{i:03}.png", (i * 9, 255 - i * 9, 40), size=(20 + i, 10)) for i in range(23)]


def decode_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("passes", [1, 3])
def test_order_vectors_and_sizes(files, passes):
    encoder = FakeEncoder(batch_size=4, passes=passes)
    batches = list(embed_files(encoder, files))
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 4, 3]
    pictures = [picture for batch in batches for picture in batch.pictures]
    assert [picture.path for picture in pictures] == files
    assert [(p.facts.width, p.facts.height) for p in pictures] == [(20 + i, 10) for i in range(23)]
    assert [p.content_hash for p in pictures] == [content_hash(file.read_bytes()) for file in files]
    assert np.allclose(np.stack([p.vector for p in pictures]), encoder.embed_images(files))
    assert not decode_threads()


def test_bad_files_are_skipped_with_the_reason(files, tmp_path):
    files[2].write_text("I am a diary")
    files[5].write_bytes(files[4].read_bytes()[:-30])
    files[7].unlink()
    files[9].write_bytes(b"")
    batches = list(embed_files(FakeEncoder(batch_size=4), files))
    skipped = {item.path: item.reason for batch in batches for item in batch.skipped}
    assert list(skipped) == [files[2], files[5], files[7], files[9]]
    for reason, says in zip(skipped.values(), ("format", "damaged", "gone", "empty"), strict=True):
        assert says in reason
    good = [picture for batch in batches for picture in batch.pictures]
    assert [picture.path for picture in good] == [file for file in files if file not in skipped]
    assert np.allclose(np.stack([p.vector for p in good]), FakeEncoder().embed_images([p.path for p in good]))
    assert str(batches[0].skipped[0]) == f"{files[2]}: {skipped[files[2]]}"


@pytest.mark.parametrize("passes", [1, 3])
def test_anything_that_holds_a_picture_can_be_streamed(files, passes):
    """In order, the bad ones in their places; a picture that comes twice has one vector."""
    held = [file.read_bytes() for file in files[:6]]
    items = [*enumerate([*held, b"a diary", held[0]])]
    done = [pair for some in embed_stream(FakeEncoder(passes=passes), items, lambda item: item[1]) for pair in some]
    assert [item for item, _ in done] == items
    assert [isinstance(seen, str) for _, seen in done] == [False] * 6 + [True, False]
    vectors = [seen.vector for _, seen in done if not isinstance(seen, str)]
    assert np.allclose(np.stack(vectors), FakeEncoder().embed_images([*held, held[0]]))
    assert not decode_threads()


def test_a_batch_of_bad_files_only(tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(3)]
    (batch,) = embed_files(FakeEncoder(batch_size=4), files)
    assert len(batch) == len(batch.skipped) == 3
    assert list(embed_files(FakeEncoder(), [])) == []


def test_known_pictures_are_not_decoded(files, monkeypatch):
    encoder = FakeEncoder(batch_size=4)
    known = {content_hash(file.read_bytes()) for file in files[::2]}
    decoded = []
    prepare = encoder.prepare
    monkeypatch.setattr(encoder, "prepare", lambda data: decoded.append(content_hash(data)) or prepare(data))
    pictures = [p for batch in embed_files(encoder, files, known.__contains__) for p in batch.pictures]
    assert [picture.path for picture in pictures] == files
    assert [picture.vector is None for picture in pictures] == [i % 2 == 0 for i in range(23)]
    assert not known & set(decoded)
    assert encoder.embedded == len(decoded) == 11
    assert np.allclose(pictures[1].vector, FakeEncoder().embed_images([files[1]])[0])


def test_closing_early_stops_the_threads(files, monkeypatch):
    encoder = FakeEncoder(batch_size=20)
    taken, prepared, prepare = [], [], encoder.prepare
    monkeypatch.setattr(encoder, "prepare", lambda data: time.sleep(0.01) or prepared.append(1) or prepare(data))
    batches = embed_files(encoder, (taken.append(path) or path for path in files * 50))
    next(batches)
    assert decode_threads()
    batches.close()
    assert not decode_threads()
    assert len(taken) <= 4 * 20 + os.cpu_count()  # it never runs far ahead
    assert len(prepared) < len(taken)  # what was waiting is not decoded for nothing


def test_the_listing_is_read_as_needed(tmp_path):
    """A folder of a million files must not be listed before the first batch comes."""
    listed = []

    def endless():
        path = photo(tmp_path / "a.png", "red")
        while True:
            listed.append(path)
            yield path

    batches = embed_files(FakeEncoder(batch_size=2), endless())
    assert len(next(batches)) == 2
    assert len(listed) < 100
    batches.close()


def test_batch_size_may_shrink_on_the_way(files):
    """As it does when memory runs out: nothing is lost, nothing comes twice."""
    encoder = FakeEncoder(batch_size=16)
    seen = []
    for batch in embed_files(encoder, files * 3):
        seen += [picture.path for picture in batch.pictures]
        encoder.batch_size = max(1, encoder.batch_size // 4)
    assert seen == files * 3


def test_a_fault_of_the_caller_is_not_hidden(files):
    def broken(content_hash):
        raise BadInput("The database is locked.")

    with pytest.raises(BadInput, match="locked"):
        list(embed_files(FakeEncoder(), files, broken))
    assert not decode_threads()


def test_decoding_runs_ahead_of_the_model(files, monkeypatch):
    """While the model works on one batch, the pictures of the next have been, or are being, prepared."""
    encoder = FakeEncoder(batch_size=2)
    prepared, prepare, embed = threading.Semaphore(0), encoder.prepare, encoder.embed_prepared

    def counted(data):
        result = prepare(data)
        prepared.release()
        return result

    def slow_model(batch):
        for _ in range(2 * 2):  # this batch and another
            assert prepared.acquire(timeout=5)
        return embed(batch)

    monkeypatch.setattr(encoder, "prepare", counted)
    monkeypatch.setattr(encoder, "embed_prepared", slow_model)
    batches = embed_files(encoder, files)
    assert len(next(batches)) == 2
    monkeypatch.setattr(encoder, "embed_prepared", embed)
    batches.close()


def test_one_batch_at_a_time_and_the_caller_does_not_hold_it_up(files, monkeypatch):
    """While the caller keeps what it was given, the model works on."""
    encoder = FakeEncoder(batch_size=4)
    embed, running, most, begun = encoder.embed_prepared, [], [], threading.Semaphore(0)

    def watched(batch):
        begun.release()
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return embed(batch)

    monkeypatch.setattr(encoder, "embed_prepared", watched)
    batches = embed_files(encoder, files * 3)
    next(batches)
    assert begun.acquire(timeout=5)  # the first
    assert begun.acquire(timeout=5)  # the second, which nobody has asked for yet
    assert sum(len(batch) for batch in batches) == 65
    assert max(most) == 1


def test_as_many_passes_at_once_as_the_encoder_runs(files, monkeypatch):
    """Each waits until the other is there."""
    encoder, both, embed = FakeEncoder(batch_size=4, passes=2), threading.Barrier(2), FakeEncoder().embed_prepared
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(encoder, "embed_prepared", lambda batch: (both.wait(timeout=5) and None) or embed(batch))
    batches = list(embed_files(encoder, files[:16]))
    assert [picture.path for batch in batches for picture in batch.pictures] == files[:16]


def test_a_short_list_is_shared_out(files):
    encoder = FakeEncoder(batch_size=8, passes=2)
    assert [len(batch) for batch in embed_files(encoder, files[:6])] == [3, 3]
    assert [len(batch) for batch in embed_files(encoder, files[:1])] == [1]
    assert [len(batch) for batch in embed_files(encoder, iter(files[:6]))] == [4, 2]


def test_batches_grow_to_their_size(files):
    """Something is seen, and can be stopped, before many large photos are decoded."""
    sizes = [len(batch) for batch in embed_files(FakeEncoder(batch_size=16, passes=1), files * 3)]
    assert sizes[:5] == [4, 4, 8, 16, 16]
    assert sum(sizes) == 3 * len(files)


@pytest.mark.parametrize("passes", [1, 3])
def test_copies_in_one_run_are_encoded_once(files, passes):
    """Beside each other, in the next batch, and after the caller has kept the first."""
    encoder, kept = FakeEncoder(batch_size=4, passes=passes), set()
    order = [files[0], files[0], *files[1:5], files[0], *files[5:], files[0], files[1]]
    pictures = []
    for batch in embed_files(encoder, order, kept.__contains__):
        pictures += batch.pictures
        kept |= {picture.content_hash for picture in batch.pictures if picture.vector is not None}
    assert [picture.path for picture in pictures] == order
    assert encoder.embedded == len(files)
    assert np.allclose(pictures[1].vector, pictures[0].vector)
    alone = drain(iter_embed(FakeEncoder(batch_size=4), [files[0]] * 9))
    assert alone.vectors.shape == (9, 4)  # nobody keeps anything here, so every file has its vector


def test_workers_are_told_to_compute_alone(files, monkeypatch):
    encoder, told = FakeEncoder(), []
    monkeypatch.setattr(encoder, "use_one_thread", lambda: told.append(threading.current_thread().name))
    list(embed_files(encoder, files))
    assert told
    assert not any("model" in name for name in told)


def test_iter_embed_keeps_rows_and_paths_together(files):
    files[3].write_text("not a picture")
    steps = []
    embedded = drain(iter_embed(FakeEncoder(batch_size=8), files), steps.append)
    assert [(step.done, step.total) for step in steps] == [(4, 23), (8, 23), (16, 23), (23, 23)]
    assert embedded.paths == files[:3] + files[4:]
    assert np.allclose(embedded.vectors, FakeEncoder().embed_images(embedded.paths))
    assert [item.path for item in embedded.skipped] == [files[3]]
    assert drain(iter_embed(FakeEncoder(), [])).vectors.shape == (0, 4)


def test_a_real_folder(photos):
    paths = list(find_images(photos))
    pictures = [p for batch in embed_files(FakeEncoder(), paths) for p in batch.pictures]
    assert [p.vector.argmax() for p in pictures] == [0, 0, 1, 2]
