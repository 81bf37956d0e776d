"""The frame of the page in Chromium: pictures take the window, nothing scrolls but them, and on a phone all is in reach."""

import re

import pytest

from tests.support.browser import MARKS, board, expect_in_place, keep_picture, open_drawer, reload, reveal, say_names, set_up
from tests.support.fakes import photo
from tests.support.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = MARKS

WINDOW = {"width": 1280, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SHADES = {
    "red": (220, 30, 30),
    "green": (30, 200, 30),
    "blue": (30, 60, 220),
    "white": (230, 230, 230),
    "black": (20, 20, 20),
}
# share of the window that elements take, in %, and where the first picture in them begins
MEASURE = """([host, part]) => {
  const root = document.querySelector(host).shadowRoot;
  const within = (low, high, end) => Math.max(0, Math.min(high, end) - Math.max(low, 0));
  const share = [...root.querySelectorAll(part)].map((node) => node.getBoundingClientRect())
    .reduce((sum, box) => sum + within(box.left, box.right, innerWidth) * within(box.top, box.bottom, innerHeight), 0);
  const boxes = [...root.querySelectorAll(".tile, .card")].map((node) => node.getBoundingClientRect());
  return [(100 * share) / (innerWidth * innerHeight), Math.min(...boxes.filter(({ width }) => width).map(({ top }) => top))];
}"""
# what a finger has to hit and is smaller than 40 pixels
SMALL = """() => {
  const inBoard = document.querySelector("sayso-board").shadowRoot.querySelectorAll("button, select, .tile");
  return [...document.querySelectorAll("#masthead button, #tabs > .tab-wrapper [role=tab]"), ...inBoard]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }))
    .filter((node) => Math.min(node.getBoundingClientRect().width, node.getBoundingClientRect().height) < 39.5)
    .map((node) => node.outerHTML.slice(0, 120));
}"""
COLUMNS, GRID = ["sayso-board", ".pile:not(.folded)"], ["sayso-grid", ".window"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A home with 150 pictures of five colours."""
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("frame")
    with Library(folder / "home", clipcore.load()) as library:
        for index in range(30):
            for name, shade in SHADES.items():
                photo(folder / "photos" / f"{name} {index}.png", tuple(min(255, c + index) for c in shade), (40 + index, 36))
        library.add(folder / "photos")
    with served(folder) as address:
        yield address


def sorted_board(page, names):
    say_names(page, names)
    page.locator("#go").click()
    expect(board(page).get_by_role("heading", name=re.compile("150 images in"))).to_be_attached(timeout=90_000)
    expect(board(page).locator(".tile").first).to_be_visible()


def piles(page):
    return board(page).locator(".pile:not(.folded)")


def stays(page):
    """Whether the page itself cannot be scrolled, whatever is in it."""
    return page.evaluate("""() => {
      scrollTo(0, 500);
      const { scrollHeight, scrollWidth } = document.documentElement;
      return scrollY === 0 && scrollX === 0 && scrollHeight <= innerHeight && scrollWidth <= innerWidth;
    }""")


def wait_until(page, script, argument=None):
    page.wait_for_function(script, arg=argument, timeout=10_000)


def test_the_pictures_take_the_window(open_page):
    page = open_page("?__theme=light")
    page.set_viewport_size(WINDOW)
    sorted_board(page, "red, green, blue, white, black, giraffe, submarine")
    share, first = page.evaluate(MEASURE, COLUMNS)
    print(f"Classify, 1280 x 800: columns {share:.1f} % of the window, first picture at y = {first:.0f}")
    assert share >= 62
    assert first < 130
    assert stays(page)
    keep_picture(page, "frame-classify")
    board(page).get_by_label("Picture size").fill("160")  # larger, and remembered
    wait_until(page, "() => document.querySelector('sayso-board').size === 160")
    large = board(page).locator(".tile").first.bounding_box()["width"]
    assert large >= 160
    board(page).locator(".tile").first.click()
    page.keyboard.press("p")  # the panel goes
    expect(page.locator("#labels")).to_be_hidden()
    wide, _ = page.evaluate(MEASURE, COLUMNS)
    assert wide >= share + 15
    reload(page)
    expect(page.get_by_role("tab", name="Classify")).to_be_visible(timeout=60_000)
    expect(page.locator("#labels")).to_be_hidden()
    page.get_by_role("button", name="Panel", exact=True).click()
    expect(page.locator("#labels")).to_be_visible()

    reveal(page.get_by_role("tab", name="Library"))
    expect(page.locator("sayso-grid .card").first).to_be_visible()
    share, first = page.evaluate(MEASURE, GRID)
    print(f"Library, 1280 x 800: grid {share:.1f} % of the window, first picture at y = {first:.0f}")
    assert share >= 72
    assert first < 130
    assert stays(page)
    page.locator("sayso-grid").get_by_label("Picture size").fill("80")
    wait_until(page, "() => document.querySelector('sayso-grid').tiles.cell < 95")
    for tab in ("Measure", "Bias", "Models"):
        reveal(page.get_by_role("tab", name=tab, exact=True).first)
        assert stays(page), tab


def test_sixteen_classes_are_in_reach_and_empty_ones_are_slim(open_page):
    page = open_page("?__theme=light")
    page.set_viewport_size(WINDOW)
    others = ["giraffe", "submarine", "bridge", "spoon", "piano", "owl"]
    sorted_board(page, ", ".join([*SHADES, *(f"{name} wall" for name in SHADES), *others]))
    strip = board(page).locator(".strip")
    assert strip.evaluate("strip => strip.scrollWidth") < 2 * WINDOW["width"]
    for folded in board(page).locator(".pile.folded").all():
        assert folded.bounding_box()["width"] <= 140
    full, unsure = piles(page), board(page).get_by_role("region", name="Unsure", exact=True)
    strip.evaluate("strip => strip.scrollTo(9999, 0)")
    expect(full.last).to_be_in_viewport()
    if "pinned" in unsure.get_attribute("class"):
        assert unsure.bounding_box()["x"] < 320  # still there
    empty = board(page).locator(".pile.folded").first
    name = empty.get_attribute("aria-label")
    full.last.locator(".tile").first.drag_to(empty)  # still a place to drop on, and then a column
    expect(board(page).locator(".told")).to_contain_text(f"moved to {name}")
    expect(board(page).get_by_role("region", name=name, exact=True).locator(".tile")).to_have_count(1)


def test_a_labelled_tile_stays_in_its_row(open_page):
    page = open_page()
    page.set_viewport_size(WINDOW)
    sorted_board(page, "red, green, blue")
    list_ = max(piles(page).all(), key=lambda pile: int(pile.locator(".count").inner_text())).locator(".list")
    list_.locator(".tile").first.click()
    page.keyboard.press("u" if "Unsure" in list_.get_attribute("aria-label") else "1")
    expect(board(page).locator(".tile.said").first).to_be_visible()
    tops = board(page).evaluate(
        """board => [...board.shadowRoot.querySelectorAll('.pile:not(.folded) .rows')].flatMap((rows) => {
          const [first, second] = [...rows.children].map((tile) => tile.getBoundingClientRect().top);
          return getComputedStyle(rows).getPropertyValue('--across') > 1 && second !== undefined ? [first - second] : [];
        })"""
    )
    assert tops
    assert set(tops) == {0}


def test_on_a_phone_one_column_is_in_sight_and_all_is_in_reach(open_page):
    page = open_page("?__theme=light", **PHONE)
    sorted_board(page, "red, green, blue, giraffe")
    share, first = page.evaluate(MEASURE, COLUMNS)
    print(f"Classify, 390 x 844: columns {share:.1f} % of the window, first picture at y = {first:.0f}")
    assert share >= 62
    assert first < 150
    assert stays(page)
    tabs = board(page).get_by_role("group", name="Columns").get_by_role("button")
    counts = [int(tab.locator(".count").inner_text()) for tab in tabs.all()]
    assert counts[0] > 0
    assert counts.index(0) >= sum(map(bool, counts)) if 0 in counts else True  # the empty ones last
    expect(tabs.first).to_have_attribute("aria-pressed", "true")
    board(page).locator(".strip").evaluate("strip => strip.scrollTo(strip.clientWidth, 0)")  # a swipe
    expect(tabs.nth(1)).to_have_attribute("aria-pressed", "true")
    tabs.first.tap()
    expect(tabs.first).to_have_attribute("aria-pressed", "true")
    small = page.evaluate(SMALL)
    assert small == []
    assert not board(page).locator("kbd").first.is_visible()  # no keys to be hinted at
    keep_picture(page, "frame-phone")
    set_up(page)  # what is set up is a sheet from below
    expect_in_place(page.get_by_label("Class names"))
    expect(page.get_by_label("How sure must it be?")).to_be_attached()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Class names")).to_be_hidden()
    reveal(page.get_by_role("tab", name="Library"))
    expect(page.locator("sayso-grid .card").first).to_be_visible()
    share, _ = page.evaluate(MEASURE, GRID)
    print(f"Library, 390 x 844: grid {share:.1f} % of the window")
    assert share >= 72
    assert stays(page)
    reveal(page.get_by_role("tab", name="Measure"))
    choose = page.get_by_role("button", name="Choose what to measure").locator("visible=true")
    choose.tap()  # an empty tab leads to where one chooses
    expect_in_place(page.get_by_label("Classifier", exact=True).first)


def test_a_click_in_the_first_moment_of_a_load_is_not_lost(open_page):
    """The samples are asked for as soon as the button is there, while the page is still being loaded."""
    page = open_page()
    page.get_by_role("button", name="Try the sample photos").click()
    expect(board(page).get_by_role("heading", name=re.compile("60 images in"))).to_be_visible(timeout=90_000)


def test_what_is_saved_slides_over_the_pictures_and_goes(open_page):
    page = open_page()
    open_drawer(page)
    expect(page.get_by_label("Save this classifier as")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Save this classifier as")).to_be_hidden()
    expect(page.get_by_role("button", name="Open a saved classifier")).to_be_focused()
    page.keyboard.press("?")  # wherever one is
    keys = board(page).get_by_role("dialog", name="Keys and mouse")
    keys.get_by_label("Single letters").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
