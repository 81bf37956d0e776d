"""Spoiling a picture: ours against scikit-image and NumPy as ImageNet-C's own code uses them, at the same strength."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from skimage.color import hsv2rgb, rgb2hsv
from skimage.data import chelsea
from skimage.filters import gaussian

from clipcore.measure.corruptions import SIDE, corrupt, working_size

from .pairs import Row, timed_pair

OTHER = "the corruption as ImageNet-C computes it"


def run(quick: bool) -> list[Row]:
    """One photograph of 224 pixels, strength 3; each time is that of ten pictures."""
    image = working_size(Image.fromarray(chelsea()), SIDE)
    pixels = np.asarray(image) / 255

    def jpeg() -> object:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=15)
        return np.asarray(Image.open(buffer))

    def brightness() -> object:
        hsv = rgb2hsv(pixels)
        hsv[..., 2] = np.clip(hsv[..., 2] + 0.3, 0, 1)
        return hsv2rgb(hsv)

    others: dict[str, Callable[[], object]] = {
        "blur": lambda: np.clip(gaussian(pixels, sigma=3, channel_axis=-1), 0, 1),
        "noise": lambda: np.clip(pixels + np.random.default_rng(0).normal(size=pixels.shape, scale=0.18), 0, 1),
        "jpeg": jpeg,
        "brightness": brightness,
        "contrast": lambda: np.clip((pixels - pixels.mean((0, 1))) * 0.2 + pixels.mean((0, 1)), 0, 1),
    }

    def ten(call: Callable[[], object]) -> Callable[[], object]:
        return lambda: [call() for _ in range(10)]

    return [
        timed_pair(name, ten(lambda name=name: corrupt(image, name, 3)), ten(other), 3 if quick else 7)  # type: ignore[misc]
        for name, other in others.items()
    ]
