"""The map: where each picture lies on a plane, by what the model in use sees in it. A cache of each model's, in HOME/index.

A place belongs to a content, so that copies lie on one another, and a library that was restored or moved finds its map
again. The file can be deleted: the map is then laid out anew.
"""

import io
import threading
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select

from clipcore import NotFound, Step

from ..files import write_beside
from ..tables import Image
from ..vectors.layout import BLOCK, FEWEST, Layout, has_tsne, iter_layout
from ..vectors.opened import Opened
from .lookup import vector_ids

AT_ONCE = 2_000  # new pictures that are placed while someone waits for the map; more are a job
GROWN = 2  # how many times as many pictures there are as when it was laid out, for another layout to be proposed
PARTS = ("mean", "basis", "marks", "lies", "keys", "places")


@dataclass(frozen=True, eq=False)
class Map:
    """The pictures that have a place, in the order of their ids.

    ids, folders  int64 [n], of the pictures and their folders
    places        float32 [n, 2], most within -1 and 1
    method        "t-SNE", or "PCA" where openTSNE is not installed
    missing       pictures with a vector and no place yet: too many came for a moment; a job places them
    is_old        whether it should be laid out anew: so many came since, or it can be done better by now
    """

    ids: np.ndarray
    folders: np.ndarray
    places: np.ndarray
    method: str
    missing: int
    is_old: bool


@dataclass(frozen=True, eq=False)
class _Kept:
    layout: Layout
    keys: np.ndarray  # uint64 [n], ascending: the first 64 bits of each content's hash
    places: np.ndarray  # float32 [n, 2]
    first: int  # contents when it was laid out


