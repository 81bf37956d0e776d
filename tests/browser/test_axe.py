"""Every tab and state against all of axe-core's rules, in light, in dark and on a phone; what has the focus is seen to."""

import re

import pytest

from tests.support.browser import MARKS, board, close_drawer, expect_in_place, looks, open_drawer, reveal, say_names, set_up
from tests.support.fakes import photo
from tests.support.server import served

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = MARKS
TABS = {
    "Classify": "sayso-board",
    "Library": "sayso-grid",
    "Measure": "#measure-tabs",
    "Bias": "sayso-bias",
    "Models": "#tabs",
}
RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # what another colour or width can break; the other rules ask about the same elements once more
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "phone": {
        "type": "rule",
        "values": [
            *("target-size", "scrollable-region-focusable", "meta-viewport"),
            *("heading-order", "page-has-heading-one", "aria-valid-attr-value"),
        ],
    },
}
# what moves for more than a millisecond though the window asks for reduced motion
MOVING = """() => {
  const found = [];
  const long = (times) => times.split(",").some((time) => parseFloat(time) * (time.trim().endsWith("ms") ? 1 : 1000) > 1);
  const walk = (root) => root.querySelectorAll("*").forEach((node) => {
    const { transitionDuration, animationName, animationDuration } = getComputedStyle(node);
    const isMoved = animationName !== "none" && long(animationDuration);
    if (isMoved || long(transitionDuration)) found.push(node.outerHTML.slice(0, 120));
    if (node.shadowRoot) walk(node.shadowRoot);
  });
  walk(document);
  return found;
}"""
# what has the focus, and whether an outline or a shadow of it, or of what is around it, goes with the focus
FOCUSED = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  if (!node || node === document.body) return null;
  const around = [node, ...(node.labels ?? [])];
  for (let up = node, i = 0; i < 4 && (up = up.parentElement ?? up.getRootNode().host); i++) around.push(up);
  const look = () => String(around.map((one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    return [outlineStyle === "none" ? "" : outlineWidth, boxShadow];
  }));
  const focused = look();
  node.blur();
  const isSeen = look() !== focused;
  node.focus({ preventScroll: true });
  return [node.outerHTML.slice(0, 120), isSeen];
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A home with a few pictures, so that there is something on the board and in the grid."""
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("axe")
    with Library(folder / "home", clipcore.load()) as library:
        for index in range(12):
            name = ("red", "green", "blue")[index % 3]
            photo(folder / "photos" / f"{name} {index}.png", name, (64 + index, 48))
        library.add(folder / "photos")
    with served(folder) as address:
        yield address


class Checker:
    """Looks at a page in one state after another, and remembers what breaks a rule."""

    def __init__(self, page):
        self.page, self.axe, self.wrong = page, axe.Axe(), []

    def look(self, look, state):
        options = {"runOnly": RULES[look], "resultTypes": ["violations"]}
        for found in self.axe.run(self.page, options=options).response["violations"]:
            where = f"{state}, {look}: {found['id']}"
            self.wrong += [f"{where}: {node['html'][:200]} {node['failureSummary']}" for node in found["nodes"]]


def test_no_tab_breaks_a_rule(open_page):
    page = open_page("?__theme=light")
    checker = Checker(page)
    for look in looks(page):
        for name, sign in TABS.items():
            reveal(page.get_by_role("tab", name=name))
            expect(page.locator(sign)).to_be_visible()
            checker.look(look, name)
            if look == "light":
                assert page.evaluate(MOVING) == [], name
    assert not checker.wrong, "\n".join(checker.wrong)


def test_no_state_breaks_a_rule(open_page):
    """Sorted, selected, large, with the keys, what is saved and, on a phone, what is set up."""
    page = open_page("?__theme=light")
    checker = Checker(page)
    say_names(page, "red, green, blue, giraffe")
    page.locator("#go").click()
    expect(board(page).locator(".tile").first).to_be_visible(timeout=60_000)
    dialogs(page, checker)
    reveal(page.get_by_role("tab", name="Classify"))
    controls = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        if found := page.evaluate(FOCUSED):
            controls.add(found[0])
            assert found[1], found[0]  # where the focus is can be seen
    assert len(controls) > 25
    for look in looks(page):
        reveal(page.get_by_role("tab", name="Classify"))
        board(page).locator(".tile").first.click()
        checker.look(look, "sorted")
        if look == "phone":
            set_up(page)
            expect_in_place(page.get_by_label("Class names"))
            checker.look(look, "set up")
            page.keyboard.press("Escape")
            expect(page.get_by_label("Class names")).to_be_hidden()
        else:
            board(page).get_by_role("button", name="Keys and mouse").click()
            checker.look(look, "keys")
            page.keyboard.press("Escape")
            open_drawer(page)
            checker.look(look, "what is saved")
            close_drawer(page)
        board(page).locator(".tile").first.dblclick()
        expect(board(page).get_by_role("dialog", name="Picture")).to_contain_text("How the model divides it")
        checker.look(look, "large")
        page.keyboard.press("Escape")
        reveal(page.get_by_role("tab", name="Library"))
        page.locator("sayso-grid .card").first.locator(".check").click()
        checker.look(look, "selected")
        page.locator("sayso-grid").get_by_role("button", name="Clear").click()
        page.get_by_role("button", name="Map", exact=True).click()
        expect(page.locator("sayso-map .groups button").first).to_be_visible(timeout=60_000)
        checker.look(look, "map")
        page.get_by_role("button", name="Grid", exact=True).click()
    assert not checker.wrong, "\n".join(checker.wrong)


def dialogs(page, checker):
    """What opens over the board and the grid, and what is said where something is wrong."""

    def look(state):
        checker.look("light", state)
        page.keyboard.press("Escape")

    tiles = board(page).locator(".tile")
    tiles.nth(0).click()
    tiles.nth(1).click(modifiers=["Control"])
    page.keyboard.press("Enter")
    expect(board(page).get_by_role("dialog", name="Two pictures")).to_be_visible()
    stage = board(page).get_by_role("dialog", name="Two pictures").locator(".stage").first.bounding_box()
    assert stage["height"] > 0.8 * page.viewport_size["height"]  # the pictures, too, fill the window
    look("two pictures")
    page.locator("sayso-classes .dots").first.click()
    look("a class")
    page.locator("sayso-sessions .opener").click()
    look("sessions")
    board(page).get_by_role("button", name="Try one picture").click()
    look("one picture")
    page.get_by_label("Or promise").select_option(label="at most 5 % wrong")
    expect(page.get_by_role("button", name="Label some at random")).to_be_visible()
    look("a promise that is too much")
    reveal(page.get_by_role("tab", name="Library"))
    grid = page.locator("sayso-grid")
    page.get_by_role("button", name="Filter", exact=True).click()
    grid.get_by_label("Sort by").select_option("Newest first")
    reveal(page.get_by_role("button", name=re.compile("^Add photos")))
    page.get_by_label("Folder on this computer").fill("/no/such/folder")
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_test_id("toast-body")).to_be_visible()
    look("filters, an order and a mistake")
    page.get_by_test_id("toast-close").click()
    grid.get_by_label("Sort by").select_option("As added")
    page.get_by_label("Search by words").fill("a wedding")
    page.get_by_label("Search by words").press("Enter")
    expect(grid.get_by_role("heading", name="“a wedding”")).to_be_visible()
    look("a search")
    page.get_by_label("Search by words").fill("")
    page.get_by_label("Search by words").press("Enter")
    expect(grid.get_by_role("heading", name="12 images")).to_be_visible()
    page.locator("sayso-chooser").get_by_role("button", name="Choose a folder").click()
    expect(page.locator("sayso-chooser .folder").first).to_be_visible()
    look("folders")
