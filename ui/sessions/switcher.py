"""The session switcher: its place in a tab, and how a session is put on the page. `ui/static/sessions/` draws it, keeps what
is typed, and asks for another session by its event `go`.

A window knows its session by a *mark*, "number:moment", which is another each time that a session is put on the page.
"""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from clipcore import BadInput, NotFound
from storage import SessionRecord, known_id

from ..form_values import UNCHECKED, sources, still_there
from ..job_watch import QUIET, Changes, Following
from ..page_events import Opening
from ..progress import friendly
from ..studio import Studio
from .fields import Fields, job_for

NEW = "new"  # in place of a number, in an address too: a session with nothing in it
TELL = """(names, templates, many, source) => {
  document.dispatchEvent(new CustomEvent("sayso-fields", { detail: { names, templates, many, source } }));
}"""


@dataclass(frozen=True)
class Sheet:
    """The components of the page that a session fills."""

    session: gr.HTML
    labels: gr.Textbox
    templates: gr.Textbox
    many: gr.Checkbox
    source: gr.Dropdown
    board: gr.HTML
    run: gr.State
    go: gr.Button  # which rests while a job is followed
    jobs: Following


def layout() -> gr.HTML:
    """The switcher, here and now in the layout; its value is the window's mark."""
    return gr.HTML(
        "",
        html_template='<sayso-sessions session="{{value}}"></sayso-sessions>',
        apply_default_css=False,
        elem_id="sessions",
        js_on_load="element.addEventListener('go', event => trigger('go', event.detail))",
        padding=False,
    )


def wire(studio: Studio, page: Opening, at: Sheet, kinds: Any) -> None:
    """Begin to listen; after `at.jobs`, which a session overrules. `kinds` are the jobs whose end belongs to a session."""
    outputs = [at.session, at.labels, at.templates, at.many, at.source, at.board, at.run, at.go, *at.jobs.parts]

    def go(event: gr.EventData) -> Changes:
        return put(studio, at, kinds, chosen(studio, str(event._data)))

    at.session.go(friendly(go), None, outputs, **QUIET)  # an event of our own
    page.load(partial(_load, studio, at, kinds), None, outputs)
    fields = [at.labels, at.templates, at.many, at.source]
    # in the browser alone: no key that is pressed asks the server
    gr.on([field.change for field in fields], None, fields, None, js=TELL, **UNCHECKED)


# handlers


def chosen(studio: Studio, which: str) -> SessionRecord:
    """The session with this number, or a new one. Raises NotFound, BadInput."""
    if which == NEW:
        return studio.library.sessions.start()
    if not (which.isascii() and which.isdigit()):
        raise BadInput("That is no session; choose one from the list.")
    return studio.library.sessions.use(known_id(int(which[:20])))


def at_load(studio: Studio, asked: str) -> SessionRecord:
    """The session that the page's address asks for; if it is gone, or for none, the one that was last used, or a new one."""
    try:
        if asked:
            return chosen(studio, asked)
    except (NotFound, BadInput):
        pass
    everything = studio.library.sessions.all()
    return chosen(studio, str(everything[0].id) if everything else NEW)


def put(studio: Studio, at: Sheet, kinds: Any, session: SessionRecord) -> Changes:
    """Everything of a session, and the job that is at work for it, if any."""
    fields = Fields.of(session.state)
    choices = sources(studio, fields.source)
    return {
        at.session: mark(session),
        at.labels: fields.names,
        at.templates: fields.templates,
        at.many: fields.many,
        at.source: gr.Dropdown(choices, value=still_there(choices, fields.source)),
        at.board: session.run or "",
        at.run: session.run or "",
        **at.jobs.turn_to(job_for(studio, session.id, kinds)),
    }


def mark(session: SessionRecord) -> str:
    """What tells the window of its session, also when it is the same once more."""
    return f"{session.id}:{time.monotonic_ns()}"


def _load(studio: Studio, at: Sheet, kinds: Any) -> Changes:
    request: Any = LocalContext.request.get(None)
    session = at_load(studio, str(request.query_params.get("session", "")) if request else "")
    if not session.state and not session.run:  # the page is empty already, and who is quick may have begun to type
        return {at.session: mark(session)}
    return put(studio, at, kinds, session)
