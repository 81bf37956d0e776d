"""A share of what is to be labelled for each person: nobody does what another one does, but for some pictures that two get,
so that it can be seen how far they agree."""

import hashlib
from collections.abc import Sequence

OVERLAP = 0.1  # of the pictures go to two people


def whose(picture: str, people: Sequence[int], overlap: float = OVERLAP) -> tuple[int, ...]:
    """The ids of those among `people` who get this picture: one, or two for the share `overlap`. It is the same whenever
    it is asked, and when somebody comes or goes only their own pictures change hands (rendezvous hashing)."""
    ranked = sorted(people, key=lambda person: _draw(f"{picture}/{person}"), reverse=True)
    return tuple(ranked[: 2 if _draw(picture) < overlap else 1])


def _draw(text: str) -> float:
    """A number from 0 to 1 that is as good as drawn, and the same for the same text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
