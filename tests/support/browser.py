"""Chromium for the journeys. A page is watched: each journey fails on a script or console error and on a foreign request."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.server import served

# the headless shell is Chromium without the browser's own windows, which are pages, too, and cost as much as ours
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = os.environ.get("SAYSO_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
REQUIRED = bool(os.environ.get("SAYSO_REQUIRE_BROWSER"))
ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # one process for all windows: a new one for each load compiles all scripts again, a quarter of what a load costs
    *("--renderer-process-limit=1", "--disable-site-isolation-trials"),
]
# What Chromium itself writes of a 400, which is our one plain sentence about a mistake.
EXPECTED = ("the server responded with a status of 400",)
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM or REQUIRED), reason="no Chromium here: install it, or name one in SAYSO_CHROMIUM"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with served(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    assert CHROMIUM, "SAYSO_REQUIRE_BROWSER is set, but there is no Chromium: install it, or name one in SAYSO_CHROMIUM"
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    sync_api.expect.set_options(timeout=20_000)  # a busy machine is not a fault
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGS)
        yield browser
        browser.close()


SETTINGS = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce"}


LEAVING = set()  # pages that are being loaded again
# pages where Gradio waited 3 seconds in vain for an upload to begin, on a busy machine; the upload itself goes on
WITHOUT_PROGRESS = set()


@pytest.fixture(scope="session")
def usual_page(browser):
    """The first window of each journey. One that is there already costs half of a new one: its process, the browser's own
    parts of a window, and the scripts that are compiled."""
    context = browser.new_context(**SETTINGS)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(browser, usual_page, url):
    """Opens pages that are watched; nothing may go wrong in any of them. Each has a context of its own."""
    from playwright.sync_api import expect

    opened, problems = [], []
    own = (url, "data:", "blob:")

    def watch(page):
        return {
            "request": lambda request: None if request.url.startswith(own) else problems.append(request.url),
            "pageerror": lambda error: problems.append(f"page error: {error}"),
            "console": lambda said: problems.append(f"{said.text} {said.location['url']}") if wrong(page, said) else None,
        }

    def open_page(query="", before=None, **options):
        is_usual = not options and not opened
        page = usual_page if is_usual else browser.new_context(**{**SETTINGS, **options}).new_page()
        if is_usual:
            page.set_viewport_size(SETTINGS["viewport"])
        watchers = watch(page)
        for event, watcher in watchers.items():
            page.on(event, watcher)
        opened.append((page, watchers))
        if before:
            before(page)
        if "session=" not in query:  # else a window goes on where the last one was
            query += f"{'&' if query else '?'}session=new"
        page.goto(url + query)
        expect(page.get_by_role("tab", name="Classify")).to_be_visible(timeout=60_000)
        return page

    yield open_page
    for page, watchers in opened:
        if page is usual_page:
            leave(page, watchers)
        else:
            page.context.close()
    assert not problems, problems


def leave(page, watchers):
    """Nothing of a journey stays in a window that the next one gets."""
    for other in page.context.pages:
        if other is not page:
            other.close()
    page.unroute_all(behavior="ignoreErrors")
    page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    LEAVING.add(page)
    page.goto("about:blank")
    for event, watcher in watchers.items():
        page.remove_listener(event, watcher)
    page.context.clear_cookies()
    LEAVING.discard(page)
    WITHOUT_PROGRESS.discard(page)


def looks(page):
    """Light, dark and the width of a phone, one after the other: yields the name of each once the page has it."""
    yield "light"
    page.evaluate("document.body.classList.add('dark')")
    yield "dark"
    page.evaluate("document.body.classList.remove('dark')")
    page.set_viewport_size({"width": 390, "height": 844})
    yield "phone"


def keep_picture(page, name):
    """A screenshot for somebody to look at, where SAYSO_SCREENSHOTS names a folder for them."""
    if folder := os.environ.get("SAYSO_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def wrong(page, said):
    """Whether what a page said in the console is an error of ours."""
    if "/upload_progress?" in said.location["url"] and "404" in said.text:
        WITHOUT_PROGRESS.add(page)
        return False
    if said.text == "Response" and page in WITHOUT_PROGRESS:  # the same, said by Gradio's script
        return False
    return said.type == "error" and page not in LEAVING and not any(words in said.text for words in EXPECTED)


def reload(page):
    """Load the page again while it polls: Gradio calls the requests that this cuts off
    errors, and they are not."""
    LEAVING.add(page)
    page.reload()
    LEAVING.discard(page)


def reveal(button):
    """Open a tab or an accordion, and wait for two frames: within them Gradio gives what it shows for the first time its
    first values once more. No hand types as fast; `fill` does, and would be undone."""
    button.click()
    button.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


@pytest.fixture
def page(open_page):
    return open_page()


def drop(page, files):
    page.locator("#drop input[type=file]").set_input_files([str(file) for file in files])


def board(page):
    return page.locator("sayso-board")


def set_up(page):
    """Open the rail where it is a sheet."""
    key = page.get_by_role("button", name="Panel", exact=True)
    if page.viewport_size["width"] <= 700 and key.get_attribute("aria-expanded") == "false":
        key.click()


def say_names(page, names):
    set_up(page)
    page.get_by_label("Class names").fill(names)


def open_drawer(page):
    """Open the panel with what is saved, exported and brought in."""
    close = page.locator(".drawer [data-frame=close]")
    if not close.is_visible():
        opens = board(page).get_by_role("button", name="Save, export")
        opens.or_(page.get_by_role("button", name="Open a saved classifier")).locator("visible=true").click()
    expect_in_place(close)


def close_drawer(page):
    page.locator(".drawer [data-frame=close]").click()
    page.locator(".drawer").wait_for(state="hidden")


def expect_in_place(node):
    """What slides in can be clicked once it is there."""
    node.wait_for(state="visible")
    node.evaluate("node => Promise.all(node.closest('.drawer, .rail').getAnimations().map((one) => one.finished))")


def classify(page):
    page.get_by_role("button", name="Classify", exact=True).click()
