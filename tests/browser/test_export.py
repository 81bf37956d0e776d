"""Journeys from the board to other programs: class folders and back, and a classifier's file into a fresh home."""

import pytest

from clipcore import Classifier
from tests.browser.test_board import SHADES, pictures_of, sort
from tests.support.browser import MARKS, board, drop, open_drawer, reveal
from tests.support.fakes import photo
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A fresh home, which no other test has saved anything in."""
    with served(tmp_path_factory.mktemp("export")) as address:
        yield address


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_sorted_into_folders_after_a_look_and_taken_back(page, tmp_path):
    sort(page, pictures_of(tmp_path / "photos", each=3))
    open_drawer(page)
    reveal(page.locator("#export > button"))
    target = tmp_path / "sorted"
    page.locator("#export").get_by_label("Folder on this computer").fill(str(target))
    page.get_by_role("button", name="Show what would change").click()
    plan = page.locator("#export-plan")
    expect(plan).to_contain_text("9 files would be made. Nothing has been changed yet.")
    expect(plan.locator("li")).to_have_count(9)
    assert not target.exists()
    page.locator("#export-go").click()
    expect(plan).to_contain_text("9 files made, 0 images left as they are.", timeout=30_000)
    expect(page.locator("#export-progress progress")).to_have_count(0)
    assert len(files(target)) == 9
    assert {name.split("/")[0] for name in files(target)} <= set(SHADES)
    page.get_by_role("button", name="Take the last export back").click()
    expect(plan).to_contain_text("9 changes taken back, 0 could not be.", timeout=30_000)
    assert files(target) == []
    expect(page.get_by_role("button", name="Take the last export back")).to_be_hidden()


def test_a_classifier_goes_into_a_fresh_home_and_sorts_there(page, browser, tmp_path):
    sort(page, pictures_of(tmp_path / "photos", each=2))
    open_drawer(page)
    with page.expect_download() as coming:
        page.get_by_role("link", name="Classifier file").click()
    file = tmp_path / "shades.safetensors"
    coming.value.save_as(file)
    assert Classifier.load(file).decision.sure == 0
    with served(tmp_path) as fresh:
        other = browser.new_page()
        other.goto(fresh)
        open_drawer(other)
        reveal(other.locator("#import > button"))
        other.locator("#import input[type=file]").set_input_files(str(file))
        expect(other.locator("#import-news")).to_contain_text("“shades” is among the saved classifiers", timeout=60_000)
        drop(other, [photo(tmp_path / "one.png", "red", (50, 40))])
        expect(other.locator("#classify-progress")).to_contain_text("The images are in", timeout=60_000)
        other.get_by_role("button", name="Use on these images").click()
        expect(board(other).get_by_role("heading", name="1 image in 1 of 3 classes")).to_be_visible(timeout=30_000)
        other.close()


def test_what_is_no_classifier_is_said(page, tmp_path):
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    open_drawer(page)
    reveal(page.locator("#import > button"))
    page.locator("#import input[type=file]").set_input_files(str(tmp_path / "no.safetensors"))
    expect(page.get_by_test_id("toast-body").last).to_contain_text("not a classifier of Sayso")
