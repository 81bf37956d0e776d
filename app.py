"""Sayso's composition root: the page, and the command line of the package `cli`.

python app.py                         serve the page at http://127.0.0.1:7860
python app.py classify photos --labels "cat, dog, rabbit"
python app.py --help
"""

import os
from typing import Annotated

import typer

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from cli import commands
from cli.common import Home, command, env_home, home_folder

ChosenModel = Annotated[
    str | None,
    typer.Option("--model", envvar="SAYSO_MODEL", help="A model; else the one chosen on the page, at first the starter."),
]


@commands.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Without a command: serve."""
    if context.invoked_subcommand is None:
        serve(home=env_home(), model=os.environ.get("SAYSO_MODEL"))


@command
def serve(
    home: Home = None,
    model: ChosenModel = None,
    host: Annotated[str, typer.Option(help="Address; any but loopback needs SAYSO_PASSWORD.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SAYSO_PORT", help="Port.")] = 7860,
) -> None:
    """Serve the page."""
    import clipcore
    from storage import Library
    from ui.server import serve as run_server
    from ui.studio import Studio, remembered_model

    with Library(home_folder(home)) as library:
        chosen = model or remembered_model(library.home) or "starter"
        studio = Studio(library, lambda: clipcore.load(chosen), chosen)
        run_server(studio, host, port, os.environ.get("SAYSO_PASSWORD"))


if __name__ == "__main__":
    commands()
