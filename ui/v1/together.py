"""Pictures of requests that come at the same time go through the model together.

A forward pass of eight pictures takes little longer than one of a single picture, and keeps all cores busy. Nobody waits for
company: whoever finds the model free takes all that wait by then, and computes for the others, too.
"""

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipcore.encoding.encoder import Encoder

MOST = 64  # pictures in a pass


class Together:
    """Forward passes that requests share. All calls come from worker threads, one for each request."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Encoder, Any, Future[np.ndarray]]] = deque()
        self._model = threading.Lock()

    def embed(self, encoder: "Encoder", pictures: "Sequence[Any]") -> np.ndarray:
        """Vectors [n, dim] of pictures that `encoder.prepare` has made ready."""
        rows: list[Future[np.ndarray]] = [Future() for _ in pictures]
        self._waiting.extend((encoder, picture, row) for picture, row in zip(pictures, rows, strict=True))
        while not all(row.done() for row in rows):
            with self._model:
                self._pass()
        return np.stack([row.result() for row in rows]) if rows else np.zeros((0, encoder.dim), np.float32)

    def _pass(self) -> None:
        """Compute for those who wait, oldest first, as many as one pass takes."""
        some: list[tuple[Encoder, Any, Future[np.ndarray]]] = []
        while self._waiting and len(some) < MOST:
            if some and self._waiting[0][0] is not some[0][0]:  # the model was changed just now
                break
            some.append(self._waiting.popleft())
        if not some:
            return
        try:
            vectors = some[0][0].embed_prepared([picture for _, picture, _ in some])
        except BaseException as error:
            for _, _, row in some:
                row.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, _, row), vector in zip(some, vectors, strict=True):
            row.set_result(vector)
