"""What each role may: one table of all routes, one of all events of the page, and one gate for both (`ui.guard.asking`).

What is not named needs an owner, so a route or an event that somebody adds is closed until somebody decides. `docs/roles.md`
is made of these tables and of what the app has, by `python -m docs.roles`; `tests/security/test_roles.py` holds it.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, Literal

from storage import ROLES, Role

Least = Literal["anonymous", "viewer", "labeller", "owner"]  # the role that is needed, or none at all

# Lines "METHODS path"; GET stands for HEAD as well, {x} for a part of a path, {x:path} for the rest of it.
ROUTES: dict[Least, str] = {
    "anonymous": """
        GET,POST /sign-in
        GET,POST /welcome/{secret}
        GET /healthz
        GET /readyz
        GET /favicon.ico
        GET /robots.txt
    """,
    "viewer": """
        GET /
        POST /sign-out
        GET /api/me
        GET /elements/{file:path}
        GET /config
        GET /config/
        GET /theme.css
        GET /manifest.json
        GET /pwa_icon
        GET /pwa_icon/{size}
        GET /assets/{file:path}
        GET /static/{file:path}
        GET /svelte/{file:path}
        GET /gradio_api/{what}
        GET /gradio_api/info/
        GET /gradio_api/queue/{what}
        GET /gradio_api/heartbeat/{window}
        POST /gradio_api/queue/join
        POST /gradio_api/cancel
        POST /gradio_api/reset
        POST /gradio_api/reset/
        GET /api/pulse
        GET /thumb/{image_id}/{content}.webp
        GET /preview/{image_id}/{content}.webp
        GET /original/{image_id}/{content}
        GET /api/images
        GET /api/images/{image_id}
        GET /api/ids
        GET /api/months
        GET /api/places
        POST /api/pictures
        POST /api/source
        POST /api/alike
        POST /api/cards
        GET /api/albums
        GET /api/map
        GET /api/map/jobs/{job_id}
        GET /api/duplicates/{job_id}
        GET /api/runs/{run_id}
        GET /api/runs/{run_id}/changes
        GET /api/runs/{run_id}/dial
        GET /api/runs/{run_id}/random
        GET /api/runs/{run_id}/images/{image_id}
        GET /api/runs/{run_id}/lesson
        GET /api/runs/{run_id}/compare
        GET /api/runs/{run_id}/next
        GET /api/runs/{run_id}/check
        GET /api/runs/{run_id}/doubts
        GET /api/runs/{run_id}/why/{image_id}
        GET /api/runs/{run_id}/why/{image_id}/heat.png
        GET /api/runs/{run_id}/parts
        GET /api/runs/{run_id}/parts/{image_id}
        GET /api/runs/{run_id}/parts/{image_id}/map.png
        POST /api/runs/{run_id}/try
        POST /api/names
        GET /api/classifiers/card.html
        GET /api/reports/{report_id}
        GET /api/reports/{report_id}/map
        GET /api/reports/{report_id}/images
        GET /api/reports/{report_id}/pictures/{row}/{size}.webp
        GET /api/reports/{report_id}/plots/{name}.svg
        GET /api/reports/{report_id}/plots/{name}.png
        GET /api/reports/{report_id}/report.json
        GET /api/reports/{report_id}/report.html
        GET /api/bias/{report_id}
        POST /api/bias/{report_id}/measure
        POST /api/bias/{report_id}/images
        POST /api/bias/{report_id}/what-if
        POST /api/bias/{report_id}/sweep
        POST /api/bias/{report_id}/plot
        POST /api/bias/{report_id}/stress
        GET /api/bias/{report_id}/report.html
        GET /api/bias/{report_id}/report.json
        GET /api/sessions
        GET /api/sessions/{session_id}
        GET /api/sessions/{session_id}/pulse
        GET /api/docs
        GET /api/openapi.json
        GET /api/v1/classifiers
        GET /api/v1/classifiers/{classifier_id}
        POST /api/v1/classify
        POST /api/v1/classify/files
        GET /api/v1/jobs
        GET /api/v1/jobs/{job_id}
        GET /api/v1/labels
        GET /api/v1/images
        GET /api/v1/images/{image_id}
        GET /api/v1/images/{image_id}/labels
        GET /api/v1/images/{image_id}/similar
        GET /api/v1/images/{image_id}/thumbnail
    """,
    "labeller": """
        POST /api/label
        POST /api/label/undo
        POST /api/rate
        POST /api/albums
        POST /api/albums/delete
        POST /api/albums/pictures
        POST /api/albums/restore
        POST /api/classifiers
        POST /api/map
        POST /api/map/jobs/{job_id}/stop
        POST /api/duplicates/apart
        POST /api/runs/{run_id}/move
        POST /api/runs/{run_id}/parts
        POST /api/runs/{run_id}/parts/{job}/stop
        POST /api/runs/{run_id}/step/{kind}
        POST /api/runs/{run_id}/dial
        POST /api/runs/{run_id}/promise
        POST /api/runs/{run_id}/threshold
        POST /api/runs/{run_id}/classes
        POST /api/runs/{run_id}/lesson/{what}
        GET /api/runs/{run_id}/labels.csv
        GET /api/runs/{run_id}/labels.json
        GET /api/runs/{run_id}/coco.json
        GET /api/runs/{run_id}/label-studio.json
        GET /api/runs/{run_id}/classifier.safetensors
        GET /api/classifiers/file.safetensors
        POST /api/sessions/{session_id}
        POST /api/sessions/{session_id}/sets
        POST /api/sessions/{session_id}/sets/name
        POST /api/sessions/{session_id}/sets/remove
        GET /api/sessions/{session_id}/sets/labels.csv
        GET /api/sessions/{session_id}/sets/labels.json
        POST /api/sessions/{session_id}/view
        POST /api/sessions/{session_id}/board
        POST /api/sessions/{session_id}/name
        POST /api/sessions/{session_id}/{what}
        POST /api/v1/labels
        POST /api/v1/labels/undo
        GET /api/v1/classifiers/{classifier_id}/file
        POST /api/v1/classifiers
        GET /api/v1/exports/labels
    """,
}

# Events by the function that handles them: a module below `ui`, and the function's name, or * for all of the module.
EVENTS: dict[Least, str] = {
    "viewer": """
        page_events *
        job_watch Following.look
        form_values *
        measure.fields *
        measure.panel Panel.wire.follow
        measure.results Results.wire.choose
        measure.robustness build.shown
        measure.captions build.shown
        bias.tab build.<lambda>
        models.training_tab build.<lambda>
        models.training_tab _slide
        models.training_tab _redraw
        models.tab _show
        measure.models here
        classify.export_panel _fields
        classify.tab describe_prompts
        classify.tab build.<lambda>
        classify.tab choose_pack
        classify.staleness describe
        classify.ready *
        library.tab build.<lambda>
        sessions.switcher wire.go
    """,
    "labeller": """
        job_watch Following.stop
        classify.tab classify
        classify.tab use_saved
        classify.saved_panel *
        classify.versions *
        library.tab build.use
        library.choosing *
        library.duplicates *
    """,
    "owner": """
        classify.saved_panel build.delete
    """,
}


def allows(role: Role | None, least: Least) -> bool:
    """Whether somebody with this role, or a stranger (None), may do what needs at least `least`."""
    return least == "anonymous" or (role is not None and ROLES.index(role) >= ROLES.index(least))


@lru_cache(4096)
def least_for(method: str, path: str) -> Least:
    """The role that a request needs; an owner's where the table does not name it."""
    asked = "GET" if method == "HEAD" else method
    for least, lines in _compiled():
        if any(asked in methods and pattern.fullmatch(path) for methods, pattern in lines):
            return least
    return "owner"


