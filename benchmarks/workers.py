"""python -m benchmarks.workers [PICTURES] [fake]: workers share an import on a PostgreSQL server of their own, with counts.

Small pictures are generated, and embedded by the starter; with `fake` by the tests' encoder, for the counts alone. Each
process has one core, as a machine of its own would:

one       the one that adds the folder, alone, with a fifth of the pictures
two       with a worker beside it, with a fifth
killed    with two workers, one of which is killed with -9 in the middle, with all

After each every picture must be there once, with the vector that the starter gives it, and no vector twice.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture
from sqlalchemy import func, select

import clipcore
from storage import Jobs, Library, Pieces
from storage.tables import Embedding, Image, Job
from tests.support.fakes import FakeEncoder
from tests.support.postgres import Server, programs

WORKER = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv.pop(1))})
import torch; torch.set_num_threads(1)
if sys.argv.pop(1) == "fake":
    import clipcore
    from tests.support.fakes import FakeEncoder
    clipcore.load = lambda *how: FakeEncoder(batch_size=32)
from app import main
sys.argv = ["app.py", "work", *sys.argv[1:]]
main()
"""


def main(pictures: int = 20_000, encoder: str = "starter") -> None:
    """Measure and count; raises AssertionError where anything was lost or is there twice."""
    import torch

    bin = programs()
    assert bin, "PostgreSQL is not installed"
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {0})
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="sayso-pg-") as place, tempfile.TemporaryDirectory() as homes:
        server = Server(bin, Path(place))
        try:
            rates = {}
            for name, count, helpers in (("one", pictures // 5, 0), ("two", pictures // 5, 1), ("killed", pictures, 2)):
                folder, home = Path(homes) / f"{name}-photos", Path(homes) / name
                generate(folder, count)
                with server.database() as url:
                    rates[name] = shared(home, folder, url, count, helpers, cores, encoder)
            print(f"two processes on a core each: {rates['two'] / rates['one']:.2f} times as fast as one")
        finally:
            server.stop()


def generate(folder: Path, count: int) -> None:
    """Small pictures, no two alike."""
    chance = np.random.default_rng(count)
    for number in range(count):
        path = folder / f"{number // 1000:03}" / f"{number:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Picture.fromarray(chance.integers(0, 255, (6, 6, 3), np.uint8)).resize((48, 48), Picture.Resampling.BICUBIC).save(
            path
        )


def shared(home: Path, folder: Path, url: str, count: int, helpers: int, cores: int, encoder: str) -> float:
    """Add a folder with so many workers beside; pictures a second, from when all have begun."""
    environment = {**os.environ, "SAYSO_DATABASE": url, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WORKER]
    workers = [
        subprocess.Popen([*command, str((1 + i) % cores), encoder, "--home", str(home)], env=environment)
        for i in range(helpers)
    ]
    killed = False
    model: Any = FakeEncoder(batch_size=32) if encoder == "fake" else clipcore.load()
    with Library(home, model, url) as library:
        library.encoder.embed_images([folder / "000" / "000000.png"])  # type: ignore[union-attr]  # settled before the clock
        if workers:
            time.sleep(12)  # until they have loaded the model
        start = time.perf_counter()
        for step in Pieces(library, Jobs(library)).iter_add(folder):
            if helpers > 1 and not killed and step.done > count / 2:
                workers[-1].send_signal(signal.SIGKILL)
                killed = True
        seconds = time.perf_counter() - start
        for worker in workers[: len(workers) - killed]:
            worker.send_signal(signal.SIGTERM)
        ends = [worker.wait(60) for worker in workers]
        check(library, folder, count)
        print(
            f"{len(workers) + 1} process(es), {count:,} pictures: {seconds:.1f} s, {count / seconds:.0f} a second; "
            f"workers ended with {ends}"
        )
    return count / seconds


def check(library: Library, folder: Path, count: int) -> None:
    """Every picture once, each with the vector of its content, and no piece left."""
    with library.database.reading() as connection:
        images = connection.execute(select(func.count(), func.count(Image.path.distinct())).select_from(Image)).one()
        vectors = connection.execute(select(func.count(), func.count(Embedding.content_hash.distinct()))).one()
        left = connection.scalar(select(func.count()).select_from(Job))
    assert tuple(images) == (count, count), images
    assert tuple(vectors) == (count, count), vectors
    assert left == 0
    assert library.count(embedded=True) == count
    some = sorted(folder.rglob("*.png"))[:: max(1, count // 50)]
    ids = library.labels.ids_at(some)
    kept = library.embeddings(ids)[1]
    made = library.encoder.embed_images(some)  # type: ignore[union-attr]
    assert float((kept * made[np.argsort(ids)]).sum(1).min()) > 0.999


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, *sys.argv[2:])
