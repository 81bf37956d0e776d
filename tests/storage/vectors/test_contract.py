"""What every index of vectors keeps to, in FAISS and in Milvus Lite: exact, followed by all, mended from the database."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, update

from clipcore import BadInput
from storage.database import Database, LibraryError
from storage.tables import Embedding
from storage.vectors import index as vector_index
from storage.vectors.index import VectorIndex, to_blob
from storage.vectors.spaces import index_of
from tests.storage.vectors.test_index import DIM, SPACE, database, ids_of, put, reads  # noqa: F401  fixtures
from tests.support.processes import fork


def url_of(database) -> str:  # noqa: F811
    return database.engine.url.render_as_string(hide_password=False)


def ended(process) -> int | None:
    """The exit code of a process that ends by itself."""
    process.join(60)
    return process.exitcode


@pytest.fixture(params=["faiss", "milvus"])
def vectors(request, tmp_path):
    """Where the vectors are: what follows --vectors."""
    if request.param == "milvus":
        pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed (requirements-extras/milvus.txt)")
        return str(tmp_path / "milvus.db")
    return None


@pytest.fixture
def again(database, tmp_path, vectors):  # noqa: F811
    """Opens the index as the next start would."""
    opened = []

    def open_() -> VectorIndex:
        opened.append(index_of(database, 1, SPACE, tmp_path / "index", lambda: np.eye(DIM, dtype=np.float32)[:3], vectors))
        return opened[-1]

    yield open_
    for index in opened:
        index.close()


@pytest.fixture
def index(again):
    return again()


def test_equals_brute_force(database, index):  # noqa: F811
    put(database, 7, seed=9, space_id=2)  # of another model; shifts the ids
    rows = put(database, 500)
    ids = ids_of(database)
    allowed = ids[::3].tolist()
    for query in put(database, 5, seed=1, space_id=2):
        scores = rows @ query
        found, found_scores = index.search(query, 20)
        np.testing.assert_array_equal(found, ids[np.argsort(-scores)[:20]])
        np.testing.assert_allclose(found_scores, np.sort(scores)[::-1][:20], atol=1e-6)
        some, _ = index.search(query, 20, allowed)
        np.testing.assert_array_equal(some, ids[::3][np.argsort(-scores[::3])[:20]])


def test_few_vectors(database, index):  # noqa: F811
    query = np.ones(DIM, np.float32)
    assert [len(part) for part in index.search(query, 5)] == [0, 0]
    put(database, 3)
    assert len(index.search(query, 5)[0]) == 3
    assert len(index.search(query, 5, allowed=[])[0]) == 0
    assert index.search(query, 5, allowed={2, 99})[0].tolist() == [2]
    assert len(index.search(query, 0)[0]) == 0


def test_few_and_many_allowed_give_the_same(database, index):  # noqa: F811
    rows = put(database, 400)
    ids, query = ids_of(database), rows[3] + rows[7]
    query /= np.linalg.norm(query)
    for step in (1, 2, 9):  # all, scored in one go; and few enough to be gathered
        allowed = ids[::step]
        best = np.argsort(-(rows[::step] @ query), kind="stable")
        for k in (1, 5, len(allowed), 1000):
            for given in (allowed, allowed[::-1], set(allowed.tolist())):
                found, scores = index.search(query, k, given)
                np.testing.assert_array_equal(found, allowed[best[:k]])
                np.testing.assert_allclose(scores, (rows[::step] @ query)[best[:k]], atol=1e-6)


def test_vectors_by_id(database, index):  # noqa: F811
    rows = put(database, 50)
    np.testing.assert_array_equal(index.vectors([3, 9, 9, 77, 1]), rows[[0, 2, 8]])
    assert index.vectors([]).shape == (0, DIM)
    with database.writing() as connection:
        connection.execute(delete(Embedding).where(Embedding.id == 3))
    found = index.vectors(np.array([2, 3, 4]))
    np.testing.assert_array_equal(found, rows[[1, 3]])
    found[:] = 0  # a copy: the index is not changed by it
    np.testing.assert_array_equal(index.vectors([2]), rows[[1]])


def test_nothing_is_counted_while_nothing_is_committed(database, index, monkeypatch):  # noqa: F811
    rows = put(database, 5)
    assert index.state == (5, 5)
    monkeypatch.setattr(index, "_size", lambda connection: pytest.fail("counted"))
    assert index.search(rows[0], 1)[0].tolist() == [1]
    assert len(index) == 5
    monkeypatch.undo()
    put(database, 2, seed=1)
    assert index.state == (7, 7)
    other = Database(database.engine.url)  # as another process would
    put(other, 1, seed=2)
    other.close()
    assert index.state == (8, 8)


def test_what_another_adds_or_removes_is_seen(database, index, reads, vectors):  # noqa: F811
    first = put(database, 50)
    assert index.search(first[0], 1)[0].tolist() == [1]
    second = put(database, 10, seed=1)
    assert index.search(second[3], 1)[0].tolist() == [54]
    if vectors:  # candidates are read again, to be scored
        reads.remove(42)
        reads.remove(42)
    assert reads == [50, 10]  # topped up, not built again
    with database.writing() as connection:
        connection.execute(delete(Embedding).where(Embedding.id == 54))
    assert index.search(second[3], 1)[0].tolist() != [54]
    assert len(index) == 59


def test_a_removal_and_an_addition_do_not_cancel_out(database, index):  # noqa: F811
    put(database, 5)
    assert len(index) == 5
    with database.writing() as connection:
        connection.execute(delete(Embedding).where(Embedding.id == 5))
    new = put(database, 1, seed=1)
    assert index.search(new[0], 1)[0].tolist() == [6]
    assert 5 not in index.search(new[0], 9)[0]


def test_a_file_from_before_rows_were_removed(database, index, again):  # noqa: F811
    rows = put(database, 20)
    len(index)
    index.close()
    with database.writing() as connection:
        connection.execute(delete(Embedding).where(Embedding.id <= 10))
    index = again()
    assert len(index) == 10
    assert index.search(rows[15], 1)[0].tolist() == [16]


def put_elsewhere(url: str) -> None:
    put(Database(url), 4, seed=1)


def test_another_process_is_seen(database, index, tmp_path):  # noqa: F811
    put(database, 3)
    assert len(index) == 3
    assert ended(fork(put_elsewhere, url_of(database), output=tmp_path / "log")) == 0
    assert len(index) == 7


def test_a_restart_reads_nothing_again(database, index, again, reads):  # noqa: F811
    rows = put(database, 60)
    expected = index.search(rows[7], 10)
    index.close()
    put(database, 5, seed=1)
    reads.clear()
    index = again()
    assert index.state == (65, 65)
    assert reads == [5]
    np.testing.assert_array_equal(index.search(rows[7], 10)[0][:1], expected[0][:1])


def test_a_backup_put_back_under_the_same_ids(database, index, again):  # noqa: F811
    """The database goes back, and other pictures come: no vector of before is found."""
    rows = put(database, 20)
    len(index)
    index.close()
    other = np.roll(rows[19], 1)
    with database.writing() as connection:
        connection.execute(update(Embedding).where(Embedding.id == 20).values(vector=to_blob(other), content_hash="other"))
    index = again()
    assert index.search(other, 1)[1].tolist() == [pytest.approx(1)]
    assert index.search(other, 1)[0].tolist() == [20]
    index.save()
    assert index.file_fault() is None


def test_it_can_be_forgotten_and_comes_back(database, index, again):  # noqa: F811
    rows = put(database, 30)
    len(index)
    index.close()
    forgetting = again()
    forgetting.forget_file()
    forgetting.close()
    assert again().search(rows[3], 1)[0].tolist() == [4]


def test_it_says_what_it_is_and_how_good(database, index, vectors):  # noqa: F811
    put(database, 200)
    info = index.info()
    assert (info.kind, info.vectors, info.recall) == ("milvus" if vectors else "flat", 200, 1.0)


def killed_at_the_third_block(url: str, folder: Path, vectors: str | None) -> None:
    blocks, read = [], vector_index.from_blobs

    def counted(blobs, dim):
        blocks.append(1)
        if len(blocks) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(blobs, dim)

    vector_index.BLOCK, vector_index.from_blobs = 100, counted
    len(index_of(Database(url), 1, SPACE, folder, list, vectors))


def test_killed_while_it_takes_vectors_in(database, index, vectors, tmp_path):  # noqa: F811
    """`kill -9` after two of three blocks: the next opening has every vector, each once."""
    rows = put(database, 300)
    process = fork(killed_at_the_third_block, url_of(database), tmp_path / "index", vectors, output=tmp_path / "log")
    assert ended(process) == -signal.SIGKILL, (tmp_path / "log").read_text()
    if vectors:
        assert len(index._connected().marks()) == 200  # what Milvus had said it has is there
    assert len(index) == 300
    index.save()
    assert index.file_fault() is None
    for i in (0, 150, 299):
        assert index.search(rows[i], 1)[0].tolist() == [i + 1]
    if vectors:
        assert len(index._connected().marks()) == 300


def opened_elsewhere(url: str, folder: Path, vectors: str) -> None:
    try:
        len(index_of(Database(url), 1, SPACE, folder, list, vectors))
    except LibraryError as error:
        print(f"LibraryError: {error}", flush=True)


@pytest.mark.parametrize("vectors", ["milvus"], indirect=True)
class TestMilvus:
    def test_more_hits_than_it_gives_to_one_search(self, database, index, monkeypatch):  # noqa: F811
        monkeypatch.setattr("storage.vectors.milvus.MOST", 64)
        rows = put(database, 300)
        best = np.argsort(-(rows @ rows[0]))
        np.testing.assert_array_equal(index.search(rows[0], 250)[0], best[:250] + 1)
        for step in (1, 2, 4):  # more allowed ids than one search gives
            scores = (rows @ rows[0])[::step]
            found = index.search(rows[0], 5, np.arange(1, 301)[::step])[0]
            np.testing.assert_array_equal(found, np.arange(1, 301)[::step][np.argsort(-scores)[:5]])

    def test_rows_that_are_not_the_database_s(self, database, index, again):  # noqa: F811
        rows = put(database, 20)
        len(index)
        held = index._connected()
        held.add(np.array([7, 99]), rows[:2])
        assert index.file_fault() == "vectors differ"
        index.close()
        index = again()
        assert index.search(rows[6], 1)[0].tolist() == [7]
        assert sorted(index._connected().marks()) == list(range(1, 21))

    def test_a_second_process(self, database, index, vectors, tmp_path):  # noqa: F811
        put(database, 3)
        len(index)
        log = tmp_path / "log"
        assert ended(fork(opened_elsewhere, url_of(database), tmp_path / "other", vectors, output=log)) == 0
        assert "LibraryError: Another process has" in log.read_text()
        assert "one at a time" in log.read_text()

    def test_a_server_that_is_away(self, database, vectors, tmp_path):  # noqa: F811
        put(database, 1)
        with pytest.raises(LibraryError, match=r"^Milvus at 127\.0\.0\.1:9 does not answer"):
            len(index_of(database, 1, SPACE, tmp_path, lambda: np.zeros((0, 0)), "http://me:secret@127.0.0.1:9"))


@pytest.mark.parametrize("address", ["milvus", "ftp://host", "http://", "folder/"])
def test_what_is_no_address(database, tmp_path, address):  # noqa: F811
    with pytest.raises(BadInput, match=r"such as vectors\.db"):
        index_of(database, 1, SPACE, tmp_path, lambda: np.zeros((0, 0)), address)


def test_without_the_package(database, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    monkeypatch.setitem(sys.modules, "pymilvus.exceptions", None)
    with pytest.raises(BadInput, match=r"pip install -r requirements-extras/milvus\.txt"):
        len(index_of(database, 1, SPACE, tmp_path, lambda: np.zeros((0, 0)), str(tmp_path / "a.db")))
