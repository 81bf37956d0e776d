"""Typing class names in Chromium: advice with names to pick, and the nearest images before anything is classified."""

import pytest

from clipcore import format_labels
from tests.clipcore.classify.test_typed import CASES
from tests.support.browser import MARKS, classify, keep_picture, say_names
from tests.support.fakes import photo
from tests.support.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = MARKS


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("names")
    with Library(folder / "home", clipcore.load()) as library:
        for index in range(8):
            colour = ("red", "green")[index % 2]
            photo(folder / "photos" / f"{colour} {index}.png", colour, (64 + index, 48))
        library.add(folder / "photos")
    with served(folder) as address:
        yield address


@pytest.mark.parametrize(
    "options", [{}, {"viewport": {"width": 390, "height": 844}, "is_mobile": True}], ids=["wide", "phone"]
)
def test_a_name_is_picked_and_the_nearest_images_come_first(open_page, options):
    page = open_page("?__theme=dark", **options)
    say_names(page, "crane, rocket")
    advice, nearest = page.locator("sayso-names"), page.locator("sayso-nearest")
    expect(advice).to_contain_text("“crane” can be", timeout=60_000)
    expect(nearest.locator("figure")).to_have_count(2, timeout=60_000)
    expect(nearest.locator("figure").first.locator("img")).to_have_count(6)
    expect(nearest.locator("img").first).to_be_visible()
    keep_picture(page, f"names-{len(options)}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    advice.get_by_role("button", name="crane (bird)").click()
    expect(page.get_by_label("Class names")).to_have_value("crane (bird), rocket")
    expect(advice).not_to_contain_text("“crane” can be", timeout=20_000)
    expect(nearest.locator("figcaption").first).to_have_text("crane (bird)")
    nearest.locator(".small").first.click()
    expect(nearest.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    say_names(page, "")
    expect(nearest.locator("figure")).to_have_count(0)


def test_names_that_judge_people_lead_to_the_bias_tab(open_page):
    page = open_page()
    say_names(page, "criminal, honest person")
    page.locator("sayso-names").get_by_role("button", name="Open the Bias tab").click(timeout=60_000)
    expect(page.locator("#bias-go")).to_be_visible()


def test_the_nearest_images_make_room_once_there_is_a_board(open_page):
    page = open_page()
    say_names(page, "red, green")
    expect(page.locator("sayso-nearest details[open]")).to_have_count(1, timeout=60_000)
    classify(page)
    expect(page.locator("sayso-board .tile").first).to_be_visible(timeout=60_000)
    expect(page.locator("sayso-nearest details[open]")).to_have_count(0)
    say_names(page, "red, green, blue")
    expect(page.locator("sayso-nearest figure")).to_have_count(3, timeout=20_000)
    expect(page.locator("sayso-nearest details[open]")).to_have_count(0)


def test_the_page_reads_and_writes_names_by_the_same_rule(open_page):
    """What clipcore.classify.typed makes of the same texts, and back."""
    page = open_page()
    script = """async ([texts, lists]) => {
        const { names, plain, typed } = await import("/elements/shared/typed.js");
        return [texts.map((text) => names(plain(text)).map(({ name }) => name)), lists.map((list) => typed(list))];
    }"""
    read, written = page.evaluate(script, [[text for text, _ in CASES], [names for _, names in CASES]])
    assert read == [names for _, names in CASES]
    assert written == [format_labels(names) for _, names in CASES]


def test_a_name_in_quotes_is_picked(open_page):
    page = open_page()
    say_names(page, '"tench, Tinca tinca", crane')
    page.locator("sayso-names").get_by_role("button", name="crane (bird)").click(timeout=60_000)
    expect(page.get_by_label("Class names")).to_have_value('"tench, Tinca tinca", crane (bird)')
