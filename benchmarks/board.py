"""The board with 10,000 pictures in 202 columns, as Chromium shows it: time to the first picture, a move, an undo, a fling.

There is no other program to run in turn here; `other` is what the prototype of this board needed (upper bounds).
"""

import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np

from .pairs import Row

PORT = 7963
OTHER = "the prototype of this board, which kept its state in memory; upper bounds on a busy machine"
BEFORE = {
    "first picture on screen": 2700,
    "select 500": 83,
    "move 500, painted": 93,
    "move 500, saved": 117,
    "undo 500, painted": 95,
    "move a column, painted": 82,
    "move a column, saved": 117,
    "undo a column, painted": 231,
    "scroll 1,400 px a frame, mean frame": 58,
    "downloads in a fling": 150,
    "open all columns": 147,
    "elements of the board": 4200,
}
COUNTS = ("downloads in a fling", "elements of the board")


def fill(home: Path, images: int, classes: int) -> str:
    """A library with so many pictures of made-up vectors, and a run over them; gives the run's id."""
    from sqlalchemy import insert

    import clipcore
    from clipcore import Classifier, Decision
    from storage import Library
    from storage.tables import Embedding, Folder, Image, file_date

    rng = np.random.default_rng(0)
    encoder = clipcore.load()
    dim = encoder.space.dim
    heads = unit(rng.normal(size=(classes, dim)))
    vectors = unit(0.35 * heads[rng.integers(classes, size=images) ** 2 // classes] + unit(rng.normal(size=(images, dim))))
    shown = home / "shown"
    shown.mkdir(parents=True)
    with Library(home, encoder) as library:
        from PIL import Image as Picture

        files = []
        for index in range(200):
            files.append(shown / f"{index}.png")
            Picture.new("RGB", (96, 96), tuple(rng.integers(60, 220, 3).tolist())).save(files[-1])
        with library.database.writing() as connection:
            folder = connection.execute(insert(Folder).values(path="", name="made up").returning(Folder.id)).scalar_one()
            hashes = [secrets.token_hex(32) for _ in range(images)]
            # every row has a path of its own, as the library asks; there are 200 files
            rows = []
            for index, content in enumerate(hashes):
                link = shown / f"IMG_{index:05}.png"
                os.link(files[index % len(files)], link)
                stat = link.stat()
                rows.append(
                    {
                        "folder_id": folder, "path": str(link), "content_hash": content, "width": 96, "height": 96,
                        "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "orientation": 1,
                        "dated": file_date(stat.st_mtime_ns),
                    }
                )  # fmt: skip
            connection.execute(insert(Image), rows)
            space = library._in_use.space_id
            connection.execute(
                insert(Embedding),
                [
                    {"space_id": space, "content_hash": content, "vector": vector.astype("<f4").tobytes()}
                    for content, vector in zip(hashes, vectors, strict=True)
                ],
            )
        labels = tuple(f"class {n}" for n in range(1, classes + 1))
        head = Classifier(labels, heads, np.zeros(classes, np.float32), 30.0, encoder.space, decision=Decision(sure=0.0))
        return library.runs.start(head).id


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def run(quick: bool) -> list[Row]:
    """One row per thing a person does; milliseconds, medians of `n`."""
    images, classes, times = (2000, 40, 3) if quick else (10_000, 200, 5)
    with tempfile.TemporaryDirectory() as folder:
        board = fill(Path(folder) / "home", images, classes)
        command = [sys.executable, "app.py", "serve", "--home", f"{folder}/home", "--port", str(PORT)]
        server = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env={**os.environ, "GRADIO_TEMP_DIR": folder, "HF_HUB_OFFLINE": "1"}
        )
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/runs/{board}", timeout=30)
                    break
                except OSError:
                    time.sleep(0.5)
            return _measure(board, images, times)
        finally:
            server.terminate()
            server.wait(20)


def _measure(board: str, images: int, times: int) -> list[Row]:
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("SAYSO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    found: dict[str, list[float]] = {}

    def note(case: str, value: float) -> None:
        found.setdefault(case, []).append(value)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(times):
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.locator("sayso-board").wait_for()
            begin = time.perf_counter()
            page.evaluate("run => document.querySelector('sayso-board').setAttribute('run', run)", board)
            page.wait_for_function(SHOWN)
            note("first picture on screen", 1000 * (time.perf_counter() - begin))
            large = min(4600, images // 3)
            for case, value in page.evaluate(SCRIPT, [500, large]).items():
                note(case, value)
            page.close()
        browser.close()
    rows = []
    for case, values in found.items():
        ours = statistics.median(values)
        unit = "count" if case in COUNTS else "ms"
        rows.append(Row(case, round(ours, 1), BEFORE[case], round(BEFORE[case] / max(ours, 0.1), 2), unit, len(values)))
    return rows


SHOWN = """() => [...document.querySelector('sayso-board').shadowRoot.querySelectorAll('.tile img')]
  .some(picture => picture.naturalWidth)"""

# In the page: move, wait for the frame after it, wait for the server's answer.
SCRIPT = """async ([small, large]) => {
  const board = document.querySelector('sayso-board');
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const painted = async work => {
    const begin = performance.now();
    work();
    await frame();
    return performance.now() - begin;
  };
  const out = {};
  const ids = [...board.cards.keys()];
  out['select 500'] = await painted(() => board.select(ids.slice(0, small)));
  const begin = performance.now();
  out['move 500, painted'] = await painted(() => board.move(0));
  await board.steps.queue;
  out['move 500, saved'] = performance.now() - begin;
  const undo = performance.now();
  await board.steps.send('step/undo'); await frame();
  out['undo 500, painted'] = performance.now() - undo;
  const whole = performance.now();
  out['move a column, painted'] = await painted(() => board.move(0, ids.slice(0, large)));
  await board.steps.queue;
  out['move a column, saved'] = performance.now() - whole;
  const back = performance.now();
  await board.steps.send('step/undo'); await frame();
  out['undo a column, painted'] = performance.now() - back;
  await board.steps.send('step/redo'); await frame();
  const pile = board.piles.get(0), frames = [];
  performance.clearResourceTimings(); performance.setResourceTimingBufferSize(20000);
  pile.list.scrollTop = 0; await frame();
  for (let n = 0; n < 40; n++) {
    const at = performance.now();
    pile.list.scrollTop += 1400; await new Promise(requestAnimationFrame);
    frames.push(performance.now() - at);
  }
  out['scroll 1,400 px a frame, mean frame'] = frames.reduce((a, b) => a + b) / frames.length;
  await new Promise(done => setTimeout(done, 500));
  const loaded = entry => entry.name.includes('/thumb/') && entry.encodedBodySize > 0;
  out['downloads in a fling'] = performance.getEntriesByType('resource').filter(loaded).length;
  await board.steps.send('step/undo'); await frame();
  out['open all columns'] = await painted(() => {
    for (const pile of board.piles.values()) pile.open = true;
    board.keyed();
    board.draw();
  });
  out['elements of the board'] = board.shadowRoot.querySelectorAll('*').length;
  return out;
}"""
