"""Draws the pictures of README and docs from the running app: the moving one, and one for each tutorial.

    python -m docs.pictures [NAME ...]      # such as moving, label-a-folder; all unless told

All that is in them is the sample library: photographs that ship with packages, and our own drawings. Needs Chromium
and, as the journeys do, requirements-dev.txt.
"""

import csv
import re
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from docs.moving import Film, chromium_page
from tests.support.browser import board, open_drawer, reveal
from tests.support.server import served
from ui.samples import sample_photographs

DOCS = Path(__file__).parent
# the photographs by what is on them, for the tutorials that need labels
KINDS = {
    "person": ("astronaut", "woman in uniform", "man with camera"),
    "cat": ("cat",),
    "coffee": ("coffee",),
    "motorcycle": ("motorcycle",),
    "rocket": ("rocket",),
}
WINDOW = (1200, 720)


def moving(address: str, folder: Path) -> None:
    """The picture at the head of the README: names are typed, photos are sorted, one is corrected, and one is looked for."""
    with chromium_page(1120, 660) as page:
        opened(page, address)
        film = Film(page, 960)
        film.show(1200)
        film.click(page.get_by_label("Class names"))
        film.type("person, cat, motorcycle, rocket, building")
        film.show(500)
        film.click(page.get_by_role("button", name="Try the sample photos"))
        film.show(300)
        sorted_samples(page)
        film.show(2200)
        more = page.locator("sayso-classes").get_by_label("Add classes")
        film.click(more)
        film.type("flowers, coffee")
        more.press("Enter")
        settled(page, "coffee")
        film.show(2400)
        wrong = board(page).locator(".tile[aria-label^='page.png,']")
        film.click(wrong)
        film.show(900)
        page.keyboard.press("n")
        board(page).locator(".told", has_text="moved to None of these").wait_for(state="attached")
        film.show(2200)
        film.click(page.get_by_role("tab", name="Library"))
        search = page.get_by_label("Search by words")
        film.click(search)
        film.type("a rocket before the launch")
        search.press("Enter")
        found(page)
        film.show(3000)
        film.save(DOCS / "sayso.webp")


def opened(page: Any, address: str) -> None:
    """The page of a library without pictures, ready."""
    page.goto(f"{address}?session=new")
    page.get_by_role("tab", name="Classify").wait_for()
    board(page).get_by_text("Nothing sorted yet").wait_for()
    page.locator("sayso-sessions .opener", has_text="New session").wait_for()
    page.locator("#status", has_text="0 images").wait_for()


def sorted_samples(page: Any) -> None:
    board(page).get_by_role("heading", name=re.compile("60 images in")).wait_for(state="attached")
    drawn(page)


