"""Pictures of which somebody said that they are no duplicates of each other: they are in no group together any more."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from sqlalchemy import Connection, delete, insert, select, tuple_

from clipcore import BadInput

from ..database import chunks
from ..tables import Apart

MOST = 100  # pictures that are said to be apart at once: each pair is a row
Pair = tuple[str, str]  # the names of two pictures, in order


def pair(one: str, other: str) -> Pair:
    """Two pictures as they are kept."""
    return (one, other) if one < other else (other, one)


def all_apart(connection: Connection) -> frozenset[Pair]:
    """Every pair."""
    return frozenset((row.picture, row.other) for row in connection.execute(select(Apart.picture, Apart.other)))


def say(connection: Connection, pictures: Sequence[str], are_apart: bool = True) -> int:
    """Say of pictures that none of them is a duplicate of another, or take it back; returns how many pairs changed.

    Raises BadInput for more than MOST.
    """
    pairs = _pairs(pictures)
    known = all_apart(connection)
    if are_apart:
        if new := sorted(pairs - known):
            connection.execute(insert(Apart), [{"picture": one, "other": other} for one, other in new])
        return len(new)
    for some in chunks(sorted(pairs & known)):
        connection.execute(delete(Apart).where(tuple_(Apart.picture, Apart.other).in_(some)))
    return len(pairs & known)


def _pairs(pictures: Iterable[str]) -> set[Pair]:
    names = sorted(set(pictures))
    if len(names) > MOST:
        raise BadInput(f"These are {len(names):,} images and {MOST} go at once; take the group apart in smaller parts.")
    return set(combinations(names, 2))
