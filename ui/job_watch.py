"""How a tab follows a job, the same on every tab: start it, poll it, stop it, find it again after a reload, show its end.

    following = Following(studio, kinds=("add",), end=partial(show_end, studio, at))
    with gr.Row():
        add = gr.Button("Add")
        following.stop_button()                      # where it belongs in the layout
    following.progress_bar("my-progress")
    ...
    outputs = [*following.parts, at.grid, ...]       # whatever handlers of the tab change
    following.wire(outputs, page, tab)
    add.click(lambda path: following.start("add", {"folder": path}), path, outputs)

A handler's answer is a dictionary from components to new values, as everywhere on the page. `end(job, is_mine, *asked)` says
what a job that is over changes, beside the bar, which goes; `is_mine` is whether this window started it or found it at work
at its own reload, not while it was open. If it starts the next job with `start`, that one is followed. A window that is open
sees within two seconds what another one started.

Answers may come in another order than they were asked for, so no handler trusts its copy of the state alone: whose a job is
stands in its row, and news before the first answer to the load tells nothing of old jobs.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import LocalContext

from clipcore import NotFound
from storage import JobRecord

from .page_events import Changes, Opening
from .progress import friendly, progress_html, said
from .studio import Studio

EVERY = 0.5  # seconds between looks while a job is followed; else it is looked for when there is news
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
RECENT = timedelta(seconds=30)  # what ended while a window was loading is told in it
STOPPED = "Stopped. What was done so far is kept."


@dataclass(frozen=True)
class Followed:
    """The last job that a window knows of: whether it is followed still, and whether it is the window's own.

    `job` is 0 if there was none, and None before the window has looked.
    """

    job: int | None = None
    is_on: bool = False
    is_mine: bool = True


class Following:
    """Follows the jobs of one tab.

    kinds   the kinds of jobs it is about, or a function that says it of a job
    end     what changes when a job is over and done; see above. Failed and stopped jobs are said without asking
    wait    seconds for which `start` waits, so that small work never shows a progress bar
    others  whether jobs are followed that another window starts while this one is open
    busy    what changes when a job begins to be followed, and `idle` when one is over, however it ended
    during  what changes beside the bar at each look at a job that runs
    belongs whether a job is for what the window shows; it gets the job and what `end` gets beside it
    """

    def __init__(
        self,
        studio: Studio,
        kinds: Collection[str] | Callable[[JobRecord], bool],
        end: Callable[..., Changes],
        wait: float = 0.0,
        others: bool = True,
        busy: Callable[[], Changes] = dict,
        idle: Callable[[], Changes] = dict,
        during: Callable[[JobRecord], Changes] = lambda job: {},
        belongs: Callable[..., bool] = lambda job, *asked: True,
    ) -> None:
        self._studio = studio
        self._is_ours = kinds if callable(kinds) else lambda job: job.kind in kinds
        self._end, self._wait, self._others = end, wait, others
        self._busy, self._idle, self._during = busy, idle, during
        self._belongs = belongs
        self._told: set[int] = set()  # jobs whose end their own window knows
        self._stop: gr.Button | None = None
        self._state = gr.State(Followed())
        self._timer = gr.Timer(EVERY, active=False)

    # laying out

    def progress_bar(self, elem_id: str, words: str = "") -> gr.HTML:
        """The place of the progress bar, and of the sentence afterwards; here and now in the layout."""
        self.progress = gr.HTML(words, elem_id=elem_id)
        return self.progress

    def stop_button(self) -> gr.Button:
        """The button that is there while a job runs; leave it out where work is short."""
        self._stop = gr.Button("Stop", variant="stop", scale=0, min_width=110, visible=False)
        return self._stop

    @property
    def parts(self) -> list[Component]:
        """The components that following changes; a tab's handlers have them among their outputs."""
        stop: list[Any] = [self._stop] if self._stop else []
        return [self.progress, *stop, self._state, self._timer]

    def wire(self, outputs: Collection[Any], page: Opening, tab: gr.Tab, asked: Collection[Any] = ()) -> None:
        """Begin to listen. `asked` are components whose values `end` gets, too."""
        outputs, asked = list(outputs), list(asked)
        self._timer.tick(friendly(self.look), [self._state, *asked], outputs, **QUIET)
        page.load(self.rejoin, [self._state, *asked], outputs)
        page.news(self.hear, [self._state, *asked], outputs)
        page.select(tab)(self.revisit, [self._state, *asked], outputs)
        if self._stop:
            self._stop.click(friendly(self.stop), self._state, outputs, **QUIET)

    # handlers

    def start(self, kind: str, payload: dict[str, Any], *asked: Any) -> Changes:
        """Submit a job and follow it; if it is over within `wait` seconds, show its end at once."""
        job = self._studio.jobs.wait(self._studio.jobs.submit(kind, payload, _window()), self._wait)
        return self._over(job, True, asked) if job.over else self._follow(job)

    def look(self, followed: Followed, *asked: Any) -> Changes:
        """On every tick: draw the progress of what is followed. The last tick is after its end, for what waited for that."""
        if not followed.is_on:
            return {self._timer: gr.Timer(active=False), **self.hear(followed, *asked)}
        try:
            job = self._studio.jobs.get(followed.job)
        except NotFound:  # cleared away while this window slept
            return self._rest(Followed(followed.job)) | {self.progress: ""}
        if job.over:
            return self._over(job, followed.is_mine, asked)
        return {self.progress: progress_html(job), **self._during(job)}

    def hear(self, followed: Followed, *asked: Any) -> Changes:
        """When there is news: see what another window has started."""
        if followed.job is None:
            return self.rejoin(followed, *asked)
        if followed.is_on:
            return {self._timer: gr.Timer(active=True)}  # should an answer that came late have stopped it
        news = [job for job in self._studio.jobs.recent(20) if job.id > followed.job and self._is_ours(job)]
        news = [job for job in news if self._belongs(job, *asked)]
        if not self._others:  # only what the window began itself: an answer to its load, on the way meanwhile, forgets that
            news = [job for job in news if _is_of_this_window(job) and job.id not in self._told]
        if not news:
            return {self._state: gr.skip()}
        job, is_mine = news[0], _is_of_this_window(news[0])
        return self._over(job, is_mine, asked) if job.over else self._follow(job, is_mine)

    def rejoin(self, followed: Followed, *asked: Any) -> Changes:
        """On load: follow what is still at work. What is over is not told again, unless it ended while the window was
        loading."""
        if followed.is_on:
            return {self._state: gr.skip()}
        job = self._newest(asked)
        if job is None:
            return {self._state: Followed(0)}
        if not job.over:
            return self._follow(job)
        if self._others and job.finished and datetime.now(UTC) - job.finished < RECENT:
            return self._over(job, False, asked)
        return {self._state: Followed(job.id)}

    def revisit(self, followed: Followed, *asked: Any) -> Changes:
        """When the tab is opened: follow what is at work. A window that has not looked yet leaves that to the answer to its
        load: were this one to come later, with what it saw before, nobody would hear of the end."""
        if followed.is_on or followed.job is None:
            return {self._state: gr.skip()}
        job = self._newest(asked)
        return self.hear(followed, *asked) if job is None or job.over else self._follow(job, _is_of_this_window(job))

    def turn_to(self, job: JobRecord | None) -> Changes:
        """Leave what was followed, and its line: the window shows something else now, for which `job` may be at work."""
        if job is not None:
            return self._follow(job)
        timer = gr.Timer(active=False)
        return self._rest(Followed(self._studio.jobs.newest())) | {self.progress: "", self._timer: timer}

    def stop(self, followed: Followed) -> Changes:
        """Ask the job to end at its next step; `look` says so when it has."""
        self._studio.jobs.cancel(followed.job)
        return {self._stop: gr.Button(visible=False)}

    # what they share

    def _newest(self, asked: Collection[Any]) -> JobRecord | None:
        jobs = self._studio.jobs.recent(100)
        return next((job for job in jobs if self._is_ours(job) and self._belongs(job, *asked)), None)

    def _follow(self, job: JobRecord, is_mine: bool = True) -> Changes:
        stop = {self._stop: gr.Button(visible=True)} if self._stop else {}
        return {
            **stop,
            **self._busy(),
            self.progress: progress_html(job),
            self._state: Followed(job.id, True, is_mine),
            self._timer: gr.Timer(active=True),
        }

    def _rest(self, followed: Followed) -> Changes:
        stop = {self._stop: gr.Button(visible=False)} if self._stop else {}
        return {**stop, **self._idle(), self._state: followed}

    def _over(self, job: JobRecord, is_mine: bool, asked: Collection[Any]) -> Changes:
        rest = self._rest(Followed(job.id))
        if is_mine:
            self._told.add(job.id)
        if job.state == "failed":
            return {**rest, self.progress: said(job.error or "That did not work.", problem=True)}
        if job.state == "cancelled":
            return {**rest, self.progress: said(STOPPED)}
        return {**rest, self.progress: "", **self._end(job, is_mine, *asked)}


def _window() -> str:
    """The window whose request is answered, as Gradio knows it: another after each load. "" outside of one."""
    request = LocalContext.request.get(None)
    return getattr(request, "session_hash", None) or ""


def _is_of_this_window(job: JobRecord) -> bool:
    return bool(_window()) and job.owner == _window()
