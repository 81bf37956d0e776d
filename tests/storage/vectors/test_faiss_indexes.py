"""Reduced indexes, made at a few hundred vectors here: as good as exact, kept up to date, filtered, and measured."""

import time

import numpy as np
import pytest
from sqlalchemy import delete

from storage.database import Database
from storage.tables import Embedding
from storage.vectors import faiss_indexes
from storage.vectors import index as vector_index
from storage.vectors.index import VectorIndex
from tests.storage.vectors.test_index import DIM, SPACE, database, ids_of, put, reads  # noqa: F401  fixtures

QUERIES = np.linalg.qr(np.random.default_rng(5).normal(size=(DIM, DIM)))[0][:6].astype(np.float32)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(faiss_indexes, "FLAT_MOST", 100)
    monkeypatch.setattr(faiss_indexes, "SCAN_MOST", 300)


def opened(database, tmp_path) -> VectorIndex:  # noqa: F811
    return VectorIndex(database, 1, SPACE, tmp_path / "index", lambda: QUERIES)


def settled(index: VectorIndex, kind: str) -> VectorIndex:
    """The index when what runs beside is done."""
    end = time.monotonic() + 20
    while index.info().kind != kind:
        assert time.monotonic() < end, f"it is still {index.info().kind}"
        time.sleep(0.01)
    return index


def assert_exact(index: VectorIndex, rows: np.ndarray, ids: np.ndarray, allowed: np.ndarray | None = None) -> None:
    """Searches find what comparing with every vector finds, with the same scores."""
    of = np.arange(len(ids)) if allowed is None else np.flatnonzero(np.isin(ids, allowed))
    for query in QUERIES:
        scores = rows[of] @ query
        found, found_scores = index.search(query, 10, allowed)
        best = np.argsort(-scores)[:10]
        np.testing.assert_array_equal(found, ids[of][best])
        np.testing.assert_allclose(found_scores, scores[best], atol=1e-6)


SIZES = {"flat": 100, "scan": 250, "lists": 400}


@pytest.fixture(params=SIZES)
def kind(request):
    return request.param


@pytest.fixture
def rows(database, kind):  # noqa: F811
    put(database, 7, seed=9, space_id=2)  # of another model; shifts the ids
    return put(database, SIZES[kind])


def test_the_kind_follows_the_count():
    assert [faiss_indexes.kind_for(count) for count in (0, 100, 101, 300, 301)] == ["flat", "flat", "scan", "scan", "lists"]


def test_every_kind_finds_the_nearest(database, tmp_path, kind, rows):  # noqa: F811
    index = settled(opened(database, tmp_path), kind)
    ids = ids_of(database)
    assert_exact(index, rows, ids)
    for step in (2, 3, 40):
        assert_exact(index, rows, ids, ids[::step])
    assert len(index.search(QUERIES[0], 5, [])[0]) == len(index.search(QUERIES[0], 0)[0]) == 0
    assert len(index.search(QUERIES[0], 1000)[0]) >= 10
    np.testing.assert_array_equal(index.vectors(ids[5:9]), rows[5:9])
    assert index.sample(30).shape == (30, DIM)
    index.close()


def test_what_comes_and_goes_is_followed_without_building_again(database, tmp_path, kind, rows, monkeypatch):  # noqa: F811
    index = settled(opened(database, tmp_path), kind)
    held = index._held
    monkeypatch.setattr(faiss_indexes, "make", lambda *_: pytest.fail("built again"))
    with database.writing() as connection:
        connection.execute(delete(Embedding).where(Embedding.space_id == 1, Embedding.id % 4 == 0))
    left = rows[(np.arange(len(rows)) + 8) % 4 != 0]
    assert_exact(index, left, ids_of(database))
    more = put(database, 20, seed=1)
    assert_exact(index, np.concatenate([left, more]), ids_of(database))
    assert index._held is held
    assert index.state == (len(left) + 20, int(ids_of(database)[-1]))
    index.close()


def test_the_file_brings_every_kind_back(database, tmp_path, kind, rows, reads, monkeypatch):  # noqa: F811
    index = settled(opened(database, tmp_path), kind)
    info = index.info()
    index.close()
    reads.clear()
    again = opened(database, tmp_path)
    monkeypatch.setattr(faiss_indexes, "make", lambda *_: pytest.fail("built again"))
    monkeypatch.setattr(again, "_measure", lambda held: pytest.fail("measured again"))
    assert again.info() == info
    assert reads == []
    assert_exact(again, rows, ids_of(database))


