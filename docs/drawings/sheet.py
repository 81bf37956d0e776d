"""A sheet of paper and what a hand does on it: shapes and lines in one of five ways to draw.

Places are in units of a sheet that is 400 wide; it is drawn at twice its size and made smaller, which smooths every edge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter

WIDTH, SCALE = 400, 2.4  # units across a sheet, dots per unit while it is drawn
PAPER = {"flat": "#f4efe4", "ink": "#fbf8f0", "chalk": "#26352f", "crayon": "#fffdf7", "wash": "#faf6ec"}
INK = "#2b2a33"
Place = tuple[float, float]


def oval(x: float, y: float, rx: float, ry: float | None = None, turn: float = 0, arc: Place = (0, 360)) -> list[Place]:
    """The outline of an ellipse, or of its part between two angles; `turn` is in degrees, clockwise."""
    angles = np.radians(np.linspace(*arc, 72))
    across, down = rx * np.cos(angles), (rx if ry is None else ry) * np.sin(angles)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    return list(zip(x + across * cos - down * sin, y + across * sin + down * cos, strict=True))


def box(left: float, top: float, right: float, bottom: float, corner: float = 0) -> list[Place]:
    """The outline of a rectangle, with round corners if told."""
    if not corner:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    ends = ((right, top, -90), (right, bottom, 0), (left, bottom, 90), (left, top, 180))
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    places = []
    for x, y, start in ends:
        inner = (x + (corner if x < middle_x else -corner), y + (corner if y < middle_y else -corner))
        places += oval(*inner, corner, arc=(start, start + 90))[::8]
    return places


def smooth(*places: Place, closed: bool = True) -> list[Place]:
    """A curve through these places."""
    ends = [places[-1], *places, *places[:2]] if closed else [places[0], *places, places[-1]]
    points = np.array(ends, float)
    steps = np.linspace(0, 1, 14, endpoint=False)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * steps + (2 * a - 5 * b + 4 * c - d) * steps**2 + (3 * b - a - 3 * c + d) * steps**3)
        for a, b, c, d in zip(points, points[1:], points[2:], points[3:], strict=False)
    ]
    return [(float(x), float(y)) for x, y in np.concatenate([*curve, points[-1 if not closed else 1][None]])]


@dataclass
class Sheet:
    """What is drawn on. `way` is one of PAPER; the same seed draws the same sheet."""

    way: str = "flat"
    paper: str = ""
    height: int = 300
    seed: int = 0
    chance: np.random.Generator = field(init=False)
    image: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        size = round(WIDTH * SCALE), round(self.height * SCALE)
        self.image = Image.new("RGB", size, self.paper or PAPER[self.way])

    def shape(self, outline: Sequence[Place], colour: str, line: bool = True) -> None:
        """A filled shape; `line` says whether a way that draws outlines gives it one."""
        WAYS[self.way](self, self._shaken(outline), colour, line)

    def line(self, places: Sequence[Place], colour: str = INK, width: float = 4) -> None:
        """A line along these places."""
        if self.way == "chalk" and colour == INK:
            colour = "#f2efe6"
        shaken = self._shaken(places)
        self.fill(colour, self._drawn(lambda pen: self._along(pen, shaken, width)), 0.75 if self.way != "flat" else 0)

    def dots(self, colour: str, *places: Place, size: float = 4) -> None:
        for x, y in places:
            self.fill(colour, self._drawn(lambda pen, x=x, y=y: pen.polygon(self._shaken(oval(x, y, size)), fill=255)), 0)

    def sky(self, top: str, bottom: str, down_to: float | None = None) -> None:
        """A colour that goes over into another, from the top of the sheet."""
        rows = round((self.height if down_to is None else down_to) * SCALE)
        share = np.linspace(0, 1, rows)[:, None]
        colours = (1 - share) * ImageColor.getrgb(top) + share * np.array(ImageColor.getrgb(bottom))
        strip = np.broadcast_to(colours[:, None], (rows, self.image.width, 3)).round().astype(np.uint8)
        self.image.paste(Image.fromarray(strip), (0, 0))

    def fill(self, colour: str, mask: Image.Image, grain: float, thin: float = 1) -> None:
        """Colour where the mask is; `grain` is how much of the paper shows through, `thin` how dense the colour is."""
        covered = np.asarray(mask, np.float32) / 255 * thin
        if grain:
            noise = self.chance.random((self.image.height // 2 + 1, self.image.width // 2 + 1), np.float32)
            noise = np.kron(noise, np.ones((2, 2), np.float32))[: self.image.height, : self.image.width]
            covered = covered * np.clip(1.15 - grain * noise, 0, 1)
        self.image.paste(ImageColor.getrgb(colour), (0, 0), Image.fromarray((covered * 255).astype(np.uint8)))

    def finished(self) -> Image.Image:
        side = 480
        return self.image.resize((side, round(self.height / WIDTH * side)), Image.Resampling.LANCZOS)

    def mask(self, outline: Sequence[Place]) -> Image.Image:
        return self._drawn(lambda pen: pen.polygon(list(outline), fill=255))

    def border(self, outline: Sequence[Place], width: float) -> Image.Image:
        closed = [*outline, outline[0], outline[1]]
        return self._drawn(lambda pen: self._along(pen, closed, width))

    def hatched(self, outline: Sequence[Place], apart: float, width: float) -> Image.Image:
        """Slanted strokes inside an outline, as a hand fills a shape with chalk or crayon."""
        strokes = Image.new("L", self.image.size)
        pen = ImageDraw.Draw(strokes)
        reach = WIDTH + self.height
        for start in np.arange(-reach, reach, apart):
            shift = self.chance.normal(0, apart / 4, 2)
            ends = [((start + shift[0]) * SCALE, 0), ((start + shift[1] - 0.6 * self.height) * SCALE, self.image.height)]
            pen.line(ends, fill=255, width=round(width * SCALE))
        return Image.fromarray(np.minimum(np.asarray(strokes), np.asarray(self.mask(outline))))

    def _shaken(self, outline: Sequence[Place]) -> list[Place]:
        """As a hand draws it: not quite where it was meant, in a way that draws so."""
        points = np.array(outline, float)
        much = {"flat": 0, "ink": 0.7, "chalk": 1.1, "crayon": 1.3, "wash": 0.9}[self.way]
        if much and len(points) > 1:
            lengths = np.hypot(*np.diff(points, axis=0).T)
            along = np.concatenate([[0], np.cumsum(lengths)])
            every = np.linspace(0, along[-1], max(2, int(along[-1] / 4)))
            points = np.stack([np.interp(every, along, axis) for axis in points.T], 1)
            if len(points) > 12:
                shift = self.chance.normal(0, much, (len(points) // 6 + 2, 2))
                points += np.stack(
                    [np.interp(np.arange(len(points)) / 6, np.arange(len(shift)), axis) for axis in shift.T], 1
                )
        return [(float(x), float(y)) for x, y in points]

    def _drawn(self, draw: Callable[["_Pen"], None]) -> Image.Image:
        mask = Image.new("L", self.image.size)
        draw(_Pen(mask))
        return mask

    def _along(self, pen: "_Pen", places: Sequence[Place], width: float) -> None:
        pen.line(list(places), width)
        for x, y in (places[0], places[-1]):
            pen.polygon(oval(x, y, width / 2), fill=255)


class _Pen:
    """ImageDraw in units of the sheet."""

    def __init__(self, mask: Image.Image):
        self.pen = ImageDraw.Draw(mask)

    def polygon(self, places: Sequence[Place], fill: int) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in places], fill=fill)

    def line(self, places: Sequence[Place], width: float) -> None:
        self.pen.line(
            [(x * SCALE, y * SCALE) for x, y in places], fill=255, width=max(1, round(width * SCALE)), joint="curve"
        )


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with this share of another one in it."""
    ours, theirs = np.array(ImageColor.getrgb(colour)), np.array(ImageColor.getrgb(other))
    return "#" + "".join(f"{round(part):02x}" for part in (1 - share) * ours + share * theirs)


