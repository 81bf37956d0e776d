"""Journeys on the board in Chromium: sort by keys and by drag, undo, two windows, teach, and versions."""

import json
import re
import time
from itertools import product

import pytest

from storage import Library
from tests.support.browser import MARKS, board, classify, drop, open_drawer, reload, reveal, say_names
from tests.support.fakes import photo
from tests.support.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = MARKS
SHADES = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 60, 220)}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("board")


@pytest.fixture(scope="module")
def url(home):
    """A server of its own: labels are the library's, and no other test shall leave any."""
    with served(home) as address:
        yield address


@pytest.fixture(autouse=True)
def _no_labels_are_left(home):
    yield
    with Library(home / "home") as library:
        library.labels.move(list(library.labels.of()), None, [*SHADES, "yellow"])


def pictures_of(folder, each=17):
    """Some pictures of each colour, no two alike."""
    return [
        photo(folder / f"{name} {index}.png", tuple(min(255, c + index) for c in shade), (40 + index, 36))
        for index in range(each)
        for name, shade in SHADES.items()
    ]


def sort(page, files, names="red, green, blue"):
    say_names(page, names)
    drop(page, files)
    expect(board(page).get_by_role("heading", name=re.compile(f"{len(files)} images in"))).to_be_visible(timeout=90_000)
    page.get_by_label("How sure must it be?").fill("0")  # always answers: no column depends on the model's doubts
    expect(status(page)).to_contain_text("It must be 0 % sure; 0 are unsure")


def pile(page, name):
    return board(page).get_by_role("region", name=name, exact=True)


def tile(page, name, n):
    return pile(page, name).locator(f".tile[aria-posinset='{n}']")


def count(page, name):
    return int(pile(page, name).locator(".count").inner_text().replace(",", ""))


def status(page):
    return board(page).locator(".told[role=status]")


def fullest(page):
    """The class with the most pictures, whatever the model thinks of coloured squares."""
    return max(SHADES, key=lambda name: count(page, name))


def wait_for(truth):
    """Counts are drawn with the next frame."""
    end = time.monotonic() + 10
    while not truth():
        assert time.monotonic() < end
        time.sleep(0.05)


def places(page):
    """File name -> the number of its column, also for what is not drawn."""
    return board(page).evaluate(
        "board => Object.fromEntries([...board.cards].map(([id, card]) => [card.name, board.columns(id)[0]]))"
    )


def scrolled_to(page, name):
    """The tile of a picture, wherever it is: only what is in its column's window is drawn."""
    board(page).evaluate(
        """(board, name) => {
          const card = [...board.cards.values()].find((card) => card.name === name);
          board.piles.get(board.columns(card.id)[0]).reveal(card.id);
          board.draw();
        }""",
        name,
    )
    return board(page).locator(f".tile[aria-label^='{name},']")


def other(*names):
    return next(name for name in SHADES if name not in names)


def number(name):
    return str(list(SHADES).index(name) + 1)


def test_fifty_pictures_are_sorted_and_six_corrected_by_keys_and_drag(page, tmp_path):
    sort(page, pictures_of(tmp_path))
    source = fullest(page)
    there, target = count(page, source), other(source)
    before = count(page, target)
    tile(page, source, 1).click()
    tile(page, source, 3).click(modifiers=["Shift"])
    expect(status(page)).to_have_text("3 selected.")
    page.keyboard.press(number(target))
    expect(status(page)).to_contain_text(f"3 moved to {target}")
    expect(pile(page, source).locator(".count")).to_have_text(str(there - 3))
    page.keyboard.press("n")  # the next one became current by itself
    expect(status(page)).to_contain_text("1 moved to None of these")
    expect(board(page).get_by_role("heading", name=re.compile("4 labelled"))).to_be_visible()  # nothing is drawn any more
    wait_for(lambda: board(page).evaluate("board => board.steps.waiting.size === 0"))
    tile(page, source, 2).drag_to(pile(page, target))
    expect(status(page)).to_contain_text(f"1 moved to {target}")
    tile(page, source, 1).click()
    page.keyboard.press("m")
    page.keyboard.type(target)
    page.keyboard.press("Enter")
    expect(pile(page, target).locator(".count")).to_have_text(str(before + 5))
    expect(board(page).get_by_role("heading", name=re.compile("6 labelled"))).to_be_visible()
    expect(pile(page, source).locator(".tile.said")).to_have_count(0)

    for _ in range(6):
        pile(page, target).locator(".list").focus()
        page.keyboard.press("Control+z")
        expect(status(page)).to_have_text("Undone.")
        status(page).evaluate("node => node.textContent = ''")
        if not board(page).get_by_role("button", name="Undo").is_enabled():
            break
    expect(pile(page, source).locator(".count")).to_have_text(str(there))
    page.keyboard.press("Control+Shift+z")
    expect(status(page)).to_have_text("Done again.")
    expect(pile(page, target).locator(".count")).to_have_text(str(before + 3))
    reload(page)  # the labels, and the undo of this window, are still there
    page.wait_for_load_state()


