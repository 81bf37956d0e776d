"""Every tab against axe-core's rules for WCAG 2.2, A and AA, in light, in dark and on a phone: nothing may be wrong."""

import pytest

from tests.support.browser import MARKS, looks, reveal

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = MARKS
TABS = {"Classify": "#go", "Library": "sayso-grid", "Measure": "#measure-go", "Bias": "#bias-go", "Models": "#tabs"}
RULES = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    # what another colour or width can break; the other rules ask about the same elements once more
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "phone": {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "meta-viewport"]},
}


def test_no_tab_breaks_a_rule(open_page):
    page = open_page("?__theme=light")
    checker, wrong = axe.Axe(), []
    for look in looks(page):
        options = {"runOnly": RULES[look], "resultTypes": ["violations"]}
        for name, sign in TABS.items():
            reveal(page.get_by_role("tab", name=name))
            expect(page.locator(sign)).to_be_visible()
            for found in checker.run(page, options=options).response["violations"]:
                where = f"{name}, {look}: {found['id']}"
                wrong += [f"{where}: {node['html'][:200]} {node['failureSummary']}" for node in found["nodes"]]
    assert not wrong, "\n".join(wrong)
