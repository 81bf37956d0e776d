"""A library of any size without a picture in it: generated rows and vectors, as an import of so many photos leaves them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from storage import migrate
from storage.database import Database
from storage.tables import Embedding, Folder, Image, SpaceRow, file_date
from storage.vectors.index import to_blob

BLOCK = 10_000


class Law:
    """Unit vectors that lie as those of a CLIP model do: a common part, clusters within clusters, and noise.

    `normalise(.75 mean + .55 coarse[200] + .5 fine[n / 100] + .55 noise with a power-law spectrum)`: two pictures have a
    cosine of about 0.4. Queries as of texts share the clusters but have another mean (the gap between the modalities).
    Clusters are easier than a real model's vectors, so a recall that is measured here is an upper bound.
    """

    def __init__(self, count: int, dim: int = 512, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self.count, self.dim = count, dim
        self._mean, self._text_mean = unit(self._normal(2, dim))
        self._coarse = unit(self._normal(200, dim))
        fine = max(1, count // 100)
        self._fine, self._parent = unit(self._normal(fine, dim)), self._random.integers(0, 200, fine)
        sizes = np.arange(1, fine + 1) ** -0.7
        self._sizes = sizes / sizes.sum()
        spectrum = np.arange(1, dim + 1, dtype=np.float32) ** -0.5
        self._noise = spectrum / np.linalg.norm(spectrum) * np.linalg.qr(self._normal(dim, dim))[0].astype(np.float32)

    def _normal(self, *shape: int) -> np.ndarray:
        return self._random.standard_normal(shape, dtype=np.float32)

    def _draw(self, count: int, mean: np.ndarray) -> np.ndarray:
        cluster = self._random.choice(len(self._sizes), count, p=self._sizes)
        shared = 0.75 * mean + 0.55 * self._coarse[self._parent[cluster]] + 0.5 * self._fine[cluster]
        return unit(shared + 0.55 * (self._normal(count, self.dim) @ self._noise.T))

    def pictures(self) -> Iterator[np.ndarray]:
        """The `count` vectors, in blocks, float32 [at most BLOCK, dim]."""
        for start in range(0, self.count, BLOCK):
            yield self._draw(min(BLOCK, self.count - start), self._mean)

    def texts(self, count: int) -> np.ndarray:
        """Queries as of texts, float32 [count, dim]."""
        return self._draw(count, self._text_mean)


def unit(rows: np.ndarray) -> np.ndarray:
    """The rows at unit length."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def filled(home: Path, law: Law, space_key: str = "0" * 64, images: bool = True) -> Database:
    """A database in `home` with the vectors of `law`, row i with the hash `hash_of(i)`, and, if asked, their images."""
    database = Database.at(home / "sayso.db")
    home.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(database, home)
    with database.writing() as connection:
        connection.execute(insert(SpaceRow).values(id=1, key=space_key, name="random", dim=law.dim, token="benchmark"))
        connection.execute(insert(Folder).values(id=1, path="/photos", name="photos"))
    done = 0
    for block in law.pictures():
        numbers = range(done, done + len(block))
        rows = [
            {"space_id": 1, "content_hash": hash_of(i), "vector": to_blob(v)} for i, v in zip(numbers, block, strict=True)
        ]
        with database.writing() as connection:
            connection.execute(insert(Embedding), rows)
            if images:
                connection.execute(insert(Image), [_image(i) for i in numbers])
        done += len(block)
    return database


def hash_of(number: int) -> str:
    """A content hash as it could be: they come in no order."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}".ljust(64, "0")


def _image(number: int) -> dict[str, object]:
    wide = number % 3 > 0
    return {
        "folder_id": 1,
        "path": f"/photos/{number // 1000:04}/{number:07}.jpg",
        "content_hash": hash_of(number),
        "width": 4000 if wide else 3000,
        "height": 3000 if wide else 4000,
        "size": 3_000_000,
        "mtime_ns": (1_600_000_000 + 600 * number) * 1_000_000_000,
        "dated": file_date((1_600_000_000 + 600 * number) * 1_000_000_000),
        "orientation": 1,
    }