def test_labels_stay_for_another_classification(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=3))
    source = fullest(page)
    target = other(source)
    tile(page, source, 1).click()
    label = tile(page, source, 1).get_attribute("aria-label").split(",")[0]
    page.keyboard.press(number(target))
    expect(status(page)).to_contain_text("1 moved")
    say_names(page, "red, green, blue, yellow")
    classify(page)
    expect(board(page).get_by_role("heading", name=re.compile("9 images in .* of 4 classes, 1 labelled"))).to_be_visible(
        timeout=60_000
    )
    expect(pile(page, target).get_by_role("option", name=re.compile(f"{label}, .*labelled"))).to_be_visible()


def test_a_late_list_of_images_leaves_what_was_chosen(open_page, tmp_path):
    held = []

    def hold(route):
        is_list = json.loads(route.request.post_data)["data"] == ["all"]
        held.append(route) if is_list else route.continue_()

    page = open_page(before=lambda page: page.route("**/queue/join*", hold))
    sort(page, pictures_of(tmp_path, each=3))
    assert held
    for route in held:
        route.continue_()
    page.wait_for_timeout(1000)
    expect(page.get_by_label("Images", exact=True)).to_have_value("The 9 chosen images")
    say_names(page, "red, green, blue, yellow")
    classify(page)
    expect(board(page).get_by_role("heading", name=re.compile("9 images in .* of 4 classes"))).to_be_visible()


def test_rubber_band_select_column_and_delete(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=6))
    source = fullest(page)
    there, target = count(page, source), other(source)
    pile(page, source).locator(".list").scroll_into_view_if_needed()
    box = pile(page, source).locator(".list").bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)  # beside the tiles
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=4)
    second = tile(page, source, 2).bounding_box()
    page.mouse.move(second["x"] + 20, second["y"] + 30, steps=4)
    page.mouse.up()
    expect(status(page)).to_have_text("2 selected.")
    page.keyboard.press("Escape")
    board(page).get_by_role("button", name=f"Select all in {source}").click()
    expect(status(page)).to_have_text(f"{there} selected.")
    page.keyboard.press(number(target))
    expect(pile(page, source).locator(".count")).to_have_text("0")
    board(page).get_by_role("button", name=f"Select all in {target}").click()
    page.keyboard.press("Delete")
    expect(status(page)).to_contain_text("taken away")
    expect(pile(page, source).locator(".count")).to_have_text(str(there))


def test_keyboard_alone(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=4))
    source = fullest(page)
    pile(page, source).locator(".list").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    expect(status(page)).to_have_text("2 selected.")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    dialog = board(page).get_by_role("dialog", name="Picture")
    expect(dialog).to_contain_text("How the model divides it among your names")
    expect(dialog).to_contain_text(re.compile(r"nobody has labelled it. Likely right: \d+\s%"))
    page.keyboard.press("u")
    expect(status(page)).to_contain_text("1 moved to Unsure")
    expect(dialog).to_be_hidden()  # it was the last of its column
    page.keyboard.press("Control+z")
    expect(status(page)).to_have_text("Undone.")


