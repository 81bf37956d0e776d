"""Addresses that are told when a job ends."""

from typing import Annotated, Literal

import typer

from .common import Home, Json, command, emit, open_library, say

Action = Literal["list", "add", "remove", "test"]


@command
def webhooks(
    action: Annotated[Action, typer.Argument(help="What to do; list where nothing is said.")] = "list",
    which: Annotated[str, typer.Argument(help="With add, the address; with remove and test, the number.")] = "",
    events: Annotated[
        str, typer.Option("--events", help="Ends of jobs: done, failed, cancelled.")
    ] = "done,failed,cancelled",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Tell an address when a job ends: webhooks add https://example.org/sayso. Its secret is shown once."""
    from clipcore import BadInput

    with open_library(home) as library:
        known = library.webhooks
        if action == "list":
            for one in known.all():
                told = {"id": one.id, "url": one.url, "events": list(one.events), "last": one.last, "waiting": one.waiting}
                state = f"last: {one.last or 'nothing yet'}{f', {one.waiting} waiting' if one.waiting else ''}"
                emit(as_json, told, f"{one.id:>4}  {one.url}  ({', '.join(one.events)})  {state}")
            return
        if action == "add":
            secret, number = known.add(which, [one.strip() for one in events.split(",") if one.strip()])
            say("This is shown once; with it the address checks who sends (docs/api.md).")
            emit(as_json, {"id": number, "url": which, "secret": secret}, secret)
            return
        if not which.isdigit():
            raise BadInput(f"“{which}” is no number of a webhook; “webhooks” lists them.")
        if action == "remove":
            known.remove(int(which))
            say(f"webhook {which} is told nothing any more")
            return
        from storage import Jobs, Teller

        delivery = known.test(int(which))
        arrived = Teller(library, Jobs(library)).send(delivery)
        last = next(one.last for one in known.all() if one.id == int(which))
        if not arrived:
            raise BadInput(f"{delivery.url} did not take the test: {last}.")
        emit(as_json, {"id": int(which), "last": last}, f"{delivery.url} took the test ({last})")
