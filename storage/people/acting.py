"""Who acts at this moment: the author of the label steps that are written. A variable of the context, so that nobody on the
way from the door to the database can forget to pass it on; nobody, where there are no accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_author: ContextVar[int | None] = ContextVar("author", default=None)


def author() -> int | None:
    """The id of the person who acts; None where there are no accounts."""
    return _author.get()


@contextmanager
def acting(person_id: int | None) -> Iterator[None]:
    """What is done within is done by this person."""
    before = _author.set(person_id)
    try:
        yield
    finally:
        _author.reset(before)
