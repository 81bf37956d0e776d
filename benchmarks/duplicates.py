"""The same picture: how many true copies are found, and how many pairs of different flat pictures are called the same.

Everything is generated. Copies are of photographs that ship inside scikit-image, whole and in parts, and of flat pictures;
what is different are receipts of one shop, chats of one phone, white pages with a dot, scans of text, drawings and icons,
where two of one kind share nearly everything that a small hash can see. The limits of `storage.pictures.fingerprints` were
chosen on seed 0; the table is of seed 1, which draws other words, places, amounts and parts.
"""

import io
import math
import time
from collections.abc import Callable

import faiss
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont
from skimage import data

from clipcore.pictures.reading import thumbnail
from storage.pictures import fingerprints

from .pairs import Row

OTHER = "a difference hash of 64 bits of which at most 6 differ"
PHOTOS: tuple[str, ...] = (
    "astronaut",
    "camera",
    "cell",
    "chelsea",
    "coffee",
    "coins",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "retina",
    "rocket",
    "brick",
    "grass",
    "gravel",
    "clock",
)
TEXT = """
milk bread butter coffee apples tomato cheese rice noodles paper water juice soap basil lemon tea salt oil sugar eggs we will
meet at the station tomorrow morning because train was late and nobody had seen him since yesterday evening in garden where
old letters were kept so I cannot say when they come back but you may ask her about it perhaps on Monday
"""
WORDS = TEXT.split()
Random = np.random.Generator


