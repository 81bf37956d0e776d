"""Journeys through the page in Chromium; each fails on a script or console error and on ANY request to another host."""

import csv
import json
import os
import re
import shutil
import threading

import pytest

from tests.support.browser import MARKS, board, classify, drop, keep_picture, looks, open_drawer, reload, reveal, say_names
from tests.support.fakes import photo

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS
HOSTILE = "<img src=x onerror=window.PWN=1>"  # as a file name; in a class name, = sets synonyms apart
TAG = "<b>bold</b>"


@pytest.fixture
def pictures(tmp_path):
    """Three good files with awkward names, and two that are no pictures."""
    good = [
        photo(tmp_path / name, colour, (90, 70))
        for name, colour in (("rot.png", "red"), ("grün 🌿.jpg", "green"), (f"{HOSTILE}.webp", "blue"))
    ]
    text, cut = tmp_path / "text.jpg", tmp_path / "cut.jpg"
    text.write_text("this is no picture")
    cut.write_bytes(photo(tmp_path / "whole.jpg", "red", (400, 300)).read_bytes()[:900])
    return [*good, text, cut]


def test_the_first_minute(page):
    """A newcomer presses one button and sees sorted photos, then looks at one."""
    expect(board(page).get_by_text("Nothing sorted yet")).to_be_visible()
    page.get_by_role("button", name="Try the sample photos").click()
    expect(board(page).get_by_role("heading", name=re.compile(r"60 images in \d of 7 classes"))).to_be_visible(
        timeout=90_000
    )
    assert "people" in page.get_by_label("Class names").input_value()
    first = board(page).locator(".tile").first
    expect(first.locator("img")).to_have_js_property("complete", True)
    assert first.locator("img").evaluate("image => image.naturalWidth") > 50
    first.dblclick()
    dialog = board(page).get_by_role("dialog", name="Picture")
    expect(dialog.locator(".bars li")).to_have_count(5)
    expect(dialog).to_contain_text("Likely right")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.evaluate("location.hash = 'samples'")  # where `quickstart` leads: nobody has to press anything
    reload(page)
    expect(board(page).get_by_role("heading", name=re.compile("60 images in"))).to_be_visible(timeout=60_000)
    assert page.evaluate("location.hash") == ""


