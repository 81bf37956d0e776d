"""How much memory the pictures being decoded may take together, over all threads: who would exceed it waits for the others.

A WebP file of 177 kB may hold 9990 x 9990 pixels, and costs 2.4 GB while it is decoded; a bound on each picture alone would
allow that once for every core.
"""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from PIL import Image

from ..errors import BadImage

MOST = 2_500_000_000  # bytes; the costliest picture that passes the other checks, alone
# Bytes a pixel at the most that the process grew by, each on a picture of 9 megapixels from bytes to RGB (Pillow 12.3):
# RGB 8 (JPEG, PNG, BMP), grey 5, with transparency 16, float and 32-bit 24; WebP 8 more, AVIF 3 more, TIFF at most 4 more.
PLAIN, TRANSPARENT, WIDE = 8, 16, 24
FORMATS = {"WEBP": 8, "AVIF": 3, "HEIF": 3, "TIFF": 4}
PROGRESSIVE = 4  # of a progressive JPEG in full size, also where it is reduced while it is decoded


class Memory:
    """A number of bytes to share, first come, first served: a large picture is not overtaken for ever by small ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0
        self._queue: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def share(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes are free, and hold them. Raises BadImage for more than there ever are."""
        if size > self.most:
            raise BadImage(f"To decode the picture takes {size / 1e9:.1f} GB, too much here; save a smaller copy.")
        turn = object()
        with self._changed:
            self._queue.append(turn)
            self._changed.wait_for(lambda: self._queue[0] is turn and self.taken + size <= self.most)
            self._queue.popleft()
            self.taken += size
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.taken -= size
                self._changed.notify_all()


def cost(image: Image.Image, full: tuple[int, int]) -> int:
    """Bytes that it takes to decode an opened picture to RGB; `full` is its size before it was to be reduced."""
    wide = image.mode in ("I", "F")
    each = WIDE if wide else TRANSPARENT if image.has_transparency_data else PLAIN
    each += FORMATS.get(image.format or "", 0)
    least = PROGRESSIVE * full[0] * full[1] if image.info.get("progressive") else 0
    return max(each * image.width * image.height, least)


def _available() -> int:
    """A quarter of this computer's memory, at most `MOST`."""
    try:
        return min(MOST, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4)
    except (AttributeError, ValueError, OSError):  # Windows
        return MOST


MEMORY = Memory(_available())
