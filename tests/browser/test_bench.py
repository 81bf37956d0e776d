"""Journeys through Prompts, Robustness and Captions of the Measure tab in Chromium."""

import re

import pytest

from tests.support.browser import MARKS, keep_picture, reload, reveal, set_up
from tests.support.fakes import photo
from tests.support.server import served

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
    reveal(page.get_by_role("tab", name="Measure"))
    reveal(page.locator("#measure-tabs").get_by_role("tab", name=name))
    return page


def report(page):
    return page.locator("sayso-report").locator("visible=true")


def test_prompts_are_tried_and_kept_over_a_reload(open_page):
    page = section(open_page, "Prompts")
    expect(report(page)).to_contain_text("Which words suit your images?")
    page.get_by_label("Your own templates").fill("no place for the name")
    page.locator("#prompts-go").click()
    expect(page.get_by_text("write {label} where the class name goes")).to_be_visible(timeout=SLOW)
    page.get_by_label("Your own templates").fill("a wall of {label}")
    page.locator("#prompts-go").click()
    table = report(page).get_by_role("region", name="Prompt sets", exact=True)
    expect(table).to_contain_text("your own", timeout=SLOW)
    expect(table.locator("tbody tr")).to_have_count(11)
    head, row = table.locator("thead tr"), table.locator("tbody tr").first
    assert head.bounding_box()["x"] == row.bounding_box()["x"]  # one table, heads over their columns
    assert head.bounding_box()["width"] == row.bounding_box()["width"]
    expect(report(page).locator(".plots svg")).to_have_count(1)
    keep_picture(page, "prompts")
    reload(page)
    reveal(page.get_by_role("tab", name="Measure"))
    reveal(page.locator("#measure-tabs").get_by_role("tab", name="Prompts"))
    page.locator("#prompts-results input").click()
    page.get_by_role("option", name=re.compile("prompts on my labels")).first.click()
    expect(table).to_contain_text("your own", timeout=SLOW)


def test_labels_that_hang_on_the_wording_lead_to_their_images(open_page):
    page = section(open_page, "Prompts")
    said = [
        f"{label}: {words} {other}"
        for label, other in (("red", "green"), ("green", "red"))
        for words in ("all", "pure", "so")
    ]
    page.get_by_label("Descriptions of single classes").fill("\n".join(said))  # they say the opposite of the names
    page.locator("#prompts-go").click()
    expect(report(page)).to_contain_text("change their label with the wording", timeout=SLOW)
    report(page).get_by_role("button", name="Show the images whose label changes").click()
    cards = report(page).locator(".pictures .card")
    expect(cards.first).to_be_visible(timeout=SLOW)
    cards.first.click()
    expect(report(page).get_by_role("dialog")).to_contain_text("by the wording")
    page.keyboard.press("Escape")


def test_robustness_on_a_phone(open_page):
    page = section(open_page, "Robustness")
    page.set_viewport_size({"width": 390, "height": 844})  # where the tab itself has moved into a menu
    set_up(page)
    page.locator("#robustness-go").click()
    rows = report(page).get_by_role("region", name="Robustness").locator("tbody tr")
    expect(rows).to_have_count(12, timeout=SLOW)  # eleven kinds, and how often a word is believed
    expect(report(page)).to_contain_text(re.compile("weakest against"))
    expect(report(page).locator(".plots svg")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # the table scrolls, the page does not
    keep_picture(page, "robustness-390")


def test_a_second_set_of_another_kind(open_page, tmp_path):
    for folder in ("photos", "sketches"):
        for index in range(4):
            for label in ("red", "green"):
                photo(tmp_path / folder / label / f"{index}.png", label, (40 + index, 30))
    page = section(open_page, "Robustness", color_scheme="dark")
    page.get_by_label("A set on this computer").locator("visible=true").check()
    page.locator("#robustness-path textarea, #robustness-path input").first.fill(str(tmp_path / "photos"))
    page.get_by_label("A second set of another kind").check()
    page.locator("#shift-path textarea, #shift-path input").first.fill(str(tmp_path / "sketches"))
    page.locator("#robustness-go").click()
    expect(report(page)).to_contain_text("of the first set and on", timeout=SLOW)
    expect(report(page).locator(".plots svg")).to_have_count(1)
    keep_picture(page, "shift-dark")


def test_which_caption_fits(open_page, tmp_path):
    page = section(open_page, "Captions", color_scheme="dark")
    page.locator("#captions-go").click()
    expect(page.get_by_text("Choose at least one picture and write")).to_be_visible(timeout=SLOW)
    page.locator("#captions-files input[type=file]").set_input_files(photo(tmp_path / "one.png", "red"))
    expect(page.locator("#captions-files")).to_contain_text("one", timeout=SLOW)
    page.locator("#captions-typed textarea").fill("the colour red\na dog in the snow")
    page.locator("#captions-go").click()
    rows = report(page).get_by_role("region", name="Captions by picture").locator("tbody tr")
    expect(rows).to_have_count(1, timeout=SLOW)
    expect(rows.locator("b")).to_have_count(1)
    keep_picture(page, "captions-dark")


def test_recall_on_a_captioned_table(open_page, tmp_path):
    for colour in ("red", "green"):
        photo(tmp_path / f"{colour}.png", colour)
    (tmp_path / "said.csv").write_text("image,caption\nred.png,a red wall\ngreen.png,a green wall")
    page = section(open_page, "Captions")
    page.get_by_label("A captioned set: recall").check()
    page.locator("#captions-path textarea, #captions-path input").first.fill(str(tmp_path / "said.csv"))
    page.locator("#captions-go").click()
    expect(report(page).get_by_role("region", name="Recall")).to_contain_text("words to picture", timeout=SLOW)
