"""How a job is shown, and how a mistake is said, the same on every tab."""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from html import escape
from typing import Any

import gradio as gr

from clipcore import SaysoError
from clipcore.errors import unexpected
from clipcore.progress import duration
from storage import JobRecord

log = logging.getLogger(__name__)


def progress_html(job: JobRecord) -> str:
    """A bar with count, rate and time left; an indeterminate bar while the total is unknown."""
    words = escape(job.message[:1].upper() + job.message[1:] or "Waiting for its turn")
    if not job.total:
        return f'<div class="progress" role="status"><p>{words}</p><progress aria-label="{words}"></progress></div>'
    count = f"{job.done:,} of {job.total:,}"
    rate = job.metrics.get("per_second", 0)
    if rate > 0:
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        count += f" · {shown} a second · {duration((job.total - job.done) / rate)} left"
    return (
        f'<div class="progress" role="status"><p><span>{words}</span><span>{count}</span></p>'
        f'<progress max="{job.total}" value="{job.done}" aria-label="{words}"></progress></div>'
    )


def said(sentence: str, problem: bool = False) -> str:
    """One sentence in the place of the progress bar."""
    return f'<p class="said{" problem" if problem else ""}" role="status">{escape(sentence)}</p>' if sentence else ""


def friendly(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler whose errors become a toast; everything on the page stays as it was. What is not a SaysoError is a mistake
    of ours and goes to the log as well.

    A warning and not `gr.Error`, which would also cover every component the handler could have changed.
    """

    @wraps(handler)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except SaysoError as error:
            gr.Warning(escape(error.page))
        except Exception as error:
            log.exception("a handler of the page")
            gr.Warning(unexpected(error))
        return gr.skip()

    return wrapped


def moment(when: datetime) -> str:
    """A date with its time of day, on this computer's clock: the one way in which the page says when."""
    return f"{when.astimezone():%d %b %Y, %H:%M}"


def stopwatch(job: JobRecord) -> str:
    """How long a job took, in words."""
    if not (job.started and job.finished):
        return ""
    seconds = (job.finished - job.started).total_seconds()
    if seconds < 0.1:
        return "less than 0.1 s"
    return f"{seconds:.1f} s" if seconds < 60 else time.strftime("%M:%S", time.gmtime(seconds))