class Maps:
    """The map of a library in the space of the model in use. Threads may share it."""

    def __init__(self, opened: Opened) -> None:
        self._opened, self._database = opened, opened.database
        self._lock = threading.Lock()
        self._held: tuple[Path, tuple[int, int], _Kept] | None = None

    @property
    def file(self) -> Path:
        """Where the map of the model in use is kept. Raises BadInput where there is no model."""
        return map_file(self._opened.home / "index", self._opened.in_use.space.key)

    def iter_make(self, anew: bool = False) -> Generator[Step, None, int]:
        """Lay the map out, or place what is new on the one that is there; returns how many contents have a place.

        Raises NotFound where there is no picture with a vector of the model in use.
        """
        yield Step(0, 0, "reading vectors")
        _, _, hashes = self._pictures()
        vectors = self._vectors(hashes)
        if not vectors:
            raise NotFound("There is no image to lay out yet; add a folder first.")
        kept = None if anew else self._load()
        if kept is None:
            keys = np.array(sorted(vectors), np.uint64)
            layout, places = yield from iter_layout(len(keys), lambda rows: self._read(vectors, keys[rows]))
            kept = _Kept(layout, keys, places, len(keys))
        else:
            keys = np.array(sorted(vectors.keys() - set(kept.keys.tolist())), np.uint64)
            for start in range(0, len(keys), BLOCK):
                yield Step(start, len(keys), "placing new images")
                some = keys[start : start + BLOCK]
                kept = _with(kept, some, kept.layout.place(self._read(vectors, some)))
        with self._lock:  # not between another's reading and writing
            self._save(kept)
        return len(kept.keys)

    def get(self) -> Map | None:
        """The map as the library is now; None where it was never laid out. A few new pictures are placed at once."""
        with self._lock:
            kept = self._load()
            if kept is None:
                return None
            ids, folders, hashes = self._pictures()
            keys = keys_of(hashes)
            new = [content for content, is_there in zip(hashes, np.isin(keys, kept.keys), strict=True) if not is_there]
            vectors = self._vectors(new) if new else {}
            missing = len(vectors)
            if 0 < missing <= AT_ONCE:
                some = np.array(sorted(vectors), np.uint64)
                kept = _with(kept, some, kept.layout.place(self._read(vectors, some)))
                self._save(kept)
                missing = 0
        row = np.minimum(np.searchsorted(kept.keys, keys), max(0, len(kept.keys) - 1))
        there = kept.keys[row] == keys if len(kept.keys) else np.zeros(len(keys), bool)
        all_of_them = len(kept.keys) + missing
        is_rough = kept.layout.method == "PCA" and all_of_them >= FEWEST and has_tsne()
        is_old = all_of_them > GROWN * kept.first or is_rough
        return Map(ids[there], folders[there], kept.places[row[there]], kept.layout.method, missing, is_old)

    def _pictures(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Ids, folders and content hashes of the pictures that are there, by id."""
        query = select(Image.id, Image.folder_id, Image.content_hash).where(~Image.missing).order_by(Image.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        ids, folders, hashes = zip(*rows, strict=True) if rows else ((), (), ())
        return np.array(ids, np.int64), np.array(folders, np.int64), list(hashes)

    def _vectors(self, hashes: list[str]) -> dict[int, int]:
        """The id of the vector of each of these contents that has one, by its key."""
        with self._database.reading() as connection:
            found = vector_ids(connection, self._opened.in_use.space_id, hashes)
        wanted = [content for content in dict.fromkeys(hashes) if content in found]
        return dict(zip(keys_of(wanted).tolist(), (found[content] for content in wanted), strict=True))

    def _read(self, vectors: dict[int, int], keys: np.ndarray) -> np.ndarray:
        """The vectors of these keys, float32 [n, dim]."""
        wanted = np.array([vectors[key] for key in keys.tolist()], np.int64)
        ids, found = self._opened.in_use.index.vectors_by_id(wanted)
        return found[np.searchsorted(ids, wanted)] if len(ids) else found

    # the file

    def _load(self) -> _Kept | None:
        """What the file holds; None where there is none that can be read."""
        file = self.file
        try:
            stat = file.stat()
            mark = stat.st_mtime_ns, stat.st_size
            if self._held and self._held[:2] == (file, mark):
                return self._held[2]
            kept = _read_file(file, self._opened.in_use.space.dim)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        self._held = file, mark, kept
        return kept

    def _save(self, kept: _Kept) -> None:
        data = io.BytesIO()
        how = kept.layout
        np.savez(
            data,
            method=np.array(how.method),
            first=np.array(kept.first),
            mean=how.mean,
            basis=how.basis,
            marks=how.marks,
            lies=how.lies,
            keys=kept.keys,
            places=kept.places,
        )
        write_beside(self.file, data.getbuffer(), durable=False)
        self._held = None


def map_file(folder: Path, space_key: str) -> Path:
    """The file of the map of a space, below HOME/index."""
    return folder / f"{space_key[:16]}.map"


def map_fault(file: Path, dim: int) -> str | None:
    """Why a map's file cannot be used; None where all is right, or there is none."""
    try:
        _read_file(file, dim)
    except FileNotFoundError:
        return None
    except Exception as error:  # whatever a damaged file makes NumPy raise
        return str(error).splitlines()[0][:100] if str(error) else "it is damaged"
    return None


def keys_of(hashes: list[str]) -> np.ndarray:
    """The first 64 bits of content hashes, uint64 [n]: of a million, two agree once in thirty million libraries."""
    packed = bytes.fromhex("".join(content[:16] for content in hashes))
    return np.frombuffer(packed, ">u8").astype(np.uint64)


def _with(kept: _Kept, keys: np.ndarray, places: np.ndarray) -> _Kept:
    """The same with more contents."""
    both, found = np.concatenate([kept.keys, keys]), np.concatenate([kept.places, places])
    order = np.argsort(both, kind="stable")
    return _Kept(kept.layout, both[order], found[order], kept.first)


def _read_file(file: Path, dim: int) -> _Kept:
    """Raises OSError, ValueError, KeyError or BadZipFile for a file that is none of ours, or damaged."""
    with np.load(file, allow_pickle=False) as data:
        mean, basis, marks, lies, keys, places = (data[name] for name in PARTS)
        method, first = str(data["method"]), int(data["first"])
    shapes = (mean.shape == (dim,), basis.shape[:1] == (dim,), lies.shape == (len(marks), 2), places.shape == (len(keys), 2))
    if not all(shapes) or not np.isfinite(places).all() or (keys[1:] < keys[:-1]).any():
        raise ValueError("not a map of this model")
    return _Kept(Layout(method, mean, basis, marks, lies), keys, places, first)
