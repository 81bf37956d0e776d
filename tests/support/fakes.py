"""A model whose answers can be worked out by hand: colour is meaning.

A picture's vector is its mean colour (red, green, blue) with a fourth number for grey, made unit length. A text's vector is
the sum of the colours it names. So "a photo of a red thing" is closest to red pictures, and every score can be checked
with pencil and paper.
"""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from clipcore import Space
from clipcore.encoding.text_cache import MemoryCache
from clipcore.pictures.reading import open_image

COLOURS = {"red": (1, 0, 0, 0), "green": (0, 1, 0, 0), "blue": (0, 0, 1, 0), "grey": (0, 0, 0, 1)}


class FakeEncoder:
    """Has what `clipcore.encoding.Encoder` has; `embedded` counts pictures, so that tests see what was not done twice."""

    def __init__(self, name: str = "fake", batch_size: int = 4, passes: int = 1) -> None:
        self.space = Space(f"{name}-key".ljust(64, "0"), name, 4)
        self.name = name
        self.dim = 4
        self.logit_scale = 10.0
        self.logit_bias = None
        self.batch_size = batch_size
        self.passes = passes
        self.device = SimpleNamespace(type="cpu")
        self.image_size = 8
        self.context_length = 77
        self.text_cache = MemoryCache()
        self.embedded = 0
        self.texts_encoded = 0

    def settle(self) -> None:
        """There is one engine only."""

    def prepare(self, image) -> np.ndarray:
        pixels = np.asarray(open_image(image), np.float32) / 255
        red, green, blue = pixels.reshape(-1, 3).mean(0)
        grey = min(red, green, blue)
        return np.array([red - grey, green - grey, blue - grey, grey + 1e-3], np.float32)

    def normalised(self, prepared: np.ndarray) -> np.ndarray:
        return prepared

    def use_one_thread(self) -> None:
        """There is nothing to share out here."""

    def embed_prepared(self, batch: Sequence[np.ndarray]) -> np.ndarray:
        self.embedded += len(batch)
        return unit(np.array(batch, np.float32).reshape(-1, 4))

    def embed_images(self, images) -> np.ndarray:
        return self.embed_prepared([self.prepare(image) for image in images])

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        known = dict(self.text_cache.get_many(list(texts)))
        fresh = {text: self._encode(text) for text in texts if text not in known}
        self.texts_encoded += len(fresh)
        if fresh:
            self.text_cache.put_many(fresh)
        known.update(fresh)
        return np.array([known[text] for text in texts], np.float32).reshape(-1, 4)

    def _encode(self, text: str) -> np.ndarray:
        total = np.full(4, 1e-3, np.float32)
        for colour, vector in COLOURS.items():
            total += np.array(vector, np.float32) * text.lower().count(colour)
        return unit(total[None])[0]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def photo(path: Path, colour: str | tuple[int, int, int], size: tuple[int, int] = (32, 24)) -> Path:
    """A picture of one colour; the format follows the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, {"green": (0, 255, 0)}.get(colour, colour)).save(path)  # CSS green is only half green
    return path
