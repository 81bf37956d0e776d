"""A trained model made wider without being changed, so that what a small one learned quickly is the start of a larger one.

Net2Net (Chen et al., 2016, section 2.2): each new channel is a copy of an old one, and whatever read the old one reads a
share from each copy. The paper tells copies apart by noise; here the shares are unequal, which does so too, and leaves the
answers exactly as they were.
"""

from collections.abc import Mapping
from typing import Any

import torch

from .clip import build
from .start import Start


def widened(start: Start, tower: str, seed: int = 0) -> Start:
    """`start` with the image tower `tower`, a wider one of the same shape; the same pictures get the same vectors.

    Raises BadInput if there is no such tower, ValueError if it is not `start`'s tower with more channels.
    """
    vision = {**start.config["model_cfg"]["vision_cfg"], "timm_model_name": tower}
    config: dict[str, Any] = {**start.config, "model_cfg": {**start.config["model_cfg"], "vision_cfg": vision}}
    shapes = {name: weight.shape for name, weight in build(config).state_dict().items()}
    return Start(start.name, config, widen(start.weights, shapes, seed), start.tokenizer)


def widen(weights: Mapping[str, torch.Tensor], shapes: Mapping[str, torch.Size], seed: int = 0) -> dict[str, torch.Tensor]:
    """`weights` of a chain of convolutions, batch norms and linear layers, brought to `shapes` by copies of channels.

    Channel i of `new` is a copy of channel i % old everywhere, so that both ways into a sum agree on it. Dimension 1 is what
    a layer reads. Raises ValueError for other layers, or fewer channels.
    """
    if weights.keys() != shapes.keys():
        raise ValueError("widening needs the same layers")
    generator = torch.Generator().manual_seed(seed)
    wide = {}
    for name, weight in weights.items():
        for dim, (old, new) in enumerate(zip(weight.shape, shapes[name], strict=True)):
            if new < old:
                raise ValueError(f"{name} would lose channels")
            if new > old:
                copy_of = torch.arange(new) % old
                weight = weight.index_select(dim, copy_of)
                if dim == 1:
                    shares = _shares(len(weight), copy_of, generator)
                    weight = weight * shares.view(*shares.shape, *[1] * (weight.ndim - 2))
        wide[name] = weight
    return wide


def _shares(readers: int, copy_of: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    # [readers, new]: how much each reader takes from each copy; those of one channel add up to 1
    share = 0.5 + torch.rand(readers, len(copy_of), generator=generator)
    return share / torch.zeros_like(share).index_add_(1, copy_of, share)[:, copy_of]