def test_the_recall_is_measured(database, tmp_path, kind, rows):  # noqa: F811
    index = settled(opened(database, tmp_path), kind)
    info = index.info()
    assert (info.kind, info.vectors, info.recall) == (kind, len(rows), 1.0)
    assert info.measured_among == (0 if kind == "flat" else len(rows))
    index.close()


def test_a_recall_below_one_is_said(database, tmp_path, monkeypatch):  # noqa: F811
    """Half of the candidates are thrown away: about half of the nearest are found."""
    put(database, SIZES["scan"])
    index = opened(database, tmp_path)
    whole = faiss_indexes.Scan.nearest
    monkeypatch.setattr(faiss_indexes.Scan, "nearest", lambda *args: tuple(part[::2] for part in whole(*args)))
    assert 0.3 < index.info().recall < 0.7


def test_more_lists_are_searched_until_that_is_good(database, tmp_path):  # noqa: F811
    rows = put(database, SIZES["lists"])
    index = settled(opened(database, tmp_path), "lists")
    assert index._held.lists_searched > 1  # random vectors have no clusters: one list of forty is not enough
    assert index.info().recall >= faiss_indexes.GOOD_RECALL
    assert_exact(index, rows, ids_of(database))
    index.close()


def test_the_measure_is_taken_again_when_the_library_has_grown(database, tmp_path):  # noqa: F811
    put(database, 120)
    index = opened(database, tmp_path)
    assert index.info().measured_among == 120
    put(database, 20, seed=1)
    assert index.info().measured_among == 120
    put(database, 100, seed=2)
    assert index.info().measured_among == 240


def test_a_flat_index_becomes_a_scan_as_it_grows(database, tmp_path):  # noqa: F811
    index = opened(database, tmp_path)
    first = put(database, 90)
    assert_exact(index, first, ids_of(database))
    assert index.info().kind == "flat"
    rows = np.concatenate([first, put(database, 90, seed=1)])
    assert_exact(index, rows, ids_of(database))
    assert index.info().kind == "scan"


def test_the_same_search_is_answered_once(database, tmp_path, monkeypatch):  # noqa: F811
    rows = put(database, 50)
    index = opened(database, tmp_path)
    asked = []
    whole = faiss_indexes.Flat.nearest
    monkeypatch.setattr(faiss_indexes.Flat, "nearest", lambda *args: asked.append(1) or whole(*args))
    many, few = index.search(rows[3], 20), index.search(rows[3], 5)
    assert len(asked) == 1
    np.testing.assert_array_equal(many[0][:5], few[0])
    few[0][:] = 0  # a copy
    assert index.search(rows[3], 1)[0].tolist() == [4]
    index.search(rows[3], 30)
    index.search(rows[4], 5)
    assert len(asked) == 3
    put(database, 1, seed=3, vectors_of=0)  # the first row once more
    assert index.search(rows[0], 2)[0].tolist() == [1, 51]


def test_a_file_as_it_was_written_before(database, tmp_path, reads):  # noqa: F811
    """With FAISS's map of ids in both directions."""
    import faiss

    rows = put(database, 50)
    index = opened(database, tmp_path)
    assert len(index) == 50
    old = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))
    old.add_with_ids(rows, ids_of(database))
    index._held = faiss_indexes.opened(old)
    index.save()
    reads.clear()
    again = opened(database, tmp_path)
    assert_exact(again, rows, ids_of(database))
    assert reads == []


def test_leaving_while_lists_are_made(database, tmp_path, monkeypatch):  # noqa: F811
    """Closing does not wait for the whole of it, and the next start goes on with what was saved."""
    monkeypatch.setattr(vector_index, "BLOCK", 10)
    rows = put(database, SIZES["lists"])
    index = opened(database, tmp_path)
    whole = faiss_indexes.Lists.add
    monkeypatch.setattr(faiss_indexes.Lists, "add", lambda *args: (time.sleep(0.05), whole(*args)))
    assert_exact(index, rows, ids_of(database))
    index.close()  # 40 blocks would take two seconds
    assert index.info().kind == "scan"
    again = opened(Database.at(database.path), tmp_path)
    assert_exact(again, rows, ids_of(database))
    monkeypatch.setattr(faiss_indexes.Lists, "add", whole)
    settled(again, "lists").close()