def test_the_tour_sees_what_was_done_and_comes_back_only_when_asked(page):
    tour, take = page.locator("sayso-tour"), page.get_by_role("button", name="Take the tour")
    take.click()
    expect(tour).to_contain_text("1 of 7")
    keep_picture(page, "tour-1")
    page.get_by_role("button", name="Try the sample photos").click()
    expect(tour).to_contain_text("Names decide", timeout=60_000)
    more = page.get_by_label("Add classes")
    more.press_sequentially("moon")
    more.press("Enter")
    expect(tour).to_contain_text("correct three images")
    board(page).locator(".tile").first.click()
    page.keyboard.press("n")
    expect(tour).to_contain_text("1 of 3")
    for look in looks(page):
        keep_picture(page, f"tour-{look}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    for _ in range(2):
        tour.get_by_role("button", name="Next").click()
    page.get_by_role("tab", name="Library").click()
    search = page.get_by_label("Search by words")
    search.fill("a rocket before the launch")
    search.press("Enter")
    expect(tour).to_contain_text("Open it.")
    with page.expect_response(lambda answer: '"tab":"bias"' in (answer.request.post_data or "").replace(" ", "")):
        page.get_by_role("tab", name="Bias").click()  # and the session keeps where someone is
    expect(tour).to_contain_text("That is all")
    tour.get_by_role("button", name="Done").click()
    expect(tour).to_have_count(0)
    reload(page)
    expect(page.get_by_role("tab", name="Bias")).to_have_attribute("aria-selected", "true")  # where it was left
    reveal(page.get_by_role("tab", name="Classify"))
    expect(board(page)).to_be_visible()
    expect(tour).to_have_count(0)
    expect(take).to_have_count(0)  # it was asked for once
    page.keyboard.press("?")
    board(page).get_by_role("button", name="Take the tour").click()
    expect(tour).to_contain_text("of 7")
    tour.get_by_role("button", name="Leave the tour").click()
    expect(tour).to_have_count(0)


def test_dropped_files_are_sorted_and_bad_ones_named(page, pictures):
    say_names(page, f"red, green = lime | grass, blue, {TAG}")
    drop(page, pictures)
    expect(board(page).get_by_role("heading", name=re.compile("3 images in"))).to_be_visible(timeout=60_000)
    skipped = board(page).locator(".skipped")
    expect(skipped).to_contain_text("2 files skipped")
    expect(skipped).to_contain_text("text.jpg This is not a picture")
    expect(skipped).to_contain_text("cut.jpg")
    expect(board(page).get_by_role("option", name=re.compile("grün 🌿.jpg"))).to_be_visible()
    assert page.evaluate("window.PWN") is None
    expect(board(page)).to_contain_text(TAG)  # as plain text, as a column or among the classes without images


def test_mistakes_are_said_and_nothing_is_lost(page):
    for names, sentence in (("", "no class names"), ("cat, Cat", "occurs twice"), ("x" * 10_000, "10000 characters")):
        say_names(page, names)
        classify(page)
        toast = page.get_by_test_id("toast-body").last
        expect(toast).to_contain_text(sentence)
        expect(page.get_by_label("Class names")).to_have_value(names)
        page.get_by_test_id("toast-close").last.click()
        expect(page.get_by_test_id("toast-body")).to_have_count(0)
    say_names(page, "cat, dog")
    reveal(page.get_by_role("button", name=re.compile("^Prompts")))
    expect(page.get_by_text("Reads as")).to_be_visible()
    page.get_by_label("Templates").fill("a photo of {label.__class__}")
    expect(page.get_by_text("has no {label}")).to_be_visible()
    classify(page)
    expect(page.get_by_test_id("toast-body").last).to_contain_text("has no {label}")


def test_prompts_show_what_the_model_reads(page):
    say_names(page, "cat = kitten, dog")
    reveal(page.get_by_role("button", name=re.compile("^Prompts")))
    expect(page.get_by_text("Reads as")).to_be_visible()
    page.get_by_label("Templates").fill("a sketch of a {label}.\nmy {label}.")
    expect(page.get_by_text("Reads as: a sketch of a cat. / my cat. and 2 more")).to_be_visible()
    expect(page.get_by_label("Prompt pack", exact=True)).to_have_value("my own")


def test_nothing_is_seen_without_its_style(page, url):
    other, held, free = page.context.new_page(), [], threading.Event()
    other.route("**/elements/**/*.css", lambda route: route.continue_() if free.is_set() else held.append(route))
    other.goto(url, wait_until="commit")
    empty = board(other).get_by_text("Nothing sorted yet")
    expect(empty).to_be_attached(timeout=60_000)
    expect(empty).to_be_hidden()  # its icon has no size yet and would fill the page
    free.set()
    for route in held:
        route.continue_()
    expect(empty).to_be_visible()
    assert board(other).locator(".empty svg").bounding_box()["width"] < 100


def test_save_reload_and_use_again(page, open_page, pictures):
    say_names(page, "red, green, blue")
    drop(page, pictures[:3])
    expect(board(page).get_by_role("heading", name=re.compile("3 images in"))).to_be_visible(timeout=60_000)
    open_drawer(page)
    page.get_by_label("Save this classifier as").fill("colours")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("Saved as colours")
    again = open_page()
    open_drawer(again)
    again.get_by_label("Saved classifiers").click()
    again.get_by_role("option", name=re.compile("colours")).click()
    again.get_by_role("button", name="Use on these images").click()
    expect(board(again).get_by_role("heading", name=re.compile("images in"))).to_be_visible(timeout=60_000)
    expect(again.get_by_label("Class names")).to_have_value("red, green, blue")


def test_downloads(page, pictures, tmp_path):
    say_names(page, "red, green, -1+1")
    drop(page, pictures[:3])
    expect(board(page).get_by_role("heading", name=re.compile("3 images in"))).to_be_visible(timeout=60_000)

    open_drawer(page)

    def fetched(name):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        download.value.save_as(tmp_path / name)
        return tmp_path / name

    rows = list(csv.DictReader(fetched("CSV").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 3
    for row in rows:
        assert {row["classifier label"], row["runner-up"]} <= {"red", "green", "'-1+1"}
        assert float(row["share"]) - float(row["runner-up share"]) == pytest.approx(float(row["margin"]), abs=2e-6)
    assert all(cell[:1] not in "=+-@" for row in rows for cell in row.values() if cell)
    data = json.loads(fetched("JSON").read_text(encoding="utf-8"))
    assert data["labels"] == ["red", "green", "-1+1"]
    assert len(data["images"]) == 3
    from clipcore import Classifier

    assert Classifier.load(fetched("Classifier file")).labels == ("red", "green", "-1+1")


def test_library_add_search_and_more_like_this(page, tmp_path):
    folder = tmp_path / "my photos"
    for index in range(30):
        photo(folder / f"{index}.png", (8 * index, 255 - 8 * index, 90), (64 + index, 48))
    (folder / "broken.jpg").write_text("no picture")
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_text(re.compile("30 new images, 0 already known, 1 skipped"))).to_be_visible(timeout=60_000)
    grid = page.locator("sayso-grid")
    expect(grid.get_by_role("heading", name="30 images")).to_be_visible()
    page.get_by_label("Search by words").fill("a green square")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(grid.get_by_role("heading", name=re.compile("match(es)? “a green square”"))).to_be_visible()
    more = grid.get_by_role("button", name="Show the closest, too")
    if more.is_visible():  # whether something matches is up to the model
        more.click()
        expect(grid.get_by_role("heading", name="The 30 images closest to “a green square”")).to_be_visible()
    expect(grid.locator(".card").first).to_have_attribute("aria-label", re.compile("similarity"))
    labels = grid.locator(".card").evaluate_all("cards => cards.map((card) => card.ariaLabel)")
    scores = [float(re.search(r"similarity (\S+)", label)[1]) for label in labels]
    assert scores == sorted(scores, reverse=True)
    assert {*grid.locator(".card span").all_text_contents()} <= {"", "by closeness"}  # no figures that nobody can read
    grid.locator(".card").first.click()
    expect(grid.locator("dialog[open] .numbers dt")).to_have_text(["Likeness", "Beats everyday words", "Above the line"])
    grid.get_by_role("button", name="More like this").click()
    expect(grid.get_by_role("heading", name=re.compile("Most like"))).to_be_visible()
    expect(page.get_by_label("Search by words")).to_have_value("")
    page.get_by_role("button", name="Remove", exact=True).locator("visible=true").click()
    expect(grid.get_by_role("heading", name="30 images")).to_be_visible()
    # most generic words match nothing in a library of coloured squares: that is said above the closest, with other words
    nothing = grid.get_by_role("heading", name=re.compile("Nothing here clearly matches"))
    for words in ("a wedding", "a concert", "a keyboard", "people talking", "a bicycle", "a kitchen"):
        page.get_by_label("Search by words").fill(words)
        page.get_by_label("Search by words").press("Enter")
        expect(grid.get_by_role("heading", name=re.compile(f"match(es)? “{words}”"))).to_be_visible()
        if nothing.is_visible():
            break
    expect(nothing).to_be_visible()
    expect(grid.get_by_text("These are the closest all the same.")).to_be_visible()
    expect(grid.locator(".card").first).to_be_visible()
    suggested = grid.locator(".chips .chip").first
    suggestion = suggested.inner_text()
    suggested.click()
    expect(grid.get_by_role("heading", name=re.compile(f"match(es)? “{suggestion}”"))).to_be_visible()
    reveal(page.get_by_role("button", name=re.compile("^Skipped files")))
    expect(page.locator(".skipped")).to_contain_text("broken.jpg")
    page.get_by_label("In", exact=True).select_option(label="my photos (30)")
    page.get_by_role("button", name="Forget this folder").click()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("Its files are untouched")).to_be_visible()
    assert (folder / "0.png").exists()


def test_a_picture_is_pasted_and_words_are_added(page, tmp_path):
    for index, colour in enumerate(("red", "green", "blue")):
        photo(tmp_path / "paste" / f"{colour}.png", colour, (60 + index, 40))
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "paste"))
    page.get_by_role("button", name="Add folder").click()
    grid = page.locator("sayso-grid")
    expect(grid.get_by_role("heading", name="3 images")).to_be_visible(timeout=60_000)
    sent = photo(tmp_path / "sent.png", "green", (50, 50))
    page.locator("sayso-place[name=search] input[type=file]").set_input_files(str(sent))
    expect(grid.get_by_role("heading", name="Most like the picture")).to_be_visible()
    expect(grid.locator(".card").first).to_have_attribute("aria-label", re.compile("green.png"))
    page.get_by_role("button", name="Remove", exact=True).locator("visible=true").click()
    expect(grid.get_by_role("heading", name="3 images")).to_be_visible()
    paste = """data => {
      const files = new DataTransfer();
      files.items.add(new File([Uint8Array.from(data)], "pasted.png", {type: "image/png"}));
      document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: files}));
    }"""
    page.evaluate(paste, list(photo(tmp_path / "p.png", "blue", (50, 50)).read_bytes()))
    expect(grid.locator(".card").first).to_have_attribute("aria-label", re.compile("blue.png"))
    page.get_by_label("Search by words").fill("9*green - red")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(grid.get_by_role("heading", name="Closest to “9*green - red” and the picture")).to_be_visible()
    page.get_by_label("Search by words").fill("green -red")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(grid.get_by_role("alert")).to_contain_text("space on both sides")


