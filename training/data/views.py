"""Worse views of a picture: small, drawn, painted, grey, in other light. What a tower should see in them is what it sees in
the picture itself.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from .styles import cartoon, drawing, grey, painting

SIDES = (32, 32, 48, 64, 96)  # to which pictures are shrunk, and back
PAPER = (64, 96, 128)  # sides at which larger pictures are drawn: the smaller, the thicker are the lines
STYLES, ODDS = (drawing, painting, cartoon, grey), (0.45, 0.15, 0.15, 0.25)
INVERTED = 0.2  # of the drawings and grey pictures: light on dark
RELIT = 0.5  # of all pictures


def resized(x: torch.Tensor, side: int) -> torch.Tensor:
    """Pictures [n, 3, h, w] (floats, 0-255) at [n, 3, side, side]."""
    if x.shape[-2:] == (side, side):
        return x
    return F.interpolate(x, (side, side), mode="bicubic", antialias=True).clamp(0, 255)


def worsened(
    pictures: Sequence[np.ndarray], side: int, rng: np.random.Generator, shrunk: float = 0.35, restyled: float = 0.35
) -> torch.Tensor:
    """uint8 pictures [h, w, 3], of any sizes, as floats [n, 3, side, side], 0-255: a share `restyled` of them drawn, painted
    or grey, a share `shrunk` of the others made small first, all of them perhaps mirrored and in other light."""
    return torch.cat([_worsened(picture, side, rng, shrunk, restyled) for picture in pictures])


def _worsened(picture: np.ndarray, side: int, rng: np.random.Generator, shrunk: float, restyled: float) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
    if rng.random() < 0.5:
        x = x.flip(3)
    if rng.random() < restyled:
        x = _restyled(x, side, rng)
    elif rng.random() < shrunk:
        x = resized(x, int(rng.choice(SIDES)))
    if rng.random() < RELIT:
        x = ((x - 128) * rng.uniform(0.75, 1.25) + 128 + rng.normal(0, 12)).clamp(0, 255)
    return resized(x, side)


def _restyled(x: torch.Tensor, side: int, rng: np.random.Generator) -> torch.Tensor:
    if x.shape[-2] > PAPER[0]:
        x = resized(x, int(rng.choice((*PAPER, side))))
        if x.shape[-1] > PAPER[0] and rng.random() < 0.5:  # without the finest lines
            x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    style = STYLES[int(rng.choice(len(STYLES), p=ODDS))]
    x = style(x, rng).contiguous()
    return 255 - x if style in (drawing, grey) and rng.random() < INVERTED else x
