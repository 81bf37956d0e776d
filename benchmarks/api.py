"""Pictures a second through the HTTP API, of 32 clients that ask at once beside one that asks, waits and asks again.

Both talk to one server, a process of its own, with the starter; each request brings one small JPEG.
"""

import http.client
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from .pairs import Row

OTHER = "one client that asks, waits for the answer and asks again"
CLIENTS = 32
SIDE = 160  # pixels
LABELS = ["dog", "cat", "beach", "city", "food", "flower", "car"]


def run(quick: bool = False) -> list[Row]:
    """One row: seconds a picture with 32 clients, and with one."""
    with tempfile.TemporaryDirectory() as folder:
        port = 20_000 + os.getpid() % 10_000
        words = [sys.executable, "app.py", "serve", "--home", folder, "--port", str(port)]
        server = subprocess.Popen(words, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(port)
            bodies = _bodies(32)
            _ask(port, bodies, 1, 64)  # the labels are read, and the engine is chosen
            _ask(port, bodies, CLIENTS, 512)
            rounds = 2 if quick else 5
            alone, together = [], []
            for _ in range(rounds):
                alone.append(_ask(port, bodies, 1, 60 if quick else 150))
                together.append(_ask(port, bodies, CLIENTS, 300 if quick else 900))
        finally:
            server.terminate()
            server.wait(30)
    (first, took), (many, took_many) = _median(alone), _median(together)
    case = (
        f"a JPEG of {SIDE} pixels a request, {CLIENTS} clients at once "
        f"(p50 {_ms(took_many, 50)}, p95 {_ms(took_many, 95)}), against one (p50 {_ms(took, 50)}, p95 {_ms(took, 95)})"
    )
    return [Row(case, round(many, 5), round(first, 5), round(first / many, 2), "seconds a picture", rounds)]


def _median(found: Sequence[tuple[float, list[float]]]) -> tuple[float, list[float]]:
    return float(np.median([rate for rate, _ in found])), [took for _, each in found for took in each]


def _ms(took: Sequence[float], q: float) -> str:
    return f"{1000 * np.percentile(took, q):.0f} ms"


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not come up.")


def _bodies(count: int) -> list[bytes]:
    rng = np.random.default_rng(0)
    bodies = []
    for _ in range(count):
        file = io.BytesIO()
        coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "JPEG")
        picture = {"base64": b64encode(file.getvalue()).decode()}
        bodies.append(json.dumps({"pictures": [picture], "labels": LABELS}).encode())
    return bodies


def _ask(port: int, bodies: Sequence[bytes], clients: int, requests: int) -> tuple[float, list[float]]:
    """Seconds a picture, and how long each request took; every client keeps its connection."""
    took: list[float] = []
    each = requests // clients

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for i in range(each):
            began = time.perf_counter()
            connection.request("POST", "/api/v1/classify", bodies[i % len(bodies)], {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 200, said
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - began) / len(took), took
