"""python -m benchmarks.care [--images 20000]: a backup and the way back, and the doctor on five kinds of damage.

The times are of a generated library (`filled.py`) with labels: what every start looks through, the daily backup, the same
searches after `restore`. The damage is done to a home of 300 pictures, and the commands are those of `app.py`.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sqlalchemy import select

import clipcore
from storage import Library, iter_examine
from storage.damage import require_whole
from storage.restoring import restore
from storage.tables import Embedding
from storage.vectors.index import from_blobs
from tests.support.fakes import FakeEncoder, photo

from .filled import Law, filled

PICTURES = 300


def main(images: Annotated[int, typer.Option(help="Of the library that is backed up.")] = 20_000) -> None:
    """Print both tables; raises AssertionError where something is not as it was."""
    with tempfile.TemporaryDirectory() as place:
        times(Path(place), images)
        print("\n| damage | doctor says | after --fix |\n|---|---|---|")
        for number, damage in enumerate(DAMAGES):
            home = damaged(Path(place) / str(number), damage)
            before = findings(home)
            assert before, f"nothing was found after {damage.__name__}"
            said = "; ".join(f"{found.check}: {found.sentence}" for found in before).replace(f"{home}{os.sep}", "")
            for found in before:
                if found.fix:
                    found.fix()
            print(f"| {damage.__doc__} | {said} | {after(home)} |")


def times(place: Path, images: int) -> None:
    """Look, back up, put back, and search before and after."""
    home, law = place / "large", Law(images)
    filled(home, law).close()
    queries = law.texts(20)
    with Library(home) as library:
        library.labels.label_many(range(1, images, 10), "seen", 1)
        counts, found = library.labels.counts(), nearest(library, queries)
        _, looked = timed(lambda: require_whole(home / "sayso.db"))
        backup, backed_up = timed(library.backups.make)
        library.labels.label_many(range(2, images, 10), "not wanted", 1)
    assert isinstance(backup, Path)
    _, put_back = timed(lambda: restore(home, backup))
    with Library(home) as library:
        assert (library.count(), library.labels.counts()) == (images, counts)
        np.testing.assert_array_equal(nearest(library, queries), found)
    size = backup.stat().st_size / 1e6
    print(
        f"{images:,} pictures, {size:,.0f} MB: a start looks it through in {looked:.2f} s, a backup takes {backed_up:.2f} s,"
    )
    print(f"restoring it {put_back:.2f} s; pictures, labels and the answers to 20 searches are as they were")


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What came of it, and the seconds it took."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def nearest(library: Library, queries: np.ndarray) -> np.ndarray:
    """The ten vectors nearest to each query, by the rows of the library's file."""
    with library.database.reading() as connection:
        rows = connection.execute(select(Embedding.vector).order_by(Embedding.content_hash)).scalars().all()
    return np.argsort(-(queries @ from_blobs(rows, queries.shape[1]).T), axis=1, kind="stable")[:, :10]


def findings(home: Path) -> list:
    """What the doctor finds."""
    return clipcore.drain(iter_examine(home))


def after(home: Path) -> str:
    """What is left, and what the library then holds."""
    left = findings(home)
    if any(found.check == "library" and not found.fix for found in left) or not (home / "sayso.db").exists():
        newest = max((home / "backups").iterdir())
        restore(home, newest)
        left = findings(home)
        began = "for a person: restore the newest backup; then "
    else:
        began = ""
    with Library(home, FakeEncoder()) as library:
        labels = sum(library.labels.counts().values())
        said = f"{began}{library.count()} pictures, {labels} labels"
    return said + (f"; left: {'; '.join(found.sentence for found in left)}" if left else ", nothing left")


def damaged(place: Path, damage: Callable[[Path], None]) -> Path:
    """A home with pictures, labels, thumbnails, an index and a backup, to which `damage` was done."""
    home = place / "home"
    for i in range(PICTURES):
        photo(place / "photos" / f"{i:03}.png", (i % 256, 255 - i % 256, i // 256), size=(16, 12))
    with Library(home, FakeEncoder()) as library:
        library.add(place / "photos")
        library.labels.label_many(range(1, 101), "kept", 1)
        for number in range(1, 11):
            library.thumbnail(number)
        library.search("red")
        library.backups.make()
    damage(home)
    return home


def pages_overwritten(home: Path) -> None:
    """pages of the library's file overwritten"""
    with open(home / "sayso.db", "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for at in range(size // 2 // 4096 * 4096, size - 8192, 8192):
            file.seek(at)
            file.write(b"\xff" * 4096)


def library_empty(home: Path) -> None:
    """the library's file emptied (0 bytes)"""
    (home / "sayso.db").write_bytes(b"")
    for log in home.glob("sayso.db-*"):
        log.unlink()


def index_torn(home: Path) -> None:
    """the index cut in half"""
    for file in home.rglob("*.faiss"):
        os.truncate(file, file.stat().st_size // 2)


def thumbnails_damaged(home: Path) -> None:
    """thumbnails with other bytes of the same length"""
    thumbnails = [file for file in (home / "thumbs").rglob("*.webp") if file.is_file()]
    for file in thumbnails[::2]:
        data = bytearray(file.read_bytes())
        data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
        file.write_bytes(data)


def pictures_gone(home: Path) -> None:
    """ten photos deleted and a killed writer's file left"""
    for i in range(10):
        (home.parent / "photos" / f"{i:03}.png").unlink()
    left = home / "uploads" / "half.png.0a1b2c3d.part"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    shutil.rmtree(home / "models", ignore_errors=True)


DAMAGES = (pages_overwritten, library_empty, index_torn, thumbnails_damaged, pictures_gone)


if __name__ == "__main__":
    typer.run(main)