def flat(sheet: Sheet, outline: list[Place], colour: str, line: bool) -> None:
    sheet.fill(colour, sheet.mask(outline), 0)


def ink(sheet: Sheet, outline: list[Place], colour: str, line: bool) -> None:
    """A pale colour that does not quite meet its outline."""
    aside = [(x + 2.5, y + 2) for x, y in outline]
    sheet.fill(mixed(colour, "#ffffff", 0.35), sheet.mask(aside if line else outline), 0.25)
    if line:
        sheet.fill(INK, sheet.border(outline, 2.2), 0)


def chalk(sheet: Sheet, outline: list[Place], colour: str, line: bool) -> None:
    bright = mixed(colour, "#ffffff", 0.3)
    sheet.fill(sheet.paper or PAPER["chalk"], sheet.mask(outline), 0)
    sheet.fill(bright, sheet.hatched(outline, 5, 2.6), 0.9, 0.75)
    if line:
        sheet.fill(mixed(bright, "#ffffff", 0.4), sheet.border(outline, 3), 0.7)


def crayon(sheet: Sheet, outline: list[Place], colour: str, line: bool) -> None:
    sheet.fill(sheet.paper or PAPER["crayon"], sheet.mask(outline), 0, 0.85)
    sheet.fill(mixed(colour, "#ffffff", 0.25), sheet.mask(outline), 0.9)
    sheet.fill(colour, sheet.hatched(outline, 4.5, 2.6), 0.7)
    if line:
        sheet.fill(mixed(colour, "#000000", 0.35), sheet.border(outline, 3.6), 0.7)


def wash(sheet: Sheet, outline: list[Place], colour: str, line: bool) -> None:
    """Watercolour: thin, uneven, and darker where it dried at its edge."""
    mask = sheet.mask(outline).filter(ImageFilter.GaussianBlur(1.6))
    cloud = sheet.chance.random((6, 8), np.float32) * 0.3 + 0.62
    uneven = np.asarray(Image.fromarray(cloud).resize(sheet.image.size, Image.Resampling.BICUBIC))
    sheet.fill(sheet.paper or PAPER["wash"], mask, 0, 0.55)
    sheet.fill(colour, Image.fromarray((np.asarray(mask) * uneven).clip(0, 255).astype(np.uint8)), 0.15)
    if line:
        edge = sheet.border(outline, 2.4).filter(ImageFilter.GaussianBlur(1.2))
        sheet.fill(mixed(colour, "#1d2033", 0.3), edge, 0.2, 0.6)


WAYS: dict[str, Callable[[Sheet, list[Place], str, bool], None]] = {
    "flat": flat, "ink": ink, "chalk": chalk, "crayon": crayon, "wash": wash,
}  # fmt: skip
