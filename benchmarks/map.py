"""The map: how long it takes to lay out pictures, and with how many frames a second 100,000 are drawn.

Vectors are generated (`filled.py`); layout, library, server and page are real. Frames are those of a map that moves all the
time, in headless Chromium without a graphics card, where the page draws by itself. A frame counts when its pixels can be
read; where frames come too slowly, the page draws fewer of the points while they move, which is said. `other` is
scikit-learn's t-SNE, a second, or the 30 frames asked for. Quick, fewer pictures are fitted, and all others placed by them.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from clipcore import drain, load
from storage import Library
from storage.vectors import layout
from storage.vectors.layout import iter_layout
from tests.support.browser import ARGS, CHROMIUM
from tests.support.server import served

from .filled import Law
from .library_page import made
from .pairs import Row

OTHER = "scikit-learn's t-SNE; a second; 30 frames a second (no graphics card)"
ASKED = 30.0  # frames a second

READY = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (const end = performance.now() + 120000; performance.now() < end; await frame()) {
    const map = document.querySelector("sayso-grid")?.shadowRoot?.querySelector("sayso-map");
    if (map?.plane.points.count && map.plane.look) return map.plane.points.count;
  }
  throw new Error("no map came");
}"""
FRAMES = """async (zoom) => {
  const { plane } = document.querySelector("sayso-grid").shadowRoot.querySelector("sayso-map");
  const { gl } = plane.painter; // none where the page draws by itself, which is over when it returns
  plane.showsPictures = false;
  plane.reset();
  plane.paint();
  plane.zoom(zoom);
  const pixel = new Uint8Array(4);
  const times = [];
  for (let n = 0, last = performance.now(); n < 120; n++) {
    plane.lookAt(0.1 * Math.sin(n / 10), 0.1 * Math.cos(n / 10));
    await new Promise((done) => requestAnimationFrame(done));
    gl?.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return [times.slice(20), plane.every];
}"""


def run(quick: bool) -> list[Row]:
    """Seconds of a layout, and frames a second."""
    small, large = 2_000 if quick else 10_000, 100_000
    rows = [_laid_out(small)]
    layout.FITTED = min(layout.FITTED, 3_000) if quick else layout.FITTED
    slow = rows[0].other * large / small  # it takes at least that: its cost grows faster than the number
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        made(home, large)
        with Library(home, load()) as library:
            start = time.perf_counter()
            drain(library.map.iter_make())
            ours = time.perf_counter() - start
            rows.append(
                _row(
                    f"lay out {large:,}, {layout.FITTED:,} of them fitted (other: reckoned)",
                    ours,
                    slow,
                    slow / ours,
                    "seconds",
                    1,
                )
            )
            times = [_timed(library.map.get) for _ in range(5)]
            rows.append(_row(f"open the map of {large:,}, on the server", statistics.median(times), 1.0, 0, "seconds", 5))
        with served(Path(folder)) as url:
            rows += _frames(url, large)
    return rows


def _row(case: str, ours: float, other: float, ratio: float, unit: str, n: int) -> Row:
    return Row(case, round(ours, 3), round(other, 3), round(ratio or other / ours, 2), unit, n)


def _timed(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def _laid_out(count: int) -> Row:
    from sklearn.manifold import TSNE

    rows = np.concatenate(list(Law(count).pictures()))
    ours = _timed(lambda: drain(iter_layout(count, lambda some: rows[some])))
    other = _timed(lambda: TSNE(n_jobs=os.cpu_count()).fit_transform(rows))
    return _row(f"lay out {count:,}", ours, other, other / ours, "seconds", 1)


def _frames(url: str, count: int) -> list[Row]:
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.evaluate("localStorage.saysoLibraryView = 'map'")
        page.reload()
        page.get_by_role("tab", name="Library").click(timeout=120_000)
        shown = page.evaluate(READY)
        assert shown == count, (shown, count)
        for words, zoom in (("whole", 1), ("eight times as near", 8)):
            times, every = page.evaluate(FRAMES, zoom)
            rate = 1000 / statistics.median(times)
            drawn = f", 1 of {every} drawn till it rests" if every > 1 else ""
            found.append(_row(f"{count:,} moving, {words}{drawn}", rate, ASKED, rate / ASKED, "frames/s", len(times)))
        browser.close()
    return found
