"""A journey over the map: a folder is chosen in the dialog, its images are laid out, found by keys and lasso, labelled, put
into an album; a folder is watched, and files that are dropped on another tab come in."""

import re

import pytest

from tests.support.browser import MARKS, keep_picture, looks, reload, reveal
from tests.support.fakes import photo

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS

DROP = """([name, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const node = document.querySelector("#measure-tabs");
  const how = { bubbles: true, cancelable: true, dataTransfer: files };
  for (const kind of ["dragover", "drop"]) node.dispatchEvent(new DragEvent(kind, how));
}"""
# Both painters draw the same: how many pixels each has drawn, and how many differ.
PAINTERS = """async () => {
  const { WebGL } = await import("/elements/shared/map_paint.js");
  const { Raster } = await import("/elements/shared/map_raster.js");
  const count = 300, places = Float32Array.from({ length: 2 * count }, (_, n) => Math.sin(n * n));
  const points = { count, places, x: (n) => places[2 * n], y: (n) => places[2 * n + 1] };
  const colours = Array.from({ length: 16 }, (_, n) => [n / 20, 1 - n / 20, 0.5, 1]);
  const look = { page: [1, 1, 1, 1], edge: [0, 0, 0, 1], colours };
  const bytes = (of) => Uint8Array.from({ length: count }, (_, n) => of(n));
  const [first, second] = [WebGL, Raster].map((Painter) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 300 });
    const painter = new Painter(canvas);
    painter.set(points, bytes((n) => n % 13), bytes((n) => n % 50 === 0));
    painter.draw({ x: 0.1, y: -0.2, unit: 180 }, look, 9);
    const copy = Object.assign(document.createElement("canvas"), { width: 400, height: 300 }).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    return new Uint32Array(copy.getImageData(0, 0, 400, 300).data.buffer);
  });
  const drawn = (pixels) => pixels.reduce((sum, pixel) => sum + (pixel !== 0xffffffff), 0);
  return [drawn(first), drawn(second), first.reduce((sum, pixel, n) => sum + (pixel !== second[n]), 0)];
}"""

# No script can make a folder, so this one only answers as one does.
DROP_FOLDER = """([name, bytes]) => {
  const file = { isFile: true, name, file: (done) => done(new File([new Uint8Array(bytes)], name, { type: "image/png" })) };
  const hidden = { isFile: true, name: ".hidden", file: (done) => done(new File(["x"], ".hidden")) };
  const folder = (name, ...inside) => ({
    isDirectory: true, name, createReader: () => ({ readEntries: (done) => done(inside.splice(0, 1)) }),
  });
  const entry = folder("trip", hidden, folder("day one", file), folder(".cache", hidden));
  const node = document.querySelector("#library");
  const event = new DragEvent("drop", { bubbles: true, cancelable: true });
  const items = [{ webkitGetAsEntry: () => entry }];
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], files: [], items } });
  node.dispatchEvent(event);
}"""


