"""Names that judge people: what to say of them first, and what never to advise about them."""

from collections.abc import Iterable, Iterator, Sequence

from ..classify.sensitive import notice, sensitive
from .said import Advice

JOINS = ("synonym", "similar", "order", "contains")  # advice to make classes one, or to leave one of them out


def about_people(labels: Sequence[str]) -> Iterator[Advice]:
    """What `classify`, `teach`, the page and a classifier's file say of these names, too; nothing of most lists."""
    found = sensitive(labels)
    if found:
        yield Advice("people", tuple(one.label for one in found), notice(found))


def unless_of_people(found: Iterable[Advice], labels: Sequence[str]) -> list[Advice]:
    """The advice without that which would have a class of people and one that judges them made one, or leave one of them
    out: a man who is no criminal would then be called one."""
    careful = {one.label for one in sensitive(labels)}
    return [advice for advice in found if advice.kind not in JOINS or not careful & set(advice.labels)]
