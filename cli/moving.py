"""Where a library's rows are: in the home's own file, or on a PostgreSQL server."""

from typing import Annotated

import typer

from .common import Home, Json, command, database_url, draw, emit, home_folder, say


@command
def move_database(
    to: Annotated[str, typer.Argument(help="A PostgreSQL server's address, or “home” for the home's own file.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Move the library to a PostgreSQL server, or from the one that --database names back home. Every row is checked.

    Nothing may use the library meanwhile. The place it comes from keeps what it had. Pictures, uploads, thumbnails and
    models are files, and stay where they are.
    """
    from storage.moving import HOME, iter_move

    counts = draw(iter_move(home_folder(home), database_url() if to == HOME else None, to), "row")
    text = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "an empty library"
    emit(as_json, {"to": "home" if to == HOME else "server", "rows": counts}, f"moved and checked: {text}")
    if to == HOME:
        say("Leave --database and SAYSO_DATABASE away from now on.")
    else:
        say("Give this address to every command from now on, best as SAYSO_DATABASE.")