def least_for_event(name: str) -> Least:
    """The role that an event needs, by its `event_name`; an owner's where the table does not name it."""
    module, _, function = name.partition(" ")
    for wanted in (f"{module} {function}", f"{module} *"):  # a function that is named by itself first
        for least, lines in EVENTS.items():
            if wanted in {line.strip() for line in lines.splitlines()}:
                return least
    return "owner"


def event_name(handler: Callable[..., Any] | None) -> str:
    """Which function handles an event: its module below `ui` and its name, whatever wraps it; "" where none of ours does."""
    while handler is not None:
        if isinstance(handler, partial):
            handler = handler.func
        elif (inner := getattr(handler, "__wrapped__", None)) is not None:
            handler = inner
        else:
            break
    module = getattr(handler, "__module__", "") or ""
    name = getattr(handler, "__qualname__", "").replace("<locals>.", "")
    return f"{module.partition('ui.')[2]} {name}" if "ui." in module else ""


def refusal(role: Role | None, least: Least) -> str:
    """What is said to somebody who may not do this."""
    if role is None:
        return "Sign in first; load the page again."
    return f"Your role is {role}, and this needs {_article(least)}; ask an owner."


def _article(least: str) -> str:
    return f"an {least}" if least[0] in "aeiou" else f"a {least}"


@lru_cache(1)
def _compiled() -> list[tuple[Least, list[tuple[frozenset[str], re.Pattern[str]]]]]:
    return [(least, [_line(line) for line in _lines(lines)]) for least, lines in ROUTES.items()]


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _line(line: str) -> tuple[frozenset[str], re.Pattern[str]]:
    methods, _, path = line.partition(" ")
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    pattern = "".join((".+" if ":path" in part else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts)
    return frozenset(methods.split(",")), re.compile(pattern)
