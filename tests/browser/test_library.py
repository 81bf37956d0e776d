"""Journeys in the Library tab in Chromium: select, label, albums, the large view, and a second window."""

import re
from pathlib import Path

import pytest

from tests.support.browser import MARKS, board, classify, keep_picture, looks, reload, reveal, say_names
from tests.support.fakes import photo

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS


SALTS: dict = {}  # of each folder


def pictures_in(folder, count):
    """So many pictures, no two alike, also between tests."""
    salt = SALTS.setdefault(folder, len(SALTS))
    for n in range(count):
        photo(folder / f"{n:03}.png", (n % 200 + salt // 2, 255 - n % 200, salt * 3), (40 + n % 7, 36 + salt % 5))
    return folder


def grid(page):
    return page.locator("sayso-grid")


def card(page, n):
    """The nth image, from 0."""
    return grid(page).locator(f"#card-{n}")


def check(page, n):
    card(page, n).locator(".check").click()


def chosen(page):
    return grid(page).locator(".card[aria-selected=true]")


def count(page):
    return grid(page).get_by_role("toolbar").get_by_role("status")


def status(page):
    return grid(page).locator("p.said")


def add(page, folder, images, new=None):
    """Add a folder of so many images, all new unless said, in the Library tab; the grid then shows it."""
    reveal(page.get_by_role("tab", name="Library"))
    page.get_by_label("Folder on this computer").fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    # of this import: what stands there of the one before, in a window that has just opened, tells nothing
    expect(page.get_by_text(re.compile(rf"\b{new or images} new images, "))).to_be_visible(timeout=180_000)
    expect(grid(page).get_by_role("heading", name=f"{images} images", exact=True)).to_be_visible(timeout=20_000)


def label(page, name):
    field = grid(page).get_by_label("Label for the selected images")
    field.fill(name)
    field.press("Enter")


def test_images_are_selected_by_check_mark_shift_and_keys(page, tmp_path):
    add(page, pictures_in(tmp_path / "many", 150), 150)
    check(page, 1)
    card(page, 3).click(modifiers=["Control"])
    expect(count(page)).to_have_text("2 selected")
    card(page, 9).click(modifiers=["Shift"])
    expect(count(page)).to_have_text("8 selected")
    card(page, 5).click(modifiers=["Shift"])  # the range follows, and does not only grow
    expect(count(page)).to_have_text("4 selected")
    grid(page).get_by_role("listbox").focus()
    page.keyboard.press("Escape")
    expect(chosen(page)).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(count(page)).to_have_text("3 selected")
    page.keyboard.press("Shift+End")  # over a page that was never fetched
    expect(count(page)).to_have_text("150 selected")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    expect(count(page)).to_have_text("150 selected")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(count(page)).to_have_text("149 selected")
    expect(card(page, 0)).to_have_attribute("aria-selected", "false")
    expect(card(page, 1)).to_have_attribute("aria-selected", "true")


def test_a_folder_that_has_come_in_takes_nobody_from_work(page, tmp_path):
    """Its first answer is late; who selects meanwhile keeps selection and place, and the range goes on from there."""
    add(page, pictures_in(tmp_path / "here", 6), 6)
    here = f"/api/images?folder={page.get_by_label('In', exact=True).input_value()}&"
    held = []

    def is_of_new(url):
        return "/api/images?folder=" in url and here not in url

    page.route(is_of_new, lambda route: held.append(route))
    pictures_in(tmp_path / "there", 3)
    page.get_by_label("Folder on this computer").fill(str(tmp_path / "there"))
    with page.expect_request(lambda request: is_of_new(request.url), timeout=180_000):
        page.get_by_role("button", name="Add folder").click()
    check(page, 1)
    expect(count(page)).to_have_text("1 selected")
    with page.expect_response(lambda response: here in response.url) as again:
        held[0].continue_()
    again.value.finished()
    expect(page.get_by_label("In", exact=True).locator("option", has_text="there (3)")).to_have_count(1)
    expect(count(page)).to_have_text("1 selected")
    card(page, 3).click(modifiers=["Shift"])
    expect(count(page)).to_have_text("3 selected")
    expect(grid(page).get_by_role("heading", name="6 images", exact=True)).to_be_visible()


def test_a_frame_selects_what_it_meets(page, tmp_path):
    add(page, pictures_in(tmp_path / "frame", 40), 40)
    first, third = card(page, 0).bounding_box(), card(page, 2).bounding_box()
    page.mouse.move(first["x"] + 20, first["y"] + 60)
    page.mouse.down()
    page.mouse.move(third["x"] + 20, third["y"] + 80, steps=5)
    expect(grid(page).locator(".band")).to_be_visible()
    page.mouse.up()
    expect(count(page)).to_have_text("3 selected")
    expect(grid(page).locator("dialog[open]")).to_have_count(0)  # the click at its end opened nothing
    assert chosen(page).evaluate_all("cards => cards.map(card => card.id)") == ["card-0", "card-1", "card-2"]


def test_all_results_are_labelled_and_the_label_is_taken_back(page, tmp_path):
    add(page, pictures_in(tmp_path / "all", 130), 130)
    check(page, 0)
    grid(page).get_by_role("button", name="Select all 130").click()
    check(page, 2)
    expect(count(page)).to_have_text("129 selected")
    label(page, "holiday 7")
    expect(status(page)).to_contain_text("Labelled holiday 7: 129 images.")
    page.get_by_role("button", name="Filter", exact=True).click()
    filters = page.get_by_label("Label", exact=True)
    filters.select_option("holiday 7")
    expect(grid(page).get_by_role("heading", name="129 images")).to_be_visible()
    filters.select_option("")
    expect(grid(page).get_by_role("heading", name="130 images")).to_be_visible()
    check(page, 4)
    label(page, "other 7")
    expect(status(page)).to_contain_text("Labelled other 7: 1 image.")
    for _ in range(2):
        grid(page).get_by_role("listbox").focus()
        page.keyboard.press("Control+z")
        expect(status(page)).to_contain_text("Taken back")
        status(page).evaluate("said => said.replaceChildren()")
    expect(filters.locator("option", has_text="holiday 7")).to_have_count(0)


def test_selected_images_go_to_the_board(page, tmp_path):
    add(page, pictures_in(tmp_path / "board", 12), 12)
    say_later = ("red", "green")
    check(page, 0)
    card(page, 4).click(modifiers=["Shift"])
    grid(page).get_by_role("button", name="Classify these").click()
    expect(page.get_by_label("Class names")).to_be_visible()
    expect(page.get_by_role("combobox", name="Images", exact=True)).to_have_value("The 5 chosen images")
    say_names(page, ", ".join(say_later))
    classify(page)
    expect(board(page).get_by_role("heading", name=re.compile("5 images in"))).to_be_visible(timeout=60_000)


def test_more_like_several(page, tmp_path):
    add(page, pictures_in(tmp_path / "alike", 12), 12)
    check(page, 0)
    check(page, 1)
    grid(page).get_by_role("button", name="Find similar").click()
    expect(page.get_by_text("Searching with 2 selected images")).to_be_visible()
    expect(count(page)).to_have_text("2 selected")
    expect(chosen(page)).to_have_count(2)  # both are at the top: they are closest to their own mean
    page.get_by_role("button", name="Remove", exact=True).locator("visible=true").click()
    expect(grid(page).get_by_role("heading", name="12 images")).to_be_visible()


def test_an_album_keeps_up_with_new_photos(page, tmp_path):
    folder = pictures_in(tmp_path / "growing", 5)
    add(page, folder, 5)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("File name contains").fill("00")
    page.get_by_label("File name contains").press("Enter")
    page.get_by_role("button", name="Save this search").click()
    page.get_by_label("Name", exact=True).fill("Early ones")
    page.get_by_role("button", name="Save as album").click()
    expect(status(page)).to_contain_text("Album “Early ones” saved")
    pictures_in(folder, 9)
    add(page, folder, 9, new=4)
    reload(page)
    reveal(page.get_by_role("tab", name="Library"))
    album = page.get_by_role("button", name="Early ones", exact=True)
    album.click()
    expect(grid(page).get_by_role("heading", name="Early ones: 9 images")).to_be_visible()
    expect(grid(page)).to_contain_text("in growing, named “00”")
    grid(page).get_by_role("button", name="Delete this album").click()
    expect(status(page)).to_contain_text("Album “Early ones” deleted")
    expect(album).to_have_count(0)
    grid(page).get_by_role("button", name="Undo").click()
    expect(grid(page).get_by_role("heading", name="Early ones: 9 images")).to_be_visible()
    grid(page).get_by_role("button", name="Delete this album").click()
    expect(album).to_have_count(0)


def test_the_large_view_keeps_place_and_selection(page, tmp_path):
    add(page, pictures_in(tmp_path / "large", 140), 140)
    check(page, 1)
    grid(page).get_by_role("listbox").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    view = grid(page).get_by_role("dialog", name="Picture")
    expect(view).to_contain_text("140 of 140")
    expect(view.locator(".facts dd").last).to_have_text(str(tmp_path / "large" / "139.png"))
    page.keyboard.press("ArrowRight")  # there is none
    page.keyboard.press("ArrowLeft")
    expect(view).to_contain_text("139 of 140")
    page.keyboard.press(" ")
    expect(view.get_by_role("button", name="Selected")).to_be_visible()
    view.get_by_label("Label for this image").fill("<b>odd</b>")
    view.get_by_role("button", name="Label", exact=True).click()
    expect(view.locator(".label")).to_contain_text("<b>odd</b>")
    with page.expect_download() as download:
        view.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == (tmp_path / "large" / "138.png").read_bytes()
    view.get_by_role("button", name="Take the label <b>odd</b> away").click()
    expect(view.locator(".label")).to_have_count(0)
    view.get_by_role("button", name="Close").click()
    expect(card(page, 138)).to_be_in_viewport()
    expect(card(page, 138)).to_have_class(re.compile("current"))
    expect(count(page)).to_have_text("2 selected")


def test_an_import_is_seen_while_it_runs_also_in_another_window(page, open_page, tmp_path):
    folder = pictures_in(tmp_path / "watched", 3)
    add(page, folder, 3)
    check(page, 1)
    thumbnail = card(page, 1).locator("img").element_handle()
    for n in range(120):  # longer than it takes to load a page
        photo(folder / f"slow {n}.png", (n, 90, 200 - n), (40, 30))
    other = open_page()
    reveal(other.get_by_role("tab", name="Library"))
    expect(grid(other)).to_be_visible()
    page.get_by_role("button", name="Add folder").click()
    expect(other.locator("#library-progress progress")).to_be_visible(timeout=20_000)
    expect(other.get_by_role("button", name="Stop")).to_be_visible()
    expect(grid(page).locator(".headline h2")).not_to_have_text("3 images", timeout=120_000)  # it grows
    expect(page.get_by_role("button", name="Stop")).to_be_visible()  # and not only at the end
    assert thumbnail.evaluate("image => image.isConnected")  # nothing was drawn anew, so nothing flickers
    reload(other)
    reveal(other.get_by_role("tab", name="Library"))
    for window in (page, other):
        expect(window.get_by_text(re.compile("120 new images"))).to_be_visible(timeout=120_000)
        expect(window.get_by_role("button", name="Stop")).to_be_hidden()
        expect(window.get_by_label("In", exact=True).locator("option", has_text="watched (123)")).to_have_count(1)
    expect(grid(page).locator(".headline h2")).to_have_text("123 images")
    expect(chosen(page)).to_have_attribute("id", "card-1")
    reveal(page.get_by_role("tab", name="Classify"))
    page.get_by_role("combobox", name="Images", exact=True).click()
    expect(page.get_by_role("option", name="watched (123)")).to_be_visible()


def test_the_bar_of_a_selection_fits(open_page, tmp_path):
    page = open_page("?__theme=light")
    add(page, pictures_in(tmp_path / "bar", 20), 20)
    check(page, 0)
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(count(page)).to_have_text("1 selected")
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
        box = grid(page).get_by_role("toolbar").bounding_box()
        assert box["x"] >= 0, look
        assert box["x"] + box["width"] <= page.viewport_size["width"], look
        keep_picture(page, f"selection-{look}")
