"""Batch norms folded into the convolutions before them: with fixed statistics each is a scale and a shift, which weights can
hold.

On one core EfficientNet-Lite2 embeds a quarter more pictures so, for its time goes into reading and writing activations.
"""

import copy
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

EXACT = 1e-3  # of the length of a vector: what rounding may change


def folded(visual: nn.Module, pictures: torch.Tensor) -> nn.Module:
    """A copy of an image tower in which batch norms are folded away; the tower itself where there are none, or where the
    copy would answer otherwise on `pictures` (its input, [n, 3, h, w]).

    A convolution and a batch norm belong together if they are neighbours among a module's parts, which is how networks are
    written and not how they must be: hence the trial.
    """
    pairs = [pair for module in visual.modules() for pair in _neighbours(module)]
    if not pairs or visual.training:
        return visual
    made = copy.deepcopy(visual)
    for module in list(made.modules()):
        for first, second in list(_neighbours(module)):
            conv, norm = getattr(module, first), getattr(module, second)
            weights = fuse_conv_bn_weights(
                conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            )
            conv.weight, conv.bias = weights
            setattr(module, second, _after(norm))
    with torch.no_grad():
        before, after = visual(pictures), made(pictures)
    return made if bool((before - after).norm() <= EXACT * before.norm()) else visual


def fold_while_learning(trunk: nn.Module) -> nn.Module:
    """The same for a tower that learns with the statistics of its batch norms as they are: the module itself, its weights
    where they were, each convolution scaled by its norm as it is used. Copy a module before, not after."""
    for module in trunk.modules():
        for first, second in _neighbours(module):
            conv, norm = getattr(module, first), getattr(module, second)
            conv.forward = partial(_scaled, conv, norm)
            norm.forward = _after(norm).forward  # a module itself would be taken for a part of it
    return trunk


def _scaled(conv: Any, norm: Any, x: torch.Tensor) -> torch.Tensor:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * scale
    if conv.bias is not None:
        bias = bias + conv.bias * scale
    padding = conv.padding
    if isinstance(conv, Conv2dSame):  # TensorFlow's padding depends on the picture
        x, padding = pad_same(x, list(conv.kernel_size), list(conv.stride), list(conv.dilation)), (0, 0)
    return F.conv2d(x, conv.weight * scale[:, None, None, None], bias, conv.stride, padding, conv.dilation, conv.groups)


def _neighbours(module: nn.Module) -> list[tuple[str, str]]:
    parts = list(module.named_children())
    return [
        (first, second)
        for (first, conv), (second, norm) in pairwise(parts)
        if isinstance(conv, nn.Conv2d) and _is_norm(norm) and conv.out_channels == norm.num_features
    ]


def _is_norm(module: Any) -> bool:
    return isinstance(module, nn.BatchNorm2d) and module.track_running_stats and module.affine


def _after(norm: Any) -> nn.Module:
    """What a norm did besides: timm's have an activation, too."""
    rest = [part for part in (getattr(norm, "drop", None), getattr(norm, "act", None)) if part is not None]
    return nn.Sequential(*(part for part in rest if not isinstance(part, nn.Identity)))
