"""Some at once, or one alone."""

import threading

from clipcore.encoding.turns import Turns


def test_as_many_at_once_as_there_are_turns():
    turns, inside = Turns(2), threading.Barrier(2)

    def enter():
        with turns.one():
            inside.wait(timeout=5)  # fails unless both are inside

    others = [threading.Thread(target=enter) for _ in range(2)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(5)
    assert not inside.broken


def test_one_who_wants_all_is_alone():
    turns, order = Turns(2), []
    entered, leave = threading.Event(), threading.Event()

    def reader():
        with turns.one():
            entered.set()
            leave.wait(5)
            order.append("one")

    def changer():
        with turns.all():
            order.append("all")

    first = threading.Thread(target=reader)
    first.start()
    assert entered.wait(5)
    second = [threading.Thread(target=changer) for _ in range(2)]
    for thread in second:
        thread.start()
    leave.set()
    for thread in (first, *second):
        thread.join(5)
    assert order == ["one", "all", "all"]
    with turns.one(), turns.one():
        pass  # all of them were given back