def test_the_map_and_the_habits_of_a_library(page, tmp_path):
    for n in range(9):
        photo(tmp_path / "shots" / "sea" / f"sea {n}.png", (10, 20 + n, 250 - n), (40 + n, 36))
        photo(tmp_path / "shots" / "fire" / f"fire {n}.png", (250 - n, 20 + n, 10), (40 + n, 36))
    (tmp_path / "shots" / "fire" / "broken.jpg").write_bytes(b"no picture")
    reveal(page.get_by_role("tab", name="Library"))

    # the dialog goes to the folder, and adds it
    page.locator("sayso-grid").get_by_role("button", name="Choose a folder").click()
    dialog = page.get_by_role("dialog", name="Choose a folder")
    dialog.get_by_role("button", name="Computer").click()
    for part in (tmp_path / "shots").parts[1:]:
        dialog.locator(".folders").get_by_role("button", name=part, exact=True).click()
    expect(dialog.locator(".path")).to_have_text(str(tmp_path / "shots"))
    expect(dialog.get_by_role("button", name="fire")).to_be_focused()
    dialog.get_by_role("button", name="Add this folder").click()
    grid = page.locator("sayso-grid")
    expect(grid.get_by_role("heading", name="18 images", exact=True)).to_be_visible(timeout=180_000)

    page.get_by_role("button", name="See which").click()
    expect(page.locator("#skipped .skipped")).to_contain_text("broken.jpg")

    # the map is laid out without being asked; keys go from one to the next
    grid.get_by_role("button", name="Map", exact=True).click()
    plane = grid.get_by_role("application", name="Map of 18 images")
    expect(plane).to_be_visible(timeout=60_000)
    expect(grid.locator("sayso-map .tiles img").first).to_be_visible()
    chosen = grid.get_by_role("toolbar", name="Selected images").get_by_role("status")
    plane.focus()
    page.keyboard.press("ArrowRight")
    expect(grid.locator("sayso-map .card b")).to_have_text(re.compile("(sea|fire) "))
    page.keyboard.press(" ")
    expect(chosen).to_have_text("1 selected")
    page.keyboard.press("v")
    expect(chosen).to_have_text("18 selected")
    page.keyboard.press("Enter")
    view = grid.locator("sayso-map").get_by_role("dialog", name="Picture")
    expect(view).to_contain_text("1 of 18")
    page.keyboard.press("Escape")
    plane.focus()
    page.keyboard.press("Escape")
    expect(grid.get_by_role("toolbar", name="Selected images")).to_be_hidden()

    webgl, raster, different = page.evaluate(PAINTERS)
    assert webgl > 10_000
    assert abs(webgl - raster) < 0.1 * webgl
    assert different < 0.2 * webgl  # at the edges of the discs

    # a group alone, a line drawn around all of it, and its label
    where = page.get_by_label("In", exact=True)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("File name contains").fill("sea")
    page.get_by_label("File name contains").press("Enter")
    expect(grid.get_by_role("button", name="shots 9")).to_be_visible()
    grid.get_by_role("button", name="Lasso").click()
    box = plane.bounding_box()
    left, top, right, low = box["x"] + 4, box["y"] + 60, box["x"] + box["width"] - 240, box["y"] + box["height"] - 60
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, low), (left, low)):
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    expect(chosen).to_have_text("9 selected")  # what does not match the search is not among them
    field = grid.get_by_label("Label for the selected images")
    field.fill("sea")
    field.press("Enter")
    expect(grid.locator("p.said")).to_contain_text("Labelled sea: 9 images.")
    grid.get_by_role("button", name="Add to album").click()
    grid.get_by_label("Album for the selected images").fill("Trip")
    grid.get_by_label("Album for the selected images").press("Enter")
    expect(grid.locator("p.said")).to_contain_text("9 images added to “Trip”.")

    # after a reload it is there as it was, and colours tell the labels
    reload(page)
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_role("button", name="Clear the filters").click()
    grid.get_by_label("Colour by").select_option("label")
    expect(grid.get_by_role("button", name="sea 9")).to_be_visible()
    expect(grid.get_by_role("button", name="no label 9")).to_be_visible()
    for look in looks(page):
        keep_picture(page, f"map-{look}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
    page.set_viewport_size({"width": 1280, "height": 900})

    # the album, in an order of one's own
    grid.get_by_role("button", name="Grid", exact=True).click()
    page.get_by_role("button", name="Trip", exact=True).click()
    expect(grid.get_by_role("heading", name="Trip: 9 images")).to_be_visible()
    expect(grid.locator("#card-8")).to_have_attribute("aria-label", re.compile("^sea"))  # the album's, not the library's
    last = grid.locator("#card-8").get_attribute("aria-label")
    grid.locator("#card-8 .check").click()
    grid.get_by_role("button", name="To the front").click()
    expect(grid.locator("#card-0")).to_have_attribute("aria-label", last)
    grid.get_by_role("button", name="Undo").click()
    expect(grid.locator("#card-8")).to_have_attribute("aria-label", last)

    # new photos by themselves, and files dropped on another tab
    where.select_option(label="shots (18)")
    page.get_by_label("Look for new photos").select_option("15")
    expect(grid.locator("p.said")).to_contain_text("New photos come in every 15 minutes.")
    reveal(page.get_by_role("tab", name="Measure"))
    dropped = photo(tmp_path / "dropped.png", "green", (50, 30))
    page.evaluate(DROP, ["dropped.png", list(dropped.read_bytes())])
    expect(page.get_by_role("tab", name="Library")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text(re.compile("1 new images, "))).to_be_visible(timeout=60_000)
    dropped = photo(tmp_path / "in a folder.png", "yellow", (52, 30))
    page.evaluate(DROP_FOLDER, ["in a folder.png", list(dropped.read_bytes())])
    expect(grid.get_by_role("heading", name="2 images", exact=True)).to_be_visible(timeout=60_000)

    # its stars, by a key in the large view, and the filter
    grid.locator("#card-1").click()
    view = grid.get_by_role("dialog", name="Picture")
    expect(view.get_by_role("group", name="Stars")).to_be_visible()
    page.keyboard.press("4")
    expect(view.get_by_role("button", name="4 of 5 stars")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Rating", exact=True).select_option("4")
    expect(grid.get_by_role("heading", name="1 image", exact=True)).to_be_visible()
