"""Secrets by which programs prove who they are at the HTTP API."""

from datetime import timedelta
from typing import Annotated, Literal

import typer

from .common import Home, Json, command, emit, open_library, say

Action = Literal["list", "add", "revoke"]


@command
def tokens(
    action: Annotated[Action, typer.Argument(help="What to do; list where nothing is said.")] = "list",
    name: Annotated[str, typer.Argument(help="What the token is for; with revoke, its number.")] = "",
    scopes: Annotated[str, typer.Option("--scopes", help="read, label and manage, separated by commas.")] = "read",
    days: Annotated[int, typer.Option(min=0, help="For so many days; 0 for ever.")] = 90,
    person: Annotated[str | None, typer.Option(help="Whose token it is, where there are accounts.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Tokens of programs for /api/v1: tokens add robot --scopes read,label. Each is shown once, when it is made."""
    from clipcore import BadInput

    if action != "list" and not name:
        raise BadInput("Say what the token is for, such as: tokens add robot; or its number: tokens revoke 3.")
    with open_library(home) as library:
        people = library.people
        if action == "list":
            names = {one.id: one.name for one in people.all()}
            for token in people.tokens.all():
                ends = token.expires.isoformat() if token.expires else None
                used = token.last_used.isoformat() if token.last_used else None
                row = {"id": token.id, "name": token.name, "scopes": list(token.scopes), "expires": ends, "last_used": used}
                whose = names.get(token.person_id) if token.person_id is not None else None
                words = f"{token.id:>4}  {token.name:<20} {','.join(token.scopes):<18} until {ends or 'revoked'}"
                emit(as_json, {**row, "person": whose}, f"{words}{f'  {whose}' if whose else ''}")
            return
        if action == "revoke":
            if not name.isdigit():
                raise BadInput(f"“{name}” is no number of a token; “tokens” lists them.")
            people.tokens.revoke(int(name))
            say(f"token {name} opens nothing any more")
            return
        if people.any() and person is None:
            raise BadInput("There are accounts: say whose token it is with --person.")
        owner = people.get(person).id if person is not None else None
        asked = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        secret, token = people.tokens.create(owner, name, asked, timedelta(days=days) if days else None)
        say("This is shown once; send it as “Authorization: Bearer …”.")
        emit(as_json, {"id": token.id, "name": token.name, "scopes": asked, "token": secret}, secret)