PLACE = "year => parseFloat(year.style.top) / 100 + 0.01"  # of a year on the strip, in parts of its height


def test_filters_and_order_of_the_library(page, tmp_path):
    for index in range(130):  # more than a page
        file = photo(tmp_path / "dated" / f"{'late' if index > 4 else 'early'}{index}.png", (index, 90, 90), (40, 40))
        os.utime(file, (1_700_000_000 + index * 86_400,) * 2)
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "dated"))
    page.get_by_role("button", name="Add folder").click()
    grid = page.locator("sayso-grid")
    expect(grid.get_by_role("heading", name="130 images")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Filter", exact=True).click()
    grid.get_by_label("Sort by").select_option("Newest first")
    expect(grid.locator(".card").first).to_have_attribute("aria-label", "late129.png")
    grid.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(grid.locator("#card-129")).to_have_attribute("aria-label", "early0.png")
    strip = grid.locator(".scrubber")  # the years beside the pictures: a click leads there
    expect(strip.locator("span")).to_have_text(["2024", "2023"])
    strip.click(position={"x": 20, "y": strip.bounding_box()["height"] * strip.locator("span").last.evaluate(PLACE)})
    expect(grid.locator("#card-82")).to_be_in_viewport()  # the last day of 2023
    page.get_by_label("File name contains").fill("EARLY")
    page.get_by_label("File name contains").press("Enter")
    expect(grid.get_by_role("heading", name="5 images")).to_be_visible()
    page.get_by_label("From day").fill("2200-01-01")
    expect(grid.get_by_role("heading", name="No images here")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(grid.get_by_role("heading", name=re.compile("images"))).to_be_visible()


def test_duplicates_are_found_and_kept(page, tmp_path):
    original = photo(tmp_path / "twice" / "first.png", (12, 200, 77), (200, 43))  # no other test has this shape
    shutil.copy(original, tmp_path / "twice" / "second.png")
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "twice"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.locator("sayso-grid").get_by_role("heading", name="2 images")).to_be_visible(timeout=60_000)
    reveal(page.get_by_role("button", name=re.compile("^Duplicates")))
    page.get_by_role("button", name="Find duplicates").click()
    panel = page.locator("sayso-duplicates")
    expect(panel.get_by_role("heading", name=re.compile(r"The same picture: \d+ group"))).to_be_visible(timeout=60_000)
    more = panel.get_by_role("button", name="Show more groups").first
    while more.is_visible():  # the other tests have left groups, too
        more.click()
    group = panel.locator("section").first.get_by_role("group").filter(has_text="first.png")
    expect(group).to_contain_text("second.png")
    group.locator(".card").first.click()
    expect(panel.get_by_role("dialog")).to_contain_text("1 of 2")
    expect(panel.get_by_role("dialog")).to_contain_text(str(original))
    page.keyboard.press("Escape")
    reload(page)
    reveal(page.get_by_role("tab", name="Library"))
    reveal(page.get_by_role("button", name=re.compile("^Duplicates")))
    expect(panel.get_by_role("heading", name=re.compile(r"The same picture: \d+ group"))).to_be_visible()
    assert original.exists()


def test_a_library_folder_is_chosen_and_sorted(page, tmp_path):
    for index, colour in enumerate(("red", "red", "green", "blue", "blue")):
        photo(tmp_path / "trip" / f"{index}.jpg", colour, (60 + index, 40))
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "trip"))
    page.get_by_label("Folder on this computer").press("Enter")
    expect(page.get_by_text(re.compile("5 new images"))).to_be_visible(timeout=60_000)
    reveal(page.get_by_role("tab", name="Classify"))
    page.get_by_role("combobox", name="Images", exact=True).click()
    page.get_by_role("option", name="trip (5)").click()
    say_names(page, "red, green, blue")
    classify(page)
    expect(board(page).get_by_role("heading", name=re.compile("5 images in"))).to_be_visible(timeout=60_000)


