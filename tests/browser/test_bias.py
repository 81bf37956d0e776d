"""Journeys through the Bias tab in Chromium: groups, label sets, another class and what it moves, the report."""

import csv
import json
import re
from pathlib import Path

import pytest

from tests.support.browser import MARKS, keep_picture, looks, reload, reveal
from tests.support.fakes import photo
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = MARKS

COLOURS = ("red", "green", "blue")
HOSTILE = "<img src=x onerror=window.PWN=1>"


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Ninety pictures of one colour each, no faces, with a table of made-up groups."""
    folder = tmp_path_factory.mktemp("bias") / "faces"
    rows = []
    for index in range(90):
        colour = COLOURS[index % 3] if index < 60 else "blue"
        name = f"{colour} {index}.png" if index else f"{HOSTILE}.png"
        photo(folder / name, colour, (48 + index, 40))
        rows.append((name, 5 + index % 60, "circle" if index < 45 else "square" if index < 80 else HOSTILE))
    with (folder.parent / "groups.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "age", "shape"), *rows])
    return folder


@pytest.fixture(scope="module")
def url(faces):
    with served(faces.parent) as address:
        yield address


@pytest.fixture
def page(open_page):
    return bias_tab(open_page())


def bias_tab(page):
    reveal(page.get_by_role("tab", name="Bias"))
    expect(page.locator("#bias-go")).to_be_visible()
    return page


def bench(page):
    return page.locator("#bias")


def load(page, faces):
    page.get_by_label("Folder on this computer").last.fill(str(faces))
    page.locator("#bias-table input[type=file]").set_input_files(faces.parent / "groups.csv")
    expect(page.locator("#bias-table")).to_contain_text("groups")
    page.locator("#bias-go").click()
    expect(bench(page).get_by_role("heading", name="What to measure")).to_be_visible(timeout=90_000)


def measure(page, *sets, by="shape"):
    """Group by a column and type label sets; each change is measured by itself."""
    bench(page).get_by_role("checkbox", name=by).check()
    for index, (name, labels) in enumerate(sets):
        if index:
            bench(page).get_by_role("button", name="Add a label set").click()
        row = bench(page).get_by_role("group", name="label set", exact=True).nth(index)
        row.get_by_label("Classes of the label set").fill(labels)
        row.get_by_label("Name of the label set").fill(name)
        row.get_by_label("Name of the label set").press("Tab")
    bench(page).get_by_role("button", name="Measure", exact=True).click()
    expect(bench(page).get_by_text("Measured and kept.")).to_be_visible(timeout=30_000)


def test_groups_two_label_sets_and_another_class(page, faces, tmp_path):
    expect(bench(page)).to_contain_text("No groups yet")
    load(page, faces)
    expect(bench(page)).to_contain_text("90 images")
    measure(page, ("people", "red, green"), ("people + harm", "red, green, criminal"))
    bench(page).get_by_role("button", name="Add a category").click()
    bench(page).get_by_label("Name of the category").fill("crime")
    bench(page).get_by_label("Classes of the category").fill("criminal")
    bench(page).get_by_label("Classes of the category").press("Tab")
    expect(bench(page).get_by_role("heading", name="crime, by label set")).to_be_visible()
    expect(bench(page)).to_contain_text("These names sort people by crime")
    shares = bench(page).get_by_role("region", name="people + harm")
    expect(shares.locator("thead th")).to_have_text([re.compile("too few"), "circle45", "square35"])
    counts = [int(re.search(r": (\d+) of", name)[1]) for name in titles(shares.locator("tr.class"))]
    assert sum(counts) == 90  # every image has one class

    cell = shares.locator("tr.class button").first
    count = int(re.search(r": (\d+) of", cell.get_attribute("aria-label"))[1])
    cell.click()
    pictures = bench(page).get_by_role("region", name="Images of a cell")
    cards = pictures.locator(".card")
    expect(cards).to_have_count(min(24, count))
    assert "blur" in cards.first.locator("img").evaluate("image => getComputedStyle(image).filter")
    pictures.get_by_role("button", name="Show the images").click()
    assert cards.first.locator("img").evaluate("image => getComputedStyle(image).filter") == "none"
    cards.first.click()
    expect(bench(page).get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    what_if = bench(page).get_by_role("region", name="What if")
    what_if.get_by_label("Label set").select_option("people")
    what_if.get_by_label("Add classes").fill("sky")
    expect(what_if.locator(".moved")).to_contain_text(re.compile(r"\d+ of 90 images moves?\."))
    moved = int(re.match(r"\d+", what_if.locator(".moved").inner_text())[0])
    assert moved >= 50  # the fifty blue ones, which are neither; the starter sees skies in them
    expect(what_if.locator(".list")).to_contain_text("→ sky")
    expect(what_if.locator(".card")).to_have_count(min(24, moved))
    what_if.get_by_role("button", name="Show more").click()
    expect(what_if.locator(".card")).to_have_count(min(48, moved))
    what_if.get_by_role("button", name="Keep as a label set").click()
    kept = bench(page).get_by_role("region", name="people + sky")
    expect(kept).to_be_visible()
    counts = [int(re.search(r": (\d+) of", name)[1]) for name in titles(kept.locator("tr.class").nth(2))]
    assert sum(counts) == moved

    with page.expect_download() as download:
        bench(page).get_by_role("link", name="HTML report").click()
    download.value.save_as(tmp_path / "bias.html")
    text = (tmp_path / "bias.html").read_text(encoding="utf-8")
    assert "people + sky" in text
    assert "What this cannot show" in text
    assert HOSTILE not in text
    with page.expect_download() as download:
        bench(page).get_by_role("link", name="JSON").click()
    figures = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert [table["label_set"] for table in figures["tables"]] == ["people", "people + harm", "people + sky"]
    assert page.evaluate("window.PWN") is None

    reload(page)  # what was measured is kept
    bias_tab(page)
    page.get_by_label("Results").locator("visible=true").click()
    page.get_by_role("option", name=re.compile("^faces")).first.click()
    expect(bench(page).get_by_role("region", name="people + sky")).to_be_visible()


def titles(rows):
    return [name for name in rows.locator("td > *").evaluate_all("nodes => nodes.map(node => node.title)") if name]


def test_thresholds_distractors_and_bins(page, faces):
    load(page, faces)
    box = bench(page).get_by_label("Bins of age begin at")
    assert box.input_value() == "0, 3, 10, 20, 30, 40, 50, 60"
    box.fill("0, 18")
    measure(page, ("people", "red, green, child"), by="age")
    expect(bench(page).get_by_role("region", name="people").locator("thead th")).to_have_text(
        [re.compile("0-17"), re.compile("18 and over")]
    )
    sweep = bench(page).get_by_role("region", name="Thresholds")
    expect(sweep.locator("svg")).to_be_visible()
    slider = sweep.get_by_role("slider", name="Threshold")
    slider.focus()
    for _ in range(40):
        slider.press("ArrowLeft")
    expect(sweep.locator("output")).to_have_text("0.1 %")
    low = sweep.locator("td").all_inner_texts()
    for _ in range(40):
        slider.press("ArrowRight")
    expect(sweep.locator("output")).to_have_text("99 %")
    assert low != sweep.locator("td").all_inner_texts()
    stress = bench(page).get_by_role("region", name="Distractors")
    stress.get_by_label("Captions, one a line").fill("a red thing\na blue thing")
    stress.get_by_role("button", name="Try the captions").click()
    expect(stress.get_by_role("rowheader").first).to_have_text("a red thing")
    expect(stress.get_by_role("rowheader", name="any of them").first).to_be_visible()


def test_a_removed_set_comes_back(page, faces):
    load(page, faces)
    measure(page, ("one", "red, green"), ("two", "red, blue"))
    bench(page).get_by_role("group", name="label set", exact=True).first.get_by_role("button", name="Remove").click()
    expect(bench(page).get_by_role("region", name="one")).to_have_count(0)
    bench(page).get_by_role("button", name="Undo").click()
    expect(bench(page).get_by_role("region", name="one")).to_be_visible()
    assert bench(page).get_by_label("Name of the label set").first.input_value() == "one"


def test_mistakes_are_said_and_nothing_is_lost(page, faces):
    page.locator("#bias-go").click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("Type the folder")
    load(page, faces)
    measure(page, ("people", "red, green"))
    row = bench(page).get_by_role("group", name="label set", exact=True).first
    row.get_by_label("Classes of the label set").fill("red")
    row.get_by_label("Classes of the label set").press("Tab")
    expect(bench(page).get_by_role("status").get_by_text("people needs two classes or more")).to_be_visible()
    expect(bench(page).get_by_role("region", name="people")).to_be_visible()  # the last figures stay


def test_nothing_is_wider_than_the_screen(open_page, faces):
    page = bias_tab(open_page("?__theme=light"))
    load(page, faces)
    measure(page, ("people", "red, green"), ("people + harm", "red, green, criminal"))
    what_if = bench(page).get_by_role("region", name="What if")
    what_if.get_by_label("Add classes").fill("sky")
    expect(what_if.locator(".card").first).to_be_visible()
    bench(page).get_by_role("region", name="people + harm").locator("td button").first.click()
    expect(bench(page).get_by_role("region", name="Images of a cell").locator(".card").first).to_be_visible()
    expect(bench(page).locator(".plot svg")).to_be_visible()
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
        assert page.evaluate("document.querySelector('main').getBoundingClientRect().right <= innerWidth + 1"), look
        keep_picture(page, f"Bias-{look}")