def test_all_columns_are_in_sight_and_one_can_be_folded(page, tmp_path):
    names = ["red", "green", "blue", "yellow", "white", "black"]
    sort(page, pictures_of(tmp_path, each=4), ", ".join(names))
    strip = board(page).locator(".strip")
    for name in (*names, "Unsure", "None of these"):
        expect(pile(page, name)).to_be_visible()
    assert strip.evaluate("strip => strip.scrollWidth <= strip.clientWidth")  # no column is out of sight sideways
    full = fullest(page)
    pile(page, full).locator(".title").click()  # folded, it is a strip
    expect(pile(page, full).get_by_role("listbox")).to_be_hidden()
    assert pile(page, full).bounding_box()["width"] <= 140
    pile(page, full).locator(".title").click()
    expect(pile(page, full).get_by_role("listbox")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    wait_for(lambda: pile(page, full).bounding_box()["width"] == 390)  # one at a time


def test_two_windows_do_not_overwrite_each_other(page, open_page, tmp_path):
    sort(page, pictures_of(tmp_path, each=5))
    source = fullest(page)
    target, third = other(source), other(source, other(source))
    run = board(page).get_attribute("run")
    second = open_page()
    expect(second.locator("#status")).to_contain_text(re.compile(r"\d images"), timeout=60_000)
    second.evaluate("run => document.querySelector('sayso-board').setAttribute('run', run)", run)
    expect(board(second).get_by_role("heading", name=re.compile("15 images in"))).to_be_visible(timeout=30_000)
    name = tile(page, source, 1).get_attribute("aria-label").split(",")[0]
    # the second window does not hear of it before it moves the same picture
    second.evaluate("() => { const board = document.querySelector('sayso-board'); clearInterval(board.timer); }")
    tile(page, source, 1).click()
    page.keyboard.press(number(target))
    expect(status(page)).to_contain_text("1 moved")
    tile(second, source, 1).click()
    second.keyboard.press(number(third))
    expect(status(second)).to_contain_text("1 moved in another window meanwhile; left where they are.")
    expect(pile(second, target).get_by_role("option", name=re.compile(f"^{name},"))).to_be_visible()
    # what the second does is seen in the first, which polls
    tile(second, source, 1).click()
    second.keyboard.press("n")
    expect(board(page).get_by_role("heading", name=re.compile("2 labelled"))).to_be_visible(timeout=10_000)
    second.keyboard.press("Control+z")
    expect(status(second)).to_have_text("Undone.")
    expect(board(page).get_by_role("heading", name=re.compile("1 labelled"))).to_be_visible(timeout=10_000)


def test_a_lost_answer_is_asked_for_again_and_the_step_done_once(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=2))
    source = fullest(page)
    page.evaluate("""() => {
      const real = window.fetch;
      window.fetch = async (url, options) => {
        const answer = await real(url, options);
        if (!String(url).endsWith("/move") || window.lost) return answer;
        window.lost = true; // the server has done it, but nobody hears of it
        throw new TypeError("the line is down");
      };
    }""")
    tile(page, source, 1).click()
    page.keyboard.press(number(other(source)))
    expect(board(page).get_by_role("heading", name=re.compile("1 labelled"))).to_be_visible()
    expect(board(page).get_by_role("button", name="Undo")).to_be_enabled(timeout=10_000)
    assert page.evaluate("window.lost")
    page.keyboard.press("Control+z")
    expect(status(page)).to_have_text("Undone.")
    expect(board(page).get_by_role("button", name="Undo")).to_be_disabled()


def test_teach_see_what_changes_use_it_and_go_back(page, tmp_path):
    sort(page, pictures_of(tmp_path))
    meant = {"red": "green", "green": "blue", "blue": "red"}  # by this person's lights, so that there is much to learn
    for told, (name, option) in enumerate(product(SHADES, range(5)), start=1):  # label five of each by hand
        scrolled_to(page, f"{name} {option}.png").click()
        page.keyboard.press(number(meant[name]))
        expect(board(page).get_by_role("heading", name=re.compile(rf"\b{told} labelled"))).to_be_visible()
    banner = page.get_by_role("region", name="What your labels taught")
    expect(banner).to_contain_text("With your 15 labels", timeout=30_000)
    expect(banner).to_contain_text("on images it had not seen")
    banner.get_by_role("button", name="See what changed").click()
    sheet = board(page).get_by_role("dialog", name="What changed")
    expect(sheet).to_contain_text(re.compile(r"\d+ of 36 images change"))
    changes = int(sheet.locator("p").first.inner_text().split()[0])
    assert sheet.locator(".thumb").count() == changes > 0
    page.keyboard.press("Escape")
    where = places(page)
    expect(banner.get_by_role("button", name="Use it")).to_have_class("primary")  # better beyond chance
    answered = sum(place in SHADES for place in where.values())
    banner.get_by_role("button", name="Use it").click()
    expect(status(page)).to_contain_text("Labelled images stay")
    assert abs(sum(place in SHADES for place in places(page).values()) - answered) <= 3  # the dial went along
    one_number(page)
    assert sum(place != where[name] for name, place in places(page).items()) == changes
    for name in SHADES:  # what was labelled is where it was put
        labelled = pile(page, meant[name]).locator(".tile.said")
        assert all(label.startswith(name) for label in labelled.evaluate_all("all => all.map(x => x.ariaLabel)"))
    banner.get_by_role("button", name="Go back to before").click()
    expect(status(page)).to_contain_text("Sorted as before")
    assert places(page) == where
    banner.get_by_role("button", name="Use it").click()  # still on offer
    expect(banner.get_by_role("button", name="Use it")).to_be_hidden()


