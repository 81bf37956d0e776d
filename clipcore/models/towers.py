"""Small image towers of our own, known to timm by name, so that open_clip builds them from a config like any other tower.

`"vision_cfg": {"timm_model_name": "sayso_resnet9_w32", "timm_pool": "", "timm_proj": "linear", "image_size": 64}` is all a
config needs, once `register()` has been called.
"""

from collections.abc import Callable
from typing import Any

import torch
from timm.models import is_model, register_model
from torch import nn

WIDTHS = (16, 24, 32, 48, 64)  # channels of the first layer; the last has eight times as many


class SaysoResNet9(nn.Module):
    """A nine-layer residual network for pictures of 32 to 96 pixels, after the fast CIFAR networks.

    The stem folds each 2 x 2 patch of pixels into channels, which loses nothing; from there the grid is halved only three
    times. Networks that quarter so small a picture at once learn several times more slowly. Any side divisible by 16
    works, with the same weights.
    """

    def __init__(self, width: int = 32, num_classes: int = 0, in_chans: int = 3) -> None:
        super().__init__()
        self.num_features = 8 * width
        self.pretrained_cfg = self.default_cfg = {"input_size": (in_chans, 64, 64), "pool_size": None}
        self.features = nn.Sequential(
            nn.PixelUnshuffle(2),
            convolution(4 * in_chans, width),
            convolution(width, 2 * width),
            nn.MaxPool2d(2),
            Residual(2 * width),
            convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            convolution(4 * width, 8 * width),
            nn.MaxPool2d(2),
            Residual(8 * width),
        )
        # averages of rectified features all point the same way; centred, they start out as different as the pictures are
        self.norm = nn.BatchNorm1d(self.num_features)
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """timm's way to change or remove (0) the last layer."""
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, side, side] to features [n, 8 * width]."""
        return self.head(self.norm(self.features(x).mean((2, 3))))


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(convolution(channels, channels), convolution(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape out as in."""
        return x + self.layers(x)


def convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    """3 x 3, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def register() -> None:
    """Make the towers known to timm, as `sayso_resnet9_w<width>`. Calling it again does nothing."""
    for width in WIDTHS:
        if not is_model(f"sayso_resnet9_w{width}"):
            register_model(_entry_point(width))


def _entry_point(width: int) -> Callable[..., SaysoResNet9]:
    def build(num_classes: int = 0, in_chans: int = 3, **_: Any) -> SaysoResNet9:
        # timm passes its own book-keeping (pretrained_cfg, cache_dir, ...), none of which a tower without a hub page needs
        return SaysoResNet9(width, num_classes, in_chans)

    build.__name__ = f"sayso_resnet9_w{width}"
    return build
