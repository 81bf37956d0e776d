"""How a tab follows a job: without a browser, its handlers called one after the other."""

from datetime import timedelta
from types import SimpleNamespace

import gradio as gr
import pytest
from gradio.context import LocalContext

from clipcore import BadInput, Step
from storage import Library
from tests.support.fakes import FakeEncoder
from ui.job_watch import Followed, Following
from ui.progress import friendly
from ui.studio import Studio


@pytest.fixture
def studio(tmp_path):
    encoder = FakeEncoder()
    library = Library(tmp_path / "home", encoder)
    studio = Studio(library, lambda: encoder, "fake")
    studio.go = False

    def work(payload):
        while not studio.go:
            yield Step(1, 4, "working")
        if payload.get("fails"):
            raise BadInput("It cannot be done.")
        return {"answer": 42}

    studio.jobs.register("work", work)
    studio.jobs.register("foreign", work)
    studio.jobs.start()
    yield studio
    studio.go = True
    studio.jobs.stop()
    library.close()


def following(studio, **options):
    """A window that follows, and what it was told at the end."""
    told = []

    def end(job, is_mine, *asked):
        told.append((job.result, is_mine, *asked))
        return {window.progress: "done"}

    with gr.Blocks():
        window = Following(studio, ("work",), end, **options)
        window.progress_bar("bar")
        window.stop_button()
    return window, told


def state(window, changes):
    return changes[window._state]


def finish(studio, job_id):
    studio.go = True
    return studio.jobs.wait(job_id, 10)


def test_a_job_is_started_drawn_and_ended(studio):
    window, told = following(studio)
    at = state(window, started := window.start("work", {}))
    assert at == Followed(at.job, True, True)
    assert "<progress" in started[window.progress]
    assert "<progress" in window.look(at)[window.progress]
    finish(studio, at.job)
    ended = window.look(at, "typed")
    assert (ended[window.progress], told) == ("done", [({"answer": 42}, True, "typed")])
    assert not state(window, ended).is_on
    window.look(state(window, ended))
    assert len(told) == 1  # told once


def test_small_work_shows_no_progress(studio):
    studio.go = True
    window, told = following(studio, wait=10)
    assert window.start("work", {}, "typed")[window.progress] == "done"
    assert told == [({"answer": 42}, True, "typed")]


def test_another_window_sees_it_and_a_reload_finds_it(studio):
    window, _ = following(studio)
    other, told = following(studio)
    before = state(other, other.hear(Followed()))  # nothing yet
    assert before == Followed(0)
    at = state(window, window.start("work", {}))
    seen = state(other, other.hear(before))
    assert seen == Followed(at.job, True, False)
    assert state(other, other.rejoin(Followed())) == Followed(at.job, True, True)  # as after a reload
    finish(studio, at.job)
    other.look(seen)
    assert [is_mine for _, is_mine in told] == [False]
    assert not isinstance(state(other, other.revisit(Followed(at.job))), Followed)  # what is over is not told again
    assert len(told) == 1
    assert state(other, other.rejoin(Followed())) == Followed(at.job, False)  # but in a window that was loading meanwhile
    assert [is_mine for _, is_mine in told] == [False, False]


def test_a_tab_that_is_opened_while_its_window_loads_leaves_the_job_to_the_load(studio):
    """Both look at once, and the answer to the load may come first: it follows, and nothing may end that but the job."""
    window, _ = following(studio)
    other, told = following(studio)
    at = state(window, window.start("work", {}))
    assert state(other, other.rejoin(Followed())) == Followed(at.job, True, True)
    assert not isinstance(state(other, other.revisit(Followed())), Followed)  # neither at work ...
    finish(studio, at.job)
    assert not isinstance(state(other, other.revisit(Followed())), Followed)  # ... nor over
    other.look(Followed(at.job, True, True))
    assert [is_mine for _, is_mine in told] == [True]


def test_a_tab_that_is_opened_follows_what_is_at_work_and_hears_what_has_ended(studio):
    window, _ = following(studio)
    other, told = following(studio)
    at = state(window, window.start("work", {}))
    assert state(other, other.revisit(Followed(0))) == Followed(at.job, True, False)
    finish(studio, at.job)
    assert state(other, other.revisit(Followed(0))) == Followed(at.job)  # before there was news
    assert told == [({"answer": 42}, False)]


def test_news_before_the_answer_to_the_load_tells_nothing_old(studio, monkeypatch):
    window, told = following(studio)
    old = state(window, window.start("work", {}))
    finish(studio, old.job)
    monkeypatch.setattr("ui.job_watch.RECENT", timedelta(0))
    assert state(window, window.hear(Followed())) == Followed(old.job)
    assert told == []


