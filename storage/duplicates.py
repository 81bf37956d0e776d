"""Duplicates, as two lists that are never mixed: the same picture, and similar pictures. Nothing is ever deleted.

The same picture is the same file's content at several paths, or pixels that are nearly the same (`fingerprints`): of 200
photos resaved as JPEG of quality 60 or scaled to half their size, at least 97 % differ in no more than 6 bits, and of the
two million pairs among 2,000 other photos none is within both limits. Similar are pictures whose vectors have a cosine of at
least 0.92: 6 of those pairs with an unfinished starter, and the median between a photo and its middle 80 % is 0.94. Another
model may need another number.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipcore import SaysoError, Step

from . import fingerprints
from .records import ImageRecord

SIMILAR = 0.92
MAX_ASPECT = 1.03  # how much longer one of two same pictures may be, for its height, than the other


@dataclass(frozen=True)
class Duplicates:
    """Groups of pictures, the earliest added first: `same` as each other, and only `similar` to the first of the group.

    A picture of which there are copies stands in `similar` for all of them.
    """

    same: list[list[ImageRecord]]
    similar: list[list[ImageRecord]]


def find_duplicates(
    images: list[ImageRecord],
    vectors: dict[int, np.ndarray],
    thumbnail: Callable[[ImageRecord], bytes],
    kept: Path,
    threshold: float = SIMILAR,
) -> Generator[Step, None, Duplicates]:
    """Compare every picture with every other; `vectors` [dim] of unit length by image id, `kept` remembers fingerprints.

    A picture that cannot be read any more is compared by its content and vector only.
    """
    prints = fingerprints.load(kept)
    missing = {image.content_hash: image for image in images if image.content_hash not in prints}
    for done, (content, image) in enumerate(missing.items()):
        if done % 32 == 0:
            yield Step(done, len(missing), "looking at pictures")
        with suppress(SaysoError, OSError):
            prints[content] = fingerprints.fingerprint(content, thumbnail(image))
    if missing:
        present = {image.content_hash for image in images}
        fingerprints.save(kept, {content: row for content, row in prints.items() if content in present})

    copies: dict[str, list[ImageRecord]] = {}
    for image in images:
        copies.setdefault(image.content_hash, []).append(image)
    firsts = [group[0] for group in copies.values()]
    seen = [image for image in firsts if image.content_hash in prints]
    table = np.array([prints[image.content_hash] for image in seen], fingerprints.FINGERPRINT)
    pairs = list[tuple[int, int]]()
    for block in fingerprints.alike(table):
        pairs += [(i, j) for i, j in block if _same_shape(seen[i], seen[j])]
        yield Step(0, 0, "comparing pixels")
    same = [[image for i in group for image in copies[seen[i].content_hash]] for group in grouped(len(seen), pairs)]
    unread = [group for content, group in copies.items() if content not in prints]
    same += unread

    single = [group[0] for group in same if group[0].id in vectors]
    rows = np.stack([vectors[image.id] for image in single]) if single else np.zeros((0, 1), np.float32)
    pairs = []
    for done, close in _close(rows, threshold):
        pairs += close
        yield Step(done, len(rows), "comparing vectors")
    similar = [[single[i] for i in group] for group in grouped(len(single), pairs)]
    return Duplicates(*([group for group in groups if len(group) > 1] for groups in (same, similar)))


def grouped(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Rows 0 to count in groups: each is with the first row, in order, that leads a group and that it is paired with.

    Not whatever is linked by a chain of pairs, which among a thousand beach photos would be one group of a thousand.
    """
    partners: dict[int, list[int]] = {}
    for i, j in pairs:
        partners.setdefault(min(i, j), []).append(max(i, j))
    taken: set[int] = set()
    groups = []
    for row in range(count):
        if row not in taken:
            group = [row, *sorted({other for other in partners.get(row, ()) if other not in taken})]
            taken.update(group)
            groups.append(group)
    return groups


def _close(rows: np.ndarray, threshold: float, block: int = 512) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Pairs of rows [n, dim] with a cosine of at least `threshold`, a block of rows at a time, and how many are done."""
    for start in range(0, len(rows), block):
        cosines = rows[start : start + block] @ rows[start:].T
        i, j = np.nonzero(cosines >= threshold)
        pairs = zip((start + i[i < j]).tolist(), (start + j[i < j]).tolist(), strict=True)
        yield min(start + block, len(rows)), list(pairs)


def _same_shape(one: ImageRecord, other: ImageRecord) -> bool:
    ratio = one.width * other.height / (one.height * other.width)
    return max(ratio, 1 / ratio) <= MAX_ASPECT
