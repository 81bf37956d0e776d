"""python -m benchmarks.kill [MOMENTS]: `kill -9` at random moments of one import, with counts; then the import is finished.

After each kill the library is opened as anybody would, and must hold whole rows only: every picture with its vector, the
vector its file gives. What was embedded again at the end is what the kills cost. It uses the tests' encoder, slowed down.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from storage import Library
from tests.storage.test_crash import SCRIPT
from tests.support.fakes import FakeEncoder, photo

PICTURES, BATCH = 800, 4


def main(moments: int = 20) -> None:
    """Kill, count, and finish; raises AssertionError where anything was lost."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        home, folder = Path(place) / "home", Path(place) / "photos"
        for i in range(PICTURES):
            photo(folder / f"{i:03}.png", (i % 256, 255 - i % 256, i // 256), size=(16, 12))
        before = 0
        for moment in range(1, moments + 1):
            command = [sys.executable, "-c", SCRIPT, str(home), str(folder), "add", str(PICTURES)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            for _ in range(chance.randint(1, 8)):  # a few batches on, and then anywhere within the next
                line = process.stdout.readline()
                assert line, "the import ended by itself"
                said = int(line)
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            said = max([said, *(int(line) for line in process.stdout.read().split() if line.isdigit())])
            process.wait()
            with Library(home, FakeEncoder()) as library:  # type: ignore[arg-type]
                kept = check(library)
            assert max(before, said) <= kept <= max(before, said) + 2 * BATCH, (before, said, kept)
            print(f"kill {moment:>2}: it had said {said:>3}, kept {kept:>3} of {PICTURES}; lost none that it had said")
            before = kept
        encoder = FakeEncoder()
        with Library(home, encoder) as library:  # type: ignore[arg-type]
            added = library.add(folder)
            assert (check(library), added.new, encoder.embedded) == (PICTURES, PICTURES - before, PICTURES - before)
        print(f"finished: {added.known} were there, {added.new} were embedded now, none twice")


def check(library: Library) -> int:
    """How many pictures there are, each with the vector that its file gives."""
    images, vectors = library.embeddings()
    assert len(images) == library.count() == len(library.search("red", PICTURES + 1))
    if images:
        np.testing.assert_array_equal(vectors, FakeEncoder().embed_images([image.path for image in images]))
    with library.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    return len(images)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
