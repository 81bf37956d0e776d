"""Writes docs/roles.md: what a stranger and each role may do, asked of the app itself, route by route and event by event.

python -m docs.roles
"""

import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

PAGE = Path(__file__).with_name("roles.md")
START = """# What each role may do

Made by `python -m docs.roles`, and held by a test: each line is a route or an event that the server has. What is
named nowhere needs an owner. How accounts are made stands in [operations.md](operations.md#several-people).

- **stranger**: somebody who has not signed in
- **viewer**: looks, searches, tries an image
- **labeller**: also labels, rates, keeps albums and sessions, teaches, saves classifiers
- **owner**: also imports, deletes, writes files, measures, trains, chooses the model, makes accounts

Without accounts there are no roles: who can reach the page may do all.
"""
HEAD = "| {what} | stranger | viewer | labeller | owner |\n|---|---|---|---|---|"


def page(app: FastAPI) -> str:
    """The page for this app."""
    from ui.guard.roles import event_name, least_for, least_for_event

    routes = []
    for route in app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods - {"HEAD"}):
                least = least_for(method, example(route.path))
                routes.append(row(f"`{method} {route.path}`", least))
    events = {name for event in blocks_of(app).fns.values() if (name := event_name(event.fn))}
    lines = [row(f"`{name}`", least_for_event(name)) for name in sorted(events)]
    return "\n".join(
        [
            *(START, "## Routes", "", HEAD.format(what="route"), *sorted(routes, key=lambda line: line.split()[2]), ""),
            *("## Events of the page", "", "By the function that handles them.", "", HEAD.format(what="event"), *lines, ""),
        ]
    )


def row(what: str, least: str) -> str:
    """A line of a table; who may not is left empty."""
    from storage import ROLES

    steps = ("anonymous", *ROLES)
    return f"| {what} | " + " | ".join("yes" if number >= steps.index(least) else "" for number in range(len(steps))) + " |"


def example(path: str) -> str:
    """A path of this route."""
    return "".join(part if i % 2 == 0 else "1" for i, part in enumerate(path.replace("{", "}").split("}")))


def blocks_of(app: FastAPI) -> Any:
    """The page that is mounted on the app."""
    return next(route.app.app.blocks for route in app.routes if hasattr(getattr(route, "app", None), "events"))


def main() -> None:
    """Build the app on an empty library and write the page."""
    from storage import Library
    from ui.server import create_app
    from ui.studio import Studio

    def load() -> Any:
        raise NotImplementedError("no model is needed for this")

    with tempfile.TemporaryDirectory() as folder, Library(Path(folder)) as library:
        PAGE.write_text(page(create_app(Studio(library, load, "starter"))), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