def test_a_folder_is_uploaded(page, tmp_path):
    for index in range(3):
        photo(tmp_path / "sent" / f"{index}.jpg", "orange", (70 + index, 40))
    (tmp_path / "sent" / "notes.txt").write_text("not a picture, and nobody says it is")
    (tmp_path / "sent" / "._0.jpg").write_text("what a Mac keeps beside it")
    (tmp_path / "sent" / "clip.mp4").write_text("a video")
    reveal(page.get_by_role("tab", name="Library"))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a folder").click()
    chooser.value.set_files(str(tmp_path / "sent"))
    expect(page.get_by_text(re.compile("3 new images, 0 already known, 1 skipped, in"))).to_be_visible(timeout=60_000)
    expect(page.locator("sayso-grid").get_by_role("heading", name="3 images")).to_be_visible()


def test_a_folder_that_is_not_there(page):
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill("/no/such/folder")
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("does not exist")


def test_an_import_outlives_a_reload_and_can_be_stopped(page, tmp_path):
    for index in range(250):
        photo(tmp_path / "many" / f"slow {index}.png", (index, 20, 90), (40, 30))
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "many"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.locator("progress")).to_be_visible(timeout=20_000)
    reload(page)
    reveal(page.get_by_role("tab", name="Library"))
    stop = page.get_by_role("button", name="Stop")
    expect(stop).to_be_visible(timeout=20_000)
    stop.click()
    expect(page.get_by_text("Stopped. What was done so far is kept")).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("tab", ["Classify", "Library"])
