"""Journeys through Prompts, Robustness and Captions of the Measure tab in Chromium."""

import os
import re

import pytest

from tests.browser import MARKS, reload
from tests.fakes import photo
from tests.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = MARKS

SLOW = 120_000


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A home whose library has six labelled pictures."""
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("bench")
    with Library(folder / "home", clipcore.load()) as library:
        for index in range(6):
            colour = ("red", "green")[index % 2]
            photo(folder / "photos" / f"{colour} {index}.png", colour, (64 + index, 48))
        library.add(folder / "photos")
        for image in library.images():
            library.label(image.id, image.name.split()[0])
    with served(folder) as address:
        yield address


def section(open_page, name, **how):
    page = open_page(**how)
    page.get_by_role("tab", name="Measure").click()
    page.locator("#measure-tabs").get_by_role("tab", name=name).click()
    return page


def look(page, name):
    if folder := os.environ.get("SAYSO_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_prompts_are_tried_and_kept_over_a_reload(open_page):
    page = section(open_page, "Prompts")
    expect(page.locator("#prompts-result")).to_contain_text("Which words suit your images?")
    page.get_by_label("Your own templates").fill("no place for the name")
    page.locator("#prompts-go").click()
    expect(page.get_by_text("write {label} where the class name goes")).to_be_visible(timeout=SLOW)
    page.get_by_label("Your own templates").fill("a wall of {label}")
    page.locator("#prompts-go").click()
    table = page.locator("#prompts-result table")
    expect(table).to_contain_text("your own", timeout=SLOW)
    expect(table.locator("tbody tr")).to_have_count(11)
    look(page, "prompts")
    reload(page)
    page.get_by_role("tab", name="Measure").click()
    page.locator("#measure-tabs").get_by_role("tab", name="Prompts").click()
    expect(table).to_contain_text("your own", timeout=SLOW)


def test_robustness_on_a_phone(open_page):
    page = section(open_page, "Robustness")
    page.set_viewport_size({"width": 390, "height": 844})  # where the tab itself has moved into a menu
    page.locator("#robustness-go").click()
    expect(page.locator("#robustness-result tbody tr")).to_have_count(11, timeout=SLOW)
    expect(page.locator("#robustness-result")).to_contain_text(re.compile("weakest against"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # the table scrolls, the page does not
    look(page, "robustness-390")


def test_which_caption_fits(open_page, tmp_path):
    page = section(open_page, "Captions", color_scheme="dark")
    page.locator("#captions-go").click()
    expect(page.get_by_text("Choose at least one picture and write")).to_be_visible(timeout=SLOW)
    page.locator("#captions-files input[type=file]").set_input_files(photo(tmp_path / "one.png", "red"))
    expect(page.locator("#captions-files")).to_contain_text("one", timeout=SLOW)
    page.locator("#captions-typed textarea").fill("the colour red\na dog in the snow")
    page.locator("#captions-go").click()
    expect(page.locator("#captions-result tbody tr")).to_have_count(1, timeout=SLOW)
    expect(page.locator("#captions-result strong")).to_have_count(1)
    look(page, "captions-dark")
