"""Whether test pictures were taught, or nearly: then an accuracy is too good.

What a classifier was taught may be in the library; one that was taught from a folder carries a sketch of it among its
metrics, because the folder may be gone, and its pictures were never the library's.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..classify.classifier import Classifier
from ..classify.examples import Examples
from ..errors import BadInput

# Cosine from which on a test picture counts as nearly one that was taught. With an unfinished starter it finds all of 300
# photos resaved as JPEG of quality 60 and 87 % of those that lost a twentieth of their width and height, but few of those
# at half the size; of 700 unrelated photos (Flickr8k) none is so close to another.
ALIKE = 0.97
BITS = 512  # of a vector's sketch: on which side of as many planes through the origin it lies (Charikar, 2002)
# Planes that may lie between two vectors of a cosine of ALIKE: 40 are expected, and their spread is 6. At a cosine of 0.9
# it is 74 with a spread of 8: so few come about in 1 of 1,000 pairs.
APART = 50
DIGITS = 16  # of a content hash
MOST_SKETCHED = 20_000  # pictures, 2 MB of text
TAUGHT = "taught"  # the sketch's name among a classifier's metrics


@dataclass(frozen=True)
class Leaks:
    """Test pictures that a classifier has learned from: `same` by content, `near` with a cosine of at least `threshold`."""

    same: tuple[int, ...]
    near: tuple[int, ...]
    n: int
    threshold: float

    def __bool__(self) -> bool:
        return bool(self.same or self.near)

    @property
    def sentence(self) -> str:
        """A warning, or nothing."""
        if not self:
            return ""
        parts = [f"{len(self.same):,} were taught"] if self.same else []
        parts += [f"{len(self.near):,} look nearly like one that was taught"] if self.near else []
        return (
            f"Of these {self.n:,} images {' and '.join(parts)}: the accuracy is too good. Measure on images it has not seen."
        )


def find_leaks(test: Examples, taught: Examples, classifier: Classifier | None = None, threshold: float = ALIKE) -> Leaks:
    """Test pictures that were taught, or nearly: by `taught`, and by the sketch that `classifier` carries.

    Raises SpaceMismatch if the two live in different spaces.
    """
    test.space.require(taught.space, "What was taught")
    sketch = classifier.metrics.get(TAUGHT) if classifier else None
    hashes = {key[:DIGITS] for key in taught.keys} | set(sketch["keys"] if sketch else ())
    same = [i for i, key in enumerate(test.keys) if key[:DIGITS] in hashes]
    close = {*_close(test.embeddings, taught.embeddings, threshold), *(_alike(test.embeddings, sketch) if sketch else ())}
    return Leaks(tuple(same), tuple(sorted(close - set(same))), len(test), threshold)


def sketch_of(examples: Examples) -> dict[str, Any]:
    """What a classifier taught from a folder keeps of it: from each picture a part of its content hash, and a sketch of its
    vector from which no picture can be made again. Raises BadInput for more pictures than it is good for."""
    if len(examples) > MOST_SKETCHED:
        raise BadInput(f"A sketch of {len(examples):,} pictures is too large; at most {MOST_SKETCHED:,} fit.")
    code = np.packbits(_sides(examples.embeddings), axis=1)
    return {"keys": [key[:DIGITS] for key in examples.keys], "sketch": base64.b64encode(code.tobytes()).decode()}


def _sides(X: np.ndarray) -> np.ndarray:
    planes = np.random.default_rng(0).standard_normal((X.shape[1], BITS), np.float32)
    return X @ planes > 0


def _alike(X: np.ndarray, sketch: Mapping[str, Any], block: int = 1024) -> list[int]:
    code = np.frombuffer(base64.b64decode(sketch["sketch"]), np.uint8).reshape(-1, BITS // 8)
    known = 2.0 * np.unpackbits(code, axis=1).astype(np.float32) - 1
    mine = 2.0 * _sides(X).astype(np.float32) - 1
    least = BITS - 2 * APART  # the product of two such rows is the planes on which they agree less the others
    return [
        int(start + row)
        for start in range(0, len(mine), block)
        for row in np.flatnonzero((mine[start : start + block] @ known.T).max(1, initial=-BITS) >= least)
    ]


def _close(X: np.ndarray, Y: np.ndarray, threshold: float, block: int = 1024) -> Sequence[int]:
    if not len(Y):
        return ()
    found = [
        start + np.flatnonzero((X[start : start + block] @ Y.T).max(1) >= threshold) for start in range(0, len(X), block)
    ]
    return np.concatenate(found).tolist() if found else ()
