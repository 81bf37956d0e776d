"""Sayso's composition root: the page, and the command line of the package `cli`.

python app.py                         serve the page at http://127.0.0.1:7860 and open it
python app.py quickstart              the same, with the sample photos sorted
python app.py classify photos --labels "cat, dog, rabbit"
python app.py --help
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from cli import __version__, commands
from cli.common import Home, command, library_at, say

ChosenModel = Annotated[
    str | None,
    typer.Option("--model", envvar="SAYSO_MODEL", help="A model; else the one chosen on the page, at first the starter."),
]
Host = Annotated[str, typer.Option(help="Address; any but loopback needs SAYSO_PASSWORD.")]
Port = Annotated[int, typer.Option(envvar="SAYSO_PORT", help="Port.")]


def show_version(asked: bool) -> None:
    if asked:
        print(f"sayso {__version__}")
        raise typer.Exit


@commands.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=show_version)
    ] = False,
) -> None:
    """Roll your own image classifier: type class names, see your photos sorted.

    Without a command: serve the page and open it in the browser.
    """
    if context.invoked_subcommand is None:
        served = context.command.commands["serve"]
        with served.make_context("serve", ["--open"], parent=context) as asked:
            served.invoke(asked)


@command
def serve(
    home: Home = None,
    model: ChosenModel = None,
    host: Host = "127.0.0.1",
    port: Port = 7860,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in the browser, too.")] = False,
) -> None:
    """Serve the page."""
    run(home, model, host, port, "" if opens else None)


@command
def quickstart(
    home: Home = None,
    model: ChosenModel = None,
    port: Port = 7860,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Serve the page with the sample photos sorted: what Sayso does, in a minute."""
    run(home, model, "127.0.0.1", port, "#samples" if opens else None)


@command
def work(home: Home = None, model: ChosenModel = None) -> None:
    """Do the page's long work without a page: imports, trainings, measurements of a library on a server.

    Any number may run, on any machine that sees the same folders and the same home; see docs/operations.md. Asked to end
    (SIGTERM, Ctrl+C) it finishes its step, and another worker goes on from there.
    """
    import clipcore
    from ui.studio import remembered_model
    from ui.work import Worker

    with library_at(home) as library:
        chosen = model or remembered_model(library.home) or "starter"
        worker = Worker(library, lambda: clipcore.load(chosen), chosen, follows=model is None)
        say(f"working for the library in {library.where}  (Ctrl+C ends it)")
        worker.run()


def run(home: Path | None, model: str | None, host: str, port: int, opens: str | None) -> None:
    """Serve; `opens` is what follows the address where the page is opened, None where it is not."""
    import clipcore
    from ui.server import serve as run_server
    from ui.studio import Studio, remembered_model

    with library_at(home) as library:
        chosen = model or remembered_model(library.home) or "starter"
        studio = Studio(library, lambda: clipcore.load(chosen), chosen)
        listening = None if opens is None else lambda address: open_page(f"{address}/{opens}")
        run_server(studio, host, port, os.environ.get("SAYSO_PASSWORD"), listening)


def open_page(address: str) -> None:
    """In the browser of this desktop. Without a desktop nothing opens: a browser in the terminal would be in the way."""
    import threading
    import webbrowser

    if sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def main() -> None:
    """The command `sayso`."""
    commands()


if __name__ == "__main__":
    main()
