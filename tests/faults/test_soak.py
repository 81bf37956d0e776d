"""Twenty people at a real server over HTTP: no request fails, no label is lost, and it does not grow."""

import contextlib
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from clipcore import load
from storage import Library
from tests.support.fakes import photo
from tests.support.server import served

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
PEOPLE, PICTURES = 20, 60
PAUSE = 0.2  # seconds between two requests of a person, in the mean
SETTLED = 0.3  # of the time: until then caches fill


@dataclass
class Log:
    """What the people saw: seconds of each kind of request, and what was no answer."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, url: str, what: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request; None if it was not answered as it should be."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"} if body else {})
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
        except OSError as error:
            told = error.read().decode(errors="replace")[:200] if isinstance(error, urllib.error.HTTPError) else ""
            with self.lock:
                self.errors.append(f"{what} {path}: {error} {told}")
            return None
        with self.lock:
            self.times.setdefault(what, []).append(time.perf_counter() - began)
        return json.loads(content) if content[:1] in (b"{", b"[") else content


def person(url: str, number: int, until: float, log: Log) -> list[tuple[int, str]]:
    """Looks, searches and labels; returns the labels given and not taken back, in order. Nobody else gives these."""
    rng = random.Random(number)
    client, given = f"person-{number}", list[tuple[int, str]]()
    images = log.ask(url, "browse", "/api/images")["images"]
    while time.monotonic() < until:
        what = rng.choice(("pulse", "browse", "search", "label", "label", "thumb", "undo"))
        step = {"client": client, "op": f"{rng.getrandbits(128):032x}"}
        if what == "label":
            image, label = rng.choice(images)[0], f"person {number} says {len(given)}"
            body = {**step, "chosen": {"ids": [image]}, "label": label}
            if log.ask(url, what, "/api/label", body) is not None:
                given.append((image, label))
        elif what == "undo":
            if given and log.ask(url, what, "/api/label/undo", step) is not None:
                given.pop()
        else:
            image_id, content = rng.choice(images)[:2]
            words = rng.choice(("red", "green", "a dog on a beach", "2*sky - sea"))
            path = {
                "pulse": "/api/pulse",
                "browse": f"/api/images?offset={rng.randrange(PICTURES)}",
                "search": f"/api/images?q={quote(words)}",
                "thumb": f"/thumb/{image_id}/{content}.webp",
            }[what]
            log.ask(url, what, path)
        time.sleep(rng.uniform(0.0, 2 * PAUSE))
    return given


def size_of(process: int) -> tuple[float, int]:
    """Megabytes and open files of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    kilobytes = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    return kilobytes / 1000, len(list(Path(f"/proc/{process}/fd").iterdir()))


def server_of(home: Path) -> int:
    """The process that serves a home."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"serve" in words and os.fsencode(home) in words:
                    return int(folder.name)
    raise AssertionError("no server")


def test_twenty_people(long, tmp_path, record_property):
    if not long:
        pytest.skip("only in the long form: make soak")
    seconds = 60 * float(os.environ.get("SAYSO_SOAK_MINUTES", 30))
    for i in range(PICTURES):
        photo(tmp_path / "photos" / f"{i:02}.png", (4 * i, 255 - 4 * i, 60), (64, 48))
    home, log, sizes = tmp_path / "home", Log(), list[tuple[float, int]]()
    with Library(home, load("starter")) as library:
        library.add(tmp_path / "photos")
    with served(tmp_path, anew=True) as url, ThreadPoolExecutor(PEOPLE) as pool:  # whose process has its home in its name
        server = server_of(home)
        while "loading" in log.ask(url, "pulse", "/api/pulse")["status"]:
            time.sleep(0.2)
        began = time.monotonic()
        people = [pool.submit(person, url, number, began + seconds, log) for number in range(PEOPLE)]
        while not all(one.done() for one in people):
            time.sleep(seconds / 60)
            sizes.append(size_of(server))
        given = {label for one in people for label in one.result()}
    with Library(home) as library:
        labels = library.labels.of([image.id for image in library.images()])
        kept = {(image, label) for image, values in labels.items() for label in values}
        backups = library.backups.all()
    settled, last = sizes[int(SETTLED * len(sizes))], sizes[-2]
    record_property("requests", sum(map(len, log.times.values())))
    print(f"\n{sum(map(len, log.times.values())):,} requests by {PEOPLE} people in {seconds / 60:g} minutes, ", end="")
    print(f"{len(log.errors)} errors, {len(given - kept)} of {len(given):,} labels lost, {len(kept - given)} too many")
    for what, times in sorted(log.times.items()):
        p50, p95 = np.percentile(times, [50, 95]) * 1000
        print(f"  {what:<8} {len(times):>7,}   p50 {p50:6.1f} ms   p95 {p95:7.1f} ms")
    print(f"memory {settled[0]:,.0f} MB then {last[0]:,.0f} MB; open files {settled[1]} then {last[1]}")
    assert log.errors == []
    assert kept == given
    assert last[0] <= 1.15 * settled[0] + 30
    assert last[1] <= settled[1] + 2 * PEOPLE
    assert len(backups) == 1  # of the first day, while it served
