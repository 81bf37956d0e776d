"""Probes of composition that need no download: coloured shapes, drawn here, and two captions each that differ in one thing.

It is SugarCrepe's question (Hsieh et al., 2023) for the model in use: is a picture nearer to its caption than to one that is
almost the same but wrong? Shapes on a plain ground are far from photographs, so a model's share is to be read beside chance,
and beside `shape`, which says whether it sees such drawings at all.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from ..progress import Step
from .composition import CompositionReport, score
from .intervals import points

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

EACH = 48  # pictures of a probe
SIDE = 224
CHANCE = 1 / 2
COLOURS = {
    "red": (214, 39, 40), "green": (44, 140, 44), "blue": (31, 90, 200), "yellow": (245, 205, 20),
    "black": (20, 20, 20), "purple": (128, 50, 170),
}  # fmt: skip
SIDES = {"circle": 0, "square": 4, "triangle": 3, "star": 5}
NUMBERS = ("one", "two", "three", "four", "five", "six")
GROUND = (245, 245, 240)


@dataclass(frozen=True, eq=False)
class Item:
    """A picture with its caption and one that is almost the same but wrong."""

    image: Image.Image
    caption: str
    negative: str


def iter_probe(encoder: "Encoder", each: int = EACH, seed: int = 0) -> Generator[Step, None, CompositionReport]:
    """How often pictures of each probe are nearer to their caption, with intervals; a tie is a mistake."""
    items = {name: drawn(name, each, seed) for name in PROBES}
    every = [item for some in items.values() for item in some]
    vectors: list[np.ndarray] = []
    for start in range(0, len(every), encoder.batch_size):
        yield Step(start, len(every), "probing")
        vectors.append(encoder.embed_images([item.image for item in every[start : start + encoder.batch_size]]))
    X = np.concatenate(vectors)
    T = encoder.embed_texts([text for item in every for text in (item.caption, item.negative)]).reshape(len(every), 2, -1)
    cosines = np.einsum("nd,ncd->nc", X, T)
    right = (cosines[:, 0] > cosines[:, 1]).reshape(len(items), each)
    scores = {name: score(row, CHANCE) for name, row in zip(items, right, strict=True)}
    wrong = tuple(item.caption for item, ok in zip(every, right.ravel(), strict=True) if not ok)
    yield Step(len(every), len(every), "done")
    return CompositionReport("drawn shapes", scores, wrong, ())


def drawn(name: str, each: int = EACH, seed: int = 0) -> list[Item]:
    """The items of a probe: the same for the same seed."""
    rng = np.random.default_rng([seed, list(PROBES).index(name)])
    return [PROBES[name](rng) for _ in range(each)]


def sentence(report: CompositionReport) -> str:
    """What to think of it: which probes are beyond chance."""
    beyond = [name for name, found in report.scores.items() if found.interval[0] > found.chance]
    guessed = [name for name in report.scores if name not in beyond]
    told = f"Beyond chance: {', '.join(beyond)}" if beyond else "Nothing is beyond chance"
    share = ", ".join(f"{name} {points(report.scores[name].share)}" for name in guessed)
    return f"{told}. Not told apart from guessing: {share}." if guessed else f"{told}."


def _shape(rng: np.random.Generator) -> Item:
    colour, (one, other) = _pick(rng, COLOURS), _two(rng, SIDES)
    return Item(_scene(rng, [(colour, one)]), f"a {colour} {one}", f"a {colour} {other}")


def _colour(rng: np.random.Generator) -> Item:
    (one, other), shape = _two(rng, COLOURS), _pick(rng, SIDES)
    return Item(_scene(rng, [(one, shape)]), f"a {one} {shape}", f"a {other} {shape}")


def _number(rng: np.random.Generator) -> Item:
    colour, shape = _pick(rng, COLOURS), _pick(rng, SIDES)
    one, other = _two(rng, NUMBERS)
    say = {n: f"{n} {colour} {shape}{'' if n == 'one' else 's'}" for n in (one, other)}
    return Item(_scene(rng, [(colour, shape)] * (NUMBERS.index(one) + 1)), say[one], say[other])


def _relation(rng: np.random.Generator) -> Item:
    (a, b), (one, other) = _two(rng, COLOURS), _two(rng, SIDES)
    ways = ("to the left of", "to the right of") if rng.random() < 0.5 else ("above", "below")
    true, wrong = ways if rng.random() < 0.5 else ways[::-1]
    low, high = (0.27, 0.5), (0.73, 0.5)
    first, second = (low, high) if true in ("to the left of", "above") else (high, low)
    if true in ("above", "below"):
        first, second = first[::-1], second[::-1]
    image = _scene(rng, [(a, one), (b, other)], (first, second))
    return Item(image, f"a {a} {one} {true} a {b} {other}", f"a {a} {one} {wrong} a {b} {other}")


def _negation(rng: np.random.Generator) -> Item:
    (a, b), (one, other) = _two(rng, COLOURS), _two(rng, SIDES)
    both = bool(rng.random() < 0.5)
    image = _scene(rng, [(a, one), (b, other)] if both else [(a, one)])
    texts = (f"a {a} {one} with a {other}", f"a {a} {one} without a {other}")
    return Item(image, *(texts if both else texts[::-1]))


def _order(rng: np.random.Generator) -> Item:
    (a, b), (one, other) = _two(rng, COLOURS), _two(rng, SIDES)
    return Item(_scene(rng, [(a, one), (b, other)]), f"a {a} {one} and a {b} {other}", f"a {b} {one} and a {a} {other}")


PROBES: dict[str, Callable[[np.random.Generator], Item]] = {
    "shape": _shape, "colour": _colour, "number": _number, "relation": _relation, "negation": _negation,
    "word order": _order,
}  # fmt: skip


def _scene(
    rng: np.random.Generator, things: Sequence[tuple[str, str]], places: Sequence[tuple[float, float]] = ()
) -> Image.Image:
    """Things, (colour, shape), at places from 0 to 1, or where there is room, not over each other."""
    image = Image.new("RGB", (SIDE, SIDE), GROUND)
    draw = ImageDraw.Draw(image)
    cells = [(0.2 + 0.3 * x, 0.2 + 0.3 * y) for x in range(3) for y in range(3)]
    where = list(places) or [cells[i] for i in rng.permutation(len(cells))[: len(things)]]
    size = 0.12 if len(things) > 1 else 0.3
    where = [(0.5, 0.5)] if len(things) == 1 else where
    for (colour, shape), (x, y) in zip(things, where, strict=True):
        x, y, r = SIDE * x, SIDE * y, SIDE * size * (0.85 + 0.3 * rng.random())
        if shape == "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), COLOURS[colour])
            continue
        corners, turn = SIDES[shape], -pi / 2 + (pi / 4 if shape == "square" else 0)
        steps = 2 * corners if shape == "star" else corners
        reach = [r * (0.45 if shape == "star" and i % 2 else 1.0) for i in range(steps)]
        draw.polygon(
            [(x + d * cos(turn + 2 * pi * i / steps), y + d * sin(turn + 2 * pi * i / steps)) for i, d in enumerate(reach)],
            COLOURS[colour],
        )
    return image


def _pick(rng: np.random.Generator, among: Any) -> str:
    return str(rng.choice(list(among)))


def _two(rng: np.random.Generator, among: Any) -> tuple[str, str]:
    one, other = rng.choice(list(among), 2, replace=False)
    return str(one), str(other)