def test_label_next_and_check_labels(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=4))
    board(page).get_by_role("button", name="Label next").click()
    dialog = board(page).get_by_role("dialog", name="Picture")
    expect(dialog).to_contain_text("1 of 12")
    page.keyboard.press("1")
    expect(dialog).to_contain_text("2 of 12")
    dialog.get_by_role("button", name=re.compile("Unsure")).click()
    expect(dialog).to_contain_text("3 of 12")
    page.keyboard.press("Escape")
    expect(board(page).get_by_role("heading", name=re.compile("2 labelled"))).to_be_visible()
    board(page).get_by_role("button", name="Check labels").click()
    expect(status(page)).to_contain_text(re.compile("Too few labels"))
    page.get_by_role("button", name="Check 10 more").click()  # all twelve are the random sample of so few
    expect(dialog).to_contain_text("1 of 10")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    banner = page.get_by_role("region", name="What your labels taught")
    expect(banner).to_contain_text(re.compile(r"Right on \d of \d photos you checked. Check 9 more to know it better."))


def test_the_dial_shows_counts_and_is_remembered(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=4))
    late = []  # the counts to show while it turns
    page.route("**/dial", lambda route: late.append(route) if route.request.method == "GET" else route.continue_())
    dial = page.get_by_label("How sure must it be?")
    dial.fill("1")  # as a drag to its end
    expect(status(page)).to_contain_text("It must be 100 % sure")
    with page.expect_response("**/dial"):
        late[0].continue_()
    wait_for(lambda: count(page, "Unsure") + count(page, "None of these") == 12)
    source = max(("Unsure", "None of these"), key=lambda name: count(page, name))
    there = count(page, source)
    tile(page, source, 1).click()
    page.keyboard.press("1")
    expect(pile(page, source).locator(".count")).to_have_text(
        str(there - 1)
    )  # the counts of a dial that was let go are no more
    dial.fill("0")
    expect(status(page)).to_contain_text("It must be 0 % sure; 0 are unsure, 0 none of these.")
    wait_for(lambda: count(page, "Unsure") + count(page, "None of these") == 0)  # the counts are said while it turns, too
    figures = one_number(page)
    middle = sorted(figures)[len(figures) // 2]
    dial.fill(str(middle / 100))
    expect(status(page)).to_contain_text(f"It must be {middle} % sure")
    assert sorted(one_number(page)) == sorted(figures)  # the dial moves answers, not figures
    open_drawer(page)
    page.get_by_label("Save this classifier as").fill("dialled")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("Saved as dialled")


def one_number(page):
    """The figures of the tiles that nobody has labelled, in per cent, as they stand on them. Each is held against the dial:
    none at or above it is in Unsure or None, and each that is below says why."""
    dial = round(100 * float(page.get_by_label("How sure must it be?").input_value()))
    found = []
    for name in ("Unsure", "None of these", *SHADES):
        for tile in pile(page, name).locator(".tile:not(.said)").all():
            figure, told = int(tile.locator(".figure").inner_text().removesuffix(" %")), tile.get_attribute("aria-label")
            assert (figure >= dial) == (name in SHADES), told
            assert bool(re.search(r"fits? (well|best|about)|names? fit", told)) == (figure < dial), told
            found.append(figure)
    return found


def test_versions_are_compared_and_gone_back_to(page, tmp_path):
    sort(page, pictures_of(tmp_path, each=4))
    save, name = page.get_by_role("button", name="Save", exact=True), page.get_by_label("Save this classifier as")
    open_drawer(page)
    name.fill("shades")
    save.click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("Saved as shades")
    page.get_by_label("How sure must it be?").fill("1")
    expect(status(page)).to_contain_text("It must be 100 % sure")
    name.fill("shades")
    save.click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("version 2")
    reveal(page.get_by_role("button", name=re.compile("^Versions")))
    expect(page.locator("#versions tbody tr")).to_have_count(2)
    page.get_by_label("Version", exact=True).click()
    page.get_by_role("option", name="version 1").click()
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("sayso-changes")).to_contain_text("12 of 12 images change column.")
    expect(page.locator("sayso-changes .thumb")).to_have_count(12)
    page.get_by_role("button", name="Go back to this version").click()
    expect(page.locator("#versions tbody tr")).to_have_count(3)
    expect(page.locator("#versions tbody tr").first).to_contain_text("3")