def run(quick: bool, seed: int = 1) -> list[Row]:
    """150 pictures of each flat kind (quick: 40), copies of 60 photographs (quick: 15), and 20,000 fingerprints compared."""
    random = np.random.default_rng(seed)
    each, photos, many = (40, 15, 2_000) if quick else (150, 60, 20_000)
    rows = []
    sources = photographs(random, photos)
    for name, changes in CHANGES.items():
        rows.append(_recall(f"copies found, photographs {name}", sources, changes, random))
    flat = {kind: [draw(random) for _ in range(each)] for kind, draw in FLAT.items()}
    some = [picture for pictures in flat.values() for picture in pictures[: each // 10]]
    rows.append(_recall("copies found, flat pictures resaved, resized, as PNG", some, FLAT_CHANGES, random))
    for kind, pictures in flat.items():
        rows.append(_false(f"different {kind} called the same", prints(pictures)))
    rows.append(_false("different photographs called the same", prints(sources)))
    every = prints([picture for pictures in flat.values() for picture in pictures])
    rows.append(_false("different flat pictures of all kinds called the same", every))
    rows.append(_time(every, prints(sources), many, random))
    return rows


def prints(pictures: list[Image.Image]) -> np.ndarray:
    """Their fingerprints, made as the library makes them."""
    made = [fingerprints.fingerprint(str(n), thumbnail(picture)) for n, picture in enumerate(pictures)]
    return np.array(made, fingerprints.FINGERPRINT)


def by_hash(pictures: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of fingerprints whose grey places get brighter to the right in the same ones of 64."""
    bits = []
    for grey in pictures["grey"]:
        small = np.asarray(Image.fromarray(grey).resize((9, 8), Image.Resampling.BOX))
        bits.append(np.packbits(small[:, 1:] > small[:, :-1]))
    index = faiss.IndexBinaryFlat(64)
    index.add(np.array(bits))
    limits, _, found = index.range_search(np.array(bits), 6 + 1)  # faiss looks below the radius
    rows = np.repeat(np.arange(len(bits)), np.diff(limits).astype(np.int64))
    return {(int(i), int(j)) for i, j in zip(rows, found, strict=True) if i < j}


def by_us(pictures: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of fingerprints that we call the same picture."""
    return {pair for _, pairs in fingerprints.alike(pictures) for pair in pairs}


Change = Callable[[Image.Image, Random], Image.Image]


def _recall(case: str, sources: list[Image.Image], changes: list[Change], random: Random) -> Row:
    """Each copy beside its original alone; per cent of the copies."""
    found = {by_us: 0, by_hash: 0}
    for source in sources:
        table = prints([source, *(change(source, random) for change in changes)])
        for method in found:
            found[method] += sum(i == 0 for i, _ in method(table))
    n = len(sources) * len(changes)
    ours, other = (round(100 * count / n, 2) for count in found.values())
    return Row(case, ours, other, round(ours / max(other, 0.01), 2), "% of copies", n)


def _false(case: str, table: np.ndarray) -> Row:
    """Of all pairs, in 10,000; for the ratio, none counts as one."""
    n = math.comb(len(table), 2)
    ours, other = (round(10_000 * len(method(table)) / n, 3) for method in (by_us, by_hash))
    return Row(case, ours, other, round(other / max(ours, 10_000 / n), 2), "of 10,000 pairs", n)


def _time(flat: np.ndarray, photos: np.ndarray, many: int, random: Random) -> Row:
    """A library in which a tenth is flat; photographs are shuffled by fours so that there are as many different ones."""
    table = photos[random.integers(0, len(photos), many)]
    for row in range(many):
        side = fingerprints.SIDE
        parts = table["grey"][row].reshape(4, side // 4, 4, side // 4).swapaxes(1, 2).reshape(16, side // 4, side // 4)
        mixed = parts[random.permutation(16)].reshape(4, 4, side // 4, side // 4).swapaxes(1, 2).reshape(side, side)
        table["grey"][row] = mixed
    table[: min(many // 10, len(flat))] = flat[: many // 10]
    seconds = []
    for method in (by_us, by_hash):
        start = time.perf_counter()
        method(table)
        seconds.append(round(time.perf_counter() - start, 2))
    ours, other = seconds
    return Row(f"{many:,} fingerprints compared", ours, other, round(other / ours, 2), "seconds", 1)


# photographs and what is done to copies of them


def photographs(random: Random, count: int) -> list[Image.Image]:
    """The photographs of scikit-image, and parts of them that share nothing, until there are `count`."""
    whole = [Image.fromarray(getattr(data, name)()).convert("RGB") for name in PHOTOS]
    parts = []
    for picture in whole:
        w, h = picture.width // 2, picture.height // 2
        for x, y in ((0, 0), (w, 0), (0, h), (w, h)):
            parts.append(picture.crop((x, y, x + w, y + h)))
    order = random.permutation(len(parts))
    return [*whole, *(parts[i] for i in order)][:count]


def resaved(quality: int, kind: str = "JPEG") -> Change:
    """Saved again with loss."""

    def change(picture: Image.Image, _: Random) -> Image.Image:
        buffer = io.BytesIO()
        picture.save(buffer, kind, quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def resized(share: float) -> Change:
    """Scaled and saved as JPEG of quality 85."""

    def change(picture: Image.Image, random: Random) -> Image.Image:
        size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
        return resaved(85)(picture.resize(size, Image.Resampling.LANCZOS), random)

    return change


def adjusted(kind: Callable[[Image.Image], ImageEnhance._Enhance], by: float) -> Change:
    """Brightness, contrast or colour times `by`."""
    return lambda picture, random: resaved(85)(kind(picture).enhance(by), random)


def cropped(share: float) -> Change:
    """That share of the width and of the height cut away, somewhere at both edges."""

    def change(picture: Image.Image, random: Random) -> Image.Image:
        w, h = round(picture.width * share), round(picture.height * share)
        x, y = int(random.integers(0, w + 1)), int(random.integers(0, h + 1))
        return resaved(85)(picture.crop((x, y, picture.width - w + x, picture.height - h + y)), random)

    return change


def as_png(picture: Image.Image, _: Random) -> Image.Image:
    """With 256 colours, as a GIF or a small PNG has."""
    return picture.quantize(256).convert("RGB")


def retouched(picture: Image.Image, random: Random) -> Image.Image:
    """A spot of a twentieth of the side painted over with what is beside it."""
    picture = picture.copy()
    r = max(2, min(picture.size) // 20)
    x, y = int(random.integers(2 * r, picture.width - r)), int(random.integers(0, picture.height - r))
    picture.paste(picture.crop((x - r, y, x, y + r)), (x, y))
    return resaved(90)(picture, random)


CHANGES: dict[str, list[Change]] = {
    "resaved at 30 to 95": [resaved(quality) for quality in (30, 45, 60, 75, 85, 95)],
    "resized to 25 to 200 %": [resized(share) for share in (0.25, 0.4, 0.5, 0.75, 1.5, 2)],
    "as WebP and with 256 colours": [resaved(70, "WEBP"), as_png],
    "brighter, darker, more contrast": [
        *(adjusted(ImageEnhance.Brightness, by) for by in (0.92, 1.08)),
        *(adjusted(ImageEnhance.Contrast, by) for by in (0.9, 1.1)),
    ],
    "cropped by 1 to 2 %": [cropped(share) for share in (0.01, 0.015, 0.02)],
    "retouched": [retouched],
}
FLAT_CHANGES: list[Change] = [resaved(40), resaved(75), resized(0.5), resized(1.5), as_png]


# flat pictures, of which two of a kind share the most


def words(random: Random, count: int) -> str:
    """That many words."""
    return " ".join(random.choice(WORDS, count))


def receipt(random: Random) -> Image.Image:
    """Of one shop, with its name, amounts at the right and one footer."""
    lines = int(random.integers(10, 13))
    picture = Image.new("RGB", (384, 900), "white")
    draw = ImageDraw.Draw(picture)
    big, font = ImageFont.load_default(34), ImageFont.load_default(22)
    draw.text((70, 30), "CORNER SHOP", "black", big)
    draw.text((100, 80), "12 Market Street", "black", font)
    for line in range(lines):
        draw.text((20, 160 + 40 * line), words(random, int(random.integers(1, 3))), (30, 30, 30), font)
        draw.text((300, 160 + 40 * line), f"{random.uniform(0.5, 40):6.2f}", (30, 30, 30), font)
    draw.line((20, 170 + 40 * lines, 364, 170 + 40 * lines), "black", 2)
    draw.text((60, 840), "thank you, come again", "black", font)
    return picture


def chat(random: Random) -> Image.Image:
    """One phone and one contact; bubbles of different widths and sides."""
    picture = Image.new("RGB", (540, 1170), (236, 229, 221))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(24)
    draw.rectangle((0, 0, 540, 100), (7, 94, 84))
    draw.text((90, 36), "Anna", "white", font)
    draw.rounded_rectangle((14, 1090, 440, 1150), 30, "white")
    y = 130
    while y < 1000:
        texts = [words(random, int(random.integers(1, 7))) for _ in range(int(random.integers(1, 4)))]
        width, height = 30 + max(int(draw.textlength(text, font)) for text in texts), 20 + 32 * len(texts)
        mine = bool(random.integers(2))
        x = 526 - width if mine else 14
        draw.rounded_rectangle((x, y, x + width, y + height), 14, (220, 248, 198) if mine else "white")
        for row, text in enumerate(texts):
            draw.text((x + 15, y + 8 + 32 * row), text, "black", font)
        y += height + 16
    return picture


def dot(random: Random) -> Image.Image:
    """A white page with one dot."""
    picture = Image.new("RGB", (600, 800), "white")
    x, y, r = random.uniform(20, 580), random.uniform(20, 780), random.uniform(5, 9)
    ImageDraw.Draw(picture).ellipse((x - r, y - r, x + r, y + r), "black")
    return picture


def scan(random: Random) -> Image.Image:
    """A full page of lines at one pitch, with the grain and the grey of a scanner."""
    picture = Image.new("L", (620, 877), 245)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for y in range(60, 820, 22):
        draw.text((60, y), words(random, 16), 40, font)
    draw.rectangle((550, 0, 620, 877), 245)
    grain = random.normal(0, 3, (877, 620))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)).convert("RGB")


def drawing(random: Random) -> Image.Image:
    """Thin black strokes on white, in the middle of the page."""
    picture = Image.new("RGB", (420, 420), "white")
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(3, 8))):
        x, y, w, h = random.uniform(60, 260), random.uniform(60, 260), random.uniform(30, 120), random.uniform(30, 120)
        shape = int(random.integers(3))
        if shape == 0:
            draw.ellipse((x, y, x + w, y + h), outline="black", width=2)
        elif shape == 1:
            draw.arc((x, y, x + w, y + h), random.uniform(0, 180), random.uniform(200, 360), "black", 2)
        else:
            points = [tuple(map(float, point)) for point in random.uniform(60, 360, (4, 2))]
            draw.line(points, "black", 2)
    return picture


def icon(random: Random) -> Image.Image:
    """A white sign on a tile of one of a few colours."""
    colour = [(33, 150, 243), (76, 175, 80), (244, 67, 54), (60, 60, 60)][int(random.integers(4))]
    picture = Image.new("RGB", (192, 192), "white")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((8, 8, 184, 184), 36, colour)
    n, turn = int(random.integers(3, 9)), random.uniform(0, 2 * np.pi)
    radii = random.uniform(20, 70, 2 * n)
    points = [(96 + r * np.cos(turn + k * np.pi / n), 96 + r * np.sin(turn + k * np.pi / n)) for k, r in enumerate(radii)]
    draw.polygon([(float(x), float(y)) for x, y in points], "white")
    return picture


FLAT: dict[str, Callable[[Random], Image.Image]] = {
    "receipts": receipt,
    "chats": chat,
    "pages with a dot": dot,
    "scans of text": scan,
    "drawings": drawing,
    "icons": icon,
}
