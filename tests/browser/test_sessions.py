"""Journeys of sessions in Chromium: a reload in the middle of everything, a restart, another browser, and two windows."""

import re

import pytest

from tests.support.browser import MARKS, SETTINGS, board, classify, drop, keep_picture, looks, open_drawer, reload, say_names
from tests.support.fakes import photo
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS
SHADES = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 60, 220)}


def switcher(page):
    return page.locator("sayso-sessions")


def opener(page):
    return switcher(page).get_by_role("button", name="Session", exact=False).first


def kept(page, names=None):
    """Wait until what is typed, with these class names, is in the library."""
    settled = "({ session, isFilling, isOwing, sending }) => session && !isFilling && !isOwing && !sending"
    said = "({ kept }) => names === null || JSON.parse(kept).names === names"
    both = f"(names) => [{settled}, {said}].every((holds) => holds(document.querySelector('sayso-sessions').keeper))"
    page.wait_for_function(both, arg=names)


def pictures(folder):
    return [photo(folder / f"{name}.png", shade, (40, 36)) for name, shade in SHADES.items()]


def sort(page, files, names):
    say_names(page, names)
    drop(page, files)
    expect(board(page).get_by_role("heading", name=re.compile(f"{len(files)} images in"))).to_be_visible(timeout=90_000)


def same(page, name):
    """The page is where `test_reload...` has left it."""
    expect(page.get_by_role("tab", name="Library")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("Search by words")).to_have_value("a red square")
    page.get_by_role("tab", name="Classify").click()
    expect(opener(page)).to_contain_text(name)
    expect(page.get_by_label("Class names")).to_have_value("red, green, blue, yellow")
    expect(board(page).get_by_role("heading", name=re.compile("3 images in"))).to_be_visible()
    expect(page.get_by_label("How sure must it be?")).to_have_value("0.8")
    expect(page.locator("#stale")).to_contain_text("The board still shows the old names.")
    expect(page.get_by_role("combobox", name="Images", exact=True)).to_have_value("The 3 chosen images")
    page.get_by_role("tab", name="Library").click()
    page.wait_for_function("document.querySelector('sayso-sessions').view?.includes('library')")
    there = "async (id) => (await (await fetch(`/api/sessions/${id}`)).json()).state.view.tab === 'library'"
    page.wait_for_function(there, arg=page.url.split("session=")[1])


def test_reload_restart_and_another_browser_find_the_same(browser, tmp_path):
    with served(tmp_path) as url:
        page = browser.new_context(**SETTINGS).new_page()
        page.goto(url)
        expect(opener(page)).to_contain_text("New session", timeout=60_000)
        sort(page, pictures(tmp_path / "photos"), "red, green, blue")
        page.get_by_label("How sure must it be?").fill("0.8")
        expect(board(page).get_by_text("It must be 80 % sure")).to_be_visible()
        opener(page).click()
        switcher(page).get_by_label("Name of this session").fill("Squares")
        switcher(page).get_by_role("button", name="Rename").click()
        page.get_by_role("tab", name="Library").click()
        search = page.get_by_label("Search by words")
        search.fill("a red square")
        search.press("Enter")
        expect(page.locator("sayso-grid").locator(".headline h2")).to_be_visible()
        page.wait_for_function("document.querySelector('sayso-sessions').view?.includes('a red square')")
        page.get_by_role("tab", name="Classify").click()
        say_names(page, "red, green, blue, yellow")  # typed, and not used
        page.get_by_role("tab", name="Library").click()
        page.wait_for_function("document.querySelector('sayso-sessions').view?.includes('library')")
        kept(page, "red, green, blue, yellow")
        there = "async (id) => { const { view } = (await (await fetch(`/api/sessions/${id}`)).json()).state;"
        there += " return view.tab === 'library' && view.search.q === 'a red square'; }"
        page.wait_for_function(there, arg=page.url.split("session=")[1])
        reload(page)
        same(page, "Squares")
        address = page.url
    with served(tmp_path) as url:  # at another port: nothing of the browser's own is there
        assert not address.startswith(url)
        other = browser.new_context(**SETTINGS).new_page()
        other.goto(url)
        same(other, "Squares")
        other.context.close()
    page.context.close()


