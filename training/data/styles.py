"""Photographs made into drawings, paintings and grey pictures, so that a model that only ever saw photographs is not lost
when it meets the others.

What a class keeps across such styles is its shape; a model trained on photographs alone leans on texture (Geirhos et al.,
2019, "ImageNet-trained CNNs are biased towards texture").
"""

import numpy as np
import torch
import torch.nn.functional as F

GREY = (0.299, 0.587, 0.114)


def restyle(x: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    """About a `share` of the pictures [n, 3, h, w] (floats, 0-255) redrawn in place, in equal parts grey, as a drawing, as a
    painting and as a cartoon; the rest as they are."""
    styles = (grey, drawing, painting, cartoon)
    which = np.where(rng.random(len(x)) < share, rng.integers(len(styles), size=len(x)), -1)
    for i, style in enumerate(styles):
        if len(rows := np.flatnonzero(which == i)):
            x[torch.from_numpy(rows)] = style(x[rows], rng)
    return x


def grey(x: torch.Tensor, rng: np.random.Generator | None = None) -> torch.Tensor:
    """Without colour; still three channels."""
    weights = torch.tensor(GREY, device=x.device).view(1, 3, 1, 1)
    return (x * weights).sum(1, keepdim=True).expand_as(x)


def drawing(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Dark lines on white paper where the picture has edges; the softest ones are left out."""
    return 255 * (1 - _edges(x, faint=rng.uniform(0.05, 0.3))).expand_as(x)


def painting(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Broad strokes in few, stronger colours."""
    strokes = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    plain = grey(strokes)
    strokes = (plain + rng.uniform(1.2, 2.0) * (strokes - plain)).clamp(0, 255)
    step = 255 / int(rng.integers(3, 8))
    return (strokes / step).round() * step


def cartoon(x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A painting with its outlines drawn."""
    return painting(x, rng) * (1 - _edges(x, faint=rng.uniform(0.2, 0.4)))


def _edges(x: torch.Tensor, faint: float) -> torch.Tensor:
    # [n, 1, h, w], 0 to 1: how steep the grey picture is, where the steepest place of each picture is 1
    plain = F.pad(grey(x)[:, :1], (1, 1, 1, 1), mode="replicate")
    across = plain[:, :, 1:-1, 2:] - plain[:, :, 1:-1, :-2]
    down = plain[:, :, 2:, 1:-1] - plain[:, :, :-2, 1:-1]
    steep = (across**2 + down**2).sqrt()
    steep = steep / steep.amax((2, 3), keepdim=True).clamp(min=1)
    return ((steep - faint) / (0.6 - faint)).clamp(0, 1)
