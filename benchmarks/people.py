"""Twenty people at once over HTTP, each signed in as somebody: they search, look, label and take back.

    python -m benchmarks people [--seconds 120] [--people 20] [--images 5000] [--postgres] [--json]

Rows and vectors are generated (`filled.py`); the server, the starter, the accounts and the database are real. Between two
acts each person pauses, as somebody who looks. At the end the library is opened, and every label that was answered for
must be there, as its person's last word. The PostgreSQL server is that of the tests, which does not wait for the disk.
"""

import http.client
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from clipcore import drain, load
from storage import Library
from storage.moving import iter_move
from storage.people import acting
from tests.support.postgres import Server, programs
from tests.support.server import served

from .filled import Law, filled

WORDS = ("a dog on a beach", "a red car", "people at a table", "a mountain", "an old building", "food on a plate")
LABELS = ("dog", "car", "people", "mountain")
PAUSE = (0.2, 1.0)  # seconds between two acts of a person


@dataclass
class Visitor:
    """A person at a browser: what they did, how long each answer took in milliseconds, what went wrong, and their last word
    on each picture."""

    number: int
    port: int
    cookie: str
    images: int
    took: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "label": [], "undo": []})
    errors: list[str] = field(default_factory=list)
    said: dict[int, tuple[str, int]] = field(default_factory=dict)

    def work(self, until: float) -> None:
        dice = random.Random(self.number)
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        step = 0
        while time.monotonic() < until:
            step += 1
            act = dice.random()
            if act < 0.5:
                self.ask(line, "search", "GET", f"/api/images?q={quote(dice.choice(WORDS))}")
            else:
                # each labels their own pictures, so that no later word of another one hides a lost one
                image = 1 + self.number + 100 * dice.randrange(self.images // 100)
                label, value = dice.choice(LABELS), dice.choice((1, -1))
                body = {"client": f"b{self.number}", "op": f"{self.number}-{step}", "chosen": {"ids": [image]}}
                before = self.said.get(image)
                if self.ask(line, "label", "POST", "/api/label", {**body, "label": label, "value": value}):
                    self.said[image] = label, value
                if act > 0.95 and before is None and self.said.get(image) == (label, value):
                    undo = {"client": f"b{self.number}", "op": f"{self.number}-{step}-u"}
                    if self.ask(line, "undo", "POST", "/api/label/undo", undo):
                        del self.said[image]
            time.sleep(dice.uniform(*PAUSE))
        line.close()

    def ask(self, line: http.client.HTTPConnection, what: str, method: str, path: str, body: Any = None) -> bool:
        headers = {"Cookie": self.cookie, "Content-Type": "application/json"}
        begun = time.perf_counter()
        try:
            line.request(method, path, None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            data = answer.read()
        except OSError as error:
            self.errors.append(f"{what}: {error!r}")
            line.close()
            return False
        self.took[what].append(1000 * (time.perf_counter() - begun))
        if answer.status != 200:
            self.errors.append(f"{what}: {answer.status} {data[:200]!r}")
        return answer.status == 200


def main(
    seconds: Annotated[float, typer.Option(help="How long.")] = 120,
    people: Annotated[int, typer.Option(help="How many, at most 100.")] = 20,
    images: Annotated[int, typer.Option(help="Pictures of the library.")] = 5000,
    postgres: Annotated[
        bool, typer.Option("--postgres", help="On a PostgreSQL server of its own, which must be here.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Let them work, and count."""
    with tempfile.TemporaryDirectory() as place, server(postgres) as url:
        home = Path(place) / "home"
        space = load("starter").space
        filled(home, Law(images, dim=space.dim), space.key).close()
        with Library(home) as library:
            secrets = []
            for number in range(people):
                person = library.people.add(f"Person {number:02}", "owner" if number == 0 else "labeller")
                secrets.append(library.people.tokens.create(person.id, "benchmark", kind="page")[0])
        if url:
            drain(iter_move(home, None, url))
        with served(Path(place), *(("--database", url) if url else ())) as address:
            port = int(address.rpartition(":")[2])
            visitors = [Visitor(number, port, f"sayso_session={secrets[number]}", images) for number in range(people)]
            warm(visitors[0])
            until = time.monotonic() + seconds
            threads = [threading.Thread(target=visitor.work, args=(until,)) for visitor in visitors]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        show(visitors, seconds, lost(home, visitors, url), as_json)


@contextmanager
def server(wanted: bool) -> Iterator[str | None]:
    """The address of an empty database of a PostgreSQL server that ends with this, or None where none is wanted."""
    if not wanted:
        yield None
        return
    bin = programs()
    if bin is None:
        raise SystemExit("PostgreSQL is not installed (apt-get install postgresql).")
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        own = Server(bin, Path(folder))
        try:
            yield own.empty()
        finally:
            own.stop()


def warm(visitor: Visitor) -> None:
    """Wait for the model and the index: no person's time counts before."""
    line = http.client.HTTPConnection("127.0.0.1", visitor.port, timeout=120)
    end = time.monotonic() + 120
    while not visitor.ask(line, "search", "GET", "/api/images?q=warm") and time.monotonic() < end:
        time.sleep(0.5)
    assert time.monotonic() < end, visitor.errors[-1]
    line.close()
    visitor.took["search"].clear()
    visitor.errors.clear()


def lost(home: Path, visitors: list[Visitor], url: str | None = None) -> int:
    """How many words that were answered for are not in the library, or not their person's."""
    missing = 0
    with Library(home, database=url) as library:
        ids = {person.name: person.id for person in library.people.all()}
        for visitor in visitors:
            me = ids[f"Person {visitor.number:02}"]
            with acting(me):
                values = library.labels.of(list(visitor.said))
                pictures = {image.id: image.picture for image in library.images_with_ids(list(visitor.said))}
                authors = library.labels.authors(pictures.values())
            for image, (label, value) in visitor.said.items():
                is_there = values.get(image, {}).get(label) == value
                missing += not (is_there and authors.get((pictures[image], label), (0,))[0] == me)
    return missing


def show(visitors: list[Visitor], seconds: float, missing: int, as_json: bool) -> None:
    """One row for each kind of act."""
    rows = []
    for what in ("search", "label", "undo"):
        took = sorted(one for visitor in visitors for one in visitor.took[what])
        if took:
            p95 = took[min(len(took) - 1, int(0.95 * len(took)))]
            rows.append({"act": what, "n": len(took), "p50_ms": round(statistics.median(took)), "p95_ms": round(p95)})
    errors = [error for visitor in visitors for error in visitor.errors]
    words = sum(len(visitor.said) for visitor in visitors)
    told = {"people": len(visitors), "seconds": seconds, "errors": len(errors), "labels": words, "lost": missing}
    if as_json:
        print(json.dumps({"name": "people", "cores": os.cpu_count(), **told, "rows": rows}))
        return
    print(" · ".join(f"{name} {value}" for name, value in told.items()))
    for row in rows:
        print(f"{row['act']:<8} {row['n']:>6} times   p50 {row['p50_ms']:>5} ms   p95 {row['p95_ms']:>5} ms")
    for error in errors[:5]:
        print(error)


if __name__ == "__main__":
    typer.run(main)