def test_several_labels_a_picture(page, tmp_path):
    say_names(page, "red, green, blue")
    page.get_by_label("An image can have several of these").check()
    drop(page, pictures_of(tmp_path, each=2))
    expect(board(page).get_by_role("heading", name=re.compile("6 images in"))).to_be_visible(timeout=90_000)
    needed = board(page).get_by_label("How sure it must be of green, in %")
    if not count(page, "green"):  # then it is a strip
        pile(page, "green").locator(".title").click()
    needed.fill("90")
    needed.press("Tab")
    expect(status(page)).to_contain_text("green must be 90 % sure")
    name = next(column for column in ("Unsure", "None of these", *SHADES) if count(page, column))
    picture = tile(page, name, 1).get_attribute("aria-label").split(",")[0]
    tile(page, name, 1).click()
    page.keyboard.press("1")
    expect(status(page)).to_contain_text("1 labelled red")
    pile(page, "red").get_by_role("option", name=re.compile(f"^{picture},")).click()
    page.keyboard.press("2")
    expect(status(page)).to_contain_text("1 labelled green")
    for column in ("red", "green"):
        expect(pile(page, column).get_by_role("option", name=re.compile(f"^{picture}, .*labelled"))).to_be_visible()
    pile(page, "red").get_by_role("option", name=re.compile(f"^{picture},")).click()
    page.keyboard.press("Delete")
    expect(status(page)).to_contain_text("1 not red")
    expect(pile(page, "red").get_by_role("option", name=re.compile(f"^{picture},"))).to_have_count(0)
    expect(pile(page, "green").get_by_role("option", name=re.compile(f"^{picture}, .*labelled"))).to_be_visible()
    page.keyboard.press("Control+z")
    expect(pile(page, "red").get_by_role("option", name=re.compile(f"^{picture},"))).to_be_visible()
    needed = board(page).get_by_label("How sure it must be of green, in %")
    expect(needed).to_have_value("90")


def test_a_promise_is_refused_and_then_kept(open_page, home, tmp_path):
    page = open_page()
    # two colours that the starter is right about: a promise is tested on what it says
    shades = {"red": lambda i: (255, i, 0), "sky": lambda i: (20, 60 + i, 220)}
    files = [photo(tmp_path / f"{name} {i}.png", of(i), (40 + i, 36)) for i in range(14) for name, of in shades.items()]
    sort(page, files, "red, sky")
    promise = page.get_by_label("Or promise")
    promise.select_option("at most 10 % wrong")
    expect(page.get_by_text("label some of them first, chosen at random").first).to_be_visible()
    expect(page.get_by_role("button", name="Label some at random")).to_be_visible()
    expect(promise).to_have_value("")
    with Library(home / "home") as library:
        own = sorted(library.images(), key=lambda image: image.id)[-len(files) :]
        for name in shades:
            library.labels.move([image.id for image in own if image.name.startswith(name)], name, list(shades))
    reload(page)
    promise.select_option("at most 10 % wrong")
    expect(
        page.get_by_text(re.compile(r"At most 10 % of the answers are wrong, 90 % sure: 0 of \d+ were, on 28"))
    ).to_be_visible()
    page.get_by_label("How sure must it be?").fill("0.2")  # who turns the dial promises nothing
    expect(promise).to_have_value("")
