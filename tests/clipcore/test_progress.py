"""Long work as a generator of steps."""

import pytest

from clipcore import Step, drain


def work(log):
    try:
        for i in range(3):
            yield Step(i + 1, 3, f"item {i}")
        return "result"
    finally:
        log.append("closed")


def test_drain_returns_the_result_and_hands_on_every_step():
    seen, log = [], []
    assert drain(work(log), seen.append) == "result"
    assert seen == [Step(1, 3, "item 0"), Step(2, 3, "item 1"), Step(3, 3, "item 2")]
    assert drain(work(log)) == "result"


def test_a_listener_that_raises_stops_the_work():
    log = []

    def cancel(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        drain(work(log), cancel)
    assert log == ["closed"]
    assert caught.tb  # whose frames would have kept the work alive


def test_errors_of_the_work_come_through():
    def broken():
        yield Step(1)
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        drain(broken())
