"""Every tab against axe-core's rules for WCAG 2.2, levels A and AA, in light, in dark and on a phone: nothing may be wrong."""

import pytest

from tests.browser import MARKS

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = MARKS
TABS = {"Classify": "#go", "Library": "sayso-grid", "Measure": "#measure-go", "Bias": "#bias-go", "Models": "#tabs"}
ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# what a change of colours or of width can break; the other rules ask about the same elements, which are the same
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
WIDTH = {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "meta-viewport"]}
DARK = "on => document.body.classList.toggle('dark', on)"


def test_no_tab_breaks_a_rule(open_page):
    page = open_page("?__theme=light")
    checker, wrong = axe.Axe(), []

    def check(where, rules):
        for found in checker.run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]:
            wrong.extend(f"{where}: {found['id']}: {node['html'][:200]} {node['failureSummary']}" for node in found["nodes"])

    for name, sign in TABS.items():
        page.get_by_role("tab", name=name).click()
        expect(page.locator(sign)).to_be_visible()
        check(name, ALL)
        page.evaluate(DARK, True)
        check(f"{name}, dark", COLOURS)
        page.evaluate(DARK, False)
    page.set_viewport_size({"width": 390, "height": 844})
    for name in TABS:
        page.get_by_role("tab", name=name).click()
        check(f"{name}, phone", WIDTH)
    assert not wrong, "\n".join(wrong)