def settled(page: Any, name: str) -> None:
    """Wait until the board has a column of this name and its pictures."""
    board(page).get_by_role("region", name=name, exact=True).wait_for()
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until every picture in sight has come."""
    tiles = board(page).locator(".tile img")
    tiles.first.wait_for()
    for tile in tiles.all():
        tile.evaluate("image => image.decode()")
    page.wait_for_timeout(400)  # the last frame of what glides


def label_a_folder(address: str, folder: Path) -> None:
    """The sample photographs on the board, and the panel from which the answers go out."""
    with chromium_page(*WINDOW) as page:
        opened(page, address)
        page.get_by_role("button", name="Try the sample photos").click()
        sorted_samples(page)
        open_drawer(page)
        keep(page, "label-a-folder")


def own_classifier(address: str, folder: Path) -> None:
    """What a classifier is worth, on pieces of the photographs in class folders."""
    for kind, names in KINDS.items():
        pieces(folder / "test-photos" / kind, names, least=0.25)
    with chromium_page(*WINDOW) as page:
        opened(page, address)
        reveal(page.get_by_role("tab", name="Measure"))
        page.get_by_label("A set on this computer").check()
        page.get_by_label("Folder, table or shard").fill(str(folder / "test-photos"))
        page.locator("#measure-go").click()
        page.locator("sayso-report .matrix").locator("visible=true").wait_for()
        page.wait_for_timeout(500)
        keep(page, "own-classifier")


def search_photos(address: str, folder: Path) -> None:
    """A search of the library in words."""
    with chromium_page(*WINDOW) as page:
        opened(page, address)
        page.get_by_role("button", name="Try the sample photos").click()
        sorted_samples(page)
        reveal(page.get_by_role("tab", name="Library"))
        search = page.get_by_label("Search by words")
        search.fill("a cat looking at the camera")
        search.press("Enter")
        found(page)
        keep(page, "search-photos")


def probe_bias(address: str, folder: Path) -> None:
    """Two groups that judge nobody, the photographs in colour and those in black and white, and who gets which label."""
    rows = []
    for kind, names in KINDS.items():
        for file in pieces(folder / "photos" / kind, names):
            rows.append((file.relative_to(folder / "photos").as_posix(), "colour"))
            grey = file.with_name(f"grey {file.name}")
            ImageOps.grayscale(Image.open(file)).save(grey)
            rows.append((grey.relative_to(folder / "photos").as_posix(), "black and white"))
    with (folder / "groups.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "film"), *rows])
    with chromium_page(*WINDOW) as page:
        opened(page, address)
        reveal(page.get_by_role("tab", name="Bias"))
        page.get_by_label("Folder on this computer").last.fill(str(folder / "photos"))
        page.locator("#bias-table input[type=file]").set_input_files(folder / "groups.csv")
        page.locator("#bias-table", has_text="groups").wait_for()
        page.locator("#bias-go").click()
        bench = page.locator("#bias")
        bench.get_by_role("heading", name="What to measure").wait_for()
        bench.get_by_role("checkbox", name="film").check()
        row = bench.get_by_role("group", name="label set", exact=True).first
        row.get_by_label("Classes of the label set").fill("person, animal, vehicle, drink")
        row.get_by_label("Name of the label set").fill("things")
        row.get_by_label("Name of the label set").press("Tab")
        bench.get_by_role("button", name="Measure", exact=True).click()
        bench.get_by_text("Measured and kept.").wait_for()
        table = bench.get_by_role("region", name="things")
        table.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        keep(page, "probe-bias")


def pieces(folder: Path, names: tuple[str, ...], least: float = 0.7, each: int = 8) -> list[Path]:
    """Pieces of these photographs as files in a folder, cut at other places; the smallest has this share of a side."""
    folder.mkdir(parents=True)
    files = {Path(name).stem: source for name, source in sample_photographs().items()}
    made = []
    for name in names:
        picture = Image.open(files[name]).convert("RGB")
        for number in range(each):
            share, x, y = least + (1 - least) * number / each, number % 3 / 2, number % 2
            width, height = round(picture.width * share), round(picture.height * share)
            left, top = round((picture.width - width) * x), round((picture.height - height) * y)
            made.append(folder / f"{name} {number}.png")
            picture.crop((left, top, left + width, top + height)).resize((width // 2, height // 2)).save(made[-1])
    return made


def found(page: Any) -> None:
    """Wait for the answer of a search, and for its pictures."""
    page.locator("sayso-grid .card img").first.wait_for()
    page.locator("sayso-grid").get_by_text(re.compile("match", re.IGNORECASE)).first.wait_for()
    page.wait_for_timeout(500)


def keep(page: Any, name: str) -> None:
    """The page as it is now, as a picture of the docs."""
    file = DOCS / "pictures" / f"{name}.webp"
    Image.open(BytesIO(page.screenshot())).convert("RGB").save(file, quality=80, method=6)


PICTURES: dict[str, Callable[[str, Path], None]] = {
    "moving": moving,
    "label-a-folder": label_a_folder,
    "own-classifier": own_classifier,
    "search-photos": search_photos,
    "probe-bias": probe_bias,
}


def main() -> None:
    names = sys.argv[1:] or list(PICTURES)
    for name in names:
        with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address:
            PICTURES[name](address, Path(folder))
        print(name)


if __name__ == "__main__":
    main()
