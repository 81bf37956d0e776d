"""Which models there are, where they lie, whether they are right, and how one becomes an `Encoder`; see `loading`."""

from .catalogue import CURATED, ModelInfo, catalogue, describe
from .fetch import download_megabytes, iter_fetch, remove
from .loading import load, load_to_train, open_clip_model
from .locate import STARTER, STARTER_FOLDER, is_here

__all__ = [
    "CURATED",
    "STARTER",
    "STARTER_FOLDER",
    "ModelInfo",
    "catalogue",
    "describe",
    "download_megabytes",
    "is_here",
    "iter_fetch",
    "load",
    "load_to_train",
    "open_clip_model",
    "remove",
]
