"""Journeys through the Models tab in Chromium: choose, test, switch, and fine-tune with a reload in the middle."""

import re

import pytest

from tests.support.browser import MARKS, keep_picture, looks, reload, reveal
from tests.support.fakes import photo
from tests.support.server import served
from tests.support.small_clip import write_model

pytestmark = MARKS
playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A home whose library has 40 labelled pictures of two classes, a saved classifier, and another model."""
    import clipcore
    from storage import Library

    folder = tmp_path_factory.mktemp("models")
    encoder = clipcore.load()
    with Library(folder / "home", encoder) as library:
        for index in range(40):
            colour = ("red", "blue")[index % 2]
            photo(folder / "photos" / f"{colour} {index}.png", colour, (64 + index, 48))
        library.add(folder / "photos")
        for image in library.images():
            library.label(image.id, image.name.split()[0])
        library.save(clipcore.zero_shot_classifier(encoder, ["red", "blue"]), "colours")
    write_model(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def url(place):
    with served(place) as address:
        yield address


def open_models(page):
    reveal(page.get_by_role("tab", name="Models").first)
    expect(page.locator("#models-table")).to_contain_text("starter", timeout=90_000)


def choose(page, name):
    field = page.get_by_label("Model", exact=True)
    field.fill(name)
    field.press("Enter")


def test_self_test_and_speed(page):
    open_models(page)
    page.get_by_role("button", name="Self-test: starter").click()
    result = page.locator("#model-result")
    expect(result).to_contain_text("Self-test of starter: passed", timeout=120_000)
    expect(result).to_contain_text("known photographs fit their own captions")
    page.get_by_role("button", name="Measure speed: starter").click()
    expect(result).to_contain_text(re.compile(r"starter takes in [\d,]+ images a second"), timeout=60_000)
    expect(page.locator("#models-table tr.current td").nth(2)).not_to_be_empty()


def test_mistakes_are_said(page):
    open_models(page)
    expect(page.locator("#models-table tr.current [data-act=remove]")).to_have_count(0)  # it is in use
    page.get_by_role("button", name="Get: ViT-B-32-256/datacomp_s34b_b86k").click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("ViT-B-32-256/datacomp_s34b_b86k")  # no network here
    choose(page, "no-such-model")
    page.locator("#model-use").click()
    expect(page.locator("#models-progress")).to_contain_text("There is no model named", timeout=90_000)


def test_switch_and_rebuild(page, place):
    """From here on the server goes on with the other model."""
    open_models(page)
    choose(page, f"local-dir:{place / 'tiny'}")
    page.locator("#model-use").click()
    expect(page.locator("#status")).to_contain_text("local-dir:tiny", timeout=60_000)
    expect(page.locator("#status")).not_to_contain_text("this model has read", timeout=60_000)
    expect(page.locator("#foreign")).to_contain_text("“colours” needs starter", timeout=20_000)
    page.get_by_role("button", name="Rebuild with this model").click()
    expect(page.locator("#rebuilt")).to_contain_text("“colours” is rebuilt for this model as version 2")
    expect(page.locator("#model-result")).to_contain_text("This model has read every image", timeout=60_000)


def test_fine_tune_with_a_reload_in_the_middle(page, place):
    open_models(page)
    reveal(page.locator("#finetune button").first)
    page.get_by_label("Model to begin with").first.fill(f"local-dir:{place / 'tiny'}")
    page.get_by_label("Epochs: passes over the images").first.fill("8")
    page.get_by_label("Name of the new model").first.fill("colours one")
    page.locator("#finetune-how-long").click()
    said = re.compile(r"About .+ at most: .+ for each of 8 epochs over \d+ images")
    expect(page.locator("#finetune-estimate")).to_contain_text(said, timeout=60_000)
    reveal(page.locator("#finetune-advanced button").first)
    rate = page.locator("#finetune-rate :is(input, textarea)")
    rate.fill("2")
    page.locator("#finetune-go").click()
    expect(page.get_by_test_id("toast-body").last).to_contain_text("at most 1")
    rate.fill("")
    page.locator("#finetune-go").click()
    expect(page.locator("#training-progress progress")).to_be_visible(timeout=20_000)
    reload(page)
    reveal(page.get_by_role("tab", name="Models").first)
    said = "“colours one” is ready. Only the classifier learned; the model itself is unchanged."
    expect(page.locator("#training-result")).to_contain_text(said, timeout=240_000)
    view = page.locator("#training-view")
    expect(view.locator("figure.curves")).to_have_count(3)
    expect(view.locator("tbody tr")).to_have_count(11)
    expect(view.locator("tr.current").get_by_role("rowheader")).to_have_text("1")  # all of what the classifier learned
    expect(page.get_by_role("spinbutton", name=re.compile("Mixture"))).to_have_value("1")
    page.get_by_role("spinbutton", name=re.compile("Mixture")).fill("0.8")
    page.get_by_role("spinbutton", name=re.compile("Mixture")).press("Tab")
    expect(page.get_by_role("slider", name=re.compile("Mixture"))).to_have_value("0.8")
    page.get_by_role("button", name="Take this mixture").click()
    expect(page.locator("#training-result")).to_contain_text("is now the mixture 0.8", timeout=60_000)
    expect(view).to_contain_text("is the mixture 0.8")


def test_nothing_is_wider_than_the_screen(open_page):
    page = open_page("?__theme=light")
    reveal(page.get_by_role("tab", name="Models").first)
    expect(page.locator("#models-table")).to_contain_text("starter", timeout=90_000)
    expect(page.locator("#training-view figure.curves").first).to_be_visible(timeout=30_000)
    for look in looks(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), look
        keep_picture(page, f"Models-{look}")
