"""Sayso's composition root: the page, and the command line of the package `cli`.

python app.py                         serve the page at http://127.0.0.1:7860 and open it
python app.py quickstart              the same, with the sample photos sorted
python app.py classify photos --labels "cat, dog, rabbit"
python app.py --help
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from cli import __version__, commands
from cli.common import Home, command, library_at, say

if TYPE_CHECKING:
    from storage import Library

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
    accounts: Annotated[
        bool, typer.Option("--accounts", help="People sign in; the first start prints an invitation for an owner.")
    ] = False,
    proxy_header: Annotated[
        str, typer.Option(help="The header in which a reverse proxy names who asks, such as X-Forwarded-User.")
    ] = "",
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="The address from which that is believed; from any other it is ignored.")
    ] = None,
    host_name: Annotated[
        list[str] | None, typer.Option(help="A name under which a proxy serves the page, such as photos.example.org.")
    ] = None,
) -> None:
    """Serve the page."""
    proxies, names = trusted_proxy or (), host_name or ()
    run(home, model, host, port, "" if opens else None, accounts, proxy_header, proxies, names)


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


def run(
    home: Path | None,
    model: str | None,
    host: str,
    port: int,
    opens: str | None,
    accounts: bool = False,
    header: str = "",
    trusted: Sequence[str] = (),
    hosts: Sequence[str] = (),
) -> None:
    """Serve; `opens` is what follows the address where the page is opened, None where it is not."""
    import clipcore
    from ui.guard.asking import Proxy
    from ui.server import serve as run_server
    from ui.studio import Studio, remembered_model

    with library_at(home) as library:
        chosen = model or remembered_model(library.home) or "starter"
        studio = Studio(library, lambda: clipcore.load(chosen), chosen)
        invitation = first_owner(library) if accounts else None

        def listening(address: str) -> None:
            if invitation:
                print(f"Choose the owner's password at {address}{invitation}  (good once, for a day)", flush=True)
            if opens is not None:
                open_page(f"{address}{invitation or f'/{opens}'}")

        proxy = Proxy(header, tuple(trusted))
        run_server(studio, host, port, os.environ.get("SAYSO_PASSWORD"), listening, proxy, hosts)


def first_owner(library: "Library") -> str | None:
    """Make the first owner where there are no accounts, and an invitation to choose its password; its path. It is made
    anew at each start until somebody has used it."""
    from datetime import timedelta

    people = library.people
    if not people.any():
        people.add("owner", "owner")
    if len(people.all()) > 1 or people.has_password(people.all()[0].id):
        return None
    secret, _ = people.tokens.create(people.all()[0].id, "first start", lasts=timedelta(days=1), kind="invitation")
    return f"/welcome/{secret}"


def open_page(address: str) -> None:
    """In the browser of this desktop. Without a desktop nothing opens: a browser in the terminal would be in the way."""
    import threading
    import webbrowser

    if sys.platform in ("win32", "darwin") or any(map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))):
        threading.Thread(target=webbrowser.open, args=(address,), name="opens the page", daemon=True).start()


def main() -> None:
    """The command `sayso`."""
    commands()


if __name__ == "__main__":
    main()
