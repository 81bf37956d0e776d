"""What is known of how a model must be loaded and must answer, for the self-test: where it is, nothing has to be guessed.

The starter's own scores on the known photographs stand beside its weights, and open_clip says with which colours, shape and
activation the models of its tags were trained. `python -m clipcore.models.selftest_known` writes the starter's anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError
from ..pictures.photographs import PHOTOGRAPHS, photograph_file
from ..pictures.reading import open_image
from ..plain import read_json
from . import locate as places
from .locate import split_name

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

FILE = "selftest.json"
SAME = 0.03  # by which a cosine may differ: what half precision and another JPEG decoder change is a third of it
PARTS = {"colours": ("mean", "std"), "shape": ("resize_mode", "interpolation")}


def known_pairs() -> tuple[list[Any], list[str]]:
    """Two views and two captions of each known photograph, in order. Raises ModelError where the pictures are missing."""
    known = [photograph for photograph in PHOTOGRAPHS if photograph_file(photograph).is_file()]
    if len(known) < len(PHOTOGRAPHS) // 2:
        raise ModelError("The known pictures are missing; install scikit-image again.")
    views = [view for photograph in known for view in _views(open_image(photograph_file(photograph)))]
    return views, [f"a photo of {caption}." for photograph in known for caption in photograph.captions]


def _views(image: Any) -> list[Any]:
    """The picture, and its middle."""
    width, height = image.size
    side = int(min(width, height) * 0.8)
    left, top = (width - side) // 2, (height - side) // 2
    return [image, image.crop((left, top, left + side, top + side))]


def scores(pictures: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Cosines [n, n] of the mean views with the mean captions of n photographs, both given as [2 n, dim]."""
    views, captions = (vectors.reshape(len(vectors) // 2, 2, -1).mean(1) for vectors in (pictures, texts))
    return views @ captions.T


def reference(space_key: str) -> np.ndarray | None:
    """The scores that a model must give, by its space; None for all but the starter."""
    try:
        kept = read_json(places.STARTER_FOLDER / FILE)
        return np.array(kept["scores"]) if kept["space"] == space_key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def off(space_key: str, found: np.ndarray) -> float | None:
    """By how much scores [n, n] differ from the reference, at most; None where there is none for these photographs."""
    known = reference(space_key)
    return float(np.abs(known - found).max()) if known is not None and known.shape == found.shape else None


@dataclass(frozen=True)
class Published:
    """How a model is loaded beside how open_clip says that it was trained. `right` are the checks that need no photographs
    ("activation", "colours", "shape"), `wrong` says of others what is different."""

    right: frozenset[str] = frozenset()
    wrong: Mapping[str, str] = field(default_factory=dict)


def as_published(name: str, model: Any, activation: str, preprocess: Any = None) -> Published:
    """A model of open_clip's beside what open_clip says of it; nothing is known of others. `activation` is the one that it
    has: QuickGELU, GELU or ""; `preprocess` what prepares pictures, which may be another one than the model's own."""
    import open_clip

    architecture, tag = split_name(name)
    said: Mapping[str, Any] = open_clip.get_pretrained_cfg(architecture, tag) or {} if tag else {}
    if not said:
        return Published()
    config = {**open_clip.model.get_model_preprocess_cfg(model), **_prepares(preprocess)}
    right, wrong = set(), {}
    for check, parts in PARTS.items():
        other = [part for part in parts if part in said and not _equal(said[part], config[part])]
        if other:
            wrong[check] = ", ".join(f"{part} {_shown(config[part])} instead of {_shown(said[part])}" for part in other)
        elif all(part in said for part in parts):
            right.add(check)
    quick = bool(said.get("quick_gelu") or (open_clip.get_model_config(architecture) or {}).get("quick_gelu"))
    if activation and quick == (activation == "QuickGELU"):
        right.add("activation")
    return Published(frozenset(right), wrong)


def _prepares(preprocess: Any) -> dict[str, Any]:
    """What torchvision's steps tell of themselves: how they scale, mean and deviation."""
    found: dict[str, Any] = {}
    for step in getattr(preprocess, "transforms", ()):
        if (way := getattr(step, "interpolation", None)) is not None:
            found.setdefault("interpolation", getattr(way, "value", way))
        if hasattr(step, "mean") and hasattr(step, "std"):
            found |= {"mean": step.mean, "std": step.std}
    return found


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "/".join(f"{float(one):.2f}" for one in value)


def _equal(said: Any, found: Any) -> bool:
    if isinstance(said, str) or isinstance(found, str):
        return said == found
    return bool(np.allclose(said, found, atol=1e-4))


def write(encoder: "Encoder") -> None:
    """Keep the scores of the starter as it is now beside its weights."""
    views, captions = known_pairs()
    found = scores(encoder.embed_images(views), encoder.embed_texts(captions))
    kept = {"space": encoder.space.key, "scores": np.round(found.astype(np.float64), 4).tolist()}
    (places.STARTER_FOLDER / FILE).write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    from .loading import load

    write(load("starter", "cpu", "fp32"))
