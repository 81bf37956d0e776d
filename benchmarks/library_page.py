"""The Library tab at 100,000 images in Chromium: first picture, scrolling, search, select all, the next page.

    python -m benchmarks.library_page [--images 100000] [--json]

Rows, vectors and thumbnails are generated (`filled.py`); the page, the server, the starter and the search are real.
Each time is from the key press to the frame in which the answer is drawn, the median of several. Searches without a pause
compete with the thumbnails of the answer before.
"""

import json
import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image as Picture
from sqlalchemy import update

from clipcore import load
from storage.pictures.lookup import sealed
from storage.tables import SpaceRow
from tests.support.browser import ARGS, CHROMIUM
from tests.support.server import served

from .filled import Law, filled, hash_of

THUMBNAILS = 400  # different ones; files are hard links to them
TYPING = 1000  # milliseconds, in which what is in sight has been drawn
QUERIES = ("a dog on a beach", "a red car", "people at a table", "a mountain", "an old building", "food on a plate", "a cat")

# What has been drawn: the heading says so, and the first thumbnail in sight is complete.
DRAWN = """async (heading) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (const end = performance.now() + 60000; performance.now() < end; await frame()) {
    const root = document.querySelector("sayso-grid")?.shadowRoot;
    if (!root) continue; // not there yet
    const picture = root.querySelector(".card img");
    const said = root.querySelector(".headline h2, .nothing h2, .empty h2")?.textContent ?? "";
    if (said.includes(heading) && (root.querySelector(".empty") || (picture?.complete && picture.naturalWidth > 1))) return;
  }
  throw new Error(`not drawn: ${heading}; the page says: ${document.querySelector("sayso-grid").shadowRoot.textContent}`);
}"""
SEARCH = """async ([words, drawn]) => {
  const root = document.querySelector("sayso-grid").shadowRoot;
  root.querySelector("input[type=search]").value = words;
  const start = performance.now();
  root.querySelector("form.search").requestSubmit();
  await eval(drawn)(`“${words}”`);
  return performance.now() - start;
}"""
CALL = """async ([key, shift, drawn]) => {
  const list = document.querySelector("sayso-grid").shadowRoot.querySelector(".window");
  const start = performance.now();
  list.dispatchEvent(new KeyboardEvent("keydown", {key, ctrlKey: key === "a", shiftKey: shift, bubbles: true}));
  await eval(drawn)();
  return performance.now() - start;
}"""
SELECTED = """async () => {
  const root = document.querySelector("sayso-grid").shadowRoot;
  while (root.querySelector(".acts").hidden) await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
SETTLED = """async () => {
  const root = document.querySelector("sayso-grid").shadowRoot;
  const list = root.querySelector(".window");
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  await frame();
  await frame();
  const seen = (node) => node.getBoundingClientRect().bottom > list.getBoundingClientRect().top;
  const ready = () => {
    const pictures = [...root.querySelectorAll(".card")].filter(seen).map((node) => node.firstChild);
    return pictures.length && pictures.slice(0, 24).every((picture) => picture.complete && picture.naturalWidth > 1);
  };
  for (const end = performance.now() + 60000; !ready() && performance.now() < end; ) await frame();
}"""
SORT = """async ([order, settled]) => {
  const root = document.querySelector("sayso-grid").shadowRoot;
  const first = () => root.querySelector("#card-0")?.getAttribute("aria-label");
  const [field, before, start] = [root.querySelector("#by-sort"), first(), performance.now()];
  field.value = order;
  field.dispatchEvent(new Event("change"));
  while (first() === before) await new Promise((done) => requestAnimationFrame(done));
  await eval(settled)();
  return performance.now() - start;
}"""
SCROLL = """async () => {
  const list = document.querySelector("sayso-grid").shadowRoot.querySelector(".window");
  const times = [];
  let last = performance.now();
  for (let n = 0; n < 120; n++) {
    list.scrollTop += 60;
    await new Promise((done) => requestAnimationFrame(done));
    times.push(performance.now() - last);
    last = performance.now();
  }
  return times;
}"""
COUNTS = """() => {
  const root = document.querySelector("sayso-grid").shadowRoot;
  return [root.querySelectorAll("*").length, performance.memory.usedJSHeapSize];
}"""


def made(home: Path, images: int) -> None:
    """A library of so many rows, in the starter's space, with thumbnails."""
    space = load("starter").space
    database = filled(home, Law(images, space.dim), space.key)
    with database.writing() as connection:
        connection.execute(update(SpaceRow).values(name=space.name))
    database.close()
    random = np.random.default_rng(0)
    small = home / "small"
    small.mkdir()
    for number in range(THUMBNAILS):
        blurred = Picture.fromarray(random.integers(0, 255, (6, 8, 3), np.uint8)).resize(
            (256, 192), Picture.Resampling.BICUBIC
        )
        data = BytesIO()
        blurred.save(data, "WEBP", quality=75)
        (small / str(number)).write_bytes(sealed(data.getvalue()))
    thumbs = home / "thumbs" / "256"
    for number in range(images):
        content = hash_of(number)
        file = thumbs / content[:2] / f"{content}.webp"
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(small / str(number % THUMBNAILS), file)
    shutil.rmtree(small)