def test_nothing_is_wider_than_the_screen(open_page, tab):
    page = open_page("?__theme=light")
    reveal(page.get_by_role("tab", name=tab))
    element = page.locator("sayso-board" if tab == "Classify" else "sayso-grid")
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
        expect(element).to_be_visible()
        assert page.evaluate("document.querySelector('main').getBoundingClientRect().right <= innerWidth + 1"), look
        keep_picture(page, f"{tab}-{look}")


def test_a_server_that_is_away_is_said_and_comes_back(page):
    page.route("**/api/pulse", lambda route: route.fulfill(status=400, json={"error": "away"}))
    expect(page.locator("sayso-status p")).to_have_text("Sayso does not answer. Is it still running?")
    page.unroute("**/api/pulse")
    expect(page.locator("#status")).to_contain_text("image")


def test_a_page_that_rests_asks_for_no_frames(open_page):
    """Gradio's own script went on asking for sixty a second; see FIRST in ui/page.py."""
    count = """window.asked = 0;
    { const real = requestAnimationFrame; window.requestAnimationFrame = (then) => (asked++, real(then)); }"""
    page = open_page(before=lambda page: page.add_init_script(count), viewport={"width": 1280, "height": 900})
    expect(page.get_by_role("button", name="Classify", exact=True)).to_be_enabled()
    asked = []
    for _ in range(20):  # until what the load began has come to its end
        before = page.evaluate("asked")
        page.wait_for_timeout(1000)
        asked.append(page.evaluate("asked") - before)
        if asked[-1] <= 2:
            break
    assert asked[-1] <= 2, asked


def test_a_bar_that_stands_still_is_looked_at_again(page):
    """An answer that came late may have stopped the timer that moves it."""
    expect(page.locator("sayso-status p")).not_to_be_empty()
    heard = """() => new Promise((done) => {
        let times = 0;
        document.querySelector("sayso-status").addEventListener("news", () => ++times === 2 && done(times));
        document.body.insertAdjacentHTML("beforeend", '<div class="progress"><progress></progress></div>');
    })"""
    assert page.evaluate(heard) == 2
