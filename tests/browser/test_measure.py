"""Journeys through the Measure tab in Chromium: from labels to figures, from figures to images, and to files."""

import re

import pytest

from tests.support.browser import MARKS, keep_picture, looks, reload, reveal
from tests.support.fakes import photo
from tests.support.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = MARKS

COLOURS = {"red": "red", "green": "green", "blue": "blue"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A home whose library has 30 labelled pictures, and a test set in class folders."""
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("measure")
    with Library(folder / "home", clipcore.load()) as library:
        for index in range(30):
            colour = list(COLOURS)[index % 3]
            photo(folder / "photos" / f"{colour} {index}.png", COLOURS[colour], (64 + index, 48))
            photo(folder / "test" / colour / f"{index}.png", COLOURS[colour], (70, 40 + index))
        library.add(folder / "photos")
        for image in library.images():
            library.label(image.id, image.name.split()[0] if image.name != "red 0.png" else "blue")
    return folder


@pytest.fixture(scope="module")
def url(pictures):
    with served(pictures) as address:
        yield address


@pytest.fixture
def page(open_page):
    page = open_page()
    reveal(page.get_by_role("tab", name="Measure"))
    expect(page.locator("#measure-go")).to_be_visible()
    return page


def report(page):
    return page.locator("sayso-report").locator("visible=true")


def measure(page):
    page.locator("#measure-go").click()
    expect(report(page).get_by_role("heading", name=re.compile("^zero-shot with seven prompts on"))).to_be_visible(
        timeout=60_000
    )


def choose_set(page, path):
    page.get_by_label("A set on this computer").check()
    page.get_by_label("Folder, table or shard").fill(str(path))


def test_labels_are_measured_and_a_cell_shows_its_images(page, tmp_path):
    expect(report(page)).to_contain_text("Nothing measured yet")
    measure(page)
    shown = report(page)
    expect(shown).to_contain_text("zero-shot with seven prompts on my labels")
    expect(shown).to_contain_text("30 images of 3 classes")
    expect(shown.locator(".plots svg")).to_have_count(2)
    numbers = [int(text) for text in shown.locator(".matrix td button").all_inner_texts()]
    assert sum(numbers) == 30
    cell = shown.locator(".matrix td button").first
    count = int(cell.inner_text())
    cell.click()
    cards = shown.locator(".pictures .card")
    expect(cards).to_have_count(count)
    expect(cards.first.locator("img")).to_have_js_property("complete", True)
    assert cards.first.locator("img").evaluate("image => image.naturalWidth") > 20
    cards.first.click()
    expect(shown.get_by_role("dialog")).to_contain_text("called")
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        shown.get_by_role("link", name="HTML report").click()
    download.value.save_as(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Confusion matrix" in text
    assert text.count("<svg") == 2
    reload(page)  # results are kept
    reveal(page.get_by_role("tab", name="Measure"))
    page.get_by_label("Results").first.click()
    page.get_by_role("option", name=re.compile("zero-shot with seven prompts on my labels")).first.click()
    expect(report(page).locator(".matrix")).to_be_visible()


def test_the_html_report_needs_nothing_else(browser, page, tmp_path):
    measure(page)
    with page.expect_download() as download:
        report(page).get_by_role("link", name="HTML report").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    context, asked = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark"), []
    alone = context.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    expect(alone.get_by_role("heading", name="Confusion matrix")).to_be_visible()
    assert asked == [file.as_uri()]
    assert alone.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    context.close()


def test_a_folder_is_measured_and_compared(page, pictures):
    choose_set(page, pictures / "test")
    measure(page)
    expect(report(page)).to_contain_text("on test")
    report(page).locator(".matrix td button").first.click()  # its pictures are shown, though they are not the library's
    image = report(page).locator(".pictures .card img").first
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 20
    report(page).locator(".pictures .card").first.click()
    large = report(page).get_by_role("dialog").locator("img")
    expect(large).to_have_js_property("complete", True)
    assert large.evaluate("image => image.naturalWidth") > 20
    page.keyboard.press("Escape")
    page.get_by_label("Prompt pack").first.click()
    page.get_by_role("option", name=re.compile("^bare")).click()
    page.locator("#measure-go").click()
    expect(report(page).get_by_role("heading", name="zero-shot with bare names on test")).to_be_visible(timeout=60_000)
    reveal(page.get_by_role("tab", name="Compare"))
    for place, words in (("First", "zero-shot with seven prompts on test"), ("Second", "zero-shot with bare names on test")):
        page.get_by_label(place, exact=True).click()
        page.get_by_role("option", name=re.compile(words)).first.click()
    page.locator("#compare-go").click()
    expect(report(page)).to_contain_text(re.compile("on these 30 images"), timeout=20_000)
    expect(report(page).locator(".plots svg")).to_have_count(2)


def test_deleting_a_result_can_be_undone(page, pictures):
    choose_set(page, pictures / "test")
    measure(page)
    page.get_by_role("button", name="Delete", exact=True).locator("visible=true").click()
    expect(report(page)).to_contain_text("Nothing measured yet")
    page.get_by_role("button", name="Undo delete").locator("visible=true").click()
    expect(report(page).get_by_role("heading", name="zero-shot with seven prompts on test")).to_be_visible()


def test_many_classes_are_found_by_name(page, pictures):
    """Fifty classes are too many for a matrix; their cells open all the same."""
    folder = pictures / "many"
    for index in range(50):
        photo(folder / f"colour {index:02}" / "x.png", (5 * index, 255 - 5 * index, 90), (40 + index, 40))
    choose_set(page, folder)
    page.locator("#measure-go").click()
    expect(report(page).locator(".pairs button").first).to_be_visible(timeout=60_000)
    report(page).locator(".pairs button").first.click()
    expect(report(page).locator(".pictures .card img").first).to_be_visible()
    truth, guess = report(page).locator(".pairs button span").first.inner_text().split(" → ")
    report(page).get_by_label("What the images are").select_option(truth)
    report(page).get_by_label("What they were called").select_option(guess)
    report(page).get_by_role("button", name="Show these").click()
    expect(report(page).locator(".pictures h3")).to_contain_text(f"{truth}, called {guess}")


def test_mistakes_are_said(page):
    choose_set(page, "/no/such/folder")
    page.locator("#measure-go").click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("does not exist")


def test_models_side_by_side(page, pictures):
    reveal(page.get_by_role("tab", name="Models").locator("visible=true").last)
    page.get_by_label("Images with labels").fill(str(pictures / "test"))
    page.locator("#measure-models-go").click()
    expect(report(page).get_by_role("rowheader", name="starter")).to_be_visible(timeout=60_000)
    expect(report(page).locator(".plots svg")).to_have_count(1)


def test_nothing_is_wider_than_the_screen(open_page):
    page = open_page("?__theme=light")
    reveal(page.get_by_role("tab", name="Measure"))
    measure(page)
    expect(report(page).locator(".plots svg")).to_have_count(2)
    report(page).locator(".matrix td button").last.click()
    expect(report(page).locator(".pictures .card").first).to_be_visible()
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
        assert page.evaluate("document.querySelector('main').getBoundingClientRect().right <= innerWidth + 1"), look
        keep_picture(page, f"Measure-{look}")