def measured(url: str, images: int, rounds: int) -> list[dict[str, Any]]:
    """Every time in milliseconds, by what was done."""
    from playwright.sync_api import expect, sync_playwright

    rows: list[dict[str, Any]] = []

    def row(case: str, times: list[float], unit: str = "ms") -> None:
        rows.append({"case": case, "median": statistics.median(times), "worst": max(times), "unit": unit, "n": len(times)})

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        heading = f"{images:,} images"
        first = []
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
            page = context.new_page()
            page.goto(url)
            tab = page.get_by_role("tab", name="Library")
            expect(tab).to_be_visible(timeout=60_000)
            tab.evaluate("tab => { window.began = performance.now(); tab.click(); }")
            expect(page.locator("sayso-grid")).to_be_attached(timeout=60_000)
            page.evaluate(DRAWN, heading)
            first.append(page.evaluate("performance.now() - window.began"))
            if len(first) < rounds:
                context.close()
        row("tab opened to first picture", first)
        search: Callable[[str], float] = lambda words: page.evaluate(SEARCH, [words, DRAWN])  # noqa: E731

        def typed(words: str) -> float:
            """Searches once the pictures in sight are there, as whoever types does."""
            page.evaluate(SETTLED)
            page.wait_for_timeout(TYPING)
            return search(words)

        expect(page.locator("#status")).not_to_contain_text("loading", timeout=180_000)
        search("warm up")
        row("words to rendered page, words never seen", [typed(words) for words in QUERIES])
        row("words to rendered page, words known", [typed(words) for words in QUERIES])
        row("the same without a pause, words never seen", [search(f"{words} outside") for words in QUERIES])
        page.get_by_label("Search by words").fill("")
        page.get_by_label("Search by words").press("Enter")
        page.evaluate(DRAWN, heading)
        press: Callable[..., float] = lambda key, shift=False, until=SETTLED: page.evaluate(CALL, [key, shift, until])  # noqa: E731
        pages = [press("PageDown") for _ in range(3 * rounds)]
        row("next page (PageDown)", pages)
        ends = [press(key) for _ in range(rounds) for key in ("End", "Home")]
        row("to the last image and back", ends)
        row("select all", [press("a", until=SELECTED) for _ in range(rounds)])
        frames = page.evaluate(SCROLL)
        row("a frame while scrolling", frames)
        press("Home")
        press("Escape", until="async () => {}")
        press(" ", until=SELECTED)
        row("shift+End: a range of all", [press("End", True, SETTLED)])
        page.get_by_role("button", name="Filter and sort").click()
        for order in ("newest", ""):
            row(f"sort, {order or 'as added'}", [page.evaluate(SORT, [order, SETTLED])])
        nodes, heap = page.evaluate(COUNTS)
        row("elements in the grid", [nodes], "")
        row("JavaScript heap", [heap / 1e6], "MB")
        browser.close()
    return rows


def main(
    images: Annotated[int, typer.Option(help="Rows of the library.")] = 100_000,
    rounds: Annotated[int, typer.Option(help="How often each is done.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Make the library, serve it, and measure the page."""
    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder) / "home", images)
        with served(Path(folder)) as url:
            rows = measured(url, images, rounds)
    if as_json:
        print(json.dumps({"name": "library_page", "images": images, "rows": rows}))
        return
    print(f"{images:,} images, Chromium, {os.cpu_count()} cores")
    for row in rows:
        print(f"  {row['case']:44} {row['median']:9.1f} {row['unit']:2}  worst {row['worst']:8.1f}  n={row['n']}")


if __name__ == "__main__":
    typer.run(main)
