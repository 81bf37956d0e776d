"""Duplicates, as two lists that are never mixed: the same picture, and similar pictures. Nothing is ever deleted.

The same picture is the same file's content at several paths, or pixels that are nearly the same everywhere (`fingerprints`;
`python -m benchmarks duplicates` says how many copies that finds, and how many others). Similar are pictures whose vectors
have a cosine of at least 0.92: 6 of the two million pairs among 2,000 other photos with an unfinished starter, and the
median between a photo and its middle 80 % is 0.94. Another model may need another number.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipcore import SaysoError, Step

from ..records import ImageRecord
from . import fingerprints
from .apart import Pair, pair
from .near import near

SIMILAR = 0.92


@dataclass(frozen=True)
class Duplicates:
    """Groups of pictures, the earliest added first: `same` as each other, and only `similar` to the first of the group.

    A picture of which there are copies stands in `similar` for all of them.
    """

    same: list[list[ImageRecord]]
    similar: list[list[ImageRecord]]


def find_duplicates(
    images: list[ImageRecord],
    embedded: Sequence[ImageRecord],
    vectors: np.ndarray,
    thumbnail: Callable[[ImageRecord], bytes],
    kept: Path,
    threshold: float = SIMILAR,
    apart: frozenset[Pair] = frozenset(),
) -> Generator[Step, None, Duplicates]:
    """Compare every picture with every other; `vectors` [n, dim] go with `embedded`, `kept` remembers fingerprints. Pairs
    `apart` are in no group together.

    A picture that cannot be read any more is compared by its content and vector only.
    """
    prints = fingerprints.load(kept)
    missing = {image.content_hash: image for image in images if image.content_hash not in prints}
    for done, (content, print_) in enumerate(_looked_at(missing, thumbnail)):
        if done % 32 == 0:
            yield Step(done, len(missing), "looking at pictures")
        if print_ is not None:
            prints[content] = print_
    if missing:
        present = {image.content_hash for image in images}
        fingerprints.save(kept, {content: row for content, row in prints.items() if content in present})

    copies: dict[str, list[ImageRecord]] = {}
    for image in images:
        copies.setdefault(image.content_hash, []).append(image)
    firsts = [group[0] for group in copies.values()]
    seen = [image for image in firsts if image.content_hash in prints]
    table = np.array([prints[image.content_hash] for image in seen], fingerprints.FINGERPRINT)
    unread = [group for content, group in copies.items() if content not in prints]
    del prints  # four kilobytes each
    shapes = np.array([image.width / image.height for image in seen])
    pairs = list[tuple[int, int]]()
    for done, block in fingerprints.alike(table, shapes):
        pairs += [(i, j) for i, j in block if pair(seen[i].picture, seen[j].picture) not in apart]
        yield Step(done, len(seen), "comparing pixels")
    same = [[image for i in group for image in copies[seen[i].content_hash]] for group in grouped(len(seen), pairs)]
    same += unread

    row_of = {image.id: row for row, image in enumerate(embedded)}
    single = [group[0] for group in same if group[0].id in row_of]
    rows = vectors[[row_of[image.id] for image in single]]
    pairs = []
    for done, close in near(rows, threshold):
        pairs += [(i, j) for i, j in close if pair(single[i].picture, single[j].picture) not in apart]
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


def _looked_at(
    missing: dict[str, ImageRecord], thumbnail: Callable[[ImageRecord], bytes]
) -> Iterator[tuple[str, np.ndarray | None]]:
    """The fingerprint of each picture, or None where it cannot be read; every core looks."""

    def look(content: str) -> tuple[str, np.ndarray | None]:
        with suppress(SaysoError, OSError):
            return content, fingerprints.fingerprint(content, thumbnail(missing[content]))
        return content, None

    with ThreadPoolExecutor(thread_name_prefix="fingerprints") as pool:
        contents = list(missing)
        for start in range(0, len(contents), 64):  # not all at once: who stops must not wait for the rest
            yield from pool.map(look, contents[start : start + 64])
