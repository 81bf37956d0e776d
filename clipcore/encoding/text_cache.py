"""Where the vectors of texts are kept, so that a prompt is encoded once."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np


class TextCache(Protocol):
    """Where text vectors are kept between calls, by text; `storage` has one that outlives the process."""

    def get_many(self, texts: Sequence[str]) -> dict[str, np.ndarray]: ...
    def put_many(self, vectors: Mapping[str, np.ndarray]) -> None: ...


class MemoryCache:
    """Text vectors of this process; forgets everything at `limit` texts rather than grow without end."""

    def __init__(self, limit: int = 200_000) -> None:
        self._vectors: dict[str, np.ndarray] = {}
        self._limit = limit

    def get_many(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        vectors = self._vectors  # the same one throughout, whatever another thread does
        return {text: vectors[text] for text in texts if text in vectors}

    def put_many(self, vectors: Mapping[str, np.ndarray]) -> None:
        if len(self._vectors) + len(vectors) > self._limit:
            self._vectors = {}
        self._vectors.update(vectors)
