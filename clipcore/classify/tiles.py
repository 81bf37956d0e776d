"""Small things in large pictures: windows that slide over a picture, each classified alone, and a map of what they show.

A tower sees a few hundred pixels of a picture; what is small in it is lost. Windows overlap by half, so that what lies on
the border of one stands in the middle of another. Of neighbours that say the same the surest one speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from ..errors import BadInput
from ..pictures.reading import ImageSource, open_image
from .answers import Answers, decide
from .classifier import Classifier

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

Box = tuple[int, int, int, int]
CELLS = 48  # of a map along its longer side
MOST = 12  # windows along a side without their overlaps: 529 of a picture
_COLOURS = ("#4f46e6", "#b45310", "#0f766e", "#be123c", "#4d7c0f", "#7e22ce", "#0369a1", "#a16207")


@dataclass(frozen=True)
class Tile:
    """What a window shows: its `box` (left, top, right, bottom) in pixels of the upright picture, the label, and how likely
    it is right."""

    box: Box
    label: str
    figure: float


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of a picture of this `size` (width, height), and what a classifier says of each."""

    size: tuple[int, int]
    boxes: list[Box]
    answers: Answers

    def found(self, labels: Sequence[str]) -> list[Tile]:
        """What they show, the surest first; windows without an answer say nothing."""
        told = zip(self.boxes, self.answers.verdicts(labels), self.answers.figure, strict=True)
        return surest(
            [
                Tile(box, label, float(figure))
                for box, verdict, figure in told
                if isinstance(verdict, tuple)
                for label in verdict
            ]
        )

    def map_of(self, place: int) -> np.ndarray:
        """How much each part of the picture looks like the label at this place, [h, w] shares of 0 to 1: in each part the
        mean over the windows that see it."""
        width, height = self.size
        fine = [max(1, round(length * CELLS / max(self.size))) for length in (height, width)]
        total, seen = np.zeros(fine), np.zeros(fine)
        for (left, top, right, bottom), share in zip(self.boxes, self.answers.shares[:, place], strict=True):
            rows = slice(top * fine[0] // height, -(-bottom * fine[0] // height))
            columns = slice(left * fine[1] // width, -(-right * fine[1] // width))
            total[rows, columns] += share
            seen[rows, columns] += 1
        return total / np.maximum(seen, 1)


def boxes(width: int, height: int, tiles: int) -> list[Box]:
    """Windows of a picture, `tiles` along its longer side and half as far apart as they are wide; about square."""
    side = max(1, max(width, height) // tiles)

    def starts(length: int) -> list[int]:
        if length <= side:
            return [0]
        steps = max(1, round(2 * (length - side) / side))
        return [round(step * (length - side) / steps) for step in range(steps + 1)]

    return [(x, y, min(x + side, width), min(y + side, height)) for y in starts(height) for x in starts(width)]


def look(encoder: "Encoder", classifier: Classifier, source: ImageSource, tiles: int) -> list[Tile]:
    """What the windows of a picture show, the surest first; windows without an answer say nothing.

    Raises BadImage, and BadInput for fewer than 2 tiles or more than MOST.
    """
    return windows(encoder, classifier, source, tiles).found(classifier.labels)


def windows(encoder: "Encoder", classifier: Classifier, source: ImageSource, tiles: int) -> Windows:
    """Classify the windows of a picture, each alone. Raises BadImage, BadInput for fewer than 2 tiles or more than MOST."""
    if not 2 <= tiles <= MOST:
        raise BadInput(f"The tiles along a side are 2 to {MOST}, not {tiles}.")
    picture = open_image(source)
    places = boxes(*picture.size, tiles)
    answers = decide(classifier, encoder.embed_images([picture.crop(box) for box in places]))
    return Windows(picture.size, places, answers)


def surest(tiles: Sequence[Tile]) -> list[Tile]:
    """Without those that say the same as a surer one that they overlap."""
    kept: list[Tile] = []
    for tile in sorted(tiles, key=lambda tile: -tile.figure):
        if not any(tile.label == other.label and _overlap(tile.box, other.box) for other in kept):
            kept.append(tile)
    return kept


def drawn(source: ImageSource, tiles: Sequence[Tile], labels: Sequence[str], side: int = 1600) -> Image.Image:
    """The picture, at most `side` pixels long, with the windows and what they show."""
    picture = open_image(source).copy()
    scale = min(1.0, side / max(picture.size))
    picture = picture.resize([max(1, round(length * scale)) for length in picture.size])
    pen = ImageDraw.Draw(picture)
    wide = max(2, max(picture.size) // 300)
    for tile in reversed(tiles):
        colour = _COLOURS[list(labels).index(tile.label) % len(_COLOURS)]
        box = [round(end * scale) for end in tile.box]
        words = f"{tile.label} {tile.figure:.0%}"
        pen.rectangle(box, outline=colour, width=wide)
        text = pen.textbbox((box[0] + 2 * wide, box[1] + 2 * wide), words, font_size=8 * wide)
        pen.rectangle([text[0] - wide, text[1] - wide, text[2] + wide, text[3] + wide], fill=colour)
        pen.text((box[0] + 2 * wide, box[1] + 2 * wide), words, fill="white", font_size=8 * wide)
    return picture


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
