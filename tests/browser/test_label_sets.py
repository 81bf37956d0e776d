"""The journey of two label sets over the same pictures, one of them a tree, and of small things found in parts."""

import contextlib
import csv
import io
import re
import sqlite3

import pytest
from PIL import Image

from tests.support.browser import MARKS, SETTINGS, board, classify, drop, keep_picture, looks, open_drawer, reload, say_names
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS
SHADES = {"red": (220, 30, 30), "dark red": (120, 10, 10), "blue": (30, 60, 220), "navy": (10, 10, 110)}


def pictures(folder):
    folder.mkdir()
    for name, shade in SHADES.items():
        Image.new("RGB", (96, 64), shade).save(folder / f"{name}.png")
    part = Image.new("RGB", (96, 64), (30, 60, 220))
    part.paste((220, 30, 30), (64, 32, 96, 64))
    part.save(folder / "part.png")
    return sorted(folder.iterdir())


def chosen(page, name):
    return (
        page.locator("sayso-sessions").get_by_role("group", name="Label sets").get_by_role("button", name=name, exact=True)
    )


def test_two_label_sets_a_tree_and_parts(browser, tmp_path):
    with served(tmp_path) as url:
        page = browser.new_context(**SETTINGS).new_page()
        page.goto(url)
        say_names(page, "warm > red, warm > crimson, cold > blue, cold > navy")
        drop(page, pictures(tmp_path / "photos"))
        expect(board(page).get_by_role("heading", name=re.compile("5 images in"))).to_be_visible(timeout=90_000)
        page.get_by_label("How sure must it be?").fill("0.9")
        expect(board(page).get_by_text("It must be 90 % sure")).to_be_visible()
        above = board(page).locator(".tile .figure", has_text=re.compile(r"^(warm|cold), \d+ %$"))
        expect(above.first).to_be_visible()  # a pair of near names is unsure, what is above them is not
        page.get_by_label("Columns by level").select_option("Top level")
        warm = board(page).get_by_role("region", name="warm", exact=True)
        expect(warm.locator(".tile").first).to_be_visible()
        keep_picture(page, "tree")
        page.get_by_label("Columns by level").select_option("Lowest level")

        sets = page.locator("sayso-sessions")
        sets.get_by_role("button", name="Add a label set").click()
        sets.get_by_label("Name of the set that is here").fill("colour")
        sets.get_by_label("Name of the new label set").fill("light")
        # as if it had been sorted before this window knew its session, on a busy machine: the board is kept all the same
        with contextlib.closing(sqlite3.connect(tmp_path / "home" / "sayso.db")) as database, database:
            database.execute("UPDATE sessions SET run_id = NULL")
        sets.get_by_role("button", name="Add", exact=True).click()
        expect(chosen(page, "light")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_label("Class names")).to_have_value("")
        say_names(page, "a dark colour, a bright colour")
        classify(page)
        expect(board(page).get_by_role("heading", name=re.compile("5 images in"))).to_be_visible(timeout=60_000)
        expect(page.get_by_label("How sure must it be?")).not_to_have_value("0.9")  # the dial is the set's own
        tile = board(page).locator(".tile").first
        tile.click()
        page.keyboard.press("1")
        expect(board(page).locator(".tile.said")).to_have_count(1)
        open_drawer(page)
        with page.expect_download() as saved:
            board(page).page.get_by_role("link", name="All label sets, CSV").click()
        rows = list(csv.DictReader(io.StringIO(saved.value.path().read_text("utf-8-sig"))))
        assert len(rows) == 5
        assert [row["light: by"] for row in rows].count("you") == 1
        assert all(row["colour: by"] in ("", "classifier") for row in rows)
        page.locator(".drawer [data-frame=close]").click()
        for look in looks(page):
            keep_picture(page, f"sets-{look}")
        page.set_viewport_size(SETTINGS["viewport"])

        chosen(page, "colour").click()
        expect(page.get_by_label("Class names")).to_have_value("warm > red, warm > crimson, cold > blue, cold > navy")
        expect(page.get_by_label("How sure must it be?")).to_have_value("0.9")
        expect(board(page).locator(".tile.said")).to_have_count(0)  # the other set's label is none of this one's
        board(page).locator(".tile[title^='part.png']").click()
        page.keyboard.press("Enter")
        dialog = board(page).get_by_role("dialog", name="Picture")
        dialog.get_by_text("Look at parts").click()
        red = dialog.locator(".parts .chip", has_text="warm > ").first
        red.click()
        expect(dialog).to_contain_text("Orange parts look most like")
        assert "/map.png?label=" in dialog.locator(".stage img").get_attribute("src")
        dialog.locator(".stage img").evaluate("image => image.decode()")
        keep_picture(page, "parts")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Look at parts").click()
        expect(board(page).locator(".told")).to_have_text(
            re.compile("without an answer show something in a part"), timeout=60_000
        )
        page.keyboard.press("Escape")
        reload(page)
        expect(chosen(page, "colour")).to_have_attribute("aria-pressed", "true", timeout=60_000)
        expect(board(page).get_by_role("heading", name=re.compile("5 images in"))).to_be_visible()
        page.context.close()
    with served(tmp_path) as url:  # started anew, and in another browser
        other = browser.new_context(**SETTINGS).new_page()
        other.goto(url)
        expect(chosen(other, "colour")).to_have_attribute("aria-pressed", "true", timeout=60_000)
        chosen(other, "light").click()
        expect(other.get_by_label("Class names")).to_have_value("a dark colour, a bright colour")
        expect(board(other).locator(".tile.said")).to_have_count(1, timeout=60_000)
        other.context.close()
