"""The index: exact, seen by every process, and never trusted more than the database."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select

from clipcore import Space
from storage import migrate
from storage.database import Database
from storage.files import write_beside
from storage.tables import Embedding, SpaceRow
from storage.vectors import index as vector_index
from storage.vectors.index import VectorIndex, to_blob

DIM = 16
SPACE = Space("k" * 64, "fake", DIM)


@pytest.fixture
def database(tmp_path):
    database = Database.at(tmp_path / "sayso.db")
    migrate.upgrade(database, tmp_path)
    with database.writing() as connection:
        rows = [{"key": key * 64, "name": "fake", "dim": DIM, "token": key} for key in "kx"]
        connection.execute(insert(SpaceRow), rows)
    yield database
    database.close()


@pytest.fixture
def index(database, tmp_path):
    return reopened(database, tmp_path)


def reopened(database, tmp_path) -> VectorIndex:
    return VectorIndex(database, 1, SPACE, tmp_path / "index")


def put(database, count: int, seed: int = 0, space_id: int = 1, vectors_of: int | None = None) -> np.ndarray:
    """Rows of random unit vectors; returns them, float32 [count, DIM]. `vectors_of` takes those of another seed."""
    rows = np.random.default_rng(seed if vectors_of is None else vectors_of).normal(size=(count, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with database.writing() as connection:
        hashes = [f"{seed}-{i}" for i in range(count)]
        values = [
            {"space_id": space_id, "content_hash": h, "vector": to_blob(row)} for h, row in zip(hashes, rows, strict=True)
        ]
        connection.execute(insert(Embedding), values)
    return rows


def ids_of(database) -> np.ndarray:
    with database.reading() as connection:
        return np.array(connection.scalars(select(Embedding.id).where(Embedding.space_id == 1).order_by(Embedding.id)).all())


def files(tmp_path) -> tuple[Path, Path]:
    return tmp_path / "index" / f"{'k' * 16}.faiss", tmp_path / "index" / f"{'k' * 16}.json"


@pytest.fixture
def reads(monkeypatch):
    """How many vectors were read from the database."""
    counted = []
    original = vector_index.from_blobs
    monkeypatch.setattr(vector_index, "from_blobs", lambda blobs, dim: counted.append(len(blobs)) or original(blobs, dim))
    return counted


def test_the_file_spares_reading(database, index, tmp_path, reads):
    rows = put(database, 100)
    expected = index.search(rows[7], 10)
    index.save()
    reads.clear()
    again = reopened(database, tmp_path).search(rows[7], 10)
    assert reads == []
    np.testing.assert_array_equal(again[0], expected[0])
    put(database, 10, seed=1)
    assert len(reopened(database, tmp_path)) == 110
    assert reads == [10]


def test_saving_twice_writes_once(database, index, tmp_path):
    put(database, 5)
    index.save()  # nothing was asked yet
    assert not files(tmp_path)[0].exists()
    len(index)
    index.save()
    before = files(tmp_path)[0].stat()
    index.save()
    assert files(tmp_path)[0].stat().st_ino == before.st_ino
    assert [file.suffix for file in sorted((tmp_path / "index").iterdir())] == [".faiss", ".json"]


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def change_card(file: Path, **values) -> None:
    card = file.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **values}))


DAMAGE = {
    "flipped bit": flip_a_bit,
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file: file.write_bytes(b""),
    "random": lambda file: file.write_bytes(np.random.default_rng(0).bytes(5000)),
    "missing": Path.unlink,
    "no card": lambda file: file.with_suffix(".json").unlink(),
    "card is no JSON": lambda file: file.with_suffix(".json").write_text("{"),
    "card is a list": lambda file: file.with_suffix(".json").write_text("[]"),
    "another model": lambda file: change_card(file, space="x" * 64),
    "another dimension": lambda file: change_card(file, dim=8),
    "another count": lambda file: change_card(file, ntotal=99),
    "another database": lambda file: change_card(file, token="other"),
    "another history": lambda file: change_card(file, last_hash="other"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_costs_a_moment_not_an_answer(database, index, tmp_path, reads, damage):
    rows = put(database, 200)
    len(index)
    index.save()
    reads.clear()
    DAMAGE[damage](files(tmp_path)[0])
    again = reopened(database, tmp_path)
    for i in (0, 99, 199):
        ids, scores = again.search(rows[i], 1)
        assert (ids.tolist(), scores.tolist()) == ([i + 1], [pytest.approx(1)])
    assert reads == [200]
    again.save()
    reads.clear()
    assert len(reopened(database, tmp_path)) == 200
    assert reads == []  # mended


def test_a_file_of_another_database_with_the_same_rows(database, index, tmp_path):
    """As after sayso.db was deleted and the folder added again, one picture being edited meanwhile."""
    put(database, 5)
    len(index)
    index.save()
    other = Database.at(tmp_path / "other.db")
    migrate.upgrade(other, tmp_path)
    with other.writing() as connection:
        connection.execute(insert(SpaceRow).values(key="k" * 64, name="fake", dim=DIM, token="z"))
    rows = put(other, 5, vectors_of=1)
    assert reopened(other, tmp_path).search(rows[2], 1)[1].tolist() == [pytest.approx(1)]
    other.close()


def test_a_full_disk_keeps_the_old_file(database, index, tmp_path, monkeypatch):
    put(database, 20)
    len(index)
    index.save()
    before = files(tmp_path)[0].read_bytes()
    put(database, 5, seed=1)
    len(index)
    monkeypatch.setattr("os.fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    index.save()  # says so in the log, and searching goes on
    monkeypatch.undo()
    assert files(tmp_path)[0].read_bytes() == before
    assert len(list((tmp_path / "index").iterdir())) == 2
    assert len(index) == len(reopened(database, tmp_path)) == 25


def test_write_beside_leaves_the_old_file_whole(tmp_path, monkeypatch):
    file = tmp_path / "new folder" / "file"
    write_beside(file, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("crash")))
    with pytest.raises(OSError, match="crash"):
        write_beside(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in file.parent.iterdir()] == ["file"]