def test_two_windows_are_asked_which_to_keep(open_page):
    one = open_page()
    expect(opener(one)).to_contain_text("New session")
    say_names(one, "red")
    kept(one, "red")
    two = open_page("?" + one.url.split("?")[1], viewport=SETTINGS["viewport"])
    expect(two.get_by_label("Class names")).to_have_value("red")
    two.evaluate("document.querySelector('sayso-sessions').keeper.poll = async () => {}")  # it hears of nothing
    say_names(one, "red, green")
    kept(one, "red, green")
    say_names(two, "red, blue")
    expect(switcher(two)).to_contain_text("This session was changed in another window")
    expect(two.get_by_label("Class names")).to_have_value("red, blue")  # nothing is lost
    expect(one.get_by_label("Class names")).to_have_value("red, green")
    switcher(two).get_by_role("button", name="Keep this one").click()
    expect(one.get_by_label("Class names")).to_have_value("red, blue")  # and is followed there
    expect(switcher(one)).to_contain_text("Changed in another window")
    say_names(one, "red, violet")
    kept(one, "red, violet")
    say_names(two, "red, pink")
    switcher(two).get_by_role("button", name="Show the other").click()
    expect(two.get_by_label("Class names")).to_have_value("red, violet")


def test_the_list_makes_copies_deletes_and_has_back(page, tmp_path):
    expect(opener(page)).to_contain_text("New session")
    sort(page, pictures(tmp_path / "photos"), "red, green, blue")
    first = opener(page).inner_text()
    opener(page).click()
    switcher(page).get_by_role("button", name="Duplicate").click()
    expect(opener(page)).to_contain_text("copy")
    expect(board(page).get_by_role("heading", name=re.compile("3 images in"))).to_be_visible()
    opener(page).click()
    switcher(page).get_by_role("button", name="New session", exact=True).click()
    expect(page.get_by_label("Class names")).to_have_value("")
    expect(board(page).get_by_text("Nothing sorted yet")).to_be_visible()
    expect(page.locator("#classify-progress")).not_to_contain_text("Sorted in")  # it spoke of another board
    opener(page).click()
    switcher(page).get_by_role("button", name=re.compile("copy")).click()
    expect(page.get_by_label("Class names")).to_have_value("red, green, blue")
    opener(page).click()
    switcher(page).get_by_role("button", name="Delete").click()
    expect(switcher(page).get_by_role("status")).to_contain_text("is deleted; its labels stay")
    switcher(page).get_by_role("button", name="Undo").click()
    expect(opener(page)).to_contain_text("copy")
    expect(page.get_by_label("Class names")).to_have_value("red, green, blue")
    assert "copy" not in first
    opener(page).click()
    expect(switcher(page).get_by_role("list", name="Other sessions")).to_be_visible()
    for look in looks(page):
        keep_picture(page, f"sessions-{look}")


def test_old_names_are_marked_and_not_saved(page, tmp_path):
    sort(page, pictures(tmp_path / "photos"), "red, green, blue")
    say_names(page, "red, green, violet")
    mark = page.locator("#stale")
    expect(mark).to_contain_text("The board still shows the old names. Choose Classify to sort again.")
    keep_picture(page, "sessions-old-names")
    open_drawer(page)
    page.get_by_label("Save this classifier as").fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("still shows the old names").last).to_be_visible()
    page.get_by_role("link", name="CSV").click()
    expect(board(page).get_by_text("still shows the old names")).to_be_visible()
    classify(page)
    expect(board(page).get_by_role("region", name="violet", exact=True)).to_be_visible()
    expect(mark).to_be_empty()
