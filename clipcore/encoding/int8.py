"""The image tower of a vision transformer in 8-bit integers, for processors without a faster way.

Weights are rounded once, each output channel on a scale of its own; activations as they come, each token on its own (dynamic
quantization; Yao et al., 2022, "ZeroQuant", section 4.1). Products are summed in 32 bits, and all between the linear layers
stays in float32. ViT-B-32 takes two thirds of bf16's time on
cores that have no matrix units for either.

What it changes was measured on random weights (cosine 0.9999); a trained tower has outliers that random ones lack. So it is
asked for and never chosen, and `quantized` compares both towers before it hands one out.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import BadInput

LEAST_COSINE = 0.999  # of each picture's vector with the exact one
LEAST_OWN_COSINE = 0.99  # the same without what all pictures have in common, which would hide a difference


class Int8Linear(nn.Module):
    """A linear layer; its weights become int8, [in, out], with a scale for each output."""

    weight: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        weight = weight.detach().float()
        scale = (weight.abs().amax(1) / 127).clamp_min(1e-12)
        self.register_buffer("weight", (weight / scale[:, None]).round().to(torch.int8).t())
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if bias is None else bias.detach().float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.reshape(-1, x.shape[-1])
        largest = torch.maximum(rows.amax(1, keepdim=True), -rows.amin(1, keepdim=True))
        scale = (largest / 127).clamp_min(1e-12)
        sums = torch._int_mm((rows * (1 / scale)).round_().to(torch.int8), self.weight)
        y = sums * scale  # in place from here on: every pass over it counts
        y = y.mul_(self.scale) if self.bias is None else torch.addcmul(self.bias, y, self.scale, out=y)
        return y.reshape(*x.shape[:-1], -1)


class Int8Attention(nn.Module):
    """What `nn.MultiheadAttention` does for a picture's own tokens: batch first, no mask, no weights asked for."""

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads = attention.num_heads
        self.inner = Int8Linear(attention.in_proj_weight, attention.in_proj_bias)
        self.outer = Int8Linear(attention.out_proj.weight, attention.out_proj.bias)

    def forward(self, x: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor, None]:
        q, k, v = self.inner(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.outer(mixed), None


@torch.no_grad()
def quantized(visual: nn.Module, pictures: torch.Tensor) -> nn.Module:
    """A copy of an image tower in float32 with its linear layers in int8. It has to agree on `pictures` [n, 3, h, w].

    Raises BadInput for a tower that is no transformer, or whose vectors change too much.
    """
    from open_clip.transformer import ResidualAttentionBlock

    made = copy.deepcopy(visual)
    for block in [module for module in made.modules() if isinstance(module, ResidualAttentionBlock)]:
        if not hasattr(block, "ln_1_kv") and block.attn.batch_first and block.attn.in_proj_weight is not None:
            block.attn = Int8Attention(block.attn)
    for module in list(made.modules()):
        for name, layer in module.named_children():
            if type(layer) is nn.Linear:
                setattr(module, name, Int8Linear(layer.weight, layer.bias))
    small = sum(module.weight.numel() for module in made.modules() if isinstance(module, Int8Linear))
    if 2 * small < sum(weight.numel() for weight in visual.parameters()):
        raise BadInput("The precision int8 is for vision transformers, which this model is not; leave it at auto.")
    exact, close = (F.normalize(vectors_of(tower, pictures), dim=-1) for tower in (visual, made))
    own = F.cosine_similarity(exact - exact.mean(0), close - close.mean(0))
    if not ((exact * close).sum(1).min() >= LEAST_COSINE and own.min() >= LEAST_OWN_COSINE):  # also where it is no number
        raise BadInput("The precision int8 would change this model's answers; leave it at auto.")
    return made


def vectors_of(visual: Callable[[torch.Tensor], Any], pictures: torch.Tensor) -> torch.Tensor:
    """What an image tower says of pictures [n, 3, h, w], float32 [n, dim]; a CoCa tower gives its tokens too."""
    found = visual(pictures)
    return (found[0] if isinstance(found, tuple) else found).float()
