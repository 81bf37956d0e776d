"""python -m benchmarks.huge ROWS [HOME]: one machine, further: what a library of millions of images costs, in one process.

Rows and vectors are generated in bulk (`filled.Law`, 512 numbers), no picture and no model; queries are as of texts. The
home is made once and kept where HOME is given. What is measured runs in a process of its own, whose memory is told.
5,000,000 rows take some 18 GB of disk, and an hour or more to be made on two cores, most of it for drawing vectors and for
sorting them into lists.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from storage import Filters, Library
from storage.tables import Embedding
from storage.vectors import faiss_indexes
from storage.vectors.index import to_blob

from .filled import Law, filled, hash_of
from .search import Texts

MORE, SHOWN, ROUNDS = 1000, 120, 5


def main(rows: int, home: Path) -> None:
    """Make the library if it is not there, and print what it costs."""
    if not (home / "sayso.db").exists():
        start = time.perf_counter()
        filled(home, Law(rows)).close()
        print(f"{rows:,} rows written in {time.perf_counter() - start:.0f} s")
    for what in ("make", "measure"):  # the second finds the index as a start of Sayso does
        subprocess.run([sys.executable, "-m", "benchmarks.huge", str(rows), str(home), what], check=True)
    sizes = {path.name: path.stat().st_size / 1e9 for path in (home / "sayso.db", *(home / "index").glob("*.faiss"))}
    print(", ".join(f"{name} {size:.2f} GB" for name, size in sizes.items()))


def make(rows: int, home: Path) -> None:
    """Build the index, sorted into lists where so many vectors are."""
    law, start = Law(rows), time.perf_counter()
    encoder: Any = Texts(law)
    with Library(home, encoder) as library:
        library.find("the first search")
        index = library._in_use.index
        while index.info().kind != faiss_indexes.kind_for(rows):
            time.sleep(1)
        found = index.info()
        print(f"index made in {time.perf_counter() - start:.0f} s: {found.kind}, recall@10 {found.recall}")


def measure(rows: int, home: Path) -> None:
    """One start, and what people do then; medians of five."""
    law, numbers = Law(rows), iter(range(10_000))
    encoder: Any = Texts(law)
    start = time.perf_counter()
    library = Library(home, encoder)
    library.find("the first search", limit=SHOWN)
    print(f"opening and the first search: {time.perf_counter() - start:.2f} s")
    ids = [image.id for image in library.images(after=rows // 2, limit=ROUNDS)]
    library.albums.save("an album", "text 0", Filters()) if not library.albums.all() else None
    for name, work in (
        (f"words to {SHOWN} hits", lambda: library.find(f"text {next(numbers)}", limit=SHOWN, everything=True)),
        ("a page of the grid, from its middle", lambda: library.browse(Filters(), offset=rows // 2, limit=SHOWN)),
        ("the first page of the grid", lambda: library.browse(Filters(), limit=SHOWN)),
        ("a page of the grid, newest first", lambda: library.browse(Filters(), "newest", limit=SHOWN)),
        ("one label", lambda: library.label(ids[next(numbers) % ROUNDS], f"label {next(numbers)}")),
        ("counts of all labels", library.labels.counts),
        ("an album", lambda: library.albums.open("an album", limit=SHOWN)),
        ("how many images there are", library.count),
    ):
        print(f"{name}: {1000 * timed(work):.0f} ms")
    before = library._in_use.index.state
    block = law.texts(MORE)
    with library.database.writing() as connection:
        fresh = [
            {"space_id": 1, "content_hash": hash_of(2 * rows + i), "vector": to_blob(vector)}
            for i, vector in enumerate(block)
        ]
        connection.execute(insert(Embedding), fresh)
    start = time.perf_counter()
    library.find("after more", limit=SHOWN)
    seconds = time.perf_counter() - start
    assert library._in_use.index.state[0] == before[0] + MORE
    print(f"the first search after {MORE:,} more vectors: {1000 * seconds:.0f} ms")
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")
    library.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds, the median of five."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


if __name__ == "__main__":
    count = int(sys.argv[1])
    if len(sys.argv) > 3:
        {"make": make, "measure": measure}[sys.argv[3]](count, Path(sys.argv[2]))
    elif len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as place:
            main(count, Path(place))
