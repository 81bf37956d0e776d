"""Image towers of our own, known to timm by name, so that open_clip builds them from a config like any other tower.

`"vision_cfg": {"timm_model_name": "sayso_resnet9_w32", "timm_pool": "", "timm_proj": "linear", "image_size": 64}` is all a
config needs, once `register()` has been called; for a classifier that became a tower,
`"sayso_named_1000_efficientnet_lite2"` with `"timm_proj": ""`, and `register` needs to be told the name.
"""

from collections.abc import Callable, Mapping
from typing import Any

import timm
import torch
from timm.models import is_model, register_model
from torch import nn

WIDTHS = (16, 24, 32, 48, 64)  # channels of the first layer; the last has eight times as many
NAMED = "sayso_named_"  # followed by how many names the classifier knows, and what timm calls it


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


class NamedTower(nn.Module):
    """A classifier that answers in the space of texts: what it knows by name, and what it sees besides.

    The probabilities of its names, times a table that holds a vector for each (ConSE: Norouzi et al., 2014), and a linear
    map of its features for all that has no name among them. With the names' own text vectors for a table and nothing for a
    rest it needs no training; training moves both.

    names: how many the classifier knows; dim: of the space. `trunk` is timm's, without its classifier.
    """

    def __init__(self, trunk: str, names: int, dim: int, in_chans: int = 3) -> None:
        super().__init__()
        made: Any = timm.create_model(trunk, pretrained=False, num_classes=0, in_chans=in_chans)
        self.trunk: Any = made
        self.num_features, self.num_classes = int(made.num_features), dim
        self.pretrained_cfg = self.default_cfg = {**made.default_cfg, "pool_size": None}
        self.classes = nn.Linear(self.num_features, names)
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.table = nn.Parameter(torch.zeros(names, dim))
        self.norm = nn.BatchNorm1d(self.num_features, affine=False)  # what training sees is centred; never learns by itself
        self.rest = nn.Linear(self.num_features, dim)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, h, w] to the trunk's features [n, num_features]."""
        return self.trunk(x)

    def join(self, features: torch.Tensor) -> torch.Tensor:
        """Features [n, num_features] to vectors [n, dim], of any length."""
        logits = self.classes(features)
        known = (logits / self.log_temperature.exp()).softmax(1)
        unnamed = 1 - logits.softmax(1).amax(1, keepdim=True)  # what is surely known by name needs no rest
        return known @ self.table + unnamed * self.rest(self.norm(features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, h, w] to vectors [n, dim]."""
        return self.join(self.features(x))


def register(*names: str) -> None:
    """Make the towers known to timm: `sayso_resnet9_w<width>`, and those of `names` that are `sayso_named_<names>_<trunk>`.

    Calling it again does nothing.
    """
    for width in WIDTHS:
        if not is_model(f"sayso_resnet9_w{width}"):
            register_model(_entry_point(width))
    for name in names:
        if name.startswith(NAMED) and not is_model(name):
            register_model(_named(name))


def register_for(config: Mapping[str, Any]) -> None:
    """`register` what a model config of open_clip's (`vision_cfg` among its keys) asks for."""
    register(str(config["vision_cfg"].get("timm_model_name", "")))


def _named(name: str) -> Callable[..., NamedTower]:
    count, _, trunk = name.removeprefix(NAMED).partition("_")

    def build(num_classes: int = 0, in_chans: int = 3, **_: Any) -> NamedTower:
        return NamedTower(trunk, int(count), num_classes, in_chans)

    build.__name__ = name
    build.__module__ = __name__
    return build


def _entry_point(width: int) -> Callable[..., SaysoResNet9]:
    def build(num_classes: int = 0, in_chans: int = 3, **_: Any) -> SaysoResNet9:
        # timm passes its own book-keeping (pretrained_cfg, cache_dir, ...), none of which a tower without a hub page needs
        return SaysoResNet9(width, num_classes, in_chans)

    build.__name__ = f"sayso_resnet9_w{width}"
    return build
