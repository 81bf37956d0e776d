"""Ways to spoil a picture, in five strengths: those of ImageNet-C (Hendrycks and Dietterich, 2019) and some besides.

Every one is deterministic: the same picture, corruption and strength give the same result. Where a strength is a number of
pixels it goes with the picture's short side, which ImageNet-C fixed at 224, so that large and small pictures suffer alike.
"""

import hashlib
import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from ..errors import BadInput

STRENGTHS = (1, 2, 3, 4, 5)
SIDE = 224  # of the pictures for which ImageNet-C gives its strengths
WORD = "word"

Spoil = Callable[[Image.Image, int, np.random.Generator], Image.Image]


def corrupt(image: Image.Image, name: str, strength: int, word: str = "") -> Image.Image:
    """The RGB picture spoilt by the corruption `name` of CORRUPTIONS; `word` is what `word` pastes on it.

    Raises BadInput for a name or strength that does not exist.
    """
    if name not in CORRUPTIONS:
        raise BadInput(f"There is no corruption {name!r}; choose among {', '.join(CORRUPTIONS)}.")
    if strength not in STRENGTHS:
        raise BadInput(f"There is no strength {strength}; choose 1 to 5.")
    digest = hashlib.sha256(f"{name}/{strength}/{image.size}/".encode() + image.tobytes()).digest()
    chance = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    if name == WORD:
        return paste_word(image, word, strength, chance)
    return CORRUPTIONS[name](image, strength - 1, chance)


def working_size(image: Image.Image, side: int) -> Image.Image:
    """The picture with its short side at most `side` pixels: what the model sees, and quick to spoil many times."""
    share = side / min(image.size)
    if share >= 1:
        return image
    return image.resize([max(1, round(share * length)) for length in image.size], Image.Resampling.LANCZOS)


def paste_word(image: Image.Image, word: str, strength: int, chance: np.random.Generator) -> Image.Image:
    """A white label with a word on it: the typographic attack of Goh et al. (2021), which a model that reads believes."""
    if not word:
        raise BadInput("There is no word to paste on the pictures; give one, such as the name of another class.")
    spoilt = image.copy()
    size = max(6.0, (0.08, 0.12, 0.17, 0.23, 0.3)[strength - 1] * min(image.size))
    left, top, right, bottom = ImageFont.load_default(size).getbbox(word)
    size *= min(1.0, 0.95 * image.width / (right - left + 0.4 * size))
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(word)
    margin = 0.2 * size
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x, y = (chance.uniform(0, max(0.0, room)) for room in (image.width - width, image.height - height))
    draw = ImageDraw.Draw(spoilt)
    draw.rectangle((x, y, x + width, y + height), fill="white")
    draw.text((x + margin - left, y + margin - top), word, fill="black", font=font)
    return spoilt


def _blur(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur((1, 2, 3, 4, 6)[level] * min(image.size) / SIDE))


def _noise(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    from skimage.util import random_noise  # late: it takes scipy along

    variance = (0.08, 0.12, 0.18, 0.26, 0.38)[level] ** 2
    return _picture(random_noise(np.asarray(image), "gaussian", rng=chance, var=variance))


def _jpeg(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=(25, 18, 15, 10, 7)[level])
    return Image.open(buffer, formats=("JPEG",)).convert("RGB")


def _brightness(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    # More value in HSV space, hue and saturation kept, which is a factor for each pixel; black has no hue and turns grey.
    pixels = np.asarray(image, np.float32) / 255
    value = pixels.max(-1, keepdims=True)
    brighter = np.minimum(value + (0.1, 0.2, 0.3, 0.4, 0.5)[level], 1)
    return _picture(np.where(value > 0, pixels * (brighter / np.maximum(value, 1e-6)), brighter))


def _contrast(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, np.float32) / 255
    mean = pixels.mean((0, 1))
    return _picture((pixels - mean) * (0.4, 0.3, 0.2, 0.1, 0.05)[level] + mean)


def _rotation(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    mean = tuple(int(channel) for channel in np.asarray(image).mean((0, 1)))
    return image.rotate((15, 30, 60, 90, 180)[level], Image.Resampling.BICUBIC, fillcolor=mean)


def _crop(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    share = (0.9, 0.75, 0.6, 0.45, 0.3)[level]
    width, height = (max(1, round(share * length)) for length in image.size)
    x, y = int(chance.integers(image.width - width + 1)), int(chance.integers(image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def _occlusion(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    side = (0.05, 0.1, 0.2, 0.35, 0.5)[level] ** 0.5  # the share of the area
    width, height = (max(1, round(side * length)) for length in image.size)
    x, y = int(chance.integers(image.width - width + 1)), int(chance.integers(image.height - height + 1))
    spoilt = image.copy()
    spoilt.paste((127, 127, 127), (x, y, x + width, y + height))
    return spoilt


def _pixelation(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    # ImageNet-C's 0.6 to 0.25 of 224 pixels, whatever the picture has
    side = (0.6, 0.5, 0.4, 0.3, 0.25)[level] * min(SIDE, min(image.size))
    share = side / min(image.size)
    small = image.resize([max(1, round(share * length)) for length in image.size], Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _greyscale(image: Image.Image, level: int, chance: np.random.Generator) -> Image.Image:
    return ImageEnhance.Color(image).enhance((0.8, 0.6, 0.4, 0.2, 0.0)[level])


def _picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(values, 0, 1) * 255).round().astype(np.uint8))


CORRUPTIONS: Mapping[str, Spoil] = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "brightness": _brightness,
    "contrast": _contrast,
    "rotation": _rotation,
    "crop": _crop,
    "occlusion": _occlusion,
    "pixelation": _pixelation,
    "greyscale": _greyscale,
    WORD: lambda image, level, chance: paste_word(image, "iPod", level + 1, chance),  # what Goh et al. wrote
}