def test_news_that_overtakes_a_start_knows_whose_the_job_is(studio):
    window, told = following(studio)
    token = LocalContext.request.set(SimpleNamespace(session_hash="mine"))
    try:
        at = state(window, window.start("work", {}))
        assert state(window, window.hear(Followed(0))) == at  # it began with the state from before
        assert studio.jobs.get(at.job).payload == {}  # the work gets what was asked, and no more
        finish(studio, at.job)
        window.hear(Followed(0))
        LocalContext.request.set(SimpleNamespace(session_hash="another"))
        window.hear(Followed(0))
    finally:
        LocalContext.request.reset(token)
    assert [is_mine for _, is_mine in told] == [True, False]


def test_what_waited_for_its_turn_is_followed_next(studio):
    window, told = following(studio)
    first = state(window, window.start("work", {}))
    waiting = studio.jobs.submit("work", {})
    finish(studio, first.job)
    ended = window.look(first)
    studio.jobs.wait(waiting, 10)
    assert "active" not in str(ended.get(window._timer))  # the clock goes on for one more look
    window.look(state(window, ended))
    assert [is_mine for _, is_mine in told] == [True, False]
    rested = window.look(Followed(waiting))
    assert rested[window._timer].active is False
    assert window.hear(first)[window._timer].active is True  # whatever came late, what is followed is drawn


def test_jobs_of_others_may_be_left_alone(studio):
    window, _ = following(studio, others=False)
    studio.jobs.submit("work", {})
    assert not isinstance(state(window, window.hear(Followed(0))), Followed)


def test_a_click_in_the_first_moment_of_a_load_is_not_lost(studio):
    """The answer to the load was made before the click and comes after it: it says that there is nothing to follow."""
    window, told = following(studio, others=False)
    token = LocalContext.request.set(SimpleNamespace(session_hash="mine"))
    try:
        late = state(window, window.rejoin(Followed()))
        at = state(window, window.start("work", {}))
        assert state(window, found := window.look(late)) == at
        assert found[window._timer].active is True
        finish(studio, at.job)
        window.look(at)
        window.hear(late)
        assert told == [({"answer": 42}, True)]  # once
        LocalContext.request.set(SimpleNamespace(session_hash="another"))
        assert not isinstance(state(window, window.look(late)), Followed)
    finally:
        LocalContext.request.reset(token)


def test_foreign_kinds_are_not_followed(studio):
    window, _ = following(studio)
    studio.jobs.submit("foreign", {})
    assert not isinstance(state(window, window.hear(Followed(0))), Followed)


def test_a_stop_and_a_failure_are_said(studio):
    window, told = following(studio, busy=lambda: {"button": False}, idle=lambda: {"button": True})
    started = window.start("work", {})
    at = state(window, started)
    assert started["button"] is False
    window.stop(at)
    studio.jobs.wait(at.job, 10)
    ended = window.look(at)
    assert "Stopped" in ended[window.progress]
    assert ended["button"] is True
    failing = state(window, window.start("work", {"fails": True}))
    finish(studio, failing.job)
    assert "It cannot be done." in window.look(failing)[window.progress]
    assert told == []


def test_a_job_that_was_cleared_away_is_let_go(studio):
    window, _ = following(studio)
    assert not state(window, window.look(Followed(999, True))).is_on


def test_each_look_at_a_running_job_changes_what_it_is_told_to(studio):
    window, told = following(studio, during=lambda job: {"grid": job.message})
    followed = state(window, window.start("work", {}))
    assert window.look(followed)["grid"] in ("working", "")  # "" before its first step
    finish(studio, followed.job)
    assert "grid" not in window.look(followed)
    assert told


def test_a_mistake_of_ours_goes_to_the_log_and_changes_nothing(caplog):
    with pytest.warns(UserWarning, match="Something unexpected went wrong"):
        answer = friendly(lambda: 1 / 0)()
    assert answer == gr.skip()
    assert "ZeroDivisionError" in caplog.text


def test_a_window_that_turns_to_something_else_leaves_the_old_line(studio):
    window, told = following(studio, belongs=lambda job, *asked: job.payload.get("for") in asked)
    old = studio.jobs.submit("work", {"for": "a"})
    assert window.progress in window.rejoin(Followed(), "a")
    assert state(window, window.rejoin(Followed(), "b")) == Followed(0)
    assert window.revisit(Followed(0), "b")[window._state] == gr.skip()
    left = window.turn_to(None)
    assert left[window.progress] == ""
    assert not state(window, left).is_on
    assert window.hear(state(window, left), "b")[window._state] == gr.skip()
    back = window.turn_to(studio.jobs.get(old))
    assert state(window, back) == Followed(old, True)
    finish(studio, old)
    assert window.look(state(window, back), "a")[window.progress] == "done"
    assert told == [({"answer": 42}, True, "a")]
