"""A large picture brought to a model's size the quick way: torch's 8-bit resize takes a tenth of Pillow's time.

The answer is what open_clip's own transform would have made, to within rounding: same filter, same target size, same
place of every pixel. So that transform finds nothing left to scale, and crops and normalises as ever.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

Shrink = Callable[[Image.Image, tuple[int, int]], Image.Image]

LEAST = 2  # how many times larger a picture must be: below, Pillow is quick as well, and exact to the last bit
MODES = {"bicubic", "bilinear"}


def shrinker(preprocess: Any) -> Shrink | None:
    """What does the work of the Resize at the head of `preprocess`, open_clip's transform; None if it begins otherwise."""
    from torchvision import transforms

    resize = next(iter(getattr(preprocess, "transforms", ())), None)
    if not isinstance(resize, transforms.Resize) or resize.interpolation.value not in MODES:
        return None
    sides = [resize.size] if isinstance(resize.size, int) else list(resize.size)
    if len(sides) != 1:  # both sides are given: the picture is squashed
        return None
    side, mode = int(sides[0]), str(resize.interpolation.value)

    def shrink(image: Image.Image, full: tuple[int, int]) -> Image.Image:
        if min(image.size) < LEAST * side:
            return image
        short = min(full)
        width, height = (side if length == short else int(side * length / short) for length in full)
        return _resized(image, full, (width, height), mode)

    return shrink


def _resized(image: Image.Image, full: tuple[int, int], target: tuple[int, int], mode: str) -> Image.Image:
    """An RGB picture at the size `target`; `full` is its size in the file, from which a decoder may have reduced it."""
    import torch

    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]
    # A reduced decode of 683 rows at 1/8 has 86, and its last row covers only three: 86 rows are not the picture's height.
    reduced = [max(1, round(length / now)) for length, now in zip(full, image.size, strict=True)]
    exact = [length / step for length, step in zip(full, reduced, strict=True)]
    # The factor decides, not the rounded size; a hair more, lest rounding down loses a pixel.
    scale = [wanted / length * (1 + 1e-9) for wanted, length in zip(target, exact, strict=True)]
    small = torch.nn.functional.interpolate(
        pixels, scale_factor=scale[::-1], mode=mode, antialias=True, recompute_scale_factor=False
    )
    return Image.fromarray(small[0].permute(1, 2, 0).contiguous().numpy()).crop((0, 0, *target))
