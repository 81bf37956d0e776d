"""Pictures of requests that come at the same time share the cores, and forward passes of the model.

Each core has one thread, which decodes a picture or computes a pass by itself: two passes of eight side by side take less
time than one of sixteen on two cores, and meanwhile other requests are read and answered. Nobody waits for company: a pass
takes those who wait when a core is free for it. A request that is alone has all cores for its pass.
"""

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clipcore.encoding.encoder import Encoder

MOST = 64  # pictures in a pass


class Together:
    """Decoding and forward passes that requests share. All calls come from worker threads, one for each request."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Encoder, Any, Future[np.ndarray]]] = deque()
        self._asking = 0  # requests that are in `embed`
        self._lock = threading.Lock()
        self._cores: ThreadPoolExecutor | None = None

    def do(self, encoder: "Encoder", work: "Callable[[], Any]") -> "Future[Any]":
        """Something to be done once a core is free for it, such as making a picture ready for `encoder`."""
        return self._pool(encoder).submit(work)

    def _pool(self, encoder: "Encoder") -> ThreadPoolExecutor:
        """One thread for each core, in each of which torch computes alone."""
        with self._lock:
            if self._cores is None:
                self._cores = ThreadPoolExecutor(os.cpu_count() or 1, "request", encoder.use_one_thread)
            return self._cores

    def embed(self, encoder: "Encoder", pictures: "Sequence[Any]") -> np.ndarray:
        """Vectors [n, dim] of pictures that `encoder.prepare` has made ready."""
        with self._lock:
            self._asking += 1
            is_alone = self._asking == 1
        try:
            if is_alone:
                return encoder.embed_prepared(pictures)
            rows: list[Future[np.ndarray]] = [Future() for _ in pictures]
            pool = self._pool(encoder)
            self._waiting.extend((encoder, picture, row) for picture, row in zip(pictures, rows, strict=True))
            for _ in range(-(-len(pictures) // _size(encoder))):  # enough for these, whoever of those who wait gets them
                pool.submit(self._pass)
            return np.stack([row.result() for row in rows]) if rows else np.zeros((0, encoder.dim), np.float32)
        finally:
            with self._lock:
                self._asking -= 1

    def _pass(self) -> None:
        """Compute for those who wait, oldest first, as many as one pass takes."""
        some: list[tuple[Encoder, Any, Future[np.ndarray]]] = []
        with self._lock:
            while self._waiting and len(some) < (_size(some[0][0]) if some else 1):
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


def _size(encoder: "Encoder") -> int:
    return min(MOST, encoder.batch_size)
