"""Every tab and state against axe-core's rules for WCAG 2.2, A and AA, in light, in dark and on a phone."""

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
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    # what another colour or width can break; the other rules ask about the same elements once more
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "phone": {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "meta-viewport"]},
}


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
    assert not checker.wrong, "\n".join(checker.wrong)


def test_no_state_breaks_a_rule(open_page):
    """Sorted, selected, large, with the keys, what is saved and, on a phone, what is set up."""
    page = open_page("?__theme=light")
    checker = Checker(page)
    say_names(page, "red, green, blue, giraffe")
    page.locator("#go").click()
    expect(board(page).locator(".tile").first).to_be_visible(timeout=60_000)
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
