"""Pictures as torch tensors, the way torchvision hands them around, become arrays that are read like any other picture."""

import numpy as np
import torch

from ..errors import BadImage


def as_array(picture: torch.Tensor) -> np.ndarray:
    """uint8 [h, w, 3] of a tensor [3, h, w] or [1, h, w]: uint8, or floats from 0 to 1.

    Raises BadImage for another shape, and for floats outside 0 to 1: normalised pictures go to `Encoder.embed_prepared`.
    """
    if picture.ndim != 3 or picture.shape[0] not in (1, 3) or 0 in picture.shape:
        raise BadImage(f"A tensor of shape {list(picture.shape)} is no picture; give channels first: [3, height, width].")
    picture = picture.detach().cpu()
    if picture.dtype != torch.uint8:
        if not picture.is_floating_point() or not bool(((picture >= 0) & (picture <= 1)).all()):
            raise BadImage(
                "A picture's numbers must be uint8, or floats from 0 to 1; give normalised ones to embed_prepared."
            )
        picture = (picture.float() * 255).round().to(torch.uint8)
    return np.ascontiguousarray(picture.expand(3, -1, -1).permute(1, 2, 0).numpy())
