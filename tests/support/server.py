"""The real app as a real process, for tests that need one: free port, private folders, its output in a file."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import app
from clipcore.pictures import reading
from tests.support.processes import ROOT, fork, free_port

__all__ = ["ROOT", "served"]


@contextmanager
def served(folder: Path, *options: str, anew: bool = False, **env: str) -> Iterator[str]:
    """Serve a home below `folder` and give the address; fails, with the server's own words, if it does not come up or if a
    mistake of ours is in its log. `anew` starts a new Python, as people do, which takes ten seconds longer."""
    port, log = free_port(), folder / "server.log"
    words = ["serve", "--home", str(folder / "home"), "--port", str(port), *options]
    settings = {"GRADIO_TEMP_DIR": str(folder / "gradio"), "HF_HUB_OFFLINE": "1", **env}
    server = fork(new_python if anew else command_line, words, output=log, **settings)
    try:
        until = time.monotonic() + 120
        while not answers(port):
            assert server.is_alive(), log.read_text()
            assert time.monotonic() < until, "the app did not answer:\n" + log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        said = log.read_text()
        assert "Traceback" not in said, said  # the page shows a toast, or nothing
    finally:
        server.terminate()
        server.join(20)
        server.kill()


def answers(port: int) -> bool:
    """Whether something listens at a port of this computer."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def command_line(words: list[str]) -> None:
    """Sayso's command line, in a process that is there already. Of pictures whose names begin with "slow" it reads ten a
    second, as from a disk far away: they make an import that lasts and costs nothing."""
    read = reading.read_plain

    def slowly(path: str | os.PathLike[str], most: int) -> bytes:
        if Path(path).name.startswith("slow"):
            time.sleep(0.1)
        return read(path, most)

    reading.read_plain = slowly
    app.commands(words)


def new_python(words: list[str]) -> None:
    """In place of this process, Sayso's command line as people start it."""
    os.execv(sys.executable, [sys.executable, "app.py", *words])
