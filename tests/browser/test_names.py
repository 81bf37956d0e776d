"""Typing class names in Chromium: advice with names to pick, and the nearest images before anything is classified."""

import re

import pytest

from clipcore import format_labels, parse_labels
from tests.clipcore.classify.test_typed import CASES
from tests.support.browser import MARKS, classify, keep_picture, say_names
from tests.support.fakes import photo
from tests.support.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = MARKS

WITH_OTHERS = 'dog = puppy | dog | hound\n"tench, Tinca tinca" = carp | "a | b"\ncat'


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


def test_classes_are_rows_that_change_a_sorted_board_in_place(open_page):
    page = open_page()
    rows, text = page.locator("sayso-classes"), page.get_by_role("textbox", name="Class names", exact=True)
    say_names(page, "red, gren")
    expect(rows.get_by_role("listitem")).to_have_count(2)
    classify(page)
    columns = page.locator("sayso-board").get_by_role("region")
    expect(columns.locator(".tile").first).to_be_visible(timeout=60_000)
    page.locator("sayso-board .tile").first.click()
    page.keyboard.press("2")  # a label that is to stay
    expect(page.locator("sayso-board .told")).to_contain_text("moved to gren")
    expect(rows.locator(".count")).to_have_text([re.compile(r"^\d$")] * 2)

    def named(*names):
        expect(text).to_have_value(", ".join(names))
        for name in names:
            expect(columns.and_(page.get_by_label(name, exact=True))).to_be_attached()
        expect(page.locator("#stale")).not_to_contain_text("old names")
        expect(page.locator("sayso-board h2").first).to_contain_text("1 labelled")

    name = rows.get_by_label("Name of class 2, gren")
    name.fill("green")
    name.press("Enter")
    named("red", "green")
    more = rows.get_by_label("Add classes")
    more.press_sequentially("- bl")  # by its keys, as a person does
    expect(more).to_have_value("- bl")
    more.fill("- blue\n- red\n- white wall")
    more.press("Enter")
    expect(rows.get_by_role("status")).to_contain_text("2 classes are added. 1 was there already.")
    named("red", "green", "blue", "white wall")
    rows.get_by_label("Name of class 3, blue").press("Alt+ArrowUp")
    named("red", "blue", "green", "white wall")
    expect(rows.get_by_label("Name of class 2, blue")).to_be_focused()
    rows.locator(".grip").last.drag_to(rows.get_by_role("listitem").first)
    named("white wall", "red", "blue", "green")
    rows.get_by_role("button", name="More for white wall").click()
    rows.get_by_label("Class to merge white wall into").select_option("red")
    rows.get_by_role("button", name="Merge").click()
    expect(text).to_have_value("red = white wall, blue, green")
    rows.get_by_role("button", name="Undo").click()
    named("white wall", "red", "blue", "green")
    rows.get_by_role("button", name="More for green").click()
    rows.get_by_role("button", name="Remove").click()
    expect(text).to_have_value("white wall, red, blue")
    expect(columns.and_(page.get_by_label("green", exact=True))).to_have_count(0)
    rows.get_by_role("button", name="Undo").click()
    named("white wall", "red", "blue", "green")


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
    others = page.evaluate(
        """async (text) => {
        const { read, synonyms, write } = await import("/elements/classify/classes.js");
        return [synonyms(read(text)), write(read(text), text)];
    }""",
        WITH_OTHERS,
    )
    labels, synonyms = parse_labels(WITH_OTHERS)
    assert others == [{name: list(words) for name, words in synonyms.items()}, format_labels(labels, synonyms, "\n")]


def test_a_name_in_quotes_is_picked(open_page):
    page = open_page()
    say_names(page, '"tench, Tinca tinca", crane')
    page.locator("sayso-names").get_by_role("button", name="crane (bird)").click(timeout=60_000)
    expect(page.get_by_label("Class names")).to_have_value('"tench, Tinca tinca", crane (bird)')
