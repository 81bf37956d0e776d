"""Who may use a model now: some at once who only look, or one who changes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """At most `count` holders of `one()` at a time; a holder of `all()` is alone."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = threading.Semaphore(count)
        self._alone = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of the turns; waits for it."""
        with self._free:
            yield

    @contextmanager
    def all(self) -> Iterator[None]:
        """All of them; waits until everybody else has done."""
        with self._alone:  # two who each held some would wait for each other
            for _ in range(self._count):
                self._free.acquire()
            try:
                yield
            finally:
                self._free.release(self._count)
