"""The journey to the reasons: a picture large, "Why?", where in it the label is, and the nearest labelled pictures."""

import pytest

from storage import Library
from tests.browser.test_board import pictures_of, sort
from tests.support.browser import MARKS, board, keep_picture
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("why")


@pytest.fixture(scope="module")
def url(home):
    with served(home) as address:
        yield address


def test_why_this_label(page, home, tmp_path):
    sort(page, pictures_of(tmp_path, each=3))
    with Library(home / "home") as library:
        library.labels.label_many([image.id for image in library.images()][:4], "red")
    labelled = board(page).locator(".tile.said")
    expect(labelled).to_have_count(4)
    labelled.first.click()
    page.keyboard.press("Enter")
    dialog = board(page).get_by_role("dialog", name="Picture")
    picture = dialog.locator(".stage img")
    plain = picture.get_attribute("src")
    expect(dialog).to_contain_text("How the model divides it", timeout=30_000)  # it has come; nothing moves any more
    dialog.get_by_text("Why?").click()
    expect(dialog.get_by_text("Where in the picture?")).to_be_visible(timeout=60_000)
    expect(dialog.get_by_text("templates would choose, each alone")).to_be_visible()
    expect(dialog.get_by_text("Nearest labelled images")).to_be_visible()
    assert dialog.locator(".why .cards figure").count() >= 3
    where = dialog.locator(".why .chip").first
    where.click()
    expect(where).to_have_attribute("aria-pressed", "true")
    expect(dialog).to_contain_text("A rough guide, not a proof")
    assert "/heat.png?label=" in picture.get_attribute("src")
    picture.evaluate("image => image.decode()")  # it is a picture
    keep_picture(page, "why")
    where.click()
    expect(picture).to_have_attribute("src", plain)
    expect(dialog.locator(".shares .right .label")).to_have_text("red right")  # which a person said it is
    page.keyboard.press("Escape")

    paste = """async (address) => {
        const file = new File([await (await fetch(address)).blob()], "pasted.png", { type: "image/png" });
        const clipboardData = new DataTransfer();
        clipboardData.items.add(file);
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }"""
    count = len(board(page).locator(".tile").all())
    page.evaluate(paste, plain)  # one picture at once, beside the library
    trial = board(page).get_by_role("dialog", name="Try one picture")
    expect(trial.locator(".answer")).to_contain_text("likely right:", timeout=30_000)
    expect(trial.locator(".bars li")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(trial).to_be_hidden()
    assert len(board(page).locator(".tile").all()) == count
