"""What a picture's pixels look like in 200 bytes, to tell copies that are not the same file: resaved, resized, retouched.

A difference hash says of 8 x 8 places whether it gets brighter to the right; it survives resaving and resizing, but is the
same for every flat surface. So the colours of 8 x 8 places are kept beside it and compared as well.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import faiss
import numpy as np
from PIL import Image

from ..files import write_beside

SIDE = 8
FINGERPRINT = np.dtype([("content", "S64"), ("hash", "u1", 8), ("colours", "u1", 3 * SIDE * SIDE)])
MAX_BITS = 6  # of the 64 that may differ
MAX_COLOUR = 8.0  # mean difference of the colours, 0 to 255


def fingerprint(content: str, thumbnail: bytes) -> np.ndarray:
    """The fingerprint, a FINGERPRINT, of a picture's thumbnail as encoded bytes."""
    with Image.open(io.BytesIO(thumbnail)) as image:
        small = image.convert("RGB")
    grey = np.asarray(small.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX))
    colours = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BOX))
    return np.array((content.encode(), np.packbits(grey[:, 1:] > grey[:, :-1]), colours.ravel()), FINGERPRINT)


def alike(prints: np.ndarray, block: int = 1024) -> Iterator[list[tuple[int, int]]]:
    """Pairs of rows i < j of FINGERPRINTs [n] that show the same pixels, one list for each block of rows."""
    index = faiss.IndexBinaryFlat(64)
    hashes = np.ascontiguousarray(prints["hash"])
    index.add(hashes)
    colours = prints["colours"].astype(np.int16)
    for start in range(0, len(prints), block):
        limits, _, found = index.range_search(hashes[start : start + block], MAX_BITS + 1)  # faiss looks below the radius
        rows = start + np.repeat(np.arange(len(limits) - 1), np.diff(limits).astype(np.int64))
        later = found > rows
        rows, found = rows[later], found[later]
        pairs: list[tuple[int, int]] = []
        for part in range(0, len(rows), 100_000):  # flat surfaces share a hash in their thousands
            i, j = rows[part : part + 100_000], found[part : part + 100_000]
            same = np.abs(colours[i] - colours[j]).mean(1) <= MAX_COLOUR
            pairs += zip(i[same].tolist(), j[same].tolist(), strict=True)
        yield pairs


def load(file: Path) -> dict[str, np.ndarray]:
    """The fingerprints that were kept, by content; none if the file is missing or damaged."""
    try:
        rows = np.load(file, allow_pickle=False)
        return {row["content"].decode(): row for row in rows} if rows.dtype == FINGERPRINT else {}
    except (OSError, ValueError, EOFError):
        return {}


def save(file: Path, prints: Mapping[str, np.ndarray]) -> None:
    """Keep fingerprints for the next time."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(list(prints.values()), FINGERPRINT))
    write_beside(file, buffer.getvalue(), durable=False)
